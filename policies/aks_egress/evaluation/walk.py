"""The walk of a flow: admin rules, security groups, routes, and whatever the routes lead to.

A walk carries every packet of a demand forward through all hops, also past one that denies it, so
that all blockers of a flow come out at once.  Facts N11 to N17, A1 to A4, R1 to R29, F23 to F25.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from aks_egress.arm.graph import Link
from aks_egress.arm.resources import Resource
from aks_egress.evaluation.appliances import Appliances
from aks_egress.evaluation.demand import Action, Decider, Demand
from aks_egress.evaluation.filters import Filter
from aks_egress.evaluation.hops import Choice, Hops
from aks_egress.evaluation.next_hops import NextHops
from aks_egress.evaluation.outbound import Start, outbound_method
from aks_egress.evaluation.resolvers import asked_for_names, led_to_itself
from aks_egress.evaluation.routes import RouteSelection, Way
from aks_egress.evaluation.traces import Trace, after, either
from aks_egress.evaluation.verdicts import Verdict
from aks_egress.packets.addresses import PUBLIC_V4, PUBLIC_V6
from aks_egress.packets.boxes import Box
from aks_egress.packets.intervals import EMPTY
from aks_egress.records import field, record, replace
from aks_egress.topology.networks import Subnet
from aks_egress.topology.nics import nic_groups
from aks_egress.topology.owners import Owner
from aks_egress.topology.security import INBOUND, OUTBOUND
from aks_egress.values import Unknown, text

PUBLIC = PUBLIC_V4 | PUBLIC_V6
Course = Callable[[Trace], list[Trace]]


@record(slots=True)
class Walk:
    """All walks of one run; what does not depend on the demand is worked out once."""

    hops: Hops
    appliances: Appliances
    _changed: dict[tuple[int, Action], tuple[Decider, Decider]] = field(default_factory=dict)
    _outbound: dict[tuple[int, int, tuple[str, ...]], Decider] = field(default_factory=dict)
    _departed: dict[tuple[object, ...], list[Trace]] = field(default_factory=dict)
    _plain: list[Walk] = field(default_factory=list)

    def without_expansion(self) -> Walk:
        """The same walk, in a world where user routes add nothing to the tag VirtualNetwork."""
        if not self._plain:
            self._plain.append(Walk(self.hops.without_expansion(), self.appliances))
        return self._plain[0]

    def forget(self, subnets: Iterable[Subnet]) -> None:
        """Let go of the flows of one cluster and what its subnets met: no other starts there, and a fleet has many."""
        for walk in (self, *self._plain):
            walk._departed.clear()
            walk.hops.forget(subnets)

    def turned(self, route: Decider, action: Action) -> Decider | None:
        """The route as the walk gave it another outcome; None where it never did."""
        kept = self._changed.get((id(route), action))
        return kept[1] if kept is not None else None

    def obstacle(self, owner: Owner, route: Decider, subnet: Subnet) -> Decider | None:
        """Why packets that a route sends to an owner do not get there, or why that is not known."""
        return self._next_hops().obstacle(owner, route, subnet)

    def outgoing(self, start: Start, demand: Demand) -> list[Trace]:
        """What becomes of every packet of the demand that leaves the start."""
        return _between_hosts(start, demand, self._leaving(start, demand))

    def _leaving(self, start: Start, demand: Demand) -> list[Trace]:
        traces = self._departing(start, demand)
        if demand.platform_tag or start.subnet.managed:
            return (
                traces
                if demand.platform_tag
                else [_connected(demand, self._managed(start, demand, trace)) for trace in traces]
            )
        if demand.overlay:
            return self._arriving(demand, traces)
        if demand.endpoint and demand.target is not None:
            return self._to_endpoint(start, demand, traces)
        return self._routed(start, demand, traces)

    def leaves(self, start: Start, demand: Demand) -> bool:
        """Whether every packet gets past the start's own admin rules and security groups."""
        return all(trace.verdict is Verdict.OPEN for trace in self._departing(start, demand))

    def _departing(self, start: Start, demand: Demand) -> list[Trace]:
        """Out of the node: admin rules, the NIC's security group, the subnet's."""
        key = (
            id(start.subnet),
            id(start.cluster),
            tuple(pool.name for pool in start.pools),
            demand.boxes,
            demand.lies_in,
            demand.platform_tag,
            demand.source_groups,
            demand.target_groups,
        )
        if key not in self._departed:
            traces = [Trace(box) for box in demand.boxes]
            self._departed[key] = traces if start.subnet.managed else self._guarded(start, demand, traces)
        return self._departed[key]

    def _guarded(self, start: Start, demand: Demand, traces: Sequence[Trace]) -> list[Trace]:
        groups = [
            self.hops.security_groups(start.subnet, link, "nic-nsg")
            for link in nic_groups(self.hops.topology.graph, start.cluster, start.pools)
        ]
        groups.append(self.hops.security_groups(start.subnet, start.subnet.nsg, "subnet-nsg"))
        return self._past(start.subnet, groups, demand, OUTBOUND, traces)

    def _past(
        self,
        subnet: Subnet,
        groups: Sequence[Choice[Filter]],
        demand: Demand,
        direction: str,
        traces: Iterable[Trace],
    ) -> list[Trace]:
        """Past the admin rules and, where these do not decide for good, past the security groups."""
        admin = self.hops.admin_rules(subnet)
        out: list[Trace] = []
        for trace in traces:
            if admin is None or demand.platform_tag:
                out += _through(groups, demand, direction, [trace])
                continue
            for piece in admin.decide(demand, direction, [trace.box]):
                said = {decider.action for decider in piece.deciders}
                passed = trace.then(piece.box, piece.deciders)
                if said == {Action.ALLOW}:
                    out.append(passed)
                    continue
                beyond = _through(groups, demand, direction, [passed])
                perhaps = not said.isdisjoint((Action.ALLOW, Action.UNKNOWN))
                out += [_at_most_unknown(one, trace) for one in beyond] if perhaps else beyond
        return out

    def _routed(self, start: Start, demand: Demand, traces: Sequence[Trace]) -> list[Trace]:
        choice = self.hops.routes(start.subnet)
        out: list[Trace] = []
        for trace in traces:
            courses = [
                self._by_routes(option, start, demand, trace)
                for option in choice.options
                if option is not None
            ]
            if choice.unknown is not None:
                courses.append([trace.then(trace.box, (choice.unknown,))])
            out += either(courses)
        return out

    def _by_routes(self, routes: RouteSelection, start: Start, demand: Demand, trace: Trace) -> list[Trace]:
        out: list[Trace] = []
        for piece in routes.decide(demand, [trace.box]):
            part = replace(trace, box=piece.box)
            out += either(
                [self._along(decider, start, demand, part) for decider in dict.fromkeys(piece.deciders)]
            )
        return out

    def _along(self, route: Decider, start: Start, demand: Demand, trace: Trace) -> list[Trace]:
        """Where one route leads."""
        way = route.detail
        if not isinstance(way, Way) or route.action is Action.UNKNOWN or way.unknown is not None:
            return self._unknown_way(route, start, demand, trace)
        if route.action is Action.DROP or way.hop == "None":
            return [trace.then(trace.box, (self._drop(route, "so the packet is dropped"),))]
        passed = trace.then(trace.box, (route,))
        match way.hop:
            case "Internet":
                return self._to_internet(route, start, trace)
            case "VnetLocal" | "VNetPeering":
                return self._locally(route, start, demand, trace)
            case "VirtualNetworkServiceEndpoint":
                return [passed]
            case "VirtualNetworkGateway":
                return self._to_gateway(start, demand, passed)
            case "VirtualAppliance" | "VirtualApplianceEcmp":
                answered = asked_for_names(self.hops, start, passed) if led_to_itself(way, trace) else None
                if answered is not None:
                    return [answered]
                return self._next_hops().follow(way, route, start, demand, passed)
        why = (
            way.route.hop.why
            if way.route and isinstance(way.route.hop, Unknown)
            else "its next hop type is not known"
        )
        lost = replace(route, action=Action.UNKNOWN, reason=f"{route.reason}: {why}")
        return [trace.then(trace.box, (lost,))]

    def _next_hops(self) -> NextHops:
        return NextHops(self.hops, self.appliances, self._arriving)

    def _unknown_way(self, route: Decider, start: Start, demand: Demand, trace: Trace) -> list[Trace]:
        secured = self._secured_hub(route, start)
        if secured is not None:
            return self._next_hops().secured(secured, route, start, demand, trace.then(trace.box, (route,)))
        if route.action is not Action.UNKNOWN:
            route = self._as(route, Action.UNKNOWN, route.reason)
        return [trace.then(trace.box, (route,))]

    def _secured_hub(self, route: Decider, start: Start) -> tuple[Link, Resource] | None:
        way = route.detail
        if not isinstance(way, Way) or way.hop != "VirtualNetworkGateway":
            return None
        return self.hops.topology.secured_hub(start.subnet.network)

    def _to_gateway(self, start: Start, demand: Demand, trace: Trace) -> list[Trace]:
        found = self.hops.topology.secured_hub(start.subnet.network)
        route = trace.steps[-1][0]
        if found is not None:
            return self._next_hops().secured(found, route, start, demand, trace)
        beyond = Decider(
            hop="route",
            resource=route.resource,
            name=route.name,
            action=Action.UNKNOWN,
            reason="what lies behind the virtual network gateway is not among the inputs",
            origin=route.origin,
            settle="judge what the on-premises side or the Virtual WAN hub does with this traffic",
        )
        return [trace.then(trace.box, (beyond,))]

    def _to_internet(self, route: Decider, start: Start, trace: Trace) -> list[Trace]:
        """Out by the start's outbound method; what is not public leads nowhere."""
        out: list[Trace] = []
        public = trace.box.meet(Box(destination=PUBLIC))
        if public is not None:
            passed = trace.then(public, (route,))
            out.append(passed.then(public, (self.method(start),)))
        private = trace.box.minus(public) if public is not None else [trace.box]
        why = "and the Internet routes no private addresses"
        return out + [trace.then(rest, (self._drop(route, why),)) for rest in private]

    def method(self, start: Start) -> Decider:
        """How the start reaches the Internet once a route leads there."""
        # several clusters may have pools of one name in one subnet
        key = id(start.subnet), id(start.cluster), tuple(pool.name for pool in start.pools)
        if key not in self._outbound:
            self._outbound[key] = outbound_method(start)
        return self._outbound[key]

    def _locally(self, route: Decider, start: Start, demand: Demand, trace: Trace) -> list[Trace]:
        """Within the network or to a peered one: on to the target's own security groups."""
        way = route.detail
        answered = asked_for_names(self.hops, start, trace.then(trace.box, (route,)))
        if answered is not None:
            return [answered]
        if not isinstance(way, Way) or way.route is None:
            return self._arriving(demand, [trace.then(trace.box, (route,))])
        # a user's VnetLocal route may cover more than the network holds
        inside = trace.box.meet(Box(destination=start.subnet.network.space.possible))
        out = self._arriving(demand, [trace.then(inside, (route,))]) if inside else []
        outside = trace.box.minus(inside) if inside else [trace.box]
        return out + [
            trace.then(rest, (self._drop(route, "where no such address exists"),)) for rest in outside
        ]

    def _arriving(self, demand: Demand, traces: Iterable[Trace]) -> list[Trace]:
        """Into the target subnet: admin rules, then its security group, inbound."""
        target = demand.target
        if target is None or target.managed:
            return list(traces)
        if demand.endpoint:
            return self._into_endpoint(target, demand, traces)
        groups = [self.hops.security_groups(target, target.nsg, "target-subnet-nsg")]
        return self._past(target, groups, demand, INBOUND, traces)

    def _into_endpoint(self, target: Subnet, demand: Demand, traces: Iterable[Trace]) -> list[Trace]:
        """A private endpoint obeys its subnet's security group only where the subnet says so (N22)."""
        policies = _policies(target)
        if policies is False:
            return list(traces)
        group = self.hops.security_groups(target, target.nsg, "target-subnet-nsg")
        out: list[Trace] = []
        for trace in traces:
            filtered = _through([group], demand, INBOUND, [trace])
            out += filtered if policies is True else either([filtered, [trace]])
        return out

    def _to_endpoint(self, start: Start, demand: Demand, traces: Sequence[Trace]) -> list[Trace]:
        """To a private endpoint by its own route, which a user's route replaces only by policy (R16)."""
        assert demand.target is not None  # noqa: S101
        direct = Decider(
            hop="private-endpoint",
            resource=demand.target.label,
            name="private endpoint",
            action=Action.FORWARD,
            reason="the private endpoint's own /32 route leads there",
            origin=demand.target.origin,
        )
        policies = _policies(demand.target, "routetableenabled")
        traces = [_connected(demand, trace) for trace in traces]
        straight = self._arriving(demand, [trace.then(trace.box, (direct,)) for trace in traces])
        if policies is False:
            return straight
        routed = self._routed(start, demand, traces)
        return routed if policies is True else either([straight, routed])

    def _managed(self, start: Start, demand: Demand, trace: Trace) -> Trace:
        """In a network that AKS makes itself, only the outbound type decides."""
        inside = demand.target is not None or demand.overlay
        method = self.method(start)
        if inside:
            method = replace(
                method,
                action=Action.ALLOW,
                reason="inside the network that AKS makes",
                name="managed network",
            )
        return trace.then(trace.box, (method,))

    def _drop(self, route: Decider, why: str) -> Decider:
        return self._as(
            route, Action.DROP, f"{route.reason}, {why}" if why not in route.reason else route.reason
        )

    def _as(self, route: Decider, action: Action, reason: str) -> Decider:
        """The route with another outcome, one object for each route."""
        kept = self._changed.get((id(route), action))
        if kept is None:
            kept = self._changed[id(route), action] = (route, replace(route, action=action, reason=reason))
        return kept[1]


def _through(
    groups: Sequence[Choice[Filter]], demand: Demand, direction: str, traces: Iterable[Trace]
) -> list[Trace]:
    """Past security groups one after the other; where nobody knows which is attached, past any of them."""
    current = list(traces)
    for choice in groups:
        beyond: list[Trace] = []
        for trace in current:
            courses = [
                [trace] if option is None else after(trace, option.decide(demand, direction, [trace.box]))
                for option in choice.options
            ]
            if choice.unknown is not None:
                courses.append([trace.then(trace.box, (choice.unknown,))])
            beyond += either(courses)
        current = beyond
    return current


def _between_hosts(start: Start, demand: Demand, traces: list[Trace]) -> list[Trace]:
    """Without packets from or to addresses that Azure keeps in every subnet, unless these alone are asked for."""
    if len(traces) < 2:
        return traces
    senders = start.subnet.kept_by_azure
    target = demand.target if not demand.overlay else None
    receivers = target.kept_by_azure if target is not None else EMPTY
    between = [one for one in traces if not (one.box.source <= senders or one.box.destination <= receivers)]
    return between or traces


def _connected(demand: Demand, trace: Trace) -> Trace:
    """The packets before a private endpoint, which carries none unless its connection was approved."""
    if demand.connection.casefold() in ("", "approved") or demand.target is None:
        return trace
    lost = Decider(
        hop="private-endpoint",
        resource=demand.target.label,
        name="connection",
        action=Action.DENY,
        reason=f"the connection of the API server's private endpoint is {demand.connection}, so it carries nothing",
        origin=demand.target.origin,
    )
    return trace.then(trace.box, (lost,))


def _at_most_unknown(trace: Trace, before: Trace) -> Trace:
    """An admin rule might have let the packets past: a group's denial is then a maybe."""
    if trace.verdict is Verdict.BLOCKED and before.verdict is not Verdict.BLOCKED:
        return replace(trace, verdict=Verdict.UNKNOWN)
    return trace


def _policies(subnet: Subnet, enabled_by: str = "networksecuritygroupenabled") -> bool | None:
    """Whether the subnet's private endpoints obey its policies; None where that is not known."""
    value = text(subnet.prop("privateEndpointNetworkPolicies"))
    if isinstance(value, Unknown):
        return None
    return (value or "disabled").casefold() in ("enabled", enabled_by)
