"""What violations say: the text of `aks-egress scan`, without its colours."""

from __future__ import annotations

from collections.abc import Iterator

from aks_egress.findings.report import Cluster, Finding, Report
from aks_egress_pulumi.judging import Judgement
from aks_egress_scan.reporters import wording
from aks_egress_scan.reporters.escaping import visible
from aks_egress_scan.reporters.style import Style
from aks_egress_scan.reporters.text import finding_text

_WIDTH = 110


def finding_message(report: Report, finding: Finding) -> str:
    """A finding as `scan` tells it."""
    return finding_text(report, finding, Style(width=_WIDTH)).strip("\n")


def undecided_messages(judgement: Judgement, tunnel: bool | None = None) -> Iterator[tuple[str, str]]:
    """What is not decided and what would settle it, with the URN of the cluster.

    `tunnel` picks the flows of the tunnel, or all others; None picks both, and inputs that were not read.
    """
    report = judgement.report
    if report is None:
        return
    for cluster in report.clusters:
        urn = judgement.urn_of(cluster.id)
        for text in _undecided(cluster, tunnel):
            yield text, urn
    for finding in report.findings if tunnel is None else ():
        if finding.rule == "EGR902":
            yield finding_message(report, finding), judgement.at_fault(finding)


def _undecided(cluster: Cluster, tunnel: bool | None) -> Iterator[str]:
    for group in wording.undecided(cluster):
        flows = [
            flow
            for flow in group.flows
            if flow.necessity == "required" and tunnel in (None, flow.role == "tunnel")
        ]
        if not flows:
            continue
        said = wording.few([wording.destination(flow) for flow in flows])
        text = f"`{cluster.name}`: {said} is not decided: {group.reason or 'no reason was given'}"
        yield visible(f"{text}; to settle it: {group.settle}" if group.settle else text)
