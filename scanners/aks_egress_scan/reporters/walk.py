"""One flow as text: its verdict, and who decides at every hop."""

from __future__ import annotations

from collections.abc import Iterator

from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.report import Flow, Report
from aks_egress_scan.reporters import wording
from aks_egress_scan.reporters.escaping import visible
from aks_egress_scan.reporters.style import Style

_COLOUR = {Verdict.OPEN: "green", Verdict.UNKNOWN: "yellow"}


def render(report: Report, style: Style) -> str:
    """Every flow of the report, each with its path."""
    flows = [flow for cluster in report.clusters for flow in cluster.flows]
    return "\n".join(line for flow in flows for line in _flow(flow, style)) + "\n"


def _flow(flow: Flow, style: Style) -> Iterator[str]:
    prefixes = f" ({', '.join(flow.source.prefixes)})" if flow.source.prefixes else ""
    said = f"{wording.destination(flow)} from {flow.source.subnet}{prefixes}"
    yield f"{style.paint(flow.verdict.upper(), _COLOUR.get(flow.verdict, 'red'), 'bold')}  {visible(said)}"
    for hop in flow.path:
        place = f" at {hop.location}" if hop.location else ""
        packets = f" ({hop.packets})" if hop.packets else ""
        why = f": {hop.reason}" if hop.reason else ""
        yield f"  {hop.decision:<8} {visible(f'{wording.hop_title(hop)}{place}{packets}{why}')}"
    rows = (
        ("because", flow.reason),
        ("settle", flow.settle),
        ("lost", wording.packet(flow.counterexample)),
        *(("rests on", text) for text in (*flow.assumptions, *flow.doubts)),
    )
    yield from (f"  {label:<8} {visible(text)}" for label, text in rows if text)
