"""Real mistakes M6, M7, M10 to M17, M19, M21 and M24: groups, routes and settings that cut AKS off.

Each was reported in public; the docstrings name the report.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests import builders as b

from aks_egress.findings.report import Report
from aks_egress.settings import Allow, Appliance

REGION = "AzureCloud.eastus"
API_SERVER = "*.hcp.eastus.azmk8s.io"


def behind(
    *rules: b.Row, outbound: str = "loadBalancer", location: str = "eastus", **cluster: Any
) -> tuple[b.Row, ...]:
    """Nodes behind one security group."""
    return (
        b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", nsg="nsg1")),
        b.nsg("nsg1", *rules),
        b.cluster("nodes", outbound=outbound, location=location, **cluster),
    )


def routed(*routes: b.Row, outbound: str = "userDefinedRouting", **cluster: Any) -> tuple[b.Row, ...]:
    """Nodes with a route table."""
    return (
        b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", table="rt")),
        b.table("rt", *routes),
        b.cluster("nodes", outbound=outbound, **cluster),
    )


def tunnel(report: Report) -> str:
    return b.sole(report).tunnel.verdict


def codes(report: Report) -> set[str]:
    return {one.rule for one in report.findings}


def test_m6_the_arm_name_of_a_region_whose_tag_is_spelled_otherwise() -> None:
    """Azure/bicep-registry-modules#5313: `AzureCloud.norwayeast` is refused; the tag is `AzureCloud.norwaye`."""
    deny = b.rule("deny-internet", 4000, "Deny", "Internet")
    wrong = b.rule("allow-aks", 100, "Allow", "AzureCloud.norwayeast", "1194", protocol="Udp")
    report = b.judged(*behind(wrong, deny, location="norwayeast"), tunnel="aks-link")
    assert any(
        "norwaye`" in one.message or "AzureCloud.norwaye" in one.message for one in b.findings(report, "EGR5")
    )
    right = b.rule("allow-aks", 100, "Allow", "AzureCloud.norwaye", "1194", protocol="Udp")
    mended = b.judged(*behind(right, deny, location="norwayeast"), tunnel="aks-link")
    assert b.flow(mended, "AzureCloud.norwaye", "UDP", "1194").verdict == "open"
    assert not b.findings(mended, "EGR5")


def test_m7_user_defined_routing_beside_a_load_balancer_profile() -> None:
    """Azure/bicep-registry-modules#5727: AKS refuses it (InvalidUserDefinedRoutingWithLoadBalancerProfile)."""
    profile = {
        "networkPlugin": "azure",
        "outboundType": "userDefinedRouting",
        "loadBalancerProfile": {"managedOutboundIPs": {"count": 1}},
    }
    default = b.route("default", "0.0.0.0/0", "VirtualAppliance", "10.0.9.4")
    refused = b.findings(b.judged(*routed(default, networkProfile=profile)), "EGR7")
    assert any("loadBalancerProfile" in one.message for one in refused)
    sound = b.findings(b.judged(*routed(default)), "EGR7")
    assert not any("loadBalancerProfile" in one.message for one in sound)


def web_only() -> list[b.Row]:
    return [
        b.rule("allow-web", 100, "Allow", "Internet", ["80", "443"], protocol="Tcp"),
        b.rule("deny-internet", 4000, "Deny", "Internet"),
    ]


@pytest.mark.parametrize(
    ("mode", "protocol", "port"), [("tunnelfront", "TCP", "9000"), ("aks-link", "UDP", "1194")]
)
def test_m10_m19_web_ports_alone_leave_the_older_tunnels_shut(mode: str, protocol: str, port: str) -> None:
    """azure-docs#20599, AKS#1607: the cluster deploys, but logs and exec time out."""
    report = b.judged(*behind(*web_only()), tunnel=mode)
    found = b.flow(report, REGION, protocol, port)
    assert found.verdict == "blocked"
    assert b.blockers(found) == [("subnet-nsg", "deny-internet")]
    assert b.flow(report, "mcr.microsoft.com").verdict == "open"
    assert tunnel(report) == "blocked"


def test_m19_time_servers_are_shut_too() -> None:
    """AKS#1607: UDP 123 was closed as well; 21Vianet's nodes still ask for it, public ones take their host's clock."""
    report = b.judged(*behind(*web_only(), location="chinaeast2"))
    found = b.flow(report, "ntp.ubuntu.com", "UDP", "123")
    assert found.verdict == "blocked"
    assert found.necessity == "recommended"
    assert [one.severity for one in report.findings if "ntp.ubuntu.com" in one.message] == ["warning"]
    assert b.flows(b.judged(*behind(*web_only())), "ntp.ubuntu.com", "UDP", "123") == []


def test_m11_mended_by_letting_the_network_reach_azure_cloud() -> None:
    """azure-docs#25169: any port from the network to AzureCloud brought logs and exec back."""
    repair = b.rule("allow-azure", 110, "Allow", "AzureCloud", source="VirtualNetwork")
    for mode in ("tunnelfront", "aks-link"):
        assert tunnel(b.judged(*behind(*web_only()), tunnel=mode)) == "blocked"
        assert tunnel(b.judged(*behind(*web_only(), repair), tunnel=mode)) == "open"


def test_m12_a_private_cluster_also_needs_the_way_out() -> None:
    """azure-docs#113650: with an outbound `DenyAll` provisioning stops."""
    access = {"enablePrivateCluster": True}
    report = b.judged(*behind(b.rule("DenyAll", 4000, "Deny"), apiServerAccessProfile=access))
    for name in ("mcr.microsoft.com", "management.azure.com", "login.microsoftonline.com"):
        assert b.flow(report, name).verdict == "blocked"
        assert b.blockers(b.flow(report, name)) == [("subnet-nsg", "DenyAll")]
    assert b.sole(report).verdict == "blocked"
    assert "EGR201" in codes(report)


FIREWALL_ADDRESS = b.route("firewall-itself", "20.50.1.1/32", "Internet")
ROUTER = b.route("default", "0.0.0.0/0", "VirtualAppliance", "10.0.9.4")


def test_m13_a_router_instead_of_the_firewall_is_an_open_question() -> None:
    """azure-docs#65809: tunnelfront could not connect through a router that nobody had told of it."""
    report = b.judged(*routed(ROUTER, FIREWALL_ADDRESS, outbound="loadBalancer"), tunnel="tunnelfront")
    assert b.flow(report, REGION, ports="9000").verdict == "unknown"
    assert tunnel(report) == "unknown"


def test_m13_mended_by_a_route_for_the_api_server() -> None:
    rows = routed(ROUTER, b.route("api-server", "20.42.0.10/32", "Internet"), outbound="loadBalancer")
    report = b.judged(*rows, tunnel="tunnelfront", api_server_addresses={"aks": "20.42.0.10"})
    found = next(
        one for one in b.sole(report).flows if one.role == "tunnel" and one.destination.ports == "9000"
    )
    assert [hop.rule for hop in b.hops(found, "route")] == ["api-server"]
    assert found.verdict == "open"


def test_m14_user_defined_routing_straight_to_the_internet() -> None:
    """Azure/AKS#1875: AKS refuses it with RouteTableInvalidNextHop."""
    report = b.judged(*routed(b.route("default", "0.0.0.0/0", "Internet")))
    refused = [*b.findings(report, "EGR3"), *b.findings(report, "EGR7")]
    assert any("RouteTableInvalidNextHop" in f"{one.message} {one.breaks} {one.fix}" for one in refused)
    assert b.flow(report, "mcr.microsoft.com").verdict != "open"


def test_m15_a_default_route_added_to_a_working_cluster() -> None:
    """Azure/AKS#1456: the API server and kubelets went dark once 0.0.0.0/0 led to an appliance."""
    assert tunnel(b.judged(*routed(outbound="loadBalancer"))) == "open"
    report = b.judged(*routed(ROUTER, outbound="loadBalancer"))
    assert tunnel(report) == "unknown"
    closed = Appliance(address="10.0.9.4", name="router")
    assert tunnel(b.judged(*routed(ROUTER, outbound="loadBalancer"), appliances=(closed,))) == "blocked"


def test_m16_user_defined_routing_without_a_default_route() -> None:
    """Azure/AKS#2710: the system's route leads to the Internet, without any outbound address."""
    report = b.judged(*routed(b.route("other", "10.7.0.0/16", "VirtualAppliance", "10.0.9.4")))
    refused = [*b.findings(report, "EGR3"), *b.findings(report, "EGR7")]
    assert any("RouteTableMissingDefaultRoute" in f"{one.message} {one.breaks} {one.fix}" for one in refused)
    assert b.flow(report, "mcr.microsoft.com").verdict != "open"


def test_m17_kubelets_shut_off_inside_the_subnet() -> None:
    """mspnp/aks-baseline#97, azure-docs#37918: `dial tcp NODE:10250: i/o timeout`; the way out is fine."""
    deny = b.rule("deny-kubelet", 100, "Deny", port="10250", protocol="Tcp", direction="Inbound")
    report = b.judged(*behind(deny))
    legs = {one.destination.ports: one for one in b.sole(report).flows if one.role == "tunnel"}
    assert legs["443"].verdict == "open"
    assert legs["10250"].verdict == "blocked"
    assert b.blockers(legs["10250"]) == [("target-subnet-nsg", "deny-kubelet")]
    assert tunnel(report) == "blocked"
    assert "EGR103" in codes(report)


def declared(*ports: int) -> tuple[Appliance, ...]:
    ranges = tuple((port, port) for port in ports)
    return (
        Appliance(address="10.0.9.4", name="opnsense", allows=(Allow(destinations=("*",), ports=ranges),)),
    )


@pytest.mark.parametrize(("ports", "verdict"), [((443,), "blocked"), ((443, 9000), "open")])
def test_m21_an_appliance_of_ones_own_is_judged_by_what_is_declared(
    ports: tuple[int, ...], verdict: str
) -> None:
    """Azure/AKS#1794: OPNsense as the next hop let only the web through."""
    report = b.judged(*routed(ROUTER), tunnel="tunnelfront", appliances=declared(*ports))
    found = b.flow(report, REGION, ports="9000")
    assert found.verdict == verdict
    assert tunnel(report) == verdict
    if verdict == "open":
        assert any("declared" in one for one in found.assumptions), (
            "a verdict that rests on a declaration says so"
        )


def test_m21_undeclared_it_stays_unknown() -> None:
    assert tunnel(b.judged(*routed(ROUTER), tunnel="tunnelfront")) == "unknown"


@pytest.mark.parametrize("address", [None, ""])
def test_m24_an_appliance_without_an_address(address: str | None) -> None:
    """Azure/terraform-azurerm-hubnetworking#48: ARM refuses the route."""
    report = b.judged(*routed(b.route("default", "0.0.0.0/0", "VirtualAppliance", address)))
    assert tunnel(report) != "open"
    assert any(one.resource == "rt" or "`default`" in one.message for one in b.findings(report, "EGR3"))
