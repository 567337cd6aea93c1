"""What AKS keeps in a cluster's node resource group, where a picture of what runs shows it.

Definitions of a cluster never hold these resources (U21): its load balancer, the security group of its
nodes, the private endpoint of its API server, the network of clusters that name none.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from aks_egress.arm.graph import Graph
from aks_egress.arm.resources import Document, Kind, Resource
from aks_egress.topology.clusters import Cluster
from aks_egress.values import Unknown, text

#: type -> resource group (lower case, as in the scope of an id) -> its resources; a fleet has thousands
_Index = dict[str, dict[str, list[Resource]]]
_INDEXES: WeakKeyDictionary[Graph, _Index] = WeakKeyDictionary()


def is_picture(document: Document) -> bool:
    """Whether a document shows what Azure runs, and not only what one tool made of it."""
    return document.deployed and document.kind in (Kind.LIVE, Kind.SNAPSHOT)


def as_it_runs(graph: Graph, cluster: Cluster) -> Resource | None:
    """The cluster as a picture shows it, itself or what a definition is laid over; None where none does."""
    if is_picture(graph.home(cluster.resource)):
        return cluster.resource
    found = [one for one in graph.left_running(cluster.resource) if is_picture(graph.home(one))]
    return found[0] if len(found) == 1 else None


def node_group(running: Resource) -> str:
    """The scope of the node resource group of a cluster that runs; empty where it is not known."""
    name = text(running.prop("nodeResourceGroup"))
    parts = running.id.scope.split("/")
    if not isinstance(name, str) or len(parts) < 2:
        return ""
    return f"subscriptions/{parts[1]}/resourcegroups/{name.casefold()}"


def in_node_group(graph: Graph, running: Resource, kind: str) -> list[Resource]:
    """The resources of a type in the node resource group, in the order of the inputs."""
    kinds = _INDEXES.setdefault(graph, {})
    if kind not in kinds:
        kinds[kind] = _by_group(graph, kind)
    return kinds[kind].get(node_group(running), [])


def not_read(graph: Graph, running: Resource, kind: str) -> Unknown | None:
    """Why the picture may lack resources of a type, None where it says nothing of it."""
    unread = graph.home(running).unread
    return unread.get(kind.casefold()) or unread.get("*")


def _by_group(graph: Graph, kind: str) -> dict[str, list[Resource]]:
    found: dict[str, list[Resource]] = {}
    for one in graph.of_kind(kind):
        found.setdefault(one.id.scope, []).append(one)
    return found
