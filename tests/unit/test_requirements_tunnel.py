"""Which tunnel a cluster has, what speaks for it, and both of its legs."""

from __future__ import annotations

import pytest
from tests.unit.requirements_clusters import bound, cluster, needs, the

from aks_egress.requirements.binding import requirements
from aks_egress.requirements.facts import described, facts_of
from aks_egress.requirements.tunnel import TunnelMode, agents_present, tunnel_mode
from aks_egress.values import Unknown, Value

OPEN = Unknown("known after apply")
PRIVATE, INTEGRATED = (
    "apiServerAccessProfile.enablePrivateCluster",
    "apiServerAccessProfile.enableVnetIntegration",
)
PLUGIN, MODE = "networkProfile.networkPlugin", "networkProfile.networkPluginMode"


@pytest.mark.parametrize(
    ("properties", "mode", "says"),
    [
        ({}, "konnectivity", "public address"),
        ({PRIVATE: True}, "konnectivity", "private endpoint"),
        ({INTEGRATED: True, PLUGIN: "azure"}, "none", "nodes' subnet"),
        ({INTEGRATED: True, PLUGIN: "azure", "pool.podSubnetID": "/s"}, "none", "subnet of their own"),
        ({INTEGRATED: True, PLUGIN: "azure", MODE: "overlay"}, "konnectivity", "overlay"),
        ({INTEGRATED: True, PLUGIN: "none"}, "konnectivity", "without a network plugin"),
        ({INTEGRATED: True, PLUGIN: "kubenet"}, "konnectivity", "kubenet"),
        ({INTEGRATED: True, PRIVATE: True, PLUGIN: "azure"}, "none", "VNet integration"),
        ({PRIVATE: OPEN}, "konnectivity", "assumed: the API server's access is not known: known after apply"),
        (
            {INTEGRATED: True, PLUGIN: OPEN},
            "konnectivity",
            "assumed: where pods have their addresses is not known",
        ),
    ],
)
def test_the_tunnel_and_its_evidence(properties: dict[str, Value], mode: str, says: str) -> None:
    found = tunnel_mode(facts_of(cluster(properties), cloud="", features=[]), "auto")
    assert found.mode == mode
    assert says in found.evidence


@pytest.mark.parametrize("mode", ["konnectivity", "aks-link", "tunnelfront"])
def test_a_chosen_tunnel_is_that_tunnel(mode: str) -> None:
    facts = facts_of(cluster({INTEGRATED: True}), cloud="", features=[])
    assert tunnel_mode(facts, mode) == TunnelMode(mode, f"chosen with `--tunnel {mode}`")


def test_in_other_clouds_the_evidence_says_what_is_not_sure() -> None:
    assert "older tunnels" in tunnel_mode(described(location="chinanorth3"), "auto").evidence
    assert "older tunnels" not in tunnel_mode(described(location="westeurope"), "auto").evidence


def test_whether_agents_run_is_open_where_the_plugin_is() -> None:
    facts = facts_of(cluster({INTEGRATED: True, PLUGIN: OPEN}), cloud="", features=[])
    assert agents_present(facts) is OPEN
    found = bound(facts)
    assert the(found, "apiserver-subnet-to-pods").needed is OPEN
    assert the(found, "vnetint-api-server-ilb").needed is True


@pytest.mark.parametrize(
    ("mode", "protocol", "port"), [("aks-link", "UDP", 1194), ("tunnelfront", "TCP", 9000)]
)
def test_an_older_tunnel_is_one_requirement_to_the_regions_tag(mode: str, protocol: str, port: int) -> None:
    found = [one for one in needs(tunnel=mode) if one.role == "tunnel" and one.ports == ((port, port),)]
    assert [(one.kind, one.value, one.protocol, one.lies_in) for one in found] == [
        ("service-tag", "AzureCloud.westeurope", protocol, ("AzureCloud.westeurope",))
    ]


def test_an_older_tunnel_given_apart_from_the_facts_counts() -> None:
    found = requirements(described(location="westeurope"), TunnelMode("aks-link", "seen"))
    assert "public-tunnel-aks-link-udp-1194" in [one.id for one in found]


def test_konnectivity_needs_no_older_ports() -> None:
    assert not [one for one in needs() if one.ports in (((1194, 1194),), ((9000, 9000),), ((22, 22),))]


def test_the_second_leg_goes_from_the_agents_to_every_node() -> None:
    leg = the(needs(), "tunnel-agent-to-kubelet")
    assert (leg.role, leg.kind, leg.towards, leg.ports) == ("tunnel", "subnet", "node", ((10250, 10250),))
    assert leg.agents_only
    assert leg.sources == {"node", "pod"}
    assert leg.doubts


def test_a_private_cluster_reaches_its_endpoint_inside_the_network() -> None:
    found = needs({PRIVATE: True, "privateFQDN": "aks-1.abc.privatelink.westeurope.azmk8s.io"})
    leg = the(found, "private-api-server-fqdn")
    assert (leg.role, leg.kind, leg.towards) == ("tunnel", "subnet", "private-endpoint")
    assert leg.value == "*.privatelink.westeurope.azmk8s.io"
    assert leg.name == "aks-1.abc.privatelink.westeurope.azmk8s.io"
    assert not [one for one in found if ".hcp." in one.value]


def test_without_a_private_zone_nodes_use_the_public_name() -> None:
    found = needs({PRIVATE: True, "apiServerAccessProfile.privateDNSZone": "none"})
    leg = the(found, "private-api-server-fqdn")
    assert leg.name == "*.hcp.westeurope.azmk8s.io"
    assert any("privateDNSZone is none" in one for one in leg.assumptions)


def test_vnet_integration_without_agents_is_direct_in_both_directions() -> None:
    found = needs({INTEGRATED: True, PLUGIN: "azure"})
    there, back = the(found, "vnetint-api-server-ilb"), the(found, "apiserver-subnet-to-kubelet")
    assert (there.towards, there.ports) == ("api-server", ((443, 443), (4443, 4443)))
    assert (back.towards, back.sources, back.ports) == ("node", {"api-server"}, ((10250, 10250),))
    assert {one.id for one in found if one.role == "tunnel"} == {there.id, back.id}
