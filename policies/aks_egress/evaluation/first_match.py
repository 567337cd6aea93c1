"""First match, when some rules are blurred.  Filters, route tables and firewalls are all this fold.

A rule covers at least its `sure` boxes and at most its `possible` ones.  Each packet is answered
with *who could decide*: one decider is certainty, several an honest "depends".  Unknowns are taken
as independent of each other, which errs towards unknown, never towards a wrong verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from aks_egress.packets.addresses import EVERYWHERE
from aks_egress.packets.boxes import Box, merge
from aks_egress.packets.intervals import IntervalSet
from aks_egress.records import record

R = TypeVar("R")

MOST_PIECES = 20_000
"""How finely an answer may be cut before it is given up as too intricate (about a second)."""


class TooIntricateError(Exception):
    """The rules cut the packets into more pieces than `MOST_PIECES`."""


@record(frozen=True, slots=True)
class Clause(Generic[R]):
    """A decider and the packets it covers: `sure` at least, `possible` at most.

    Both are one box each, since every rule is a product; None is nothing.
    """

    decider: R
    sure: Box | None
    possible: Box | None


@record(frozen=True, slots=True)
class Piece(Generic[R]):
    """Packets that are answered alike, by each decider once."""

    box: Box
    deciders: tuple[R, ...]


def first_match(clauses: Iterable[Clause[R]], otherwise: R, within: Sequence[Box]) -> list[Piece[R]]:
    """Answer each packet of `within` with those that could be the first to match it, in their order.

    Packets outside `within` are not answered: nobody asked.
    """
    pending: list[tuple[Box, tuple[R, ...]]] = [(box, ()) for box in within]
    done: list[Piece[R]] = []
    for clause in clauses:
        if clause.possible is None:
            continue
        if not pending:
            break
        pending = _apply(clause, pending, done)
        if len(pending) + len(done) > MOST_PIECES:
            raise TooIntricateError
    done.extend(Piece(box, seen if otherwise in seen else (*seen, otherwise)) for box, seen in pending)
    return _merged(done)


class Answers(Generic[R]):
    """Clauses that are asked for many sources: an answer is kept for every source that they treat alike.

    A source that each clause covers as a whole or not at all stays whole in every piece, so the pieces
    of one such source are those of another.
    """

    __slots__ = ("_kept", "_placed", "_sources", "clauses")

    def __init__(self, clauses: Sequence[Clause[R]]) -> None:
        self.clauses = clauses
        covered = (box.source for one in clauses for box in (one.sure, one.possible) if box is not None)
        self._sources = [one for one in dict.fromkeys(covered) if one is not EVERYWHERE]
        self._placed: dict[IntervalSet, tuple[bool, ...] | None] = {}
        self._kept: dict[tuple[object, ...], list[Piece[R]]] = {}

    def first_match(self, otherwise: R, box: Box) -> list[Piece[R]]:
        """What `first_match` answers for one box."""
        source = box.source
        if source not in self._placed:
            self._placed[source] = self._place(source)
        place = self._placed[source]
        if place is None:
            return first_match(self.clauses, otherwise, [box])
        key = place, otherwise, box[1:]
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = first_match(self.clauses, otherwise, [box])
        if not kept or kept[0].box.source == source:
            return kept
        return [Piece(Box(source, *one.box[1:]), one.deciders) for one in kept]

    def _place(self, source: IntervalSet) -> tuple[bool, ...] | None:
        """Which of the clauses' sources hold the source; None where one of them cuts it."""
        place = []
        for one in self._sources:
            both = one & source
            if both and both != source:
                return None
            place.append(bool(both))
        return tuple(place)


def _apply(
    clause: Clause[R], pending: list[tuple[Box, tuple[R, ...]]], done: list[Piece[R]]
) -> list[tuple[Box, tuple[R, ...]]]:
    """Cut every pending box by the clause; what it surely covers is answered."""
    possible, sure = clause.possible, clause.sure
    assert possible is not None  # noqa: S101  the caller skips clauses that cover nothing
    left: list[tuple[Box, tuple[R, ...]]] = []
    for box, seen in pending:
        hit = box.meet(possible)
        if hit is None:
            left.append((box, seen))
            continue
        left.extend((rest, seen) for rest in box.minus(hit))
        answered = seen if clause.decider in seen else (*seen, clause.decider)
        certain = None if sure is None else hit.meet(sure)
        if certain is None:
            left.append((hit, answered))
            continue
        done.append(Piece(certain, answered))
        left.extend((rest, answered) for rest in hit.minus(certain))
    return left


def _merged(pieces: list[Piece[R]]) -> list[Piece[R]]:
    """Fewer pieces for the same answers, in the order in which the answers first occur."""
    if len(pieces) < 2:
        return pieces
    groups: dict[tuple[R, ...], list[Box]] = {}
    for piece in pieces:
        groups.setdefault(piece.deciders, []).append(piece.box)
    return [Piece(box, deciders) for deciders, boxes in groups.items() for box in merge(boxes)]
