"""Every flow of a cluster, judged: requirements bound to the subnets where they start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aks_egress.evaluation.demand import Action, Decider, Demand
from aks_egress.evaluation.demands import demands, starts
from aks_egress.evaluation.first_match import TooIntricateError
from aks_egress.evaluation.judging import Judgement, judge
from aks_egress.evaluation.outbound import Start
from aks_egress.evaluation.tag_scope import TAG_EXPANSION
from aks_egress.evaluation.traces import Trace
from aks_egress.evaluation.verdicts import Verdict, worst
from aks_egress.evaluation.walk import Walk
from aks_egress.records import record, replace
from aks_egress.requirements.facts import Facts
from aks_egress.requirements.requirement import Requirement
from aks_egress.requirements.tunnel import TunnelMode
from aks_egress.topology.clusters import Cluster
from aks_egress.topology.networks import Subnet
from aks_egress.values import Unknown

Parts = list[tuple[Demand, list[Trace]]]
"""Each demand of a flow with what became of its packets."""

TOO_INTRICATE = "the rules cut this flow into more pieces than can be followed; fewer or more regular rules, or a named cluster, would help"


@record(frozen=True, slots=True, kw_only=True)
class JudgedFlow:
    """One requirement from one start, with everything its verdict rests on.

    `demands` are kept of flows that are not open, for whoever wants to mend them.
    """

    requirement: Requirement
    start: Start
    demands: tuple[Demand, ...]
    judgement: Judgement
    by_expansion: bool = False
    """Whether it would be worse without the prefixes that user routes add to the tag VirtualNetwork (U1)."""

    @property
    def verdict(self) -> Verdict:
        """The verdict of the flow."""
        return self.judgement.verdict

    @property
    def counts(self) -> bool:
        """Whether the verdict weighs: the requirement is required, and its verdict is not moot."""
        return self.requirement.necessity == "required"


@record(frozen=True, slots=True, kw_only=True)
class JudgedCluster:
    """A cluster, or a subnet that was declared to hold nodes, with its flows."""

    cluster: Cluster | None
    subnet: Subnet | None
    facts: Facts
    mode: TunnelMode
    flows: tuple[JudgedFlow, ...]

    @property
    def name(self) -> str:
        """The cluster's name, or the subnet's."""
        if self.cluster is not None:
            return self.cluster.resource.name
        return self.subnet.name if self.subnet is not None else ""

    @property
    def tunnel(self) -> Verdict:
        """The worst verdict of the tunnel's legs; without a tunnel nothing can be shut."""
        found = [flow.verdict for flow in self.flows if flow.requirement.role == "tunnel" and flow.counts]
        return worst(found, Verdict.OPEN if self.mode.mode == "none" else Verdict.UNKNOWN)

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of what is required."""
        return worst(flow.verdict for flow in self.flows if flow.counts)


def judge_flows(
    walk: Walk, cluster: Cluster, needed: Sequence[Requirement], addresses: Mapping[str, str]
) -> tuple[JudgedFlow, ...]:
    """Every requirement from every subnet of a cluster where it starts."""
    known = next(
        (ip for name, ip in addresses.items() if name.casefold() == cluster.resource.name.casefold()), ""
    )
    return tuple(
        flow
        for requirement in needed
        for start in starts(cluster, requirement)
        if (flow := judge_flow(walk, requirement, start, known)) is not None
    )


def judge_flow(
    walk: Walk, requirement: Requirement, start: Start, api_server_address: str = ""
) -> JudgedFlow | None:
    """One requirement from one start; None where it asks nothing of that start."""
    found = judge_flow_in_parts(walk, requirement, start, api_server_address)
    return found[0] if found is not None else None


def judge_flow_in_parts(
    walk: Walk, requirement: Requirement, start: Start, api_server_address: str = ""
) -> tuple[JudgedFlow, Parts] | None:
    """The flow, and what became of the packets of each of its demands; nothing of the latter where nobody can say."""
    asked = demands(requirement, start, walk.hops.topology, api_server_address)
    if not asked:
        return None
    if not any(demand.boxes for demand in asked):
        judgement = _undecided(
            f"the address of {requirement.value} is not given", "declare it in the definition of the cluster"
        )
        return JudgedFlow(requirement=requirement, start=start, demands=(), judgement=judgement), []
    parts, judgement = _judged(walk, requirement, start, asked)
    by_expansion = False
    if TAG_EXPANSION in judgement.doubts:
        plain = walk.without_expansion()
        if not all(demand.target is None and plain.leaves(start, demand) for demand in asked):
            by_expansion = _judged(plain, requirement, start, asked)[1].verdict.rank > judgement.verdict.rank
    resting = _resting(judgement, by_expansion=by_expansion)
    flow = JudgedFlow(
        requirement=requirement,
        start=start,
        demands=tuple(asked) if judgement.verdict is not Verdict.OPEN else (),
        judgement=_if_needed(requirement, resting),
        by_expansion=by_expansion,
    )
    return flow, parts


def judgement_of(requirement: Requirement, parts: Parts, *, by_expansion: bool) -> Judgement:
    """The judgement on what became of packets, where it is known whether it rests on the expansion of a tag."""
    return _if_needed(requirement, _resting(judge(parts), by_expansion=by_expansion))


def _resting(judgement: Judgement, *, by_expansion: bool) -> Judgement:
    """The judgement without the doubt about a tag's expansion, where it holds either way."""
    if by_expansion or TAG_EXPANSION not in judgement.doubts:
        return judgement
    return replace(judgement, doubts=tuple(one for one in judgement.doubts if one != TAG_EXPANSION))


def _judged(
    walk: Walk, requirement: Requirement, start: Start, asked: Sequence[Demand]
) -> tuple[Parts, Judgement]:
    try:
        parts = [(demand, _walked(walk, requirement, start, demand)) for demand in asked]
        return parts, judge(parts)
    except TooIntricateError:
        return [], _undecided(f"{TOO_INTRICATE} (subnet {start.subnet.label})")


def _walked(walk: Walk, requirement: Requirement, start: Start, demand: Demand) -> list[Trace]:
    traces = walk.outgoing(start, demand)
    if not requirement.via_proxy:
        return traces
    beyond = Decider(
        hop="appliance",
        resource="HTTP proxy",
        name="httpProxyConfig",
        action=Action.UNKNOWN,
        reason=f"whether the cluster's HTTP proxy lets {requirement.value} through is not among the inputs",
        settle="check the proxy's own rules",
    )
    return [trace.then(trace.box, (beyond,)) for trace in traces]


def _undecided(reason: str, settle: str = "") -> Judgement:
    return Judgement(
        verdict=Verdict.UNKNOWN,
        path=(),
        reason=reason,
        settle=settle,
        counterexample=None,
        doubts=(),
        assumptions=(),
    )


def _if_needed(requirement: Requirement, judgement: Judgement) -> Judgement:
    """Where nobody can say whether a flow is needed, only open is certain to be well."""
    needed = requirement.needed
    if not isinstance(needed, Unknown) or judgement.verdict is Verdict.OPEN:
        return judgement
    said = (
        f"whether it is needed is not known ({needed.why}); if it is: {judgement.verdict}, {judgement.reason}"
    )
    return replace(judgement, verdict=Verdict.UNKNOWN, reason=said, settle=needed.settle or judgement.settle)
