"""Networks that are sound get neither errors nor warnings: a rule that cries wolf is turned off."""

from __future__ import annotations

from pathlib import Path

import pytest
from examples.expectations import Example
from tests import builders as b

from aks_egress.engine import judge
from aks_egress.findings.report import Report, Severity
from aks_egress.packets.tags import ServiceTags
from aks_egress.settings import Settings
from aks_egress_scan.sources import load

HUB = Example(Path(__file__).parents[2] / "examples/hub-and-spoke")
DATA = Path(__file__).resolve().parents[3] / "shared/data/ServiceTags_Public_cn398.json"


def loud(report: Report) -> list[str]:
    assert report.clusters
    return [f"{one.rule} {one.message}" for one in report.findings if one.severity is not Severity.NOTE]


@pytest.mark.parametrize("mode", ["konnectivity", "aks-link", "tunnelfront"])
@pytest.mark.parametrize("dialect", sorted(HUB.dialects))
def test_a_sound_hub_and_spoke(dialect: str, mode: str) -> None:
    loaded = load(HUB.paths(dialect, "sound"), parameters=HUB.parameters(dialect, "sound"))
    assert loud(judge(loaded.documents, Settings(tunnel=mode), ServiceTags())) == []


def sample(*routes: b.Row) -> tuple[b.Row, ...]:
    """learn.microsoft.com/azure/aks/limit-egress-traffic: two tunnel rules, time servers, one FQDN tag."""
    ports = (("Http", 80), ("Https", 443))
    names = b.collection(
        "aksfwar",
        100,
        "Allow",
        b.application_rule("fqdn", fqdnTags=["AzureKubernetesService"], ports=ports),
    )
    network = b.collection(
        "aksfwnr",
        100,
        "Allow",
        b.network_rule("apiudp", "UDP", "AzureCloud.eastus", "1194"),
        b.network_rule("apitcp", "TCP", "AzureCloud.eastus", "9000"),
        b.network_rule("time", "UDP", "", "123", names=["ntp.ubuntu.com"]),
    )
    nodes = b.subnet("aks-subnet", "10.42.1.0/24", table="rt")
    return (
        b.vnet("vnet", "10.42.0.0/16", nodes, b.subnet("AzureFirewallSubnet", "10.42.2.0/24")),
        b.table("rt", b.route("default", "0.0.0.0/0", "VirtualAppliance", "10.42.2.4"), *routes),
        b.resource("publicIPAddresses", "pip", {"ipAddress": "20.50.1.1"}),
        b.policy(proxy=True),
        b.firewall(network="vnet", address="10.42.2.4"),
        b.rules_of("policy/aks", 200, network, names),
        b.cluster("aks-subnet", network="vnet"),
    )


@pytest.mark.parametrize("mode", ["konnectivity", "aks-link", "tunnelfront"])
def test_microsofts_own_sample_network(mode: str) -> None:
    assert loud(b.judged(*sample(), tunnel=mode)) == []


def test_the_samples_route_for_the_firewalls_own_address() -> None:
    """The same page adds a route that leads the firewall's public address straight to the Internet (R18)."""
    own = b.route("firewall-itself", "20.50.1.1/32", "Internet")
    assert loud(b.judged(*sample(own))) == []


@pytest.mark.parametrize("outbound", ["loadBalancer", "userAssignedNATGateway"])
def test_a_network_without_a_firewall(outbound: str) -> None:
    nat = "nat" if outbound == "userAssignedNATGateway" else ""
    rows = (
        b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", nsg="nsg1", nat=nat)),
        b.resource("natGateways", "nat", {"publicIpAddresses": [{"id": b.rid("publicIPAddresses", "pip")}]}),
        b.nsg("nsg1", b.rule("no-ssh", 100, "Deny", "Internet", "22", protocol="Tcp")),
        b.cluster("nodes", outbound=outbound),
    )
    assert loud(b.judged(*rows)) == []


def test_tags_that_are_published_are_no_misspelling() -> None:
    """With the published data at hand every tag of a usual allow list is found in it."""
    if not DATA.exists():
        pytest.skip("the published service tags are not at hand")
    import json

    tags = ServiceTags.from_json(json.loads(DATA.read_text("utf-8")))
    wanted = (
        "AzureCloud.eastus",
        "MicrosoftContainerRegistry",
        "AzureFrontDoor.FirstParty",
        "AzureActiveDirectory",
        "AzureResourceManager",
        "Storage.EastUS",
    )
    rules = [b.rule(f"r{i}", 100 + i, "Allow", tag, "443", protocol="Tcp") for i, tag in enumerate(wanted)]
    rows = (
        b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", nsg="nsg1")),
        b.nsg("nsg1", *rules),
        b.cluster("nodes", outbound="loadBalancer"),
    )
    report = b.judged(*rows, tags=tags)
    assert b.findings(report, "EGR5") == []
    typo = b.nsg("nsg1", b.rule("r", 100, "Allow", "AzureCloud.eastus9", "443", protocol="Tcp"))
    assert b.findings(b.judged(rows[0], typo, rows[2], tags=tags), "EGR502")
