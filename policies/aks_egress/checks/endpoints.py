"""What flows say: the tunnel, required endpoints, platform addresses, traffic inside the cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from aks_egress.checks.base import Context, Rule, check, rule
from aks_egress.evaluation.demand import Decider
from aks_egress.evaluation.flows import JudgedCluster, JudgedFlow
from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.advice import blockers, destinations, doubtful, fix
from aks_egress.findings.report import Finding, Severity
from aks_egress.packets.intervals import IntervalSet
from aks_egress.requirements.catalogue import load
from aks_egress.topology.security import SecurityRule
from aks_egress.values import Origin

TUNNEL_BLOCKED = rule(
    "EGR101", "tunnel-blocked", Severity.ERROR, "The control-plane tunnel cannot reach the API server"
)
TUNNEL_PARTLY = rule(
    "EGR102",
    "tunnel-partly-blocked",
    Severity.ERROR,
    "The control-plane tunnel reaches the API server from some places only",
)
KUBELET = rule(
    "EGR103",
    "kubelet-unreachable",
    Severity.ERROR,
    "The tunnel's agents cannot reach the kubelet of every node",
)
TUNNEL_UNDECIDED = rule(
    "EGR104", "tunnel-undecided", Severity.WARNING, "Whether the control-plane tunnel works is not decided"
)
BLOCKED = rule("EGR201", "endpoint-blocked", Severity.ERROR, "A required endpoint is blocked")
PARTLY = rule(
    "EGR202",
    "endpoint-partly-blocked",
    Severity.ERROR,
    "A required endpoint is blocked for some nodes or packets",
)
UNDECIDED = rule(
    "EGR203",
    "endpoint-undecided",
    Severity.WARNING,
    "Whether a required endpoint can be reached is not decided",
)
PLATFORM = rule(
    "EGR801", "platform-address-blocked", Severity.ERROR, "An address of the Azure platform is blocked"
)
NODES = rule("EGR802", "node-to-node-blocked", Severity.ERROR, "Nodes cannot reach each other")
PODS = rule(
    "EGR803", "pod-traffic-blocked", Severity.ERROR, "Traffic from or to pods is blocked inside the cluster"
)
API_SUBNET = rule(
    "EGR804", "api-server-subnet-blocked", Severity.ERROR, "Nodes cannot reach the API server's subnet"
)

_ALL = (
    TUNNEL_BLOCKED,
    TUNNEL_PARTLY,
    KUBELET,
    TUNNEL_UNDECIDED,
    BLOCKED,
    PARTLY,
    UNDECIDED,
    PLATFORM,
    NODES,
    PODS,
    API_SUBNET,
)

Key = tuple[object, ...]


@check(*_ALL)
def shut_or_undecided(context: Context) -> Iterator[Finding]:
    """One finding for all flows of a cluster that the same rules shut, or that the same reason leaves open."""
    for cluster in context.clusters:
        groups: dict[Key, tuple[Rule, Severity, list[JudgedFlow]]] = {}
        for flow in cluster.flows:
            said = _rule(flow)
            severity = _severity(flow, said) if said is not None else None
            if said is None or severity is None:
                continue
            key = (said.code, severity, *_cause(flow))
            groups.setdefault(key, (said, severity, []))[2].append(flow)
        for said, severity, flows in groups.values():
            if flows[0].verdict is Verdict.UNKNOWN:
                yield _undecided(context, cluster, said, severity, flows)
            else:
                yield _shut(context, cluster, said, severity, flows)


def _rule(flow: JudgedFlow) -> Rule | None:
    role, towards = flow.requirement.role, flow.requirement.towards
    leg_two = role == "tunnel" and towards == "node"
    match flow.verdict:
        case Verdict.OPEN:
            return None
        case Verdict.UNKNOWN:
            return TUNNEL_UNDECIDED if role == "tunnel" else UNDECIDED
    if leg_two:
        return KUBELET
    if towards == "api-server":
        return API_SUBNET
    if role == "tunnel":
        return TUNNEL_BLOCKED if flow.verdict is Verdict.BLOCKED else TUNNEL_PARTLY
    if role == "platform":
        return PLATFORM
    if role == "east-west":
        return PODS if towards == "pod" or "pod" in flow.requirement.sources else NODES
    return BLOCKED if flow.verdict is Verdict.BLOCKED else PARTLY


def _severity(flow: JudgedFlow, said: Rule) -> Severity | None:
    """What is required weighs as its rule says, what is recommended less; what is outdated nothing.

    A recommendation that only reports know is a note: Microsoft's own sample network lacks it.
    """
    match flow.requirement.necessity:
        case "required" if _administration_only(flow):
            return Severity.WARNING
        case "required":
            return said.severity
        case "recommended" if flow.requirement.id not in _documented():
            return None if flow.verdict is Verdict.UNKNOWN else Severity.NOTE
        case "recommended":
            return Severity.NOTE if flow.verdict is Verdict.UNKNOWN else Severity.WARNING
        case "conditional":
            return None if flow.verdict is Verdict.UNKNOWN else Severity.NOTE
    return None


ADMINISTRATION = IntervalSet.of([(22, 22), (3389, 3389)])
"""SSH and remote desktop: no part of Kubernetes uses them between nodes, and hardening shuts them everywhere."""


def _administration_only(flow: JudgedFlow) -> bool:
    """Whether all that is lost inside the network are connections of administrators."""
    if flow.requirement.role != "east-west" or flow.verdict is not Verdict.PARTIAL:
        return False
    against = blockers(flow)
    return bool(against) and all(
        isinstance(one.detail, SecurityRule) and one.detail.port.possible <= ADMINISTRATION for one in against
    )


@lru_cache(maxsize=1)
def _documented() -> frozenset[str]:
    """What a page of Microsoft asks for; the rest comes from reports and conclusions."""
    return frozenset(entry.id for entry in load().entries if entry.basis == "documented")


def _cause(flow: JudgedFlow) -> Key:
    """What flows must share to be one finding: who stands in their way."""
    deciders = doubtful(flow) if flow.verdict is Verdict.UNKNOWN else blockers(flow)
    return tuple((one.hop, one.resource_id or one.resource, one.name) for one in deciders)


def _shut(
    context: Context, cluster: JudgedCluster, said: Rule, severity: Severity, flows: Sequence[JudgedFlow]
) -> Finding:
    against = _together(blockers(flow) for flow in flows)
    first = against[0] if against else None
    where = ", ".join(dict.fromkeys(f"`{flow.start.subnet.label}`" for flow in flows))
    word = "blocked" if flows[0].verdict is Verdict.BLOCKED else "blocked in part"
    reasons = "; ".join(dict.fromkeys(f"{_where(one)} {one.reason}" for one in against[:4]))
    requirements = [flow.requirement for flow in flows]
    message = f"{destinations(requirements)} from {where} is {word}: {reasons}"
    return context.finding(
        said,
        message,
        label=first.resource if first else cluster.name,
        origin=_place(context, cluster, first),
        cluster=cluster.name,
        judged=cluster,
        severity=severity,
        requirements=(one.id for one in requirements),
        breaks=(one for requirement in requirements for one in requirement.breaks),
        fix=fix(against, flows),
        deciders=against,
        counterexample=flows[0].judgement.counterexample,
        key=_key(against),
    )


def _undecided(
    context: Context, cluster: JudgedCluster, said: Rule, severity: Severity, flows: Sequence[JudgedFlow]
) -> Finding:
    behind = doubtful(flows[0])
    first = behind[0] if behind else None
    judgement = flows[0].judgement
    where = ", ".join(dict.fromkeys(f"`{flow.start.subnet.label}`" for flow in flows))
    requirements = [flow.requirement for flow in flows]
    return context.finding(
        said,
        f"whether {destinations(requirements)} from {where} gets through is not decided: {judgement.reason}",
        label=first.resource if first else cluster.name,
        origin=_place(context, cluster, first),
        cluster=cluster.name,
        judged=cluster,
        severity=severity,
        requirements=(one.id for one in requirements),
        breaks=(one for requirement in requirements for one in requirement.breaks),
        fix=judgement.settle,
        deciders=behind,
        key=_key(behind),
    )


def _where(decider: Decider) -> str:
    return f"`{decider.resource}`:" if decider.resource else ""


def _together(groups: Iterator[tuple[Decider, ...]]) -> list[Decider]:
    """The deciders of all flows, each once."""
    found: dict[tuple[str, ...], Decider] = {}
    for group in groups:
        for one in group:
            found.setdefault((one.hop, one.resource, one.name, one.reason), one)
    return list(found.values())


def _place(context: Context, cluster: JudgedCluster, decider: Decider | None) -> Origin | None:
    """Where the first decider stands; else where the cluster does."""
    if decider is not None and context.places.of(decider.origin) is not None:
        return decider.origin
    if cluster.cluster is not None:
        return cluster.cluster.resource.origin
    return cluster.subnet.origin if cluster.subnet is not None else None


def _key(deciders: Sequence[Decider]) -> tuple[str, ...]:
    return tuple(f"{one.hop}/{one.resource}/{one.name}".casefold() for one in deciders)
