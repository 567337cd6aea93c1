"""Service tags: what names alone say never contradicts what the published data says."""

from __future__ import annotations

import ipaddress
import json
import os
from pathlib import Path
from random import Random

import pytest
from tests.property.judging import Judge
from tests.property.seeds import seeds
from tests.property.worlds import TAGS, network, packets, security_group, service_tags
from tests.spec.world import Packet

from aks_egress.evaluation.routes import SHORTEST_TAG_PREFIX
from aks_egress.packets.addresses import ALL_V4
from aks_egress.packets.intervals import EMPTY, IntervalSet
from aks_egress.packets.names import Match
from aks_egress.packets.tags import ServiceTags, relation

PUBLISHED = os.environ.get("AKS_EGRESS_TEST_SERVICE_TAGS", "")


def _contradictions(tags: ServiceTags, rules: list[str], demands: list[str]) -> list[tuple[str, str, Match]]:
    out = []
    for rule in rules:
        for demand in demands:
            said = relation(rule, demand)
            if said is Match.MAYBE:
                continue
            covers, wanted = tags.prefixes(rule), tags.prefixes(demand)
            assert covers is not None
            assert wanted is not None
            holds = _v4(wanted) <= covers if said is Match.YES else (_v4(wanted) & covers) == EMPTY
            if not holds:
                out.append((rule, demand, said))
    return out


def _v4(members: IntervalSet) -> IntervalSet:
    return members & ALL_V4


def test_names_agree_with_the_small_data() -> None:
    """Every pair of the tags that the random networks use."""
    tags = service_tags()
    assert _contradictions(tags, sorted(TAGS), sorted(TAGS)) == []


@pytest.mark.skipif(not PUBLISHED, reason="set AKS_EGRESS_TEST_SERVICE_TAGS to Microsoft's weekly file")
def test_names_agree_with_the_published_data() -> None:
    """Measured: whatever is said by name alone holds on the file, IPv4 members (U7)."""
    tags = ServiceTags.from_json(json.loads(Path(PUBLISHED).read_text(encoding="utf-8")))
    names = sorted(tags.members)
    ours = [
        one for one in names if "." not in one or one.endswith((".eastus", ".francecentral", ".westeurope"))
    ]
    clouds = [one for one in names if one.startswith("azurecloud")]
    assert _contradictions(tags, [*ours, *clouds], [*ours, *clouds]) == []


@pytest.mark.skipif(not PUBLISHED, reason="set AKS_EGRESS_TEST_SERVICE_TAGS to Microsoft's weekly file")
def test_no_published_prefix_is_shorter_than_assumed() -> None:
    """A tag route without data is certain only above prefixes shorter than any that a tag holds."""
    tags = ServiceTags.from_json(json.loads(Path(PUBLISHED).read_text(encoding="utf-8")))
    lengths = [ipaddress.ip_network(text).prefixlen for members in tags.members.values() for text in members]
    assert min(lengths) >= SHORTEST_TAG_PREFIX


@pytest.mark.parametrize("seed", seeds(60))
def test_without_data_an_answer_is_open_or_the_same(seed: int) -> None:
    """A packet into a tag, judged by the tag's name alone and with the data: never opposite."""
    rng = Random(seed)
    estate = network(rng, group=True, table=rng.random() < 0.5)
    security_group(rng, estate)
    with_data, without = Judge.of(estate.rows, service_tags()), Judge.of(estate.rows, ServiceTags())
    for tag, members in TAGS.items():
        for packet in _into(rng, members, list(packets(estate, 3))):
            known, by_name = with_data.filtered(packet, lies_in=tag), without.filtered(packet, lies_in=tag)
            assert len(by_name) > 1 or by_name == known, (
                f"{packet} into {tag}: {by_name} by name, {known} with data"
            )


def _into(rng: Random, members: list[str], some: list[Packet]) -> list[Packet]:
    out = []
    for packet in some:
        inside = ipaddress.ip_network(rng.choice([one for one in members if ":" not in one]))
        target = inside[rng.choice((0, -1, inside.num_addresses // 2))]
        out.append(Packet(packet.source, target, packet.protocol, packet.source_port, packet.port))
    return out


@pytest.mark.parametrize("seed", seeds(40, start=100))
def test_routes_without_data_are_open_or_the_same(seed: int) -> None:
    """The same for the route of a packet."""
    rng = Random(seed)
    estate = network(rng, table=True, services=rng.choice(((), ("Microsoft.Storage",), ("Microsoft.Sql",))))
    with_data, without = Judge.of(estate.rows, service_tags()), Judge.of(estate.rows, ServiceTags())
    for packet in packets(estate, 20):
        known, by_name = with_data.routed(packet), without.routed(packet)
        assert len(by_name) > 1 or by_name == known, f"{packet}: {by_name} by name, {known} with data"


def test_maybe_is_not_passed_on() -> None:
    """A law that does not hold: X may cover Y and Y may cover Z, and X covers nothing of Z."""
    assert relation("Storage", "AzureCloud") is Match.MAYBE
    assert relation("AzureCloud", "Storage") is Match.MAYBE
    assert relation("AzureFrontDoor.FirstParty", "Storage") is Match.MAYBE
    assert relation("AzureFrontDoor.FirstParty", "AzureCloud") is Match.NO


def test_covering_is_not_symmetric() -> None:
    """A law that does not hold: the region lies in the whole, not the whole in the region."""
    assert relation("AzureCloud", "AzureCloud.eastus") is Match.YES
    assert relation("AzureCloud.eastus", "AzureCloud") is Match.MAYBE
