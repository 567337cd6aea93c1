"""Networks, subnets, peerings and the spaces they make together."""

from __future__ import annotations

from typing import Any

import pytest
from tests import builders as b

from aks_egress.packets.addresses import NEVER_INTERNET, parse
from aks_egress.packets.extents import NOTHING, Extent
from aks_egress.packets.names import Match
from aks_egress.packets.tags import ServiceTags
from aks_egress.topology.model import Topology
from aks_egress.topology.networks import Subnet, VirtualNetwork
from aks_egress.topology.spaces import carries, network_space, peer_space, reachable
from aks_egress.values import NOWHERE, Unknown

LOST = Unknown("known only after deployment")


def _topology(*rows: b.Row) -> Topology:
    return Topology([b.document(*rows)], ServiceTags())


def _subnet(topology: Topology, name: str = "nodes", network: str = "net") -> Subnet:
    document = topology.graph.documents[0]
    return topology.subnets.at(b.subnet_id(network, name), document, NOWHERE, "node subnet")


def _network(*rows: b.Row) -> VirtualNetwork:
    return _subnet(_topology(*rows)).network


def _net(*peerings: b.Row, space: Any = "10.0.0.0/16") -> b.Row:
    return b.vnet("net", space, b.subnet("nodes", "10.0.0.0/22"), peerings=peerings)


def test_a_subnet_knows_its_network_and_its_prefix() -> None:
    """Singular and plural alike, and each subnet is made once."""
    plural = b.vnet(
        "net",
        ["10.0.0.0/16", "10.9.0.0/16"],
        b.subnet("nodes", "", addressPrefixes=["10.0.0.0/22", "10.9.0.0/24"]),
    )
    topology = _topology(plural)
    subnet = _subnet(topology)
    assert subnet.prefixes == Extent.exactly(parse("10.0.0.0/22") | parse("10.9.0.0/24"))
    assert subnet.network.space == Extent.exactly(parse("10.0.0.0/16") | parse("10.9.0.0/16"))
    assert _subnet(topology, "NODES") is subnet
    assert subnet.label == "net/nodes"


def test_a_subnet_that_is_not_among_the_inputs_knows_nothing() -> None:
    """Its group and its table are unknown, not absent."""
    subnet = _subnet(_topology(b.nsg("other")))
    assert subnet.unknown is not None
    assert subnet.nsg.unknown is not None
    assert not subnet.route_table.absent
    assert subnet.prefixes == Extent.within(NEVER_INTERNET)
    assert isinstance(subnet.network.dns_servers, Unknown)


@pytest.mark.parametrize("prefix", ["", "10.0.0.1/22", "nonsense"])
def test_a_prefix_that_cannot_be_read_may_be_any_private_range(prefix: str) -> None:
    """Never the empty set."""
    subnet = _subnet(_topology(b.vnet("net", "10.0.0.0/16", b.subnet("nodes", prefix))))
    assert subnet.prefixes.possible == NEVER_INTERNET


def test_a_space_that_is_partly_not_known() -> None:
    """What is known is sure, the rest may be any private range."""
    network = _network(_net(space=["10.0.0.0/16", "x"]))
    assert network.space == Extent(parse("10.0.0.0/16"), NEVER_INTERNET)
    assert [one.spans for one in network.prefixes] == [parse("10.0.0.0/16").spans]


def test_something_that_is_no_subnet_is_no_subnet() -> None:
    """A node pool that names its network."""
    topology = _topology(_net())
    subnet = topology.subnets.at(
        b.rid("virtualNetworks", "net"), topology.graph.documents[0], NOWHERE, "node subnet"
    )
    assert subnet.unknown is not None
    assert "no subnet" in subnet.unknown.why


def test_a_peering_carries_when_both_sides_allow_it() -> None:
    """And adds the remote space to the network's."""
    hub = b.vnet("hub", "10.9.0.0/16", peerings=[b.peering("net")])
    network = _network(_net(b.peering("hub")), hub)
    assert carries(network, network.peerings[0]) == (Match.YES, "")
    assert network_space(network) == Extent.exactly(parse("10.0.0.0/16") | parse("10.9.0.0/16"))


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ({"allowVirtualNetworkAccess": False}, {}, Match.NO),
        ({}, {"allowVirtualNetworkAccess": False}, Match.NO),
        ({}, None, Match.MAYBE),
        ({"allowVirtualNetworkAccess": LOST}, {}, Match.MAYBE),
        ({}, {"allowVirtualNetworkAccess": LOST}, Match.MAYBE),
        ({"peeringState": "Initiated"}, {}, Match.NO),
        ({"peeringState": "Connected"}, None, Match.YES),
        ({"peeringState": LOST}, None, Match.MAYBE),
    ],
)
def test_whether_a_peering_carries(
    ours: dict[str, Any], theirs: dict[str, Any] | None, expected: Match
) -> None:
    """Both sides must exist and allow access; a live state of Connected proves both (R26)."""
    back = [] if theirs is None else [b.peering("net", **theirs)]
    network = _network(_net(b.peering("hub", **ours)), b.vnet("hub", "10.9.0.0/16", peerings=back))
    assert carries(network, network.peerings[0])[0] is expected


def test_a_peering_that_may_not_carry_adds_nothing_for_sure() -> None:
    """One-sided, shut, or only parts of the remote network."""
    hub = b.vnet("hub", "10.9.0.0/16")
    one_sided = _network(_net(b.peering("hub")), hub)
    assert peer_space(one_sided, one_sided.peerings[0]) == Extent.within(parse("10.9.0.0/16"))
    shut = _network(_net(b.peering("hub", allowVirtualNetworkAccess=False)), hub)
    assert peer_space(shut, shut.peerings[0]) == NOTHING
    back = b.vnet("hub", "10.9.0.0/16", peerings=[b.peering("net")])
    for part in (False, LOST):
        parts = _network(_net(b.peering("hub", peerCompleteVnets=part)), back)
        assert peer_space(parts, parts.peerings[0]).sure == NOTHING.sure


def test_a_remote_network_that_nobody_gave_is_known_by_what_the_peering_declares() -> None:
    """Live peerings list the remote space; without that it may be any private range."""
    declared = {"remoteAddressSpace": {"addressPrefixes": ["10.9.0.0/16"]}, "peeringState": "Connected"}
    network = _network(_net(b.peering("hub", **declared)))
    assert peer_space(network, network.peerings[0]) == Extent.exactly(parse("10.9.0.0/16"))
    silent = _network(_net(b.peering("hub", peeringState="Connected")))
    assert peer_space(silent, silent.peerings[0]) == Extent.within(NEVER_INTERNET)


def test_peerings_that_are_not_known_may_add_any_private_range() -> None:
    """A list that comes only with the deployment."""
    row = _net()
    row["properties"]["virtualNetworkPeerings"] = LOST
    network = _network(row)
    assert network.peerings_gap is LOST
    assert network_space(network) == Extent(parse("10.0.0.0/16"), NEVER_INTERNET | parse("10.0.0.0/16"))


def test_service_endpoints_are_read_from_both_forms() -> None:
    """Objects as ARM has them, plain names as some dialects do; unknown stays unknown."""
    rows = [{"service": "Microsoft.Storage"}, "Microsoft.Sql", {"service": LOST}]
    subnet = _subnet(
        _topology(b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/22", serviceEndpoints=rows)))
    )
    assert subnet.service_endpoints.known == ("Microsoft.Storage", "Microsoft.Sql")
    assert subnet.service_endpoints.unknown is LOST


def test_default_outbound_access_is_three_answers() -> None:
    """Given, not given, not known: the default changed with the API, so silence is not `true`."""
    for given, expected in ((False, False), (None, None), ("true", True)):
        row = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/22", defaultOutboundAccess=given))
        assert _subnet(_topology(row)).default_outbound is expected
    lost = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/22", defaultOutboundAccess=LOST))
    assert _subnet(_topology(lost)).default_outbound is LOST


def test_gateways_may_teach_routes() -> None:
    """A GatewaySubnet, a peer's gateway, peerings nobody knows; a network alone learns nothing."""
    alone = _topology(_net())
    assert alone.gateway(_subnet(alone).network) is Match.NO
    own = _topology(
        b.vnet(
            "net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/22"), b.subnet("GatewaySubnet", "10.0.255.0/27")
        )
    )
    assert own.gateway(_subnet(own).network) is Match.MAYBE
    remote = _topology(_net(b.peering("hub", useRemoteGateways=True)))
    assert remote.gateway(_subnet(remote).network) is Match.MAYBE


def test_a_secured_hub_teaches_the_default_route_only_where_it_surely_does() -> None:
    """R29: Internet security on the connection, and a routing intent for the Internet."""
    for security, expected in ((True, Match.YES), (LOST, Match.MAYBE), (None, Match.MAYBE)):
        connection = {
            "remoteVirtualNetwork": {"id": b.rid("virtualNetworks", "net")},
            "enableInternetSecurity": security,
        }
        policy = {"name": "p", "destinations": ["Internet"], "nextHop": b.rid("azureFirewalls", "fw")}
        topology = _topology(
            _net(),
            b.resource("virtualHubs", "hub", {}),
            b.resource("virtualHubs/hubVirtualNetworkConnections", "hub/net", connection),
            b.resource("virtualHubs/routingIntent", "hub/intent", {"routingPolicies": [policy]}),
        )
        assert topology.gateway(_subnet(topology).network) is expected


def test_a_network_that_is_not_known_may_be_a_peered_one() -> None:
    """Not knowing where a next hop lives is no proof that it cannot be reached."""
    hub = b.vnet("hub", "10.9.0.0/16", peerings=[b.peering("net")])
    topology = _topology(_net(b.peering("hub")), hub, b.vnet("far", "10.20.0.0/16"))
    network = _subnet(topology).network
    assert reachable(network, topology.networks.of(None, None))[0] is Match.MAYBE
    rows = {one.name: one for one in topology.graph.of_kind("Microsoft.Network/virtualNetworks")}
    assert reachable(network, topology.networks.of(rows["hub"], None))[0] is Match.YES
    assert reachable(network, topology.networks.of(rows["far"], None))[0] is Match.NO
