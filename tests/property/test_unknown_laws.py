"""More unknown, never more certain: replace any value of a network by an unknown, and no answer turns into another."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from ipaddress import ip_address
from random import Random
from typing import Any

import pytest
from tests import builders as b
from tests.property.firewalls import firewall_rows
from tests.property.judging import Judge, Ways
from tests.property.seeds import seeds
from tests.property.worlds import Estate, Row, network, packets, security_group, service_tags
from tests.spec.world import Packet

from aks_egress.evaluation.demand import Demand
from aks_egress.evaluation.firewall import FirewallFilter
from aks_egress.packets.addresses import parse
from aks_egress.packets.boxes import Box
from aks_egress.packets.intervals import IntervalSet
from aks_egress.packets.names import Match
from aks_egress.topology.model import Topology
from aks_egress.values import Unknown

PUBLIC_SPACES = ("20.1.4.0/23", "20.9.0.0/16", "2001:db8:1::/48")
LOST = Unknown("known only after deployment")
TO_THE_SPACE = Packet(ip_address("10.0.0.4"), ip_address("20.1.5.1"), 6, 50000, 443)
Place = tuple[str | int, ...]


def _places(value: Any, here: Place = ()) -> Iterator[Place]:
    """Every value inside properties, containers included, save the names that say what a thing is."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in ("name", "type", "apiVersion"):
                yield (*here, key)
                yield from _places(item, (*here, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield (*here, i)
            yield from _places(item, (*here, i))


def _without(rows: list[Row], place: Place) -> list[Row]:
    changed: Any = copy.deepcopy(rows)
    holder = changed
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = LOST
    return list(changed)


def _estate(seed: int) -> Estate:
    rng = Random(seed)
    estate = network(
        rng, group=True, table=rng.random() < 0.8, services=rng.choice(((), ("Microsoft.Storage",)))
    )
    security_group(rng, estate, most=4)
    for row in estate.rows:
        space = row["properties"].get("addressSpace")
        if space:  # a space that is not known is taken to be private, see below
            private = [one for one in space["addressPrefixes"] if one not in PUBLIC_SPACES]
            space["addressPrefixes"] = [one.replace("10.0.0.0/7", "10.0.0.0/8") for one in private]
    return estate


def _loses_certainty(before: Ways, after: Ways) -> bool:
    """Nothing that was possible has become impossible, unless the answer now says that it is open."""
    return len(after) > 1 or after <= {"?", "unknown"} or after == before


@pytest.mark.parametrize("seed", seeds(40))
def test_an_unknown_value_opens_answers_and_flips_none(seed: int) -> None:
    """Each place in turn, looked at with packets at the edges of everything."""
    estate = _estate(seed)
    judge = Judge.of(estate.rows, service_tags())
    asked = list(packets(estate, 12))
    before = [(judge.filtered(one), judge.filtered(one, "inbound"), judge.routed(one)) for one in asked]
    places = [place for place in _places(estate.rows) if len(place) > 2 and place[1] == "properties"]
    estate.rng.shuffle(places)
    for place in places[:14]:
        changed = Judge.of(_without(estate.rows, place), service_tags())
        for packet, known in zip(asked, before, strict=True):
            after = changed.filtered(packet), changed.filtered(packet, "inbound"), changed.routed(packet)
            for old, new in zip(known, after, strict=True):
                assert _loses_certainty(old, new), f"{place} unknown turns {old} into {new} for {packet}"


def _decided(rows: list[Row], boxes: list[Box], **demand: Any) -> list[set[str]]:
    """What a firewall may do with each of some packets."""
    topology = Topology([b.document(*rows)], service_tags())
    found = topology.graph.of_kind("Microsoft.Network/azureFirewalls")[0]
    asked = FirewallFilter(topology.firewall(found), service_tags(), Match.YES)
    pieces = [asked.decide(Demand(boxes=(box,), **demand), [box]) for box in boxes]
    return [{one.action.value for piece in some for one in piece.deciders} for some in pieces]


@pytest.mark.parametrize("seed", seeds(60, start=400))
def test_an_unknown_value_in_a_firewall_flips_nothing(seed: int) -> None:
    """Rules, collections, groups, policies, IP groups."""
    rng = Random(seed)
    rows = firewall_rows(rng)
    boxes = [
        Box(
            parse("10.0.0.4"),
            parse(target),
            IntervalSet.single(protocol),
            IntervalSet.single(50000),
            IntervalSet.single(port),
        )
        for target in ("20.1.2.3", "20.2.0.10", "10.0.0.9")
        for protocol, port in ((6, 443), (6, 80), (17, 1194), (1, 0))
    ]
    places = [place for place in _places(rows) if len(place) > 2 and place[1] == "properties"]
    rng.shuffle(places)
    for demand in ({}, {"name": "mcr.microsoft.com", "layer7": "https", "in_fqdn_tag": True}):
        before = _decided(rows, boxes, **demand)
        for place in places[:12]:
            after = _decided(_without(rows, place), boxes, **demand)
            for old, new in zip(before, after, strict=True):
                assert len(new) > 1 or new in ({"unknown"}, old), f"{place} unknown turns {old} into {new}"


def test_a_network_whose_space_is_not_known_is_taken_to_use_private_addresses() -> None:
    """Where the law does not hold, on purpose.

    Any peer that is not among the inputs could use public addresses of its own; if that counted, nothing behind
    the default rule AllowInternetOutBound could ever be called open.
    """
    given = b.vnet("net", ["10.0.0.0/16", "20.1.4.0/23"], b.subnet("nodes", "10.0.0.0/22", nsg="nsg"))
    group = b.nsg("nsg", b.rule("deny", 100, "Deny", to="VirtualNetwork"))
    assert Judge.of([given, group], service_tags()).filtered(TO_THE_SPACE) == {"deny"}
    given["properties"]["addressSpace"]["addressPrefixes"][1] = LOST
    assert Judge.of([given, group], service_tags()).filtered(TO_THE_SPACE) == {"allow"}
