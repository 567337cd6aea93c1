"""The report as a pull-request comment: the answer in the first line, what to mend below it.

Nothing in a name can become markup, a mention or a link.  The comment begins with a marker, so that
a bot finds its former one.
"""

from __future__ import annotations

from collections.abc import Iterator

from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.report import Cluster, Finding, Hop, OnClusters, Report, Severity
from aks_egress_scan.reporters import wording
from aks_egress_scan.reporters.escaping import markdown, markdown_code

MARKER = "<!-- aks-egress -->"
_SIGN = {Verdict.OPEN: "✅", Verdict.BLOCKED: "❌", Verdict.PARTIAL: "❌", Verdict.UNKNOWN: "❔"}
MOST_FINDINGS = 30
MOST_CHARACTERS = 60_000
"""Comments are bounded (GitHub takes 65,536 characters); the other formats have every finding."""


def render(report: Report) -> str:
    """The report as Markdown."""
    text = ""
    for most in (MOST_FINDINGS, 10, 3, 1, 0):
        text = "\n".join(_lines(report, most)).rstrip() + "\n"
        if len(text) <= MOST_CHARACTERS:
            break
    return text


def _lines(report: Report, most: int) -> Iterator[str]:
    yield MARKER
    yield f"### {_headline(report)}"
    yield ""
    if report.clusters:
        yield "| cluster | tunnel | verdict | flows |"
        yield "| --- | --- | --- | --- |"
        yield from (_row(cluster) for cluster in report.clusters)
        yield ""
    for severity, title in (
        (Severity.ERROR, "To mend"),
        (Severity.WARNING, "Warnings"),
        (Severity.NOTE, "Notes"),
    ):
        yield from _findings(
            [one for one in report.findings if one.severity is severity], title, severity, most
        )
    yield from _undecided(report, most)
    yield from _inputs(report)
    yield from (f"<sub>{_prose(note)}</sub>\n" for note in wording.about_inputs(report))
    yield _foot(report)


def _headline(report: Report) -> str:
    broken = [one for one in report.clusters if one.tunnel.verdict in (Verdict.BLOCKED, Verdict.PARTIAL)]
    if any(problem.malformed for one in report.inputs for problem in one.problems):
        return "❌ aks-egress: an input is broken, so nothing is proved"
    if broken:
        names = wording.few([markdown_code(one.name) for one in broken], 3)
        said = wording.tunnel_words(broken[0]) if len(broken) == 1 else "the tunnel is blocked"
        lose = "loses" if len(broken) == 1 else "lose"
        lose = lose if any(one.tunnel.verdict is Verdict.BLOCKED for one in broken) else "can lose"
        return f"❌ {said}: {names} {lose} `kubectl logs`, `exec` and webhooks"
    if report.count(Severity.ERROR):
        return f"❌ aks-egress: {wording.counted(report.count(Severity.ERROR), 'thing')} to mend"
    if not report.clusters:
        return "❔ aks-egress: no cluster was judged"
    if report.undecided:
        return "❔ aks-egress: nothing is provably blocked, and a required flow is undecided"
    return "✅ aks-egress: every flow that AKS needs gets through"


def _row(cluster: Cluster) -> str:
    tunnel = f"{_SIGN[cluster.tunnel.verdict]} {cluster.tunnel.mode}"
    flows = wording.flow_counts(cluster.flows).partition(": ")[2]
    return f"| {markdown_code(cluster.name)} | {tunnel} | {_SIGN[cluster.verdict]} {cluster.verdict} | {flows or 'none'} |"


def _findings(findings: list[Finding], title: str, severity: Severity, most: int) -> Iterator[str]:
    if not findings:
        return
    folded = severity is not Severity.ERROR
    yield f"<details><summary>{title} ({len(findings)})</summary>\n" if folded else f"**{title}**\n"
    for finding in findings[:most]:
        yield from _finding(finding)
    if len(findings) > most:
        yield f"- and {len(findings) - most} more"
    yield "\n</details>\n" if folded else ""


def _finding(finding: Finding) -> Iterator[str]:
    place = markdown_code(str(finding.location))
    yield (
        f"- **{finding.rule}** {markdown(finding.name)} at {place}: {_prose(finding.message)}"
        if place
        else f"- **{finding.rule}** {_prose(finding.message)}"
    )
    for hop in finding.deciders[:6]:
        yield f"  - {_decider(hop)}"
    if finding.breaks:
        shown = [_consequence(one) for one in finding.breaks[:8]]
        more = f" and {len(finding.breaks) - 8} more" if len(finding.breaks) > 8 else ""
        yield f"  - breaks {', '.join(shown)}{more}"
    if finding.fix:
        yield f"  - **fix:** {_prose(finding.fix)}"


def _consequence(text: str) -> str:
    verb = text.removeprefix("kubectl ")
    return markdown_code(text) if verb != text and verb.isalnum() else _prose(text)


def _decider(hop: Hop) -> str:
    place = f" at {markdown_code(str(hop.location))}" if hop.location else ""
    return f"{_prose(wording.hop_title(hop))}{place}"


def _prose(text: str) -> str:
    """Our own sentences quote names in backticks: each becomes a code span, the rest plain text."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return markdown(text)
    return "".join(markdown_code(part) if number % 2 else markdown(part) for number, part in enumerate(parts))


def _undecided(report: Report, most: int) -> Iterator[str]:
    on = OnClusters(report)
    groups = [
        (cluster, one)
        for cluster in report.clusters
        for one in wording.undecided(cluster, on.findings(cluster))
    ]
    if not groups:
        return
    yield f"<details><summary>Not decided by what was given ({sum(len(one.flows) for _, one in groups)})</summary>\n"
    for cluster, one in groups[:most]:
        flows = wording.few([wording.destination(flow) for flow in one.flows])
        settle = f" To settle it: {_prose(one.settle)}." if one.settle else ""
        yield f"- {markdown_code(cluster.name)}: {_prose(flows)}: {_prose(one.reason)}.{settle}"
    yield "\n</details>\n"


def _inputs(report: Report) -> Iterator[str]:
    for one in report.inputs:
        for problem in one.problems:
            if problem.malformed:
                place = f"{problem.path or one.path}{f':{problem.line}' if problem.line else ''}"
                yield f"- broken input {markdown_code(place)}: {_prose(problem.message)}"


def _foot(report: Report) -> str:
    accepted = f", {len(report.suppressed)} suppressed" if report.suppressed else ""
    return f"\n<sub>aks-egress {markdown(report.tool.version)}, catalogue of {markdown(report.tool.catalogue_date)}: {wording.finding_counts(report)}{accepted}</sub>"
