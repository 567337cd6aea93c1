"""Admin rules: the engine and the second definition agree on random collections."""

from __future__ import annotations

from random import Random

import pytest
from tests import builders as b
from tests.property.answers import EVERYTHING, deciders_of
from tests.property.seeds import seeds
from tests.property.worlds import NODES, Estate, network, nodes_of, packets, respelled, service_tags
from tests.spec import nsg
from tests.spec.world import Row

from aks_egress.evaluation.demand import Demand
from aks_egress.evaluation.hops import Hops
from aks_egress.topology.model import Topology

COLLECTION = "networkManagers/securityAdminConfigurations/ruleCollections"
SIDES = (
    "0.0.0.0/0",
    "10.0.0.0/16",
    "20.0.0.0/8",
    "20.1.4.0/23",
    "AzureCloud.eastus",
    "Storage",
    "Internet",
    "VirtualNetwork",
)


def _manager(rules: list[Row]) -> list[Row]:
    group = b.rid("networkManagers/networkGroups", "m", "all")
    member = {"resourceId": b.rid("virtualNetworks", "net")}
    return [
        b.resource("networkManagers/networkGroups", "m/all", {}),
        b.resource("networkManagers/networkGroups/staticMembers", "m/all/net", member),
        b.resource(COLLECTION, "m/config/rules", {"appliesToGroups": [{"networkGroupId": group}]}),
        *rules,
    ]


def _rules(rng: Random) -> list[Row]:
    return [_rule(rng, i, priority) for i, priority in enumerate(rng.sample(range(1, 30), rng.randint(1, 6)))]


def _rule(rng: Random, i: int, priority: int) -> Row:
    given: Row = {
        "access": respelled(rng, rng.choice(("Allow", "AlwaysAllow", "Deny"))),
        "direction": "Outbound",
        "priority": priority,
        "protocol": rng.choice(("Any", "Tcp", "Udp")),
    }
    if rng.random() < 0.7:
        given["destinationPortRanges"] = rng.sample(("443", "1-1023", "0-65535", "9000"), rng.randint(1, 2))
    for side in ("sources", "destinations"):
        if rng.random() < 0.7:
            given[side] = [_end(one) for one in rng.sample(SIDES, rng.randint(1, 2))]
    return b.resource(f"{COLLECTION}/rules", f"m/config/rules/rule{i}", given)


def _end(prefix: str) -> Row:
    return {"addressPrefix": prefix, "addressPrefixType": "IPPrefix" if prefix[0].isdigit() else "ServiceTag"}


def _settled(rng: Random) -> Estate:
    """A network of which the documentation leaves nothing open."""
    while (estate := network(rng)).doubtful:
        continue
    return estate


@pytest.mark.parametrize("seed", seeds(80))
def test_every_packet_is_decided_by_the_admin_rule_that_the_definition_names(seed: int) -> None:
    """Deny, deliver past the groups, or on to them."""
    estate = _settled(Random(seed))
    rules = _rules(estate.rng)
    estate.rows += _manager(rules)
    topology = Topology([b.document(*estate.rows)], service_tags())
    found = Hops(topology).admin_rules(nodes_of(topology))
    assert found is not None
    view = nsg.Filtered(estate.spec(), NODES)
    pieces = found.decide(Demand(boxes=(EVERYTHING,)), "outbound", [EVERYTHING])
    for packet in packets(estate, 60):
        ours = {
            (one.name, one.action.value.replace("allow", "alwaysallow"))
            for one in deciders_of(pieces, packet)
        }
        assert ours == {nsg.admin_answer(view, rules, "outbound", packet)}, packet
