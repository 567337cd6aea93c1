"""A triage as text and as JSON (`aks-egress/triage/v1`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import Any

from aks_egress.findings.document import as_json
from aks_egress_scan.live.blotted import blotted
from aks_egress_scan.live.conclusion import Conclusion
from aks_egress_scan.live.picture import Picture
from aks_egress_scan.live.seen import NodeSeen, PodSeen, Seen
from aks_egress_scan.reporters.escaping import json_text, visible

SCHEMA = "aks-egress/triage/v1"
LINES = 12
"""Lines of logs that the text shows."""

MOST = 20
"""Nodes, and pods of one part, that the text shows."""


def as_text(picture: Picture, conclusion: Conclusion) -> str:
    """For people: what it is, why, what to do next, and then what was seen and what not."""
    cluster = picture.cluster
    rows = [f"{cluster.name}  {conclusion.cause.upper()}", ""]
    rows += _wrapped(conclusion.says, "  ")
    rows += ["", "  why", *_list(conclusion.evidence), "", "  next", *_numbered(conclusion.next)]
    rows += ["", "  seen"]
    rows += _row(
        "tunnel", f"{cluster.tunnel.mode}: {cluster.tunnel.verdict} by the walk; {cluster.tunnel.evidence}"
    )
    rows += [*_pods(picture.seen), *_nodes(picture.seen.nodes), *_calls(picture.seen)]
    unseen = not_seen(picture)
    rows += ["", "  not seen", *_list(unseen)] if unseen else []
    rows += _log(picture)
    return "\n".join(visible(row) for row in rows) + "\n"


def not_seen(picture: Picture) -> tuple[str, ...]:
    """Every question that had no answer, and why."""
    calls: dict[str, list[str]] = {}
    agents = {pod.name for pod in picture.seen.tunnel_pods}
    for one in picture.seen.calls:
        if one.said and one.pod in agents:
            calls.setdefault(one.said, []).append(one.pod)
    logs = [f"logs of {', '.join(pods)}: {said}" for said, pods in calls.items()]
    return (*picture.seen.failures, *logs, *picture.logs.failures)


def _pods(seen: Seen) -> Iterator[str]:
    shown = sorted(seen.pods, key=lambda pod: (pod.part in ("coredns", "metrics-server"), pod.over))
    for pod in shown[:MOST]:
        yield from _row("pod", _pod_said(pod))
        for event in pod.events[:3]:
            yield from _row("", event)
        if pod.policies:
            yield from _row("", f"network policies: {', '.join(pod.policies)}")
    if len(shown) > MOST:
        yield from _row("pod", f"and {len(shown) - MOST} more")


def _pod_said(pod: PodSeen) -> str:
    state = "over" if pod.over else "ready" if pod.ready else "NOT READY"
    times = f"{pod.restarts} restart{'' if pod.restarts == 1 else 's'}"
    why = f", {', '.join(pod.reasons)}" if pod.reasons else ""
    return f"{pod.name} on {pod.node or 'no node'}: {state}, {times}{why}"


def _nodes(nodes: Iterable[NodeSeen]) -> Iterator[str]:
    there = list(nodes)
    if there:
        yield from _row("nodes", f"{sum(one.ready for one in there)} of {len(there)} ready")
    ill = [f"{one.name}: {problem}" for one in there for problem in one.problems]
    for row in ill[:MOST]:
        yield from _row("node", row)
    if len(ill) > MOST:
        yield from _row("node", f"and {len(ill) - MOST} more")


def _calls(seen: Seen) -> Iterator[str]:
    for one in seen.calls:
        said = {"through": "got through", "failed": "FAILED", "untold": "says nothing of the tunnel"}[
            one.outcome
        ]
        yield from _row("call", f"logs of {one.pod} on {one.node}: {said}")


def _log(picture: Picture) -> Iterator[str]:
    if picture.logs.lines:
        yield ""
        until = f", until {picture.logs.until}" if picture.logs.until else ""
        yield f"  log ({picture.logs.source}, the newest first{until})"
        for line in picture.logs.lines[:LINES]:
            yield f"    {line[:300]}"


def _row(label: str, text: str) -> list[str]:
    return _wrapped(text, f"    {label:<8}", " " * 12)


def _list(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from _wrapped(text, "    - ", "      ")


def _numbered(texts: Iterable[str]) -> Iterator[str]:
    for number, text in enumerate(texts, 1):
        yield from _wrapped(text, f"   {number:>2}. ", "       ")


def _wrapped(text: str, first: str, rest: str = "") -> list[str]:
    return wrap(
        " ".join(blotted(text).split()),
        100,
        initial_indent=first,
        subsequent_indent=rest or first,
        break_on_hyphens=False,
        break_long_words=False,
    )


def as_document(picture: Picture, conclusion: Conclusion) -> str:
    """For programs: the same, with the whole report inside; `triage.schema.json` describes it."""
    seen = picture.seen
    said: dict[str, Any] = {
        "schema": SCHEMA,
        "cluster": picture.cluster.name,
        "cause": conclusion.cause,
        "says": blotted(conclusion.says),
        "evidence": [blotted(one) for one in conclusion.evidence],
        "next": [blotted(one) for one in conclusion.next],
        "symptoms": [{"id": one.id, "matched": blotted(one.matched)} for one in conclusion.symptoms],
        "tunnels": [
            {"mode": one.tunnel.mode, "verdict": str(one.tunnel.verdict)}
            for one in (picture.cluster, *picture.others)
        ],
        "pods": [_pod(one) for one in seen.pods],
        "nodes": [_node(one) for one in seen.nodes],
        "calls": [
            {"pod": one.pod, "node": one.node, "outcome": one.outcome, "error": one.said}
            for one in seen.calls
        ],
        "apiServerAddresses": seen.api_addresses,
        "notSeen": list(not_seen(picture)),
        "logs": {
            "source": picture.logs.source,
            "until": picture.logs.until,
            "lines": list(picture.logs.lines),
        },
        "report": as_json(picture.report),
    }
    return json_text(said)


def _pod(one: PodSeen) -> dict[str, Any]:
    return {
        "name": one.name,
        "part": one.part,
        "node": one.node,
        "phase": one.phase,
        "ready": one.ready,
        "over": one.over,
        "restarts": one.restarts,
        "reasons": list(one.reasons),
        "events": list(one.events),
        "networkPolicies": list(one.policies),
    }


def _node(one: NodeSeen) -> dict[str, Any]:
    return {
        "name": one.name,
        "pool": one.pool,
        "ready": one.ready,
        "addresses": list(one.addresses),
        "problems": list(one.problems),
    }
