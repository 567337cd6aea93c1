"""The report as GitHub workflow commands: an annotation for each finding and each broken input."""

from __future__ import annotations

from aks_egress.findings.report import Finding, Location, Report, Severity
from aks_egress_scan.reporters import wording
from aks_egress_scan.reporters.escaping import github_message, github_property

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(report: Report) -> str:
    """One line for each finding, then a summary that is no command."""
    lines = [_finding(one) for one in report.findings]
    lines += [
        _command(
            "error",
            Location(problem.path or one.path, problem.line),
            "aks-egress: broken input",
            problem.message,
        )
        for one in report.inputs
        for problem in one.problems
        if problem.malformed
    ]
    lines += [f"aks-egress: {github_message(note)}" for note in wording.about_inputs(report)]
    lines.append(
        f"aks-egress: {wording.counted(len(report.clusters), 'cluster')}; {wording.finding_counts(report)}"
    )
    return "\n".join(lines) + "\n"


def _finding(finding: Finding) -> str:
    parts = [finding.message]
    if finding.breaks:
        parts.append(f"breaks: {', '.join(finding.breaks)}")
    if finding.fix:
        parts.append(f"fix: {finding.fix}")
    title = f"{finding.rule} {finding.name}"
    return _command(_LEVEL[finding.severity], finding.location, title, "\n".join(parts))


def _command(level: str, location: Location, title: str, message: str) -> str:
    properties = {"title": title}
    if location.path not in ("", "-"):
        properties = {"file": location.path, "line": str(location.line or 1), "title": title}
    said = ",".join(f"{name}={github_property(value)}" for name, value in properties.items())
    body = "%0A".join(github_message(line) for line in message.split("\n"))
    return f"::{level} {said}::{body}"
