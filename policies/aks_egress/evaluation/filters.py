"""Network security groups and admin rules as first-match filters.

Facts N7, N11 to N16, U2, U5, A1 to A4 (Microsoft: network-security-group-how-it-works,
virtual-network-manager/concept-security-admins).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from aks_egress.arm.ids import ResourceId
from aks_egress.evaluation.demand import Action, Decider, Demand
from aks_egress.evaluation.first_match import Clause, Piece, first_match
from aks_egress.evaluation.tag_scope import TagScope, of_topology
from aks_egress.packets.addresses import EVERYWHERE
from aks_egress.packets.boxes import ANY_PORT, ANY_PROTOCOL, Box
from aks_egress.packets.extents import Extent, joined
from aks_egress.packets.intervals import IntervalSet, union
from aks_egress.packets.names import Match
from aks_egress.records import field, record
from aks_egress.topology.security import INBOUND, OUTBOUND, RuleList, SecurityRule, Side
from aks_egress.values import NOWHERE, Origin, Unknown

#: (direction, name, source tag, destination tag or None for anything, access)
DEFAULT_RULES = (
    (INBOUND, "AllowVnetInBound", "VirtualNetwork", "VirtualNetwork", "allow"),
    (INBOUND, "AllowAzureLoadBalancerInBound", "AzureLoadBalancer", None, "allow"),
    (OUTBOUND, "AllowVnetOutBound", "VirtualNetwork", "VirtualNetwork", "allow"),
    (OUTBOUND, "AllowInternetOutBound", None, "Internet", "allow"),
)
POD_READING = (
    "Microsoft asks for rules of one's own for an overlay's pod addresses only beside a Deny; the default rules, which do not "
    "name these addresses, are taken to let them through (aks/concepts-network-azure-cni-overlay)"
)
LAST_RULE = {INBOUND: "DenyAllInBound", OUTBOUND: "DenyAllOutBound"}

PLATFORM_TAGS = frozenset({"azureplatformdns", "azureplatformimds", "azureplatformlkm"})

Reach = tuple[IntervalSet, IntervalSet, IntervalSet, IntervalSet]
"""Destinations, ports, protocols and sources that may be covered at most."""

EVERY_REACH: Reach = (EVERYWHERE, ANY_PORT, ANY_PROTOCOL, EVERYWHERE)


@record(frozen=True, slots=True)
class _Stage:
    """Rules that are asked together: what they reach whatever the demand, and their clauses for one.

    `hull` is the reach's first and last destination and port, the quickest thing to compare.
    `fixed` says that the clauses are the same for every demand.
    """

    reach: Reach
    make: Callable[[Demand], list[Clause[Decider]]]
    hull: tuple[int, int, int, int]
    fixed: bool

    @classmethod
    def of(
        cls, reach: Reach, make: Callable[[Demand], list[Clause[Decider]]], *, fixed: bool = False
    ) -> _Stage:
        """The stage with its hull."""
        target, port = reach[0].spans, reach[1].spans
        return cls(reach, make, (target[0][0], target[-1][1], port[0][0], port[-1][1]), fixed)


@record(slots=True)
class Filter:
    """The rules of one group as they filter one subnet; clauses are made once for each kind of demand."""

    hop: str
    label: str
    resource_id: str
    rules: RuleList
    scope: TagScope
    defaults: bool = True
    origin: Origin = NOWHERE
    _stages: dict[tuple[str, str], list[_Stage]] = field(default_factory=dict)
    _made: dict[tuple[object, ...], dict[int, list[Clause[Decider]]]] = field(default_factory=dict)
    _deciders: dict[tuple[str, Action], Decider] = field(default_factory=dict)

    def decide(self, demand: Demand, direction: str, within: Sequence[Box]) -> list[Piece[Decider]]:
        """Who decides about each packet of `within`."""
        key = (direction, demand.lies_in, demand.source_groups, demand.target_groups, demand.platform_tag)
        own = self._made.setdefault(key, {})
        shared = self._made.setdefault((direction, demand.platform_tag), {})
        clauses: list[Clause[Decider]] = []
        for i, stage in _near(self._in_order(direction, demand.platform_tag), within):
            made = shared if stage.fixed else own
            if i not in made:
                made[i] = stage.make(demand)
            clauses += made[i]
        return first_match(clauses, self._last(direction, demand), within)

    def forget(self) -> None:
        """Let go of what was made: stages know their filter, and only a search would find the two of them."""
        for kept in (self._stages, self._made, self._deciders):
            kept.clear()

    def _last(self, direction: str, demand: Demand) -> Decider:
        if demand.platform_tag:
            return self._default(
                "platform-traffic",
                Action.ALLOW,
                "no rule names the platform tag, and other rules do not apply to it",
            )
        if not self.defaults:
            return self._default("no admin rule", Action.PASS_ON, "no admin rule matches")
        if demand.overlay:
            return self._default(
                "default rules",
                Action.ALLOW,
                "no rule of one's own denies pod addresses",
                doubts=(POD_READING,),
            )
        return self._default(
            LAST_RULE[direction], Action.DENY, "default rule 65500 of every network security group"
        )

    def _default(self, name: str, action: Action, reason: str, doubts: tuple[str, ...] = ()) -> Decider:
        if (name, action) not in self._deciders:
            self._deciders[name, action] = Decider(
                hop=self.hop,
                resource=self.label,
                name=name,
                action=action,
                reason=reason,
                resource_id=self.resource_id,
                origin=self.origin,
                doubts=doubts,
            )
        return self._deciders[name, action]

    def _in_order(self, direction: str, platform_tag: str) -> list[_Stage]:
        """What is asked one after the other, whatever the demand: clauses are made only where packets come near."""
        key = direction, platform_tag
        if key not in self._stages:
            self._stages[key] = list(self._ordered(direction, platform_tag))
        return self._stages[key]

    def _ordered(self, direction: str, platform_tag: str) -> Iterable[_Stage]:
        if self.rules.gap is not None:
            gap = Clause(_open_end(self, self.rules.gap), None, Box())
            yield _Stage.of(EVERY_REACH, lambda _: [gap], fixed=True)
        rules = self.rules.facing(direction)
        if platform_tag:
            rules = [rule for rule in rules if _names_platform(rule, platform_tag)]
        for group in _by_priority(rules):
            reach = _reach(group)
            if all(reach):
                fixed = not any(
                    _asks_demand(side) for rule in group for side in (rule.source, rule.destination)
                )
                yield _Stage.of(reach, partial(self._clauses, group), fixed=fixed)
        if late := [rule for rule in rules if _placed_late(rule)]:
            yield _Stage.of(EVERY_REACH, partial(self._late, late))
        if self.defaults and not platform_tag:
            yield _Stage.of(EVERY_REACH, lambda _: list(self._default_clauses(direction)), fixed=True)

    def _clauses(self, group: Sequence[SecurityRule], demand: Demand) -> list[Clause[Decider]]:
        """The clauses of rules of one priority; nobody can say which of several is asked first."""
        made = [clause for rule in group if (clause := self._clause(rule, demand)) is not None]
        several = [Clause(one.decider, None, one.possible) for one in made] if len(made) > 1 else []
        return [*several, *made]

    def _late(self, rules: Sequence[SecurityRule], demand: Demand) -> list[Clause[Decider]]:
        """Rules whose priority is not known once more: wherever they stand, they stand before the defaults."""
        made = [self._clause(rule, demand, late=True) for rule in rules]
        return [clause for clause in made if clause is not None]

    def _default_clauses(self, direction: str) -> Iterable[Clause[Decider]]:
        for facing, name, source, destination, _ in DEFAULT_RULES:
            if facing != direction:
                continue
            ends: list[Extent] = []
            doubts: tuple[str, ...] = ()
            for tag in (source, destination):
                extent, resting = (
                    (Extent.exactly(EVERYWHERE), ()) if tag is None else self.scope.extent(tag, denies=False)
                )
                ends.append(extent)
                doubts = doubts or resting
            decider = Decider(
                hop=self.hop,
                resource=self.label,
                name=name,
                action=Action.ALLOW,
                reason="default rule of every network security group",
                resource_id=self.resource_id,
                doubts=doubts,
            )
            yield Clause(decider, Box(ends[0].sure, ends[1].sure), Box(ends[0].possible, ends[1].possible))

    def _clause(self, rule: SecurityRule, demand: Demand, *, late: bool = False) -> Clause[Decider] | None:
        denies = rule.access == "deny"
        source, first = self._side(rule.source, demand.source_groups, denies=denies, lies_in="")
        target, second = self._side(
            rule.destination, demand.target_groups, denies=denies, lies_in=demand.lies_in
        )
        if rule.access not in ("allow", "alwaysallow"):
            source, target = _as_refused(rule.source, source), _as_refused(rule.destination, target)
        parts = (source, target, rule.protocol, rule.source_port, rule.port)
        possible = Box(*(part.possible for part in parts))
        if not all(possible):
            return None
        sure = Box(*(part.sure for part in parts))
        certain = (
            all(sure)
            and (late or rule.priority is not None)
            and rule.direction is not None
            and rule.uncertain is None
        )
        return Clause(self._decider(rule, first + second), sure if certain else None, possible)

    def _side(
        self, side: Side, members: frozenset[ResourceId] | None, *, denies: bool, lies_in: str
    ) -> tuple[Extent, tuple[str, ...]]:
        parts = [Extent.exactly(side.literal)]
        doubts: tuple[str, ...] = ()
        for tag in side.tags:
            extent, resting = self.scope.extent(tag, denies=denies, lies_in=lies_in)
            parts.append(extent)
            doubts += resting
        if side.groups:
            parts.append(_membership(side.groups, members))
        if side.open is not None:
            parts.append(Extent.within(EVERYWHERE))
        return joined(parts), doubts

    def _decider(self, rule: SecurityRule, doubts: tuple[str, ...]) -> Decider:
        access = rule.access
        if isinstance(access, Unknown):
            action, why = Action.UNKNOWN, access.why
        else:
            allow = Action.ALLOW if self.defaults else Action.PASS_ON
            action = {"allow": allow, "deny": Action.DENY, "alwaysallow": Action.ALLOW}[access]
            place = "priority not known" if rule.priority is None else f"priority {rule.priority}"
            why = f"rule `{rule.name}`, {place}, {_ACCESS[access]}"
        return Decider(
            hop=self.hop,
            resource=self.label,
            name=rule.name,
            action=action,
            reason=why,
            resource_id=self.resource_id,
            origin=rule.origin,
            doubts=tuple(dict.fromkeys(doubts)),
            detail=rule,
        )


_ACCESS = {"allow": "Allow", "deny": "Deny", "alwaysallow": "AlwaysAllow"}


def _as_refused(side: Side, extent: Extent) -> Extent:
    """A side that Azure would refuse, of a rule that may deny: empty it covers everything, damaged it may (N2)."""
    if not side.given:
        return Extent.exactly(EVERYWHERE)
    return Extent(extent.sure, EVERYWHERE) if side.damaged else extent


def _membership(groups: Sequence[ResourceId | None], members: frozenset[ResourceId] | None) -> Extent:
    """A side given as application security groups: it covers the members' packets, whatever their address (N15)."""
    if members is None or None in groups:
        answer = Match.MAYBE
    else:
        answer = Match.YES if any(one.could_be(own) for one in groups if one for own in members) else Match.NO
    if answer is Match.NO:
        return Extent.exactly(EVERYWHERE - EVERYWHERE)
    return Extent.exactly(EVERYWHERE) if answer is Match.YES else Extent.within(EVERYWHERE)


def _by_priority(rules: Sequence[SecurityRule]) -> Iterable[list[SecurityRule]]:
    """Rules of equal rank and priority together, in order."""
    group: list[SecurityRule] = []
    for rule in rules:
        if group and (rule.rank, rule.priority) != (group[0].rank, group[0].priority):
            yield group
            group = []
        group.append(rule)
    if group:
        yield group


def _names_platform(rule: SecurityRule, tag: str) -> bool:
    return any(
        one.casefold() == tag.casefold() for side in (rule.source, rule.destination) for one in side.tags
    )


def _open_end(owner: Filter, gap: Unknown) -> Decider:
    return Decider(
        hop=owner.hop,
        resource=owner.label,
        name="rules that are not known",
        action=Action.UNKNOWN,
        reason=gap.why,
        resource_id=owner.resource_id,
        origin=gap.origin,
        settle=gap.settle,
    )


def unknown_decider(hop: str, resource: str, unknown: Unknown) -> Decider:
    """A hop that is not at hand, as the one who decides."""
    return Decider(
        hop=hop,
        resource=resource,
        name="",
        action=Action.UNKNOWN,
        reason=unknown.why,
        origin=unknown.origin if unknown.origin is not NOWHERE else NOWHERE,
        settle=unknown.settle,
    )


def _placed_late(rule: SecurityRule) -> bool:
    """Whether only the place of a rule is not known."""
    return rule.priority is None and rule.direction is not None and not rule.problems


def _reach(rules: Sequence[SecurityRule]) -> Reach:
    """What some rules may cover at most, whatever the demand."""
    parts = [
        (_outer(rule.destination), rule.port.possible, rule.protocol.possible, _outer(rule.source))
        for rule in rules
    ]
    return parts[0] if len(parts) == 1 else tuple(union(part) for part in zip(*parts, strict=True))  # type: ignore[return-value]


def _outer(side: Side) -> IntervalSet:
    settled = side.given and not (side.tags or side.groups or side.damaged) and side.open is None
    return side.literal if settled else EVERYWHERE


def _asks_demand(side: Side) -> bool:
    """Whether what a side covers hangs on the demand: on who takes part, or on the tag it lies in."""
    return bool(side.groups) or any(not of_topology(tag) for tag in side.tags)


def _near(stages: Sequence[_Stage], within: Sequence[Box]) -> Iterator[tuple[int, _Stage]]:
    """The stages that can touch any of the boxes, with their places."""
    if not within:
        return
    low = min(box.destination.spans[0][0] for box in within)
    high = max(box.destination.spans[-1][1] for box in within)
    first = min(box.port.spans[0][0] for box in within)
    last = max(box.port.spans[-1][1] for box in within)
    protocols = union(box.protocol for box in within)
    p, q = protocols.spans[0][0], protocols.spans[-1][1]
    for i, stage in enumerate(stages):
        a, b, c, d = stage.hull
        if a > high or b < low or c > last or d < first:
            continue
        target, port, protocol, _ = stage.reach
        if target.touches(low, high) and port.touches(first, last) and protocol.touches(p, q):
            yield i, stage
