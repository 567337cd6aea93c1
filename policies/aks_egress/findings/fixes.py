"""The smallest changes that open what is blocked, each proved by judging the changed definitions again.

A change is told only where every flow that it is for comes out open and no other flow comes out worse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aks_egress.arm.resources import Document
from aks_egress.evaluation.flows import JudgedCluster, JudgedFlow
from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.advice import blockers, destinations, fix
from aks_egress.findings.changes import Change, made
from aks_egress.findings.proposals import Stop, proposals
from aks_egress.records import record
from aks_egress.topology.model import Topology

Judged = tuple[Topology, Sequence[JudgedCluster]]
Judge = Callable[[Sequence[Document]], Judged]

#: hops that one flow may be stopped at, one behind the other
MOST_STOPS = 8

_SHUT = (Verdict.BLOCKED, Verdict.PARTIAL)


@record(frozen=True, slots=True, kw_only=True)
class Repair:
    """What opens some blocked flows of a cluster; without changes, what people have to decide.

    `opens` are the destinations in words, `stopped_by` who stops them now, `advice` what to do where no change
    could be proved.
    """

    cluster: str
    opens: str
    stopped_by: str
    changes: tuple[Change, ...] = ()
    advice: str = ""


def repairs(documents: Sequence[Document], judge: Judge) -> tuple[list[Repair], list[Document]]:
    """The repairs in the order of the flows, and the documents with all of them made."""
    found: list[Repair] = []
    changes: tuple[Change, ...] = ()
    state = judge(documents)
    left_over: set[Key] = set()
    while (stop := _first_stop(state, left_over)) is not None:
        cluster, shut = stop
        solved = _solved(documents, changes, state, shut, judge)
        done = {key for key, _ in shut.items()} if solved is None else solved[2]
        flows = [flow for key, flow in shut.items() if key in done]
        if solved is None:
            left_over |= done
            found.append(_told(cluster, flows, ()))
        else:
            found.append(_told(cluster, flows, solved[0][len(changes) :]))
            changes, state = solved[0], solved[1]
    return found, made(documents, changes)


Key = tuple[str, str, str, str, str]
"""What a flow is, whatever its verdict: cluster, requirement, destination, ports, subnet."""


def _keyed(clusters: Sequence[JudgedCluster]) -> dict[Key, JudgedFlow]:
    found: dict[Key, JudgedFlow] = {}
    for cluster in clusters:
        identity = str(cluster.cluster.resource.id) if cluster.cluster is not None else cluster.name
        for flow in cluster.flows:
            wanted = flow.requirement
            pools = ",".join(pool.name for pool in flow.start.pools)
            place = f"{flow.start.subnet.label} {pools}"
            found[identity, wanted.id, wanted.value, f"{wanted.protocol} {wanted.ports}", place] = flow
    return found


def _first_stop(state: Judged, passed: set[Key]) -> tuple[str, dict[Key, JudgedFlow]] | None:
    """The first required flow that is shut, with all others of its cluster that the same place stops."""
    for cluster in state[1]:
        shut = {
            key: flow
            for key, flow in _keyed([cluster]).items()
            if flow.counts and flow.verdict in _SHUT and key not in passed
        }
        if shut:
            cause = _cause(next(iter(shut.values())))
            return cluster.name, {key: flow for key, flow in shut.items() if _cause(flow) == cause}
    return None


def _cause(flow: JudgedFlow) -> tuple[tuple[str, str, str], ...]:
    return tuple((one.hop, one.resource_id or one.resource, one.name) for one in blockers(flow))


def _solved(
    documents: Sequence[Document],
    changes: tuple[Change, ...],
    state: Judged,
    shut: dict[Key, JudgedFlow],
    judge: Judge,
) -> tuple[tuple[Change, ...], Judged, set[Key]] | None:
    """Changes that open the flows, or some of them; None where none do."""
    tried = _opened(documents, changes, state, set(shut), judge)
    if tried is None:
        return None
    opened = {key for key in shut if _keyed(tried[1][1])[key].verdict is Verdict.OPEN}
    if opened and opened != set(shut):
        tried = _opened(documents, changes, state, opened, judge)
        opened = set() if tried is None else opened
    if tried is None or not opened or _worse(state, tried[1]):
        return None
    return *_fewest(documents, len(changes), tried, opened, judge), opened


def _fewest(
    documents: Sequence[Document],
    before: int,
    tried: tuple[tuple[Change, ...], Judged],
    opened: set[Key],
    judge: Judge,
) -> tuple[tuple[Change, ...], Judged]:
    """The changes without those that the others make needless: a rule for the internet covers one for a tag."""
    changes, state = tried
    for change in changes[before:] if len(changes) > before + 1 else ():
        fewer = tuple(one for one in changes if one is not change)
        after = judge(made(documents, fewer))
        flows = _keyed(after[1])
        if all(flows[key].verdict is Verdict.OPEN for key in opened) and not _worse(state, after):
            changes, state = fewer, after
    return changes, state


def _opened(
    documents: Sequence[Document], changes: tuple[Change, ...], state: Judged, wanted: set[Key], judge: Judge
) -> tuple[tuple[Change, ...], Judged] | None:
    """The state after every stop on the way of the flows was dealt with, as far as there are proposals."""
    for _ in range(MOST_STOPS):
        flows = _keyed(state[1])
        shut = [flows[key] for key in flows if key in wanted and flows[key].verdict in _SHUT]
        if not shut:
            break
        blocker = next(iter(blockers(shut[0])), None)
        if blocker is None:
            break
        place = (blocker.hop, blocker.resource_id, blocker.name)
        alike = tuple(
            one for one in shut if any((by.hop, by.resource_id, by.name) == place for by in blockers(one))
        )
        better = _best(documents, changes, state, Stop(blocker, alike), judge)
        if better is None:
            break
        changes, state = better
    return changes, state


def _best(
    documents: Sequence[Document], changes: tuple[Change, ...], state: Judged, stop: Stop, judge: Judge
) -> tuple[tuple[Change, ...], Judged] | None:
    """The first proposal that gets the flows past the stop; one that shuts another flow is none."""
    for proposal in proposals(stop, state[0], made(documents, changes)):
        together = (*changes, *proposal)
        after = judge(made(documents, together))
        if _gets_past(state, after, stop) and not _worse(state, after):
            return together, after
    return None


def _gets_past(before: Judged, after: Judged, stop: Stop) -> bool:
    """Whether none of the flows is stopped there any more."""
    flows = _keyed(after[1])
    place = (stop.blocker.hop, stop.blocker.resource_id, stop.blocker.name)
    return all(
        place not in [(by.hop, by.resource_id, by.name) for by in blockers(flows[key])]
        for key, flow in _keyed(before[1]).items()
        if any(flow is one for one in stop.flows)
    )


def _worse(before: Judged, after: Judged) -> bool:
    """Whether some flow is judged worse than before, or is gone."""
    flows = _keyed(after[1])
    return any(
        key not in flows or flows[key].verdict.rank > flow.verdict.rank
        for key, flow in _keyed(before[1]).items()
    )


def _told(cluster: str, flows: Sequence[JudgedFlow], changes: tuple[Change, ...]) -> Repair:
    wanted = list(dict.fromkeys(flow.requirement for flow in flows))
    subnets = ", ".join(f"`{one}`" for one in dict.fromkeys(flow.start.subnet.label for flow in flows))
    stops = blockers(flows[0])
    return Repair(
        cluster=cluster,
        opens=f"{destinations(wanted)} from {subnets}",
        stopped_by="; ".join(f"`{one.resource}`: {one.reason}" for one in stops),
        changes=changes,
        advice="" if changes else fix(stops, flows),
    )
