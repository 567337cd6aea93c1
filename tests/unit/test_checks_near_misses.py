"""Allow rules that miss a blocked flow in one respect; each case beside one that must stay silent."""

from __future__ import annotations

import pytest
from tests import builders as b

from aks_egress.findings.report import Report

DENY = b.rule("deny-internet", 4000, "Deny", "Internet")
ADDRESS = "10.9.0.4"


def grouped(*rules: b.Row, table: bool = False) -> Report:
    """A group on the nodes' subnet, judged for aks-link."""
    rows = [
        b.vnet(
            "net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", nsg="nsg1", table="rt" if table else "")
        ),
        b.nsg("nsg1", *rules),
        b.cluster("nodes", outbound="userDefinedRouting" if table else "loadBalancer"),
    ]
    if table:
        rows.append(b.table("rt", b.route("default", "0.0.0.0/0", "VirtualAppliance", ADDRESS)))
    return b.judged(*rows, tunnel="aks-link")


def walled(*rules: b.Row, names: bool = False, nodes: str = "10.0.0.0/24") -> Report:
    """A firewall in the nodes' network, judged for aks-link."""
    rows = (
        b.vnet(
            "net",
            ["10.0.0.0/16", "10.9.0.0/16"],
            b.subnet("nodes", nodes, table="rt"),
            b.subnet("AzureFirewallSubnet", "10.9.0.0/26"),
        ),
        b.table("rt", b.route("default", "0.0.0.0/0", "VirtualAppliance", ADDRESS)),
        b.policy(),
        b.firewall(network="net", address=ADDRESS),
        b.rules_of("policy/aks", 200, b.collection("c", 100, "Allow", *rules)),
        b.cluster("nodes"),
    )
    return b.judged(*rows, tunnel="aks-link")


def said(report: Report, code: str) -> list[str]:
    return [one.message for one in b.findings(report, code)]


TUNNEL = ("AzureCloud.eastus", "1194")


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        (b.rule("tunnel", 100, "Allow", *TUNNEL, protocol="Tcp"), "it is for TCP"),
        (b.rule("tunnel", 100, "Allow", *TUNNEL, protocol="Udp", direction="Inbound"), "inbound rule"),
        (b.rule("tunnel", 100, "Allow", *TUNNEL, protocol="Udp", source="10.1.0.0/24"), "10.1.0.0/24"),
        (b.rule("tunnel", 4001, "Allow", *TUNNEL, protocol="Udp"), "its priority is 4001"),
    ],
    ids=["protocol", "direction", "source", "order"],
)
def test_one_thing_wrong_in_a_security_rule(rule: b.Row, what: str) -> None:
    (message,) = said(grouped(rule, DENY), "EGR511")
    assert what in message
    assert "UDP 1194 to `AzureCloud.eastus`" in message


def test_two_things_wrong_are_no_near_miss() -> None:
    wrong = b.rule("tunnel", 100, "Allow", *TUNNEL, protocol="Tcp", direction="Inbound")
    assert said(grouped(wrong, DENY), "EGR511") == []


def test_a_rule_that_works_is_not_spoken_of() -> None:
    right = b.rule("tunnel", 100, "Allow", *TUNNEL, protocol="Udp")
    web = b.rule("web", 110, "Allow", "Internet", "443", protocol="Tcp")
    report = grouped(right, web, DENY)
    assert said(report, "EGR511") == []
    assert b.flow(report, "AzureCloud.eastus", "UDP", "1194").verdict == "open"


def test_an_inbound_rule_for_everyone_is_an_honest_one() -> None:
    inbound = b.rule("web-in", 100, "Allow", "*", "443", protocol="Tcp", direction="Inbound")
    report = grouped(inbound, DENY)
    assert b.findings(report, "EGR201")
    assert said(report, "EGR511") == []


def test_the_firewalls_address_opens_nothing() -> None:
    """N13: a route changes where a packet goes and not whom it is for."""
    rule = b.rule("to-firewall", 100, "Allow", f"{ADDRESS}/32", "443", protocol="Tcp")
    (message,) = said(grouped(rule, DENY, table=True), "EGR511")
    assert "next hop" in message
    elsewhere = b.rule("to-database", 100, "Allow", "10.0.5.4/32", "443", protocol="Tcp")
    assert said(grouped(elsewhere, DENY, table=True), "EGR511") == []


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        (b.network_rule("tunnel", "TCP", *TUNNEL), "it is for TCP"),
        (b.network_rule("tunnel", "UDP", *TUNNEL, source="10.1.0.0/24"), "its source is 10.1.0.0/24"),
        (b.network_rule("tunnel", "UDP", "AzureCloud.eastus2", "1194"), "another region's"),
    ],
    ids=["protocol", "source", "region"],
)
def test_one_thing_wrong_in_a_network_rule(rule: b.Row, what: str) -> None:
    """M2, M4 and robustness 7 of the field notes: wrong protocol, wrong source CIDR, wrong region."""
    (message,) = said(walled(rule), "EGR412")
    assert what in message
    assert "UDP 1194" in message


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        (b.application_rule("hcp", "*.hcp.centralus.azmk8s.io"), "another region's"),
        (b.application_rule("mcr", "mcr.microsoft.com", source="10.1.0.0/24"), "its source"),
        (b.application_rule("mcr", "mcr.microsoft.com", ports=(("Http", 80),)), "it listens for http:80"),
    ],
    ids=["region", "source", "listener"],
)
def test_one_thing_wrong_in_an_application_rule(rule: b.Row, what: str) -> None:
    (message,) = said(walled(rule), "EGR412")
    assert what in message


def test_a_rule_by_name_for_both_ports_is_no_near_miss_on_either() -> None:
    """The tag with http:80 and https:443 covers what it can."""
    tag = b.application_rule("aks", fqdnTags=["AzureKubernetesService"], ports=(("Http", 80), ("Https", 443)))
    assert said(walled(tag), "EGR412") == []


def test_rules_for_other_things_are_left_alone() -> None:
    other = b.network_rule("dns", "UDP", "10.9.1.4", "53")
    wide = b.network_rule("all-of-another-spoke", "Any", "*", "*", source="10.7.0.0/16")
    assert said(walled(other, wide), "EGR412") == []


def test_an_explicit_deny_is_not_the_allows_fault() -> None:
    """Only what the firewall denies by default is searched: a Deny names itself."""
    report = b.judged(
        b.vnet(
            "net",
            ["10.0.0.0/16", "10.9.0.0/16"],
            b.subnet("nodes", "10.0.0.0/24", table="rt"),
            b.subnet("AzureFirewallSubnet", "10.9.0.0/26"),
        ),
        b.table("rt", b.route("default", "0.0.0.0/0", "VirtualAppliance", ADDRESS)),
        b.policy(),
        b.firewall(network="net", address=ADDRESS),
        b.rules_of(
            "policy/aks",
            200,
            b.collection("deny", 100, "Deny", b.network_rule("all", "UDP", "*", "1194")),
            b.collection("allow", 200, "Allow", b.network_rule("tunnel", "TCP", *TUNNEL)),
        ),
        b.cluster("nodes"),
        tunnel="aks-link",
    )
    assert said(report, "EGR412") == []
