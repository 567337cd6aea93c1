"""How requirements fare before the engine where their far end is inside the network and not given."""

from __future__ import annotations

from tests import builders as b

from aks_egress.findings.report import Report

CLOSED = b.nsg(
    "closed",
    b.rule("network", 100, "Allow", "VirtualNetwork"),
    b.rule("rest", 200, "Deny"),
)
SHUT = b.nsg("shut", b.rule("all", 100, "Deny"))


def isolated(group: b.Row) -> Report:
    net = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/22", nsg=group["name"]))
    profile = {
        "artifactSource": "Cache",
        "containerRegistryId": b.rid("Microsoft.ContainerRegistry/registries", "ours"),
    }
    access = {"enablePrivateCluster": True}
    cluster = b.cluster("nodes", outbound="none", bootstrapProfile=profile, apiServerAccessProfile=access)
    return b.judged(cluster, net, group)


def test_a_registry_somewhere_in_the_network_is_not_blocked_by_closing_the_internet() -> None:
    """Its private endpoint stands at an address that the definition does not give."""
    assert b.flow(isolated(CLOSED), "ours.azurecr.io").verdict == "unknown"


def test_a_registry_is_blocked_where_everything_is_shut() -> None:
    assert b.flow(isolated(SHUT), "ours.azurecr.io").verdict == "blocked"


def test_an_isolated_cluster_asks_for_nothing_of_microsofts() -> None:
    report = isolated(CLOSED)
    assert b.flows(report, "mcr.microsoft.com") == []
    assert b.flow(report, "*.privatelink.eastus.azmk8s.io").verdict == "open"
