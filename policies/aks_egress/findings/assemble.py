"""From judged flows to the report's clusters and flows."""

from __future__ import annotations

from aks_egress.evaluation.demand import Action, Decider
from aks_egress.evaluation.flows import JudgedCluster, JudgedFlow
from aks_egress.evaluation.judging import Decision
from aks_egress.findings.places import Places
from aks_egress.findings.report import Cluster, Destination, Flow, Hop, Source, Tunnel
from aks_egress.packets.addresses import prefixes
from aks_egress.requirements.requirement import Requirement
from aks_egress.values import Unknown

_DECISIONS = {Action.PASS_ON: "allow"}


def report_cluster(judged: JudgedCluster, places: Places) -> Cluster:
    """One cluster as the report shows it."""
    resource = judged.cluster.resource if judged.cluster is not None else None
    subnet = judged.subnet
    identity = str(resource.id) if resource is not None else (subnet.label if subnet is not None else "")
    origin = resource.origin if resource is not None else (subnet.origin if subnet is not None else None)
    return Cluster(
        id=identity,
        name=judged.name,
        location=_spelled(judged.facts.region),
        cloud=judged.facts.cloud,
        outbound_type=_spelled(judged.facts.fact("outbound_type").value),
        api_access=_spelled(judged.facts.fact("api_access").value),
        tunnel=Tunnel(mode=judged.mode.mode, evidence=judged.mode.evidence, verdict=judged.tunnel),
        verdict=judged.verdict,
        flows=tuple(report_flow(flow, places) for flow in judged.flows),
        facts=judged.facts.table(),
        place=places.of(origin) if origin is not None else None,
        document=judged.cluster.document.path if judged.cluster is not None else "",
    )


def report_flow(flow: JudgedFlow, places: Places) -> Flow:
    """One flow as the report shows it."""
    requirement, judgement = flow.requirement, flow.judgement
    return Flow(
        requirement=requirement.id,
        title=requirement.title,
        role=requirement.role,
        necessity=requirement.necessity,
        source=Source(
            pool=", ".join(pool.name for pool in flow.start.pools),
            subnet=flow.start.subnet.label,
            prefixes=tuple(prefixes(flow.start.subnet.prefixes.sure)),
        ),
        destination=Destination(
            kind=requirement.kind,
            value=requirement.value,
            protocol=requirement.protocol,
            ports=spell_ports(requirement),
        ),
        verdict=flow.verdict,
        path=tuple(report_hop(decision, places) for decision in judgement.path),
        reason=judgement.reason,
        settle=judgement.settle,
        counterexample=judgement.counterexample,
        breaks=requirement.breaks,
        doubts=_once(*requirement.doubts, *judgement.doubts),
        assumptions=_once(*requirement.assumptions, *judgement.assumptions),
    )


def report_hop(decision: Decision | Decider, places: Places) -> Hop:
    """One decision as the report shows it."""
    decider, packets = (
        (decision.decider, decision.packets) if isinstance(decision, Decision) else (decision, "")
    )
    return Hop(
        hop=decider.hop,
        resource=decider.resource,
        rule=decider.name,
        decision=_DECISIONS.get(decider.action, str(decider.action)),
        reason=decider.reason,
        location=places.of(decider.origin),
        resource_id=decider.resource_id,
        packets=packets,
    )


def spell_ports(requirement: Requirement) -> str:
    """Ports as `443,4443` or `1024-65535`, `*` for all."""
    if requirement.ports == ((0, 65535),):
        return "*"
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in requirement.ports)


def _spelled(value: object) -> str:
    """A fact for people: empty for what is not known."""
    return "" if isinstance(value, Unknown) else str(value)


def _once(*texts: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
