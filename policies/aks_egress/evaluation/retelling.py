"""One cluster judged for all that are alike (`likeness`): its flows, retold with another's rules, routes and names.

A model keeps the flows of the first cluster of its kind.  For the next one every decider on a path is exchanged for
its own: the same rule of its own security group, the same route of its own table.  A flow on whose way stands
anything that is not exchanged for certain is walked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aks_egress.evaluation.demand import Action, Decider, Demand
from aks_egress.evaluation.demands import demands, starts
from aks_egress.evaluation.ends import Singular
from aks_egress.evaluation.flows import JudgedFlow, Parts, judge_flow, judge_flow_in_parts, judgement_of
from aks_egress.evaluation.judging import Decision, Judgement
from aks_egress.evaluation.likeness import Likeness, Place, View
from aks_egress.evaluation.outbound import Start
from aks_egress.evaluation.traces import Trace, outcome
from aks_egress.evaluation.verdicts import Verdict
from aks_egress.evaluation.walk import Walk
from aks_egress.packets.addresses import IMDS, PLATFORM_VIP, PUBLIC_V4, prefixes
from aks_egress.packets.boxes import Box
from aks_egress.packets.intervals import IntervalSet, union
from aks_egress.records import record, replace
from aks_egress.requirements.requirement import Requirement
from aks_egress.topology.clusters import Cluster
from aks_egress.topology.networks import Subnet
from aks_egress.values import NOWHERE, Origin, Unknown

_OF_GROUPS = frozenset({"nic-nsg", "subnet-nsg", "target-subnet-nsg"})
_LAST = "implicit deny"

Towards = tuple[int, ...] | str
Recipe = tuple[object, ...]
"""How a decider is found again: in which group, table or subnet, and where there."""


@record(slots=True, kw_only=True)
class Told:
    """A flow of the model.

    `parts` are its demands with what became of their packets.  `again` says that it is walked again for every cluster.
    `towards` is given where the path is all that may differ: for each decision the target subnets (as places of the
    view) that it is about, none where it is about all packets, or the words themselves where these are public addresses.  `spoken_of` are the deciders whose words the reason
    has: it holds for another cluster whose own say the same.
    """

    requirement: int
    start: int
    flow: JudgedFlow
    parts: Parts
    again: bool
    towards: tuple[Towards, ...] | None
    spoken_of: tuple[Decider, ...] = ()
    path: int = 0
    """Which of the model's paths it has; most flows share a few."""


MOST_MODELS = 1000


class Retelling:
    """The models of one run.

    The first cluster of a kind is its model.  A fleet of many kinds keeps `MOST_MODELS` at once; of the kinds
    beyond, the second cluster becomes the model, so that clusters that nobody is like keep nothing.
    """

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self._likeness = Likeness(walk)
        self._models: dict[object, Model | None] = {}

    def flows(self, cluster: Cluster, needed: Sequence[Requirement]) -> tuple[JudgedFlow, ...] | None:
        """The cluster's flows, None for one that is judged by itself."""
        try:
            view = self._likeness.view(cluster, needed)
        except Singular:
            return None
        if view.key not in self._models and len(self._models) >= MOST_MODELS:
            self._models[view.key] = None
            return None
        model = self._models.get(view.key)
        if model is None:
            model = self._models[view.key] = Model(self.walk, view, needed)
            return tuple(one.flow for one in model.told)
        return tuple(_Teller(self.walk, model, view, needed).flows())


class Model:
    """A cluster with its flows and where their deciders stand."""

    def __init__(self, walk: Walk, view: View, needed: Sequence[Requirement]) -> None:
        self.walk, self.view, self.needed = walk, view, tuple(needed)
        self.recipes: dict[int, Recipe] = {}
        self._paths: dict[object, int] = {}
        self.told = [
            self._told(i, j, *found)
            for i, requirement in enumerate(needed)
            for j, start in enumerate(starts(view.cluster, requirement))
            if (found := judge_flow_in_parts(walk, requirement, start)) is not None
        ]

    def _told(self, requirement: int, start: int, flow: JudgedFlow, parts: Parts) -> Told:
        self.recipes |= dict(_recipes(self.walk, self.view, flow.start, parts))
        known = not _elsewhere(flow.requirement) and bool(parts)
        known = known and all(self._known(flow.start, demand, traces) for demand, traces in parts)
        plain = flow.verdict is Verdict.OPEN or (
            flow.judgement.counterexample is None and not isinstance(flow.requirement.needed, Unknown)
        )
        towards = self._towards(flow, parts) if plain else None
        path = towards, tuple(id(one.decider) for one in flow.judgement.path)
        return Told(
            requirement=requirement,
            start=start,
            flow=flow,
            parts=parts,
            again=not known,
            towards=towards,
            spoken_of=() if flow.verdict is Verdict.OPEN else _doubtful(parts),
            path=self._paths.setdefault(path, len(self._paths)),
        )

    def _towards(self, flow: JudgedFlow, parts: Parts) -> tuple[Towards, ...] | None:
        """What packets each decision is about; None where that is some part of the cluster's own addresses."""
        if all(demand.target is None for demand, _ in parts):
            return tuple(one.packets or () for one in flow.judgement.path)
        found: list[Towards] = []
        for decision in flow.judgement.path:
            places = self._targets(decision.decider, parts) if decision.packets else ()
            if decision.packets and decision.packets != _said_of(self.view, places):
                return None
            found.append(places)
        return tuple(found)

    def _targets(self, decider: Decider, parts: Parts) -> tuple[int, ...]:
        led = [
            demand.target
            for demand, traces in parts
            if any(_same(one, decider) for trace in traces for step in trace.steps for one in step)
        ]
        return tuple(
            i for i, one in enumerate(self.view.places) if any(one.subnet is target for target in led)
        )

    def _known(self, start: Start, demand: Demand, traces: Sequence[Trace]) -> bool:
        """Whether every decider can be exchanged, and every packet too."""
        deciders = [one for trace in traces for step in trace.steps for one in step]
        inwards = demand.target is not None and any(one.hop == "firewall" for one in deciders)
        return (
            not inwards
            and not demand.endpoint
            and all(id(one) in self.recipes for one in deciders)
            and all(self._ends(start, demand, trace.box) for trace in traces)
        )

    def _ends(self, start: Start, demand: Demand, box: Box) -> bool:
        """Whether packets come from the whole start and go to a whole target, or to public addresses."""
        own = (_home(self.view, start.subnet), self.view.pods)
        if box.source not in own:
            return False
        if demand.target is not None:
            return box.destination in (_home(self.view, demand.target), self.view.pods)
        return box.destination in (PLATFORM_VIP, IMDS) or box.destination <= PUBLIC_V4


def _elsewhere(requirement: Requirement) -> bool:
    """Whether given addresses are asked for: a subnet may hold them, or a firewall, of one cluster's networks alone."""
    return bool(requirement.addresses) and not requirement.platform_tag


def _doubtful(parts: Parts) -> tuple[Decider, ...]:
    """The deciders at hops that do not surely let packets pass: a reason speaks of no others."""
    steps = (step for _, traces in parts for trace in traces for step in trace.steps)
    return tuple(one for step in steps if outcome(step) is not Verdict.OPEN for one in step)


def _same(one: Decider, other: Decider) -> bool:
    """Whether a path shows both as one."""
    mine = (one.hop, one.resource, one.name, one.action, one.reason)
    return mine == (other.hop, other.resource, other.name, other.action, other.reason)


def _said_of(view: View, places: Towards) -> str:
    """Which packets a decision is about, as a path says it of some targets."""
    if isinstance(places, str):
        return places
    return f"to {', '.join(prefixes(union(view.places[i].members for i in places), 3))}" if places else ""


def _home(view: View, subnet: Subnet | None) -> IntervalSet | None:
    """The addresses of one of the cluster's subnets."""
    return next((one.members for one in view.places if one.subnet is subnet), None)


def _recipes(walk: Walk, view: View, start: Start, parts: Parts) -> Iterator[tuple[int, Recipe]]:
    """Where the deciders of a flow stand, those that are found again for certain."""
    place = next((i for i, one in enumerate(view.places) if one.subnet is start.subnet), -1)
    if place < 0:
        return
    routes = dict(_of_routes(walk, view.places[place]))
    method = walk.method(start)
    every = {id(one): one for _, traces in parts for trace in traces for step in trace.steps for one in step}
    for key, decider in every.items():
        if key in routes:
            yield key, routes[key]
        elif decider.hop in _OF_GROUPS:
            yield from _of_group(view, decider)
        elif decider is method:
            yield key, ("method",)
        elif decider.hop == "firewall":
            yield from _of_firewall(view, decider)


def _of_firewall(view: View, decider: Decider) -> Iterator[tuple[int, Recipe]]:
    """A rule of a firewall, or its last word."""
    for i, rules in enumerate(view.firewalls):
        firewall = rules.firewall
        at = next((j for j, one in enumerate(firewall.rules) if one is decider.detail), -1)
        last = decider.name == _LAST and decider.resource_id == str(firewall.resource.id)
        if at >= 0 or last:
            yield id(decider), ("firewall", i, at)


def _of_routes(walk: Walk, place: Place) -> Iterator[tuple[int, Recipe]]:
    """The routes of a subnet, as they are and as the walk turned their outcome."""
    for lies_in in place.routes.listed():
        for i, clause in enumerate(place.listed(lies_in)):
            route = clause.decider
            yield id(route), ("route", lies_in, i)
            for action in (Action.DROP, Action.UNKNOWN):
                turned = walk.turned(route, action)
                if turned is not None and turned.reason.startswith(route.reason):
                    yield id(turned), ("turned", lies_in, i, action, turned.reason[len(route.reason) :])


def _of_group(view: View, decider: Decider) -> Iterator[tuple[int, Recipe]]:
    """A rule of a security group, or one of the defaults."""
    for i, group in enumerate(view.groups):
        if decider.resource_id == str(group.id):
            at = next((j for j, one in enumerate(view.rules[i]) if one is decider.detail), -1)
            if at >= 0 or decider.detail is None:
                yield id(decider), ("group", i, at)


class _Teller:
    """Retells the flows of a model for another cluster."""

    def __init__(self, walk: Walk, model: Model, view: View, needed: Sequence[Requirement]) -> None:
        self.walk, self.model, self.view, self.needed = walk, model, view, needed
        self._starts: dict[object, list[Start]] = {}
        self._paths: dict[tuple[int, int], tuple[Decision, ...]] = {}
        self._deciders: dict[tuple[int, int], Decider] = {}
        self._ids = [str(one.id) for one in view.groups]
        self._places = {id(one.subnet): i for i, one in enumerate(view.places)}

    def flows(self) -> Iterator[JudgedFlow]:
        """The flows in the model's order."""
        for one in self.model.told:
            requirement = self.needed[one.requirement]
            start = self._start(requirement, one.start)
            if one.again:
                found = judge_flow(self.walk, requirement, start)
                assert found is not None  # noqa: S101  it asks of this start what it asked of the model's
                yield found
            else:
                yield (self._plainly if self._keeps_its_words(one, start) else self._in_full)(
                    one, requirement, start
                )

    def _keeps_its_words(self, one: Told, start: Start) -> bool:
        """Whether the model's reason is this cluster's too, to the letter."""
        if one.towards is None:
            return False
        place = self._place(start)
        mine = ((self._decider(model, place, start), model) for model in one.spoken_of)
        return all(_same(own, model) and own.settle == model.settle for own, model in mine)

    def _start(self, requirement: Requirement, at: int) -> Start:
        key = requirement.sources, requirement.agents_only, requirement.pools
        if key not in self._starts:
            self._starts[key] = starts(self.view.cluster, requirement)
        return self._starts[key][at]

    def _plainly(self, one: Told, requirement: Requirement, start: Start) -> JudgedFlow:
        """A flow whose words are the model's: its path with the cluster's own deciders."""
        told, place = one.flow.judgement, self._place(start)
        path = self._paths.get((one.path, place))
        if path is None:
            path = self._paths[one.path, place] = tuple(
                Decision(self._decider(decision.decider, place, start), _said_of(self.view, places))
                for decision, places in zip(told.path, one.towards or (), strict=True)
            )
        judgement = Judgement(
            verdict=told.verdict,
            path=path,
            reason=told.reason,
            settle=told.settle,
            counterexample=None,
            doubts=told.doubts,
            assumptions=told.assumptions,
            undecided=tuple(self._decider(model, place, start) for model in told.undecided),
        )
        asked = () if told.verdict is Verdict.OPEN else demands(requirement, start, self.walk.hops.topology)
        return JudgedFlow(
            requirement=requirement,
            start=start,
            demands=tuple(asked),
            judgement=judgement,
            by_expansion=one.flow.by_expansion,
        )

    def _in_full(self, one: Told, requirement: Requirement, start: Start) -> JudgedFlow:
        """A flow whose words hang on addresses: judged from what became of the packets."""
        place = self._place(start)
        asked = demands(requirement, start, self.walk.hops.topology)
        parts = [
            (demand, [self._trace(trace, model, demand, place, start) for trace in traces])
            for demand, (model, traces) in zip(asked, one.parts, strict=True)
        ]
        judgement = judgement_of(requirement, parts, by_expansion=one.flow.by_expansion)
        return JudgedFlow(
            requirement=requirement,
            start=start,
            demands=tuple(asked),
            judgement=judgement,
            by_expansion=one.flow.by_expansion,
        )

    def _trace(self, trace: Trace, model: Demand, demand: Demand, place: int, start: Start) -> Trace:
        steps = tuple(tuple(self._decider(one, place, start) for one in step) for step in trace.steps)
        source, target = trace.box.source, trace.box.destination
        if source != self.model.view.pods:
            source = self.view.places[place].members
        if model.target is not None and target != self.model.view.pods:
            target = _home(self.view, demand.target) or target
        return Trace(Box(source, target, *trace.box[2:]), trace.verdict, steps)

    def _place(self, start: Start) -> int:
        return self._places[id(start.subnet)]

    def _decider(self, model: Decider, place: int, start: Start) -> Decider:
        key = id(model), place
        if key not in self._deciders:
            self._deciders[key] = self._found(model, place, start)
        return self._deciders[key]

    def _found(self, model: Decider, place: int, start: Start) -> Decider:
        """The cluster's own decider in the model's place."""
        match self.model.recipes[id(model)]:
            case ("group", int() as group, int() as rule):
                return self._of_group(model, group, rule)
            case ("route", str() as lies_in, int() as at):
                return self.view.places[place].listed(lies_in)[at].decider
            case ("turned", str() as lies_in, int() as at, Action() as action, str() as said):
                route = self.view.places[place].listed(lies_in)[at].decider
                return replace(route, action=action, reason=f"{route.reason}{said}")
            case ("firewall", int() as firewall, int() as rule):
                return self._of_firewall(model, firewall, rule)
            case ("method",):
                return self.walk.method(start)
        raise AssertionError(model.name)

    def _of_firewall(self, model: Decider, at: int, rule: int) -> Decider:
        firewall = self.view.firewalls[at].firewall
        if firewall is self.model.view.firewalls[at].firewall:
            return model
        detail = firewall.rules[rule] if rule >= 0 else None
        owner = detail.owner if detail is not None else firewall.resource
        origin = detail.origin if detail is not None else firewall.resource.origin
        return _standing_in(model, firewall.label, str(owner.id), origin, detail)

    def _of_group(self, model: Decider, group: int, rule: int) -> Decider:
        resource = self.view.groups[group]
        detail, origin = None, NOWHERE
        if rule >= 0:
            detail = self.view.rules[group][rule]
            origin = detail.origin
        elif model.origin is not NOWHERE:
            origin = resource.origin
        return _standing_in(model, resource.label, self._ids[group], origin, detail)


def _standing_in(model: Decider, label: str, resource_id: str, origin: Origin, detail: object) -> Decider:
    """A decider that says what the model says, of another resource."""
    return Decider(
        hop=model.hop,
        resource=label,
        name=model.name,
        action=model.action,
        reason=model.reason,
        resource_id=resource_id,
        origin=origin,
        settle=model.settle,
        doubts=model.doubts,
        assumptions=model.assumptions,
        detail=detail,
    )
