"""A report as JSON, schema `aks-egress/report/v1` (`report.schema.json` beside this file).

Members are only ever added.  Members that the contract names are always present, with null where
there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.report import (
    Cluster,
    Finding,
    Flow,
    Hop,
    Input,
    Location,
    Report,
    Severity,
    Tool,
)

SCHEMA = "aks-egress/report/v1"

Json = dict[str, Any]


def as_json(report: Report) -> Json:
    """The report as plain dictionaries and lists, in the order of the schema."""
    return {name: list(value) if isinstance(value, map) else value for name, value in members(report)}


def members(report: Report) -> Iterator[tuple[str, Any]]:
    """The members of the document one after the other; those of a fleet that are long come as what makes their rows."""
    yield "schema", SCHEMA
    yield "tool", _tool(report.tool)
    yield "inputs", [_input(one) for one in report.inputs]
    yield "clusters", map(_cluster, report.clusters)
    yield "findings", map(finding_json, report.findings)
    yield "suppressed", map(_suppressed, report.suppressed)
    yield "summary", summary(report)
    yield "notes", list(report.notes)


def _suppressed(one: Finding) -> Json:
    return finding_json(one) | {"suppressedBy": one.suppressed_by}


def summary(report: Report) -> Json:
    """How many clusters, flows by verdict and findings by severity there are."""
    return {
        "clusters": len(report.clusters),
        "flows": {str(verdict): report.flows(verdict) for verdict in _VERDICTS},
        "findings": {str(severity): report.count(severity) for severity in Severity},
        "suppressed": len(report.suppressed),
        "undecidedRequired": report.undecided,
    }


_VERDICTS = (Verdict.OPEN, Verdict.BLOCKED, Verdict.PARTIAL, Verdict.UNKNOWN)


def _tool(tool: Tool) -> Json:
    return {
        "name": "aks-egress",
        "version": tool.version,
        "catalogue": {"date": tool.catalogue_date, "digest": tool.catalogue_digest},
        "serviceTags": {"source": tool.tags_source, "changeNumber": tool.tags_change_number},
    }


def _input(one: Input) -> Json:
    problems = [
        {
            "message": problem.message,
            "line": problem.line,
            "code": problem.code,
            "path": problem.path or one.path,
        }
        for problem in one.problems
    ]
    return {
        "path": one.path,
        "kind": one.kind,
        "role": one.role,
        "resources": one.resources,
        "problems": problems,
    }


def _cluster(cluster: Cluster) -> Json:
    return {
        "id": cluster.id,
        "name": cluster.name,
        "location": cluster.location,
        "cloud": cluster.cloud,
        "outboundType": cluster.outbound_type,
        "apiAccess": cluster.api_access,
        "tunnel": {
            "mode": cluster.tunnel.mode,
            "evidence": cluster.tunnel.evidence,
            "verdict": str(cluster.tunnel.verdict),
        },
        "verdict": str(cluster.verdict),
        "place": _location(cluster.place),
        "document": cluster.document,
        "facts": [{"name": name, "value": value, "source": source} for name, value, source in cluster.facts],
        "flows": [flow_json(flow) for flow in cluster.flows],
    }


def flow_json(flow: Flow) -> Json:
    """One flow, as `clusters[].flows[]` has it."""
    return {
        "requirement": flow.requirement,
        "title": flow.title,
        "role": flow.role,
        "necessity": flow.necessity,
        "from": {
            "pool": flow.source.pool,
            "subnet": flow.source.subnet,
            "prefixes": list(flow.source.prefixes),
        },
        "to": {
            "kind": flow.destination.kind,
            "value": flow.destination.value,
            "protocol": flow.destination.protocol,
            "ports": flow.destination.ports,
        },
        "verdict": str(flow.verdict),
        "reason": flow.reason,
        "settle": flow.settle,
        "path": _path(flow.path),
        "counterexample": flow.counterexample,
        "breaks": list(flow.breaks),
        "doubts": list(flow.doubts),
        "assumptions": list(flow.assumptions),
    }


def _path(path: Iterable[Hop]) -> list[Json]:
    return [
        {
            "hop": hop.hop,
            "resource": hop.resource,
            "resourceId": hop.resource_id,
            "rule": hop.rule,
            "decision": hop.decision,
            "reason": hop.reason,
            "packets": hop.packets,
            "location": _location(hop.location),
        }
        for hop in path
    ]


def finding_json(finding: Finding) -> Json:
    """One finding, as `findings[]` has it."""
    return {
        "rule": finding.rule,
        "name": finding.name,
        "severity": str(finding.severity),
        "cluster": finding.cluster,
        "document": finding.document,
        "requirements": list(finding.requirements),
        "resource": finding.resource,
        "resourceId": finding.resource_id,
        "location": _location(finding.location),
        "message": finding.message,
        "breaks": list(finding.breaks),
        "fix": finding.fix,
        "help": finding.help,
        "deciders": _path(finding.deciders),
        "counterexample": finding.counterexample,
        "fingerprint": finding.fingerprint,
    }


def _location(location: Location | None) -> Json | None:
    return None if location is None else {"path": location.path, "line": location.line}
