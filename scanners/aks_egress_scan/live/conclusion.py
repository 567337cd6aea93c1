"""What it is: the network, the pods, or both.  A pure function of what was judged and what was seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.report import Cluster, Flow
from aks_egress.records import record
from aks_egress.requirements.errors import Symptom, recognise
from aks_egress_scan.live.seen import LogsSeen, PodSeen, Seen

CAUSES = ("network", "pods", "both", "neither", "undecided")
MOST_LINES = 400
"""Lines of logs that are searched for known errors."""


@record(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """`cause` is one of CAUSES; `says` one sentence for people, `evidence` what it rests on, `next` what to do."""

    cause: str
    says: str
    evidence: tuple[str, ...]
    next: tuple[str, ...]
    symptoms: tuple[Symptom, ...] = ()


def conclude(cluster: Cluster, seen: Seen, logs: LogsSeen, error: str = "") -> Conclusion:
    """Put the walk, the pods, the logs and the error text that somebody saw together."""
    symptoms = _symptoms(error, seen, logs)
    network, why_network = _network(cluster, seen)
    pods, why_pods = _pods(cluster, seen)
    cause = _cause(network, pods, seen)
    steps = _steps(cause, cluster, seen, symptoms)
    return Conclusion(
        cause=cause,
        says=_says(cause, cluster),
        evidence=tuple(dict.fromkeys([*why_network, *why_pods, *_said_by(symptoms, error)])),
        next=tuple(dict.fromkeys(steps)),
        symptoms=symptoms,
    )


def _symptoms(error: str, seen: Seen, logs: LogsSeen) -> tuple[Symptom, ...]:
    """Known errors in what somebody saw, in what the API refused, and in the logs; each once."""
    texts = [error, *seen.failures, *logs.failures, "\n".join(logs.lines[:MOST_LINES])]
    found: dict[str, Symptom] = {}
    for text in texts:
        for one in recognise(text) if text else ():
            found.setdefault(one.id, one)
    return tuple(found.values())


def _network(cluster: Cluster, seen: Seen) -> tuple[Verdict, list[str]]:
    """What the walk says of the tunnel, made worse by nodes that notice blocked egress themselves."""
    verdict = cluster.tunnel.verdict
    why = [
        f"the walk finds the tunnel {verdict}: {flow.reason}"
        for flow in _tunnel_flows(cluster)
        if flow.verdict is verdict and verdict is not Verdict.OPEN
    ][:3]
    if verdict is Verdict.OPEN:
        why = ["the walk finds the tunnel open through every security group, route and firewall"]
    blocked = [
        f"node {node.name}: {problem}"
        for node in seen.nodes
        for problem in node.problems
        if problem.startswith("EgressBlocked")
    ]
    return (Verdict.BLOCKED if blocked else verdict), why + blocked[:3]


def _tunnel_flows(cluster: Cluster) -> Iterator[Flow]:
    return (flow for flow in cluster.flows if flow.role == "tunnel")


def _pods(cluster: Cluster, seen: Seen) -> tuple[str, list[str]]:
    """good, ill (not ready), broken (a trouble of their own), absent, or unseen."""
    if not seen.listed:
        return "unseen", [f"the pods could not be looked at: {one}" for one in seen.failures[:2]]
    pods = seen.tunnel_pods
    if not pods:
        if cluster.tunnel.mode == "none":
            return "good", ["no tunnel pods run, and this cluster needs none"]
        return "absent", ["no tunnel pod runs: neither konnectivity-agent nor aks-link nor tunnelfront"]
    ready = [pod for pod in pods if pod.ready]
    why = [f"{len(ready)} of {len(pods)} pods of {', '.join(seen.tunnels)} are ready"]
    why += [_told(pod) for pod in pods if not pod.ready][:4]
    if len(ready) == len(pods):
        flapping = [pod for pod in pods if pod.restarts > 5]
        return "good", why + [f"{pod.name} restarted {pod.restarts} times" for pod in flapping[:3]]
    if any(pod.own_trouble for pod in pods if not pod.ready):
        return "broken", why
    return ("ill" if not ready else "partly"), why


def _told(pod: PodSeen) -> str:
    said = ", ".join(pod.reasons) or pod.phase or "no reason given"
    where = f" on {pod.node}" if pod.node else ""
    return f"{pod.name}{where} is not ready: {said}"


def _cause(network: Verdict, pods: str, seen: Seen) -> str:
    shut = network in (Verdict.BLOCKED, Verdict.PARTIAL)
    if shut:
        return "both" if pods in ("broken", "absent") else "network"
    if pods in ("broken", "absent", "partly") or (pods == "ill" and network is Verdict.OPEN):
        return "pods"
    if network is Verdict.UNKNOWN or pods == "unseen":
        return "undecided"
    return "pods" if any(not one.ready for one in seen.of("coredns")) else "neither"


def _says(cause: str, cluster: Cluster) -> str:
    mode = "API server's connections" if cluster.tunnel.mode == "none" else f"{cluster.tunnel.mode} tunnel"
    said = {
        "network": f"the network is at fault: it keeps the {mode} from working; pods that are not ready are the consequence",
        "pods": f"the pods are at fault: the network lets the {mode} through",
        "both": f"both are at fault: the network keeps the {mode} from working, and its pods have a trouble of their own",
        "neither": f"neither is at fault: the network lets the {mode} through and its pods are ready",
        "undecided": f"nobody can say yet: not everything that decides over the {mode} could be seen",
    }
    return said[cause]


def _said_by(symptoms: Sequence[Symptom], error: str) -> Iterator[str]:
    for one in symptoms:
        where = (
            "the error you saw"
            if error and one.matched.casefold() in error.casefold()
            else "the logs and answers"
        )
        yield f"{where} (`{one.matched}`): {one.meaning}"


def _steps(cause: str, cluster: Cluster, seen: Seen, symptoms: Iterable[Symptom]) -> Iterator[str]:
    if cause in ("network", "both"):
        yield "mend what the walk names first; an agent that still holds an old connection fails when it restarts, so do it before anything else"
    if cause in ("pods", "both"):
        yield from _for_pods(seen)
    if cause == "undecided":
        yield from _to_decide(cluster, seen)
    if cause == "neither":
        yield "restart the agents (`kubectl rollout restart deployment konnectivity-agent -n kube-system`): a connection may be stale"
        yield "look beyond Azure's resources: an appliance's log, TLS inspection on the way, DNS, a proxy"
    selected = next((pod for pod in seen.tunnel_pods if pod.policies), None)
    if selected is not None:
        yield f"look at the network policies that select {selected.name}: {', '.join(selected.policies)}"
    for one in symptoms:
        yield from one.check[:2]


def _to_decide(cluster: Cluster, seen: Seen) -> Iterator[str]:
    yield from (
        flow.settle for flow in _tunnel_flows(cluster) if flow.verdict is Verdict.UNKNOWN and flow.settle
    )
    if not seen.listed:
        yield "look at the pods from where the API server answers: `kubectl get pods -n kube-system -o wide`"


def _for_pods(seen: Seen) -> Iterator[str]:
    pods = [pod for pod in seen.tunnel_pods if not pod.ready]
    if not seen.tunnel_pods:
        yield "have AKS put its pods back: `az aks update` without changes reconciles the cluster"
    if any("Unschedulable" in pod.reasons or "FailedScheduling" in pod.reasons for pod in pods):
        yield "make room for system pods: scale the system pool, look at its taints and at drained nodes"
    if any({"ImagePullBackOff", "ErrImagePull"} & set(pod.reasons) for pod in pods):
        yield "see whether nodes reach mcr.microsoft.com: the same report has that flow"
    if any("OOMKilled" in pod.reasons for pod in pods):
        yield "the agents run out of memory: spread the load, add system nodes"
    if any("CrashLoopBackOff" in pod.reasons for pod in pods):
        yield f"read why they end: `kubectl logs -n kube-system {pods[0].name} --previous`"
    if any(not one.ready for one in seen.of("coredns")):
        yield "CoreDNS is not ready: names do not resolve in the cluster, mend that first"
    if any(not node.ready for node in seen.nodes):
        names = ", ".join(node.name for node in seen.nodes if not node.ready)
        yield f"nodes are not ready: {names}"
