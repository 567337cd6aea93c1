"""From what became of the packets to a verdict, with its path, its reason and a packet that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aks_egress.evaluation.demand import Action, Decider, Demand
from aks_egress.evaluation.traces import Trace, outcome
from aks_egress.evaluation.verdicts import Verdict, asked_of_everyone, somewhere_in, worst
from aks_egress.packets.addresses import EVERYWHERE, PUBLIC_V4, prefixes
from aks_egress.packets.boxes import ANY_PORT, Box, merge
from aks_egress.packets.intervals import union
from aks_egress.records import record

HOP_ORDER = (
    "dns",
    "admin-rule",
    "nic-nsg",
    "subnet-nsg",
    "platform",
    "private-endpoint",
    "route",
    "peering",
    "appliance",
    "firewall",
    "outbound",
    "target-subnet-nsg",
)
OPEN_RANGE = "open the whole range, or filter by name at a firewall"
BY_NAME = "name the host in an application rule of the firewall"
BY_DATA = "give the service-tag data (--service-tags), or open the whole range"

SOME_ADDRESSES = 1 << 12
MOST_HOPS = 24
"""How many decisions of one flow are shown; the worst come first in the choice."""


@record(frozen=True, slots=True)
class Decision:
    """One decider on the path of a flow; `packets` says which part it is about, empty for all of it."""

    decider: Decider
    packets: str = ""


@record(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict and what it rests on."""

    verdict: Verdict
    path: tuple[Decision, ...]
    reason: str
    settle: str
    counterexample: dict[str, str | int] | None
    doubts: tuple[str, ...]
    assumptions: tuple[str, ...]
    undecided: tuple[Decider, ...] = ()
    """Who leaves an unknown verdict open: the first hop that nobody can predict."""


def verdict_of(demand: Demand, traces: Sequence[Trace]) -> Verdict:
    """What the traces of one demand say together."""
    combined = somewhere_in if demand.source_somewhere else asked_of_everyone
    if not demand.somewhere:
        return combined(trace.verdict for trace in traces)
    return combined(
        somewhere_in(trace.verdict for trace in traces if _client(trace.box).meet(atom) is not None)
        for atom in _clients(traces)
    )


def _client(box: Box) -> Box:
    """The packets as the client sees them: wherever they go."""
    return box._replace(destination=EVERYWHERE)


def _clients(traces: Sequence[Trace]) -> list[Box]:
    """The clients' packets cut so that all of one part meet the same traces."""
    atoms: list[Box] = []
    for client in dict.fromkeys(_client(trace.box) for trace in traces):
        cut: list[Box] = []
        rest = [client]
        for atom in atoms:
            both = atom.meet(client)
            if both is None:
                cut.append(atom)
                continue
            cut += [both, *atom.minus(both)]
            rest = [part for one in rest for part in _without(one, both)]
        atoms = [*cut, *rest]
    return atoms


def _without(box: Box, other: Box) -> list[Box]:
    both = box.meet(other)
    return [box] if both is None else box.minus(both)


def judge(parts: Sequence[tuple[Demand, Sequence[Trace]]]) -> Judgement:
    """The verdict on a requirement made of one or several demands, each of which must be met."""
    verdicts = [_if_there(demand, verdict_of(demand, traces)) for demand, traces in parts]
    # a name that lies in several tags needs each of them; every subnet that must be reached is asked for itself
    by_tag = all(demand.somewhere and demand.target is None for demand, _ in parts)
    verdict = worst(verdicts) if by_tag else asked_of_everyone(verdicts)
    telling = [
        (demand, traces)
        for (demand, traces), said in zip(parts, verdicts, strict=True)
        if said is verdict or verdict is Verdict.PARTIAL
    ]
    every = [trace for _, traces in telling for trace in traces]
    concerned = [trace for trace in every if trace.verdict is _shown(verdict, every)] or every
    whole = [box for demand, _ in parts for box in demand.boxes]
    reason, settle = _reason(verdict, concerned, every)
    perhaps = next((demand.perhaps for demand, _ in telling if demand.perhaps is not None), None)
    if verdict is Verdict.UNKNOWN and perhaps is not None:
        reason = f"whether the node pool is there is not known ({perhaps.why}); if it is: {_found(every)}"
        settle = perhaps.settle
    elif settle == BY_NAME and not all(demand.name and demand.layer7 for demand, _ in telling):
        settle = OPEN_RANGE
    if settle == OPEN_RANGE and any(
        demand.lies_in and _all_public(box) for demand, _ in parts for box in demand.boxes
    ):
        settle = BY_DATA
    deciders = [decider for trace in concerned for step in trace.steps for decider in step]
    return Judgement(
        verdict=verdict,
        path=_path(concerned, every, whole),
        reason=reason,
        settle=settle,
        counterexample=_counterexample(verdict, telling),
        doubts=_distinct(doubt for decider in deciders for doubt in decider.doubts),
        assumptions=_distinct(
            [one for demand, _ in parts for one in demand.assumptions]
            + [one for decider in deciders for one in decider.assumptions]
        ),
        undecided=_undecided(verdict, every),
    )


def _if_there(demand: Demand, verdict: Verdict) -> Verdict:
    """Of nodes that may not be there only open is certain."""
    return verdict if demand.perhaps is None or verdict is Verdict.OPEN else Verdict.UNKNOWN


def _found(every: Sequence[Trace]) -> str:
    """What is in the way of packets, known or not."""
    said = worst(trace.verdict for trace in every)
    return f"{said}, {_reason(said, [one for one in every if one.verdict is said], every)[0]}"


def _undecided(verdict: Verdict, every: Sequence[Trace]) -> tuple[Decider, ...]:
    if verdict is not Verdict.UNKNOWN:
        return ()
    open_steps = (
        step
        for trace in every
        if trace.verdict is Verdict.UNKNOWN
        for step in trace.steps
        if outcome(step) is Verdict.UNKNOWN
    )
    first = next(open_steps, None)
    if first is not None:
        return tuple(one for one in first if one.action is Action.UNKNOWN) or first
    shut = (
        one for trace in every for step in trace.steps if outcome(step) is Verdict.BLOCKED for one in step
    )
    return tuple(shut)[:1]


def _all_public(box: Box) -> bool:
    """Whether the destination is practically any public address: nobody knows more of it."""
    return (PUBLIC_V4 - box.destination).size < SOME_ADDRESSES


def _shown(verdict: Verdict, traces: Sequence[Trace]) -> Verdict:
    """The packets that show why a verdict is what it is."""
    wanted = Verdict.BLOCKED if verdict is Verdict.PARTIAL else verdict
    if any(trace.verdict is wanted for trace in traces):
        return wanted
    return Verdict.BLOCKED  # unknown because part of a range is open and part is shut


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _path(concerned: Sequence[Trace], every: Sequence[Trace], whole: Sequence[Box]) -> tuple[Decision, ...]:
    """The deciders in the order of the hops, those that deny among them for all packets."""
    found: dict[tuple[str, ...], tuple[Decider, list[Box]]] = {}
    extra = [trace for trace in every if trace not in concerned]
    for trace, only_blockers in [*((one, False) for one in concerned), *((one, True) for one in extra)]:
        for step in trace.steps:
            for decider in step:
                if _silent(decider) or (only_blockers and decider.action not in (Action.DENY, Action.DROP)):
                    continue
                key = (decider.hop, decider.resource, decider.name, decider.action, decider.reason)
                found.setdefault(key, (decider, []))[1].append(trace.box)
    ranked = sorted(
        found.values(),
        key=lambda one: HOP_ORDER.index(one[0].hop) if one[0].hop in HOP_ORDER else len(HOP_ORDER),
    )
    if len(ranked) > MOST_HOPS:
        worst = sorted(
            ranked, key=lambda one: one[0].action not in (Action.DENY, Action.DROP, Action.UNKNOWN)
        )[:MOST_HOPS]
        ranked = [one for one in ranked if any(one is kept for kept in worst)]
    return tuple(
        Decision(decider, "" if len(boxes) == len(every) else _part(boxes, whole))
        for decider, boxes in ranked
    )


def _silent(decider: Decider) -> bool:
    """Nothing worth a line: no admin rule matched."""
    return decider.action is Action.PASS_ON and decider.detail is None


def _part(boxes: Sequence[Box], whole: Sequence[Box]) -> str:
    """Which packets of the flow, in words; empty for all of them."""
    said = []
    for i, word in ((0, "from"), (1, "to")):
        mine, all_of = union(box[i] for box in boxes), union(box[i] for box in whole)
        if mine != all_of:
            said.append(f"{word} {', '.join(prefixes(mine, 3))}")
    mine, all_of = union(box.port for box in boxes), union(box.port for box in whole)
    if mine not in (all_of, ANY_PORT):
        said.append("port " + ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in mine.spans[:4]))
    return ", ".join(said)


def _reason(verdict: Verdict, concerned: Sequence[Trace], every: Sequence[Trace]) -> tuple[str, str]:
    """One sentence that says why, and what would settle an unknown."""
    if verdict is Verdict.OPEN:
        return "every packet gets through", ""
    if verdict in (Verdict.BLOCKED, Verdict.PARTIAL):
        return "; ".join(_blockers(concerned)[:4]), ""
    doubtful = [
        step
        for trace in every
        if trace.verdict is Verdict.UNKNOWN
        for step in trace.steps
        if outcome(step) is Verdict.UNKNOWN
    ]
    if not doubtful:
        return _half_shut(every)
    step = doubtful[0]
    unknown = next((decider for decider in step if decider.action is Action.UNKNOWN), None)
    settle = next((decider.settle for one in doubtful for decider in one if decider.settle), "")
    if unknown is not None:
        return _told(unknown), settle
    names = " or ".join(_distinct(f"`{decider.name}` ({decider.action})" for decider in step)[:4])
    return (
        f"which of these decides cannot be told: {names} at {step[0].hop} `{step[0].resource}`",
        settle or (BY_NAME if step[0].hop == "firewall" else OPEN_RANGE),
    )


def _blockers(traces: Iterable[Trace]) -> tuple[str, ...]:
    """Who denies or drops packets, in words."""
    return _distinct(
        _told(one)
        for trace in traces
        for step in trace.steps
        for one in step
        if outcome(step) is Verdict.BLOCKED
    )


def _half_shut(every: Sequence[Trace]) -> tuple[str, str]:
    """One address of a range is needed, and a part of the range is shut."""
    closed = [trace for trace in every if trace.verdict is Verdict.BLOCKED]
    if not closed:
        return _either(every)
    shut = merge([trace.box for trace in closed])
    ranges = ", ".join(prefixes(union(box.destination for box in shut), 4))
    blockers = "; ".join(_blockers(closed)[:3])
    return (
        f"one address is needed, nobody can say which, and a part of the range is shut ({ranges}): {blockers}",
        OPEN_RANGE,
    )


def _either(every: Sequence[Trace]) -> tuple[str, str]:
    """Of several courses that packets may take, some are shut: nobody can say which is taken."""
    shut = [
        one for trace in every for step in trace.steps for one in step if outcome(step) is Verdict.BLOCKED
    ]
    names = _distinct(_told(one) for one in shut)[:3]
    why = f"several courses are possible, nobody can say which is taken, and not all of them are open: {'; '.join(names)}"
    return why, "name only the definitions that are deployed together"


def _told(decider: Decider) -> str:
    hop = {
        "subnet-nsg": "security group",
        "nic-nsg": "NIC security group",
        "target-subnet-nsg": "security group of the target subnet",
        "admin-rule": "admin rules",
        "route": "route table",
        "firewall": "firewall",
        "appliance": "appliance",
    }.get(decider.hop, decider.hop)
    return f"{hop} `{decider.resource}`: {decider.reason}" if decider.resource else decider.reason


def _counterexample(
    verdict: Verdict, parts: Sequence[tuple[Demand, Sequence[Trace]]]
) -> dict[str, str | int] | None:
    """A packet that is dropped."""
    if verdict not in (Verdict.BLOCKED, Verdict.PARTIAL):
        return None
    for demand, traces in parts:
        for trace in traces:
            if trace.verdict is Verdict.BLOCKED:
                shown = trace.box.example().as_dict()
                if demand.somewhere and demand.target is None and _all_public(trace.box):
                    shown["destination"] = demand.name or f"an address of {demand.lies_in or 'the Internet'}"
                return shown
    return None
