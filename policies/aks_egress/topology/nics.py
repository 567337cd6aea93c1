"""The network security groups of a pool's NICs, where a snapshot of the node resource group shows them.

AKS keeps these groups itself (U21); definitions of a cluster never hold them, live state does.
"""

from __future__ import annotations

from collections.abc import Sequence

from aks_egress.arm.graph import Graph, Link
from aks_egress.arm.resources import Resource
from aks_egress.topology.clusters import Cluster, Pool
from aks_egress.values import Unknown, at, items, text

SCALE_SETS = "Microsoft.Compute/virtualMachineScaleSets"
POOL_TAGS = ("aks-managed-poolName", "poolName")


def nic_groups(graph: Graph, cluster: Cluster | None, pools: Sequence[Pool]) -> list[Link]:
    """The groups on the NICs of the pools' scale sets, each once; none where no scale set is among the inputs."""
    if cluster is None:
        return []
    names = {pool.name.casefold() for pool in pools}
    links: list[Link] = []
    for scale_set in graph.of_kind(SCALE_SETS):
        if not _belongs(scale_set, cluster, names):
            continue
        path = ("virtualMachineProfile", "networkProfile", "networkInterfaceConfigurations")
        rows = items(scale_set.prop(*path))
        for row in rows if isinstance(rows, list) else ():
            value = at(row, "properties", "networkSecurityGroup")
            link = graph.link(value, graph.home(scale_set), scale_set.origin)
            if not link.absent and not any(link.options == seen.options for seen in links):
                links.append(link)
    return links


def _belongs(scale_set: Resource, cluster: Cluster, names: set[str]) -> bool:
    pool = next(
        (text(scale_set.get("tags", tag)) for tag in POOL_TAGS if scale_set.get("tags", tag) is not None),
        None,
    )
    if isinstance(pool, Unknown) or pool is None or pool.casefold() not in names:
        return False
    group = text(cluster.resource.prop("nodeResourceGroup"))
    scope = scale_set.id.scope.split("/")
    home = scope[-1] if "resourcegroups" in scope else ""
    return not isinstance(group, str) or home.startswith("{") or home == group.casefold()
