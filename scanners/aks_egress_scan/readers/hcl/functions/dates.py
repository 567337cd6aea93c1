"""Functions of time stamps."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from aks_egress_scan.readers.hcl.functions.function import Function
from aks_egress_scan.readers.hcl.terms import ProblemError

_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_SPAN: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|ns)")
_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_FORMAT: Final = re.compile(
    r"'((?:[^']|'')*)'|(YYYY|YY|MMMM|MMM|MM|M|DD|D|EEEE|EEE|hh|h|HH|H|AA|aa|mm|m|ss|s|ZZZZZ|ZZZZ|ZZZ|Z)|([a-zA-Z]+)|(.)",
    re.DOTALL,
)


def _parsed(text: str) -> datetime:
    if not _STAMP.fullmatch(text):
        raise ProblemError("the text is no time stamp (`2006-01-02T15:04:05Z`)")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ProblemError("the text is no time stamp (`2006-01-02T15:04:05Z`)") from None


def _spelled(stamp: datetime) -> str:
    text = stamp.isoformat(timespec="seconds")
    return text.replace("+00:00", "Z") if stamp.tzinfo in (None, UTC) or text.endswith("+00:00") else text


def _timeadd(text: str, span: str) -> str:
    sign = -1 if span.startswith("-") else 1
    body = span.lstrip("+-")
    if "".join(found[0] for found in _SPAN.finditer(body)) != body or not body or len(span) - len(body) > 1:
        raise ProblemError("the text is no span of time (`1h30m`)")
    seconds = sum(float(found[1]) * _UNITS[found[2]] for found in _SPAN.finditer(body))
    try:
        return _spelled(_parsed(text) + sign * timedelta(seconds=seconds))
    except OverflowError:
        raise ProblemError("the time stamp is beyond all range") from None


def _timecmp(left: str, right: str) -> int:
    a, b = _parsed(left), _parsed(right)
    return (a > b) - (a < b)


def _formatdate(pattern: str, text: str) -> str:
    stamp = _parsed(text)
    out: list[str] = []
    for found in _FORMAT.finditer(pattern):
        literal, verb, wrong, other = found.groups()
        if wrong is not None:
            raise ProblemError(f"`{wrong}` is no verb of a date format")
        if verb is not None:
            out.append(_verb(verb, stamp))
        else:
            out.append(other if other is not None else literal.replace("''", "'"))
    return "".join(out)


def _verb(verb: str, stamp: datetime) -> str:
    half = stamp.hour % 12 or 12
    zone = stamp.strftime("%z") or "+0000"
    spelled = {
        "YYYY": f"{stamp.year:04d}",
        "YY": f"{stamp.year % 100:02d}",
        "MMMM": stamp.strftime("%B"),
        "MMM": stamp.strftime("%b"),
        "MM": f"{stamp.month:02d}",
        "M": str(stamp.month),
        "DD": f"{stamp.day:02d}",
        "D": str(stamp.day),
        "EEEE": stamp.strftime("%A"),
        "EEE": stamp.strftime("%a"),
        "hh": f"{stamp.hour:02d}",
        "h": str(stamp.hour),
        "HH": f"{half:02d}",
        "H": str(half),
        "AA": "AM" if stamp.hour < 12 else "PM",
        "aa": "am" if stamp.hour < 12 else "pm",
        "mm": f"{stamp.minute:02d}",
        "m": str(stamp.minute),
        "ss": f"{stamp.second:02d}",
        "s": str(stamp.second),
        "ZZZZZ": f"{zone[:3]}:{zone[3:]}",
        "ZZZZ": zone,
        "ZZZ": "UTC" if zone == "+0000" else zone,
        "Z": "Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}",
    }
    return spelled[verb]


FUNCTIONS: Final = (
    Function("formatdate", _formatdate, ("string", "string")),
    Function("timeadd", _timeadd, ("string", "string")),
    Function("timecmp", _timecmp, ("string", "string")),
)
