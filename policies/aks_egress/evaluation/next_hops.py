"""Behind a next hop: who owns the address, whether it can be reached, and what it does with the packets.

Facts R8, R14, R27, R29, F23 to F26, U16 (Microsoft: virtual-networks-udr-overview, firewall
forced-tunneling, snat-private-range).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aks_egress.arm.graph import Link
from aks_egress.arm.resources import Resource
from aks_egress.evaluation.appliances import ApplianceFilter, Appliances
from aks_egress.evaluation.demand import Action, Decider, Demand
from aks_egress.evaluation.firewall import untranslated
from aks_egress.evaluation.hops import Hops
from aks_egress.evaluation.outbound import Start
from aks_egress.evaluation.routes import RouteSelection, Way
from aks_egress.evaluation.swallowed import swallowed
from aks_egress.evaluation.traces import Trace, after, either
from aks_egress.packets.addresses import ALL_V4, PUBLIC_V4, PUBLIC_V6, spell
from aks_egress.packets.boxes import Box
from aks_egress.packets.names import Match
from aks_egress.records import record, replace
from aks_egress.topology.firewalls import FIREWALLS, Firewall, FirewallRule
from aks_egress.topology.networks import Subnet
from aks_egress.topology.owners import Owner
from aks_egress.values import Unknown, Value, at, get

PUBLIC = PUBLIC_V4 | PUBLIC_V6
NO_LEARNED_DEFAULT = "no gateway teaches the firewall's subnet a default route that leads elsewhere"
Arriving = Callable[[Demand, Iterable[Trace]], list[Trace]]


@record(frozen=True, slots=True)
class NextHops:
    """Follows routes to virtual appliances."""

    hops: Hops
    appliances: Appliances
    arriving: Arriving

    def follow(self, way: Way, route: Decider, start: Start, demand: Demand, trace: Trace) -> list[Trace]:
        """Through whatever owns the route's next-hop addresses; several are any of them."""
        assert way.route is not None  # noqa: S101  the system makes no routes to appliances
        graph = self.hops.topology.graph
        near = graph.home(way.table.resource) if way.table else graph.documents[0]
        if not way.route.hop_addresses:
            why = "the route names no next hop address"
            return [
                trace.then(trace.box, (_answer(route, Action.UNKNOWN, why, settle="give nextHopIpAddress"),))
            ]
        courses = [
            self._behind(owner, value, route, start, demand, trace)
            for value in way.route.hop_addresses
            for owner in self.hops.owners(value, near, start.subnet.network)
        ]
        return either(courses)

    def secured(
        self, found: tuple[Link, Resource], route: Decider, start: Start, demand: Demand, trace: Trace
    ) -> list[Trace]:
        """Through the firewall of a secured Virtual WAN hub (R29)."""
        link, intent = found
        if link.sole is None or link.sole.kind != FIREWALLS.casefold():
            why = link.unknown.why if link.unknown else "its next hop is no Azure Firewall"
            reason = f"routing intent `{intent.name}` sends Internet traffic on: {why}"
            return [trace.then(trace.box, (_answer(route, Action.UNKNOWN, reason, settle=_settle(link)),))]
        firewall = self.hops.topology.firewall(link.sole)
        return self._through(firewall, None, start, demand, trace)

    def _behind(
        self, owner: Owner, value: Value, route: Decider, start: Start, demand: Demand, trace: Trace
    ) -> list[Trace]:
        obstacle = self.obstacle(owner, route, start.subnet)
        if obstacle is not None:
            trace = trace.then(trace.box, (obstacle,))
        if owner.is_firewall and owner.resource is not None:
            firewall = self.hops.topology.firewall(owner.resource)
            return self._through(firewall, owner.subnet, start, demand, trace, assumed=owner.assumed)
        declared = self.appliances.at(owner.address)
        if declared is not None:
            return self._declared(declared, demand, trace)
        return [trace.then(trace.box, (_undescribed(owner, value, route),))]

    def obstacle(self, owner: Owner, route: Decider, subnet: Subnet) -> Decider | None:
        """Why packets do not get to the next hop at all, or why that is not known."""
        address = owner.address
        if address is not None and address <= subnet.prefixes.sure:
            where = spell(address.first)
            why = f"{route.reason}, and {where} lies in that very subnet `{subnet.name}`: its own traffic takes the same route, a loop"
            return _answer(route, Action.DROP, why)
        if owner.resource is not None and owner.subnet is subnet:
            why = f"{route.reason}, and `{owner.resource.label}` lies in that very subnet: its own traffic takes the same route, a loop"
            return _answer(route, Action.DROP, why)
        if owner.network is None:
            return swallowed(self.hops, owner, route, subnet)
        answer, why = self.hops.reaches(subnet.network, owner.network)
        if answer is Match.YES:
            return swallowed(self.hops, owner, route, subnet)
        if answer is Match.NO:
            return _answer(route, Action.DROP, f"{route.reason}, which it cannot reach: {why}", hop="peering")
        why = f"whether the next hop can be reached is not known: {why}"
        settle = "give both networks with their peerings"
        return _answer(route, Action.UNKNOWN, why, hop="peering", settle=settle)

    def _declared(self, appliance: ApplianceFilter, demand: Demand, trace: Trace) -> list[Trace]:
        traces = after(trace, appliance.decide(demand, [trace.box]))
        return self.arriving(demand, traces) if demand.target is not None else traces

    def _through(
        self,
        firewall: Firewall,
        subnet: Subnet | None,
        start: Start,
        demand: Demand,
        trace: Trace,
        assumed: str = "",
    ) -> list[Trace]:
        if firewall.stopped:
            why = f"firewall `{firewall.label}` has no IP configuration: it is stopped, and traffic sent to it is lost"
            return [trace.then(trace.box, (_of_firewall(firewall, "stopped", Action.DROP, why),))]
        rules = self.hops.firewall(firewall, start.subnet.network)
        traces = after(trace, rules.decide(demand, [trace.box]))
        if assumed:
            traces = [_resting_on(one, assumed) for one in traces]
        out: list[Trace] = []
        for one in traces:
            public = one.box.meet(Box(destination=PUBLIC))
            if public is not None:
                out += self._leaving(firewall, subnet, demand, replace(one, box=public))
            for rest in one.box.minus(public) if public is not None else [one.box]:
                out += self._inwards(firewall, subnet, demand, replace(one, box=rest))
        return out

    def _leaving(
        self, firewall: Firewall, subnet: Subnet | None, demand: Demand, trace: Trace
    ) -> list[Trace]:
        """From the firewall to the Internet: its own routes, then its public address."""
        translated = self._translated(firewall, trace)
        if firewall.in_hub:
            return translated
        if subnet is None:
            why = f"the subnet of firewall `{firewall.label}` is not known, so its routes are not either"
            lost = _of_firewall(firewall, "routes", Action.UNKNOWN, why)
            return [one.then(one.box, (lost,)) for one in translated]
        return [out for one in translated for out in self._out_of(subnet, demand, one)]

    def _out_of(self, subnet: Subnet, demand: Demand, trace: Trace) -> list[Trace]:
        """By the routes of the firewall's own subnet: onwards, and back to the clients."""
        choice = self.hops.routes(subnet)
        courses: list[list[Trace]] = []
        for option in choice.options:
            if option is None or option.table is None:
                courses.append([self._unrouted(subnet, trace)])
                continue
            pieces = option.decide(demand, [trace.box])
            onwards = [self._own_route(replace(trace, box=one.box), one.deciders) for one in pieces]
            courses.append([back for one in onwards for back in _answered(option, demand, one)])
        if choice.unknown is not None:
            courses.append([trace.then(trace.box, (choice.unknown,))])
        return either(courses)

    def _unrouted(self, subnet: Subnet, trace: Trace) -> Trace:
        """No route table on the firewall's subnet: the Internet, unless a gateway teaches otherwise."""
        if self.hops.topology.gateway(subnet.network) is Match.NO:
            return trace
        return _resting_on(trace, NO_LEARNED_DEFAULT)

    def _own_route(self, trace: Trace, deciders: Iterable[Decider]) -> Trace:
        """One of the firewall's own routes: the Internet, or forced tunnelling, beyond which nothing is known (F24)."""
        for decider in deciders:
            way = decider.detail
            if not isinstance(way, Way) or decider.action is Action.UNKNOWN:
                return trace.then(trace.box, (decider,))
            if way.hop == "Internet":
                continue
            if way.route is None and way.unknown is not None:
                trace = _resting_on(trace, NO_LEARNED_DEFAULT)
                continue
            if way.hop == "None":
                why = f"{decider.reason} on the firewall's own subnet, so what it lets through is dropped"
                return trace.then(trace.box, (replace(decider, action=Action.DROP, reason=why),))
            why = f"{decider.reason} on the firewall's own subnet (forced tunnelling); what lies beyond is not among the inputs"
            settle = "judge the device that the firewall's own route leads to"
            return trace.then(
                trace.box, (replace(decider, action=Action.UNKNOWN, reason=why, settle=settle),)
            )
        return trace

    def _translated(self, firewall: Firewall, trace: Trace) -> list[Trace]:
        """Whether the firewall gives the packets its public address (F23); application rules always do."""
        stages = {one.detail.stage for one in trace.steps[-1] if isinstance(one.detail, FirewallRule)}
        if stages == {"application"}:
            return [self._with_address(firewall, trace, None)]
        ranges, unknown = untranslated(firewall)
        kept = trace.box.meet(Box(destination=ranges)) if ranges else None
        rest = trace.box.minus(kept) if kept is not None else [trace.box]
        sure = firewall.forced_tunnelling is False and "application" not in stages
        out = [self._untranslated(firewall, replace(trace, box=kept), sure)] if kept is not None else []
        return out + [self._with_address(firewall, replace(trace, box=one), unknown) for one in rest]

    def _untranslated(self, firewall: Firewall, trace: Trace, sure: bool) -> Trace:
        """Packets to public addresses that keep their private source."""
        if not sure:
            why = "the firewall may not translate this traffic, or forwards it to another device"
            return trace.then(trace.box, (_of_firewall(firewall, "source NAT", Action.UNKNOWN, why),))
        ranges = ", ".join(firewall.snat_ranges.known[:4])
        why = (
            f"firewall `{firewall.label}` is set never to translate addresses (private ranges {ranges}), "
            "so no answer from the Internet finds its way back"
        )
        return trace.then(trace.box, (_of_firewall(firewall, "source NAT", Action.DROP, why),))

    def _with_address(self, firewall: Firewall, trace: Trace, unknown: Unknown | None) -> Trace:
        """Packets that would get the firewall's public address, where it has one."""
        held = True if firewall.in_hub else has_address(firewall)
        if unknown is None and held is True:
            return trace
        unknown = unknown or (held if isinstance(held, Unknown) else None)
        if unknown is not None or firewall.forced_tunnelling is not False:
            why = unknown.why if unknown else "the firewall translates nothing and forwards to another device"
            return trace.then(trace.box, (_of_firewall(firewall, "source NAT", Action.UNKNOWN, why),))
        why = f"firewall `{firewall.label}` has no public IP address"
        return trace.then(trace.box, (_of_firewall(firewall, "source NAT", Action.DROP, why),))

    def _inwards(
        self, firewall: Firewall, subnet: Subnet | None, demand: Demand, trace: Trace
    ) -> list[Trace]:
        """From the firewall back into private networks; the answers must come the same way."""
        topology = self.hops.topology
        low = trace.box.destination.first
        if demand.target is None and (
            subnet is None or topology.network_of_address(subnet.network, low) is None
        ):
            why = "where the firewall sends private addresses that no network among the inputs holds is not known"
            return [trace.then(trace.box, (_of_firewall(firewall, "routes", Action.UNKNOWN, why),))]
        if demand.target is not None and not self._comes_back(firewall, demand.target, demand, trace.box):
            why = (
                f"the route through firewall `{firewall.label}` is one-sided: answers from subnet `{demand.target.name}` "
                "do not come back through it, and a stateful firewall drops such connections"
            )
            settle = "lead both directions through the firewall, or neither"
            trace = trace.then(
                trace.box, (_of_firewall(firewall, "asymmetric", Action.UNKNOWN, why, settle=settle),)
            )
        return self.arriving(demand, [trace])

    def _comes_back(self, firewall: Firewall, target: Subnet, demand: Demand, box: Box) -> bool:
        """Whether the target's routes lead the answers through the same firewall."""
        choice = self.hops.routes(target)
        if choice.unknown is not None:
            return False
        graph = self.hops.topology.graph
        answers = Box(source=box.destination, destination=box.source)
        for option in choice.options:
            for piece in option.decide(replace(demand, lies_in=""), [answers]) if option is not None else ():
                for decider in piece.deciders:
                    way = decider.detail
                    if not isinstance(way, Way) or way.route is None or way.table is None:
                        return False
                    near = graph.home(way.table.resource)
                    found = [
                        one
                        for value in way.route.hop_addresses
                        for one in self.hops.owners(value, near, target.network)
                    ]
                    if not found or any(one.resource is not firewall.resource for one in found):
                        return False
        return True


def has_address(firewall: Firewall) -> bool | Unknown:
    """Whether a firewall of a network has a public address; an id that is known only later is one."""
    rows = firewall.ip_configurations
    if isinstance(rows, Unknown):
        return rows
    unknown: Unknown | None = None
    for row in rows:
        given = row if isinstance(row, Unknown) else at(row, "properties", "publicIPAddress")
        if isinstance(given, Unknown) and not given.refers_to:
            unknown = unknown or given
        elif isinstance(given, Unknown) or get(given, "id"):
            return True
    return unknown or False


def _answered(routes: RouteSelection, demand: Demand, trace: Trace) -> list[Trace]:
    """Whether a user's route on the firewall's own subnet takes the answers elsewhere than to the clients (R27)."""
    asked = replace(demand, lies_in="")
    out: list[Trace] = []
    for piece in routes.decide(asked, [Box(destination=trace.box.source)]):
        part = trace.box.meet(Box(source=piece.box.destination))
        if part is None:
            continue
        led = [one for one in piece.deciders if isinstance(one.detail, Way) and one.detail.route is not None]
        lost = tuple(one for decider in led if (one := _led_away(decider)) is not None)
        kept = tuple(one for one in piece.deciders if one not in led) if lost else ()
        out.append(trace.then(part, (*lost, *kept)) if lost else replace(trace, box=part))
    return out


def _led_away(route: Decider) -> Decider | None:
    """A route that does not bring answers to the clients; None for one that delivers them, or yields to those that do."""
    way = route.detail
    if not isinstance(way, Way) or way.route is None or way.hop == "VnetLocal" or way.route.prefix == ALL_V4:
        return None
    why = f"{route.reason} on the firewall's own subnet, and so the answers to the clients"
    if way.hop in ("None", "Internet"):
        return replace(route, action=Action.DROP, reason=f"{why}, which never arrive")
    settle = "lead the clients' addresses straight back, as the peering's own route does"
    return replace(
        route, action=Action.UNKNOWN, reason=f"{why}; whether they arrive is not known", settle=settle
    )


def _undescribed(owner: Owner, value: Value, route: Decider) -> Decider:
    """The next hop is no firewall that anybody described."""
    settle = (
        "declare in the configuration what the appliance lets through, or give its definition with --context"
    )
    if owner.resource is not None:
        label = owner.resource.label
        if owner.forwards is False:
            why = f"{route.reason}, and NIC `{label}` has IP forwarding off, so Azure drops what is not addressed to it"
            return _answer(route, Action.DROP, why, hop="appliance", resource=label, at_=owner.resource)
        why = f"{route.reason}, which belongs to `{label}`; what that appliance lets through is not described"
        return _answer(
            route, Action.UNKNOWN, why, hop="appliance", resource=label, settle=settle, at_=owner.resource
        )
    unknown = owner.unknown
    why = unknown.why if unknown else "who owns the next hop is not known"
    address = (
        spell(owner.address.first) if owner.address else (value if isinstance(value, str) else "not known")
    )
    label = f"next hop {address}"
    return _answer(
        route,
        Action.UNKNOWN,
        why,
        hop="appliance",
        resource=label,
        settle=(unknown.settle if unknown else "") or settle,
    )


def _answer(
    route: Decider,
    action: Action,
    reason: str,
    *,
    hop: str = "route",
    resource: str = "",
    settle: str = "",
    at_: Resource | None = None,
) -> Decider:
    """An outcome that a route brings about."""
    return replace(
        route,
        hop=hop,
        resource=resource or route.resource,
        action=action,
        reason=reason,
        settle=settle,
        origin=at_.origin if at_ is not None else route.origin,
        resource_id=str(at_.id) if at_ is not None else route.resource_id,
    )


def _of_firewall(firewall: Firewall, name: str, action: Action, reason: str, settle: str = "") -> Decider:
    return Decider(
        hop="firewall",
        resource=firewall.label,
        name=name,
        action=action,
        reason=reason,
        resource_id=str(firewall.resource.id),
        origin=firewall.resource.origin,
        settle=settle,
    )


def _resting_on(trace: Trace, assumption: str) -> Trace:
    """The trace, its last decision resting on one more assumption."""
    if not trace.steps:
        return trace
    last = tuple(
        one if assumption in one.assumptions else replace(one, assumptions=(*one.assumptions, assumption))
        for one in trace.steps[-1]
    )
    return replace(trace, steps=(*trace.steps[:-1], last))


def _settle(link: Link) -> str:
    return link.unknown.settle if link.unknown else ""
