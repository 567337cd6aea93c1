"""What a parameter may be: the type, the allowed values and the bounds that its declaration sets.

Microsoft: "Parameters in ARM templates".  Azure compares allowed values without case; for a list each
item has to be one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aks_egress.values import Unknown, Value

Declared = Callable[[str], Value]
"""A member of the declaration by name."""

_TYPES: Final[dict[str, type]] = {
    "string": str,
    "securestring": str,
    "int": int,
    "bool": bool,
    "array": list,
    "object": dict,
    "secureobject": dict,
}
_SHOWN: Final = 6


def misfit(value: Value, kind: str) -> str:
    """Why a value is not of a declared type (lower case), empty where it is or where nobody can say."""
    wanted = _TYPES.get(kind)
    if wanted is None or value is None or isinstance(value, Unknown):
        return ""
    fits = isinstance(value, wanted) and not (kind == "int" and isinstance(value, bool))
    return "" if fits else f"it is not of the type `{kind}`"


def violation(value: Value, declared: Declared) -> str:
    """Why Azure refuses a value, empty where it does not or where nobody can say."""
    if value is None or isinstance(value, Unknown):
        return ""
    allowed = declared("allowedValues")
    if isinstance(allowed, list) and not _is_allowed(value, allowed):
        return f"it is not one of {_listed(allowed)}"
    if isinstance(value, str | list | dict):
        return _outside(len(value), declared, "Length", "characters" if isinstance(value, str) else "parts")
    if isinstance(value, int) and not isinstance(value, bool):
        return _outside(value, declared, "Value", "")
    return ""


def _is_allowed(value: Value, allowed: list[Value]) -> bool:
    if any(isinstance(one, Unknown) for one in allowed) or _among(value, allowed):
        return True
    return isinstance(value, list) and all(isinstance(one, Unknown) or _among(one, allowed) for one in value)


def _among(value: Value, allowed: list[Value]) -> bool:
    if isinstance(value, str):
        folded = value.casefold()
        return any(isinstance(one, str) and one.casefold() == folded for one in allowed)
    return value in allowed


def _outside(size: int, declared: Declared, what: str, unit: str) -> str:
    """Why a number is out of its bounds `min…` and `max…`."""
    least, most = declared(f"min{what}"), declared(f"max{what}")
    shown = f" {unit}" if unit else ""
    if isinstance(least, int) and size < least:
        return f"it has less than {least}{shown}" if unit else f"it is less than {least}"
    if isinstance(most, int) and size > most:
        return f"it has more than {most}{shown}" if unit else f"it is more than {most}"
    return ""


def _listed(allowed: list[Value]) -> str:
    names = ", ".join(f"`{one}`" for one in allowed[:_SHOWN])
    return names + (", …" if len(allowed) > _SHOWN else "")
