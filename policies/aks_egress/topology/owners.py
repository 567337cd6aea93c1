"""Who owns an address that a route names as its next hop, and in which network that is.

Facts R8, F25, F26, U16 (Microsoft: virtual-networks-udr-overview, firewall FAQ).
"""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary

from aks_egress.arm.graph import Graph
from aks_egress.arm.ids import parse_id
from aks_egress.arm.resources import Document, Resource
from aks_egress.packets.addresses import BadAddressError, parse, spell
from aks_egress.packets.intervals import IntervalSet
from aks_egress.records import record, replace
from aks_egress.topology.clusters import Subnets
from aks_egress.topology.firewalls import FIREWALLS
from aks_egress.topology.networks import Subnet, VirtualNetwork
from aks_egress.values import Unknown, Value, at, flag, get, items

NICS = "Microsoft.Network/networkInterfaces"
LOAD_BALANCERS = "Microsoft.Network/loadBalancers"

LITERAL_READING = "U16: the firewall's private address is known only after deployment; an address inside its subnet is taken to be its own"


@record(frozen=True, slots=True, kw_only=True)
class Owner:
    """What stands behind a next-hop address: a firewall, a NIC, a load balancer, or nobody known.

    `assumed` says why it is taken to be the owner where the definitions do not prove it.
    """

    resource: Resource | None
    network: VirtualNetwork | None
    subnet: Subnet | None = None
    address: IntervalSet | None = None
    unknown: Unknown | None = None
    assumed: str = ""
    forwards: bool | Unknown = True

    @property
    def is_firewall(self) -> bool:
        """Whether it is an Azure Firewall."""
        return self.resource is not None and self.resource.kind == FIREWALLS.casefold()


def owners(graph: Graph, subnets: Subnets, value: Value, near: Document) -> list[Owner]:
    """Everybody who may own the address; one certain owner, several candidates, or one that is unknown."""
    if isinstance(value, Unknown):
        return _promised(graph, subnets, value, near)
    try:
        address = parse(str(value))
    except BadAddressError as error:
        return [
            Owner(resource=None, network=None, unknown=Unknown(f"the next hop address is malformed: {error}"))
        ]
    if graph not in _HOLDERS:
        _HOLDERS[graph] = _holders(graph)
    exact = [_holding(graph, subnets, one, address) for one in _HOLDERS[graph].get(address, ())]
    if exact:
        return _perhaps(_nearest(exact, graph, near))
    likely = list(_likely(graph, subnets, address))
    if likely:
        return _perhaps(_nearest(likely, graph, near))
    why = Unknown(
        f"nothing among the inputs owns the next hop address {spell(address.first)}",
        settle="give the definition of that firewall or appliance with --context, or declare what it lets through",
    )
    return [Owner(resource=None, network=None, address=address, unknown=why)]


def _nearest(found: list[Owner], graph: Graph, near: Document) -> list[Owner]:
    """Owners in the route's own document before those in others."""
    own = [one for one in found if one.resource is not None and graph.home(one.resource) is near]
    return own or found


def _perhaps(found: list[Owner]) -> list[Owner]:
    """The owners, and nobody known where it is not certain that one of them is there."""
    doubt = next(
        (one for one in found if one.resource is not None and one.resource.uncertain is not None), None
    )
    if doubt is None or doubt.resource is None or doubt.resource.uncertain is None:
        return found
    said = doubt.resource.uncertain
    why = f"whether `{doubt.resource.label}` is there to own the next hop address is not known: {said.why}"
    unknown = Unknown(why, said.origin, settle=said.settle)
    return [*found, Owner(resource=None, network=None, address=doubt.address, unknown=unknown)]


def _promised(graph: Graph, subnets: Subnets, value: Unknown, near: Document) -> list[Owner]:
    found: list[Owner] = []
    for reference in value.refers_to:
        wanted = parse_id(reference.id)
        link = graph.find(wanted, near) if wanted else None
        if link is None or link.sole is None:
            why = link.unknown if link is not None and link.unknown is not None else value
            return [Owner(resource=None, network=None, unknown=why)]
        found.append(_owner(graph, subnets, link.sole))
    return found or [Owner(resource=None, network=None, unknown=value)]


def _owner(graph: Graph, subnets: Subnets, resource: Resource) -> Owner:
    """The owner that a resource is, with the subnet its first IP configuration lies in."""
    rows = items(
        resource.prop(
            "frontendIPConfigurations" if resource.kind == LOAD_BALANCERS.casefold() else "ipConfigurations"
        )
    )
    first = rows[0] if isinstance(rows, list) and rows else None
    value = at(first, "properties", "subnet")
    subnet = (
        subnets.at(value, graph.home(resource), resource.origin, "subnet of the next hop") if value else None
    )
    forwards = flag(resource.prop("enableIPForwarding"), False) if resource.kind == NICS.casefold() else True
    return Owner(
        resource=resource, network=subnet.network if subnet else None, subnet=subnet, forwards=forwards
    )


#: address -> who has it written down, in the order of the inputs; a fleet has thousands
_HOLDERS: WeakKeyDictionary[Graph, dict[IntervalSet, list[Resource]]] = WeakKeyDictionary()


def _holders(graph: Graph) -> dict[IntervalSet, list[Resource]]:
    found: dict[IntervalSet, list[Resource]] = {}
    for kind in (FIREWALLS, NICS, LOAD_BALANCERS):
        for resource in graph.of_kind(kind):
            for address in _private_addresses(resource):
                found.setdefault(address, []).append(resource)
    return found


def _holding(graph: Graph, subnets: Subnets, resource: Resource, address: IntervalSet) -> Owner:
    return replace(_owner(graph, subnets, resource), address=address)


def _private_addresses(resource: Resource) -> Iterator[IntervalSet]:
    values = [at(resource.prop("hubIPAddresses"), "privateIPAddress")]
    for member in ("ipConfigurations", "frontendIPConfigurations"):
        rows = items(resource.prop(member))
        values += (
            [at(row, "properties", "privateIPAddress") for row in rows] if isinstance(rows, list) else []
        )
    for value in values:
        if isinstance(value, str) and value:
            try:
                yield parse(value)
            except BadAddressError:
                continue


def _likely(graph: Graph, subnets: Subnets, address: IntervalSet) -> Iterator[Owner]:
    """Firewalls whose own address is not known yet and whose subnet holds the address (F26)."""
    for resource in graph.of_kind(FIREWALLS):
        if next(_private_addresses(resource), None) is not None:
            continue
        owner = _owner(graph, subnets, resource)
        if owner.subnet is None or not owner.subnet.prefixes.sure:
            continue
        if address <= owner.subnet.prefixes.sure:
            yield Owner(
                resource=resource,
                network=owner.network,
                subnet=owner.subnet,
                address=address,
                assumed=LITERAL_READING,
            )


def policy_link(resource: Resource) -> Value:
    """The id of a firewall's policy as given."""
    return get(resource.prop("firewallPolicy"), "id")
