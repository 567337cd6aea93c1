"""Clusters for the tests about requirements, from a few properties each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Document, Kind, Resource
from aks_egress.packets.tags import ServiceTags
from aks_egress.requirements.binding import requirements
from aks_egress.requirements.facts import Facts, facts_of
from aks_egress.requirements.requirement import Requirement
from aks_egress.requirements.tunnel import tunnel_mode
from aks_egress.topology.clusters import Cluster
from aks_egress.topology.model import Topology
from aks_egress.values import Origin, Unknown, Value

SCOPE = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/net"
AKS = "Microsoft.ContainerService/managedClusters"
EXTENSIONS = "Microsoft.KubernetesConfiguration/extensions"


def extension(kind: str | Unknown, *, plan: Value = None, uncertain: Unknown | None = None) -> dict[str, Any]:
    """What `cluster` makes an extension of: its type, the plan of a marketplace one, whether it is certain."""
    return {"kind": kind, "plan": plan, "uncertain": uncertain}


def cluster(
    properties: Mapping[str, Any],
    *,
    location: Value = "westeurope",
    sku: str = "Base",
    api_version: str = "2025-05-01",
    extensions: Sequence[Mapping[str, Any]] = (),
    unread: Mapping[str, Unknown] | None = None,
    beside: Sequence[Resource] = (),
) -> Cluster:
    """A cluster with one pool; keys are paths (`networkProfile.podCidr`), `pool.x` belongs to the pool."""
    body: dict[str, Any] = {"agentPoolProfiles": [{"name": "pool", "mode": "System"}]}
    for path, value in properties.items():
        _put(
            body["agentPoolProfiles"][0] if path.startswith("pool.") else body,
            path.removeprefix("pool."),
            value,
        )
    identity = ResourceId.of(SCOPE, AKS, "aks")
    whole: dict[str, Value] = {"location": location, "sku": {"name": sku}, "properties": body}
    resources = [Resource(identity, Origin("aks.json"), whole, api_version=api_version), *beside]
    for i, one in enumerate(extensions):
        given: dict[str, Value] = {"properties": {"extensionType": one["kind"]}, "plan": one["plan"]}
        extension_id = ResourceId.of(str(identity), EXTENSIONS, f"extension{i}")
        resources.append(Resource(extension_id, Origin("aks.json"), given, uncertain=one["uncertain"]))
    document = Document("aks.json", Kind.ARM_TEMPLATE, tuple(resources), unread=unread or {})
    return Topology([document], ServiceTags()).clusters()[0]


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    *above, last = path.split(".")
    for name in above:
        body = body.setdefault(name, {})
    body[last] = value


def bound(facts: Facts) -> list[Requirement]:
    """What a cluster needs, with the tunnel that its facts speak for."""
    return requirements(facts, tunnel_mode(facts, facts.tunnel))


def needs(properties: Mapping[str, Any] | None = None, **options: Any) -> list[Requirement]:
    """What a cluster with these properties needs; `options` are those of `facts_of`, and its `location`."""
    made = cluster(properties or {}, location=options.pop("location", "westeurope"))
    return bound(facts_of(made, **({"cloud": "", "features": []} | options)))


def the(found: Sequence[Requirement], entry_id: str) -> Requirement:
    """The one requirement of an entry."""
    matching = [one for one in found if one.id == entry_id]
    assert len(matching) == 1, [one.id for one in found]
    return matching[0]
