"""What the path of a module leads to: a file, the compiled form in the module cache of this machine, or nothing at hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aks_egress.records import record
from aks_egress.values import Origin, Step
from aks_egress_scan.readers.base import MalformedError, Source
from aks_egress_scan.readers.bicep_lang import syntax
from aks_egress_scan.readers.bicep_lang.places import Place
from aks_egress_scan.readers.bicep_lang.units import Deployed, Unit
from aks_egress_scan.readers.json_text import JsonText, load

if TYPE_CHECKING:
    from aks_egress_scan.readers.bicep_lang.template import Template

_REMOTE = ("br:", "br/", "ts:", "ts/")
_PUBLIC = "mcr.microsoft.com/bicep"
_MOST_FOLDERS = 16


@record(frozen=True, slots=True)
class ModuleFile:
    """A module's template, and where its parts stand."""

    template: dict[str, Any]
    place: Place


def find(template: Template, deployed: Deployed) -> ModuleFile | dict[str, Any]:
    """The module's template, or the link that names what is not at hand."""
    statement, unit = deployed.declaration, template.unit
    path = statement.path.literal if isinstance(statement, syntax.Module) else None
    if path is None:
        unit.fail("the path of a module is plain text", statement.at)
    if path.startswith(_REMOTE):
        return _remote(unit, path)
    source = unit.source.sibling(path)
    if source is None:
        return {"relativePath": path}
    if source.path.casefold().endswith((".json", ".jsonc", ".arm")):
        return _compiled(source)
    found = template.files.unit(source)
    if found is template.unit:
        unit.fail("a module contains itself", statement.at)
    lowered, place = template.modules.lowered(found, unit, statement.at)
    return ModuleFile(lowered, place)


def _compiled(source: Source) -> ModuleFile:
    text = load(source, comments=True)
    if not isinstance(text.value, dict):
        raise MalformedError("the module is not a template", source.path, 1)
    return ModuleFile(text.value, _json_place(text, source.path))


def _json_place(text: JsonText, path: str) -> Place:
    def origin(pointer: tuple[Step, ...]) -> Origin:
        return Origin(path, text.line_of(pointer))

    return Place(path, 1, lookup=origin)


def _remote(unit: Unit, path: str) -> ModuleFile | dict[str, Any]:
    """A module in a registry (`br:`) or a template spec (`ts:`): its cached form, else the link that names it."""
    link = {"id": path} if path.startswith("ts") else {"uri": path}
    if path.startswith("ts"):
        return link
    full = _resolved(unit, path)
    place = _cached(full) if full is not None else None
    if place is None:
        return link
    try:
        return _compiled(Source(f"br:{full}", place.read_bytes()))
    except OSError:
        return link


def _resolved(unit: Unit, path: str) -> str | None:
    """`registry/repository:tag`, with an alias followed through `bicepconfig.json`."""
    if path.startswith("br:"):
        return path[3:]
    alias, _, rest = path[3:].partition(":")
    known = _alias(unit, alias)
    return None if known is None else f"{known}/{rest}"


def _alias(unit: Unit, alias: str) -> str | None:
    folder = ""
    for _ in range(_MOST_FOLDERS):
        source = unit.source.sibling(f"{folder}bicepconfig.json")
        if source is not None:
            found = _alias_in(source, alias)
            return found if found is not None or alias != "public" else _PUBLIC
        folder += "../"
    return _PUBLIC if alias == "public" else None


def _alias_in(source: Source, alias: str) -> str | None:
    here: Any = load(source, comments=True).value
    for step in ("moduleAliases", "br", alias):
        here = here.get(step) if isinstance(here, dict) else None
    if not isinstance(here, dict) or not isinstance(here.get("registry"), str):
        return None
    inside = here.get("modulePath")
    return f"{here['registry']}/{inside}" if isinstance(inside, str) and inside else str(here["registry"])


def _cached(full: str) -> Path | None:
    """The compiled form in the cache that `bicep restore` fills."""
    registry, _, rest = full.partition("/")
    repository, _, tag = rest.rpartition(":")
    if not repository or not tag or ".." in full or not _is_tame(full):
        return None
    root = os.environ.get("BICEP_CACHE_DIRECTORY") or str(Path("~/.bicep").expanduser())
    place = (
        Path(root)
        / "br"
        / registry.replace(":", "$")
        / repository.replace("/", "$")
        / f"{tag}$"
        / "main.json"
    )
    return place if place.is_file() else None


def _is_tame(text: str) -> bool:
    return all(char.isalnum() or char in "._-/:" for char in text)
