"""The network security groups of a pool's NICs, where a snapshot of the node resource group shows them.

AKS keeps these groups itself (U21); definitions of a cluster never hold them, live state does.  Interfaces of
scale sets are shown with these, those of virtual machines are resources of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from weakref import WeakKeyDictionary

from aks_egress.arm.graph import Graph, Link
from aks_egress.arm.resources import Resource
from aks_egress.topology.clusters import Cluster, Pool
from aks_egress.topology.node_group import as_it_runs, in_node_group, not_read
from aks_egress.topology.owners import NICS
from aks_egress.values import Unknown, at, get, items, text

GROUPS = "Microsoft.Network/networkSecurityGroups"
SCALE_SETS = "Microsoft.Compute/virtualMachineScaleSets"
OF_MACHINES = ("virtualmachines", "availabilityset")
"""Types of pools whose nodes are virtual machines, each by itself."""
POOL_TAGS = ("aks-managed-poolName", "poolName")


def nic_groups(graph: Graph, cluster: Cluster | None, pools: Sequence[Pool]) -> list[Link]:
    """The groups on the NICs of the pools' nodes, each once; none where no picture shows the nodes."""
    if cluster is None:
        return []
    links: list[Link] = []
    for link in (*_of_scale_sets(graph, cluster, pools), *_of_machines(graph, cluster, pools)):
        if not link.absent and not any(link.options == seen.options for seen in links):
            links.append(link)
    return links


def _of_scale_sets(graph: Graph, cluster: Cluster, pools: Sequence[Pool]) -> Iterator[Link]:
    path = ("virtualMachineProfile", "networkProfile", "networkInterfaceConfigurations")
    for scale_set in _of_pools(graph, cluster, {pool.name.casefold() for pool in pools}):
        rows = items(scale_set.prop(*path))
        for row in rows if isinstance(rows, list) else ():
            value = at(row, "properties", "networkSecurityGroup")
            yield graph.link(value, graph.home(scale_set), scale_set.origin)


def _of_machines(graph: Graph, cluster: Cluster, pools: Sequence[Pool]) -> Iterator[Link]:
    """Of pools of virtual machines that run: the groups on interfaces that are shown, else what AKS may have put there."""
    running = as_it_runs(graph, cluster)
    if running is None:
        return
    for pool in pools:
        if _type(pool, running) in OF_MACHINES:
            yield from _of_cards(graph, running, pool) or [_perhaps(graph, running, pool)]


def _type(pool: Pool, running: Resource) -> str:
    """The type of a pool; of one whose definition does not say it, as it runs."""
    said = get(pool.body, "type")
    if said is None:
        rows = items(running.prop("agentPoolProfiles"))
        listed = rows if isinstance(rows, list) else []
        said = get(next((one for one in listed if get(one, "name") == pool.name), None), "type")
    return str(said).casefold()


def _of_cards(graph: Graph, running: Resource, pool: Pool) -> list[Link]:
    """The groups on the interfaces of a pool's machines, which AKS names `aks-<pool>-...`."""
    stem = f"aks-{pool.name.casefold()}-"
    found = []
    for card in in_node_group(graph, running, NICS):
        machine = str(card.prop("virtualMachine", "id")).rsplit("/", 1)[-1]
        if machine.casefold().startswith(stem):
            found.append(graph.link(card.prop("networkSecurityGroup"), graph.home(card), card.origin))
    return found


def _perhaps(graph: Graph, running: Resource, pool: Pool) -> Link:
    """A group of the node resource group, or none: AKS takes no other for its nodes."""
    groups = in_node_group(graph, running, GROUPS)
    lost = not_read(graph, running, GROUPS)
    if lost is None and not groups:
        lost = Unknown(
            f"the nodes of pool {pool.name} are virtual machines whose network interfaces are not shown, and no security group "
            "is shown in the node resource group, so which one is on them is not known",
            running.origin,
            settle="let the node resource group be read as well",
        )
    return Link((*groups, None) if groups else (), lost, running.origin)


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
