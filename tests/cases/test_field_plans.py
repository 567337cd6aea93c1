"""Real mistakes M10, M14, M16, M17 and M24 once more, as Terraform plans: where most people meet them.

The plans in `terraform/plans` were made by Terraform from `terraform/main.tf` and the variants beside it.
"""

from __future__ import annotations

from pathlib import Path

from tests import builders as b

from aks_egress.engine import judge
from aks_egress.findings.report import Report
from aks_egress.settings import Settings
from aks_egress_scan.sources import load

PLANS = Path(__file__).parent / "terraform" / "plans"


def planned(name: str, tunnel: str = "auto") -> Report:
    """The report on one of the plans."""
    loaded = load([str(PLANS / f"{name}.json")])
    assert not loaded.failures
    return judge(loaded.documents, Settings(tunnel=tunnel), b.NO_TAGS)


def tunnel(report: Report) -> str:
    return b.sole(report).tunnel.verdict


def test_m10_standalone_rules_that_open_the_web_only() -> None:
    """azure-docs#20599; the association's ids are known only after apply."""
    report = planned("m10", "tunnelfront")
    found = b.flow(report, "AzureCloud.eastus", ports="9000")
    assert b.blockers(found) == [("subnet-nsg", "deny-internet")]
    assert b.flow(report, "mcr.microsoft.com").verdict == "open"
    assert tunnel(planned("m10")) == "open"


def test_m14_terraform_lets_the_route_pass_and_aks_refuses_it() -> None:
    """terraform-provider-azurerm#8609: RouteTableInvalidNextHop."""
    report = planned("m14")
    refused = [*b.findings(report, "EGR3"), *b.findings(report, "EGR7")]
    assert any("RouteTableInvalidNextHop" in f"{one.message} {one.breaks} {one.fix}" for one in refused)
    assert tunnel(report) != "open"


def test_m16_a_table_without_a_default_route() -> None:
    """Azure/AKS#2710: RouteTableMissingDefaultRoute."""
    report = planned("m16")
    refused = [*b.findings(report, "EGR3"), *b.findings(report, "EGR7")]
    assert any("RouteTableMissingDefaultRoute" in f"{one.message} {one.breaks} {one.fix}" for one in refused)
    assert tunnel(report) != "open"


def test_m17_kubelets_shut_off_inside_the_subnet() -> None:
    """mspnp/aks-baseline#97."""
    report = planned("m17")
    legs = {one.destination.ports: one.verdict for one in b.sole(report).flows if one.role == "tunnel"}
    assert legs == {"443": "open", "10250": "blocked"}
    finding = next(one for one in report.findings if one.rule == "EGR103")
    text = (PLANS / "m17.json").read_text(encoding="utf-8").splitlines()
    assert finding.location.line is not None
    assert "deny-kubelet" in " ".join(text[finding.location.line - 1 : finding.location.line + 25])


def test_m24_an_appliance_without_an_address() -> None:
    """Azure/terraform-azurerm-hubnetworking#48."""
    report = planned("m24")
    assert tunnel(report) != "open"
    assert b.findings(report, "EGR3")
