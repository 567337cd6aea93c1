"""Pods, nodes and network policies as the Kubernetes client gives them, reduced to what a triage needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from aks_egress_scan.live.blotted import blotted
from aks_egress_scan.live.seen import TUNNEL_PODS, NodeSeen, PodSeen
from aks_egress_scan.live.session import first_line

LONGEST = 300
"""Characters of a message that are kept."""

_OTHERS = ("coredns", "metrics-server")


def pod_of(pod: Any, events: Sequence[Any], policies: Sequence[Any]) -> PodSeen:
    """A pod with its warnings and the network policies that select it."""
    statuses = list(pod.status.container_statuses or ())
    own = [one for one in events if _about(one, pod) and one.type != "Normal"]
    selecting = [one for one in policies if _selects(one.spec.pod_selector, pod.metadata.labels or {})]
    containers = pod.spec.containers or ()
    return PodSeen(
        name=pod.metadata.name,
        part=_part(pod),
        node=pod.spec.node_name or "",
        phase=pod.status.phase or "",
        container=containers[0].name if containers else "",
        ready=_ready(pod, statuses),
        restarts=sum(one.restart_count or 0 for one in statuses),
        reasons=_distinct([*_reasons(pod, statuses), *(one.reason for one in own if one.reason)]),
        events=_distinct([*_unplaced(pod), *(_message(one.reason, one.message) for one in own)]),
        policies=tuple(sorted(one.metadata.name for one in selecting)),
        over=pod.status.phase in ("Succeeded", "Failed") or pod.metadata.deletion_timestamp is not None,
        **_let_out(selecting, on_node=bool(pod.spec.host_network)),
    )


def _about(event: Any, pod: Any) -> bool:
    return event.involved_object is not None and event.involved_object.name == pod.metadata.name


def _part(pod: Any) -> str:
    """The tunnel that a pod belongs to, or what else of interest it is; autoscalers are neither.

    konnectivity agents have tunnelfront's label too, so names come first.
    """
    name, labels = pod.metadata.name or "", pod.metadata.labels or {}
    if "-autoscaler" in name:
        return ""
    prefixes = {prefix: part for part, (prefix, _) in TUNNEL_PODS.items()} | {one: one for one in _OTHERS}
    for prefix, part in prefixes.items():
        if name.startswith(f"{prefix}-"):
            return part
    return next((part for part, (_, (key, value)) in TUNNEL_PODS.items() if labels.get(key) == value), "")


def _ready(pod: Any, statuses: Sequence[Any]) -> bool:
    """By the pod's own condition, which also falls when its node is lost; containers go on claiming it."""
    stated = [one for one in pod.status.conditions or () if one.type == "Ready"]
    if stated:
        return bool(stated[0].status == "True")
    return bool(statuses) and all(one.ready for one in statuses)


def _reasons(pod: Any, statuses: Iterable[Any]) -> Iterator[str]:
    for one in pod.status.conditions or ():
        if one.status == "False" and one.reason and one.type == "PodScheduled":
            yield one.reason
    if pod.status.reason:
        yield pod.status.reason
    for one in statuses:
        for state in (one.state, one.last_state):
            for moment in (getattr(state, "waiting", None), getattr(state, "terminated", None)):
                if moment is not None and moment.reason and moment.reason != "Completed":
                    yield moment.reason


def _unplaced(pod: Any) -> Iterator[str]:
    """What the scheduler says of a pod that no node takes; events about it are gone after an hour."""
    for one in pod.status.conditions or ():
        if one.type == "PodScheduled" and one.status == "False" and one.message:
            yield _message(one.reason, one.message)


def _message(reason: str | None, message: str | None) -> str:
    return blotted(f"{reason or 'no reason'}: {first_line(message or '')}")[:LONGEST]


def _selects(selector: Any, labels: Mapping[str, str]) -> bool:
    """Whether a selector takes a pod in; expressions are followed as Kubernetes does."""
    wanted = (selector.match_labels or {}) if selector else {}
    if any(labels.get(name) != value for name, value in wanted.items()):
        return False
    for one in (selector.match_expressions or ()) if selector else ():
        there, values = labels.get(one.key), one.values or ()
        held = {
            "In": there in values,
            "NotIn": there not in values,
            "Exists": there is not None,
            "DoesNotExist": there is None,
        }
        if not held.get(one.operator, True):
            return False
    return True


def _let_out(policies: Iterable[Any], *, on_node: bool) -> dict[str, bool]:
    """What policies together let out of a pod: each adds, and one that lets out everything settles it.

    They say nothing over pods in the network of their node.
    """
    outward = [one for one in policies if _outward(one.spec)]
    rules = [rule for one in outward for rule in one.spec.egress or ()]
    free = on_node or not outward or any(not rule.to and not rule.ports for rule in rules)
    return {"cut_off": not free and not rules, "narrowed": not free and bool(rules)}


def _outward(spec: Any) -> bool:
    """Whether a policy is about what leaves; one without types is where it has rules for that."""
    return "Egress" in spec.policy_types if spec.policy_types else bool(spec.egress)


def node_of(node: Any) -> NodeSeen:
    """A node with its conditions that should not be so."""
    labels = node.metadata.labels or {}
    conditions = list(node.status.conditions or ())
    amiss = [one for one in conditions if one.status != ("True" if one.type == "Ready" else "False")]
    return NodeSeen(
        name=node.metadata.name,
        ready=any(one.type == "Ready" and one.status == "True" for one in conditions),
        problems=tuple(sorted(_problem(one) for one in amiss)),
        addresses=tuple(one.address for one in node.status.addresses or () if one.type == "InternalIP"),
        pool=labels.get("kubernetes.azure.com/agentpool") or labels.get("agentpool") or "",
        blocked=next(
            (_problem(one) for one in amiss if one.type == "EgressBlocked" and one.status == "True"), ""
        ),
        group=labels.get("kubernetes.azure.com/cluster") or "",
    )


def _problem(condition: Any) -> str:
    told = first_line(condition.message or condition.reason or condition.status)
    unsure = " (not known at present)" if condition.status == "Unknown" else ""
    return blotted(f"{condition.type}{unsure}: {told}")[:LONGEST]


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
