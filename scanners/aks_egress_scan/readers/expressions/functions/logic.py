"""Logical functions and comparisons.  `if`, `and`, `or` and `coalesce` read their arguments one by one and
stand with the evaluator.

Microsoft: "Logical functions" and "Comparison functions for ARM templates".
"""

from __future__ import annotations

from aks_egress.values import Unknown, Value
from aks_egress_scan.readers.expressions.signatures import FunctionProblemError, define
from aks_egress_scan.readers.expressions.unsettled import OpenText, spelled, unsettled


@define("true", "")
def _true() -> Value:
    return True


@define("false", "")
def _false() -> Value:
    return False


@define("null", "")
def _null() -> Value:
    return None


@define("not", "bool")
def _not(value: bool) -> Value:
    return not value


@define("bool", "string|int|bool")
def _bool(value: str | int | bool) -> Value:
    if not isinstance(value, str):
        return bool(value)
    word = value.strip().casefold()
    if word == "true":
        return True
    if word == "false":
        return False
    raise FunctionProblemError("`bool` takes `true`, `false` or a number")


@define("equals", "any, any", partial=True, costly=True)
def _equals(left: Value, right: Value) -> Value:
    answer = compared(left, right)
    return unsettled("equals", (left, right)) if answer is None else answer


def compared(left: Value, right: Value) -> bool | None:
    """Whether two values are equal (text with its case); None where that depends on something open."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return None
    if isinstance(left, OpenText) or isinstance(right, OpenText):
        if spelled(left) == spelled(right):
            return True
        return None if isinstance(left, str) and isinstance(right, str) and left and right else False
    if isinstance(left, dict) and isinstance(right, dict):
        return _objects(left, right)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and _all(compared(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return left == right


def _objects(left: dict[str, Value], right: dict[str, Value]) -> bool | None:
    mine = {key.casefold(): value for key, value in left.items()}
    theirs = {key.casefold(): value for key, value in right.items()}
    return mine.keys() == theirs.keys() and _all(compared(value, theirs[key]) for key, value in mine.items())


def _all(answers: object) -> bool | None:
    found = list(answers)  # type: ignore[call-overload]
    if any(one is False for one in found):
        return False
    return None if any(one is None for one in found) else True


def _ordered(name: str, left: Value, right: Value) -> int:
    if isinstance(left, str) is not isinstance(right, str):
        raise FunctionProblemError(f"`{name}` compares two numbers or two texts")
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    return (left > right) - (left < right)  # type: ignore[operator]


@define("less", "number, number", "string, string")
def _less(left: Value, right: Value) -> Value:
    return _ordered("less", left, right) < 0


@define("lessOrEquals", "number, number", "string, string")
def _less_or_equals(left: Value, right: Value) -> Value:
    return _ordered("lessOrEquals", left, right) <= 0


@define("greater", "number, number", "string, string")
def _greater(left: Value, right: Value) -> Value:
    return _ordered("greater", left, right) > 0


@define("greaterOrEquals", "number, number", "string, string")
def _greater_or_equals(left: Value, right: Value) -> Value:
    return _ordered("greaterOrEquals", left, right) >= 0
