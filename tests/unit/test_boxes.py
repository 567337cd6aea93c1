"""Boxes of packets: examples; the laws are in tests/property/test_set_laws.py."""

from __future__ import annotations

from aks_egress.packets.addresses import parse
from aks_egress.packets.boxes import TCP, UDP, Box, merge
from aks_egress.packets.extents import NOTHING, Extent, joined
from aks_egress.packets.intervals import EMPTY, IntervalSet

HTTPS = Box(
    parse("10.0.0.0/24"),
    parse("20.0.0.0/8"),
    IntervalSet.single(TCP),
    IntervalSet.single(1024, 65535),
    IntervalSet.single(443),
)


def test_a_box_without_any_member_in_one_part_is_none() -> None:
    """Another port, another protocol, another family: nothing is left."""
    assert HTTPS.meet(HTTPS._replace(port=IntervalSet.single(80))) is None
    assert HTTPS.meet(HTTPS._replace(protocol=IntervalSet.single(UDP))) is None
    assert HTTPS.meet(HTTPS._replace(destination=parse("::/0"))) is None


def test_narrowing_the_protocol_never_widens_the_ports() -> None:
    """A rule for every protocol and port 443 stays at 443 for TCP."""
    met = Box(port=IntervalSet.single(443)).meet(Box(protocol=IntervalSet.single(TCP)))
    assert met is not None
    assert met.port == IntervalSet.single(443)


def test_the_example_is_an_address_that_a_host_can_have() -> None:
    """Azure keeps the first four of a subnet."""
    shown = HTTPS.example().as_dict()
    assert shown == {"source": "10.0.0.4", "destination": "20.0.0.4", "protocol": "TCP", "port": 443}


def test_an_unnamed_protocol_is_shown_by_its_number() -> None:
    """41 has no name here."""
    assert HTTPS._replace(protocol=IntervalSet.single(41)).example().as_dict()["protocol"] == "41"


def test_boxes_that_differ_in_one_part_become_one() -> None:
    """And those that differ in two stay two."""
    other = HTTPS._replace(port=IntervalSet.single(80))
    assert merge([HTTPS, other]) == [HTTPS._replace(port=IntervalSet.of([(80, 80), (443, 443)]))]
    apart = other._replace(source=parse("10.9.0.0/24"))
    assert len(merge([HTTPS, apart])) == 2
    assert merge([]) == []


def test_an_extent_says_what_is_sure_and_what_is_possible() -> None:
    """Nothing outside of what is possible, everything that is sure."""
    known, open_ended = Extent.exactly(IntervalSet.single(1)), Extent.within(IntervalSet.single(1, 9))
    assert known.known
    assert not open_ended.known
    assert (known | open_ended) == Extent(IntervalSet.single(1), IntervalSet.single(1, 9))
    assert (known & open_ended) == Extent(EMPTY, IntervalSet.single(1))
    assert joined([known]) is known
    assert joined([]) == NOTHING
