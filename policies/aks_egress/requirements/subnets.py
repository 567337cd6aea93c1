"""Node subnets that are declared without a cluster: a cluster as AKS would make it there."""

from __future__ import annotations

from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Resource
from aks_egress.settings import NodeSubnet
from aks_egress.values import Value

CLUSTERS = "Microsoft.ContainerService/managedClusters"


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
