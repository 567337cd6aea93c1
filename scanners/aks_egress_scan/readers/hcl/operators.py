"""The operators of Terraform's language, unknowns kept."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal, localcontext
from typing import Final

from aks_egress.values import Unknown
from aks_egress_scan.readers.hcl.terms import ProblemError, Term, blurred, first_unknown, kind_of, same, whole
from aks_egress_scan.readers.hcl.types import ANY, BOOL, NUMBER, convert, type_of

PRECISION: Final = Context(prec=155)
"""Terraform computes with 512 bits, which are some 154 digits."""


def unary(operator: str, value: Term) -> Term:
    """`-value` or `!value`."""
    if isinstance(value, Unknown):
        return blurred(value)
    if operator == "!":
        return not _boolean(value)
    number = _number(value)
    return -number


def binary(operator: str, left: Term, right: Term) -> Term:
    """`left operator right`, logic excepted where one side decides."""
    if operator in ("&&", "||"):
        return _logic(operator, left, right)
    if operator in ("==", "!="):
        equal = equals(left, right)
        return equal if isinstance(equal, Unknown) else equal is (operator == "==")
    unknown = first_unknown(left) or first_unknown(right)
    if unknown is not None:
        return blurred(unknown)
    a, b = _number(left), _number(right)
    if operator in _COMPARE:
        return _COMPARE[operator](a, b)
    return _arithmetic(operator, a, b)


def _logic(operator: str, left: Term, right: Term) -> Term:
    deciding = operator == "||"
    for side in (left, right):
        if not isinstance(side, Unknown) and _boolean(side) is deciding:
            return deciding
    for side in (left, right):
        if isinstance(side, Unknown):
            return blurred(side)
    return not deciding


def _boolean(value: Term) -> bool:
    if value is None:
        raise ProblemError("null stands where a Boolean is expected")
    found = convert(value, BOOL)
    if not isinstance(found, bool):
        raise ProblemError(f"{kind_of(value)} stands where a Boolean is expected")
    return found


def _number(value: Term) -> int | Decimal:
    found = convert(value, NUMBER)
    if isinstance(found, bool) or not isinstance(found, int | Decimal):
        raise ProblemError(f"{kind_of(value)} stands where a number is expected")
    return found


_COMPARE: Final[dict[str, Callable[[int | Decimal, int | Decimal], bool]]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _arithmetic(operator: str, a: int | Decimal, b: int | Decimal) -> int | Decimal:
    if operator in ("/", "%") and b == 0:
        raise ProblemError("division by zero")
    if isinstance(a, int) and isinstance(b, int):
        if max(abs(a), abs(b)) > 10**600:
            raise ProblemError("a number grows beyond all range")
        if operator != "/" or a % b == 0:
            return _WHOLE[operator](a, b)
    with localcontext(PRECISION):
        return whole(_FRACTIONS[operator](Decimal(a), Decimal(b)))


_WHOLE: Final[dict[str, Callable[[int, int], int]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a // b,
    "%": lambda a, b: abs(a) % abs(b) * (1 if a >= 0 else -1),
}
_FRACTIONS: Final[dict[str, Callable[[Decimal, Decimal], Decimal]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a % b,
}


def equals(left: Term, right: Term) -> bool | Unknown:
    """Whether two values are equal; values of different types never are."""
    for side in (left, right):
        if isinstance(side, Unknown):
            return blurred(side)
    if left is None or right is None:
        return left is None and right is None
    unknown = first_unknown(left) or first_unknown(right)
    if unknown is not None:
        return _told_apart(left, right, unknown)
    if isinstance(left, list) and isinstance(right, list) and not left and not right:
        return type(left) is type(right)
    kinds = type_of(left), type_of(right)
    if (
        ANY not in kinds
        and kinds[0] != kinds[1]
        and not (isinstance(left, list | dict) and _loosely(left, right))
    ):
        return False
    return same(left, right)


def _loosely(left: Term, right: Term) -> bool:
    return type(left) is type(right)


def _told_apart(left: Term, right: Term, unknown: Unknown) -> bool | Unknown:
    """Whether known parts already differ; else nobody can say."""
    if isinstance(left, dict) and isinstance(right, dict):
        if left.keys() != right.keys():
            return False
        parts = [equals(value, right[key]) for key, value in left.items()]
        return False if any(one is False for one in parts) else blurred(unknown)
    return blurred(unknown)
