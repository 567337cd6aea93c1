"""JSON as .NET reads and writes it within expressions: apostrophes for quotes are read, and `format` writes them."""

from __future__ import annotations

import re
from typing import Final

from aks_egress.values import Value
from aks_egress_scan.readers.base import MalformedError
from aks_egress_scan.readers.expressions.signatures import FunctionProblemError
from aks_egress_scan.readers.expressions.unsettled import spelled
from aks_egress_scan.readers.json_text import JsonText

_QUOTED: Final = re.compile(r"\"(?:[^\"\\]|\\.)*+\"|'((?:[^'\\]|\\.)*+)'", re.DOTALL)


def parsed(name: str, text: str) -> Value:
    """The value of JSON text for the function `name`; raises FunctionProblemError."""
    for form in (text, _QUOTED.sub(_with_quotes, text)):
        try:
            return JsonText("", form.encode(), comments=True).value
        except (MalformedError, UnicodeEncodeError):
            continue
    raise FunctionProblemError(f"`{name}` takes text that is JSON")


def _with_quotes(found: re.Match[str]) -> str:
    if found[1] is None:
        return found[0]
    inner = found[1].replace("\\'", "'")
    return '"' + re.sub(r'(?<!\\)"', r"\"", inner) + '"'


def apostrophized(value: Value) -> str:
    """A list or an object as `format` writes it."""
    match value:
        case dict():
            return (
                "{"
                + ",".join(f"{apostrophized(key)}:{apostrophized(item)}" for key, item in value.items())
                + "}"
            )
        case list():
            return "[" + ",".join(map(apostrophized, value)) + "]"
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case str():
            return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return spelled(value)
