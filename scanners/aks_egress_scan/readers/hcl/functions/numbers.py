"""Functions of numbers."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import Final

from aks_egress_scan.readers.hcl.functions.function import Function
from aks_egress_scan.readers.hcl.operators import PRECISION
from aks_egress_scan.readers.hcl.terms import ProblemError, whole

Number = int | Decimal


def _log(value: Number, base: Number) -> Number:
    if value <= 0 or base <= 0 or base == 1:
        raise ProblemError("`log` takes a positive number and a base other than 1")
    return _from_float(math.log(value) / math.log(base))


def _pow(value: Number, exponent: Number) -> Number:
    try:
        return _from_float(math.pow(value, exponent))
    except (OverflowError, ValueError):
        raise ProblemError("the power is beyond all range") from None


def _from_float(value: float) -> Number:
    if not math.isfinite(value):
        raise ProblemError("the result is not a number")
    return whole(Decimal(value))


def _parseint(text: str, base: Number) -> int:
    if (
        not isinstance(base, int)
        or not 2 <= base <= 62
        or "_" in text
        or text != text.strip()
        or len(text) > 4000
    ):
        raise ProblemError("`parseint` takes text and a base of 2 to 62")
    digits = text.lstrip("+-")
    value = 0
    for digit in digits:
        at = _DIGITS.find(digit.lower() if base <= 36 else digit)
        if not 0 <= at < base:
            raise ProblemError(f"the text is no number in base {base}")
        value = value * base + at
    if not digits or len(text) - len(digits) > 1:
        raise ProblemError(f"the text is no number in base {base}")
    return -value if text.startswith("-") else value


_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _sum(values: list[Number]) -> Number:
    if not values:
        raise ProblemError("`sum` takes at least one number")
    with localcontext(PRECISION):
        total: Number = 0
        for value in values:
            if value is None:
                raise ProblemError("`sum` does not take null")
            total = (
                total + value if isinstance(total, int) and isinstance(value, int) else Decimal(total) + value
            )
        return whole(total) if isinstance(total, Decimal) else total


def _rounded(value: Number, how: str) -> int:
    return int(Decimal(value).to_integral_value(how))


FUNCTIONS: Final = (
    Function("abs", abs, ("number",)),
    Function("ceil", lambda value: _rounded(value, ROUND_CEILING), ("number",)),
    Function("floor", lambda value: _rounded(value, ROUND_FLOOR), ("number",)),
    Function("log", _log, ("number", "number")),
    Function("max", lambda *values: max(values), ("number", "number...")),
    Function("min", lambda *values: min(values), ("number", "number...")),
    Function("parseint", _parseint, ("string", "number")),
    Function("pow", _pow, ("number", "number")),
    Function("signum", lambda value: (value > 0) - (value < 0), ("number",)),
    Function("sum", _sum, ("numbers",)),
)
