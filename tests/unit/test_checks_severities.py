"""How much a finding weighs: by what asks for the endpoint, and by what is lost."""

from __future__ import annotations

import pytest
from tests import builders as b

from aks_egress.findings.report import Report, Severity


def closed(*rules: b.Row) -> Report:
    return b.judged(
        b.vnet(
            "net",
            "10.0.0.0/16",
            b.subnet("nodes", "10.0.0.0/24"),
            b.subnet("user", "10.0.1.0/24", nsg="nsg1"),
        ),
        b.nsg("nsg1", *rules),
        b.cluster("nodes", "user", outbound="loadBalancer"),
    )


def test_what_only_reports_know_is_a_note() -> None:
    """mcrprod.azurecr.io: one report, on no page of Microsoft's."""
    names = b.application_rule(
        "aks", fqdnTags=["AzureKubernetesService"], ports=(("Http", 80), ("Https", 443))
    )
    report = b.judged(
        b.vnet(
            "net",
            "10.0.0.0/16",
            b.subnet("nodes", "10.0.0.0/24", table="rt"),
            b.subnet("AzureFirewallSubnet", "10.0.9.0/26"),
        ),
        b.table("rt", b.route("default", "0.0.0.0/0", "VirtualAppliance", "10.0.9.4")),
        b.policy(),
        b.firewall(network="net", address="10.0.9.4"),
        b.rules_of("policy/aks", 200, b.collection("n", 200, "Allow", names)),
        b.cluster("nodes"),
    )
    assert {one.severity for one in report.findings if "mcrprod" in one.message} == {Severity.NOTE}


@pytest.mark.parametrize(
    ("ports", "severity"),
    [
        (["22"], Severity.WARNING),
        (["22", "3389"], Severity.WARNING),
        (["22", "53"], Severity.ERROR),
        (["1024-65535"], Severity.ERROR),
    ],
)
def test_hardening_between_nodes(ports: list[str], severity: Severity) -> None:
    """No part of Kubernetes asks for SSH between nodes; Azure/AKS-Construction shuts it on purpose."""
    report = closed(b.rule("harden", 100, "Deny", "*", ports, direction="Inbound"))
    found = b.findings(report, "EGR802")
    assert {one.severity for one in found} == {severity}


def test_a_deny_of_administration_and_one_of_more_is_an_error() -> None:
    rules = (
        b.rule("no-ssh", 100, "Deny", "*", "22", direction="Inbound"),
        b.rule("no-dns", 110, "Deny", "*", "53", direction="Inbound"),
    )
    assert Severity.ERROR in {one.severity for one in b.findings(closed(*rules), "EGR802")}


def test_a_name_denied_by_a_network_rule_is_told_once() -> None:
    """The first flow that the rule shuts may be one that goes by address; the names behind it still count."""
    report = b.judged(
        b.vnet(
            "net",
            "10.0.0.0/16",
            b.subnet("nodes", "10.0.0.0/24", table="rt"),
            b.subnet("AzureFirewallSubnet", "10.0.9.0/26"),
        ),
        b.table("rt", b.route("default", "0.0.0.0/0", "VirtualAppliance", "10.0.9.4")),
        b.policy(),
        b.firewall(network="net", address="10.0.9.4"),
        b.rules_of(
            "policy/aks",
            200,
            b.collection("close", 4000, "Deny", b.network_rule("web", "TCP", "*", "443")),
            b.collection("names", 100, "Allow", b.application_rule("aks", "*.azmk8s.io")),
        ),
        b.cluster("nodes"),
    )
    (finding,) = b.findings(report, "EGR401")
    assert "azmk8s.io" in finding.message
