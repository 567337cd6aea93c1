"""Numeric functions.  Integers are 64 bits wide; division and remainder truncate towards zero, as .NET's do.

Microsoft: "Numeric functions for ARM templates".
"""

from __future__ import annotations

import math
from typing import Final

from aks_egress.values import Value
from aks_egress_scan.readers.expressions.signatures import FunctionProblemError, define

_RANGE_LIMIT: Final = 10_000


def whole_number(value: int) -> int:
    """The number, if 64 bits hold it."""
    if -(2**63) <= value < 2**63:
        return value
    raise FunctionProblemError("a number does not fit into 64 bits")


@define("add", "int, int")
def _add(left: int, right: int) -> Value:
    return whole_number(left + right)


@define("sub", "int, int")
def _sub(left: int, right: int) -> Value:
    return whole_number(left - right)


@define("mul", "int, int")
def _mul(left: int, right: int) -> Value:
    return whole_number(left * right)


@define("div", "int, int")
def _div(left: int, right: int) -> Value:
    if right == 0:
        raise FunctionProblemError("`div` divides by zero")
    return whole_number(abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1))


@define("mod", "int, int")
def _mod(left: int, right: int) -> Value:
    if right == 0:
        raise FunctionProblemError("`mod` divides by zero")
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


@define("int", "string|int|number")
def _int(value: str | float) -> Value:
    if not isinstance(value, str):
        return whole_number(int(value))
    digits = value.strip()
    if len(digits) > 20 or not digits.lstrip("+-").isdecimal() or not digits.isascii():
        raise FunctionProblemError("`int` takes text that is a whole number")
    try:
        return whole_number(int(digits))
    except ValueError:
        raise FunctionProblemError("`int` takes text that is a whole number") from None


@define("float", "string|int|number")
def _float(value: str | float) -> Value:
    try:
        found = float(value)
    except (ValueError, OverflowError):
        raise FunctionProblemError("`float` takes text that is a number") from None
    if not math.isfinite(found):
        raise FunctionProblemError("`float` takes text that is a finite number")
    return found


@define("range", "int, int")
def _range(start: int, count: int) -> Value:
    if not 0 <= count <= _RANGE_LIMIT:
        raise FunctionProblemError(f"`range` makes 0 to {_RANGE_LIMIT} numbers, not {count}")
    return list(range(whole_number(start), whole_number(start + count)))


@define("min", "int...")
def _min(*values: int) -> Value:
    return min(values)


@define("max", "int...")
def _max(*values: int) -> Value:
    return max(values)


@define("min", "array", whole=True)
def _min_of(values: list[Value]) -> Value:
    return min(_integers("min", values))


@define("max", "array", whole=True)
def _max_of(values: list[Value]) -> Value:
    return max(_integers("max", values))


def _integers(name: str, values: list[Value]) -> list[int]:
    found = [one for one in values if isinstance(one, int) and not isinstance(one, bool)]
    if not found or len(found) != len(values):
        raise FunctionProblemError(f"`{name}` takes a list of whole numbers that is not empty")
    return found
