"""The network security groups of a pool's NICs, where a snapshot of the node resource group shows them.

AKS keeps these groups itself (U21); definitions of a cluster never hold them, live state does.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from weakref import WeakKeyDictionary

from aks_egress.arm.graph import Graph, Link
from aks_egress.arm.resources import Resource
from aks_egress.topology.clusters import Cluster, Pool
from aks_egress.values import at, items, text

SCALE_SETS = "Microsoft.Compute/virtualMachineScaleSets"
POOL_TAGS = ("aks-managed-poolName", "poolName")


def nic_groups(graph: Graph, cluster: Cluster | None, pools: Sequence[Pool]) -> list[Link]:
    """The groups on the NICs of the pools' scale sets, each once; none where no scale set is among the inputs."""
    if cluster is None:
        return []
    links: list[Link] = []
    for scale_set in _of_pools(graph, cluster, {pool.name.casefold() for pool in pools}):
        path = ("virtualMachineProfile", "networkProfile", "networkInterfaceConfigurations")
        rows = items(scale_set.prop(*path))
        for row in rows if isinstance(rows, list) else ():
            value = at(row, "properties", "networkSecurityGroup")
            link = graph.link(value, graph.home(scale_set), scale_set.origin)
            if not link.absent and not any(link.options == seen.options for seen in links):
                links.append(link)
    return links


#: pool name -> resource group -> (place in the inputs, scale set); a fleet has thousands, a cluster a few
_Index = dict[str, dict[str, list[tuple[int, Resource]]]]
_INDEXES: WeakKeyDictionary[Graph, _Index] = WeakKeyDictionary()


def _of_pools(graph: Graph, cluster: Cluster, names: set[str]) -> list[Resource]:
    """The scale sets of a cluster's pools, in the order of the inputs."""
    if graph not in _INDEXES:
        _INDEXES[graph] = _indexed(graph)
    group = text(cluster.resource.prop("nodeResourceGroup"))
    found: list[tuple[int, Resource]] = []
    for name in names:
        homes = _INDEXES[graph].get(name, {})
        if not isinstance(group, str):
            found += [one for several in homes.values() for one in several]
            continue
        found += [*homes.get(group.casefold(), ()), *homes.get(_ANYWHERE, ())]
    mine = _subscription(cluster.resource)
    return [one for _, one in sorted(found, key=itemgetter(0)) if _same(mine, _subscription(one))]


_ANYWHERE = "{"
"""Where a resource group is not known."""


def _indexed(graph: Graph) -> _Index:
    index: _Index = {}
    for place, scale_set in enumerate(graph.of_kind(SCALE_SETS)):
        tags = (scale_set.get("tags", tag) for tag in POOL_TAGS)
        pool = text(next((tag for tag in tags if tag is not None), None))
        if isinstance(pool, str):
            scope = scale_set.id.scope.split("/")
            home = scope[-1] if "resourcegroups" in scope else ""
            homes = index.setdefault(pool.casefold(), {})
            homes.setdefault(_ANYWHERE if home.startswith("{") else home, []).append((place, scale_set))
    return index


def _subscription(resource: Resource) -> str:
    """The subscription in an id, lower case; empty where none is said."""
    scope = resource.id.scope.split("/")
    return scope[1] if len(scope) > 1 and scope[0] == "subscriptions" else ""


def _same(one: str, other: str) -> bool:
    """Whether two subscriptions may be one: names of node resource groups are unique in each alone."""
    return one == other or not one or not other or one.startswith("{") or other.startswith("{")
