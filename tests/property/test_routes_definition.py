"""Route selection: the engine and the second definition agree on random tables in random networks."""

from __future__ import annotations

from random import Random

import pytest
from tests.property.answers import EVERYTHING, deciders_of
from tests.property.seeds import seeds
from tests.property.worlds import NODES, Estate, network, nodes_of, packets, service_tags
from tests.spec import routes
from tests.spec.world import Packet

from aks_egress.evaluation.demand import Decider, Demand
from aks_egress.evaluation.routes import RouteSelection, Way
from aks_egress.packets.boxes import Box
from aks_egress.packets.names import Match

SERVICES = ("Microsoft.Storage", "microsoft.sql")


def _selection(estate: Estate, gateway: Match) -> RouteSelection:
    topology = estate.topology()
    subnet = nodes_of(topology)
    table = topology.table(subnet.route_table.sole) if subnet.route_table.sole else None
    return RouteSelection(subnet, table, service_tags(), gateway)


def _ways(deciders: list[Decider]) -> set[tuple[str, str]]:
    """The next hops, as the second definition names them."""
    out = set()
    for one in deciders:
        way = one.detail
        assert isinstance(way, Way)
        name = way.route.name if way.route else way.peering.name if way.peering else ""
        out.add((way.hop, name))
    return out


def _estate(seed: int) -> Estate:
    rng = Random(seed)
    services = rng.sample(SERVICES, rng.choice((0, 0, 1, 2)))
    return network(rng, table=rng.random() < 0.85, services=services)


@pytest.mark.parametrize("seed", seeds(200))
def test_every_destination_takes_the_route_that_the_definition_names(seed: int) -> None:
    """Where a peering is one-sided the engine may leave more open, never less."""
    estate = _estate(seed)
    learned = estate.rng.random() < 0.3
    selection = _selection(estate, Match.YES if learned else Match.NO)
    world = estate.spec()
    one_sided = any(carries is None for _, _, carries in world.peers(NODES.rsplit("/subnets/", 1)[0]))
    pieces = selection.decide(Demand(boxes=(EVERYTHING,)), [EVERYTHING])
    for packet in packets(estate, 120):
        ours = _ways(deciders_of(pieces, packet))
        theirs = routes.answers(world, NODES, packet.destination, default_learned=learned)
        if one_sided or learned:
            assert ours >= theirs, f"{packet.destination}: the engine says {ours}, the definition {theirs}"
            assert ours <= theirs | _left_open(packet, one_sided, learned), (
                f"{packet.destination}: {ours}, {theirs}"
            )
        else:
            assert ours == theirs, f"{packet.destination}: the engine says {ours}, the definition {theirs}"


def _left_open(packet: Packet, one_sided: bool, learned: bool) -> set[tuple[str, str]]:
    """What the engine may add beyond the definition's answer: one-sided peerings, and gateways' private routes."""
    extra = {("VNetPeering", f"to-peer{i}") for i in range(2)} if one_sided else set()
    return extra | (
        {("VirtualNetworkGateway", "")} if learned and not packet.destination.is_global else set()
    )


@pytest.mark.parametrize("seed", seeds(40, start=500))
def test_asking_for_a_part_answers_as_asking_for_everything(seed: int) -> None:
    """The answer on a packet does not turn on what else was asked."""
    estate = _estate(seed)
    selection = _selection(estate, Match.NO)
    everything = selection.decide(Demand(boxes=(EVERYTHING,)), [EVERYTHING])
    for packet in packets(estate, 40):
        alone = Box(destination=type(EVERYTHING.destination).single(_number(packet)))
        part = selection.decide(Demand(boxes=(alone,)), [alone])
        assert _ways(deciders_of(part, packet)) == _ways(deciders_of(everything, packet))


def _number(packet: Packet) -> int:
    from tests.property.answers import numbers

    return numbers(packet).destination
