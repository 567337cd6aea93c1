"""Clues of the cluster itself: its nodes, the tunnel's pods, policies over them, and what helps them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aks_egress.evaluation.verdicts import Verdict
from aks_egress_scan.live.clues.calls import logs
from aks_egress_scan.live.clues.walk import tunnel
from aks_egress_scan.live.picture import Clue, Picture, Side
from aks_egress_scan.live.seen import NodeSeen, PodSeen

MANY = 5
"""Restarts from which they are told."""


def nodes(picture: Picture) -> Iterator[Clue]:
    """Nodes that find their own egress blocked, nodes that are not ready, and those that the error names."""
    there = picture.seen.nodes
    if picture.power not in ("", "Running"):
        yield Clue(
            side=Side.PODS,
            says=f"the cluster's power state is {picture.power}: nothing of it runs",
            headline=f"the cluster is not running (power state {picture.power})",
            next=("start it: `az aks start`",),
        )
    for one in [node for node in there if node.blocked][:3]:
        yield Clue(
            side=Side.NETWORK,
            says=f"node {one.name} itself: {one.blocked}",
            headline=f"nodes find their own egress blocked, though that check is not about the {picture.tunnel} itself",
            next=("look for what the node's check names in `aks-egress audit --cluster NAME`",),
        )
    lost = [node for node in there if not node.ready]
    if lost and len(lost) == len(there):
        yield _none_ready(lost)
    elif lost:
        yield Clue(
            side=Side.NOTE,
            says=f"{len(lost)} of {len(there)} nodes are not ready: {_names(lost)}",
            next=(f"look at the nodes that are not ready: `kubectl describe node {lost[0].name}`",),
        )
    for name in picture.nodes:
        yield from _named(picture, name)


def _none_ready(lost: Sequence[NodeSeen]) -> Clue:
    return Clue(
        side=Side.DOUBT,
        says=f"no node is ready: {_names(lost)}; their kubelets do not reach the API server, or they do not run",
        headline="no node is ready, and why cannot be seen from here",
        next=("see whether the nodes run: `az aks show` (powerState), `az vmss list-instances`",),
    )


def _names(lost: Sequence[NodeSeen]) -> str:
    told = [f"{one.name} ({'; '.join(one.problems[:1]) or 'no reason given'})" for one in lost[:3]]
    return ", ".join(told) + (f" and {len(lost) - 3} more" if len(lost) > 3 else "")


def _named(picture: Picture, name: str) -> Iterator[Clue]:
    """What is known of a node that the error names."""
    if not picture.seen.nodes:
        return
    node = picture.seen.node(name)
    if node is None:
        yield Clue(
            side=Side.DOUBT,
            says=f"the error names {name}, and no node of this cluster is called or addressed so",
            headline=f"the error names {name}, which is no node of this cluster",
            next=(f"see whether the error comes from this cluster, or {name} was a node that is gone",),
        )
        return
    where = f"node {node.name}" + (f" of pool {node.pool}" if node.pool else "")
    if node.ready:
        yield Clue(side=Side.NOTE, says=f"{name} in the error is {where}, which is ready")
        return
    yield Clue(
        side=Side.PODS,
        says=f"{name} in the error is {where}, which is not ready: {'; '.join(node.problems[:2])}",
        headline=f"node {node.name}, to which the call went, is itself not ready",
        next=(f"look at the node first: `kubectl describe node {node.name}`",),
    )


def agents(picture: Picture) -> Iterator[Clue]:
    """The tunnel's own pods."""
    seen = picture.seen
    if not seen.listed:
        yield _unseen(picture)
        return
    pods = seen.tunnel_pods
    if not pods:
        yield _none(picture)
        return
    yield Clue(side=Side.NOTE, says=_counted(picture, pods))
    lost = {node.name for node in seen.nodes if not node.ready}
    ill = [pod for pod in pods if not pod.ready or pod.node in lost]
    yield from _ill(picture, ill, len(pods) - len(ill), lost)
    if not ill:
        yield from _restless(picture, pods)


def _unseen(picture: Picture) -> Clue:
    why = next(
        (one for one in picture.seen.failures if one.startswith("pods")), "the Kubernetes API was not asked"
    )
    return Clue(
        side=Side.DOUBT,
        says=f"the pods could not be looked at: {why}",
        headline="its pods could not be looked at",
        next=_to_see_pods(why, authorized=picture.authorized),
    )


def _to_see_pods(why: str, *, authorized: bool) -> tuple[str, ...]:
    if "HTTP 401" in why:
        first = "sign in again: `az login`, then `az aks get-credentials`, or give `--aks-credentials`"
    elif "HTTP 403" in why:
        first = "ask for the role `Azure Kubernetes Service RBAC Reader`, or `view` in kube-system (docs/permissions.md)"
    elif "not asked" in why:
        first = "leave `--no-kubernetes` out where the API server answers"
    else:
        first = "look from where the API server answers, such as `az aks command invoke -c 'kubectl get pods -n kube-system -o wide'`"
    own = "this cluster lists who may reach its API server (authorizedIPRanges): see whether this machine is among them"
    return (first, own) if authorized else (first,)


def _none(picture: Picture) -> Clue:
    if picture.cluster.tunnel.mode == "none":
        return Clue(side=Side.NOTE, says="no tunnel pods run, and this cluster needs none")
    return Clue(
        side=Side.PODS,
        says="no tunnel pod runs in kube-system: neither konnectivity-agent nor aks-link nor tunnelfront",
        headline="no tunnel pod runs",
        next=("have AKS put its pods back: `az aks update` without changes reconciles the cluster",),
    )


def _counted(picture: Picture, pods: Sequence[PodSeen]) -> str:
    ready = sum(pod.ready for pod in pods)
    places = sorted({pod.node for pod in pods if pod.node})
    where = f" on {len(places)} node{'s' if len(places) != 1 else ''}" if places else ""
    return f"{ready} of {len(pods)} pods of {', '.join(picture.seen.tunnels)} are ready{where}"


def _ill(picture: Picture, ill: Sequence[PodSeen], ready: int, lost: set[str]) -> Iterator[Clue]:
    """Pods that are not ready, by what they say of themselves."""
    no_node = bool(picture.seen.nodes) and len(lost) == len(picture.seen.nodes)
    for pod in ill[:4]:
        says = _told(pod, lost)
        if pod.node in lost or (no_node and not pod.node):
            yield Clue(side=Side.DOUBT, says=says, headline="its agents have no node that is ready")
        elif pod.own_trouble:
            yield Clue(side=Side.PODS, says=says, headline=_own(pod, ready), next=_for(pod))
        elif pod.no_image:
            yield _without_image(picture, pod, says)
        else:
            yield _simply_ill(picture, pod, says, ready)


def _told(pod: PodSeen, lost: set[str]) -> str:
    where = f"{pod.name} on {pod.node}" if pod.node else pod.name
    if pod.node in lost:
        return f"{where} is not ready: its node is not ready"
    if not pod.reasons:
        return f"{where} {'runs and is' if pod.phase == 'Running' else 'is'} not ready"
    told = [one for one in pod.events if one.split(":", 1)[0] in pod.reasons][:1]
    why = [one for one in pod.reasons if not any(event.startswith(f"{one}:") for event in told)]
    return f"{where} is not ready: {', '.join([*why, *told])}"


def _own(pod: PodSeen, ready: int) -> str:
    some = "one of its agents" if ready else "an agent"
    if {"Unschedulable", "FailedScheduling"} & set(pod.reasons):
        return f"{some} cannot be placed on any node"
    if "OOMKilled" in pod.reasons:
        return f"{some} runs out of memory"
    return f"{some} has a trouble of its own ({pod.reasons[0]})"


def _for(pod: PodSeen) -> tuple[str, ...]:
    if {"Unschedulable", "FailedScheduling"} & set(pod.reasons):
        return ("make room for system pods: scale the system pool, look at its taints and at drained nodes",)
    if "OOMKilled" in pod.reasons:
        return ("the agents run out of memory: spread the load, add system nodes",)
    return (f"look at the pod: `kubectl describe pod -n kube-system {pod.name}`",)


def _without_image(picture: Picture, pod: PodSeen, says: str) -> Clue:
    """An image that does not come: the network's doing where the walk says so, the registry's where it is open."""
    flows = [one for one in picture.cluster.flows if one.requirement in ("mcr-registry", "mcr-data")]
    verdicts = {one.verdict for one in flows}
    why = f"{says}; the walk finds the way to Microsoft's registry "
    if verdicts & {Verdict.BLOCKED, Verdict.PARTIAL}:
        return Clue(
            side=Side.NETWORK,
            says=f"{why}blocked",
            headline="it keeps an agent's image from coming",
            next=("open the way to mcr.microsoft.com and *.data.mcr.microsoft.com",),
        )
    if verdicts == {Verdict.OPEN}:
        return Clue(
            side=Side.PODS,
            says=f"{why}open",
            headline="an agent's image does not come, though the way to the registry is open",
            next=(f"read why: `kubectl describe pod -n kube-system {pod.name}`",),
        )
    return Clue(
        side=Side.DOUBT,
        says=f"{why}undecided",
        headline="an agent's image does not come, and the way to the registry is undecided",
    )


def _simply_ill(picture: Picture, pod: PodSeen, says: str, ready: int) -> Clue:
    """A pod that is not ready and says no more: a network that is shut explains it, its own log would tell."""
    if _network_explains(picture):
        return Clue(side=Side.NOTE, says=says)
    look = f"`kubectl logs -n kube-system {pod.name} --previous`, or `crictl logs` on node {pod.node}"
    if ready or (picture.logs.lines and picture.cluster.tunnel.verdict is Verdict.OPEN):
        some = (
            f"only {ready} of its agents {'is' if ready == 1 else 'are'} ready"
            if ready
            else "no agent is ready"
        )
        return Clue(side=Side.PODS, says=says, headline=some, next=(f"read why: {look}",))
    return Clue(
        side=Side.DOUBT,
        says=says,
        headline="its pods run and are not ready, and no log of theirs could be read that says why",
        next=(f"read their log on the way that works: {look}",),
    )


def _network_explains(picture: Picture) -> bool:
    """Whether the walk, or the agents' own log, has a reason for agents that are not ready."""
    told = (*tunnel(picture), *logs(picture))
    return any(one.side is Side.NETWORK for one in told)


def _restless(picture: Picture, pods: Sequence[PodSeen]) -> Iterator[Clue]:
    """Pods that are ready now and were not: out of memory, or again and again."""
    for pod in [one for one in pods if one.restarts > MANY or "OOMKilled" in one.reasons][:3]:
        times = f"restarted {pod.restarts} times"
        if "OOMKilled" in pod.reasons and not (picture.seen.works and not picture.error):
            yield Clue(
                side=Side.PODS,
                says=f"{pod.name} is ready and {times}, the last time out of memory (OOMKilled)",
                headline="its agents run out of memory and restart",
                next=_for(pod),
            )
        else:
            yield Clue(
                side=Side.NOTE,
                says=f"{pod.name} is ready and {times}: {', '.join(pod.reasons) or 'why is not told'}",
            )


def policies(picture: Picture) -> Iterator[Clue]:
    """Network policies of the cluster that keep agents from sending anything."""
    bound = [one for one in picture.seen.tunnel_pods if one.cut_off or one.narrowed]
    if not bound:
        return
    pod = next((one for one in bound if one.cut_off), bound[0])
    names = ", ".join(f"`{one}`" for one in pod.policies)
    look = (f"look at the network policies in kube-system that select {pod.name}: {names}",)
    if not pod.cut_off:
        yield Clue(
            side=Side.NOTE, says=f"network policies narrow what {pod.name} may send: {names}", next=look
        )
    elif picture.engine == "none" or picture.seen.works:
        why = (
            "nothing enforces them in this cluster"
            if picture.engine == "none"
            else "the tunnel works all the same"
        )
        yield Clue(
            side=Side.NOTE,
            says=f"network policies let nothing out of {pod.name} ({names}), yet {why}",
            next=look,
        )
    else:
        yield Clue(
            side=Side.PODS,
            says=f"network policies of the cluster let nothing out of {pod.name}: {names}",
            headline="a network policy inside the cluster lets nothing out of its agents",
            next=(
                f"allow egress for pods with the label app=konnectivity-agent in kube-system, or take {names} away from them",
            ),
        )


def helpers(picture: Picture) -> Iterator[Clue]:
    """CoreDNS and metrics-server."""
    dns, metrics = picture.seen.of("coredns"), picture.seen.of("metrics-server")
    shut = picture.cluster.tunnel.verdict in (Verdict.BLOCKED, Verdict.PARTIAL)
    if dns and not any(one.ready for one in dns):
        yield Clue(
            side=Side.NOTE if shut else Side.PODS,
            says=f"no CoreDNS pod is ready ({_why(dns)}): names do not resolve in the cluster",
            headline="CoreDNS is not ready, so names do not resolve in the cluster",
            next=("mend CoreDNS first: `kubectl describe pods -n kube-system -l k8s-app=kube-dns`",),
        )
    elif any(not one.ready for one in dns):
        yield Clue(side=Side.NOTE, says=f"a CoreDNS pod is not ready ({_why(dns)}), another one is")
    if metrics and not any(one.ready for one in metrics):
        asked = any(one.id == "metrics" for one in picture.symptoms)
        yield Clue(
            side=Side.PODS if asked else Side.NOTE,
            says=f"no metrics-server pod is ready ({_why(metrics)}): `kubectl top` and scaling by metrics fail",
            headline="metrics-server is not ready; the tunnel has no part in that",
            next=("look at it: `kubectl describe pods -n kube-system -l k8s-app=metrics-server`",),
        )


def _why(pods: Sequence[PodSeen]) -> str:
    pod = next(one for one in pods if not one.ready)
    return f"{pod.name}: {', '.join(pod.reasons) or pod.phase or 'no reason given'}"
