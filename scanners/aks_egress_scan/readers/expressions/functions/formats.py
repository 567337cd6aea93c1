"""`format`: .NET's composite formatting as templates use it: `{0}`, `{1,5}`, `{0:D3}`, `{0:N2}`, `{0:X}`.

Microsoft: "Composite formatting" and "Standard numeric format strings".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from aks_egress.values import Unknown, Value
from aks_egress_scan.readers.expressions.functions.json_forms import apostrophized
from aks_egress_scan.readers.expressions.limits import TEXT_LENGTH, BoundsError
from aks_egress_scan.readers.expressions.signatures import FunctionProblemError
from aks_egress_scan.readers.expressions.unsettled import opened, spelled

# compiled when first used: most templates format nothing
_ITEM: Final = r"\{\{|\}\}|\{(\d{1,4})(?:,(-?\d{1,4}))?(?::([^{}]*))?\}|[{}]"
_NUMERIC: Final = r"([dfgnxDFGNX])(\d{0,2})"


def formatted(pattern: str, arguments: Sequence[Value]) -> str:
    """The text of a pattern; what is unknown stands spelled in its place.  Raises FunctionProblemError."""

    room = TEXT_LENGTH

    def replaced(found: re.Match[str]) -> str:
        nonlocal room
        piece = one(found)
        room -= len(piece)
        if room < 0:
            raise BoundsError(f"`format` makes more than {TEXT_LENGTH:,} characters")
        return piece

    def one(found: re.Match[str]) -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        if found[1] is None:
            raise FunctionProblemError(f"`format` cannot read the pattern `{pattern[:80]}`")
        if int(found[1]) >= len(arguments):
            raise FunctionProblemError(f"`format` has no argument for `{{{found[1]}}}`")
        return _item(arguments[int(found[1])], int(found[2] or 0), found[3] or "")

    return re.sub(_ITEM, replaced, pattern)


def _item(value: Value, width: int, style: str) -> str:
    if style and isinstance(value, Unknown):
        return opened("format", (style, value))
    if isinstance(value, dict | list):
        text = apostrophized(value)
    else:
        text = _styled(value, style) if style else spelled(value)
    return text.ljust(-width) if width < 0 else text.rjust(width)


def _styled(value: Value, style: str) -> str:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return spelled(value)
    if set(style) == {"0"}:
        return f"{round(value):0{len(style)}d}" if value >= 0 else f"-{round(-value):0{len(style)}d}"
    found = re.fullmatch(_NUMERIC, style)
    if found is None:
        raise FunctionProblemError(f"`format` does not know the style `{style}`")
    return _numeric(value, found[1], found[2])


def _numeric(value: float, letter: str, digits: str) -> str:
    places = int(digits or 0)
    match letter.upper():
        case "D":
            return ("-" if value < 0 else "") + str(abs(int(value))).rjust(places, "0")
        case "X":
            text = f"{int(value) & 0xFFFF_FFFF_FFFF_FFFF if value < 0 else int(value):{letter}}"
            return text.rjust(places, "0")
        case "F":
            return f"{value:.{places if digits else 2}f}"
        case "N":
            return f"{value:,.{places if digits else 2}f}"
    return f"{value:g}"
