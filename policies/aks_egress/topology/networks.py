"""Virtual networks, their subnets and peerings.

Facts: R3, R5, R26, N27 and R23 of the data-plane notes (Microsoft: virtual-networks-udr-overview,
virtual-network-manage-peering, default-outbound-access).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from aks_egress.arm.graph import ABSENT, Graph, Link
from aks_egress.arm.ids import ResourceId, parse_id
from aks_egress.arm.resources import Document, Resource
from aks_egress.packets.addresses import ALL_V4, NEVER_INTERNET
from aks_egress.packets.extents import NOTHING, Extent
from aks_egress.packets.intervals import IntervalSet
from aks_egress.packets.names import Match
from aks_egress.records import record
from aks_egress.topology.nat_gateways import serving
from aks_egress.topology.reading import Tokens, addresses, tokens
from aks_egress.values import NOWHERE, Origin, Unknown, Value, flag, get, items, text

NETWORKS = "Microsoft.Network/virtualNetworks"
SUBNETS = "Microsoft.Network/virtualNetworks/subnets"
PEERINGS = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"


def address_extent(given: Tokens) -> Extent:
    """The addresses of a list of prefixes; where some are not known, private space may be meant."""
    found, names, complaints = addresses(given.known)
    open_ended = given.unknown is not None or bool(names or complaints)
    return Extent(found, found | NEVER_INTERNET) if open_ended else Extent.exactly(found)


def each_prefix(given: Tokens) -> tuple[IntervalSet, ...]:
    """The well-formed prefixes of a list, one set each, in their order."""
    found = [one for entry in given.known if (one := addresses((entry,))[0]) and len(one.spans) == 1]
    return tuple(sorted(set(found), key=lambda one: one.spans[0]))


@record(frozen=True, slots=True)
class Peering:
    """One direction of a peering, as its own side declares it."""

    name: str
    remote: Link
    remote_id: ResourceId | None
    allow_access: bool | Unknown
    allow_forwarded: bool | Unknown
    use_remote_gateways: bool | Unknown
    state: str | Unknown | None
    declared_space: Tokens
    complete: bool
    origin: Origin
    uncertain: Unknown | None = None


class Networks:
    """Every virtual network of a run, each read once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._known: dict[int | str, VirtualNetwork] = {}

    def of(self, resource: Resource | None, resource_id: ResourceId | None) -> VirtualNetwork:
        """The network of a resource, or of an id whose definition is not at hand."""
        key = id(resource) if resource is not None else (resource_id.key if resource_id else "")
        if key not in self._known:
            self._known[key] = VirtualNetwork(self, resource, resource_id)
        return self._known[key]


class VirtualNetwork:
    """A virtual network that is among the inputs, or one of which only its id is known."""

    def __init__(self, networks: Networks, resource: Resource | None, resource_id: ResourceId | None) -> None:
        self.networks = networks
        self.graph = graph = networks.graph
        self.resource = resource
        self.full_space: Extent | None = None
        #: whether each peering carries, by its identity; see `spaces.carries`
        self.carried: dict[int, tuple[Match, str]] = {}
        self.id = resource.id if resource is not None else resource_id
        self.space = self._space()
        self.peerings, self.peerings_gap = self._peerings(graph)

    @cached_property
    def prefixes(self) -> tuple[IntervalSet, ...]:
        """The known prefixes of its address space, each by itself: routes are compared by their length."""
        given = tokens(self.resource.prop("addressSpace", "addressPrefixes")) if self.resource else None
        return each_prefix(given) if given else ()

    @property
    def name(self) -> str:
        """Its name, or a phrase for one that nobody named."""
        return self.id.name if self.id else "a virtual network that is not known"

    def peerings_to(self, other: VirtualNetwork) -> Iterator[Peering]:
        """The peerings that may lead to another network, in their order."""
        if other.id is not None:
            for peering in self._by_name.get(_named(other.id), ()):
                if other.is_(peering.remote_id):
                    yield peering

    @cached_property
    def _by_name(self) -> dict[tuple[str, ...], list[Peering]]:
        found: dict[tuple[str, ...], list[Peering]] = {}
        for peering in self.peerings:
            if peering.remote_id is not None:
                found.setdefault(_named(peering.remote_id), []).append(peering)
        return found

    @cached_property
    def nat_gateway(self) -> Link:
        """The NAT gateway of the subnets that have none of their own."""
        return serving(self.graph, self.id, self.resource)

    def is_(self, other_id: ResourceId | None) -> bool:
        """Whether an id may name this network."""
        return self.id is not None and other_id is not None and self.id.could_be(other_id)

    def _space(self) -> Extent:
        if self.resource is None:
            return Extent.within(NEVER_INTERNET)
        given = self.resource.prop("addressSpace", "addressPrefixes")
        if given is None and self.resource.prop("addressSpace", "ipamPoolPrefixAllocations"):
            return Extent.within(NEVER_INTERNET)
        return Extent.within(NEVER_INTERNET) if given is None else address_extent(tokens(given))

    def _peerings(self, graph: Graph) -> tuple[list[Peering], Unknown | None]:
        if self.resource is None:
            return [], Unknown(f"`{self.name}` is not among the inputs, so its peerings are not known")
        rows, gap = graph.children(self.resource, PEERINGS)
        return [_peering(graph, row) for row in rows], gap

    @property
    def dns_servers(self) -> Value:
        """`dhcpOptions.dnsServers` as given."""
        if self.resource is None:
            return Unknown(f"`{self.name}` is not among the inputs, so its DNS servers are not known")
        return self.resource.prop("dhcpOptions", "dnsServers")


def _peering(graph: Graph, row: Resource) -> Peering:
    near = graph.home(row)
    remote = row.prop("remoteVirtualNetwork")
    link = graph.link(remote, near, row.place("properties", "remoteVirtualNetwork"))
    remote_id = link.sole.id if link.sole else _id_of(remote)
    return Peering(
        row.name,
        link,
        remote_id,
        flag(row.prop("allowVirtualNetworkAccess"), True),
        flag(row.prop("allowForwardedTraffic"), False),
        flag(row.prop("useRemoteGateways"), False),
        text(row.prop("peeringState")),
        tokens(row.prop("remoteAddressSpace", "addressPrefixes")),
        flag(row.prop("peerCompleteVnets"), True) is True,
        row.origin,
        row.uncertain,
    )


def _named(network_id: ResourceId) -> tuple[str, ...]:
    return tuple(name.casefold() for name in network_id.names)


def _id_of(value: Value) -> ResourceId | None:
    spelled = get(value, "id") if isinstance(value, dict) else value
    return parse_id(spelled)


class Subnet:
    """A subnet: a real one, one of which only the id is known, or one that AKS makes itself.

    `unknown` says why its definition is not at hand; then every link is unknown as well.
    """

    def __init__(
        self,
        graph: Graph,
        network: VirtualNetwork,
        resource: Resource | None,
        *,
        name: str,
        near: Document | None = None,
        unknown: Unknown | None = None,
        managed: bool = False,
    ) -> None:
        self.graph = graph
        self.network = network
        self.resource = resource
        self.name = name
        self.unknown = unknown
        self.managed = managed
        self.near = graph.home(resource) if resource is not None else near
        self.prefixes, self.prefixes_unknown = self._prefixes()
        self.nsg = self._link("networkSecurityGroup")
        self.route_table = self._link("routeTable")

    @cached_property
    def nat_gateway(self) -> Link:
        """Its own NAT gateway, else the one that serves every subnet of its network."""
        own = self._link("natGateway")
        return own if not own.absent or self.managed else self.network.nat_gateway

    @property
    def origin(self) -> Origin:
        """Where it is defined."""
        return self.resource.origin if self.resource is not None else NOWHERE

    @property
    def id(self) -> ResourceId | None:
        """Its id where the definition is at hand."""
        return self.resource.id if self.resource is not None else None

    @property
    def label(self) -> str:
        """How people know it."""
        return f"{self.network.name}/{self.name}" if self.network.id else self.name

    def prop(self, *path: str | int) -> Value:
        """A property; where the definition is not at hand, the reason."""
        if self.resource is None:
            return self.unknown
        return self.resource.prop(*path)

    def _link(self, name: str) -> Link:
        if self.resource is None:
            return ABSENT if self.unknown is None else Link((), self.unknown)
        near = self.graph.home(self.resource)
        return self.graph.link(self.resource.prop(name), near, self.resource.place("properties", name))

    def _prefixes(self) -> tuple[Extent, Unknown | None]:
        if self.resource is None:
            why = self.unknown or Unknown("AKS chooses the address range of this subnet itself")
            return Extent.within(NEVER_INTERNET), why
        given = tokens(self.resource.prop("addressPrefix"), self.resource.prop("addressPrefixes"))
        extent = address_extent(given)
        if not given.given or extent == NOTHING:
            origin = self.resource.place("properties", "addressPrefix")
            return Extent.within(NEVER_INTERNET), Unknown(
                f"subnet `{self.name}` has no address prefix that is known", origin
            )
        return extent, given.unknown

    @cached_property
    def kept_by_azure(self) -> IntervalSet:
        """The IPv4 addresses that no host has: the first four and the last of each prefix.

        Source: Microsoft, virtual-networks-faq.
        """
        given = tokens(self.prop("addressPrefix"), self.prop("addressPrefixes"))
        spans = [one.spans[0] for one in each_prefix(given) if one <= ALL_V4]
        return IntervalSet.of(
            span for low, high in spans for span in ((low, min(low + 3, high)), (high, high))
        )

    @property
    def service_endpoints(self) -> Tokens:
        """The services (`Microsoft.Storage`, …) that the subnet reaches through service endpoints."""
        rows = items(self.prop("serviceEndpoints"))
        if isinstance(rows, Unknown):
            return Tokens((), rows, True)
        return tokens([get(row, "service") if isinstance(row, dict) else row for row in rows])

    @property
    def default_outbound(self) -> bool | Unknown | None:
        """`defaultOutboundAccess` as given, None where nothing is said."""
        value = self.prop("defaultOutboundAccess")
        return None if value is None else flag(value, True)
