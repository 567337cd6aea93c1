"""What a picture of live state keeps of a resource: the properties that decide over packets, and no others.

`properties.json` lists them by type.  A text names members that are kept whole where they are plain
values or lists of such; an object leads deeper (its member `""` is such a text, `*` any name).
Descriptions, tags (but for our own), keys, certificates and settings of applications are left out, so no secret gets in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

Json = dict[str, Any]
_LOGIN = re.compile(r"^([a-z][a-z0-9+.-]*://)[^/?#]*@", re.IGNORECASE)
_TOP = ("id", "location", "kind")


@cache
def kept_types() -> Mapping[str, Any]:
    """Resource type, lower case, to what is kept of it."""
    found: Mapping[str, Any] = json.loads(Path(__file__).with_name("properties.json").read_bytes())
    return {kind: _folded(wanted) for kind, wanted in found.items()}


def kept(resource: Mapping[str, Any], kind: str) -> Json:
    """The resource with what is kept of its type, lower case; raises KeyError for a type of which nothing is."""
    wanted = kept_types()[kind]
    out = {name: resource[name] for name in _TOP if isinstance(resource.get(name), str)}
    for member, deeper in wanted.items():
        found = _part(resource.get(member), deeper)
        if found not in (None, {}):
            out[member] = found
    accepted = _accepted(resource.get("tags"))
    if accepted:
        out["tags"] = {**out.get("tags", {}), **accepted}
    out.setdefault("properties", {})
    return out


def _accepted(tags: Any) -> dict[str, str]:
    """The tag `aks-egress`, with which somebody accepts findings on a resource; no other tag is anybody's business."""
    found = tags if isinstance(tags, Mapping) else {}
    return {
        name: value
        for name, value in found.items()
        if name.casefold() == "aks-egress" and isinstance(value, str)
    }


def _folded(wanted: Any) -> Any:
    """Names without case, texts as sets."""
    if isinstance(wanted, str):
        return frozenset(name.casefold() for name in wanted.split())
    out = {name.casefold(): _folded(deeper) for name, deeper in wanted.items()}
    out.setdefault("", frozenset())
    return out


def _part(value: Any, wanted: Any) -> Any:
    """The part of a value that is kept."""
    if isinstance(value, list):
        return [_part(item, wanted) for item in value]
    if not isinstance(value, Mapping):
        return _plain(value)
    names = wanted if isinstance(wanted, frozenset) else wanted[""]
    out = {}
    for name, item in value.items():
        folded = name.casefold()
        deeper = _deeper(wanted, folded, item)
        found = _plain(item) if folded in names else _part(item, deeper) if deeper is not None else None
        if found is not None:
            out[name] = found
    return out


def _deeper(wanted: Any, name: str, item: Any) -> Any:
    """What is kept of a member that leads deeper; of one with any name only where it is an object, None else."""
    if not isinstance(wanted, dict) or not name:
        return None
    return wanted.get(name, wanted.get("*") if isinstance(item, Mapping | list) else None)


def _plain(value: Any) -> Any:
    """A plain value, or a list of such; no login in an address."""
    if isinstance(value, str):
        return _LOGIN.sub(r"\1", value)
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, list):
        return [_plain(item) for item in value if not isinstance(item, Mapping)]
    return None
