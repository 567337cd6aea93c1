"""The report as JSON, schema `aks-egress/report/v1`; ASCII alone, so that no name can act on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aks_egress.findings.document import members
from aks_egress.findings.report import Report
from aks_egress_scan.reporters.escaping import json_text


def render(report: Report) -> str:
    """The report as JSON text."""
    return "".join(pieces(report))


def pieces(report: Report) -> Iterator[str]:
    """The same text bit by bit: a fleet's is gigabytes, and only one cluster of it need be there at once."""
    lead = "{\n"
    for name, value in members(report):
        yield f'{lead}  "{name}": '
        yield from _rows(value) if isinstance(value, map) else (_inset(value, 1),)
        lead = ",\n"
    yield "\n}\n"


def _rows(rows: Iterable[object]) -> Iterator[str]:
    """A list, row by row."""
    lead = "[\n"
    for row in rows:
        yield f"{lead}    {_inset(row, 2)}"
        lead = ",\n"
    yield "[]" if lead == "[\n" else "\n  ]"


def _inset(value: object, depth: int) -> str:
    """A value as it stands that deep in the text; strings hold no line breaks."""
    return json_text(value).rstrip("\n").replace("\n", "\n" + "  " * depth)
