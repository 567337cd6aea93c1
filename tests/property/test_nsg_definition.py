"""Security groups: the engine and the second definition agree on random groups in random networks."""

from __future__ import annotations

from random import Random

import pytest
from tests.builders import rid
from tests.property.answers import EVERYTHING, box_of, deciders_of
from tests.property.seeds import seeds
from tests.property.worlds import GROUPS, NODES, Estate, network, nodes_of, packets, security_group
from tests.spec import nsg
from tests.spec.world import Packet

from aks_egress.arm.ids import ResourceId
from aks_egress.evaluation.demand import Decider, Demand
from aks_egress.evaluation.filters import Filter
from aks_egress.packets.boxes import Box
from aks_egress.packets.intervals import IntervalSet

GROUP = rid("networkSecurityGroups", "nsg")


def _estate(seed: int, most: int = 8) -> Estate:
    rng = Random(seed)
    estate = network(rng, group=True, table=rng.random() < 0.6)
    security_group(rng, estate, most)
    return estate


def _filter(estate: Estate) -> Filter:
    hops = estate.hops()
    subnet = nodes_of(hops.topology)
    found = hops.security_groups(subnet, subnet.nsg, "subnet-nsg").options[0]
    assert found is not None
    return found


def _demand(estate: Estate) -> tuple[Demand, nsg.Filtered]:
    members = [frozenset(estate.rng.sample(GROUPS, estate.rng.choice((0, 0, 1, 2)))) for _ in range(2)]
    demand = Demand(
        boxes=(EVERYTHING,),
        source_groups=frozenset(ResourceId.parse(one) for one in members[0]),
        target_groups=frozenset(ResourceId.parse(one) for one in members[1]),
    )
    folded = [frozenset(one.lower() for one in side) for side in members]
    return demand, nsg.Filtered(estate.spec(), NODES, *folded)


def said(deciders: list[Decider]) -> set[tuple[str, str]]:
    """Deciders as the second definition names them."""
    return {(one.name, one.action.value) for one in deciders}


def agree(estate: Estate, ours: set[tuple[str, str]], theirs: set[tuple[str, str]], packet: Packet) -> None:
    """Equal where the documentation settles everything; else the engine leaves open at least what it leaves open."""
    if estate.doubtful:
        assert ours >= theirs, f"{packet}: the engine says {ours}, the definition {theirs}"
    else:
        assert ours == theirs, f"{packet}: the engine says {ours}, the definition {theirs}"


@pytest.mark.parametrize("seed", seeds(90))
def test_every_packet_is_decided_by_the_rule_that_the_definition_names(seed: int) -> None:
    """All packets are asked about at once, then looked up one by one."""
    estate = _estate(seed)
    found = _filter(estate)
    demand, view = _demand(estate)
    for direction in ("outbound", "inbound"):
        pieces = found.decide(demand, direction, [EVERYTHING])
        for packet in packets(estate, 80):
            agree(
                estate, said(deciders_of(pieces, packet)), nsg.answers(view, GROUP, direction, packet), packet
            )


@pytest.mark.parametrize("seed", seeds(30, start=1000))
def test_a_packet_asked_about_alone_gets_the_same_answer(seed: int) -> None:
    """The shortcuts that skip rules by their outermost values lose nothing."""
    estate = _estate(seed, most=20)
    found = _filter(estate)
    demand, view = _demand(estate)
    for packet in packets(estate, 100):
        pieces = found.decide(demand, "outbound", [box_of(packet)])
        agree(estate, said(deciders_of(pieces, packet)), nsg.answers(view, GROUP, "outbound", packet), packet)


@pytest.mark.parametrize("seed", seeds(20, start=2000))
def test_platform_traffic_is_decided_by_rules_that_name_its_tag_alone(seed: int) -> None:
    """N16: no other rule touches Azure DNS."""
    estate = _estate(seed)
    rng = estate.rng
    for row in estate.rows:
        for rule in row["properties"].get("securityRules", []):
            if rng.random() < 0.4:
                rule["properties"].pop("destinationAddressPrefixes", None)
                rule["properties"].pop("destinationApplicationSecurityGroups", None)
                rule["properties"]["destinationAddressPrefix"] = rng.choice(
                    ("AzurePlatformDNS", "azureplatformdns")
                )
    found = _filter(estate)
    demand, view = _demand(estate)
    asked = Demand(boxes=(EVERYTHING,), platform_tag="AzurePlatformDNS", source_groups=demand.source_groups)
    dns = Box(destination=IntervalSet.single(0xA83F8110))
    pieces = found.decide(asked, "outbound", [dns])
    for packet in packets(estate, 60):
        to_dns = Packet(packet.source, nsg.PLATFORM, packet.protocol, packet.source_port, packet.port)
        ours = said(deciders_of(pieces, to_dns))
        agree(estate, ours, nsg.platform_answers(view, GROUP, "AzurePlatformDNS", to_dns), to_dns)
