"""A triage as text and as JSON (`aks-egress/triage/v1`)."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Any

from aks_egress.findings.document import as_json
from aks_egress.findings.report import Report
from aks_egress_scan.live.conclusion import Conclusion
from aks_egress_scan.live.seen import LogsSeen, PodSeen, Seen
from aks_egress_scan.reporters.escaping import json_text, visible

SCHEMA = "aks-egress/triage/v1"
LINES = 12
"""Lines of logs that the text shows."""


def as_text(report: Report, seen: Seen, logs: LogsSeen, conclusion: Conclusion) -> str:
    """For people: what it is, why, what to do, and what was seen."""
    cluster = report.clusters[0]
    rows = [f"{cluster.name}  {conclusion.cause.upper()}", ""]
    rows += _wrapped(conclusion.says, "  ")
    rows += ["", "  why", *_list(conclusion.evidence), "", "  next", *_list(conclusion.next)]
    rows += ["", f"  tunnel  {cluster.tunnel.mode}: {cluster.tunnel.verdict} ({cluster.tunnel.evidence})"]
    rows += _pods(seen)
    rows += [f"  node    {node.name}: {problem}" for node in seen.nodes for problem in node.problems]
    rows += [f"  not seen  {one}" for one in (*seen.failures, *logs.failures)]
    if logs.lines:
        rows += ["", f"  log ({logs.source})", *(f"    {one}" for one in logs.lines[:LINES])]
    return "\n".join(visible(row) for row in rows) + "\n"


def _pods(seen: Seen) -> Iterator[str]:
    for pod in seen.pods:
        ready = "ready" if pod.ready else "NOT READY"
        said = f", {', '.join(pod.reasons)}" if pod.reasons else ""
        yield f"  pod     {pod.name} on {pod.node or 'no node'}: {ready}, {pod.restarts} restarts{said}"
        yield from (f"            {one}" for one in pod.events[:3])


def _list(texts: tuple[str, ...]) -> Iterator[str]:
    for text in texts:
        yield from _wrapped(text, "    - ", "      ")


def _wrapped(text: str, first: str, rest: str = "") -> list[str]:
    return wrap(
        " ".join(text.split()),
        100,
        initial_indent=first,
        subsequent_indent=rest or first,
        break_on_hyphens=False,
        break_long_words=False,
    )


def as_document(report: Report, seen: Seen, logs: LogsSeen, conclusion: Conclusion) -> str:
    """For programs: the same, with the whole report inside."""
    said: dict[str, Any] = {
        "schema": SCHEMA,
        "cluster": report.clusters[0].name,
        "cause": conclusion.cause,
        "says": conclusion.says,
        "evidence": list(conclusion.evidence),
        "next": list(conclusion.next),
        "symptoms": [{"id": one.id, "matched": one.matched} for one in conclusion.symptoms],
        "pods": [_pod(one) for one in seen.pods],
        "nodes": [
            {"name": one.name, "ready": one.ready, "problems": list(one.problems)} for one in seen.nodes
        ],
        "apiServerAddresses": seen.api_addresses,
        "notSeen": [*seen.failures, *logs.failures],
        "logs": {"source": logs.source, "lines": list(logs.lines)},
        "report": as_json(report),
    }
    return json_text(said)


def _pod(one: PodSeen) -> dict[str, Any]:
    return {
        "name": one.name,
        "part": one.part,
        "node": one.node,
        "phase": one.phase,
        "ready": one.ready,
        "restarts": one.restarts,
        "reasons": list(one.reasons),
        "events": list(one.events),
        "networkPolicies": list(one.policies),
    }
