"""Allow lists that were complete once: they name an endpoint that AKS has left, and not the one it moved to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aks_egress.checks.base import Context, check, rule
from aks_egress.checks.scope import firewalls
from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.report import Finding, Severity
from aks_egress.packets.names import Match, covers

OUTDATED = rule(
    "EGR901",
    "allow-list-outdated",
    Severity.WARNING,
    "An allow list names an endpoint that AKS has left, and not its successor",
)

#: a host that AKS used -> the host that took its place (Azure/AKS#4792 of 2025, Azure/AKS#1476 of 2020)
SUCCESSORS: Mapping[str, str] = {
    "acs-mirror.azureedge.net": "packages.aks.azure.com",
    "*.cdn.mscr.io": "*.data.mcr.microsoft.com",
}


@check(OUTDATED)
def outdated(context: Context) -> Iterator[Finding]:
    """Rules by name for the old host, where the new one is shut."""
    for cluster in context.clusters:
        shut = {
            flow.requirement.name: flow.requirement
            for flow in cluster.flows
            if flow.verdict is Verdict.BLOCKED and flow.counts
        }
        moved = {old: new for old, new in SUCCESSORS.items() if new in shut}
        for firewall in firewalls(context, cluster) if moved else ():
            for one in firewall.rules:
                for old, new in moved.items():
                    named = any(covers(old, name) is Match.YES for name in one.fqdns.known)
                    if one.action != "allow" or not named:
                        continue
                    yield context.finding(
                        OUTDATED,
                        f"rule `{one.label}` of firewall `{firewall.label}` allows `{old}`, which AKS has left for `{new}`, and that is blocked",
                        resource=one.owner,
                        origin=one.origin,
                        cluster=cluster.name,
                        requirements=(shut[new].id,),
                        breaks=shut[new].breaks,
                        fix=f"allow `{new}`, or use the FQDN tag AzureKubernetesService, which follows such moves by itself",
                        key=(one.label, old),
                    )
