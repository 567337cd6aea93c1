"""The hops of a run, each made once: security groups and routes of a subnet, firewalls, admin rules.

A link that leads nowhere known answers with the decider that says so, in place of the filter.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from aks_egress.arm.graph import Link
from aks_egress.arm.resources import Document, Resource
from aks_egress.evaluation.demand import Decider
from aks_egress.evaluation.filters import Filter, unknown_decider
from aks_egress.evaluation.firewall import FirewallFilter
from aks_egress.evaluation.routes import RouteSelection
from aks_egress.evaluation.tag_scope import TagScope
from aks_egress.packets.names import Match
from aks_egress.records import field, record, replace
from aks_egress.topology.firewalls import Firewall
from aks_egress.topology.model import Topology
from aks_egress.topology.networks import Subnet, VirtualNetwork
from aks_egress.topology.owners import Owner, owners
from aks_egress.topology.routing import RouteTable
from aks_egress.topology.security import RuleList
from aks_egress.topology.spaces import reachable
from aks_egress.values import Unknown, Value, items

T = TypeVar("T")


@record(frozen=True, slots=True)
class Choice(Generic[T]):
    """What a link may lead to: filters (None: nothing is attached), and the reason why it may be another."""

    options: tuple[T | None, ...]
    unknown: Decider | None = None


@record(slots=True)
class Hops:
    """Every filter of a run, made when first asked for.

    `expansion` off leaves user routes out of the tag VirtualNetwork: what a second walk asks to
    see whether a verdict rests on that (U1).
    """

    topology: Topology
    expansion: bool = True
    _groups: dict[int, dict[tuple[int, str], Filter]] = field(default_factory=dict)
    _unknown: dict[tuple[int, str], Decider] = field(default_factory=dict)
    _routes: dict[int, Choice[RouteSelection]] = field(default_factory=dict)
    _selections: dict[int, dict[int, RouteSelection]] = field(default_factory=dict)
    _admin: dict[int, Filter | None] = field(default_factory=dict)
    _firewalls: dict[tuple[int, Match], FirewallFilter] = field(default_factory=dict)
    _resolving: dict[tuple[int, int], Match] = field(default_factory=dict)
    _scopes: dict[int, TagScope] = field(default_factory=dict)
    _owners: dict[tuple[int, object], list[Owner]] = field(default_factory=dict)
    _reached: dict[tuple[int, int], tuple[Match, str]] = field(default_factory=dict)

    def without_expansion(self) -> Hops:
        """The hops where user routes add nothing to the tag VirtualNetwork; all that does not rest on it is shared."""
        return replace(self, expansion=False, _groups={}, _admin={}, _scopes={})

    def forget(self, subnets: Iterable[Subnet]) -> None:
        """Let go of what stands before some subnets; it is made anew where somebody asks again."""
        for subnet in subnets:
            filters = [*self._groups.pop(id(subnet), {}).values(), self._admin.pop(id(subnet), None)]
            for one in filters:
                if one is not None:
                    one.forget()
            self._routes.pop(id(subnet), None)
            self._scopes.pop(id(subnet), None)
            self._selections.pop(id(subnet.network), None)

    def security_groups(self, subnet: Subnet, link: Link, hop: str) -> Choice[Filter]:
        """The network security groups behind a link, as they filter a subnet."""
        found = tuple(None if one is None else self._group(one, subnet, hop) for one in link.options)
        if link.unknown is None:
            return Choice(found)
        key = id(subnet), hop
        if key not in self._unknown:
            whose = "subnet" if hop.endswith("subnet-nsg") else "NIC"
            named = subnet.label.removeprefix("subnet ") if whose == "subnet" else subnet.label
            label = f"network security group of the {whose} {named}"
            self._unknown[key] = unknown_decider(hop, label, link.unknown)
        return Choice(found, self._unknown[key])

    def _group(self, group: Resource, subnet: Subnet, hop: str) -> Filter:
        known = self._groups.setdefault(id(subnet), {})
        key = id(group), hop
        if key not in known:
            scope = self.scope(subnet)
            known[key] = Filter(
                hop, group.label, str(group.id), self.topology.rules(group), scope, origin=group.origin
            )
        return known[key]

    def scope(self, subnet: Subnet) -> TagScope:
        """What tags cover as seen from a subnet."""
        if id(subnet) not in self._scopes:
            choice = self._tables(subnet)
            learns = self.topology.gateway(subnet.network) is not Match.NO
            self._scopes[id(subnet)] = TagScope(
                subnet,
                choice.options,
                choice.unknown is not None,
                self.topology.tags,
                learns_routes=learns,
                expansion=self.expansion,
            )
        return self._scopes[id(subnet)]

    def _tables(self, subnet: Subnet) -> Choice[RouteTable]:
        link = subnet.route_table
        found = tuple(None if one is None else self.topology.table(one) for one in link.options)
        unknown = (
            unknown_decider("route", f"route table of {subnet.label}", link.unknown) if link.unknown else None
        )
        return Choice(found, unknown)

    def admin_rules(self, subnet: Subnet) -> Filter | None:
        """The admin rules over a subnet, None where there are none."""
        if id(subnet) not in self._admin:
            rules: RuleList = self.topology.admin_rules(subnet)
            made = None
            if rules.rules or rules.gap is not None:
                label = rules.rules[0].owner.label if rules.rules else "admin rules"
                made = Filter("admin-rule", label, "", rules, self.scope(subnet), defaults=False)
            self._admin[id(subnet)] = made
        return self._admin[id(subnet)]

    def routes(self, subnet: Subnet) -> Choice[RouteSelection]:
        """The effective routes of a subnet, for every table it may have."""
        if id(subnet) not in self._routes:
            tables = self._tables(subnet)
            found = tuple(self._selection(subnet, table) for table in tables.options)
            self._routes[id(subnet)] = Choice(found, tables.unknown)
        return self._routes[id(subnet)]

    def _selection(self, subnet: Subnet, table: RouteTable | None) -> RouteSelection:
        """The routes of a subnet; subnets of one network that have one table, and nothing else, share them."""
        made = RouteSelection(subnet, table, self.topology.tags, self.topology.gateway(subnet.network))
        if table is None or subnet.service_endpoints.given:
            return made
        shared = self._selections.setdefault(id(subnet.network), {})
        return shared.setdefault(id(table), made)

    def firewall(self, firewall: Firewall, clients: VirtualNetwork) -> FirewallFilter:
        """A firewall's rules as clients of a network meet them."""
        key = id(firewall.resource), id(clients)
        if key not in self._resolving:
            self._resolving[key] = self.resolves_through(firewall, clients)
        uses = self._resolving[key]
        met = id(firewall.resource), uses
        if met not in self._firewalls:
            self._firewalls[met] = FirewallFilter(firewall, self.topology.tags, uses)
        return self._firewalls[met]

    def resolves_through(self, firewall: Firewall, clients: VirtualNetwork) -> Match:
        """Whether the network's only DNS server is the firewall (F16)."""
        servers = items(clients.dns_servers)
        if isinstance(servers, Unknown) or not servers or clients.resource is None:
            return Match.MAYBE
        near = self.topology.graph.home(clients.resource)
        for server in servers:
            behind = self.owners(server, near, clients)
            if len(behind) != 1 or behind[0].resource is not firewall.resource:
                return Match.MAYBE
        return Match.YES

    def owners(self, value: Value, near: Document, seen_from: VirtualNetwork | None = None) -> list[Owner]:
        """Who owns a private address, as seen from a document, and from a network where one is given.

        Networks that are not connected use the same addresses, so of several owners only those count that
        the network may reach; where it surely reaches none, all of them do.
        """
        found = self._owners_near(value, near)
        if len(found) < 2 or seen_from is None:
            return found
        reached = [one for one in found if self._may_reach(seen_from, one)]
        return reached or found

    def _may_reach(self, network: VirtualNetwork, owner: Owner) -> bool:
        return owner.network is None or self.reaches(network, owner.network)[0] is not Match.NO

    def _owners_near(self, value: Value, near: Document) -> list[Owner]:
        key = id(near), value if isinstance(value, str | Unknown) else str(value)
        if key not in self._owners:
            self._owners[key] = owners(self.topology.graph, self.topology.subnets, value, near)
        return self._owners[key]

    def reaches(self, network: VirtualNetwork, other: VirtualNetwork) -> tuple[Match, str]:
        """Whether an address of another network can be a next hop, and why not."""
        key = id(network), id(other)
        if key not in self._reached:
            self._reached[key] = reachable(network, other)
        return self._reached[key]
