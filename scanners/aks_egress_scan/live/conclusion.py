"""What it is: the network, the pods, or both.  A pure function of what was judged and what was seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from aks_egress.records import record
from aks_egress.requirements.errors import Symptom
from aks_egress_scan.live.clues import clues
from aks_egress_scan.live.picture import Clue, Picture, Side

CAUSES = ("network", "pods", "both", "neither", "undecided")
MOST = 10
"""Steps that are told."""


@record(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """`cause` is one of CAUSES; `says` one sentence for people, `evidence` what it rests on, `next` what to do."""

    cause: str
    says: str
    evidence: tuple[str, ...]
    next: tuple[str, ...]
    symptoms: tuple[Symptom, ...] = ()


def conclude(picture: Picture) -> Conclusion:
    """Put the walk, the pods, the logs and the error text that somebody saw together."""
    found = list(clues(picture))
    cause = _cause(found)
    told = sorted(found, key=lambda one: _RANKS[one.side])
    return Conclusion(
        cause=cause,
        says=_says(cause, picture, told),
        evidence=_distinct(one.says for one in told),
        next=_distinct([*_first(cause), *_steps(cause, picture, told)])[:MOST],
        symptoms=tuple(picture.symptoms),
    )


_RANKS = {Side.NETWORK: 0, Side.PODS: 1, Side.DOUBT: 2, Side.NOTE: 3}


def _cause(found: Iterable[Clue]) -> str:
    """Whom something speaks against; `neither` only where no doubt is left."""
    sides = {one.side for one in found}
    if {Side.NETWORK, Side.PODS} <= sides:
        return "both"
    if Side.NETWORK in sides:
        return "network"
    if Side.PODS in sides:
        return "pods"
    return "undecided" if Side.DOUBT in sides else "neither"


def _says(cause: str, picture: Picture, told: Sequence[Clue]) -> str:
    network, pods, doubt = (_headline(told, side) for side in (Side.NETWORK, Side.PODS, Side.DOUBT))
    ill = any(not pod.ready for pod in picture.seen.tunnel_pods)
    after = "; pods that are not ready are the consequence" if ill else ""
    open_ = picture.cluster.tunnel.verdict == "open"
    way = (
        "the network lets the tunnel through"
        if open_
        else "whether the network is at fault too cannot be said"
    )
    return {
        "network": f"the network is at fault: {network}{after}",
        "pods": f"the pods are at fault: {pods}; {way}",
        "both": f"both are at fault, the network: {network}; and the pods: {pods}",
        "neither": f"neither is at fault: the network lets the {picture.tunnel} through, {_pods_are(picture)}, and a call gets through now",
        "undecided": f"nobody can say yet: {doubt}",
    }[cause]


def _pods_are(picture: Picture) -> str:
    return "its pods are ready" if picture.seen.tunnel_pods else "no tunnel pods are needed"


def _headline(told: Sequence[Clue], side: Side) -> str:
    return next((one.headline for one in told if one.side is side), "")


def _steps(cause: str, picture: Picture, told: Iterable[Clue]) -> Iterator[str]:
    """What to do, the weightiest first; questions are not asked further once they have an answer.

    Pods are one while no agent is ready; with some of them calls should get through.
    """
    no_agent = not any(pod.ready for pod in picture.seen.tunnel_pods)
    answered = cause in ("network", "both") or (cause == "pods" and no_agent)
    return (step for one in told if not (answered and one.question) for step in one.next)


def _first(cause: str) -> tuple[str, ...]:
    if cause != "neither":
        return ()
    return (
        "if calls fail again, run this while they do, with `--error` and the text: a fault that comes and goes is seen only then",
    )


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
