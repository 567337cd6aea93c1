"""The report as SARIF 2.1.0 (OASIS), as code-scanning services take it.

Paths are URIs relative to `%SRCROOT%`; the path of a flow is a code flow; what identifies a finding
is free of lines, so that alerts survive reformatting.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.report import Cluster, Finding, Flow, Hop, Location, OnClusters, Problem, Report
from aks_egress_scan.reporters import wording
from aks_egress_scan.reporters.escaping import json_text, visible
from aks_egress_scan.reporters.rules import RuleText, rule_texts

Json = dict[str, Any]

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST_FLOWS = 5
"""How many flows of one finding are shown as code flows."""


def render(report: Report) -> str:
    """The report as SARIF text."""
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report)]})


def _run(report: Report) -> Json:
    findings = (*report.findings, *report.suppressed)
    texts = rule_texts(findings)
    index = {text.code: number for number, text in enumerate(texts)}
    on = OnClusters(report)
    results = [_result(on, one, index[one.rule], suppressed=False) for one in report.findings]
    results += [_result(on, one, index[one.rule], suppressed=True) for one in report.suppressed]
    return {
        "tool": {
            "driver": {
                "name": "aks-egress",
                "version": report.tool.version,
                "semanticVersion": report.tool.version,
                "rules": [_rule(text) for text in texts],
                "properties": {
                    "catalogueDate": report.tool.catalogue_date,
                    "catalogueDigest": report.tool.catalogue_digest,
                },
            }
        },
        "automationDetails": {"id": "aks-egress/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": results,
        "properties": {"clusters": [_cluster(one) for one in report.clusters]},
    }


def _cluster(cluster: Cluster) -> Json:
    return {
        "name": visible(cluster.name),
        "verdict": str(cluster.verdict),
        "tunnel": {"mode": cluster.tunnel.mode, "verdict": str(cluster.tunnel.verdict)},
    }


def _rule(text: RuleText) -> Json:
    severity = {"error": "error", "warning": "warning", "note": "recommendation"}[text.severity]
    return {
        "id": text.code,
        "name": text.name,
        "shortDescription": {"text": text.title},
        "fullDescription": {"text": text.title},
        "help": {"text": text.page, "markdown": text.page},
        "defaultConfiguration": {"level": text.severity},
        "properties": {"tags": ["aks", "network"], "precision": "very-high", "problem.severity": severity},
    }


def _invocation(report: Report) -> Json:
    problems = [(one.path, problem) for one in report.inputs for problem in one.problems]
    return {
        "executionSuccessful": not any(problem.malformed for _, problem in problems),
        "toolExecutionNotifications": [
            *(_notification(path, problem) for path, problem in problems),
            *({"level": "note", "message": _message(note)} for note in wording.about_inputs(report)),
        ],
    }


def _notification(path: str, problem: Problem) -> Json:
    place = _physical(Location(problem.path or path, problem.line))
    said: Json = {"level": "error" if problem.malformed else "warning", "message": _message(problem.message)}
    if place:
        said["locations"] = [{"physicalLocation": place}]
    if problem.code:
        said["descriptor"] = {"id": problem.code}
    return said


def _result(on: OnClusters, finding: Finding, index: int, *, suppressed: bool) -> Json:
    result: Json = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": str(finding.severity),
        "kind": "fail",
        "message": _message(_said(finding)),
        "locations": [_location(finding.location, finding.resource, finding.resource_id)],
        "partialFingerprints": {"aksEgressFinding/v1": finding.fingerprint},
    }
    related = [
        _related(number, hop) for number, hop in enumerate(finding.deciders, 1) if _stands(hop.location)
    ]
    if related:
        result["relatedLocations"] = related
    flows = [_code_flow(flow) for flow in _flows_of(on, finding)[:MOST_FLOWS] if flow.path]
    if flows:
        result["codeFlows"] = flows
    if suppressed:
        kind = "inSource" if finding.suppressed_in_source else "external"
        result["suppressions"] = [{"kind": kind, "justification": visible(finding.suppressed_by)}]
    return result


def _said(finding: Finding) -> str:
    parts = [finding.message]
    if finding.breaks:
        parts.append(f"breaks: {', '.join(finding.breaks)}")
    if finding.fix:
        parts.append(f"fix: {finding.fix}")
    example = wording.packet(finding.counterexample)
    if example:
        parts.append(f"a packet that is dropped: {example}")
    return ". ".join(part[:1].upper() + part[1:] for part in parts)


def _message(text: str) -> Json:
    """Plain text: nothing in it may become an embedded link."""
    return {"text": visible(text).replace("](", "] (")}


def _location(location: Location, resource: str, resource_id: str) -> Json:
    said: Json = {}
    place = _physical(location)
    if place:
        said["physicalLocation"] = place
    if resource:
        logical = {"name": visible(resource), "kind": "resource"}
        if resource_id:
            logical["fullyQualifiedName"] = visible(resource_id)
        said["logicalLocations"] = [logical]
    return said


def _related(number: int, hop: Hop) -> Json:
    return {
        "id": number,
        "message": _message(
            f"{wording.hop_title(hop)}: {hop.reason}" if hop.reason else wording.hop_title(hop)
        ),
        **_location(hop.location or Location(""), hop.resource, hop.resource_id),
    }


def _flows_of(on: OnClusters, finding: Finding) -> Sequence[Flow]:
    """The flows that a finding is about."""
    wanted = set(finding.requirements)
    return [
        flow
        for cluster in on.clusters(finding)
        for flow in cluster.flows
        if flow.requirement in wanted and flow.verdict is not Verdict.OPEN
    ]


def _code_flow(flow: Flow) -> Json:
    said = f"{wording.destination(flow)} from {flow.source.subnet} is {flow.verdict}"
    return {"message": _message(said), "threadFlows": [{"locations": list(_steps(flow.path))}]}


def _steps(path: Iterable[Hop]) -> Iterable[Json]:
    for order, hop in enumerate(path, 1):
        said = f"{hop.decision} by {wording.hop_title(hop)}{f': {hop.reason}' if hop.reason else ''}"
        yield {
            "executionOrder": order,
            "importance": "essential" if hop.decision in ("deny", "drop", "unknown") else "important",
            "location": {
                "message": _message(said),
                **_location(hop.location or Location(""), hop.resource, hop.resource_id),
            },
        }


def _stands(location: Location | None) -> bool:
    return location is not None and location.path not in ("", "-")


def _physical(location: Location) -> Json | None:
    """A place in a file; None for standard input and for what has no place."""
    if not _stands(location):
        return None
    artifact = {"uri": uri(location.path)}
    if not artifact["uri"].startswith("file:"):
        artifact["uriBaseId"] = "%SRCROOT%"
    place: Json = {"artifactLocation": artifact}
    # Without a region some services refuse the result; the first line stands for the whole file.
    place["region"] = {"startLine": location.line or 1}
    return place


def uri(path: str) -> str:
    """A path as a URI reference: relative paths stay relative."""
    spelled = path.replace("\\", "/").encode("utf-8", "replace")
    if path[1:3] in (":\\", ":/"):
        return f"file:///{quote(spelled, safe='/:')}"
    return f"file://{quote(spelled)}" if path.startswith("/") else quote(spelled)
