"""Clues of what was tried and said: log calls, the agents' own logs, and the error that somebody saw."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from aks_egress.evaluation.verdicts import Verdict
from aks_egress.requirements.errors import Symptom
from aks_egress_scan.live.picture import TUNNEL_DOWN, Clue, Picture, Side
from aks_egress_scan.live.seen import Call

#: known errors in an agent's log -> what they say of the network, beyond rules and routes
OF_THE_NETWORK = {
    "tls-inspection": "something opens the agents' TLS on the way to the API server",
    "kubelet-timeout": "agents are connected and do not reach a node on TCP 10250",
    "kubelet-tls-timeout": "agents are connected and reach a node on TCP 10250 only in part",
    "no-route-to-host": "packets of the agents are sent nowhere",
    "lookup": "the agents cannot resolve the API server's name",
    "agent-timeout": "packets of the agents to the API server are dropped without an answer",
    "tunnelfront-log": "tunnelfront does not reach its end beside the API server",
}
NOT_WALKED = "what stops it is no security group, route or firewall rule that was walked: look at TLS inspection, the appliance's own log, the proxy, names, and the API server's list of addresses"

COMPARE = "compare the pools that answer with those that do not: their subnets' security groups and route tables, rules on the nodes themselves"

#: errors that come from the machine of whoever typed
OF_THE_CLIENT = frozenset({"client-timeout", "client-lookup", "client-tls"})
_WEBHOOK = re.compile(r"https://(?P<service>[\w-]+)\.(?P<namespace>[\w-]+)\.svc", re.IGNORECASE)


def logs(picture: Picture) -> Iterator[Clue]:
    """What the agents' own logs say of the network; single lines beside a tunnel that works are normal."""
    found = [one for one in picture.log_symptoms if one.id in OF_THE_NETWORK]
    if not found and any(one.id == "agent-log" for one in picture.log_symptoms):
        said = "the agents' log tells of lost connections to the API server"
        yield Clue(
            side=Side.NOTE if picture.seen.works else Side.DOUBT,
            says=f"{said}: single lines without an outage are normal",
            headline=f"{said} and not why",
            next=()
            if picture.seen.works
            else (f"read the agents' log further back ({picture.logs.source})",),
        )
    for one in found[:2]:
        until = f", until {picture.logs.until}" if picture.logs.until else ""
        says = f"the agents' log ({picture.logs.source}{until}, `{one.matched}`): {one.meaning}"
        if picture.seen.works:
            yield Clue(side=Side.NOTE, says=f"{says}; yet the tunnel carries calls at this moment")
        else:
            yield Clue(
                side=Side.NETWORK,
                says=says,
                headline=f"by the agents' own log, {OF_THE_NETWORK[one.id]}",
                next=(*to_check(one), *_past_the_walk(picture)),
            )


def calls(picture: Picture) -> Iterator[Clue]:
    """What became of the log calls, which go the way of `kubectl logs`."""
    seen = picture.seen
    if seen.through:
        on = _places(seen.through)
        yield Clue(side=Side.NOTE, says=f"a log call goes through to {on} at this moment")
    if seen.failed:
        yield _failed(picture)
    elif seen.through and not seen.across:
        yield Clue(
            side=Side.DOUBT,
            says="calls were tried to the agents' own nodes alone, where they get through whatever stands between nodes",
            headline="whether calls get from the agents to other nodes could not be tried",
            next=("try a pod on a node without an agent: `kubectl logs POD -n NAMESPACE --tail 1`",),
        )
    if seen.listed and not seen.through and not seen.failed:
        why = seen.calls[0].said if seen.calls else "no pod of kube-system has a node"
        yield Clue(
            side=Side.DOUBT,
            says=f"no log call could be tried, so nothing shows that the tunnel works: {why}",
            headline="whether a call gets through could not be tried",
            next=("try one: `kubectl logs -n kube-system POD --tail 1`",),
        )


def _failed(picture: Picture) -> Clue:
    """Calls that fail: that the tunnel is down, or down to some nodes, whatever else is seen."""
    seen, first = picture.seen, picture.seen.failed[0]
    pools = _pools(picture, seen.failed)
    whole = not seen.through
    to = "every node that was tried" if whole else f"{_places(seen.failed)}{pools}"
    return Clue(
        side=Side.DOUBT,
        question=True,
        says=f"log calls fail at this moment to {to}: {first.said}{_meaning(picture)}",
        headline=f"calls fail to {to}, and nothing that could be seen explains it",
        next=(
            *(to_check(one)[0] for one in picture.call_symptoms[:2]),
            *(_past_the_walk(picture) if whole else (COMPARE,)),
        ),
    )


def _meaning(picture: Picture) -> str:
    """What the error of the calls means, where what somebody saw does not say it already."""
    told = {one.id for one in picture.error_symptoms}
    return next((f" ({one.meaning})" for one in picture.call_symptoms if one.id not in told), "")


def _past_the_walk(picture: Picture) -> tuple[str, ...]:
    """Where to look when the walk has nothing to name."""
    return (NOT_WALKED,) if picture.cluster.tunnel.verdict is Verdict.OPEN else ()


def to_check(one: Symptom) -> tuple[str, ...]:
    """What to look at first."""
    return tuple(f"check: {text}" for text in one.check[:2])


def _places(tried: Sequence[Call]) -> str:
    names = list(dict.fromkeys(one.node for one in tried))
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"


def _pools(picture: Picture, failed: Sequence[Call]) -> str:
    """The pools of the nodes that do not answer, where none of theirs does."""
    pool = {one.name: one.pool for one in picture.seen.nodes}
    answering = {pool.get(one.node) for one in picture.seen.through}
    silent = sorted({pool.get(one.node, "") for one in failed} - answering - {"", None})
    return f" (all of pool {', '.join(silent)} that was tried)" if silent else ""


def errors(picture: Picture) -> Iterator[Clue]:
    """What somebody saw, and whether anything explains it."""
    if not picture.error.strip():
        return
    found = picture.error_symptoms
    if not found:
        yield _not_known(picture)
    for one in found:
        says = f"the error you saw (`{one.matched}`): {one.meaning}"
        side = Side.NOTE if _explained(picture, one) else Side.DOUBT
        yield Clue(side=side, question=True, says=says, headline=_unexplained(one), next=_next(picture, one))


def _not_known(picture: Picture) -> Clue:
    return Clue(
        side=Side.NOTE if picture.seen.works else Side.DOUBT,
        says="the error you gave is none that is known here, so nothing is concluded from it",
        headline="the error is none that is known here",
        next=(
            "see that the text is whole: `kubectl logs POD 2>&1 | aks-egress triage --cluster NAME --error -`",
        ),
    )


def _explained(picture: Picture, one: Symptom) -> bool:
    """Whether calls that get through settle it: the tunnel works again, and to the node that it names."""
    if one.id not in TUNNEL_DOWN or not picture.seen.works:
        return False
    reached = {call.node for call in picture.seen.through}
    named = [picture.seen.node(name) for name in picture.nodes]
    return all(node is not None and node.name in reached for node in named)


def _unexplained(one: Symptom) -> str:
    if one.id in OF_THE_CLIENT:
        return "the error is about the way from your own machine to the API server, which is not the tunnel"
    if one.id == "webhook":
        return "the error is about a webhook, whose own pods were not looked at"
    return f"nothing that could be seen explains `{one.matched}`"


def _next(picture: Picture, one: Symptom) -> tuple[str, ...]:
    webhook = _WEBHOOK.search(picture.error) if one.id == "webhook" else None
    if webhook is None:
        return to_check(one)
    name, space = webhook["service"], webhook["namespace"]
    return (
        f"see whether the webhook's pods run: `kubectl get endpoints,pods -n {space}` (service {name})",
        *to_check(one),
    )
