"""Pods, nodes and network policies as a Kubernetes API writes them, reduced to what a triage needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from aks_egress_scan.live.blotted import blotted
from aks_egress_scan.live.seen import TUNNEL_PODS, NodeSeen, PodSeen
from aks_egress_scan.live.session import first_line

LONGEST = 300
"""Characters of a message that are kept."""

_OTHERS = ("coredns", "metrics-server")


Json = Mapping[str, Any]


def at(row: Any, *path: str) -> Any:
    """What stands there, None where nothing does or the way is none."""
    for name in path:
        row = row.get(name) if isinstance(row, dict) else None
    return row


def text_at(row: Any, *path: str) -> str:
    """The text there, empty where there is none."""
    value = at(row, *path)
    return value if isinstance(value, str) else ""


def rows_at(row: Any, *path: str) -> list[Any]:
    """The objects of the list there."""
    value = at(row, *path)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _named(row: Any, *parts: str) -> str:
    """The name of an object that has these parts; ValueError for one that Kubernetes did not write."""
    name = text_at(row, "metadata", "name")
    lacking = [one for one in parts if not isinstance(at(row, one), dict)]
    if not name or lacking:
        raise ValueError(f"`{name}` has no {lacking[0]}" if name else "it has no name")
    return name


def _labels(row: Any) -> Mapping[str, Any]:
    return _mapping(at(row, "metadata", "labels"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def pod_of(pod: Any, events: Sequence[Any], policies: Sequence[Any]) -> PodSeen:
    """A pod with its warnings and the network policies that select it; ValueError where it is none."""
    name = _named(pod, "spec", "status")
    statuses = rows_at(pod, "status", "containerStatuses")
    own = [
        one
        for one in events
        if text_at(one, "involvedObject", "name") == name and at(one, "type") != "Normal"
    ]
    selecting = [one for one in policies if _selects(at(one, "spec", "podSelector"), _labels(pod))]
    reasons = [text_at(one, "reason") for one in own]
    return PodSeen(
        name=name,
        part=_part(name, _labels(pod)),
        node=text_at(pod, "spec", "nodeName"),
        phase=text_at(pod, "status", "phase"),
        container=next((text_at(one, "name") for one in rows_at(pod, "spec", "containers")), ""),
        ready=_ready(pod, statuses),
        restarts=sum(_count(one) for one in statuses),
        reasons=_distinct(blotted(one) for one in (*_reasons(pod, statuses), *reasons) if one),
        events=_distinct([*_unplaced(pod), *(_message(one) for one in own)]),
        policies=tuple(sorted(text_at(one, "metadata", "name") for one in selecting)),
        over=at(pod, "status", "phase") in ("Succeeded", "Failed")
        or bool(at(pod, "metadata", "deletionTimestamp")),
        **_let_out(selecting, on_node=at(pod, "spec", "hostNetwork") is True),
    )


def _count(status: Any) -> int:
    value = at(status, "restartCount")
    return value if isinstance(value, int) else 0


def _part(name: str, labels: Mapping[str, Any]) -> str:
    """The tunnel that a pod belongs to, or what else of interest it is; autoscalers are neither.

    konnectivity agents have tunnelfront's label too, so names come first.
    """
    if "-autoscaler" in name:
        return ""
    prefixes = {prefix: part for part, (prefix, _) in TUNNEL_PODS.items()} | {one: one for one in _OTHERS}
    for prefix, part in prefixes.items():
        if name.startswith(f"{prefix}-"):
            return part
    return next((part for part, (_, (key, value)) in TUNNEL_PODS.items() if labels.get(key) == value), "")


def _ready(pod: Any, statuses: Sequence[Any]) -> bool:
    """By the pod's own condition, which also falls when its node is lost; containers go on claiming it."""
    stated = [one for one in rows_at(pod, "status", "conditions") if at(one, "type") == "Ready"]
    if stated:
        return bool(at(stated[0], "status") == "True")
    return bool(statuses) and all(at(one, "ready") is True for one in statuses)


def _reasons(pod: Any, statuses: Iterable[Any]) -> Iterator[str]:
    yield from (text_at(one, "reason") for one in _not_scheduled(pod))
    yield text_at(pod, "status", "reason")
    for one in statuses:
        for state in ("state", "lastState"):
            for moment in ("waiting", "terminated"):
                reason = text_at(one, state, moment, "reason")
                if reason != "Completed":
                    yield reason


def _not_scheduled(pod: Any) -> list[Any]:
    """The condition that says that no node takes it; events about that are gone after an hour."""
    rows = rows_at(pod, "status", "conditions")
    return [one for one in rows if at(one, "type") == "PodScheduled" and at(one, "status") == "False"]


def _unplaced(pod: Any) -> Iterator[str]:
    return (_message(one) for one in _not_scheduled(pod) if text_at(one, "message"))


def _message(row: Any) -> str:
    said = f"{text_at(row, 'reason') or 'no reason'}: {first_line(text_at(row, 'message'))}"
    return blotted(said)[:LONGEST]


def _selects(selector: Any, labels: Mapping[str, Any]) -> bool:
    """Whether a selector takes a pod in; expressions are followed as Kubernetes does."""
    wanted = _mapping(at(selector, "matchLabels"))
    if any(labels.get(name) != value for name, value in wanted.items()):
        return False
    for one in rows_at(selector, "matchExpressions"):
        there, values = labels.get(text_at(one, "key")), at(one, "values") or ()
        held = {
            "In": there in values,
            "NotIn": there not in values,
            "Exists": there is not None,
            "DoesNotExist": there is None,
        }
        if not held.get(text_at(one, "operator"), True):
            return False
    return True


def _let_out(policies: Iterable[Any], *, on_node: bool) -> dict[str, bool]:
    """What policies together let out of a pod: each adds, and one that lets out everything settles it.

    They say nothing over pods in the network of their node.
    """
    outward = [one for one in policies if _outward(at(one, "spec"))]
    rules = [rule for one in outward for rule in rows_at(one, "spec", "egress")]
    free = on_node or not outward or any(not at(rule, "to") and not at(rule, "ports") for rule in rules)
    return {"cut_off": not free and not rules, "narrowed": not free and bool(rules)}


def _outward(spec: Any) -> bool:
    """Whether a policy is about what leaves; one without types is where it has rules for that."""
    types = at(spec, "policyTypes")
    return "Egress" in types if types else bool(at(spec, "egress"))


def node_of(node: Any) -> NodeSeen:
    """A node with its conditions that should not be so; ValueError where it is none."""
    name, labels = _named(node, "status"), _labels(node)
    conditions = rows_at(node, "status", "conditions")
    amiss = [
        one for one in conditions if at(one, "status") != ("True" if at(one, "type") == "Ready" else "False")
    ]
    blocked = (one for one in amiss if at(one, "type") == "EgressBlocked" and at(one, "status") == "True")
    addresses = rows_at(node, "status", "addresses")
    return NodeSeen(
        name=name,
        ready=any(at(one, "type") == "Ready" and at(one, "status") == "True" for one in conditions),
        problems=tuple(sorted(_problem(one) for one in amiss)),
        addresses=tuple(text_at(one, "address") for one in addresses if at(one, "type") == "InternalIP"),
        pool=labels.get("kubernetes.azure.com/agentpool") or labels.get("agentpool") or "",
        blocked=next((_problem(one) for one in blocked), ""),
        group=labels.get("kubernetes.azure.com/cluster") or "",
    )


def _problem(condition: Any) -> str:
    words = (text_at(condition, key) for key in ("message", "reason", "status"))
    told = first_line(next((one for one in words if one), ""))
    unsure = " (not known at present)" if at(condition, "status") == "Unknown" else ""
    return blotted(f"{text_at(condition, 'type')}{unsure}: {told}")[:LONGEST]


def addresses_of(endpoint_slice: Any) -> Iterator[str]:
    """The addresses that stand behind a service."""
    for one in rows_at(endpoint_slice, "endpoints"):
        yield from (address for address in at(one, "addresses") or () if isinstance(address, str))


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
