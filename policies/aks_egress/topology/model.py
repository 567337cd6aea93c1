"""The topology of one run: everything that is read once and shared by all walks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from aks_egress.arm.graph import Graph, Link
from aks_egress.arm.ids import ResourceId, parse_id
from aks_egress.arm.resources import Document, Resource, Role
from aks_egress.packets.intervals import IntervalSet
from aks_egress.packets.names import Match
from aks_egress.packets.tags import ServiceTags
from aks_egress.records import replace
from aks_egress.topology.clusters import CLUSTERS, Cluster, Subnets, cluster
from aks_egress.topology.firewalls import Firewall, firewall
from aks_egress.topology.networks import SUBNETS, Networks, Subnet, VirtualNetwork
from aks_egress.topology.own_addresses import own_addresses
from aks_egress.topology.routing import RouteTable, route_table
from aks_egress.topology.security import ADMIN_RULES, RuleList, SecurityRule, admin_rules, security_rules
from aks_egress.topology.spaces import remote_network
from aks_egress.values import Unknown, Value, at, flag, get, items, text

GATEWAYS = "Microsoft.Network/virtualNetworkGateways"
HUB_CONNECTIONS = "Microsoft.Network/virtualHubs/hubVirtualNetworkConnections"
ROUTING_INTENTS = "Microsoft.Network/virtualHubs/routingIntent"
GATEWAY_SUBNETS = ("gatewaysubnet", "routeserversubnet")

#: subnets that admin rules leave alone (A4)
ADMIN_EXEMPT = ("azurefirewallsubnet", "azurebastionsubnet", "gatewaysubnet", "routeserversubnet")


class Topology:
    """Networks, groups, tables, firewalls and clusters of all documents, each read once."""

    def __init__(self, documents: Sequence[Document], tags: ServiceTags) -> None:
        self.graph = Graph(documents)
        self.tags = tags
        self.networks = Networks(self.graph)
        self.subnets = Subnets(self.networks)
        self._rules: dict[int, RuleList] = {}
        self._tables: dict[int, RouteTable] = {}
        self._firewalls: dict[int, Firewall] = {}
        self._gateways: dict[int, Match] = {}
        self._admin: list[tuple[Resource, SecurityRule, list[ResourceId], Unknown | None]] | None = None
        self._admin_places: _Places | None = None

    @cached_property
    def own_addresses(self) -> IntervalSet:
        """The known addresses of public IPs among the inputs."""
        return own_addresses(self.graph)

    def clusters(self) -> list[Cluster]:
        """The clusters of the documents that are judged, in the documents' order."""
        found = [
            one
            for document in self.graph.documents
            if document.role is Role.SUBJECT
            for one in self.graph.of_kind(CLUSTERS, document)
            if not one.existing
        ]
        return [cluster(self.graph, self.subnets, one) for one in found]

    def rules(self, group: Resource) -> RuleList:
        """The rules of a network security group."""
        if id(group) not in self._rules:
            self._rules[id(group)] = security_rules(self.graph, group)
        return self._rules[id(group)]

    def table(self, resource: Resource) -> RouteTable:
        """A route table."""
        if id(resource) not in self._tables:
            self._tables[id(resource)] = route_table(self.graph, resource)
        return self._tables[id(resource)]

    def firewall(self, resource: Resource) -> Firewall:
        """A firewall with its policies."""
        if id(resource) not in self._firewalls:
            self._firewalls[id(resource)] = firewall(self.graph, resource)
        return self._firewalls[id(resource)]

    def gateway(self, network: VirtualNetwork) -> Match:
        """Whether gateways teach a network's subnets a default route (R5, R29).

        YES for a secured hub; MAYBE where the network, or a peer whose gateway it uses, has a
        gateway that may teach anything.
        """
        if id(network) not in self._gateways:
            self._gateways[id(network)] = self._gateway(network)
        return self._gateways[id(network)]

    def _gateway(self, network: VirtualNetwork) -> Match:
        if network.resource is None:
            return Match.MAYBE
        if self.secured_hub(network) is not None:
            return Match.YES
        if any(one is None or network.is_(one) for _, one in self._connections_to(network)):
            return Match.MAYBE
        rows, gap = self.graph.children(network.resource, SUBNETS)
        if any(row.name.casefold() in GATEWAY_SUBNETS for row in rows):
            return Match.MAYBE
        if any(one.use_remote_gateways is not False for one in network.peerings):
            return Match.MAYBE
        return Match.MAYBE if gap is not None or network.peerings_gap is not None else Match.NO

    def secured_hub(self, network: VirtualNetwork) -> tuple[Link, Resource] | None:
        """The firewall to which a Virtual WAN hub sends the network's Internet traffic (R29), and the routing intent."""
        for connection, connected in self._connections_to(network):
            if (
                not network.is_(connected)
                or flag(connection.prop("enableInternetSecurity"), False) is not True
                or connection.uncertain is not None
            ):
                continue
            hub = connection.id.parent
            for intent in self.graph.of_kind(ROUTING_INTENTS):
                above = intent.id.parent
                if hub is not None and above is not None and above.could_be(hub) and intent.uncertain is None:
                    found = self._internet_policy(intent)
                    if found is not None:
                        return found, intent
        return None

    @cached_property
    def _connections(self) -> list[tuple[Resource, ResourceId | None]]:
        """The connections of Virtual WAN hubs, each with the network it leads to."""
        return [(one, self._connected(one)) for one in self.graph.of_kind(HUB_CONNECTIONS)]

    def _connections_to(self, network: VirtualNetwork) -> list[tuple[Resource, ResourceId | None]]:
        """Those that may lead to a network, in their order."""
        if network.id is None or "{" in network.id.scope:
            return self._connections
        return [self._connections[i] for i in self._by_network.at(network.id)]

    @cached_property
    def _by_network(self) -> _Places:
        return _Places([[one] for _, one in self._connections])

    def _connected(self, connection: Resource) -> ResourceId | None:
        """The network that a Virtual WAN hub's connection leads to."""
        remote = self.graph.link(connection.prop("remoteVirtualNetwork"), self.graph.home(connection))
        return remote.sole.id if remote.sole else parse_id(connection.prop("remoteVirtualNetwork", "id"))

    def _internet_policy(self, intent: Resource) -> Link | None:
        rows = items(intent.prop("routingPolicies"))
        for row in rows if isinstance(rows, list) else ():
            places = items(get(row, "destinations"))
            if isinstance(places, list) and any(str(one).casefold() == "internet" for one in places):
                return self.graph.link(get(row, "nextHop"), self.graph.home(intent), intent.origin)
        return None

    def subnet_of_address(self, network: VirtualNetwork, low: int) -> Subnet | None:
        """The subnet of a network that holds an address, where that is known."""
        if network.resource is None:
            return None
        rows, _ = self.graph.children(network.resource, SUBNETS)
        for row in rows:
            subnet = self.subnets.of(row)
            if low in subnet.prefixes.sure:
                return subnet
        return None

    def network_of_address(self, near: VirtualNetwork, low: int) -> VirtualNetwork | None:
        """The network, own or peered, whose known space holds an address."""
        for network in [near, *(remote_network(near, peering) for peering in near.peerings)]:
            if low in network.space.sure:
                return network
        return None

    def admin_rules(self, subnet: Subnet) -> RuleList:
        """The Virtual Network Manager admin rules that apply to a subnet's network (A1 to A5)."""
        if subnet.name.casefold() in ADMIN_EXEMPT:
            return RuleList()
        unplaced = None
        if subnet.network.id is None:
            said = "which network the subnet lies in is not known, so which admin rules apply is not either"
            unplaced = Unknown(said)
        rules: list[SecurityRule] = []
        for rule, members, why in self._admin_rules_near(subnet.network):
            if any(subnet.network.is_(one) for one in members):
                rules.append(rule)
            elif (doubt := why or unplaced) is not None:
                rules.append(replace(rule, uncertain=rule.uncertain or doubt))
        return RuleList(rules)

    def _admin_rules_near(
        self, network: VirtualNetwork
    ) -> list[tuple[SecurityRule, list[ResourceId], Unknown | None]]:
        """The rules that may apply to a network, in the order in which they are asked."""
        rules = self._admin_rules()
        if network.id is None or "{" in network.id.scope:
            return [(rule, members, why) for _, rule, members, why in rules]
        if self._admin_places is None:
            known = ([None, *members] if why is not None else members for _, _, members, why in rules)
            self._admin_places = _Places([list(members) for members in known])
        return [rules[i][1:] for i in self._admin_places.at(network.id)]

    def _admin_rules(self) -> list[tuple[Resource, SecurityRule, list[ResourceId], Unknown | None]]:
        if self._admin is None:
            rows = [row for row in self.graph.of_kind(ADMIN_RULES) if not row.existing]
            self._admin = []
            for row in rows:
                rank = 0 if "managementgroups" in row.id.scope else 1
                members, why = self._members(row)
                self._admin.append((row, admin_rules([row], rank)[0], members, why))
            self._admin.sort(key=lambda one: (one[1].rank, one[1].priority or -1, one[1].name))
        return self._admin

    def _members(self, rule: Resource) -> tuple[list[ResourceId], Unknown | None]:
        """The networks that a rule's collection applies to, through its network groups."""
        above = rule.id.parent
        collection = self.graph.find(above, self.graph.home(rule)).sole if above else None
        if collection is None:
            return [], Unknown(
                f"the rule collection of admin rule `{rule.name}` is not among the inputs", rule.origin
            )
        rows = items(collection.prop("appliesToGroups"))
        if isinstance(rows, Unknown):
            return [], rows
        members: list[ResourceId] = []
        why: Unknown | None = None
        for row in rows:
            link = self.graph.link(at(row, "networkGroupId"), self.graph.home(collection), collection.origin)
            if link.sole is None:
                why = link.unknown or Unknown("which network group an admin rule applies to is not known")
                continue
            found, gap = self._group_members(link.sole)
            members += found
            why = why or gap
        return members, why

    def _group_members(self, group: Resource) -> tuple[list[ResourceId], Unknown | None]:
        rows, gap = self.graph.children(group, f"{group.id.type}/staticMembers")
        members: list[ResourceId] = []
        for row in rows:
            link = self.graph.link(row.prop("resourceId"), self.graph.home(row), row.origin)
            named = link.sole.id if link.sole else parse_id(row.prop("resourceId"))
            if row.uncertain is not None:
                gap = gap or row.uncertain
            elif named is None:
                gap = gap or Unknown(f"a member of network group `{group.name}` is not known", row.origin)
            else:
                members.append(named)
        if not rows:
            gap = gap or Unknown(
                f"network group `{group.name}` lists no static members here; a policy may choose them",
                group.origin,
            )
        return members, gap


class _Places:
    """Which rows of a list may be about a network: those that name it, and those of which that is not known."""

    def __init__(self, rows: Sequence[Sequence[ResourceId | None]]) -> None:
        self._named: dict[str, list[int]] = {}
        self._open: list[int] = []
        for i, named in enumerate(rows):
            if any(one is None or "{" in one.scope for one in named):
                self._open.append(i)
            for one in named:
                if one is not None:
                    self._named.setdefault(one.key, []).append(i)

    def at(self, network: ResourceId) -> list[int]:
        """The places of the rows, in order."""
        return sorted({*self._named.get(network.key, ()), *self._open})


def outbound_word(value: Value) -> str | Unknown:
    """An outbound type in lower case."""
    spelled = text(value)
    return spelled if isinstance(spelled, Unknown) else (spelled or "loadBalancer").casefold()
