"""The reader of Bicep: source files with their modules and parameters files, without any compiler.

A file is parsed by the grammar of the language, lowered to the template that its compiler would emit,
and evaluated by the evaluator of templates; every part keeps the line of the `.bicep` file it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from aks_egress.arm.resources import Document, Kind, Notice
from aks_egress.records import replace
from aks_egress.values import Origin
from aks_egress_scan.readers import arm_template
from aks_egress_scan.readers.arm.deployment import expand
from aks_egress_scan.readers.arm.parameters import options
from aks_egress_scan.readers.arm.world import File, Pointer
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.bicep_lang.nodes import TooLongError
from aks_egress_scan.readers.bicep_lang.parameter_files import ENDING, given, is_for, used_path, using
from aks_egress_scan.readers.bicep_lang.places import Place
from aks_egress_scan.readers.bicep_lang.template import Template
from aks_egress_scan.readers.bicep_lang.units import Files


class BicepReader:
    """Reads `main.bicep` and its like; a parameters file reads the template that it is for."""

    def claims(self, source: Source) -> bool:
        """Whether the name says that it is Bicep."""
        return source.path.casefold().endswith((".bicep", ENDING))

    def read(self, source: Source, parameters: Parameters) -> list[Document]:
        """One document: the file with the parameters given, or with the parameters file beside it."""
        try:
            return _read(source, parameters)
        except RecursionError:
            raise MalformedError("the file is nested too deeply to be read", source.path) from None
        except TooLongError:
            raise MalformedError("an expression of the file grows beyond all measure", source.path) from None


READER: Final = BicepReader()


def _read(source: Source, parameters: Parameters) -> list[Document]:
    if source.path.casefold().endswith(ENDING):
        target = using(source)
        if target is None:
            raise MalformedError(
                f"the template `{used_path(source)}` that this file is for is not at hand", source.path, 1
            )
        more = replace(parameters, files=(*parameters.files, source))
        if target.path.casefold().endswith(".bicep"):
            return _read(target, more)
        if arm_template.READER.claims(target):
            return arm_template.READER.read(target, more)
        said = f"`{target.path}`, which this file is for, is neither Bicep nor a template in JSON"
        raise MalformedError(said, source.path, 1)
    own, notices = _with_own_parameters(source, parameters)
    lowered, place = _template(source, parameters.bicep_cli)
    documents = expand(
        lowered,
        file=File(source.path, _place(place), lambda _: None, place.quote),
        parameters=given(source, own, lowered),
        options=options(own),
        kind=Kind.BICEP,
        locate=_locate(place),
    )
    return [replace(one, notices=(*one.notices, *notices)) for one in documents]


def _template(source: Source, cli: str) -> tuple[dict[str, Any], Place]:
    """The template of a source and its places: of our own making, or with `cli` of that compiler's."""
    if not cli:
        return _lowered(source)
    from aks_egress_scan.readers.bicep_lang import compiled_places, compiler

    compiled = compiler.compiled(cli, source)
    try:
        own, place = _lowered(source)
    except MalformedError:
        return compiled, compiled_places.outlined(compiled, source)
    return compiled, compiled_places.paired(compiled, own, place)


def _lowered(source: Source) -> tuple[dict[str, Any], Place]:
    files = Files()
    template = Template(files.unit(source), files)
    return template.lowered(), template.place


def _place(root: Place) -> Callable[[Pointer], Origin]:
    """Places that keep their pointer: the line is looked up when somebody asks, for the very part."""

    def place(pointer: Pointer) -> Origin:
        return Origin(root.origin(pointer).path, None, pointer)

    return place


def _locate(root: Place) -> Callable[[Origin], int | None]:
    """Lines of origins in this document; an origin of another one is nowhere here."""

    def locate(origin: Origin) -> int | None:
        found = root.origin(origin.pointer)
        return origin.line or (found.line if found.path == origin.path else None)

    return locate


def _with_own_parameters(source: Source, parameters: Parameters) -> tuple[Parameters, tuple[Notice, ...]]:
    """Where no file was given, the parameters file of the same name beside the source is taken."""
    if parameters.files:
        return parameters, ()
    name = re.sub(r"\.bicep$", "", source.path.replace("\\", "/").rpartition("/")[2], flags=re.IGNORECASE)
    for ending in (ENDING, ".parameters.json"):
        beside = source.sibling(name + ending)
        if beside is None or (ending == ENDING and not is_for(beside, source)):
            continue
        said = f"the parameters come from `{beside.path}`, which stands beside the source"
        return replace(parameters, files=(beside,)), (
            Notice("parameters-beside", said, Origin(beside.path, 1)),
        )
    return parameters, ()
