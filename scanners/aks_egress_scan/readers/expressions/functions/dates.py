"""Date functions on dates that are fixed in the template; `utcNow` is known only at deployment.

Microsoft: "Date functions for ARM templates"; ISO 8601 durations.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from aks_egress.values import Value
from aks_egress_scan.readers.expressions.signatures import FunctionProblemError, define

_DURATION: Final = re.compile(
    r"([+-])?P(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?"
    r"(?:T(?:(\d{1,8})H)?(?:(\d{1,8})M)?(?:(\d{1,9})(?:\.(\d{1,6})\d*)?S)?)?",
    re.IGNORECASE,
)
_ISO: Final = "%Y-%m-%dT%H:%M:%SZ"
#: .NET's custom specifiers, longest first
_CUSTOM: Final = {
    "yyyy": "%Y", "MMMM": "%B", "dddd": "%A", "MMM": "%b", "ddd": "%a", "yy": "%y", "MM": "%m", "dd": "%d",
    "HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S", "tt": "%p",
}  # fmt: skip
_STANDARD: Final = {
    "u": "%Y-%m-%d %H:%M:%SZ",
    "s": "%Y-%m-%dT%H:%M:%S",
    "d": "%m/%d/%Y",
    "o": "%Y-%m-%dT%H:%M:%S.0000000Z",
}
_SPECIFIER: Final = re.compile("|".join(_CUSTOM) + r"|'[^']*'|[A-Za-z]")


def _date(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise FunctionProblemError(f"`{text[:40]}` is no date in ISO 8601") from None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (OverflowError, ValueError):
        raise FunctionProblemError(f"the date `{text[:40]}` is beyond all range") from None


def _written(date: datetime, style: str | None) -> str:
    if style is None:
        return date.strftime(_ISO)
    if style in _STANDARD:
        return date.strftime(_STANDARD[style])

    def spelled(found: re.Match[str]) -> str:
        token = found[0]
        if token in _CUSTOM:
            return date.strftime(_CUSTOM[token])
        if token[0] == "'":
            return token[1:-1]
        if token in ("T", "Z"):
            return token
        raise FunctionProblemError(f"the date style `{style[:40]}` is not known")

    return _SPECIFIER.sub(spelled, style)


@define("dateTimeAdd", "string, string, string?")
def _date_time_add(base: str, duration: str, style: str | None = None) -> Value:
    found = _DURATION.fullmatch(duration.strip())
    if found is None or duration.strip()[-1:].upper() in ("P", "T"):
        raise FunctionProblemError(f"`{duration[:40]}` is no duration in ISO 8601")
    sign = -1 if found[1] == "-" else 1
    years, months, weeks, days, hours, minutes, seconds = (int(found[i] or 0) for i in range(2, 9))
    step = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    try:
        moved = _moved(_date(base), sign * (12 * years + months)) + sign * step
    except (OverflowError, ValueError):
        raise FunctionProblemError("`dateTimeAdd` leaves the calendar") from None
    return _written(moved, style)


def _moved(date: datetime, months: int) -> datetime:
    total = date.year * 12 + date.month - 1 + months
    year, month = divmod(total, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date.replace(year=year, month=month + 1, day=min(date.day, last))


@define("dateTimeFromEpoch", "int")
def _date_time_from_epoch(seconds: int) -> Value:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime(_ISO)
    except (OverflowError, ValueError, OSError):
        raise FunctionProblemError("`dateTimeFromEpoch` leaves the calendar") from None


@define("dateTimeToEpoch", "string")
def _date_time_to_epoch(text: str) -> Value:
    return int(_date(text).timestamp())
