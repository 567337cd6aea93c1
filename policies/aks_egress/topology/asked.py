"""For which networks a picture was asked which admin rules are in effect: those of its own clusters.

So where it shows none for them, there are none; of other networks it says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary

from aks_egress.arm.graph import Graph
from aks_egress.arm.ids import ResourceId, parse_id
from aks_egress.arm.resources import Resource
from aks_egress.topology.clusters import CLUSTERS, Cluster
from aks_egress.topology.networks import SUBNETS, VirtualNetwork
from aks_egress.topology.node_group import is_picture
from aks_egress.values import at, get, items

_ASKED: WeakKeyDictionary[Graph, dict[str, ResourceId]] = WeakKeyDictionary()


def admin_rules_asked(graph: Graph, cluster: Cluster) -> bool:
    """Whether the admin rules in effect over every network of a cluster were asked for."""
    if is_picture(cluster.document):
        return True
    networks = {id(one.network): one.network for one in cluster.subnets()}
    return bool(networks) and all(_was_asked(graph, one) for one in networks.values())


def _was_asked(graph: Graph, network: VirtualNetwork) -> bool:
    if graph not in _ASKED:
        _ASKED[graph] = {one.key: one for one in _asked(graph)}
    known = _ASKED[graph]
    if network.id is None:
        return False
    return network.id.key in known or any(network.is_(one) for one in known.values())


def _asked(graph: Graph) -> Iterator[ResourceId]:
    """The networks of the clusters that pictures show."""
    for document in graph.documents:
        for cluster in (
            graph.index(document).by_kind.get(CLUSTERS.casefold(), ()) if is_picture(document) else ()
        ):
            for subnet in _subnets(cluster):
                if subnet.kind == SUBNETS.casefold() and subnet.parent is not None:
                    yield subnet.parent


def _subnets(cluster: Resource) -> Iterator[ResourceId]:
    rows = items(cluster.prop("agentPoolProfiles"))
    listed = rows if isinstance(rows, list) else []
    named = [get(row, name) for row in listed for name in ("vnetSubnetID", "podSubnetID")]
    named.append(at(cluster.prop("apiServerAccessProfile"), "subnetId"))
    yield from (one for value in named if (one := parse_id(value)) is not None)
