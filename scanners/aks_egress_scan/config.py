"""The configuration: `aks-egress.toml`, or `[tool.aks-egress]` in pyproject.toml.

Paths in it are relative to the file.  Every key that is wrong is an error with its line; the shape
is `config.schema.json`, which editors understand too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from aks_egress.records import field, record
from aks_egress.settings import Settings
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.files import MIB, reason

OWN_FILE = "aks-egress.toml"
SHARED_FILE = "pyproject.toml"
MAX_SIZE = 4 * MIB

#: keys of the configuration that are options under another name
_OPTION = {"clusters": "cluster", "features": "feature", "params": "param"}
_PATHS = ("service-tags", "baseline", "output")


@record(frozen=True, slots=True)
class Configuration:
    """What the file says: options by name, and what no option can say."""

    path: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)


def read(named: str = "") -> Configuration:
    """The configuration in the named file, else in the working directory, else an empty one.

    Raises UsageFailure where the named file is missing, no TOML, or has a wrong key.
    """
    if named:
        table, text = _table(named, must_exist=True)
        return _checked(named, table or {}, text)
    for path in (OWN_FILE, SHARED_FILE):
        if os.path.isfile(path):
            table, text = _table(path)
            if table is not None:
                return _checked(path, table, text)
    return Configuration()


def _table(path: str, *, must_exist: bool = False) -> tuple[dict[str, Any] | None, str]:
    """Our table of a file and its text; None where a pyproject.toml has none."""
    try:
        with open(path, "rb") as stream:
            data = stream.read(MAX_SIZE + 1)
    except OSError as error:
        raise UsageFailure(f"cannot read the configuration `{path}`: {reason(error)}") from None
    if len(data) > MAX_SIZE:
        raise UsageFailure(f"{path}: the configuration is larger than {MAX_SIZE // MIB} MiB")
    shared = os.path.basename(path) == SHARED_FILE
    if shared and not must_exist and not _may_hold_ours(data):
        return None, ""
    whole, text = _parsed(path, data)
    if not shared:
        return whole, text
    tool = whole.get("tool")
    found = tool.get("aks-egress") if isinstance(tool, dict) else None
    if found is not None and not isinstance(found, dict):
        raise UsageFailure(f"{path}: `tool.aks-egress` is no table")
    return found, text


def _may_hold_ours(data: bytes) -> bool:
    """Whether a pyproject.toml can have our table, told without parsing it."""
    return any(
        sign in data
        for sign in (
            b"tool.aks-egress",
            b'tool."aks-egress',
            b"tool.'aks-egress",
            b"[tool]",
            b"tool ",
            b"tool=",
        )
    )


def _parsed(path: str, data: bytes) -> tuple[dict[str, Any], str]:
    import tomllib

    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
        return tomllib.loads(text), text
    except UnicodeDecodeError:
        raise UsageFailure(f"{path}: the configuration is not UTF-8 text") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        said = str(error) or "nested too deeply"
        raise UsageFailure(f"{path}: the configuration is not TOML: {said[:1].lower()}{said[1:]}") from None


def _checked(path: str, table: dict[str, Any], text: str) -> Configuration:
    import json

    from aks_egress_scan.config_check import complaints
    from aks_egress_scan.declared import Places, settings_from

    with open(os.path.join(os.path.dirname(__file__), "config.schema.json"), "rb") as stream:
        schema = json.load(stream)
    prefix = ("tool", "aks-egress") if os.path.basename(path) == SHARED_FILE else ()
    places = Places(path, text, prefix)
    wrong = [places.said(one.path, one.message) for one in complaints(table, schema)]
    if wrong:
        raise UsageFailure("\n".join(wrong))
    settings = settings_from(table, places)
    return Configuration(path, _options(table, os.path.dirname(path)), settings)


def _options(table: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """The keys that are options, their paths seen from the working directory."""
    options: dict[str, Any] = {_OPTION.get(key, key): value for key, value in table.items()}
    for key in _PATHS:
        if key in options:
            options[key] = _from(folder, options[key])
    for key in ("inputs", "context"):
        options[key] = [_from(folder, one) for one in options.get(key, ())]
    options["param"] = [
        one if "=" in one and not os.path.exists(_from(folder, one)) else _from(folder, one)
        for one in options.get("param", ())
    ]
    return options


def _from(folder: str, path: str) -> str:
    return path if path == "-" else os.path.normpath(os.path.join(folder, path))
