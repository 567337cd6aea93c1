"""Azure Firewall: the engine and the second definition agree on random policies and classic rules."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from random import Random

import pytest
from tests.builders import SCOPE, document, rid
from tests.property.answers import EVERYTHING, deciders_of
from tests.property.firewalls import ADDRESSES, GROUPS, firewall_rows
from tests.property.seeds import seeds
from tests.property.worlds import TAGS, edges, service_tags
from tests.spec import firewall
from tests.spec.world import Packet, World

from aks_egress.evaluation.demand import Decider, Demand
from aks_egress.evaluation.firewall import FirewallFilter
from aks_egress.packets.names import Match
from aks_egress.topology.firewalls import FirewallRule
from aks_egress.topology.model import Topology

FIREWALL = rid("azureFirewalls", "fw")
ASKED = ("", "mcr.microsoft.com", "eastus.data.mcr.microsoft.com", "notmcr.microsoft.com", "ntp.ubuntu.com")


def _connections(
    rng: Random, name: str, speaks: str, in_tag: bool, count: int
) -> Iterator[firewall.Connection]:
    places = [
        *ADDRESSES[1:],
        *(one for members in GROUPS.values() for one in members),
        *(p for m in TAGS.values() for p in m),
    ]
    here = [one for one in edges(places) if one.version == 4]
    near = [one for one in here if one in ipaddress.ip_network("10.0.0.0/8")]
    for _ in range(count):
        packet = Packet(
            rng.choice(near),
            rng.choice(here),
            rng.choice((6, 6, 6, 17, 1, 50)),
            50000,
            rng.choice((443, 443, 80, 8443, 9000, 1194, 1, 1023, 1024, 399, 400, 500, 501, 0, 65535)),
        )
        yield firewall.Connection(packet, name, speaks, in_tag)


def _said(deciders: list[Decider]) -> set[tuple[str, str]]:
    return {
        (one.detail.label if isinstance(one.detail, FirewallRule) else one.name, one.action.value)
        for one in deciders
    }


def _settled(world: World, name: str) -> bool:
    """Whether no network rule turns on what a name resolves to: without a host name the client's address may be one."""
    texts = [str(row["properties"]) for row in world.rows.values()]
    return bool(name) or not any("destinationFqdns" in text for text in texts)


@pytest.mark.parametrize("seed", seeds(150))
def test_every_connection_is_decided_by_the_rule_that_the_definition_names(seed: int) -> None:
    """Network rules first, then application rules, parents before children, deny at the end."""
    rng = Random(seed)
    rows = firewall_rows(rng)
    world = World.of(SCOPE, rows, TAGS)
    topology = Topology([document(*rows)], service_tags())
    found = topology.graph.of_kind("Microsoft.Network/azureFirewalls")[0]
    filtered = FirewallFilter(topology.firewall(found), service_tags(), Match.YES)
    for name in ASKED:
        speaks, in_tag = rng.choice(("https", "http")) if name else "", rng.random() < 0.5
        demand = Demand(boxes=(EVERYTHING,), name=name, layer7=speaks, in_fqdn_tag=in_tag)
        pieces = filtered.decide(demand, [EVERYTHING])
        for connection in _connections(rng, name, speaks, in_tag, 30):
            ours = _said(deciders_of(pieces, connection.packet))
            theirs = firewall.answers(world, FIREWALL, connection)
            if _settled(world, name):
                assert _agree(ours, theirs), f"{connection}: the engine says {ours}, the definition {theirs}"
            else:
                assert ours & theirs, f"{connection}: the engine says {ours}, the definition {theirs}"


def _agree(ours: set[tuple[str, str]], theirs: set[tuple[str, str]]) -> bool:
    """Rules of one collection share its action, so any of them may be named; what they do must be the same."""
    actions = [{action for _, action in side} for side in (ours, theirs)]
    return ours <= theirs and actions[0] == actions[1]
