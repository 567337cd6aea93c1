"""YAML as Terraform writes and reads it (with the words for true and false that it takes)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from aks_egress.values import Unknown
from aks_egress_scan.readers.hcl.functions.json_form import json_text
from aks_egress_scan.readers.hcl.terms import ProblemError, Term, whole

if TYPE_CHECKING:
    from decimal import Decimal

MAX_TEXT: Final = 1 << 20


def from_yaml(text: str) -> Term:
    """The value of a YAML document; raises ProblemError.  Without PyYAML it is unknown."""
    try:
        yaml = import_module("yaml")  # an extra, wanted only where a configuration reads YAML
    except ImportError:
        return Unknown("the configuration reads YAML", settle="install `aks-egress[terraform]`")
    if len(text) > MAX_TEXT or text.count("*") > 1000:
        raise ProblemError("the YAML is too large")
    try:
        return _term(yaml.load(text, _loader()), [200_000])
    except (yaml.YAMLError, RecursionError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise ProblemError("the text is no YAML") from None


def _loader() -> Any:
    yaml = import_module("yaml")

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]
        """Scalars as Terraform's own reader resolves them."""

    Loader.yaml_implicit_resolvers = {}
    for tag, pattern, first in (
        (
            "bool",
            r"^(?:y|Y|yes|Yes|YES|on|On|ON|true|True|TRUE|n|N|no|No|NO|off|Off|OFF|false|False|FALSE)$",
            "yYoOtTnNfF",
        ),
        ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
        ("int", r"^(?:[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+)$", "-+0123456789"),
        ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+0123456789."),
        ("timestamp", r"^\d{4}-\d\d?-\d\d?(?:[Tt ].*)?$", "0123456789"),
        ("merge", r"^<<$", "<"),
    ):
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))
    Loader.add_constructor("tag:yaml.org,2002:bool", lambda _, node: node.value.lower() in _TRUE)
    Loader.add_constructor("tag:yaml.org,2002:int", lambda _, node: _integer(node.value))
    Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
    Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: _stamp(node.value))
    return Loader


_TRUE: Final = frozenset({"y", "yes", "on", "true"})


def _stamp(text: str) -> str:
    """A date as a time stamp; other spellings stay text."""
    found = re.fullmatch(r"(\d{4})-(\d\d?)-(\d\d?)", text)
    return f"{found[1]}-{found[2]:0>2}-{found[3]:0>2}T00:00:00Z" if found else text


def _integer(text: str) -> int:
    bases = {"0x": 16, "0o": 8}
    if len(text) > 4000:
        raise ValueError(text[:20])
    return int(text[2:], bases[text[:2]]) if text[:2] in bases else int(text)


def _mapping(loader: Any, node: Any) -> Iterator[dict[str, Any]]:
    """An object; its keys become text before they could be taken for one another."""
    found: dict[str, Any] = {}
    yield found
    loader.flatten_mapping(node)
    for key, value in node.value:
        found[_key(loader.construct_object(key, deep=True))] = loader.construct_object(value, deep=True)


def _term(value: Any, left: list[int]) -> Term:
    """Plain data as a term; aliases that multiply are bounded."""
    left[0] -= 1
    if left[0] < 0:
        raise ProblemError("the YAML is too large")
    if isinstance(value, dict):
        return {_key(key): _term(item, left) for key, item in value.items()}
    if isinstance(value, list):
        return [_term(item, left) for item in value]
    if isinstance(value, float):
        return _number(value)
    if value is None or isinstance(value, str | bool | int):
        return value
    raise ProblemError("the YAML holds something that Terraform does not know")


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if not isinstance(key, str | int):
        raise ProblemError("a key of the YAML is no text")
    return str(key)


def _number(value: float) -> int | Decimal:
    from decimal import Decimal

    return whole(Decimal(repr(value)))


def yaml_text(value: Term) -> str:
    """The value as YAML, in the manner of `yamlencode`."""
    return _written(value, "") if isinstance(value, dict | list) and value else _scalar(value) + "\n"


def _written(value: Any, indent: str) -> str:
    out: list[str] = []
    if isinstance(value, dict):
        for key in sorted(value):
            item = value[key]
            name = json_text(str(key), html=False)
            if isinstance(item, dict) and item:
                out.append(f"{indent}{name}:\n{_written(item, indent + '  ')}")
            elif isinstance(item, list) and item:
                out.append(f"{indent}{name}:\n{_written(item, indent)}")
            else:
                out.append(f"{indent}{name}: {_scalar(item, indent)}\n")
        return "".join(out)
    for item in value:
        if isinstance(item, dict | list) and item:
            out.append(f"{indent}- {_written(item, indent + '  ').lstrip(' ')}")
        else:
            out.append(f"{indent}- {_scalar(item, indent)}\n")
    return "".join(out)


def _scalar(value: Term, indent: str = "") -> str:
    if isinstance(value, str) and "\n" in value and value.strip("\n") and not value.startswith((" ", "\n")):
        body = value.removesuffix("\n")
        mark = (
            "|"
            if value.endswith("\n") and not value.endswith("\n\n")
            else "|-"
            if not value.endswith("\n")
            else "|+"
        )
        if mark == "|+":
            body = value.removesuffix("\n")
        return mark + "".join(f"\n{indent}  {line}" if line else "\n" for line in body.split("\n"))
    return json_text(value, html=False)
