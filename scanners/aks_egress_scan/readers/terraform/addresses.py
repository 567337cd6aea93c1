"""Terraform addresses and references, taken apart: `module.net["a"].azurerm_subnet.aks[0].id`."""

from __future__ import annotations

import json
import re
from typing import Final

from aks_egress.records import record
from aks_egress.values import Step

Key = str | int | None
"""An instance key: of `for_each`, of `count`, or none."""

ModulePath = tuple[tuple[str, Key], ...]
"""A module instance: the calls that lead to it, outermost first, with their keys."""

ROOT: Final[ModulePath] = ()


@record(frozen=True, slots=True)
class Index:
    """A constant in brackets."""

    key: str | int


Part = str | Index

_PART: Final = re.compile(r'\.?([^\s.\[\]"]+)|\[("(?:[^"\\]++|\\.)*+"|\d+)\]|\[[^\]]*\]')


def parts(text: str) -> tuple[Part, ...]:
    """The names and constant indexes of an address or a reference; other indexes are left out."""
    found: list[Part] = []
    for match in _PART.finditer(text):
        if match[1] is not None:
            found.append(match[1])
        elif match[2] is not None:
            found.append(Index(_key(match[2])))
    return tuple(found)


def _key(index: str) -> str | int:
    if index.isdecimal():
        return int(index) if len(index) < 10 else index
    try:
        return str(json.loads(index))
    except ValueError:
        return index[1:-1]


def as_path(rest: tuple[Part, ...]) -> tuple[Step, ...]:
    """What follows a resource in a reference, as a path into its attributes."""
    return tuple(one.key if isinstance(one, Index) else one for one in rest)


def take_key(rest: tuple[Part, ...]) -> tuple[Key, tuple[Part, ...]]:
    """A leading index, and what is left."""
    if rest and isinstance(rest[0], Index):
        return rest[0].key, rest[1:]
    return None, rest


def take_module(rest: tuple[Part, ...]) -> tuple[ModulePath, tuple[Part, ...]]:
    """Leading `module.name[key]` parts as a path, and what is left."""
    path: list[tuple[str, Key]] = []
    while len(rest) > 1 and rest[0] == "module" and isinstance(rest[1], str):
        name = rest[1]
        key, rest = take_key(rest[2:])
        path.append((name, key))
    return tuple(path), rest


def module_path(address: str) -> ModulePath:
    """The module instance that a module's address, or that of a resource in it, names."""
    return take_module(parts(address))[0]
