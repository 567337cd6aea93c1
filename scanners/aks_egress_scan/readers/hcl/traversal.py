"""Steps into values: `value.name` and `value[key]`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from aks_egress.values import Unknown
from aks_egress_scan.readers.hcl.terms import (
    BagTerm,
    Lazy,
    ProblemError,
    SetTerm,
    Term,
    any_of,
    blurred,
    first_unknown,
    kind_of,
    part,
)
from aks_egress_scan.readers.hcl.types import NUMBER, STRING, convert


def member(value: Term, name: str) -> Term:
    """`value.name`."""
    if isinstance(value, dict):
        if name in value:
            found: Term = value[name]
            return found
        raise ProblemError(f"{kind_of(value)} has no `{name}`")
    if isinstance(value, Unknown):
        return part(value, name)
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], Lazy):
        return value[0].member(name)  # version 0.11 took the one instance of `count = 1` for the whole
    if value is None or isinstance(value, bool | int | Decimal | str | list):
        raise ProblemError(f"{kind_of(value)} has no `{name}`")
    return value.member(name)


def element(value: Term, key: Term) -> Term:
    """`value[key]`."""
    if isinstance(value, Unknown):
        return part(value, key) if isinstance(key, int | str) else blurred(value)
    if isinstance(key, Unknown):
        options = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return any_of(options, key)
    if isinstance(value, SetTerm):
        raise ProblemError("a set has no order, so no element can be picked by its index")
    if isinstance(value, list):
        return _item(value, key)
    if value is None or isinstance(value, bool | int | Decimal | str):
        raise ProblemError(f"{kind_of(value)} has no elements")
    name = convert(key, STRING)
    if not isinstance(name, str):
        raise ProblemError("the key of an element must be text")
    return member(value, name)


def _item(value: list[Any], key: Term) -> Term:
    at = convert(key, NUMBER)
    if not isinstance(at, int) or not 0 <= at < len(value):
        raise ProblemError(f"there is no element [{key}] in {kind_of(value)} of {len(value)}")
    if isinstance(value, BagTerm) and len(value) > 1:
        return any_of(value, first_unknown(value) or _UNORDERED)
    found: Term = value[at]
    return found


_UNORDERED: Final = Unknown("the order of a set's elements is not known")


def _number(key: Term) -> Term:
    from aks_egress_scan.readers.hcl.types import NUMBER

    return convert(key, NUMBER)
