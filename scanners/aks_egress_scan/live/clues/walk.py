"""Clues of the walk: what the definitions that run do with the tunnel's packets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from aks_egress.evaluation.demands import GIVEN
from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.report import Cluster, Flow, Hop, Severity
from aks_egress_scan.live.picture import Clue, Picture, Side, Way

SHUT = (Verdict.BLOCKED, Verdict.PARTIAL)
STATEFUL = frozenset({"admin-rule", "nic-nsg", "subnet-nsg", "target-subnet-nsg"})
"""Hops that look at the beginning of a connection alone (facts, NSG 8)."""

BEYOND = frozenset({"EGR402", "EGR601", "EGR602", "EGR604", "EGR702"})
"""Rules of ours about what keeps nodes from the API server past the walk of packets: TLS inspection, names, proxies, its list of addresses."""

READ_MORE = "see what `aks-egress audit --cluster NAME` could not read, and how to grant it"

_INSIDE = {"private_link": "private endpoint", "vnet_integration": "own end in the network"}
"""How people call an API server that nodes reach inside the network."""

LEG_2 = frozenset({"tunnel-agent-to-kubelet", "apiserver-subnet-to-kubelet"})


def tunnel(picture: Picture) -> Iterator[Clue]:
    """The verdict of the tunnel that is in use."""
    cluster = picture.cluster
    if not any(tunnel_flows(cluster)):
        yield Clue(
            side=Side.DOUBT,
            says="the definitions hold no flow of the tunnel that could be walked, such as where they name no subnet of the nodes",
            headline=f"nothing of the {picture.tunnel} could be walked",
            next=(READ_MORE,),
        )
    elif cluster.tunnel.verdict is Verdict.OPEN:
        yield Clue(
            side=Side.NOTE,
            says="the walk finds the tunnel open through every security group, route and firewall",
        )
    else:
        yield from _judged(picture, cluster, picture.tunnel)


def private_address(picture: Picture) -> Iterator[Clue]:
    """Where an API server inside the network really is; the walk goes there, unless no subnet that is shown holds it."""
    what = _INSIDE.get(picture.cluster.api_access)
    for address in picture.seen.api_addresses if what else ():
        says = f"the API server's {what} has the address {address}"
        if any(_goes_to(address, flow) for flow in tunnel_flows(picture.cluster)):
            yield Clue(side=Side.NOTE, says=f"{says}, and the walk goes there")
        else:
            yield Clue(
                side=Side.NOTE if picture.seen.works else Side.DOUBT,
                says=f"{says}, which is in no subnet where it could be by the definitions, so the walk went elsewhere",
                headline=f"the API server's {what} is not where the walk took it to be",
                next=(
                    f"walk that way by itself: `aks-egress query SNAPSHOT --from SUBNET --to {address} --port 443`",
                ),
            )


def _goes_to(address: str, flow: Flow) -> bool:
    return GIVEN.format(address) in flow.assumptions


def other_tunnels(picture: Picture) -> Iterator[Clue]:
    """Tunnels whose pods run beside the first, as in the middle of a migration; calls that get through need only one."""
    for cluster in picture.others:
        mode, verdict = cluster.tunnel.mode, cluster.tunnel.verdict
        yield Clue(
            side=Side.NOTE,
            says=f"pods of {mode} run beside those of {picture.cluster.tunnel.mode}: the cluster is between two tunnels, and the walk finds {mode} {verdict}",
        )
        if verdict is not Verdict.OPEN and not picture.seen.works:
            yield from _judged(picture, cluster, f"{mode} tunnel")


def _judged(picture: Picture, cluster: Cluster, what: str) -> Iterator[Clue]:
    """What stops the tunnel, or what is not known of it; a tunnel that works all the same is no clean case."""
    flows = [one for one in tunnel_flows(cluster) if one.verdict in SHUT]
    for flow in flows[:3]:
        yield _shut(picture, flow, what)
    if flows and picture.seen.works:
        first = [one for one in flows if one.requirement not in LEG_2]
        odd = first or any(_contradicted(picture, one) for one in flows)
        yield _works_all_the_same(first, what, cluster.tunnel.mode) if odd else _works_elsewhere(what)
    if not flows:
        for flow in [one for one in tunnel_flows(cluster) if one.verdict is Verdict.UNKNOWN][:3]:
            yield Clue(
                side=Side.DOUBT,
                says=f"the walk cannot decide {described(flow)}: {flow.reason}",
                headline=f"the definitions that could be read do not decide over the {what}",
                next=(flow.settle or READ_MORE,),
            )


def _shut(picture: Picture, flow: Flow, what: str) -> Clue:
    says = f"the walk finds {described(flow)} {_verdict(flow)}: {flow.reason}"
    if _contradicted(picture, flow):
        in_part = " in part" if flow.verdict is Verdict.PARTIAL else ""
        return Clue(
            side=Side.DOUBT,
            says=says,
            headline=f"the walk finds the {what} blocked{in_part}, yet it carries calls at this moment",
        )
    return Clue(
        side=Side.NETWORK,
        says=says,
        headline=f"{_culprit(flow)} keeps the {what} from {_what_is_lost(flow)}",
        next=(_mend(flow),),
    )


def _verdict(flow: Flow) -> str:
    """The verdict, and a packet that is lost where others are not."""
    if flow.verdict is not Verdict.PARTIAL:
        return str(flow.verdict)
    lost = flow.counterexample or {}
    packet = (
        f", such as from {lost['source']} to {lost['destination']}"
        if {"source", "destination"} <= set(lost)
        else ""
    )
    return f"blocked in part{packet}"


def _what_is_lost(flow: Flow) -> str:
    if flow.requirement in LEG_2:
        return f"reaching {'some nodes' if flow.verdict is Verdict.PARTIAL else 'the nodes'} on TCP 10250"
    return "working" if flow.verdict is Verdict.BLOCKED else "working in part"


def _culprit(flow: Flow) -> str:
    """Who stops it, by name, as far as the path has names."""
    names = dict.fromkeys(f"`{one.rule}` of `{one.resource}`" for one in _denying(flow) if one.rule)
    return next(iter(names), "it")


def _mend(flow: Flow) -> str:
    culprit = _culprit(flow)
    what = "mend what the walk names" if culprit == "it" else f"mend {culprit}"
    return f"{what}: `aks-egress fix` proposes the smallest change, `aks-egress audit` has the whole path"


def _denying(flow: Flow) -> list[Hop]:
    return [one for one in flow.path if one.decision in ("deny", "drop")]


def _contradicted(picture: Picture, flow: Flow) -> bool:
    """Whether calls go where no packet should.

    The tunnel itself may live on a connection that is older than a security rule; calls to kubelets are new
    connections, and only an agent on the very node answers for it all the same.
    """
    if not picture.seen.works:
        return False
    if flow.verdict is Verdict.PARTIAL:
        lost = flow.counterexample or {}
        return flow.requirement in LEG_2 and _reached(picture, str(lost.get("destination")))
    if flow.requirement in LEG_2:
        return picture.seen.across
    return not all(one.hop in STATEFUL for one in _denying(flow))


def _works_all_the_same(flows: Sequence[Flow], what: str, mode: str) -> Clue:
    denying = [hop for flow in flows for hop in _denying(flow)]
    if mode != "none" and denying and all(one.hop in STATEFUL for one in denying):
        return Clue(
            side=Side.NOTE,
            says=f"the {what} carries calls at this moment all the same: security rules look at new connections only, so it lives on a connection made before, and ends when an agent restarts",
            next=("do not restart the agents before the rule is mended: they would not come back",),
        )
    return Clue(
        side=Side.NOTE,
        says=f"the {what} carries calls at this moment all the same: what was judged is perhaps not what packets meet, or only some nodes are cut off",
        next=("take a fresh picture (`--fresh`, no `--snapshot`) and compare it with `audit --effective`",),
    )


def _works_elsewhere(what: str) -> Clue:
    """Calls to kubelets are new connections every time, so those that get through went another way."""
    return Clue(
        side=Side.NOTE,
        says=f"the {what} carries the calls that were tried: nodes that are cut off were not among them, or an agent on the very node answered",
    )


def tunnel_flows(cluster: Cluster) -> Iterator[Flow]:
    """The flows with role tunnel."""
    return (flow for flow in cluster.flows if flow.role == "tunnel")


def described(flow: Flow) -> str:
    """`TCP 443 from vnet/subnet to name`."""
    to = flow.destination
    port = f" {to.ports}" if to.ports not in ("", "*") else ""
    return f"{to.protocol}{port} from `{flow.source.subnet}` to `{to.value}`"


def ways(picture: Picture) -> Iterator[Clue]:
    """The addresses that were asked about by themselves: the node in the error."""
    for way in picture.ways:
        if not way.flows:
            yield Clue(
                side=Side.DOUBT,
                says=f"the way to {way.what} could not be walked: {way.why_not}",
                headline=f"the way to {way.what} could not be walked",
            )
            continue
        yield from _way(way, picture)


def _way(way: Way, picture: Picture) -> Iterator[Clue]:
    for flow in way.flows:
        says = f"the walk finds {described(flow)}, {way.what}, {_verdict(flow)}"
        if flow.verdict is Verdict.OPEN:
            yield Clue(side=Side.NOTE, says=says)
        elif flow.verdict is Verdict.BLOCKED and _reached(picture, way.address):
            yield Clue(
                side=Side.DOUBT,
                says=f"{says}: {flow.reason}",
                headline=f"the walk finds {way.what} cut off, yet a call got through to it just now",
            )
        elif flow.verdict in SHUT:
            yield Clue(
                side=Side.NETWORK,
                says=f"{says}: {flow.reason}",
                headline=f"{_culprit(flow)} keeps the {picture.tunnel} from {way.what}",
                next=(_mend(flow),),
            )
        else:
            yield Clue(
                side=Side.DOUBT,
                says=f"{says}: {flow.reason}",
                headline=f"the definitions that could be read do not decide over the way to {way.what}",
                next=(flow.settle or READ_MORE,),
            )


def _reached(picture: Picture, address: str) -> bool:
    """Whether a call got through to the node there, and no agent on the node itself may have answered."""
    node = picture.seen.node(address)
    return (
        node is not None
        and node.name not in picture.seen.agents_on
        and any(one.node == node.name for one in picture.seen.through)
    )


def findings(picture: Picture) -> Iterator[Clue]:
    """Findings about names, proxies, TLS inspection and the API server's own list of addresses."""
    for one in picture.report.findings:
        if one.rule not in BEYOND or not one.concerns(picture.cluster):
            continue
        certain = one.severity is Severity.ERROR
        side = Side.NETWORK if certain else Side.NOTE if picture.seen.works else Side.DOUBT
        yield Clue(
            side=side,
            says=f"{one.rule} {one.name}: {one.message}",
            headline="it keeps the nodes from the API server"
            if certain
            else f"{one.name} ({one.rule}) may be why",
            next=(f"{one.fix} (`aks-egress explain {one.rule}`)",) if one.fix else (),
        )


def elsewhere(picture: Picture) -> Iterator[Clue]:
    """What the network stops that is not the tunnel: the cluster is no sound one, whatever the tunnel does."""
    told = {one.reason for one in tunnel_flows(picture.cluster) if one.verdict in SHUT}
    shut = [
        one
        for one in picture.cluster.flows
        if one.verdict in SHUT
        and one.role != "tunnel"
        and one.necessity == "required"
        and one.reason not in told
    ]
    if not shut:
        return
    names = _few(dict.fromkeys(f"`{one.destination.value}`" for one in shut))
    yield Clue(
        side=Side.NETWORK,
        says=f"beside the tunnel the walk finds {len(shut)} required flow{'s' if len(shut) > 1 else ''} blocked, to {names}: {shut[0].reason}",
        headline=f"it blocks what the cluster needs, though nothing was found that stops the {picture.tunnel} itself",
        next=("see `aks-egress audit --cluster NAME` for every flow that is blocked",),
    )


def _few(names: Iterable[str]) -> str:
    there = list(names)
    more = f" and {len(there) - 3} more" if len(there) > 3 else ""
    return ", ".join(there[:3]) + more
