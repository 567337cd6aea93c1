"""From an error that somebody sees to what it means, what to check first, and what is not reachable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aks_egress.records import record
from aks_egress.requirements.catalogue import load


@record(frozen=True, slots=True, kw_only=True)
class Symptom:
    """A known error: `matched` is the part of the text that gave it away, `source` the page that says so.

    `check` are the things to look at, most likely first; `requirements` are ids of the catalogue.
    """

    id: str
    matched: str
    meaning: str
    check: tuple[str, ...]
    requirements: tuple[str, ...]
    source: str


def recognise(text: str) -> list[Symptom]:
    """The known errors in a text of kubectl, a node's start-up or a firewall's log, the more telling first."""
    found = []
    for row in load().errors:
        match = _match(row, text)
        if match is not None:
            found.append(_symptom(row, match))
    return found


def _match(row: Mapping[str, Any], text: str) -> str | None:
    for pattern in row["match"]:
        match = re.search(pattern, text, re.IGNORECASE)
        if match:
            return match[0]
    for code in row.get("exits", ()):
        match = re.search(rf"\bexit(?:ed)?[\s_]*(?:status|code)?[\s\"':=\\]*{code}\b", text, re.IGNORECASE)
        if match:
            return match[0]
    return None


def _symptom(row: Mapping[str, Any], matched: str) -> Symptom:
    return Symptom(
        id=row["id"],
        matched=matched,
        meaning=row["meaning"],
        check=tuple(row["check"]),
        requirements=tuple(row["requirements"]),
        source=load().sources[row["sources"][0]].url,
    )
