"""First match with blurred rules against every possible world: each unknown settled both ways."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from aks_egress.evaluation.first_match import Clause, Piece, first_match
from aks_egress.packets.boxes import Box
from aks_egress.packets.intervals import IntervalSet

ONE = IntervalSet.single(0)
EVERY_PACKET = list(itertools.product(range(4), range(3)))
spans = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda p: (min(p), max(p))), max_size=2)
axis = spans.map(IntervalSet.of)


def _box(source: IntervalSet, destination: IntervalSet) -> Box | None:
    return Box(source, destination, ONE, ONE, ONE) if source and destination else None


boxes = st.builds(_box, axis, axis)


@st.composite
def clauses(draw: st.DrawFn) -> tuple[Box | None, Box | None]:
    """What a rule surely covers, and what it may cover beside."""
    possible = draw(boxes)
    sure = draw(boxes)
    if possible is None or sure is None or draw(st.booleans()):
        return None, possible
    return possible.meet(sure), possible


def _covers(box: Box | None, packet: tuple[int, int]) -> bool:
    return box is not None and packet[0] in box.source and packet[1] in box.destination


def _deciders(pieces: list[Piece[int]], packet: tuple[int, int]) -> list[tuple[int, ...]]:
    return [piece.deciders for piece in pieces if _covers(piece.box, packet)]


@given(st.lists(clauses(), max_size=5), st.lists(boxes, max_size=1))
@settings(max_examples=300, deadline=None)
def test_deciders_are_those_of_every_possible_world(
    rules: list[tuple[Box | None, Box | None]], within: list[Box | None]
) -> None:
    """Settle each unknown both ways, evaluate plainly, and collect who decided."""
    asked = [box for box in within if box is not None]
    pieces = first_match([Clause(i, *rule) for i, rule in enumerate(rules)], -1, asked)
    for packet in EVERY_PACKET:
        found = _deciders(pieces, packet)
        if not any(_covers(box, packet) for box in asked):
            assert found == []
            continue
        could = [
            [True] if _covers(sure, packet) else [False, True] if _covers(possible, packet) else [False]
            for sure, possible in rules
        ]
        expected = {hits.index(True) if True in hits else -1 for hits in itertools.product(*could)}
        assert len(found) == 1
        assert set(found[0]) == expected
        assert len(found[0]) == len(set(found[0]))


@given(st.lists(clauses(), max_size=4), st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_blurring_a_rule_never_makes_an_answer_more_certain(
    rules: list[tuple[Box | None, Box | None]], which: int
) -> None:
    """A rule of which less is known can only add deciders."""
    everything = [Box(IntervalSet.single(0, 3), IntervalSet.single(0, 3), ONE, ONE, ONE)]
    blurred = [(None, everything[0]) if i == which else rule for i, rule in enumerate(rules)]
    before = first_match([Clause(i, *rule) for i, rule in enumerate(rules)], -1, everything)
    after = first_match([Clause(i, *rule) for i, rule in enumerate(blurred)], -1, everything)
    for packet in EVERY_PACKET:
        assert set(_deciders(before, packet)[0]) <= set(_deciders(after, packet)[0])


def test_the_order_of_rules_matters() -> None:
    """A law that does not hold: two overlapping rules swapped are another filter."""
    wide, narrow = Box(source_port=ONE), Box(destination=ONE, source_port=ONE)
    one = first_match([Clause("wide", wide, wide), Clause("narrow", narrow, narrow)], "last", [narrow])
    other = first_match([Clause("narrow", narrow, narrow), Clause("wide", wide, wide)], "last", [narrow])
    assert [piece.deciders for piece in one] == [("wide",)]
    assert [piece.deciders for piece in other] == [("narrow",)]


def test_two_rules_blurred_by_one_unknown_leave_more_open_than_any_world() -> None:
    """A law that does not hold: unknowns count as independent.

    One rule covers the packets if a value is so, the other if it is not: in every world one of them decides, and
    still the answer names what comes after them.
    """
    box = Box()
    pieces = first_match([Clause("if so", None, box), Clause("if not", None, box)], "after", [box])
    assert [piece.deciders for piece in pieces] == [("if so", "if not", "after")]
