"""Laws of the conclusion, over every combination of what the walk, the pods, the calls and an error can say."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest

pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")

from tests.live.test_collect import azure, judged, picture

from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.report import Report
from aks_egress.records import replace
from aks_egress_scan.live.conclusion import CAUSES, Conclusion, conclude
from aks_egress_scan.live.picture import Picture
from aks_egress_scan.live.seen import Call, LogsSeen, NodeSeen, PodSeen, Seen

SAW = "error dialing backend: dial tcp 10.1.4.4:10250: i/o timeout"
DOWN = "HTTP 500: error dialing backend: No agent available"
VERDICTS = tuple(Verdict)
PODS = ("unseen", "none", "ready", "one ill", "ill", "no place", "no memory")
CALLS = ("none", "through", "failed", "both", "untold")
ERRORS = ("", SAW, "never heard of")
LOGS = ("", "cannot connect once: dial tcp 20.1.2.3:443: i/o timeout")
EVERY = [*product(VERDICTS, PODS, CALLS, ERRORS, LOGS)]


@cache
def sound() -> Report:
    return judged(picture(azure()))


def report(verdict: Verdict) -> Report:
    """The sound example, whose tunnel got this verdict."""
    first = sound().clusters[0]
    flows = tuple(replace(one, verdict=verdict) if one.role == "tunnel" else one for one in first.flows)
    cluster = replace(first, flows=flows, tunnel=replace(first.tunnel, verdict=verdict))
    return replace(sound(), clusters=(cluster,))


def agents(pods: str) -> list[PodSeen]:
    def agent(name: str, *, ready: bool = True, reasons: tuple[str, ...] = (), node: str = "s-0") -> PodSeen:
        return PodSeen(
            name=name, part="konnectivity", phase="Running", node=node, ready=ready, reasons=reasons
        )

    return {
        "unseen": [],
        "none": [],
        "ready": [agent("a"), agent("b")],
        "one ill": [agent("a"), agent("b", ready=False)],
        "ill": [agent("a", ready=False), agent("b", ready=False)],
        "no place": [agent("a", ready=False, reasons=("Unschedulable",), node="")],
        "no memory": [agent("a", ready=False, reasons=("CrashLoopBackOff", "OOMKilled"))],
    }[pods]


def tried(calls: str) -> list[Call]:
    through = Call(pod="p", node="u-0", outcome="through")
    failed = Call(pod="q", node="s-0", outcome="failed", said=DOWN)
    untold = Call(pod="r", node="s-0", outcome="untold", said="HTTP 403: forbidden")
    return {
        "none": [],
        "through": [through],
        "failed": [failed],
        "both": [through, failed],
        "untold": [untold],
    }[calls]


def concluded(verdict: Verdict, pods: str, calls: str, error: str, log: str) -> Conclusion:
    nodes = [
        NodeSeen(name=name, ready=True, addresses=(address,), pool=name)
        for name, address in (("s-0", "10.1.0.4"), ("u-0", "10.1.4.4"))
    ]
    seen = Seen(pods=agents(pods), nodes=nodes, calls=tried(calls), listed=pods != "unseen")
    logs = LogsSeen(source="x", lines=(log,) if log else ())
    named = ("10.1.4.4",) if error == SAW else ()
    return conclude(Picture(report=report(verdict), seen=seen, logs=logs, error=error, nodes=named))


def test_neither_is_said_only_where_everything_was_seen_and_a_call_got_through() -> None:
    for verdict, pods, calls, error, log in EVERY:
        if concluded(verdict, pods, calls, error, log).cause == "neither":
            assert (verdict, pods, calls) == (Verdict.OPEN, "ready", "through")


def test_a_shut_tunnel_is_the_network_s_doing_unless_what_runs_contradicts() -> None:
    for verdict, pods, calls, error, log in EVERY:
        if verdict in (Verdict.BLOCKED, Verdict.PARTIAL) and calls != "through":
            assert concluded(verdict, pods, calls, error, log).cause in ("network", "both")


def test_pods_are_not_to_blame_for_what_they_do_not_show() -> None:
    """Seen and ready, or not seen at all, they are never at fault; nor while the network explains it."""
    for verdict, pods, calls, error, log in EVERY:
        cause = concluded(verdict, pods, calls, error, log).cause
        if pods in ("ready", "unseen") or (
            verdict is Verdict.BLOCKED and pods in ("ill", "one ill") and calls == "failed"
        ):
            assert cause not in ("pods", "both"), (verdict, pods, calls, error, log)


def test_the_network_is_not_to_blame_without_a_rule_or_a_log_that_says_so() -> None:
    for verdict, pods, calls, error, log in EVERY:
        if verdict in (Verdict.OPEN, Verdict.UNKNOWN) and not log:
            assert concluded(verdict, pods, calls, error, log).cause not in ("network", "both")


def test_a_failing_call_is_always_told() -> None:
    for verdict, pods, calls, error, log in EVERY:
        if calls in ("failed", "both"):
            found = concluded(verdict, pods, calls, error, log)
            assert any(DOWN in one for one in found.evidence)
            assert found.cause != "neither"


def test_every_conclusion_has_a_sentence_and_a_step() -> None:
    for one in EVERY:
        found = concluded(*one)
        assert found.cause in CAUSES
        assert len(found.says) > 30
        assert not found.says.endswith((": ", ":", "; "))
        assert found.evidence
        assert found.next, one
        assert len(set(found.evidence)) == len(found.evidence)


def test_a_walk_of_nothing_is_no_open_walk() -> None:
    first = sound().clusters[0]
    bare = replace(sound(), clusters=(replace(first, flows=()),))
    seen = Seen(pods=agents("ready"), calls=tried("through"), listed=True)
    assert conclude(Picture(report=bare, seen=seen)).cause == "undecided"
