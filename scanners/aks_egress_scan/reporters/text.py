"""The report as a colleague would explain it: the tunnel first, what is shut and by what, what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.report import Cluster, Finding, Hop, Input, OnClusters, Report, Severity
from aks_egress_scan.reporters import wording
from aks_egress_scan.reporters.escaping import visible
from aks_egress_scan.reporters.style import Style

_VERDICT_COLOUR = {
    Verdict.OPEN: "green",
    Verdict.BLOCKED: "red",
    Verdict.PARTIAL: "red",
    Verdict.UNKNOWN: "yellow",
}
_SEVERITY_COLOUR = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def render(report: Report, style: Style) -> str:
    """The report as text in at most `style.width` columns, ending in a line break."""
    return "\n".join(_Text(report, style).lines()) + "\n"


def finding_text(report: Report, finding: Finding, style: Style) -> str:
    """One finding of a report as the text report tells it."""
    return "\n".join(_Text(report, style).finding(finding))


class _Text:
    """The lines of one report."""

    def __init__(self, report: Report, style: Style) -> None:
        self.report, self.style = report, style
        self.on = OnClusters(report)

    def lines(self) -> Iterator[str]:
        """All lines, in order."""
        for cluster in self.report.clusters:
            yield from self._cluster(cluster)
            yield ""
        yield from self._section("Beside the clusters", self.on.others())
        yield from self._inputs()
        if self.style.suppressed:
            yield from self._suppressed()
        yield from (line for note in self.report.notes for line in self._wrapped(note, "note: ", "      "))
        yield from self._summary()

    def _cluster(self, cluster: Cluster) -> Iterator[str]:
        colour = _VERDICT_COLOUR[cluster.verdict]
        head = f"{self.style.paint(visible(cluster.name), 'bold')}  {self.style.paint(cluster.verdict.upper(), colour, 'bold')}"
        place = f"  {self._dim(str(cluster.place))}" if cluster.place else ""
        yield head + place
        yield from self._wrapped(_setting(cluster), "  ", "  ")
        yield ""
        yield from self._tunnel(cluster)
        findings = self.on.findings(cluster)
        yield from self._section("", [one for one in findings if not wording.says_undecided(one)])
        yield from self._unknowns(cluster, findings)
        yield from self._doubts(cluster)
        yield ""
        yield f"  {wording.flow_counts(cluster.flows)}"

    def _tunnel(self, cluster: Cluster) -> Iterator[str]:
        said = wording.tunnel_words(cluster)
        colour = _VERDICT_COLOUR[cluster.tunnel.verdict]
        yield f"  {self.style.paint(said[:1].upper() + said[1:], colour)}"
        if cluster.tunnel.evidence:
            yield from self._wrapped(cluster.tunnel.evidence, "    ", "    ")

    def _section(self, title: str, findings: Sequence[Finding]) -> Iterator[str]:
        if findings and title:
            yield title
        for finding in findings:
            yield ""
            yield from self.finding(finding)
        if findings and title:
            yield ""

    def finding(self, finding: Finding) -> Iterator[str]:
        """The lines of one finding."""
        severity = self.style.paint(str(finding.severity), _SEVERITY_COLOUR[finding.severity], "bold")
        yield f"  {severity} {self.style.paint(finding.rule, 'bold')} {finding.name}  {self._dim(str(finding.location))}"
        yield from self._wrapped(finding.message, "    ", "    ")
        hops = finding.deciders
        for number, hop in enumerate(hops):
            yield from self._decider(hop, "by   " if number == 0 else "and  ", finding.message)
        example = wording.packet(finding.counterexample)
        yield from self._row("lost", example)
        yield from self._row("breaks", wording.few(finding.breaks, 8))
        yield from self._row("fix", finding.fix)

    def _decider(self, hop: Hop, lead: str, said: str) -> Iterator[str]:
        """Who decided, and why where the finding's message has not said that."""
        place = f" at {hop.location}" if hop.location else ""
        packets = f" ({hop.packets})" if hop.packets else ""
        why = f": {hop.reason}" if hop.reason and hop.reason not in said else ""
        yield from self._wrapped(f"{wording.hop_title(hop)}{place}{packets}{why}", f"    {lead}  ", " " * 11)

    def _row(self, label: str, text: str) -> Iterator[str]:
        if text:
            yield from self._wrapped(text, f"    {label:<7}", " " * 11)

    def _unknowns(self, cluster: Cluster, findings: Sequence[Finding]) -> Iterator[str]:
        groups = wording.undecided(cluster, findings)
        said = [one for one in findings if wording.says_undecided(one)]
        if groups or said:
            yield ""
            yield f"  {self.style.paint('Not decided by what was given', 'yellow')}"
        yield from self._section("", said)
        if groups and said:
            yield ""
        for group in groups:
            flows = wording.few([wording.destination(one) for one in group.flows])
            optional = "" if group.required else " (not required)"
            yield from self._wrapped(f"{flows}{optional}", "  - ", "    ")
            yield from self._wrapped(group.reason or "no reason was given", "    because ", "      ")
            if group.settle:
                yield from self._wrapped(group.settle, "    to settle it: ", "      ")

    def _doubts(self, cluster: Cluster) -> Iterator[str]:
        rests = [text for flow in cluster.flows for text in (*flow.assumptions, *flow.doubts)]
        distinct = list(dict.fromkeys(rests))
        if distinct:
            yield ""
            yield "  These verdicts rest on"
        for text in distinct:
            yield from self._wrapped(text, "  - ", "    ")

    def _inputs(self) -> Iterator[str]:
        for one in self.report.inputs:
            yield from self._problems(one)

    def _problems(self, one: Input) -> Iterator[str]:
        """What is to be said of an input, without what a finding says already."""
        said = {finding.message for finding in self.report.findings}
        for problem in one.problems:
            if problem.message in said:
                continue
            place = f"{problem.path or one.path}{f':{problem.line}' if problem.line else ''}"
            lead = "broken input" if problem.malformed else "about the input"
            yield from self._wrapped(f"{place}: {problem.message}", f"{lead}: ", "  ")

    def _suppressed(self) -> Iterator[str]:
        for one in self.report.suppressed:
            said = f"{one.rule} {one.name} on {one.resource} ({one.location}): {one.suppressed_by}"
            yield from self._wrapped(said, "suppressed: ", "  ")

    def _summary(self) -> Iterator[str]:
        report = self.report
        judged = "no cluster was judged"
        if report.clusters:
            flows = [flow for cluster in report.clusters for flow in cluster.flows]
            judged = f"{wording.counted(len(report.clusters), 'cluster')}, {wording.flow_counts(flows)}"
        accepted = f", {len(report.suppressed)} suppressed" if report.suppressed else ""
        said = f"{judged}; {wording.finding_counts(report)}{accepted}"
        yield from (self.style.paint(line, self._colour()) for line in self._wrapped(said, "", "  "))

    def _colour(self) -> str:
        if self.report.count(Severity.ERROR):
            return "red"
        sound = self.report.clusters and not self.report.findings and not self.report.undecided
        return "green" if sound else "yellow"

    def _dim(self, text: str) -> str:
        return self.style.paint(visible(text), "dim")

    def _wrapped(self, text: str, first: str, rest: str) -> Iterator[str]:
        """The text in lines of the width, cut between words alone."""
        line = first
        fresh = True
        for word in visible(text).split(" "):
            if not fresh and len(line) + 1 + len(word) > self.style.width:
                yield line.rstrip()
                line, fresh = rest, True
            line += word if fresh else f" {word}"
            fresh = False
        yield line.rstrip()


def _setting(cluster: Cluster) -> str:
    cloud = {"china": "Azure China", "usgov": "Azure US Government"}.get(cluster.cloud, "Azure public cloud")
    parts = [
        cluster.location and f"in {cluster.location}",
        cloud,
        cluster.outbound_type and f"outbound type {cluster.outbound_type}",
        _ACCESS.get(cluster.api_access, cluster.api_access),
    ]
    return ", ".join(part for part in parts if part)


_ACCESS = {
    "public": "public API server",
    "private_link": "private API server (private link)",
    "vnet_integration": "API server in the network (VNet integration)",
}
