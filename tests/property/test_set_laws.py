"""Sets of numbers and boxes of packets against an exhaustive small universe: every member is looked at."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from aks_egress.packets.boxes import Box, merge
from aks_egress.packets.extents import Extent
from aks_egress.packets.intervals import EMPTY, IntervalSet, union

UNIVERSE = range(16)
ENTIRE = IntervalSet.single(0, 15)
spans = st.lists(
    st.tuples(st.integers(0, 15), st.integers(0, 15)).map(lambda pair: (min(pair), max(pair))), max_size=6
)
sets = spans.map(IntervalSet.of)


def members(one: IntervalSet) -> set[int]:
    """The members as a plain set."""
    return {number for low, high in one.spans for number in range(low, high + 1)}


@given(spans)
def test_one_set_has_one_form(given_spans: list[tuple[int, int]]) -> None:
    """Sorted, disjoint, non-touching: so `==` means the same set, however it was written."""
    one = IntervalSet.of(given_spans)
    assert members(one) == {number for low, high in given_spans for number in range(low, high + 1)}
    assert all(high + 1 < low for (_, high), (low, _) in itertools.pairwise(one.spans))
    again = IntervalSet.of((number, number) for number in sorted(members(one), reverse=True))
    assert again == one
    assert hash(again) == hash(one)


@given(sets, sets)
def test_operations_are_those_of_plain_sets(a: IntervalSet, b: IntervalSet) -> None:
    """Member by member."""
    assert members(a & b) == members(a) & members(b)
    assert members(a | b) == members(a) | members(b)
    assert members(a - b) == members(a) - members(b)
    assert (a <= b) == (members(a) <= members(b))
    assert bool(a) == bool(members(a))
    assert a.size == len(members(a))


@given(sets, sets, sets)
def test_the_laws_of_sets(a: IntervalSet, b: IntervalSet, c: IntervalSet) -> None:
    """Named laws, as equalities of the one form."""
    assert a & b == b & a
    assert a | b == b | a
    assert (a & b) & c == a & (b & c)
    assert a & (b | c) == (a & b) | (a & c)
    assert ENTIRE - (a | b) == (ENTIRE - a) & (ENTIRE - b)
    assert (a - b) | (a & b) == a
    assert union((a, b, c)) == a | b | c
    assert a - a == EMPTY


@given(sets, st.integers(-2, 17), st.integers(0, 18))
def test_membership_and_touching(a: IntervalSet, low: int, width: int) -> None:
    """`in` and `touches` look at the same members."""
    assert (low in a) == (low in members(a))
    assert a.touches(low, low + width) == any(low <= number <= low + width for number in members(a))


@given(st.lists(st.integers(0, 4000), max_size=60), st.lists(st.integers(0, 4000), max_size=3))
def test_long_and_short_lists_meet_alike(many: list[int], few: list[int]) -> None:
    """A short list is looked up in a long one instead of walked beside it: the same set."""
    a = IntervalSet.of((number, number + 5) for number in many)
    b = IntervalSet.of((number, number + 700) for number in few)
    assert members(a & b) == members(a) & members(b)
    assert a & b == b & a


@given(sets, sets)
def test_difference_is_not_symmetric(a: IntervalSet, b: IntervalSet) -> None:
    """A law that does not hold: unless the sets are equal, the two differences differ."""
    assert (a - b == b - a) == (a == b)


axis = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda p: (min(p), max(p))), min_size=1, max_size=2
)
boxes = st.tuples(*[axis.map(IntervalSet.of)] * 5).map(lambda parts: Box(*parts))
EVERY_PACKET = list(itertools.product(range(4), repeat=5))


def packets(box: Box | None) -> set[tuple[int, ...]]:
    """Every packet of a box in the small universe."""
    return set(itertools.product(*(members(part) for part in box))) if box is not None else set()


@given(boxes, boxes)
@settings(max_examples=60, deadline=None)
def test_boxes_meet_and_part_packet_by_packet(a: Box, b: Box) -> None:
    """What is left of a box is cut into parts that do not overlap."""
    met = a.meet(b)
    assert packets(met) == packets(a) & packets(b)
    if met is None:
        return
    rest = a.minus(met)
    assert set().union(*map(packets, rest)) == packets(a) - packets(b)
    assert sum(len(packets(part)) for part in rest) == len(packets(a)) - len(packets(met))


@given(boxes, boxes)
@settings(max_examples=60, deadline=None)
def test_merging_boxes_keeps_their_packets(a: Box, b: Box) -> None:
    """Fewer boxes, the same packets, still disjoint."""
    met = a.meet(b)
    parts = [b, *(a.minus(met) if met is not None else [a])]
    merged = merge(parts)
    assert len(merged) <= len(parts)
    assert set().union(*map(packets, merged)) == packets(a) | packets(b)
    assert sum(len(packets(part)) for part in merged) == len(packets(a) | packets(b))


@given(boxes)
@settings(max_examples=40, deadline=None)
def test_the_example_of_a_box_lies_in_it(box: Box) -> None:
    """A counterexample is a packet that was asked about."""
    assert tuple(box.example()) in packets(box)


extents = st.tuples(sets, sets).map(lambda pair: Extent(pair[0] & pair[1], pair[1]))


@given(extents, extents, sets, sets)
def test_extents_bound_what_any_settling_gives(a: Extent, b: Extent, x: IntervalSet, y: IntervalSet) -> None:
    """Settle both sides in any way between their bounds: the joined extents bound the result."""
    settled_a, settled_b = a.sure | (a.possible & x), b.sure | (b.possible & y)
    for joined, settled in ((a | b, settled_a | settled_b), (a & b, settled_a & settled_b)):
        assert joined.sure <= settled <= joined.possible
