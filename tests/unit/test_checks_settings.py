"""Outbound types, private API servers, proxies, the API server's subnet, allow lists that have aged."""

from __future__ import annotations

from typing import Any

import pytest
from tests import builders as b

from aks_egress.findings.report import Report, Severity

CORE = b.collection(
    "names",
    200,
    "Allow",
    b.application_rule("aks", fqdnTags=["AzureKubernetesService"], ports=(("Http", 80), ("Https", 443))),
)


def codes(report: Report) -> set[str]:
    return {one.rule for one in report.findings}


def walled(*collections: b.Row, outbound: str = "none", hop: str = "10.0.9.4", **cluster: Any) -> Report:
    """Nodes behind a firewall in their own network."""
    return b.judged(
        b.vnet(
            "net",
            "10.0.0.0/16",
            b.subnet("nodes", "10.0.0.0/24", table="rt", defaultOutboundAccess=False),
            b.subnet("AzureFirewallSubnet", "10.0.9.0/26"),
        ),
        b.table("rt", b.route("default", "0.0.0.0/0", "VirtualAppliance", hop)),
        b.policy(),
        b.firewall(network="net", address="10.0.9.4"),
        b.rules_of("policy/aks", 200, *collections),
        b.cluster("nodes", outbound=outbound, **cluster),
    )


def test_no_outbound_type_behind_a_working_route() -> None:
    """egress-outboundtype: `none` leaves the way out to you; a firewall is one."""
    assert "EGR703" not in codes(walled(CORE))


def test_no_outbound_type_and_an_endpoint_that_is_shut() -> None:
    registry_only = b.collection("n", 200, "Allow", b.application_rule("mcr", "mcr.microsoft.com"))
    (finding,) = b.findings(walled(registry_only), "EGR703")
    assert finding.severity is Severity.ERROR
    assert "public-api-server-fqdn" in finding.requirements
    assert "mcr-registry" not in finding.requirements, "what is open is not asked for"


def test_no_outbound_type_and_a_route_to_somebody_unknown() -> None:
    """Nothing is provably shut, so it is no error."""
    (finding,) = b.findings(walled(CORE, hop="10.0.77.4"), "EGR703")
    assert finding.severity is Severity.WARNING


def test_a_network_isolated_cluster_needs_no_way_out() -> None:
    rows = (
        b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", defaultOutboundAccess=False)),
        b.cluster(
            "nodes",
            outbound="none",
            apiServerAccessProfile={"enablePrivateCluster": True},
            bootstrapProfile={"artifactSource": "Cache"},
        ),
    )
    assert "EGR703" not in codes(b.judged(*rows))


@pytest.mark.parametrize(
    ("profile", "refused"),
    [
        ({"managedOutboundIPs": {"count": 1}}, True),
        ({"idleTimeoutInMinutes": 30}, True),
        ({"backendPoolType": "nodeIPConfiguration"}, False),
        ({"outboundIPs": []}, False),
    ],
)
def test_a_load_balancer_profile_beside_user_routes(profile: dict[str, Any], refused: bool) -> None:
    """bicep-registry-modules#5727 and #5759: ports and timeouts are refused; the back-end pool's type is not."""
    network = {"networkPlugin": "azure", "outboundType": "userDefinedRouting", "loadBalancerProfile": profile}
    report = walled(CORE, outbound="userDefinedRouting", networkProfile=network)
    assert ("EGR701" in codes(report)) is refused


ZONE = "privatelink.eastus.azmk8s.io"


def private(*rows: b.Row, dns: tuple[str, ...] = (), **access: Any) -> Report:
    """A private cluster whose network names DNS servers."""
    return b.judged(
        b.vnet("hub", "10.9.0.0/16", b.subnet("dns", "10.9.1.0/24"), peerings=[b.peering("net")]),
        b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24"), peerings=[b.peering("hub")], dns=dns),
        b.resource("privateDnsZones", ZONE, {}),
        *rows,
        b.cluster(
            "nodes",
            outbound="loadBalancer",
            apiServerAccessProfile={
                "enablePrivateCluster": True,
                "privateDNSZone": b.rid("privateDnsZones", ZONE),
            }
            | access,
        ),
    )


def linked(network: str) -> b.Row:
    return b.resource(
        "privateDnsZones/virtualNetworkLinks",
        f"{ZONE}/{network}",
        {"virtualNetwork": {"id": b.rid("virtualNetworks", network)}},
    )


def test_dns_servers_in_a_hub_that_the_zone_is_not_linked_to() -> None:
    (finding,) = b.findings(private(dns=("10.9.1.10",)), "EGR601")
    assert finding.severity is Severity.WARNING
    assert "`hub`" in finding.message
    other = private(linked("net"), dns=("10.9.1.10",))
    assert "EGR601" in codes(other), "a link of the nodes' network is not one of the servers'"


def test_dns_servers_that_see_the_zone() -> None:
    assert "EGR601" not in codes(private(linked("hub"), dns=("10.9.1.10",)))
    assert "EGR601" not in codes(private(dns=("10.0.5.10",))), "AKS links the nodes' own network"
    assert "EGR601" not in codes(private()), "Azure's own resolver"
    assert "EGR601" not in codes(private(dns=("168.63.129.16",)))
    assert "EGR601" not in codes(private(dns=("10.9.1.10",), privateDNSZone="none"))


def test_dns_servers_in_the_office_are_an_open_question() -> None:
    (finding,) = b.findings(private(dns=("192.168.7.53",)), "EGR601")
    assert finding.severity is Severity.NOTE


@pytest.mark.parametrize(("public", "refused"), [(False, True), (True, False), (None, False)])
def test_neither_a_zone_nor_a_public_name(public: bool | None, refused: bool) -> None:
    access = {"privateDNSZone": "none", "enablePrivateClusterPublicFQDN": public}
    assert ("EGR602" in codes(private(**access))) is refused


def proxied(*exceptions: str, http: str = "http://proxy.corp:3128", https: str = "", **more: Any) -> set[str]:
    config = {"httpProxy": http, "noProxy": list(exceptions)} | ({"httpsProxy": https} if https else {})
    rows = (
        b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24")),
        b.cluster("nodes", outbound="loadBalancer", httpProxyConfig=config, **more),
    )
    return codes(b.judged(*rows)) & {"EGR603", "EGR604"}


def test_exceptions_from_a_proxy() -> None:
    assert proxied("localhost", ".corp", "10.0.0.0/16") == set()
    assert proxied("*.corp") == {"EGR603"}


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        ({"http": "http://proxy.corp:3128/"}, False),
        ({"https": "https://proxy.corp:3129"}, False),
        ({"http": "https://proxy.corp:3128"}, True),
        ({"http": "http://me:secret@proxy.corp:3128"}, True),
        ({"http": "proxy.corp:3128"}, True),
    ],
)
def test_urls_of_a_proxy(options: dict[str, str], refused: bool) -> None:
    assert ("EGR604" in proxied(**options)) is refused


def test_a_password_is_never_repeated() -> None:
    rows = (
        b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24")),
        b.cluster(
            "nodes", outbound="loadBalancer", httpProxyConfig={"httpProxy": "http://me:hunter2@proxy.corp:1"}
        ),
    )
    assert "hunter2" not in " ".join(one.message + one.fix for one in b.judged(*rows).findings)


def test_windows_beside_a_proxy() -> None:
    pools = [
        b.pool("linux", "net", "nodes"),
        b.pool("win", "net", "nodes", osType="Windows", mode="User"),
    ]
    assert "EGR604" in proxied(agentPoolProfiles=pools)
    assert "EGR604" not in proxied(agentPoolProfiles=pools[:1])


def integrated(*rules: b.Row, nodes: b.Row | None = None, **subnet: Any) -> Report:
    """API server VNet integration, with a group on the API server's subnet."""
    given = {
        "delegations": [
            {"name": "d", "properties": {"serviceName": "Microsoft.ContainerService/managedClusters"}}
        ]
    }
    access = {"enableVnetIntegration": True, "subnetId": b.subnet_id("net", "api")}
    return b.judged(
        b.vnet(
            "net",
            "10.0.0.0/16",
            b.subnet("nodes", "10.0.0.0/24", nsg="out" if nodes else ""),
            b.subnet("api", "10.0.1.0/28", nsg="nsg1", **(given | subnet)),
        ),
        b.nsg("nsg1", *rules),
        *([b.nsg("out", nodes)] if nodes else []),
        b.cluster("nodes", outbound="loadBalancer", apiServerAccessProfile=access),
    )


NODES_IN = b.rule("nodes", 100, "Allow", "*", ["443", "4443"], source="10.0.0.0/24", direction="Inbound")
PROBES_IN = b.rule("probes", 110, "Allow", "*", "9988", source="AzureLoadBalancer", direction="Inbound")
CLOSED = b.rule("rest", 4000, "Deny", direction="Inbound")


def test_probes_that_a_closing_rule_forgets() -> None:
    (finding,) = b.findings(integrated(NODES_IN, CLOSED), "EGR804")
    assert "9988" in finding.message
    assert "`rest`" in finding.message


def test_probes_that_get_in() -> None:
    assert "EGR804" not in codes(integrated())
    assert "EGR804" not in codes(integrated(NODES_IN, PROBES_IN, CLOSED))
    network = b.rule("network", 120, "Allow", "*", "*", source="VirtualNetwork", direction="Inbound")
    assert "EGR804" not in codes(integrated(network, CLOSED)), "168.63.129.16 is part of VirtualNetwork"
    only_nodes = b.rule("rest", 4000, "Deny", source="10.7.0.0/16", direction="Inbound")
    assert "EGR804" not in codes(integrated(NODES_IN, only_nodes))


def test_nodes_that_do_not_reach_the_api_servers_subnet() -> None:
    report = integrated(nodes=b.rule("closed", 100, "Deny", "10.0.1.0/28"))
    assert "EGR804" in codes(report)
    assert "EGR101" not in codes(report)


@pytest.mark.parametrize(
    ("names", "aged"),
    [
        (("acs-mirror.azureedge.net",), True),
        (("acs-mirror.azureedge.net", "packages.aks.azure.com"), False),
        (("mcr.microsoft.com",), False),
    ],
)
def test_allow_lists_that_were_complete_once(names: tuple[str, ...], aged: bool) -> None:
    """Azure/AKS#4792."""
    listed = b.collection("list", 200, "Allow", b.application_rule("aks", *names))
    assert ("EGR901" in codes(walled(listed, outbound="userDefinedRouting"))) is aged
