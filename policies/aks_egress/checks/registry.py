"""All rules and the one function that runs them."""

from __future__ import annotations

from collections.abc import Mapping

from aks_egress.checks import (  # noqa: F401  importing registers the rules
    api_server,
    cluster_settings,
    endpoints,
    firewalls,
    names_and_proxies,
    near_misses,
    next_hops,
    outdated,
    routing,
    security_rules,
)
from aks_egress.checks.base import CHECKS, RULES, Context, Rule
from aks_egress.findings.report import Finding, Severity

__all__ = ["RULES", "Rule", "run"]

_ORDER = {code: i for i, code in enumerate(sorted(RULES))}


def run(context: Context, severities: Mapping[str, str]) -> list[Finding]:
    """The findings of all rules, worst first, with the severities that people chose."""
    found = [
        _weighed(finding, severities)
        for rules, function in CHECKS
        if any(severities.get(rule.code) != "off" for rule in rules)
        for finding in function(context)
        if severities.get(finding.rule) != "off"
    ]
    found.sort(key=_order)
    return _distinct(found)


def _weighed(finding: Finding, severities: Mapping[str, str]) -> Finding:
    chosen = severities.get(finding.rule)
    if chosen is None:
        return finding
    from aks_egress.records import replace  # noqa: PLC0415  only where severities are configured

    return replace(finding, severity=Severity(chosen))


def _order(finding: Finding) -> tuple[object, ...]:
    place = finding.location
    return (
        finding.severity.rank,
        finding.rule,
        finding.cluster,
        place.path,
        place.line or 0,
        finding.resource,
        finding.message,
    )


def _distinct(found: list[Finding]) -> list[Finding]:
    """Each fingerprint once: what two clusters share is said once for each of them, not twice."""
    seen: dict[tuple[str, str], Finding] = {}
    for finding in found:
        seen.setdefault((finding.fingerprint, finding.message), finding)
    return list(seen.values())
