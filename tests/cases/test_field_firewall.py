"""Real mistakes M1 to M5, M8, M9, M18, M20, M22 and M23: firewall rules that cut AKS off.

Each was reported in public against a reference architecture, the documentation or AKS itself; the
docstrings name the report.  The networks are cut down to what the mistake needs.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests import builders as b

from aks_egress.arm.resources import Document
from aks_egress.engine import judge
from aks_egress.findings.report import Report
from aks_egress.settings import Settings
from aks_egress_scan.readers.base import Parameters, Source

ADDRESS = "10.9.0.4"
HTTPS = b.network_rule("api-server", "TCP", "AzureCloud.eastus", "443")
TUNNEL_TCP = b.network_rule("tunnel-front-pod-tcp", "TCP", "AzureCloud.eastus", "9000")
TUNNEL_UDP = b.network_rule("tunnel-front-pod-udp", "UDP", "AzureCloud.eastus", "1194")
CORE = b.application_rule("aks", fqdnTags=["AzureKubernetesService"], ports=(("Http", 80), ("Https", 443)))


def hub(*collections: b.Row, cluster: b.Row | None = None, nodes: str = "10.0.0.0/24") -> tuple[b.Row, ...]:
    """A hub's firewall and a spoke whose security group lets everything out."""
    space = nodes.rsplit(".", 2)[0] + ".0.0/16"
    wide_open = b.rule("allow-all", 100, "Allow")
    return (
        b.vnet(
            "hub", "10.9.0.0/16", b.subnet("AzureFirewallSubnet", "10.9.0.0/26"), peerings=[b.peering("net")]
        ),
        b.vnet("net", space, b.subnet("nodes", nodes, nsg="nsg1", table="rt"), peerings=[b.peering("hub")]),
        b.nsg("nsg1", wide_open),
        b.table("rt", b.route("default", "0.0.0.0/0", "VirtualAppliance", ADDRESS)),
        b.policy(),
        b.firewall(address=ADDRESS),
        b.rules_of("policy/aks", 200, *collections),
        cluster or b.cluster("nodes"),
    )


def network(*rules: b.Row) -> b.Row:
    return b.collection("net", 100, "Allow", *rules)


def names(*rules: b.Row) -> b.Row:
    return b.collection("names", 200, "Allow", *rules)


def tunnel(report: Report) -> str:
    return b.sole(report).tunnel.verdict


@pytest.mark.parametrize(
    ("mode", "protocol", "port"), [("aks-link", "UDP", "1194"), ("tunnelfront", "TCP", "9000")]
)
def test_m1_tunnel_rules_deleted_as_leftovers(mode: str, protocol: str, port: str) -> None:
    """mspnp/aks-baseline#223: only TCP 443 was left; the reporter suspected the wide open security group."""
    report = b.judged(*hub(network(HTTPS), names(CORE)), tunnel=mode)
    found = b.flow(report, "AzureCloud.eastus", protocol, port)
    assert found.verdict == "blocked"
    assert tunnel(report) == "blocked"
    assert [hop for hop, _ in b.blockers(found)] == ["firewall"], "the security group is not to blame"
    assert "kubectl logs" in " ".join(found.breaks)
    assert "EGR101" in {one.rule for one in report.findings}


@pytest.mark.parametrize("mode", ["konnectivity", "aks-link", "tunnelfront"])
def test_m1_mended_by_putting_the_rules_back(mode: str) -> None:
    rules = hub(network(HTTPS, TUNNEL_TCP, TUNNEL_UDP), names(CORE))
    assert tunnel(b.judged(*rules, tunnel=mode)) == "open"


def parametrised(tag: str, host: str) -> str:
    """A template whose location is a parameter and whose firewall rules name regions as given."""
    rows = hub(
        network(b.network_rule("api-server", "TCP", tag, "443")), names(b.application_rule("hcp", host))
    )
    rows[-1]["location"] = "[parameters('location')]"
    parameters = {"location": {"type": "string", "allowedValues": ["eastus2", "centralus", "westus2"]}}
    return b.template(*rows, parameters=parameters)


def read(text: str, **values: str) -> list[Document]:
    from aks_egress_scan.readers.arm_template import READER

    return READER.read(Source("hub.json", text.encode()), Parameters(values=tuple(values.items())))


def judged(text: str, tunnel: str = "auto", **values: str) -> Report:
    return judge(read(text, **values), Settings(tunnel=tunnel), b.NO_TAGS)


def test_m2_a_fixed_region_beside_a_location_that_is_a_parameter() -> None:
    """mspnp/aks-baseline bf059c5, #199: every other region lost the API server."""
    fixed = parametrised("AzureCloud.eastus2", "*.hcp.eastus2.azmk8s.io")
    assert tunnel(judged(fixed, location="eastus2")) == "open"
    elsewhere = judged(fixed, location="westus2")
    assert tunnel(elsewhere) == "blocked"
    assert b.flow(elsewhere, "*.hcp.westus2.azmk8s.io").verdict == "blocked"


def test_m2_mended_by_deriving_both_from_the_location() -> None:
    mended = parametrised(
        "[concat('AzureCloud.', parameters('location'))]",
        "[concat('*.hcp.', parameters('location'), '.azmk8s.io')]",
    )
    assert tunnel(judged(mended, location="westus2")) == "open"


def test_m2_a_location_nobody_gives_is_not_decided() -> None:
    mended = parametrised(
        "[concat('AzureCloud.', parameters('location'))]",
        "[concat('*.hcp.', parameters('location'), '.azmk8s.io')]",
    )
    assert tunnel(judged(mended)) == "unknown"


def test_m3_a_dead_name_rule_masked_by_a_wide_network_rule() -> None:
    """mspnp/aks-baseline-multi-region e1c5dfe: for three years, until somebody looked at the tunnel ports."""
    text = json.loads(parametrised("AzureCloud", "*.hcp.eastus2.azmk8s.io"))
    groups = next(row for row in text["resources"] if row["type"].endswith("ruleCollectionGroups"))
    rules = groups["properties"]["ruleCollections"][0]["rules"]
    rules.append(b.network_rule("tunnel", "UDP", "AzureCloud.eastus2", "1194"))
    second_region = json.dumps(text)
    assert b.flow(judged(second_region, location="centralus"), "*.hcp.centralus.azmk8s.io").verdict == "open"
    assert tunnel(judged(second_region, tunnel="aks-link", location="centralus")) == "blocked"
    assert tunnel(judged(second_region, tunnel="aks-link", location="eastus2")) == "open"


def test_m4_rules_for_the_hubs_range_while_the_nodes_are_in_the_spoke() -> None:
    """Azure/AKS-Landing-Zone-Accelerator before fbdc082: sources 10.0.0.0/24, nodes in 10.1.1.0/26."""
    rules = [
        b.network_rule("api-server", "TCP", "AzureCloud.eastus", "443", source="10.0.0.0/24"),
        b.network_rule("tunnel", "UDP", "AzureCloud.eastus", "1194", source="10.0.0.0/24"),
    ]
    report = b.judged(*hub(network(*rules), names(CORE), nodes="10.1.1.0/26"), tunnel="aks-link")
    assert b.flow(report, "AzureCloud.eastus", "UDP", "1194").verdict == "blocked"
    assert b.flow(report, "mcr.microsoft.com").verdict == "open", "the rule by name has no such source"


@pytest.mark.parametrize("tag", ["AzureCloud.", "AzureCloud.*"])
def test_m5_a_tag_that_does_not_exist_opens_nothing(tag: str) -> None:
    """mspnp/microservices-reference-implementation#178: the region parameter was empty."""
    report = b.judged(
        *hub(network(b.network_rule("tunnel", "UDP", tag, "1194")), names(CORE)), tunnel="aks-link"
    )
    assert tunnel(report) == "blocked"
    assert any(f"`{tag}`" in one.message for one in report.findings), "the impossible tag is named"


def test_m5_through_a_template_whose_region_parameter_is_empty() -> None:
    text = parametrised("[concat('AzureCloud.', parameters('region'))]", "*.hcp.eastus.azmk8s.io")
    data = json.loads(text)
    data["parameters"]["region"] = {"type": "string", "defaultValue": ""}
    assert (
        b.flow(judged(json.dumps(data), location="eastus2"), "*.hcp.eastus2.azmk8s.io").verdict == "blocked"
    )


CHINA = b.cluster("nodes", location="chinaeast2")


def china(*ports: str) -> tuple[b.Row, ...]:
    rule = b.network_rule("tunnel", "TCP", "AzureCloud.chinaeast2", ports)
    return hub(network(rule), names(b.application_rule("all", "*")), cluster=CHINA)


@pytest.mark.parametrize("ports", [("443",), ("443", "9000")])
def test_m8_m9_tunnelfront_without_its_ssh_port(ports: tuple[str, ...]) -> None:
    """Azure/vdc#20, azure-docs#32234 and #70281: the pages said 9000 while the tunnel used 22 (China still does)."""
    report = b.judged(*china(*ports), tunnel="tunnelfront")
    assert b.flow(report, "AzureCloud.chinaeast2", ports="22").verdict == "blocked"
    assert tunnel(report) == "blocked"


def test_m8_m9_mended_by_opening_both_ports() -> None:
    assert tunnel(b.judged(*china("22", "443", "9000"), tunnel="tunnelfront")) == "open"


@pytest.mark.parametrize("firewall", [True, False], ids=["firewall", "security-group"])
def test_m18_the_registrys_tag_without_front_doors(firewall: bool) -> None:
    """azure-docs#73317: cluster creation failed now and then, since some of the addresses lie in Front Door."""
    tags = ["MicrosoftContainerRegistry"]
    assert b.flow(b.judged(*registry(tags, firewall)), "mcr.microsoft.com").verdict in ("blocked", "partial")
    both = [*tags, "AzureFrontDoor.FirstParty"]
    assert b.flow(b.judged(*registry(both, firewall)), "mcr.microsoft.com").verdict == "open"


def registry(tags: list[str], firewall: bool) -> tuple[b.Row, ...]:
    """The same allow-list in a firewall's network rules or in a security group."""
    if firewall:
        return hub(network(*(b.network_rule(tag, "TCP", tag, "443") for tag in tags)))
    rules = [b.rule(tag, 100 + i, "Allow", tag, "443", protocol="Tcp") for i, tag in enumerate(tags)]
    return (
        b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", nsg="nsg1")),
        b.nsg("nsg1", *rules, b.rule("deny-internet", 4000, "Deny", "Internet")),
        b.cluster("nodes", outbound="loadBalancer"),
    )


ONCE_COMPLETE = (
    "*.hcp.eastus.azmk8s.io",
    "mcr.microsoft.com",
    "*.data.mcr.microsoft.com",
    "management.azure.com",
    "login.microsoftonline.com",
    "packages.microsoft.com",
    "acs-mirror.azureedge.net",
)


def test_m20_an_allow_list_that_was_complete_once() -> None:
    """Azure/AKS#4792: nodes now fetch their components from packages.aks.azure.com."""
    report = b.judged(*hub(names(b.application_rule("list", *ONCE_COMPLETE))))
    shut = {
        one.destination.value
        for one in b.sole(report).flows
        if one.necessity == "required" and one.verdict == "blocked"
    }
    assert "packages.aks.azure.com" in shut
    assert not shut & set(ONCE_COMPLETE)
    assert tunnel(report) == "open"


def test_m22_tls_inspection_on_the_api_servers_name() -> None:
    """Azure/AKS#4423: konnectivity needs its ALPN protocol and its client certificate."""
    inspected = b.application_rule("hcp", "*.azmk8s.io", terminateTLS=True)
    rows = hub(names(inspected, b.application_rule("rest", "*.microsoft.com")))
    report = b.judged(*rows)
    assert b.flow(report, "*.hcp.eastus.azmk8s.io").verdict == "blocked"
    assert "ALPN" in b.flow(report, "*.hcp.eastus.azmk8s.io").reason
    assert b.findings(report, "EGR4"), "inspection of the tunnel is worth a rule of its own"


def test_m23_https_alone_is_not_enough_for_the_older_tunnels() -> None:
    """Azure/AKS#1044: `*.hcp` and `*.tun` were needed on 443, 9000 and 22; a rule by name carries only 443."""
    listed = b.application_rule(
        "aks", "*.hcp.chinaeast2.cx.prod.service.azk8s.cn", "*.tun.chinaeast2.cx.prod.service.azk8s.cn"
    )
    report = b.judged(*hub(names(listed), cluster=CHINA), tunnel="tunnelfront")
    ports: dict[str, Any] = {
        one.destination.ports: one.verdict
        for one in b.sole(report).flows
        if one.role == "tunnel" and one.destination.kind == "service-tag"
    }
    assert ports == {"9000": "blocked", "22": "blocked"}
    assert tunnel(report) == "blocked"
