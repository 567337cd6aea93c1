"""What happened to packets: boxes with the deciders they met, and how outcomes combine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aks_egress.evaluation.demand import Action, Decider
from aks_egress.evaluation.first_match import MOST_PIECES, Piece, TooIntricateError
from aks_egress.evaluation.verdicts import Verdict, worst
from aks_egress.packets.boxes import Box
from aks_egress.records import record

Step = tuple[Decider, ...]
"""Who could decide at one hop; one decider is certainty."""

_SAYS = {
    Action.ALLOW: Verdict.OPEN,
    Action.PASS_ON: Verdict.OPEN,
    Action.FORWARD: Verdict.OPEN,
    Action.DENY: Verdict.BLOCKED,
    Action.DROP: Verdict.BLOCKED,
    Action.UNKNOWN: Verdict.UNKNOWN,
}


@record(frozen=True, slots=True)
class Trace:
    """Packets that met the same deciders, and what became of them: open, blocked or unknown."""

    box: Box
    verdict: Verdict = Verdict.OPEN
    steps: tuple[Step, ...] = ()

    def then(self, box: Box, step: Step, verdict: Verdict | None = None) -> Trace:
        """The part `box` of these packets after one more hop."""
        said = outcome(step) if verdict is None else verdict
        return Trace(box, worst((self.verdict, said)), (*self.steps, step))


def outcome(step: Sequence[Decider]) -> Verdict:
    """What a hop says: what all its possible deciders say, else unknown."""
    said = {_SAYS[decider.action] for decider in step}
    return said.pop() if len(said) == 1 else Verdict.UNKNOWN


def after(trace: Trace, pieces: Iterable[Piece[Decider]]) -> list[Trace]:
    """A trace cut by the answers of one hop."""
    return [trace.then(piece.box, _once(piece.deciders)) for piece in pieces]


def _once(deciders: Iterable[Decider]) -> Step:
    return tuple(dict.fromkeys(deciders))


def either(options: Sequence[list[Trace]]) -> list[Trace]:
    """One of several courses is taken and nobody can say which: agreed outcomes stand, others are unknown.

    All options cover the same packets.
    """
    merged = options[0]
    for option in options[1:]:
        merged = [
            Trace(
                both,
                one.verdict if one.verdict is other.verdict else Verdict.UNKNOWN,
                _joined(one.steps, other.steps),
            )
            for one in merged
            for other in option
            if (both := one.box.meet(other.box)) is not None
        ]
        if len(merged) > MOST_PIECES:
            raise TooIntricateError
    return merged


def _joined(one: tuple[Step, ...], other: tuple[Step, ...]) -> tuple[Step, ...]:
    """Both courses' steps, what they share at the start once."""
    shared = 0
    while shared < min(len(one), len(other)) and one[shared] == other[shared]:
        shared += 1
    return (*one, *other[shared:])
