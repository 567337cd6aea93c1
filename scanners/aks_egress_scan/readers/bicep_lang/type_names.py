"""Bicep types as the types of template parameters."""

from __future__ import annotations

from collections.abc import Callable

from aks_egress_scan.readers.bicep_lang.syntax import Type
from aks_egress_scan.readers.bicep_lang.units import Unit

_PLAIN = {
    "string": "string",
    "int": "int",
    "bool": "bool",
    "object": "object",
    "array": "array",
    "securestring": "secureString",
    "secureobject": "secureObject",
}
_DEPTH = 24
_MOST = 2_000
"""How many types may stand for one."""

Follow = Callable[[Unit, str], tuple[Unit, Type] | None]
"""The type that a name stands for, in which file; None for one that is not at hand."""


def parameter_type(kind: Type, unit: Unit, follow: Follow) -> tuple[str | None, bool]:
    """The template's type (None where it cannot be told) and whether the value may be null."""
    left = _MOST

    def counted(where: Unit, name: str) -> tuple[Unit, Type] | None:
        nonlocal left
        left -= 1
        return follow(where, name) if left > 0 else None

    return _settled(kind, unit, counted, 0)


def literal_values(kind: Type, unit: Unit, follow: Follow) -> list[str | int | bool] | None:
    """The values that a union of literals allows, None for any other type."""
    for _ in range(_DEPTH):
        found = follow(unit, kind.text) if kind.form == "name" else None
        if found is not None:
            unit, kind = found
        elif kind.form in ("nullable", "sure"):
            kind = kind.parts[0]
        else:
            break
    if kind.form != "union":
        return None
    parts = [one for one in kind.parts if not (one.form == "literal" and one.value is None)]
    values = [one.value for one in parts if one.form == "literal" and one.value is not None]
    return values if len(values) == len(parts) else None


def _settled(kind: Type, unit: Unit, follow: Follow, depth: int) -> tuple[str | None, bool]:
    if depth > _DEPTH:
        return None, False
    match kind.form:
        case "name":
            return _named(kind, unit, follow, depth)
        case "literal":
            return _literal(kind.value)
        case "object":
            return "object", False
        case "tuple" | "array":
            return "array", False
        case "nullable":
            return _settled(kind.parts[0], unit, follow, depth + 1)[0], True
        case "sure":
            return _settled(kind.parts[0], unit, follow, depth + 1)[0], False
        case "union":
            return _union(kind, unit, follow, depth)
        case "negative":
            return "int", False
    return None, False


def _named(kind: Type, unit: Unit, follow: Follow, depth: int) -> tuple[str | None, bool]:
    found = follow(unit, kind.text)
    if found is not None:
        return _settled(found[1], found[0], follow, depth + 1)
    return _PLAIN.get(kind.text.removeprefix("sys.").casefold()), False


def _literal(value: str | int | bool | None) -> tuple[str | None, bool]:
    match value:
        case bool():
            return "bool", False
        case int():
            return "int", False
        case str():
            return "string", False
    return None, True


def _union(kind: Type, unit: Unit, follow: Follow, depth: int) -> tuple[str | None, bool]:
    found = [_settled(part, unit, follow, depth + 1) for part in kind.parts]
    nullable = any(null for _, null in found)
    names = {name for name, _ in found if name is not None}
    unclear = any(name is None and not null for name, null in found)
    return (names.pop() if len(names) == 1 and not unclear else None), nullable
