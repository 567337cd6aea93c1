"""`format` and `formatlist`: the verbs of Terraform's format strings."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from aks_egress_scan.readers.hcl.functions.json_form import json_text
from aks_egress_scan.readers.hcl.terms import ListTerm, ProblemError, Term, kind_of, number_text
from aks_egress_scan.readers.hcl.types import BOOL, NUMBER, STRING, convert

_VERB: Final = re.compile(
    r"%(?P<flags>[-+# 0]*)(?P<width>\d+)?(?:\.(?P<digits>\d*))?(?:\[(?P<at>\d+)\])?(?P<verb>.|\Z)", re.DOTALL
)
_MAX_WIDTH: Final = 10_000


def format_text(pattern: str, values: list[Term]) -> str:
    """The pattern with its verbs replaced; raises ProblemError for a verb without value, or the reverse."""
    out: list[str] = []
    after = at = highest = 0
    picked = False
    for found in _VERB.finditer(pattern):
        out.append(pattern[after : found.start()])
        after = found.end()
        if found["verb"] == "%":
            out.append("%")
            continue
        picked = picked or found["at"] is not None
        at = int(found["at"]) - 1 if found["at"] else at
        if not 0 <= at < len(values):
            raise ProblemError(f"`{found[0]}` in the format has no value")
        out.append(_spelled(found, values[at]))
        at += 1
        highest = max(highest, at)
    if highest < len(values) and not picked:
        raise ProblemError("the format has fewer verbs than values")
    return "".join((*out, pattern[after:]))


def _spelled(found: re.Match[str], value: Term) -> str:
    verb, flags = found["verb"], found["flags"]
    width = int(found["width"] or 0)
    if width > _MAX_WIDTH or (found["digits"] and int(found["digits"]) > _MAX_WIDTH):
        raise ProblemError("the width of a format verb is too large")
    spell = _SPELL.get(verb)
    if spell is None:
        raise ProblemError(f"`{found[0]}` is no verb of a format")
    if value is None and verb != "v":
        raise ProblemError(f"`{found[0]}` in the format does not take null")
    text = spell(value, flags, None if found["digits"] is None else int(found["digits"] or 0))
    if len(text) >= width:
        return text
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags:
        sign = text[:1] if text[:1] in "+-" and verb not in "sqv" else ""
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.rjust(width)


def _text(value: Term, _flags: str, digits: int | None) -> str:
    text = convert(value, STRING)
    if not isinstance(text, str):
        raise ProblemError(f"{kind_of(value)} stands where text is expected")
    return text if digits is None else text[:digits]


def _quoted(value: Term, flags: str, digits: int | None) -> str:
    return json_text(_text(value, flags, digits), html=False)


def _any(value: Term, flags: str, digits: int | None) -> str:
    if "#" in flags:
        return json_text(value)
    if value is None:
        return "null"
    if isinstance(value, str):
        return _text(value, flags, digits)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return number_text(value)
    return json_text(value)


def _signed(text: str, flags: str) -> str:
    if text.startswith("-"):
        return text
    return f"+{text}" if "+" in flags else f" {text}" if " " in flags else text


def _numeric(value: Term) -> int | Decimal:
    found = convert(value, NUMBER)
    if not isinstance(found, int | Decimal):
        raise ProblemError(f"{kind_of(value)} stands where a number is expected")
    return found


def _integer(spec: str) -> Callable[[Term, str, int | None], str]:
    def spell(value: Term, flags: str, digits: int | None) -> str:
        number = _numeric(value)
        prefix = {"x": "0x", "X": "0X", "o": "0"}.get(spec, "") if "#" in flags else ""
        text = format(abs(int(number)), spec).rjust(digits or 0, "0")
        return _signed(("-" if number < 0 else "") + prefix + text, flags)

    return spell


def _float(spec: str) -> Callable[[Term, str, int | None], str]:
    def spell(value: Term, flags: str, digits: int | None) -> str:
        number = _numeric(value)
        if spec in "gG" and digits is None:
            return _signed(_shortest(number), flags)
        return _signed(
            format(float(number) if spec in "eEgG" else number, f".{6 if digits is None else digits}{spec}"),
            flags,
        )

    return spell


def _shortest(number: int | Decimal) -> str:
    value = Decimal(number)
    if value == 0 or -5 <= value.adjusted() < 21:
        return number_text(number)
    mantissa, exponent = f"{value:e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{exponent[0]}{exponent[1:].rjust(2, '0')}"


def _boolean(value: Term, _flags: str, _digits: int | None) -> str:
    return "true" if convert(value, BOOL) else "false"


_SPELL: Final[dict[str, Callable[[Term, str, int | None], str]]] = {
    "s": _text,
    "q": _quoted,
    "v": _any,
    "t": _boolean,
    "d": _integer("d"),
    "x": _integer("x"),
    "X": _integer("X"),
    "o": _integer("o"),
    "b": _integer("b"),
    "f": _float("f"),
    "F": _float("f"),
    "e": _float("e"),
    "E": _float("E"),
    "g": _float("g"),
    "G": _float("G"),
}


def formatlist(pattern: str, *values: Term) -> ListTerm:
    """`format` for every item of the lists among the values."""
    lengths = {len(value) for value in values if isinstance(value, list)}
    if len(lengths) > 1:
        raise ProblemError("the lists of `formatlist` have different lengths")
    count = lengths.pop() if lengths else 1
    return ListTerm(
        format_text(pattern, [value[i] if isinstance(value, list) else value for value in values])
        for i in range(count)
    )
