"""Which route a packet takes from one subnet: longest prefix, then user over BGP over system.

Routing is first match over routes in the order of their prefixes.  Facts R1 to R17 (Microsoft:
virtual-networks-udr-overview, disable-private-endpoint-network-policy).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from aks_egress.evaluation.demand import Action, Decider, Demand
from aks_egress.evaluation.first_match import Clause, Piece, first_match
from aks_egress.packets.addresses import ALL_V4, ALL_V6, NEVER_INTERNET, length_of, parse
from aks_egress.packets.boxes import Box
from aks_egress.packets.extents import Extent
from aks_egress.packets.intervals import EMPTY, IntervalSet
from aks_egress.packets.names import Match
from aks_egress.packets.tags import PUBLIC, ServiceTags, route_rank
from aks_egress.records import field, record
from aks_egress.topology.networks import Peering, Subnet
from aks_egress.topology.routing import RouteTable, UserRoute
from aks_egress.topology.spaces import carries, peer_space, remote_network, remote_prefixes
from aks_egress.values import NOWHERE, Unknown

USER, BGP, SYSTEM = 0, 1, 2
INSIDE = "within the network"
"""In place of a tag: the packets stay in the network, whatever its range is."""
BEFORE_TAGS = 0.05
"""Behind a user's explicit prefix, before any tag of a user's route."""

#: service of a service endpoint -> the tag whose prefixes become routes
SERVICE_TAGS = {
    "microsoft.storage": "Storage",
    "microsoft.storage.global": "Storage",
    "microsoft.sql": "Sql",
    "microsoft.keyvault": "AzureKeyVault",
    "microsoft.containerregistry": "AzureContainerRegistry",
    "microsoft.azurecosmosdb": "AzureCosmosDB",
    "microsoft.servicebus": "ServiceBus",
    "microsoft.eventhub": "EventHub",
    "microsoft.web": "AppService",
    "microsoft.azureactivedirectory": "AzureActiveDirectory",
}

#: ranges that the system drops where nothing else routes them (R3)
RESERVED = tuple(parse(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))

#: published prefixes of service tags are never shorter than this
SHORTEST_TAG_PREFIX = 8


@record(frozen=True, slots=True, kw_only=True, eq=False)
class Way:
    """What a route does with a packet: a next-hop type in Azure's words, and what is behind it."""

    hop: str
    route: UserRoute | None = None
    peering: Peering | None = None
    unknown: Unknown | None = None
    table: RouteTable | None = None


@record(frozen=True, slots=True)
class _Entry:
    """One route in the order of selection: longer prefixes and smaller ranks first."""

    length: int
    rank: float
    decider: Decider
    covered: Extent


@record(slots=True)
class RouteSelection:
    """The effective routes of one subnet with one route table (or none)."""

    subnet: Subnet
    table: RouteTable | None
    tags: ServiceTags
    gateway: Match
    endpoints: Sequence[tuple[str, Extent, Decider]] = ()
    _made: dict[str, list[Clause[Decider]]] = field(default_factory=dict)
    _decided: dict[tuple[str, IntervalSet], list[Piece[Decider]]] = field(default_factory=dict)

    def decide(self, demand: Demand, within: Sequence[Box]) -> list[Piece[Decider]]:
        """Which route each packet takes; several deciders mean that nobody can say."""
        lies_in = demand.lies_in if self._names_tags() else ""
        if self._stays_inside(demand):
            lies_in = INSIDE
        return [
            Piece(box._replace(destination=piece.box.destination), piece.deciders)
            for box in within
            for piece in self._towards(lies_in, box.destination)
        ]

    def _stays_inside(self, demand: Demand) -> bool:
        """Whether the packets go to a subnet of the same network, whose range is not known.

        Whatever the range is, the network's own route for it is longer than a default route, and
        takes the place of the reserved ranges' None routes.
        """
        network = self.subnet.network
        return demand.target is not None and demand.target.network is network and not network.space.known

    def _towards(self, lies_in: str, destination: IntervalSet) -> list[Piece[Decider]]:
        """The routes to some addresses; nothing else of a packet matters to a route."""
        key = lies_in, destination
        if key not in self._decided:
            box = Box(destination=destination)
            self._decided[key] = first_match(self.clauses(lies_in), self._nothing(), [box])
        return self._decided[key]

    def clauses(self, lies_in: str) -> list[Clause[Decider]]:
        """The routes in their order, for packets to an address that lies in a tag (empty: whatever it lies in)."""
        if lies_in not in self._made:
            self._made[lies_in] = list(self._clauses(lies_in))
        return self._made[lies_in]

    def lengths(self) -> list[int]:
        """The prefix lengths of the routes, whatever tag an address lies in."""
        return [one.length for one in (*self._user(""), *self._learned(), *self._from_topology(""))]

    def listed(self) -> list[str]:
        """The tags for which routes were asked so far."""
        return list(self._made)

    def _names_tags(self) -> bool:
        """Whether any route's addresses hang on the tag that a demand lies in."""
        services = self.subnet.service_endpoints
        return bool(services.given) or (
            self.table is not None and any(route.tag for route in self.table.routes)
        )

    def _nothing(self) -> Decider:
        return self._system(
            "no route", "no route leads to this destination, so the packet is dropped", Way(hop="None")
        )

    def _clauses(self, lies_in: str) -> Iterator[Clause[Decider]]:
        if self.table is not None and self.table.gap is not None:
            yield _clause(self._unknown_route(self.table.gap), Extent.within(ALL_V4 | ALL_V6))
        yield from self._unplaced()
        if lies_in == INSIDE:
            longer = sorted(
                (one for one in self._user("") if one.length > 0), key=lambda entry: -entry.length
            )
            yield from _ordered(longer)
            yield _clause(self._local(), Extent.exactly(ALL_V4 | ALL_V6))
            return
        entries = [*self._user(lies_in), *self._learned(), *self._from_topology(lies_in)]
        # stable: entries of equal length and rank keep their order and are told apart below
        entries.sort(key=lambda entry: (-entry.length, entry.rank))
        yield from _ordered(entries)

    def _unplaced(self) -> Iterator[Clause[Decider]]:
        """User routes whose prefix is not known: any packet could be theirs, but for routes to an address of one's own."""
        for route in self.table.routes if self.table else ():
            if route.unknown is not None and not route.own_address:
                yield _clause(self._user_decider(route), Extent.within(ALL_V4 | ALL_V6))

    def _user(self, lies_in: str) -> Iterator[_Entry]:
        for route in self.table.routes if self.table else ():
            decider = self._user_decider(route)
            if route.prefix is not None:
                extent = (
                    Extent.exactly(route.prefix) if route.uncertain is None else Extent.within(route.prefix)
                )
                yield _Entry(length_of(route.prefix.spans[0]), USER, decider, extent)
            elif route.tag:
                yield from self._bundle(route.tag, USER, decider, lies_in)

    def _bundle(self, tag: str, rank: int, decider: Decider, lies_in: str) -> Iterator[_Entry]:
        """A tag as the prefixes it stands for; without data, as one route that may be of any length.

        Such a route is a maybe above every explicit prefix, and certain only above prefixes
        shorter than any that a tag holds.
        """
        parts = self.tags.by_length(tag)
        if parts is not None:
            for length, part in parts:
                yield _Entry(length, rank + route_rank(tag), decider, Extent.exactly(part))
            return
        extent = self.tags.extent(tag, lies_in)
        if extent.possible:
            yield _Entry(129, rank, decider, Extent.within(extent.possible))
            yield _Entry(SHORTEST_TAG_PREFIX - 1, rank, decider, Extent(extent.sure, extent.possible))

    def _learned(self) -> Iterator[_Entry]:
        """What gateways may have taught: private ranges, or a default route (an assumption that is named)."""
        if self.gateway is Match.NO or (self.table is not None and self.table.propagation is False):
            return
        unknown = Unknown(
            "routes that a gateway, ExpressRoute or a route server teaches this subnet are not among the inputs",
            settle="disable gateway route propagation on the route table, or judge a snapshot with effective routes",
        )
        decider = self._decide(
            "gateway routes", Action.FORWARD, unknown.why, Way(hop="VirtualNetworkGateway", unknown=unknown)
        )
        # a secured hub advertises 0.0.0.0/0 for certain (R29); of other gateways nobody can say
        default = Extent.exactly(ALL_V4) if self.gateway is Match.YES else Extent.within(ALL_V4)
        yield _Entry(0, BGP, decider, default)
        # more specific than the private ranges of the system routes, never than the networks themselves
        yield _Entry(
            33, BGP, decider, Extent.within(NEVER_INTERNET - self.subnet.network.space.sure - self._peered())
        )

    def _peered(self) -> IntervalSet:
        """What peerings surely lead to; a table that drops their routes leaves it to others."""
        if self.table is not None and self.table.drops_peering is not False:
            return EMPTY
        spaces = [peer_space(self.subnet.network, one).sure for one in self.subnet.network.peerings]
        return IntervalSet.of(span for space in spaces for span in space.spans)

    def _from_topology(self, lies_in: str) -> Iterator[_Entry]:
        yield from self._own_network()
        yield from self._peerings()
        for name, covered, decider in self.endpoints:
            yield _Entry(128 if name == "v6" else 32, SYSTEM, decider, covered)
        yield from self._service_endpoints(lies_in)
        internet = self._system(
            "default route", "the system's default route leads to the Internet", Way(hop="Internet")
        )
        yield _Entry(0, SYSTEM, internet, Extent.exactly(ALL_V4))
        yield _Entry(0, SYSTEM, internet, Extent.exactly(ALL_V6))
        yield from self._reserved()

    def _service_endpoints(self, lies_in: str) -> Iterator[_Entry]:
        for service in self.subnet.service_endpoints.known:
            way = Way(hop="VirtualNetworkServiceEndpoint")
            decider = self._system(
                f"service endpoint {service}", f"the service endpoint {service} leads there", way
            )
            tag = SERVICE_TAGS.get(service.casefold())
            if tag is None:  # nobody here knows which prefixes this service has
                yield from _somewhere_public(decider)
                continue
            bundle = list(self._bundle(tag, SYSTEM, decider, lies_in))
            if self.table is not None and any(route.tag for route in self.table.routes):
                # U13: nobody documents which wins on one prefix, a tag route or a service endpoint
                yield from (
                    _Entry(one.length, BEFORE_TAGS, decider, Extent.within(one.covered.possible))
                    for one in bundle
                )
            yield from bundle
        if self.subnet.service_endpoints.unknown is not None:
            yield from _somewhere_public(self._unknown_route(self.subnet.service_endpoints.unknown))

    def _local(self) -> Decider:
        name = self.subnet.network.name
        return self._system("virtual network", f"`{name}` delivers within itself", Way(hop="VnetLocal"))

    def _own_network(self) -> Iterator[_Entry]:
        network = self.subnet.network
        local = self._local()
        for part in network.prefixes:
            yield _Entry(length_of(part.spans[0]), SYSTEM, local, Extent.exactly(part))
        if not network.space.known:
            yield _Entry(32, SYSTEM, local, Extent.within(network.space.possible - network.space.sure))

    def _peerings(self) -> Iterator[_Entry]:
        network = self.subnet.network
        if network.peerings_gap is not None and not self._without_peerings():
            gap = self._unknown_route(network.peerings_gap)
            yield _Entry(32, SYSTEM, gap, Extent.within(NEVER_INTERNET - network.space.sure))
        for peering in network.peerings:
            answer, why = carries(network, peering)
            if peering.allow_access is False or self._without_peerings():
                continue
            space = peer_space(network, peering)
            label = remote_network(network, peering).name
            unknown = (
                None
                if answer is Match.YES
                else Unknown(why, peering.origin, settle="give both networks and both peerings")
            )
            action = Action.FORWARD if answer is not Match.NO else Action.DROP
            way = Way(hop="VNetPeering", peering=peering, unknown=unknown if answer is Match.MAYBE else None)
            reason = why or f"peering `{peering.name}` leads to `{label}`"
            decider = self._decide(f"peering {peering.name}", action, reason, way)
            if self.table is not None and self.table.drops_peering is not False:
                space = Extent.within(space.possible)
            for part in remote_prefixes(network, peering):
                yield _Entry(length_of(part.spans[0]), SYSTEM, decider, Extent(part & space.sure, part))
            if space.possible != space.sure:
                yield _Entry(32, SYSTEM, decider, Extent.within(space.possible - space.sure))

    def _without_peerings(self) -> bool:
        """Whether the table drops the peerings' routes for certain (R10)."""
        return self.table is not None and self.table.drops_peering is True

    def _reserved(self) -> Iterator[_Entry]:
        """The system's None routes for private ranges, which a 0.0.0.0/0 of the user takes away (R3, R4)."""
        default = self._user_default()
        if default is Match.YES:
            return
        none = self._system(
            "reserved range", "no route leads to this private range, so the system drops it", Way(hop="None")
        )
        space = self.subnet.network.space.sure
        for part in RESERVED:
            if part <= space:
                continue  # the network uses or exceeds the reserved range: no None route for it
            yield _Entry(
                length_of(part.spans[0]),
                SYSTEM,
                none,
                Extent.exactly(part) if default is Match.NO else Extent.within(part),
            )

    def _user_default(self) -> Match:
        """Whether the table holds a route for 0.0.0.0/0."""
        if self.table is None:
            return Match.NO
        certain = any(route.prefix == ALL_V4 and route.uncertain is None for route in self.table.routes)
        if certain:
            return Match.YES
        unsure = self.table.gap is not None or any(
            (route.unknown is not None and not route.own_address) or route.prefix == ALL_V4
            for route in self.table.routes
        )
        return Match.MAYBE if unsure else Match.NO

    def _user_decider(self, route: UserRoute) -> Decider:
        way = Way(hop=route.hop if isinstance(route.hop, str) else "", route=route, table=self.table)
        label = self.table.resource.label if self.table else ""
        target = route.spelled or "a prefix that is not known"
        reason = f"route `{route.name}` sends {target} to {way.hop or 'a next hop that is not known'}"
        return Decider(
            hop="route",
            resource=label,
            name=route.name,
            action=Action.FORWARD,
            reason=reason,
            resource_id=str(self.table.resource.id) if self.table else "",
            origin=route.origin,
            detail=way,
        )

    def _unknown_route(self, gap: Unknown) -> Decider:
        return self._decide("routes that are not known", Action.UNKNOWN, gap.why, Way(hop="", unknown=gap))

    def _system(self, name: str, reason: str, way: Way) -> Decider:
        return self._decide(name, Action.FORWARD, reason, way)

    def _decide(self, name: str, action: Action, reason: str, way: Way) -> Decider:
        table = self.table.resource.label if self.table else f"system routes of {self.subnet.label}"
        return Decider(
            hop="route",
            resource=table,
            name=name,
            action=action,
            reason=reason,
            origin=way.unknown.origin if way.unknown else NOWHERE,
            settle=way.unknown.settle if way.unknown else "",
            detail=way,
        )


def _somewhere_public(decider: Decider) -> Iterator[_Entry]:
    """A route to published addresses that are not known: it may be longer than any prefix written here."""
    yield _Entry(129, SYSTEM, decider, Extent.within(PUBLIC))


def _clause(decider: Decider, covered: Extent) -> Clause[Decider]:
    sure = Box(destination=covered.sure) if covered.sure else None
    return Clause(decider, sure, Box(destination=covered.possible) if covered.possible else None)


def _ordered(entries: Sequence[_Entry]) -> Iterator[Clause[Decider]]:
    """Clauses in order; where several users' routes tie, each may be the one (R11: Azure refuses that)."""
    i = 0
    while i < len(entries):
        j = i
        while j < len(entries) and (entries[j].length, entries[j].rank) == (
            entries[i].length,
            entries[i].rank,
        ):
            j += 1
        tied = entries[i:j]
        if len(tied) > 1:
            yield from (
                _clause(one.decider, Extent.within(one.covered.possible))
                for one in tied
                if _meets_another(one, tied)
            )
        yield from (_clause(one.decider, one.covered) for one in tied)
        i = j


def _meets_another(one: _Entry, tied: Iterable[_Entry]) -> bool:
    return any(
        other is not one
        and other.decider is not one.decider
        and other.covered.possible & one.covered.possible
        for other in tied
    )
