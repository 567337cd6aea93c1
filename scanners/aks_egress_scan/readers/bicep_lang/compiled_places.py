"""Where the parts of a template that the Bicep CLI made stand in the source.

The CLI writes no source map, so its resources are paired with those that our own lowering makes of the same
file: by symbolic name, else by type and name.  Where the file cannot be lowered here, its resources are
found by what their declarations begin with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from aks_egress.records import replace
from aks_egress.values import Step, get
from aks_egress_scan.readers.arm.kinds import DEPLOYMENTS
from aks_egress_scan.readers.base import Source
from aks_egress_scan.readers.bicep_lang.places import Place

_DECLARED: Final = re.compile(
    r"^[ \t]*(?P<what>resource|module)[ \t]+(?P<symbol>\w+)[ \t]+'(?P<said>[^'\n]*)'", re.MULTILINE
)


def paired(compiled: dict[str, Any], lowered: dict[str, Any], place: Place) -> Place:
    """The places of a compiled template, from our own lowering of the same source and its places."""
    if place.lookup is not None:  # the very JSON that both hold
        return place
    own = place.parts.get("resources") or Place(place.path, place.line)
    rows: dict[Step, Place] = {}
    for step, row, key in _pairs(get(compiled, "resources"), lowered["resources"]):
        rows[step] = _resource(row, lowered["resources"][key], own.parts[key])
    return replace(place, parts={**place.parts, "resources": replace(own, parts=rows)})


def _resource(compiled: Any, lowered: dict[str, Any], place: Place) -> Place:
    """The place of one resource; within a module's, those of its template are paired as well."""
    inner, own = (get(get(one, "properties"), "template") for one in (compiled, lowered))
    properties = place.parts.get("properties")
    template = properties.parts.get("template") if properties is not None else None
    if not isinstance(inner, dict) or not isinstance(own, dict) or properties is None or template is None:
        return place
    found = replace(properties, parts={**properties.parts, "template": paired(inner, own, template)})
    return replace(place, parts={**place.parts, "properties": found})


def _pairs(compiled: Any, lowered: dict[str, Any]) -> Iterator[tuple[Step, Any, str]]:
    """Each compiled resource with the key of ours that it is."""
    if isinstance(compiled, dict):
        yield from ((key, row, key) for key, row in compiled.items() if key in lowered)
        return
    rows = compiled if isinstance(compiled, list) else []
    left = dict(lowered)
    for number, row in enumerate(rows):
        alike = [key for key, own in left.items() if _kind(own) == _kind(row)]
        same = [key for key in alike if get(left[key], "name") == get(row, "name")]
        alone = len(alike) == 1 and sum(_kind(one) == _kind(row) for one in rows) == 1
        key = same[0] if same else alike[0] if alone else None
        if key is not None:
            del left[key]
            yield number, row, key


def _kind(resource: Any) -> str:
    return str(get(resource, "type")).casefold()


def outlined(compiled: dict[str, Any], source: Source) -> Place:
    """The places of a compiled template's resources, by how their declarations begin."""
    text = source.data.decode("utf-8-sig", "replace")
    place = Place(source.path, 1)
    resources = place.parts.setdefault("resources", Place(source.path, 1))
    found = [(one, text.count("\n", 0, one.start()) + 1) for one in _DECLARED.finditer(text)]
    declared = get(compiled, "resources")
    rows: list[tuple[Step, Any]] = list(declared.items()) if isinstance(declared, dict) else []
    rows += enumerate(declared) if isinstance(declared, list) else []
    for step, row in rows:
        lines = [line for one, line in found if _declares(one, step, row)]
        if len(lines) == 1:
            resources.parts[step] = Place(source.path, lines[0])
    return place


def _declares(found: re.Match[str], step: Step, resource: Any) -> bool:
    """Whether a declaration may be that of a compiled resource: the symbol says so, else the type."""
    if isinstance(step, str):
        return found["symbol"] == step.rpartition("::")[2]
    if found["what"] == "module":
        return _kind(resource) == DEPLOYMENTS
    return found["said"].partition("@")[0].casefold() == _kind(resource)
