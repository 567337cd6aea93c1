"""The report as JUnit XML: a suite for each cluster, a test for each flow.

A flow that is open passes.  One that an active finding is about fails with that finding's text; an
undecided required flow is an error; what is shut but optional or accepted is skipped.  Notes, such as when a
picture of what runs was taken, are properties of the first suite: they hold for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.report import Cluster, Finding, Flow, OnClusters, Report, Severity
from aks_egress.records import record
from aks_egress_scan.reporters import wording
from aks_egress_scan.reporters.escaping import xml


@record(frozen=True, slots=True)
class _Case:
    """One test: its outcome is empty, failure, error or skipped."""

    group: str
    name: str
    outcome: str = ""
    kind: str = ""
    message: str = ""
    body: str = ""


def render(report: Report) -> str:
    """The report as JUnit XML."""
    on = OnClusters(report)
    suites = [(cluster.name or cluster.id, _cases(on, cluster)) for cluster in report.clusters]
    rest = [_finding_case("findings", one) for one in on.others()]
    rest += [
        _Case("inputs", one.path, "error", problem.code or "input", problem.message)
        for one in report.inputs
        for problem in one.problems
        if problem.malformed
    ]
    if rest:
        suites.append(("beside the clusters", rest))
    every = [case for _, cases in suites for case in cases]
    notes = [report.notes, *[()] * len(suites)]
    body = "".join(_suite(name, cases, said) for (name, cases), said in zip(suites, notes, strict=False))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="aks-egress" {_counts(every, skipped=False)}>\n{body}</testsuites>\n'


def _cases(on: OnClusters, cluster: Cluster) -> list[_Case]:
    findings = on.findings(cluster)
    spoken_of = {name for one in findings for name in one.requirements}
    known = {flow.requirement for flow in cluster.flows}
    cases = [_flow_case(cluster, flow, findings, spoken_of) for flow in cluster.flows]
    return cases + [_finding_case(cluster.name, one) for one in findings if not known & set(one.requirements)]


def _flow_case(cluster: Cluster, flow: Flow, findings: Sequence[Finding], spoken_of: set[str]) -> _Case:
    group = f"{cluster.name}.{flow.role}"
    name = f"{flow.requirement}: {wording.destination(flow)} from {flow.source.subnet}"
    if flow.verdict is Verdict.OPEN:
        return _Case(group, name)
    about = [
        one for one in findings if flow.requirement in one.requirements and one.severity is Severity.ERROR
    ]
    if flow.verdict is not Verdict.UNKNOWN and about:
        return _Case(group, name, "failure", about[0].rule, about[0].message, _body(about[0]))
    if flow.verdict is Verdict.UNKNOWN and flow.necessity == "required" and flow.requirement in spoken_of:
        settle = f"to settle it: {flow.settle}" if flow.settle else ""
        return _Case(group, name, "error", "undecided", flow.reason, settle)
    return _Case(group, name, "skipped", "", f"{flow.verdict}: {flow.reason or flow.necessity}")


def _finding_case(group: str, finding: Finding) -> _Case:
    name = f"{finding.rule} {finding.name}: {finding.resource}"
    if finding.severity is Severity.ERROR:
        return _Case(group, name, "failure", finding.rule, finding.message, _body(finding))
    return _Case(group, name, "", "", "", f"{finding.severity}: {finding.message}\n{_body(finding)}")


def _body(finding: Finding) -> str:
    lines = [f"{finding.location}"]
    lines += [
        f"by {wording.hop_title(hop)}{f' at {hop.location}' if hop.location else ''}: {hop.reason}"
        for hop in finding.deciders
    ]
    example = wording.packet(finding.counterexample)
    lines += [f"lost: {example}"] if example else []
    lines += [f"breaks: {', '.join(finding.breaks)}"] if finding.breaks else []
    lines += [f"fix: {finding.fix}"] if finding.fix else []
    return "\n".join(lines)


def _suite(name: str, cases: Sequence[_Case], notes: Sequence[str]) -> str:
    body = _properties(notes) + "".join(_test(case) for case in cases)
    return f'  <testsuite name="{xml(name)}" {_counts(cases, skipped=True)}>\n{body}  </testsuite>\n'


def _properties(notes: Sequence[str]) -> str:
    """Notes, which readers show beside the tests."""
    rows = "".join(f'      <property name="note" value="{xml(note)}"/>\n' for note in notes)
    return f"    <properties>\n{rows}    </properties>\n" if rows else ""


def _counts(cases: Sequence[_Case], *, skipped: bool) -> str:
    said = {"failure": 0, "error": 0, "skipped": 0, "": 0}
    for case in cases:
        said[case.outcome] += 1
    text = f'tests="{len(cases)}" failures="{said["failure"]}" errors="{said["error"]}"'
    return f'{text} skipped="{said["skipped"]}" time="0"' if skipped else f'{text} time="0"'


def _test(case: _Case) -> str:
    head = f'    <testcase classname="{xml(case.group)}" name="{xml(case.name)}" time="0"'
    body = "\n".join(xml(line) for line in case.body.split("\n"))
    if not case.outcome:
        return (
            f"{head}>\n      <system-out>{body}</system-out>\n    </testcase>\n"
            if case.body
            else f"{head}/>\n"
        )
    if case.outcome == "skipped":
        return f'{head}>\n      <skipped message="{xml(case.message)}"/>\n    </testcase>\n'
    inner = f'<{case.outcome} type="{xml(case.kind)}" message="{xml(case.message)}">{body}</{case.outcome}>'
    return f"{head}>\n      {inner}\n    </testcase>\n"
