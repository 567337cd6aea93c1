"""JSON as Terraform writes and reads it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from aks_egress_scan.readers.hcl.terms import ProblemError, Term, number_text, whole


def json_text(value: Term, *, html: bool = True) -> str:
    """The value as JSON: no spaces, keys in order, and `<`, `>`, `&` escaped."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return number_text(value)
        case str():
            return _string(value, html)
        case dict():
            rows = (f"{_string(key, html)}:{json_text(value[key], html=html)}" for key in sorted(value))
            return "{" + ",".join(rows) + "}"
        case list():
            return "[" + ",".join(json_text(item, html=html) for item in value) + "]"
        case _:
            raise ProblemError("the value has no JSON form")


def _string(text: str, html: bool) -> str:
    out = json.dumps(text, ensure_ascii=False)
    out = out.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x7f", "\x7f")
    if html:
        out = out.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return out


def from_json(text: str) -> Term:
    """The value of a JSON text, as objects and tuples; raises ProblemError."""
    try:
        found: Term = json.loads(text, parse_float=_float, parse_int=_int, parse_constant=_constant)
    except (ValueError, RecursionError):
        raise ProblemError("the text is no JSON") from None
    return found


def _float(digits: str) -> int | Decimal:
    value = Decimal(digits)
    if abs(value.adjusted()) > 4000:
        raise ValueError(digits)
    return whole(value)


def _int(digits: str) -> int:
    if len(digits) > 4000:
        raise ValueError(digits)
    return int(digits)


def _constant(name: str) -> Any:
    raise ValueError(name)
