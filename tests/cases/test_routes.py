"""Worked examples TR1 to TR16: which route a packet takes.

Sources: Microsoft's pages virtual-networks-udr-overview, diagnose-vm-network-routing-problem,
default-outbound-access, nat-overview, what-is-ip-address-168-63-129-16; route-server-faq.
"""

from __future__ import annotations

import pytest
from tests import builders as b

from aks_egress.findings.report import Flow
from aks_egress.packets.tags import ServiceTags

APPLIANCE = "10.0.100.4"
STORAGE = "20.60.7.7"
#: 20.60.0.0/16 is a member of Storage in the weekly data
TAGS = ServiceTags(members={"storage": ["20.60.0.0/16"]}, source="file")

DOCUMENTED = b.table(
    "rt",
    b.route("net-to-appliance", "10.0.0.0/16", "VirtualAppliance", APPLIANCE),
    b.route("subnet-local", "10.0.0.0/24", "VnetLocal"),
    b.route("drop-peer-1", "10.1.0.0/16", "None"),
    b.route("drop-peer-2", "10.2.0.0/16", "None"),
    b.route("premises", "10.10.0.0/16", "VirtualAppliance", APPLIANCE),
    b.route("default", "0.0.0.0/0", "VirtualAppliance", APPLIANCE),
)


def documented(subnet: str) -> tuple[b.Row, ...]:
    """The network of Microsoft's routing example, with nodes in one of its subnets."""
    return (
        b.vnet(
            "net",
            "10.0.0.0/16",
            b.subnet("subnet1", "10.0.0.0/24", table="rt", services=["Microsoft.Storage"]),
            b.subnet("subnet2", "10.0.1.0/24"),
            peerings=[b.peering("vnet2")],
        ),
        b.vnet("vnet2", ["10.1.0.0/16", "10.2.0.0/16"], peerings=[b.peering("net")]),
        DOCUMENTED,
        b.cluster(subnet, outbound="loadBalancer"),
    )


def routed(rows: tuple[b.Row, ...], target: str, tags: ServiceTags = TAGS) -> Flow:
    return b.flow(b.judged(*rows, asks=[b.wants(target)], tags=tags), target)


def route_of(found: Flow) -> list[str]:
    return [hop.rule for hop in b.hops(found, "route")]


@pytest.mark.parametrize(
    ("number", "target", "route", "verdict"),
    [
        ("TR1", "10.0.0.7", "subnet-local", "open"),
        ("TR2", "10.0.1.7", "net-to-appliance", "unknown"),
        ("TR3", "10.1.3.4", "drop-peer-1", "blocked"),
        ("TR4", "10.10.1.1", "premises", "unknown"),
        ("TR5", STORAGE, "service endpoint Microsoft.Storage", "open"),
        ("TR6", "8.8.8.8", "default", "unknown"),
        ("TR7", "192.168.5.5", "default", "unknown"),
    ],
    ids=lambda value: value if str(value).startswith("TR") else "",
)
def test_tr1_to_tr7_routes_of_the_documented_subnet(
    number: str, target: str, route: str, verdict: str
) -> None:
    """What goes to the appliance is unknown beyond it, since nobody describes it."""
    found = routed(documented("subnet1"), target)
    assert {hop.rule for hop in b.hops(found, "route", "appliance")} == {route}, number
    assert found.verdict == verdict


@pytest.mark.parametrize("target", ["10.0.1.7", "10.10.1.1", "8.8.8.8", "192.168.5.5"])
def test_tr2_tr4_tr6_tr7_the_appliance_is_named_as_the_one_to_ask(target: str) -> None:
    found = routed(documented("subnet1"), target)
    assert APPLIANCE in " ".join(f"{hop.resource} {hop.reason}" for hop in b.hops(found, "appliance"))


@pytest.mark.parametrize(
    ("target", "route", "verdict"),
    [
        ("10.20.0.1", "reserved range", "blocked"),
        ("10.1.0.5", "peering to-vnet2", "open"),
        ("8.8.8.8", "default route", "open"),
    ],
)
def test_tr8_a_subnet_without_a_table_has_the_systems_routes(target: str, route: str, verdict: str) -> None:
    found = routed(documented("subnet2"), target)
    assert route_of(found) == [route]
    assert found.verdict == verdict


def plain(
    *routes: b.Row, outbound: str = "loadBalancer", more: tuple[b.Row, ...] = (), **subnet: object
) -> tuple[b.Row, ...]:
    """One network, one node subnet, one table."""
    nodes = b.subnet("nodes", "10.0.0.0/24", table="rt" if routes else "", **subnet)  # type: ignore[arg-type]
    subnets = [nodes, *(row for row in more if "type" not in row)]
    return (
        b.vnet("net", "10.0.0.0/16", *subnets),
        b.table("rt", *routes),
        b.cluster("nodes", outbound=outbound),
        *(row for row in more if "type" in row),
    )


GATEWAY_SUBNET = b.subnet("GatewaySubnet", "10.0.255.0/27")


def test_tr9_system_routes_lead_to_the_internet_and_drop_private_ranges() -> None:
    out, private = routed(plain(), "13.107.21.200"), routed(plain(), "172.31.0.100")
    assert (route_of(out), out.verdict) == (["default route"], "open")
    assert (route_of(private), private.verdict) == (["reserved range"], "blocked")


def test_tr10_the_longest_prefix_wins() -> None:
    rows = plain(b.route("wide", "10.0.0.0/16", "None"), b.route("narrow", "10.0.0.0/24", "VnetLocal"))
    assert routed(rows, "10.0.0.5").verdict == "open"
    assert b.blockers(routed(rows, "10.0.1.5")) == [("route", "wide")]


def test_tr11_a_tag_route_to_the_internet_needs_an_outbound_method_in_a_private_subnet() -> None:
    rows = plain(
        b.route("default", "0.0.0.0/0", "VirtualAppliance", APPLIANCE),
        b.route("storage", "Storage", "Internet"),
        outbound="userDefinedRouting",
        defaultOutboundAccess=False,
    )
    found = routed(rows, STORAGE)
    assert found.verdict == "blocked"
    assert [hop.decision for hop in b.hops(found, "outbound")] == ["deny"]
    assert route_of(found) == ["storage"]


def test_tr12_a_user_route_beats_a_learned_one_and_a_learned_default_is_never_taken_for_the_internet() -> (
    None
):
    default = b.route("default", "0.0.0.0/0", "VirtualAppliance", APPLIANCE)
    with_route = plain(default, more=(GATEWAY_SUBNET,))
    assert route_of(routed(with_route, "8.8.8.8"))[:1] == ["default"]
    assert "gateway routes" not in route_of(routed(with_route, "8.8.8.8"))
    learned = routed(plain(more=(GATEWAY_SUBNET,)), "20.42.0.9")
    assert "gateway routes" in route_of(learned)
    assert learned.verdict == "unknown"


def test_tr13_learned_routes_never_take_traffic_within_the_network() -> None:
    found = routed(plain(more=(GATEWAY_SUBNET,)), "10.0.5.7")
    assert (route_of(found), found.verdict) == (["virtual network"], "open")


def test_tr14_an_explicit_prefix_beats_a_tag_of_the_same_length() -> None:
    rows = plain(
        b.route("tag", "Storage", "VirtualAppliance", APPLIANCE), b.route("range", "20.60.0.0/16", "Internet")
    )
    found = routed(rows, STORAGE)
    assert (route_of(found), found.verdict) == (["range"], "open")


def test_tr15_a_nat_gateway_serves_what_routes_send_to_the_internet() -> None:
    nat = b.resource("natGateways", "nat", {"publicIpAddresses": [{"id": b.rid("publicIPAddresses", "pip")}]})
    straight = routed(plain(nat="nat", outbound="userAssignedNATGateway", more=(nat,)), "8.8.8.8")
    assert straight.verdict == "open"
    assert [hop.rule for hop in b.hops(straight, "outbound")] == ["nat"]
    default = b.route("default", "0.0.0.0/0", "VirtualAppliance", APPLIANCE)
    appliance = routed(plain(default, nat="nat", outbound="userAssignedNATGateway", more=(nat,)), "8.8.8.8")
    assert b.hops(appliance, "outbound") == []
    assert appliance.verdict == "unknown"


def test_tr16_no_route_applies_to_the_platform_address() -> None:
    rows = plain(b.route("default", "0.0.0.0/0", "None"))
    platform = [one for one in b.sole(b.judged(*rows)).flows if one.destination.kind == "platform"]
    assert platform
    assert {one.verdict for one in platform} == {"open"}
