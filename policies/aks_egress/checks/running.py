"""Which checks are asked: those that something among the inputs concerns, so that a small scan imports few.

Each module of checks stands in a table with what it looks at; where nothing of the kind is there, none of its
rules could speak.  `registry` holds all of them, for whoever lists the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from aks_egress.checks.base import CHECKS, Context
from aks_egress.checks.scope import node_subnets
from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.report import Finding, Severity
from aks_egress.topology.firewalls import FIREWALLS
from aks_egress.topology.model import ROUTING_INTENTS


def _anything(context: Context) -> bool:
    return bool(context.documents)


def _not_open(context: Context) -> bool:
    return any(flow.verdict is not Verdict.OPEN for cluster in context.clusters for flow in cluster.flows)


def _blocked(context: Context) -> bool:
    return any(flow.verdict is Verdict.BLOCKED for cluster in context.clusters for flow in cluster.flows)


def _groups(context: Context) -> bool:
    """Security groups; flows that rest on a reading of their default rules come with one."""
    subnets = (subnet for cluster in context.clusters for subnet in node_subnets(cluster))
    return any(subnet.nsg.resources for subnet in subnets) or _api_subnet(context) or _not_open(context)


def _tables(context: Context) -> bool:
    subnets = (subnet for cluster in context.clusters for subnet in node_subnets(cluster))
    return any(subnet.route_table.resources for subnet in subnets)


def _routed(context: Context) -> bool:
    """Tables, or clusters whose outbound type asks for one."""
    types = (one.cluster.outbound_type if one.cluster else None for one in context.clusters)
    return _tables(context) or any(
        one is None or (isinstance(one, str) and one.casefold() == "userdefinedrouting") for one in types
    )


def _firewalls(context: Context) -> bool:
    graph = context.topology.graph
    return bool(graph.of_kind(FIREWALLS) or graph.of_kind(ROUTING_INTENTS))


def _api_subnet(context: Context) -> bool:
    return any(one.cluster is not None and one.cluster.api_subnet is not None for one in context.clusters)


def _limited(context: Context) -> bool:
    """API servers that admit some addresses only."""
    ranges = ("apiServerAccessProfile", "authorizedIPRanges")
    return any(one.cluster is not None and one.cluster.resource.prop(*ranges) for one in context.clusters)


def _private_or_proxied(context: Context) -> bool:
    return any(
        one.facts.proxy.on is True or one.facts.fact("api_access").value == "private_link"
        for one in context.clusters
    )


#: module of checks -> whether anything concerns its rules
ASKED: Mapping[str, Callable[[Context], bool]] = {
    "api_server": _api_subnet,
    "authorized_ranges": _limited,
    "cluster_settings": _anything,
    "endpoints": _not_open,
    "firewalls": _firewalls,
    "names_and_proxies": _private_or_proxied,
    "near_misses": _blocked,
    "next_hops": _tables,
    "outdated": _blocked,
    "routing": _routed,
    "security_rules": _groups,
}


def run(context: Context, severities: Mapping[str, str]) -> list[Finding]:
    """The findings of all rules, worst first, with the severities that people chose."""
    for name, concerned in ASKED.items():
        if concerned(context):
            import_module(f"aks_egress.checks.{name}")
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
        finding.document,
    )


def _distinct(found: list[Finding]) -> list[Finding]:
    """Each fingerprint once: what two clusters share is said once for each of them, not twice."""
    seen: dict[tuple[str, str, str], Finding] = {}
    for finding in found:
        seen.setdefault((finding.fingerprint, finding.message, finding.document), finding)
    return list(seen.values())
