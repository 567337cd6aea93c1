"""The API server's private endpoint where it really stands (N22, R16; Microsoft: aks/private-clusters)."""

from __future__ import annotations

from typing import Any

import pytest
from tests import builders as b
from tests import pictures as p

from aks_egress.findings.report import Flow

PRIVATE = {"enablePrivateCluster": True}
ASSUMED = "taken to stand in the first pool's subnet"
CLUSTER = b.rid("Microsoft.ContainerService/managedClusters", "aks")


def network(*, nsg: str = "", **endpoints: Any) -> b.Row:
    """Nodes in two subnets, and a third one for endpoints."""
    apart = b.subnet("endpoints", "10.0.2.0/24", nsg=nsg, **endpoints)
    return b.vnet(
        "net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24"), b.subnet("users", "10.0.1.0/24"), apart
    )


def endpoint(name: str = "kube-apiserver", subnet: str = "endpoints", **members: Any) -> b.Row:
    """The endpoint as AKS makes it, in the node resource group."""
    connection = {"groupIds": ["management"], "privateLinkServiceId": CLUSTER}
    connection |= {"privateLinkServiceConnectionState": {"status": members.pop("status", "Approved")}}
    given = {"subnet": {"id": b.subnet_id("net", subnet)}}
    given |= {"privateLinkServiceConnections": [{"name": name, "properties": connection}]}
    return p.kept_by_aks("privateEndpoints", name, given | members)


AT = {"customDnsConfigs": [{"fqdn": "aks.privatelink.eastus.azmk8s.io", "ipAddresses": ["10.0.2.7"]}]}


def tunnel(*rows: b.Row, subnet: str = "nodes", **more: Any) -> Flow:
    chosen = p.cluster("nodes", "users", outbound="loadBalancer", apiServerAccessProfile=PRIVATE)
    return b.flow(p.judged(chosen, *rows, **more), "*.privatelink.eastus.azmk8s.io", subnet=subnet)


def shut(to: str, name: str = "shut") -> b.Row:
    return b.nsg(name, b.rule("shut", 100, "Deny", to=to, direction="Inbound"))


def test_nodes_go_to_the_subnet_where_the_endpoint_stands() -> None:
    rows = network(nsg="shut", privateEndpointNetworkPolicies="Enabled"), shut("10.0.2.0/24")
    assert tunnel(*rows, endpoint()).verdict == "blocked"
    found = tunnel(*rows)
    assert found.verdict == "open"
    assert any(ASSUMED in one for one in found.assumptions)
    assert not any(ASSUMED in one for one in tunnel(*rows, endpoint()).assumptions)


def test_its_subnet_decides_whether_its_group_filters_it() -> None:
    assert tunnel(network(nsg="shut"), shut("10.0.2.0/24"), endpoint()).verdict == "open"


@pytest.mark.parametrize(("denied", "verdict"), [("10.0.2.7", "blocked"), ("10.0.2.8", "open")])
def test_a_rule_counts_where_it_covers_the_endpoints_own_address(denied: str, verdict: str) -> None:
    rows = network(nsg="shut", privateEndpointNetworkPolicies="Enabled"), shut(denied)
    assert tunnel(*rows, endpoint(**AT)).verdict == verdict
    assert tunnel(*rows, endpoint()).verdict == "unknown"


@pytest.mark.parametrize(
    "members",
    [
        {"ipConfigurations": [{"name": "a", "properties": {"privateIPAddress": "10.0.2.7"}}]},
        {"networkInterfaces": [{"id": p.node_id("networkInterfaces", "card")}]},
    ],
    ids=["its own", "its interface's"],
)
def test_its_address_stands_in_several_places(members: b.Row) -> None:
    address = {"name": "a", "properties": {"privateIPAddress": "10.0.2.7"}}
    card = p.kept_by_aks("networkInterfaces", "card", {"ipConfigurations": [address]})
    rows = network(nsg="shut", privateEndpointNetworkPolicies="Enabled"), shut("10.0.2.7"), card
    assert tunnel(*rows, endpoint(**members)).verdict == "blocked"


def test_nodes_use_the_endpoint_that_aks_made() -> None:
    others = endpoint("jump-host", "users"), endpoint()
    rows = network(nsg="shut", privateEndpointNetworkPolicies="Enabled"), shut("10.0.2.0/24")
    assert tunnel(*rows, *others).verdict == "blocked"
    elsewhere = endpoint() | {"id": endpoint()["id"].replace("MC_net_aks", "people")}
    found = tunnel(*rows, elsewhere)
    assert found.verdict == "open"
    assert any(ASSUMED in one for one in found.assumptions)


@pytest.mark.parametrize("status", ["Rejected", "Disconnected", "Pending"])
def test_a_connection_that_is_not_approved_carries_nothing(status: str) -> None:
    found = tunnel(network(), endpoint(status=status))
    assert found.verdict == "blocked"
    assert status in found.reason


def test_an_endpoint_whose_subnet_is_not_shown_is_undecided() -> None:
    rows = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24"), b.subnet("users", "10.0.1.0/24"))
    assert tunnel(rows, endpoint()).verdict == "unknown"


def test_every_pool_goes_there() -> None:
    rows = network(nsg="shut", privateEndpointNetworkPolicies="Enabled"), shut("10.0.2.0/24"), endpoint()
    assert tunnel(*rows, subnet="users").verdict == "blocked"


def test_a_definition_laid_over_the_cluster_goes_there_too() -> None:
    rows = network(nsg="shut", privateEndpointNetworkPolicies="Enabled"), shut("10.0.2.0/24"), endpoint()
    planned = b.cluster("nodes", "users", outbound="loadBalancer", apiServerAccessProfile=PRIVATE)
    assert tunnel(*rows, planned=[planned]).verdict == "blocked"


def given(address: str, *rows: b.Row, **more: Any) -> Flow:
    """The tunnel where the API server's address is known from elsewhere, such as from the cluster itself."""
    return tunnel(*rows, api_server_addresses={"aks": address}, **more)


FILTERED = network(nsg="shut", privateEndpointNetworkPolicies="Enabled")


@pytest.mark.parametrize(("denied", "verdict"), [("10.0.2.7", "blocked"), ("10.0.2.8", "open")])
def test_an_address_that_is_given_stands_for_the_endpoint_that_nobody_shows(
    denied: str, verdict: str
) -> None:
    found = given("10.0.2.7", FILTERED, shut(denied))
    assert found.verdict == verdict
    assert not any(ASSUMED in one for one in found.assumptions)
    assert "the API server is taken to be at 10.0.2.7, the address that was given for it" in found.assumptions


def test_an_address_that_is_given_says_where_in_its_subnet_the_endpoint_is() -> None:
    assert tunnel(FILTERED, shut("10.0.2.7"), endpoint()).verdict == "unknown"
    assert given("10.0.2.7", FILTERED, shut("10.0.2.7"), endpoint()).verdict == "blocked"


def test_an_endpoint_that_moved_is_where_it_is_now() -> None:
    """The connection of the old one says nothing of it."""
    moved = given("10.0.1.9", FILTERED, shut("10.0.2.7"), endpoint(status="Disconnected", **AT))
    assert moved.verdict == "open"
    assert (
        given("10.0.2.7", FILTERED, shut("10.0.2.8"), endpoint(status="Pending", **AT)).verdict == "blocked"
    )


@pytest.mark.parametrize("address", ["20.50.2.17", "10.9.0.4"])
def test_an_address_that_no_subnet_holds_moves_no_endpoint(address: str) -> None:
    found = given(address, FILTERED, shut("10.0.2.7"), endpoint(**AT))
    assert found.verdict == "blocked"
    assert not any(address in one for one in found.assumptions)


@pytest.mark.parametrize(
    ("address", "verdict"),
    [("", "partial"), ("10.0.2.7", "blocked"), ("10.0.2.8", "open"), ("10.0.0.7", "partial")],
)
def test_the_end_of_an_integrated_api_server_is_at_its_address_in_its_subnet(
    address: str, verdict: str
) -> None:
    """One of another subnet is not its own, so it settles nothing."""
    integrated = {"enableVnetIntegration": True, "subnetId": b.subnet_id("net", "endpoints")}
    cluster = p.cluster("nodes", outbound="loadBalancer", apiServerAccessProfile=integrated)
    known = {"aks": address} if address else {}
    report = p.judged(cluster, network(nsg="shut"), shut("10.0.2.7"), api_server_addresses=known)
    assert b.flow(report, "API server subnet", ports="443,4443", subnet="nodes").verdict == verdict
