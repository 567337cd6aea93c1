"""What tells two clusters apart, as far as any hop can: clusters that are alike are judged once.

A fleet is stamped: spokes differ in names and addresses, and nothing that decides over a packet looks at a
name, nor at an address but to ask whether a rule covers it.  So a cluster is described by how every rule, route
and firewall on its way covers *its own* addresses (wholly or not at all) and what each covers of the public
ones.  Two clusters with one description have one verdict for every flow (`retelling` says it in the words of each).
A cluster that is not so simple (a rule that cuts its subnets, a value that is not known, an appliance) is `Singular`
and judged by itself: nothing is described that was not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter

from aks_egress.arm.resources import Resource
from aks_egress.evaluation.demand import Decider, Demand
from aks_egress.evaluation.demands import pod_range
from aks_egress.evaluation.ends import NOTHING, Ends, Singular, Token, holds
from aks_egress.evaluation.firewall import FirewallFilter
from aks_egress.evaluation.firewall_kind import FirewallKinds
from aks_egress.evaluation.first_match import Clause
from aks_egress.evaluation.hops import Hops
from aks_egress.evaluation.outbound import Start
from aks_egress.evaluation.routes import RouteSelection, Way
from aks_egress.evaluation.walk import Walk
from aks_egress.packets.addresses import ALL_V4
from aks_egress.packets.boxes import Box
from aks_egress.packets.intervals import IntervalSet
from aks_egress.packets.names import Match
from aks_egress.records import record
from aks_egress.requirements.requirement import Requirement
from aks_egress.topology.clusters import Cluster, Pool
from aks_egress.topology.networks import Subnet
from aks_egress.topology.nics import nic_groups
from aks_egress.topology.own_addresses import led_straight
from aks_egress.topology.owners import Owner
from aks_egress.topology.routing import UserRoute
from aks_egress.topology.security import SecurityRule
from aks_egress.values import Unknown, text


@record(slots=True, kw_only=True)
class Place:
    """One subnet of a cluster with what stands on its way; groups are places among the view's."""

    subnet: Subnet
    members: IntervalSet
    pools: tuple[Pool, ...]
    routes: RouteSelection
    nic_group: int
    with_nic_group: tuple[bool, ...]
    group: int
    clauses: Sequence[Clause[Decider]] = ()

    def listed(self, lies_in: str) -> Sequence[Clause[Decider]]:
        """The routes that concern the cluster, for packets to an address that lies in a tag."""
        return self.routes.clauses(lies_in) if lies_in else self.clauses


@record(slots=True, kw_only=True)
class View:
    """A cluster as its own hops see it."""

    cluster: Cluster
    places: tuple[Place, ...]
    pods: IntervalSet | None
    groups: tuple[Resource, ...]
    rules: tuple[tuple[SecurityRule, ...], ...]
    firewalls: tuple[FirewallFilter, ...]
    key: Token


class Likeness:
    """Describes the clusters of one run."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self._requirements: dict[int, tuple[Requirement, Token]] = {}
        self._firewalls = FirewallKinds()

    def view(self, cluster: Cluster, needed: Sequence[Requirement]) -> View:
        """The cluster with its description; raises Singular for one that is judged by itself."""
        looking = _Looking(self.walk, cluster, self._firewalls)
        return looking.view([self._requirement(one) for one in needed], needed)

    def _requirement(self, one: Requirement) -> Token:
        """What is required, the API server's own name aside; most are shared by many clusters."""
        known = self._requirements.get(id(one))
        if known is not None and known[0] is one:
            return known[1]
        if one.via_proxy:
            raise Singular
        token = (*_FIELDS(one), isinstance(one.needed, Unknown))
        if one.mutual_tls:
            return token
        token = (*token, one.name)
        if len(self._requirements) < _MOST_KEPT:
            self._requirements[id(one)] = (one, token)
        return token


_MOST_KEPT = 4096
_FIELDS: Callable[[Requirement], Token] = attrgetter(
    "id", "kind", "role", "necessity", "value", "protocol", "ports", "sources", "towards", "agents_only", "pools",
    "lies_in", "layer7", "in_fqdn_tag", "mutual_tls", "addresses", "platform_tag", "assumptions",
)  # fmt: skip
_PLAIN = Demand(boxes=())


class _Looking:
    """Looks at one cluster."""

    def __init__(self, walk: Walk, cluster: Cluster, numbers: FirewallKinds) -> None:
        self.walk, self.cluster, self._numbers = walk, cluster, numbers
        self.subnets = cluster.subnets()
        self._check()
        self.pods = _pods(cluster)
        own = [_members(one) for one in self.subnets]
        self.ends = Ends([*own, *([self.pods] if self.pods is not None else [])], walk.hops.topology.tags)
        self._groups: dict[int, tuple[int, Resource]] = {}
        self._by_table: dict[object, Token] = {}
        self._relevant: dict[int, list[Clause[Decider]]] = {}
        self.firewalls: dict[int, FirewallFilter] = {}

    def _check(self) -> None:
        cluster = self.cluster
        first = self.subnets[0].network if self.subnets else None
        if first is None or first.resource is None or not first.space.known or cluster.api_home is not None:
            raise Singular
        if self.walk.hops.topology.gateway(first) is Match.YES:
            raise Singular
        if any(one.network is not first for one in self.subnets):
            raise Singular
        if any(_special(pool) for pool in cluster.pools):
            raise Singular

    def view(self, wanted: Sequence[Token], needed: Sequence[Requirement]) -> View:
        """The view, its parts in one order for every cluster."""
        places = tuple(self._place(one) for one in self.subnets)
        said = [self._said(one) for one in places]
        groups = tuple(group for _, group in self._groups.values())
        ports = _public_ports(needed)
        rules = tuple(self._rules(group, ports) for group in groups)
        filtering = tuple(tuple(map(self.ends.rule, several)) for several in rules)
        names = [self._names(one) for one in needed if one.mutual_tls]
        pools = [(one.name, one.system, self.subnets.index(one.subnet)) for one in self.cluster.pools]
        near = id(self.cluster.document), *(id(one.near) for one in self.subnets)
        shown = _one_label(groups), _one_label([one.firewall.resource for one in self.firewalls.values()])
        key = (near, tuple(wanted), tuple(names), tuple(pools), tuple(said), filtering, self.pods, shown)
        return View(
            cluster=self.cluster,
            places=places,
            pods=self.pods,
            groups=groups,
            rules=rules,
            firewalls=tuple(self.firewalls.values()),
            key=key,
        )

    def _place(self, subnet: Subnet) -> Place:
        choice = self.walk.hops.routes(subnet)
        if choice.unknown is not None or len(choice.options) != 1 or choice.options[0] is None:
            raise Singular
        pools = tuple(pool for pool in self.cluster.pools if pool.subnet is subnet)
        graph = self.walk.hops.topology.graph
        links = nic_groups(graph, self.cluster, pools)
        if len(links) > 1 or any(link.sole is None for link in links):
            raise Singular
        if subnet.nsg.sole is None and not subnet.nsg.absent:
            raise Singular
        return Place(
            subnet=subnet,
            members=_members(subnet),
            pools=pools,
            routes=choice.options[0],
            nic_group=self._group(links[0].sole if links else None),
            with_nic_group=(bool(links),)
            if len(pools) == 1
            else tuple(bool(nic_groups(graph, self.cluster, (pool,))) for pool in pools),
            group=self._group(subnet.nsg.sole),
        )

    def _group(self, resource: Resource | None) -> int:
        """The place of a security group among the cluster's, -1 for none."""
        if resource is None:
            return -1
        return self._groups.setdefault(id(resource), (len(self._groups), resource))[0]

    def _said(self, place: Place) -> Token:
        subnet = place.subnet
        if self.walk.hops.admin_rules(subnet) is not None:
            raise Singular
        policies = text(subnet.prop("privateEndpointNetworkPolicies"))
        if isinstance(policies, Unknown):
            raise Singular
        method = self.walk.method(Start(subnet=subnet, cluster=self.cluster, pools=place.pools))
        outbound = (method.name, method.action, method.reason, method.settle, method.assumptions)
        return (
            place.nic_group,
            place.group,
            place.with_nic_group,
            (policies or "").casefold(),
            outbound,
            self._once(("tags", id(place.routes.table)), self._scope, place),
            self._once(("routes", id(place.routes)), self._routes, place),
            self._behind(place),
        )

    def _once(self, key: Token, look: Callable[[Place], Token], place: Place) -> Token:
        """What subnets with one table have in common: they lie in one network."""
        if key not in self._by_table:
            self._by_table[key] = look(place)
        return self._by_table[key]

    # what rules and routes cover

    def _clause(self, clause: Clause[Decider]) -> Iterator[Token | None]:
        for box in (clause.sure, clause.possible):
            yield None if box is None else self.ends.covers(box.destination)

    def _rules(self, group: Resource, ports: IntervalSet) -> tuple[SecurityRule, ...]:
        """The rules of a security group that concern any of the cluster's flows."""
        listed = self.walk.hops.topology.rules(group)
        if listed.gap is not None:
            raise Singular
        return tuple(one for one in listed.rules if self.ends.concerned(one, ports))

    def _scope(self, place: Place) -> Token:
        """What the tags of the topology cover, as the subnet sees them in both worlds (U1)."""
        return tuple(
            (*self.ends.extent(extent), doubts)
            for hops, tags in ((self.walk.hops, _TAGS), (self.walk.without_expansion().hops, _PLAIN_TAGS))
            for tag, denies in tags
            for extent, doubts in (hops.scope(place.subnet).extent(tag, denies=denies),)
        )

    def _routes(self, place: Place) -> Token:
        selection = place.routes
        table = selection.table
        routes = table.routes if table is not None else ()
        if table is not None and (table.gap is not None or any(map(_open, routes))):
            raise Singular
        tagged = self._by_tag(selection)
        every = [(one, tuple(self._clause(one))) for one in selection.clauses("")]
        kept = [(one, covers) for one, covers in every if tagged or covers[1] not in (None, NOTHING)]
        numbers: dict[object, int] = {}
        said = tuple(
            (
                *(numbers.setdefault(seen, len(numbers)) for seen in _seen(one.decider)),
                *_way(one.decider),
                *covers,
            )
            for one, covers in kept
        )
        self._relevant[id(selection)] = [one for one, _ in kept]
        led = led_straight([table]) if table is not None else None
        return (said, led, tagged)

    def _behind(self, place: Place) -> Token:
        """What the routes that concern the cluster lead to, each once."""
        place.clauses = self._relevant[id(place.routes)]
        ways = [one.decider.detail for one in place.clauses]
        routes = dict.fromkeys(way.route for way in ways if isinstance(way, Way) and way.route is not None)
        return tuple(self._next_hops(route, place) for route in routes if route.hop_addresses)

    def _by_tag(self, selection: RouteSelection) -> Token:
        """Where routes name service tags, their places among the others hang on lengths."""
        services = selection.subnet.service_endpoints
        if services.unknown is not None:
            raise Singular
        named = [route.tag for route in selection.table.routes if route.tag] if selection.table else []
        if not named and not services.given:
            return ()
        return (services.known, *named, *selection.lengths())

    def _next_hops(self, route: UserRoute, place: Place) -> Token:
        hops: Hops = self.walk.hops
        table = place.routes.table
        assert table is not None  # noqa: S101  it is the table's route
        near = hops.topology.graph.home(table.resource)
        return tuple(
            self._owner(owner, route, place)
            for value in route.hop_addresses
            for owner in hops.owners(value, near, place.subnet.network)
        )

    def _owner(self, owner: Owner, route: UserRoute, place: Place) -> Token:
        """A firewall that the route leads to, and whether its rules tell the subnet from others."""
        if owner.resource is None or not owner.is_firewall:
            raise Singular
        if self.walk.obstacle(owner, _decider_of(route, place.routes), place.subnet) is not None:
            raise Singular
        hops = self.walk.hops
        firewall = hops.topology.firewall(owner.resource)
        rules = hops.firewall(firewall, place.subnet.network)
        self.firewalls.setdefault(id(rules), rules)
        place_of = list(self.firewalls).index(id(rules))
        clients = tuple(holds(one, place.members) for one in self._numbers.sources(rules))
        beyond = self._beyond(owner.subnet, place.members) if owner.subnet is not None else None
        return (self._numbers.number(rules), place_of, clients, owner.assumed, beyond)

    def _beyond(self, home: Subnet, clients: IntervalSet) -> object:
        """How a firewall's own subnet sends traffic on; it must lead answers to the clients by no route of a user's."""
        choice = self.walk.hops.routes(home)
        if choice.unknown is None and all(one is None or one.table is None for one in choice.options):
            return self.walk.hops.topology.gateway(home.network)
        for option in choice.options:
            if option is None or option.table is None:
                continue
            for piece in option.decide(_PLAIN, [Box(destination=clients)]):
                ways = [one.detail for one in piece.deciders]
                if any(not isinstance(way, Way) or way.route is not None for way in ways):
                    raise Singular
        return id(home)

    def _names(self, one: Requirement) -> Token:
        """How the firewalls on the way read a name that is the cluster's own."""
        return tuple(rules.reading(one.name, one.in_fqdn_tag) for rules in self.firewalls.values())


_TAGS = (("VirtualNetwork", False), ("VirtualNetwork", True), ("Internet", False), ("Internet", True))
_PLAIN_TAGS = _TAGS[:1]
"""What tags cover differently where user routes add nothing to them: one that does not hang on access."""


def _special(pool: Pool) -> bool:
    """Whether a pool has anything of its own that hops look at."""
    subnet = pool.subnet
    return (
        pool.pod_subnet is not None
        or pool.groups != frozenset()
        or pool.public_address is not False
        or pool.uncertain is not None
        or subnet.managed
        or subnet.resource is None
        or subnet.prefixes_unknown is not None
        or not subnet.prefixes.known
    )


def _members(subnet: Subnet) -> IntervalSet:
    return subnet.prefixes.sure & ALL_V4


def _pods(cluster: Cluster) -> IntervalSet | None:
    """The range of an overlay's pods; raises Singular where it is not known."""
    extent = pod_range(cluster)
    if extent is not None and not extent.known:
        raise Singular
    return extent.sure if extent is not None else None


def _open(route: UserRoute) -> bool:
    return route.unknown is not None or route.uncertain is not None or isinstance(route.hop, Unknown)


def _one_label(resources: Sequence[Resource]) -> Token:
    """Which of some resources have one label: a path shows what they say alike once."""
    labels = [one.label for one in resources]
    if len({one.id.key for one in resources}) < len(resources):
        raise Singular
    return tuple(map(labels.index, labels))


def _seen(decider: Decider) -> tuple[object, ...]:
    """A route itself, and what a path shows of it: routes that it shows alike are one there."""
    return id(decider), (decider.name, decider.action, decider.reason)


def _way(decider: Decider) -> Token:
    """What a route does, its own names aside."""
    way = decider.detail
    assert isinstance(way, Way)  # noqa: S101  every route has one
    return (
        decider.action,
        way.hop,
        way.route is not None,
        way.peering is not None,
        way.unknown is not None,
        len(way.route.hop_addresses) if way.route is not None else 0,
    )


def _public_ports(needed: Sequence[Requirement]) -> IntervalSet:
    """The ports of what is needed beyond the network."""
    return IntervalSet.of(span for one in needed if one.kind != "subnet" for span in one.ports)


def _decider_of(route: UserRoute, selection: RouteSelection) -> Decider:
    return next(
        one.decider
        for one in selection.clauses("")
        if isinstance(one.decider.detail, Way) and one.decider.detail.route is route
    )
