"""Node subnets that are declared without a cluster: a cluster as AKS would make it there."""

from __future__ import annotations

from collections.abc import Sequence

from aks_egress.arm.graph import Graph
from aks_egress.arm.ids import ResourceId, parse_id
from aks_egress.arm.resources import Document, Kind, Resource
from aks_egress.settings import DeclarationError, NodeSubnet
from aks_egress.values import Unknown, Value

CLUSTERS = "Microsoft.ContainerService/managedClusters"
SUBNETS = "Microsoft.Network/virtualNetworks/subnets"
NETWORKS = "Microsoft.Network/virtualNetworks"


def declared_clusters(documents: Sequence[Document], declared: Sequence[NodeSubnet]) -> Document | None:
    """The stand-ins for declared node subnets as one document; raises DeclarationError for a subnet nobody has."""
    if not declared:
        return None
    graph = Graph(documents)
    resources = tuple(stand_in(one, _subnet(graph, one)) for one in declared)
    return Document(declared[0].source.path or "configuration", Kind.SNAPSHOT, resources)


def _subnet(graph: Graph, declared: NodeSubnet) -> ResourceId:
    given = parse_id(declared.subnet)
    if given is not None:
        return given
    wanted = [part.casefold() for part in declared.subnet.split("/") if part]
    known = [
        *(one.id for one in graph.of_kind(SUBNETS)),
        *(row.id for one in graph.of_kind(NETWORKS) for row in _inline(graph, one)),
    ]
    found = {
        one.key: one for one in known if [name.casefold() for name in one.names][-len(wanted) :] == wanted
    }
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        names = ", ".join(f"`{'/'.join(one.names)}`" for one in found.values())
        raise DeclarationError(
            f"declared node subnet `{declared.subnet}` may be any of {names}; write `network/subnet` or the resource id"
        )
    raise DeclarationError(f"declared node subnet `{declared.subnet}` is not among the inputs")


def _inline(graph: Graph, network: Resource) -> list[Resource]:
    rows = graph.inline(network, SUBNETS)
    return [] if isinstance(rows, Unknown) else rows


def stand_in(declared: NodeSubnet, subnet: ResourceId) -> Resource:
    """A cluster resource with one system pool in the subnet, from what was declared about it."""
    access: dict[str, Value] = {
        "private_link": {"enablePrivateCluster": True},
        "vnet_integration": {"enableVnetIntegration": True},
    }.get(declared.api_access, {})  # type: ignore[assignment]
    properties: dict[str, Value] = {
        "agentPoolProfiles": [{"name": "nodes", "mode": "System", "vnetSubnetID": str(subnet)}],
        "networkProfile": {
            "outboundType": declared.outbound_type or "loadBalancer",
            "networkPlugin": "azure",
        },
        "apiServerAccessProfile": access,
    }
    body: dict[str, Value] = {"properties": properties}
    if declared.location:
        body["location"] = declared.location
    name = declared.name or subnet.name
    scope = subnet.spelling.split("/providers/")[0]
    return Resource(ResourceId.of(scope, CLUSTERS, name), declared.source, body)
