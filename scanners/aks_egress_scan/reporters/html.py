"""The report as one HTML file that needs nothing else: no script, no font, no request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aks_egress.findings.report import Cluster, Finding, Flow, Hop, OnClusters, Report
from aks_egress_scan.reporters import wording
from aks_egress_scan.reporters.escaping import xml

_STYLE = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#59636e;--line:#d1d9e0;--card:#f6f8fa;
--blocked:#c62828;--partial:#c62828;--unknown:#9a6700;--open:#1a7f37;--error:#c62828;--warning:#9a6700;--note:#0969da}
@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--dim:#9198a1;--line:#3d444d;--card:#151b23;
--blocked:#ff7b72;--partial:#ff7b72;--unknown:#d29922;--open:#3fb950;--error:#ff7b72;--warning:#d29922;--note:#4493f8}}
body{margin:2rem auto;max-width:70rem;padding:0 1rem;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.4rem}h2{font-size:1.15rem;margin-top:2rem}code,td.path{font-family:ui-monospace,monospace;font-size:.9em}
.card{border:1px solid var(--line);border-left:4px solid var(--line);border-radius:6px;padding:.6rem 1rem;margin:.8rem 0;background:var(--card)}
.card p{margin:.3rem 0}.dim{color:var(--dim)}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
.tag{font-weight:600}
"""
_WORDS = ("open", "blocked", "partial", "unknown", "error", "warning", "note")


def render(report: Report) -> str:
    """The report as an HTML document."""
    return "\n".join(_document(report)) + "\n"


def _document(report: Report) -> Iterator[str]:
    colours = "".join(
        f".{word}{{color:var(--{word})}}.card.{word}{{color:inherit;border-left-color:var(--{word})}}"
        for word in _WORDS
    )
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>aks-egress report</title>\n<style>{_STYLE}{colours}</style>\n</head>\n<body>"
    yield "<h1>What AKS needs from the network, and what the network does</h1>"
    yield f"<p>{xml(_summary(report))}</p>"
    on = OnClusters(report)
    for cluster in report.clusters:
        yield from _cluster(cluster, on.findings(cluster))
    others = on.others()
    if others:
        yield "<h2>Beside the clusters</h2>"
        yield from (_finding(one) for one in others)
    yield from _suppressed(report)
    yield from _inputs(report)
    tool = report.tool
    yield (
        f'<p class="dim">aks-egress {xml(tool.version)}, catalogue of {xml(tool.catalogue_date)}, '
        f"service tags: {xml(tool.tags_source)}{f' (change number {tool.tags_change_number})' if tool.tags_change_number else ''}</p>"
    )
    yield "</body>\n</html>"


def _summary(report: Report) -> str:
    flows = [flow for cluster in report.clusters for flow in cluster.flows]
    accepted = f", {len(report.suppressed)} suppressed" if report.suppressed else ""
    return f"{wording.counted(len(report.clusters), 'cluster')}, {wording.flow_counts(flows)}; {wording.finding_counts(report)}{accepted}"


def _cluster(cluster: Cluster, findings: Sequence[Finding]) -> Iterator[str]:
    place = f' <span class="dim">{xml(str(cluster.place))}</span>' if cluster.place else ""
    yield f"<h2>{xml(cluster.name)} {_tag(str(cluster.verdict))}{place}</h2>"
    tunnel = wording.tunnel_words(cluster)
    yield (
        f'<p><span class="{cluster.tunnel.verdict}">{xml(tunnel[:1].upper() + tunnel[1:])}.</span> '
        f'<span class="dim">{xml(cluster.tunnel.evidence)}</span></p>'
    )
    yield from (_finding(one) for one in findings)
    yield from _undecided(cluster, findings)
    yield "<details><summary>All flows</summary>\n<table><thead><tr><th>verdict</th><th>flow</th><th>from</th><th>path</th></tr></thead><tbody>"
    yield from (_flow(flow) for flow in cluster.flows)
    yield "</tbody></table></details>"
    yield "<details><summary>What was bound from the definition</summary>\n<table><tbody>"
    yield from (
        f"<tr><th>{xml(name)}</th><td>{xml(value)}</td><td>{xml(source)}</td></tr>"
        for name, value, source in cluster.facts
    )
    yield "</tbody></table></details>"


def _tag(word: str) -> str:
    return f'<span class="tag {xml(word)}">{xml(word)}</span>'


def _finding(finding: Finding) -> str:
    rows = [
        f'<div class="card {finding.severity}">',
        (
            f"<p>{_tag(str(finding.severity))} <b>{xml(finding.rule)}</b> {xml(finding.name)} "
            f'<span class="dim">{xml(str(finding.location))}</span></p>'
        ),
        f"<p>{xml(finding.message)}</p>",
    ]
    rows += [f"<p>by {_hop(hop)}</p>" for hop in finding.deciders]
    example = wording.packet(finding.counterexample)
    rows += [f"<p>A packet that is dropped: <code>{xml(example)}</code></p>"] if example else []
    rows += [f"<p>Breaks: {xml(', '.join(finding.breaks))}</p>"] if finding.breaks else []
    rows += [f"<p><b>Fix:</b> {xml(finding.fix)}</p>"] if finding.fix else []
    return "\n".join([*rows, "</div>"])


def _hop(hop: Hop) -> str:
    place = f' <span class="dim">{xml(str(hop.location))}</span>' if hop.location else ""
    why = f": {xml(hop.reason)}" if hop.reason else ""
    return f"{xml(wording.hop_title(hop))}{place}{why}"


def _undecided(cluster: Cluster, findings: Sequence[Finding]) -> Iterator[str]:
    for one in wording.undecided(cluster, findings):
        settle = f"<p><b>To settle it:</b> {xml(one.settle)}</p>" if one.settle else ""
        flows = wording.few([wording.destination(flow) for flow in one.flows])
        yield f'<div class="card unknown"><p>{_tag("unknown")} {xml(flows)}</p><p>{xml(one.reason)}</p>{settle}</div>'


def _flow(flow: Flow) -> str:
    path = "<br>".join(f"{xml(hop.decision)}: {_hop(hop)}" for hop in flow.path)
    pool = f"{flow.source.pool}, " if flow.source.pool else ""
    return (
        f"<tr><td>{_tag(str(flow.verdict))}</td><td>{xml(wording.destination(flow))}<br>"
        f'<span class="dim">{xml(flow.title)} ({xml(flow.necessity)})</span></td>'
        f'<td>{xml(pool + flow.source.subnet)}</td><td class="path">{path or xml(flow.reason)}</td></tr>'
    )


def _suppressed(report: Report) -> Iterator[str]:
    if not report.suppressed:
        return
    yield f"<details><summary>Suppressed ({len(report.suppressed)})</summary><ul>"
    for one in report.suppressed:
        yield f"<li>{xml(one.rule)} {xml(one.resource)} ({xml(str(one.location))}): {xml(one.suppressed_by)}</li>"
    yield "</ul></details>"


def _inputs(report: Report) -> Iterator[str]:
    yield "<h2>Inputs</h2>\n<table><tbody>"
    for one in report.inputs:
        said = "; ".join(
            f"{f'line {problem.line}: ' if problem.line else ''}{problem.message}" for problem in one.problems
        )
        yield f"<tr><td>{xml(one.path)}</td><td>{xml(one.kind)}, {xml(one.role)}</td><td>{wording.counted(one.resources, 'resource')}</td><td>{xml(said)}</td></tr>"
    yield "</tbody></table>"
    yield from (f'<p class="dim">{xml(note)}</p>' for note in report.notes)
