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


LONGEST = 2000
"""Characters of a line that are searched."""


def recognise(text: str) -> list[Symptom]:
    """The known errors in a text of kubectl, a node's start-up or a firewall's log, the more telling first.

    A text without any is read once more as one line: terminals break long ones anywhere between words.
    """
    lines = [line[:LONGEST] for line in text.splitlines()]
    return _found("\n".join(lines)) or (
        _found(" ".join(" ".join(lines).split())[:LONGEST]) if lines[1:] else []
    )


def _found(text: str) -> list[Symptom]:
    there = [(row, match) for row in load().errors if (match := _match(row, text)) is not None]
    hidden = {one for row, _ in there for one in row.get("hides", ())}
    return [_symptom(row, match) for row, match in there if row["id"] not in hidden]


_KUBELET = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)(?:%\w+)?\]|(?P<name>[\w.-]+)):10250\b", re.IGNORECASE)


def nodes_in(text: str) -> tuple[str, ...]:
    """The nodes that a text names by their kubelets' port, by address or by name, each once."""
    found = (match["six"] or match["name"] for match in _KUBELET.finditer(text))
    return tuple(dict.fromkeys(one.casefold() for one in found))


def _match(row: Mapping[str, Any], text: str) -> str | None:
    for pattern in row["match"]:
        match = re.search(pattern, text, re.IGNORECASE)
        if match:
            return match[0]
    for code in row.get("exits", ()):
        match = re.search(_EXIT.format(code), text, re.IGNORECASE)
        if match:
            return match[0]
    return None


#: how a start-up's exit is told; `terminated with exit code` is what `kubectl exec` says of anybody's program
_EXIT = r"\b(?<!terminated with )exit(?:ed)?(?:[\s_]*with)?[\s_]*(?:status|code)?[\s\"':=\\]*{0}\b|\bexit status[\s=:]*{0}\b"


def _symptom(row: Mapping[str, Any], matched: str) -> Symptom:
    return Symptom(
        id=row["id"],
        matched=matched,
        meaning=row["meaning"],
        check=tuple(row["check"]),
        requirements=tuple(row["requirements"]),
        source=load().sources[row["sources"][0]].url,
    )
