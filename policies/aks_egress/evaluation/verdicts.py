"""The four verdicts and how they combine."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """What is to be said of a flow, a tunnel or a cluster.  See the contract for the exact meaning."""

    OPEN = "open"
    UNKNOWN = "unknown"
    PARTIAL = "partial"
    BLOCKED = "blocked"

    @property
    def rank(self) -> int:
        """How bad it is, 0 for open."""
        return _RANK[self]


_RANK = {Verdict.OPEN: 0, Verdict.UNKNOWN: 1, Verdict.PARTIAL: 2, Verdict.BLOCKED: 3}


def worst(verdicts: Iterable[Verdict], default: Verdict = Verdict.UNKNOWN) -> Verdict:
    """The worst of them; `default` where there is none, since silence is never `open`."""
    return max(verdicts, key=_RANK.__getitem__, default=default)


def asked_of_everyone(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on a demand that every one of several must meet.

    Some blocked and some not is `partial`: at least one packet is provably dropped, and not all.
    """
    seen = set(verdicts)
    if not seen:
        return Verdict.UNKNOWN
    if seen == {Verdict.BLOCKED}:
        return Verdict.BLOCKED
    if seen & {Verdict.BLOCKED, Verdict.PARTIAL}:
        return Verdict.PARTIAL
    return Verdict.UNKNOWN if Verdict.UNKNOWN in seen else Verdict.OPEN


def somewhere_in(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on a demand for one address, nobody knows which, of several.

    All open proves open, none open proves blocked, anything between is unknown.
    """
    seen = set(verdicts)
    if seen == {Verdict.OPEN}:
        return Verdict.OPEN
    return Verdict.BLOCKED if seen == {Verdict.BLOCKED} else Verdict.UNKNOWN
