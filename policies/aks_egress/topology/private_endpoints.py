"""The private endpoint of a private cluster's API server, where a picture shows it.

AKS makes one named `kube-apiserver` in the node resource group, in a subnet of the nodes, and may move it when
the cluster is stopped and started (Microsoft: aks/private-clusters).  Others that people add lead there too,
but nodes use that one.
"""

from __future__ import annotations

from collections.abc import Iterator

from aks_egress.arm.graph import Graph
from aks_egress.arm.resources import Resource
from aks_egress.packets.addresses import ALL_V4, BadAddressError, parse
from aks_egress.packets.intervals import EMPTY, IntervalSet, union
from aks_egress.records import record
from aks_egress.topology.clusters import Cluster, Subnets
from aks_egress.topology.networks import Subnet
from aks_egress.topology.node_group import as_it_runs, in_node_group
from aks_egress.values import Unknown, Value, at, get, items, text

PRIVATE_ENDPOINTS = "Microsoft.Network/privateEndpoints"
NAME = "kube-apiserver"
_CONNECTIONS = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")


@record(frozen=True, slots=True, kw_only=True)
class ApiEndpoint:
    """Where nodes reach the API server: a subnet, the addresses in it that are known, the state of the connection."""

    resource: Resource
    subnet: Subnet
    addresses: IntervalSet
    state: str


def api_endpoint(graph: Graph, subnets: Subnets, cluster: Cluster) -> ApiEndpoint | None:
    """The API server's private endpoint, None where no picture shows one."""
    running = as_it_runs(graph, cluster)
    found = in_node_group(graph, running, PRIVATE_ENDPOINTS) if running is not None else []
    mine = [one for one in found if running is not None and _leads_to(one, running)]
    shown = next((one for one in mine if one.name.casefold() == NAME), next(iter(mine), None))
    subnet = shown.prop("subnet") if shown is not None else None
    if shown is None or subnet is None:
        return None
    place = shown.place("properties", "subnet")
    return ApiEndpoint(
        resource=shown,
        subnet=subnets.at(subnet, graph.home(shown), place, "subnet of the API server's private endpoint"),
        addresses=_addresses(graph, shown),
        state=_state(shown),
    )


def _leads_to(endpoint: Resource, running: Resource) -> bool:
    """Whether an endpoint of the node resource group is the API server's."""
    services = (str(at(one, "properties", "privateLinkServiceId")) for one in _connections(endpoint))
    return endpoint.name.casefold() == NAME or running.id.key in {one.casefold() for one in services}


def _connections(endpoint: Resource) -> Iterator[Value]:
    for member in _CONNECTIONS:
        rows = items(endpoint.prop(member))
        yield from rows if isinstance(rows, list) else ()


def _state(endpoint: Resource) -> str:
    """The state of the connection, empty where it is not said."""
    path = ("properties", "privateLinkServiceConnectionState", "status")
    states = [text(at(one, *path)) for one in _connections(endpoint)]
    return next((one for one in states if isinstance(one, str)), "")


def _addresses(graph: Graph, endpoint: Resource) -> IntervalSet:
    """Its IPv4 addresses: as it says them itself, as its name resolves, as its interface has them."""
    for spelled in (_own(endpoint), _resolved(endpoint), _of_cards(graph, endpoint)):
        known = union(list(_parsed(spelled))) & ALL_V4
        if known:
            return known
    return EMPTY


def _own(endpoint: Resource) -> Iterator[Value]:
    rows = items(endpoint.prop("ipConfigurations"))
    for row in rows if isinstance(rows, list) else ():
        yield at(row, "properties", "privateIPAddress")


def _resolved(endpoint: Resource) -> Iterator[Value]:
    rows = items(endpoint.prop("customDnsConfigs"))
    for row in rows if isinstance(rows, list) else ():
        addresses = items(get(row, "ipAddresses"))
        yield from addresses if not isinstance(addresses, Unknown) else ()


def _of_cards(graph: Graph, endpoint: Resource) -> Iterator[Value]:
    cards = items(endpoint.prop("networkInterfaces"))
    for row in cards if isinstance(cards, list) else ():
        card = graph.link(row, graph.home(endpoint)).sole
        if card is not None:
            yield from _own(card)


def _parsed(spelled: Iterator[Value]) -> Iterator[IntervalSet]:
    for one in spelled:
        if isinstance(one, str) and one:
            try:
                yield parse(one)
            except BadAddressError:
                continue
