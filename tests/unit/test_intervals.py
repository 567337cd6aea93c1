"""Sets of numbers: examples; the laws are in tests/property/test_set_laws.py."""

from __future__ import annotations

import pytest

from aks_egress.packets.intervals import EMPTY, IntervalSet, union


def test_touching_intervals_are_one() -> None:
    """`0-442` and `443` is `0-443`."""
    assert IntervalSet.of([(443, 443), (0, 442)]) == IntervalSet.single(0, 443)
    assert IntervalSet.of([]) is EMPTY


def test_taking_one_port_out() -> None:
    """Both neighbours stay."""
    assert (IntervalSet.single(0, 65535) - IntervalSet.single(443)).spans == ((0, 442), (444, 65535))


def test_an_empty_set_is_false_and_has_no_first_member() -> None:
    """Asking for one is an error, never zero."""
    assert not EMPTY
    with pytest.raises(IndexError):
        _ = EMPTY.first


def test_counting_by_len_is_refused() -> None:
    """The IPv6 space has more members than `len` can say."""
    with pytest.raises(TypeError, match="size"):
        len(IntervalSet.single(0, 3))
    assert IntervalSet.single(0, 2**128).size == 2**128 + 1


def test_touches_looks_between_two_numbers() -> None:
    """Gaps count as gaps."""
    one = IntervalSet.of([(10, 20), (40, 50)])
    assert one.touches(20, 30)
    assert one.touches(0, 100)
    assert not one.touches(21, 39)
    assert not one.touches(51, 60)
    assert not EMPTY.touches(0, 100)


def test_the_union_of_none_is_empty() -> None:
    """And of some, all of them."""
    assert union([]) == EMPTY
    assert union([IntervalSet.single(1), IntervalSet.single(2)]) == IntervalSet.single(1, 2)


def test_a_set_is_no_tuple_of_its_spans() -> None:
    """Equality is between sets alone."""
    assert IntervalSet.single(1) != ((1, 1),)
