"""From judged flows to the report's clusters and flows."""

from __future__ import annotations

from functools import lru_cache

from aks_egress.evaluation.demand import Action, Decider
from aks_egress.evaluation.flows import JudgedCluster, JudgedFlow
from aks_egress.evaluation.judging import Decision
from aks_egress.evaluation.outbound import Start
from aks_egress.findings.places import Places
from aks_egress.findings.report import Cluster, Destination, Flow, Hop, Source, Tunnel
from aks_egress.packets.addresses import prefixes
from aks_egress.requirements.requirement import ALL_PORTS, Ports, Requirement
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
        flows=tuple(map(_Writing(places).flow, judged.flows)),
        facts=judged.facts.table(),
        place=places.of(origin) if origin is not None else None,
        document=judged.cluster.document.path if judged.cluster is not None else "",
    )


def report_flow(flow: JudgedFlow, places: Places) -> Flow:
    """One flow as the report shows it."""
    return _Writing(places).flow(flow)


class _Writing:
    """Writes the flows of one cluster; what several of them share is written once."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._hops: dict[tuple[int, str], tuple[Decider, Hop]] = {}
        self._paths: dict[int, tuple[tuple[Decision, ...], tuple[Hop, ...]]] = {}
        self._sources: dict[tuple[int, tuple[str, ...]], Source] = {}

    def flow(self, flow: JudgedFlow) -> Flow:
        """One flow as the report shows it."""
        requirement, judgement = flow.requirement, flow.judgement
        return Flow(
            requirement=requirement.id,
            title=requirement.title,
            role=requirement.role,
            necessity=requirement.necessity,
            source=self._source(flow.start),
            destination=_destination(
                requirement.kind, requirement.value, requirement.protocol, requirement.ports
            ),
            verdict=flow.verdict,
            path=self._path(judgement.path),
            reason=judgement.reason,
            settle=judgement.settle,
            counterexample=judgement.counterexample,
            breaks=requirement.breaks,
            doubts=_once(requirement.doubts, judgement.doubts),
            assumptions=_once(requirement.assumptions, judgement.assumptions),
        )

    def _source(self, start: Start) -> Source:
        pools = tuple(pool.name for pool in start.pools)
        key = id(start.subnet), pools
        if key not in self._sources:
            spelled = tuple(prefixes(start.subnet.prefixes.sure))
            self._sources[key] = Source(pool=", ".join(pools), subnet=start.subnet.label, prefixes=spelled)
        return self._sources[key]

    def _path(self, path: tuple[Decision, ...]) -> tuple[Hop, ...]:
        if id(path) not in self._paths:
            self._paths[id(path)] = (path, tuple(map(self._hop, path)))
        return self._paths[id(path)][1]

    def _hop(self, decision: Decision) -> Hop:
        key = id(decision.decider), decision.packets
        if key not in self._hops:
            self._hops[key] = (decision.decider, report_hop(decision, self._places))
        return self._hops[key][1]


@lru_cache(maxsize=256)
def _destination(kind: str, value: str, protocol: str, ports: Ports) -> Destination:
    return Destination(kind=kind, value=value, protocol=protocol, ports=_spelled_ports(ports))


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
    return _spelled_ports(requirement.ports)


def _spelled_ports(ports: Ports) -> str:
    if ports == ALL_PORTS:
        return "*"
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ports)


def _spelled(value: object) -> str:
    """A fact for people: empty for what is not known."""
    return "" if isinstance(value, Unknown) else str(value)


def _once(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Both, each text once; what is there already where one of them is empty."""
    return tuple(dict.fromkeys((*one, *other))) if one and other else one or other
