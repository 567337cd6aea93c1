"""Route tables as written."""

from __future__ import annotations

from typing import Any

import pytest
from tests import builders as b

from aks_egress.arm.graph import Graph
from aks_egress.packets.addresses import ALL_V4
from aks_egress.topology.routing import RouteTable, route_table
from aks_egress.values import Unknown

LOST = Unknown("known only after deployment")


def _read(*routes: b.Row, **properties: Any) -> RouteTable:
    document = b.document(b.table("table", *routes, **properties))
    return route_table(Graph([document]), document.resources[0])


def test_a_route_is_read_without_regard_to_case() -> None:
    """The next hop type gets its one spelling."""
    route = _read(b.route("all", "0.0.0.0/0", "virtualAPPLIANCE", "10.0.0.4")).routes[0]
    assert (route.prefix, route.hop, route.hop_addresses) == (ALL_V4, "VirtualAppliance", ("10.0.0.4",))
    assert _read(b.route("here", "10.0.0.0/8", "VNETLOCAL")).routes[0].hop == "VnetLocal"


def test_a_service_tag_is_a_target() -> None:
    """Its prefixes are worked out where the data is at hand."""
    route = _read(b.route("storage", "Storage.westeurope", "Internet")).routes[0]
    assert (route.tag, route.prefix, route.problems) == ("Storage.westeurope", None, ())


@pytest.mark.parametrize(
    "prefix",
    [
        "10.0.0.1/8",
        "10.0.0.1-10.0.0.9",
        "",
        "VirtualNetwork",
        "internet",
        "mcr.microsoft.com",
        "AzureKubernetesService",
    ],
)
def test_a_target_that_azure_refuses_may_be_any(prefix: str) -> None:
    """The route is not dropped: until it is mended nobody knows what it covers."""
    route = _read(b.route("r", prefix, "None")).routes[0]
    assert route.problems
    assert route.unknown is not None
    assert (route.prefix, route.tag) == (None, "")


def test_an_appliance_without_an_address_is_a_problem() -> None:
    """And an unknown address is kept."""
    assert _read(b.route("all", "0.0.0.0/0", "VirtualAppliance")).routes[0].problems
    route = b.route("all", "0.0.0.0/0", "VirtualAppliance")
    route["properties"]["nextHopIpAddress"] = LOST
    assert _read(route).routes[0].hop_addresses == (LOST,)


def test_several_appliances_share_a_route() -> None:
    """`VirtualApplianceEcmp` lists its addresses elsewhere."""
    route = b.route("all", "0.0.0.0/0", "VirtualApplianceEcmp")
    route["properties"]["nextHop"] = {"nextHopIpAddresses": ["10.0.0.4", "10.0.0.5"]}
    assert _read(route).routes[0].hop_addresses == ("10.0.0.4", "10.0.0.5")


@pytest.mark.parametrize("hop", [None, "", "Firewall", LOST])
def test_a_next_hop_that_is_not_known_is_no_next_hop(hop: object) -> None:
    """Unknown, never a default."""
    route = b.route("all", "0.0.0.0/0", "None")
    route["properties"]["nextHopType"] = hop
    assert isinstance(_read(route).routes[0].hop, Unknown)


def test_propagation_is_the_inverse_of_what_the_property_says() -> None:
    """On unless disabled; unknown stays unknown."""
    assert _read(disableBgpRoutePropagation=True).propagation is False
    assert _read(disableBgpRoutePropagation=None).propagation is True
    assert isinstance(_read(disableBgpRoutePropagation=LOST).propagation, Unknown)


def test_peering_routes_are_dropped_only_where_the_table_says_all() -> None:
    """R10."""
    assert _read(disablePeeringRoute="ALL").drops_peering is True
    assert _read().drops_peering is False
    assert isinstance(_read(disablePeeringRoute=LOST).drops_peering, Unknown)


def test_routes_that_are_not_known_are_a_gap() -> None:
    """The table may hold anything then."""
    assert _read(routes=LOST).gap is LOST
    assert _read().gap is None
