"""The value sections that plans and states share: modules with resources, walked in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NoReturn

from aks_egress.records import record
from aks_egress.values import Step, Value
from aks_egress_scan.readers.base import MalformedError
from aks_egress_scan.readers.json_text import JsonText
from aks_egress_scan.readers.terraform.addresses import ROOT, Key, ModulePath, module_path
from aks_egress_scan.readers.terraform.configuration import Table

_MODES: Final = ("managed", "data")


@record(frozen=True, slots=True)
class Shown:
    """One resource instance as a values section shows it, and where."""

    address: str
    module: ModulePath
    data: bool
    type: str
    name: str
    key: Key
    body: Table
    pointer: tuple[Step, ...]


def refuse(text: JsonText, message: str, pointer: tuple[Step, ...]) -> NoReturn:
    """Raise for what should not stand there."""
    raise MalformedError(message, text.path, text.line_of(pointer))


def object_at(text: JsonText, value: Value, pointer: tuple[Step, ...]) -> Table:
    """The value as an object, absent as an empty one; anything else is refused."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        refuse(text, f"`{_spelled(pointer)}` is not an object", pointer)
    return value


def list_at(text: JsonText, value: Value, pointer: tuple[Step, ...]) -> list[Value]:
    """The value as a list, absent as an empty one; anything else is refused."""
    if value is None:
        return []
    if not isinstance(value, list):
        refuse(text, f"`{_spelled(pointer)}` is not a list", pointer)
    return value


def _spelled(pointer: tuple[Step, ...]) -> str:
    return ".".join(str(step) for step in pointer)


def shown(text: JsonText, root: Value, pointer: tuple[Step, ...]) -> Iterator[Shown]:
    """Every resource instance of a `root_module`, outer modules first."""
    waiting: list[tuple[Value, tuple[Step, ...], ModulePath]] = [(root, pointer, ROOT)]
    for value, here, path in waiting:
        module = object_at(text, value, here)
        for i, row in enumerate(list_at(text, module.get("resources"), (*here, "resources"))):
            yield _shown(text, row, (*here, "resources", i), path)
        for i, child in enumerate(list_at(text, module.get("child_modules"), (*here, "child_modules"))):
            place = (*here, "child_modules", i)
            address = object_at(text, child, place).get("address")
            if not isinstance(address, str):
                refuse(text, f"`{_spelled(place)}` has no address", place)
            waiting.append((child, place, module_path(address)))


def _shown(text: JsonText, row: Value, pointer: tuple[Step, ...], module: ModulePath) -> Shown:
    body = object_at(text, row, pointer)
    kind, name, address = body.get("type"), body.get("name"), body.get("address")
    if not isinstance(kind, str) or not isinstance(name, str) or body.get("mode", "managed") not in _MODES:
        refuse(text, f"`{_spelled(pointer)}` is no resource: it needs a mode, a type and a name", pointer)
    index = body.get("index")
    key = index if isinstance(index, str | int) else None
    data = body.get("mode") == "data"
    if not isinstance(address, str):
        address = spelled_address(module, data, kind, name, key)
    return Shown(address, module, data, kind, name, key, body, pointer)


def spelled_address(module: ModulePath, data: bool, kind: str, name: str, key: Key) -> str:
    """An address put together from its parts."""
    steps = [f"module.{step}{_index(one)}" for step, one in module]
    return ".".join([*steps, *(["data"] if data else []), kind, f"{name}{_index(key)}"])


def _index(key: Key) -> str:
    return "" if key is None else f"[{key}]" if isinstance(key, int) else f'["{key}"]'
