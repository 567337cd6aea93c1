"""Checks a configuration against its JSON Schema, as far as that schema goes.

The schema (`config.schema.json`) uses few words of JSON Schema; a validator of the whole language
would cost more than the rest of the start-up.  A test holds this against the real one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any

from aks_egress.records import record

Path = tuple[str | int, ...]

_TYPES: Mapping[str, tuple[type, str]] = {
    "string": (str, "text in quotes"),
    "integer": (int, "a whole number"),
    "boolean": (bool, "true or false"),
    "array": (list, "a list"),
    "object": (dict, "a table"),
}


@record(frozen=True, slots=True)
class Complaint:
    """What is wrong, and at which key."""

    path: Path
    message: str


def complaints(value: Any, schema: Mapping[str, Any], path: Path = ()) -> Iterator[Complaint]:
    """Everything that is wrong with a value."""
    if isinstance(value, date):
        value = value.isoformat()
    if "type" in schema and not _is(value, schema["type"]):
        yield Complaint(path, f"{_where(path)} must be {_wanted(schema['type'])}, not {_shown(value)}")
        return
    if "enum" in schema and value not in schema["enum"]:
        yield Complaint(path, _not_in(path, value, schema["enum"]))
    if isinstance(value, str):
        yield from _text(value, schema, path)
    elif isinstance(value, int):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            yield Complaint(path, f"{_where(path)} is out of range: `{value}`")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from complaints(item, schema.get("items", {}), (*path, index))
    elif isinstance(value, dict):
        yield from _table(value, schema, path)


def _text(value: str, schema: Mapping[str, Any], path: Path) -> Iterator[Complaint]:
    if len(value) < schema.get("minLength", 0):
        yield Complaint(path, f"{_where(path)} is empty")
    elif "pattern" in schema and not re.search(schema["pattern"], value):
        yield Complaint(
            path,
            f"{_where(path)} is `{value}`: {schema.get('description', 'not of the form that is expected')}",
        )


def _table(value: Mapping[str, Any], schema: Mapping[str, Any], path: Path) -> Iterator[Complaint]:
    known = schema.get("properties", {})
    others = schema.get("additionalProperties", {})
    for key, item in value.items():
        if key in known:
            yield from complaints(item, known[key], (*path, key))
        elif others is False:
            yield Complaint((*path, key), _no_key(key, known, path))
        else:
            names = schema.get("propertyNames", {}).get("pattern")
            if names and not re.search(names, key):
                yield Complaint((*path, key), f"`{key}` is no rule code like `EGR201`")
            yield from complaints(item, others, (*path, key))
    for key in schema.get("required", ()):
        if key not in value:
            yield Complaint(path, f"{_where(path)} has no `{key}`")


#: what a repository must not choose for whoever runs us in it: which subscriptions are asked, and as whom
_OF_WHO_RUNS = {
    "credential",
    "effective",
    "fresh",
    "management-group",
    "quiet",
    "resource-group",
    "subscription",
    "tenant",
    "workers",
}


def _no_key(key: str, known: Mapping[str, Any], path: Path) -> str:
    option = key.casefold().replace("_", "-").removesuffix("s")
    if not path and (own := next((one for one in _OF_WHO_RUNS if one.removesuffix("s") == option), "")):
        variable = f"AKS_EGRESS_{own.replace('-', '_').upper()}"
        return f"`{key}` is said by who runs the command and never by this file: `--{own}`, or `{variable}` in the environment"
    near = get_close_matches(key.casefold().replace("_", "-"), known, 1, 0.6)
    hint = f": did you mean `{near[0]}`?" if near else f": known are {', '.join(sorted(known))}"
    return f"unknown key `{key}`{_in(path)}{hint}"


def _not_in(path: Path, value: Any, allowed: list[Any]) -> str:
    near = get_close_matches(str(value).casefold(), [str(one) for one in allowed], 1)
    hint = f": did you mean `{near[0]}`?" if near else ""
    return f"{_where(path)} is `{value}`, which is none of {', '.join(str(one) for one in allowed)}{hint}"


def _is(value: Any, types: str | list[str]) -> bool:
    wanted = [types] if isinstance(types, str) else types
    if isinstance(value, bool):
        return "boolean" in wanted
    return any(isinstance(value, _TYPES[one][0]) for one in wanted)


def _wanted(types: str | list[str]) -> str:
    return " or ".join(_TYPES[one][1] for one in ([types] if isinstance(types, str) else types))


def _shown(value: Any) -> str:
    for name, (kind, words) in _TYPES.items():
        if isinstance(value, kind) and (name == "boolean" or not isinstance(value, bool)):
            return f"`{value}`" if name in ("integer", "string") else words
    return f"`{value}`"


def _in(path: Path) -> str:
    return f" in {_where(path)}" if path else ""


def _where(path: Path) -> str:
    if not path:
        return "the configuration"
    out = ""
    for step in path:
        out += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if out else step
    return f"`{out}`"
