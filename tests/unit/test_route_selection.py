"""Route selection where something is not known: peerings, tables, service endpoints, gateways."""

from __future__ import annotations

from typing import Any

from tests import builders as b

from aks_egress.evaluation.demand import Demand
from aks_egress.evaluation.routes import RouteSelection
from aks_egress.packets.addresses import parse
from aks_egress.packets.boxes import Box
from aks_egress.packets.names import Match
from aks_egress.packets.tags import ServiceTags
from aks_egress.topology.model import Topology
from aks_egress.values import NOWHERE, Unknown

LOST = Unknown("known only after deployment")
HUB = b.vnet("hub", "10.9.0.0/16", peerings=[b.peering("net")])
TAGS = ServiceTags.from_json(
    {"values": [{"name": "Storage", "properties": {"addressPrefixes": ["20.1.0.0/16"]}}]}
)


def _said(
    target: str,
    *routes: b.Row,
    gateway: Match = Match.NO,
    tags: ServiceTags = TAGS,
    net: b.Row | None = None,
    **table: Any,
) -> set[str]:
    """Names of the routes that a packet may take."""
    row = net or _net()
    topology = Topology([b.document(row, HUB, b.table("table", *routes, **table))], tags)
    subnet = topology.subnets.at(
        b.subnet_id("net", "nodes"), topology.graph.documents[0], NOWHERE, "node subnet"
    )
    assert subnet.route_table.sole is not None
    selection = RouteSelection(subnet, topology.table(subnet.route_table.sole), tags, gateway)
    box = Box(destination=parse(target))
    return {one.name for piece in selection.decide(Demand(boxes=(box,)), [box]) for one in piece.deciders}


def _net(**subnet: Any) -> b.Row:
    return b.vnet(
        "net",
        "10.0.0.0/16",
        b.subnet("nodes", "10.0.0.0/22", table="table", **subnet),
        peerings=[b.peering("hub")],
    )


ALL = b.route("all", "0.0.0.0/0", "VirtualAppliance", "10.9.0.4")


def test_peering_routes_stay_unless_the_table_drops_them() -> None:
    """R10; a table that may drop them leaves it open."""
    assert _said("10.9.1.1", ALL) == {"peering to-hub"}
    assert _said("10.9.1.1", ALL, disablePeeringRoute="All") == {"all"}
    assert _said("10.9.1.1", ALL, disablePeeringRoute=LOST) == {"peering to-hub", "all"}


def test_a_gateway_may_teach_what_a_dropped_peering_led_to() -> None:
    """The peering's route shields its prefixes only while it is there."""
    shared: dict[str, Any] = {"gateway": Match.MAYBE, "disableBgpRoutePropagation": False}
    assert _said("10.9.1.1", ALL, **shared) == {"peering to-hub"}
    assert "gateway routes" in _said("10.9.1.1", ALL, disablePeeringRoute="All", **shared)
    assert _said("10.0.1.1", ALL, **shared) == {"virtual network"}


def test_peerings_that_are_not_known_may_lead_to_any_private_range() -> None:
    """Public addresses and the network itself are not in doubt."""
    net = _net()
    net["properties"]["virtualNetworkPeerings"] = LOST
    assert _said("10.50.0.1", ALL, net=net) == {"routes that are not known", "all"}
    assert _said("20.5.0.1", ALL, net=net) == {"all"}
    assert _said("10.0.1.1", ALL, net=net) == {"virtual network"}


def test_a_route_that_azure_refuses_may_take_any_packet() -> None:
    """It is not dropped in silence."""
    assert _said("20.5.0.1", ALL, b.route("broken", "10.0.0.1/8", "None")) == {"broken", "all"}


def test_a_service_endpoint_takes_what_its_tag_holds() -> None:
    """TR5: past the default route."""
    net = _net(services=["Microsoft.Storage"])
    assert _said("20.1.2.3", ALL, net=net) == {"service endpoint Microsoft.Storage"}
    assert _said("20.5.0.1", ALL, net=net) == {"all"}


def test_a_service_endpoint_of_a_service_nobody_here_knows_is_a_maybe() -> None:
    """It takes some public packets past the firewall, nobody can say which."""
    net = _net(services=["Microsoft.NewService"])
    assert _said("20.5.0.1", ALL, net=net) == {"service endpoint Microsoft.NewService", "all"}
    lost = _net(serviceEndpoints=[{"service": LOST}])
    assert _said("20.5.0.1", ALL, net=lost) == {"routes that are not known", "all"}
    assert _said("2603:1000::1", b.route("six", "::/0", "None"), net=lost) == {
        "routes that are not known",
        "six",
    }


def test_only_a_tag_route_ties_with_a_service_endpoint() -> None:
    """U13: an explicit prefix of the user wins, a tag leaves it open."""
    net = _net(services=["Microsoft.Storage"])
    tag, explicit = b.route("tag", "Storage", "Internet"), b.route("explicit", "20.1.0.0/16", "None")
    endpoint = "service endpoint Microsoft.Storage"
    assert _said("20.1.2.3", tag, net=net) == {"tag", endpoint}
    assert _said("20.1.2.3", tag, explicit, net=net) == {"explicit"}


def test_a_tag_route_without_data_is_a_maybe_above_every_prefix() -> None:
    """And certain above prefixes that are shorter than any a tag holds, for packets known to go into it."""
    tag = b.route("tag", "Storage", "Internet")
    assert _said("20.1.2.3", tag, ALL, tags=ServiceTags()) == {"tag", "all"}


def test_two_routes_of_one_prefix_leave_it_open() -> None:
    """R11: Azure refuses the second."""
    assert _said("20.1.2.3", ALL, b.route("other", "0.0.0.0/0", "None")) == {"all", "other"}
