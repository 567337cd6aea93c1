"""The reader of ARM templates in JSON, with their parameter files and the templates they link beside them."""

from __future__ import annotations

import re
from typing import Final

from aks_egress.arm.resources import Document, Kind, Notice
from aks_egress.records import replace
from aks_egress.values import Origin, Value, get
from aks_egress_scan.readers.arm.deployment import expand
from aks_egress_scan.readers.arm.parameters import given_values, is_parameter_file, options
from aks_egress_scan.readers.arm.world import File, Linked
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.json_text import JsonText, load

_HEAD: Final = 1 << 16
_SCHEMA: Final = re.compile(rb"deployment(?:template|parameters)\.json", re.IGNORECASE)
_SCAN: Final = re.compile(rb'"((?:[^"\\]|\\.)*+)"\s*+(:?)\s*+|//[^\n]*+|/\*.*?\*/|[{}\[\]]', re.DOTALL)


class ArmTemplateReader:
    """Reads `azuredeploy.json` and its like."""

    def claims(self, source: Source) -> bool:
        """Whether the JSON says by its `$schema` that it is a template or a parameter file."""
        head = source.data[:_HEAD].removeprefix(b"\xef\xbb\xbf")
        if b"\x00" in head[:4] or head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            head = head.decode("utf-16", "ignore").encode()
        return bool(_SCHEMA.search(_own_schema(head)))

    def read(self, source: Source, parameters: Parameters) -> list[Document]:
        """One document: the template with the parameters given, or with the parameter file beside it."""
        text = load(source, comments=True)
        if not isinstance(text.value, dict):
            raise MalformedError("a template is an object", source.path, 1)
        if is_parameter_file(text.value):
            return _parameter_file(source)
        own, notice = _with_own_parameters(source, parameters)
        files = _Files(source, text)
        documents = expand(
            text.value,
            file=files.root,
            parameters=_given(source, own, text.value),
            options=options(own),
            locate=files.locate,
        )
        return [replace(one, notices=(*one.notices, *notice)) for one in documents]


READER: Final = ArmTemplateReader()


def _own_schema(head: bytes) -> bytes:
    """The value of `$schema` of the outermost object, as far as it can be seen."""
    depth = 0
    wanted = False
    for found in _SCAN.finditer(head):
        mark = found[0][:1]
        if mark in b"{[":
            depth += 1
        elif mark in b"}]":
            depth -= 1
        elif mark == b'"':
            if wanted:
                return found[1]
            wanted = depth == 1 and bool(found[2]) and found[1].lower() == b"$schema"
    return b""


def _parameter_file(source: Source) -> list[Document]:
    said = "this holds parameters, no template: name the template and give this file with `--param`"
    return [
        Document(
            source.path, Kind.ARM_TEMPLATE, (), (Notice("parameter-file", said, Origin(source.path, 1)),)
        )
    ]


def _given(source: Source, parameters: Parameters, template: dict[str, Value]) -> dict[str, Value]:
    """Parameter values of files, those in Bicep's form too, and of the command line."""
    if not any(file.path.casefold().endswith(".bicepparam") for file in parameters.files):
        return given_values(parameters, template)
    from aks_egress_scan.readers.bicep_lang.parameter_files import given

    try:
        return given(source, parameters, template)
    except RecursionError:
        raise MalformedError("a parameters file is nested too deeply to be read", source.path) from None


def _with_own_parameters(source: Source, parameters: Parameters) -> tuple[Parameters, tuple[Notice, ...]]:
    """Where no file was given, the parameter file of the same name beside the template is taken."""
    if parameters.files:
        return parameters, ()
    name = source.path.replace("\\", "/").rpartition("/")[2]
    beside = source.sibling(re.sub(r"\.jsonc?$", "", name, flags=re.IGNORECASE) + ".parameters.json")
    if beside is None:
        return parameters, ()
    said = f"the parameters come from `{beside.path}`, which stands beside the template"
    return replace(parameters, files=(beside,)), (Notice("parameters-beside", said, Origin(beside.path, 1)),)


class _Files:
    """The files of one deployment: the root, and those it links."""

    def __init__(self, source: Source, text: JsonText) -> None:
        self.texts = {source.path: text}
        self.root = self._file(source)

    def locate(self, origin: Origin) -> int | None:
        """The line of an origin in any of the files."""
        text = self.texts.get(origin.path)
        return origin.line or (text.line_of(origin.pointer) if text else None)

    def _file(self, source: Source) -> File:
        def sibling(name: str) -> Linked | None:
            found = source.sibling(name)
            if found is None:
                return None
            value = self._value(found)
            return Linked(value, self._file(found)) if isinstance(value, dict) else None

        return File(source.path, lambda pointer: Origin(source.path, None, pointer), sibling)

    def _value(self, source: Source) -> Value:
        if source.path not in self.texts:
            self.texts[source.path] = load(source, comments=True)
        value = self.texts[source.path].value
        return value if get(value, "resources") is not None else None
