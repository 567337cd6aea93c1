"""The Terraform source beside a plan: where what the plan shows is written.

`terraform show -json` prints one line, so a place in it helps nobody.  The source is read only when a finding
asks for a place, and only where its parser is installed; what cannot be found there stays a place in the plan.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final

from aks_egress.arm.resources import Document
from aks_egress.values import Origin, Step, Value
from aks_egress_scan.plan_and_source import is_plan_of, modules_beside
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.json_text import JsonText

if TYPE_CHECKING:
    from aks_egress_scan.readers.hcl.attributes import Attributes

_LISTS: Final = ("resources", "resource_changes")
_SUFFIX: Final = ".tf"


class SourceBeside:
    """Finds parts of a plan in the root module that it was made from."""

    def __init__(self, text: JsonText, plan: Source, document: Document) -> None:
        self._text, self._plan, self._document = text, plan, document

    def place(self, origin: Origin) -> Origin | None:
        """Where the part of the plan at an origin is written; None where nobody can say."""
        if origin.path != self._text.path or not origin.pointer:
            return None
        address, path = _resource(self._text.value, origin.pointer)
        attributes = self._attributes.get(address)
        if attributes is None:
            return None
        file, line = _written(attributes, self._at(origin.pointer, path), path)
        return Origin(file, line)

    def _at(self, pointer: tuple[Step, ...], path: tuple[Step, ...]) -> Value:
        """The values that a path leads into."""
        return _value(self._text.value, pointer[: len(pointer) - len(path)])

    @cached_property
    def _attributes(self) -> Mapping[str, Attributes]:
        from aks_egress_scan.readers.terraform_source import attributes_of

        values = self._text.value.get("variables") if isinstance(self._text.value, dict) else None
        given = Parameters(values=tuple(_given(values)))
        for source in self._modules():
            try:
                return attributes_of(source, given)
            except MalformedError:  # the plan was made from something else, or there is no parser
                return {}
        return {}

    def _modules(self) -> Iterator[Source]:
        """The first file of each root module that the plan may be of."""
        for folder in modules_beside("plan.json"):
            names = self._plan.listing(folder) or []
            files = [self._plan.sibling(f"{folder}{name}") for name in names if name.endswith(_SUFFIX)]
            found = [one for one in files if one is not None]
            if found and is_plan_of([self._document], (one.data for one in found)):
                yield found[0]


def _given(variables: Value) -> Iterator[tuple[str, str]]:
    for name, body in variables.items() if isinstance(variables, dict) else ():
        if isinstance(body, dict) and "value" in body:
            value = body["value"]
            yield name, value if isinstance(value, str) else json.dumps(value)


def _resource(value: Value, pointer: tuple[Step, ...]) -> tuple[str, tuple[Step, ...]]:
    """The address of the resource that a place lies in, and the path from its values on."""
    address, rest = "", pointer
    for i, step in enumerate(pointer):
        value = _value(value, (step,))
        if i and pointer[i - 1] in _LISTS and isinstance(value, dict):
            address, rest = str(value.get("address")), pointer[i + 1 :]
    return address, rest[1:] if rest[:1] == ("values",) else ()


def _value(value: Value, path: tuple[Step, ...]) -> Value:
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def _written(attributes: Attributes, planned: Value, path: tuple[Step, ...]) -> tuple[str, int]:
    """File and line of the part of a resource at a path, or of the nearest part around it."""
    block = attributes.instance.of.block
    found = (block.path, block.line)
    here: tuple[Step, ...] = ()
    source = attributes.get(str(path[0])) if path else None
    for depth, step in enumerate(path):
        planned = _value(planned, (step,))
        own = _row(source, planned, step) if isinstance(step, int) else step
        if own is None:
            break
        source = source if depth == 0 else _value(source, (own,))
        here = (*here, own)
        found = attributes.lines.get(here, found)
    return found


def _row(source: Value, planned: Value, index: int) -> int | None:
    """The row that a planned block is in the source: the one of its name, for a plan sorts what is a set."""
    name = _value(planned, ("name",))
    rows = source if isinstance(source, list) else []
    if name is None:
        return index if index < len(rows) and len(rows) == 1 else None
    return next((i for i, row in enumerate(rows) if _value(row, ("name",)) == name), None)
