"""AKS clusters as declared: their node pools and the subnets these live in.

Property names as in Microsoft.ContainerService/managedClusters; note `vnetSubnetID` and
`podSubnetID` beside `apiServerAccessProfile.subnetId`.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from aks_egress.arm.graph import Graph, Link
from aks_egress.arm.ids import ResourceId, parse_id
from aks_egress.arm.resources import Document, Resource
from aks_egress.records import field, record, replace
from aks_egress.topology.networks import SUBNETS, Networks, Subnet
from aks_egress.topology.shapes import read_cluster, read_pool
from aks_egress.values import Origin, Unknown, Value, at, flag, get, items, text

CLUSTERS = "Microsoft.ContainerService/managedClusters"
POOLS = "Microsoft.ContainerService/managedClusters/agentPools"
EXTENSIONS = (
    "Microsoft.KubernetesConfiguration/extensions",
    "Microsoft.KubernetesConfiguration/fluxConfigurations",
)


@record(frozen=True, slots=True, kw_only=True)
class Pool:
    """One node pool: `body` holds its properties, `subnet` and `pod_subnet` where its addresses come from.

    `uncertain` says why the pool may not be there although its cluster is.
    """

    name: str
    body: Value
    origin: Origin
    system: bool
    subnet: Subnet
    pod_subnet: Subnet | None
    groups: frozenset[ResourceId] | None
    public_address: bool | Unknown
    uncertain: Unknown | None = None


@record(slots=True)
class Cluster:
    """A cluster with its pools, as the walk needs it.

    `api_subnet` is the API server's subnet as named, `api_home` where an API server that joins the
    network would be: that subnet, one that AKS makes, or one that nobody can name; None where it does not join.
    """

    resource: Resource
    document: Document
    pools: list[Pool]
    pools_gap: Unknown | None
    api_subnet: Subnet | None
    api_home: Subnet | None
    extensions: list[Resource] = field(default_factory=list)

    @property
    def outbound_type(self) -> str | Unknown:
        """`networkProfile.outboundType`, loadBalancer where nothing is said."""
        value = text(at(self.resource.get("properties"), "networkProfile", "outboundType"))
        return value if isinstance(value, Unknown) else (value or "loadBalancer")

    @property
    def location(self) -> str:
        """The location as given, empty where it is not known."""
        value = text(self.resource.get("location"))
        return value if isinstance(value, str) else ""

    @property
    def system_pools(self) -> list[Pool]:
        """The pools where the tunnel's agents run: system pools, or all where none says it is one."""
        return [pool for pool in self.pools if pool.system] or self.pools

    def subnets(self) -> list[Subnet]:
        """The distinct node subnets in the order of the pools."""
        return distinct(pool.subnet for pool in self.pools)


def distinct(subnets: object) -> list[Subnet]:
    """Each subnet once, in order."""
    out: list[Subnet] = []
    for subnet in subnets:  # type: ignore[attr-defined]
        if subnet is not None and not any(subnet is seen for seen in out):
            out.append(subnet)
    return out


class Subnets:
    """Every subnet of a run, each made once, so that two pools in one subnet share it."""

    def __init__(self, networks: Networks) -> None:
        self.networks = networks
        self.graph = networks.graph
        self._made: dict[object, Subnet] = {}

    def of(self, resource: Resource) -> Subnet:
        """The subnet of a subnet resource."""
        key = id(resource)
        if key not in self._made:
            above = resource.id.parent
            network_link = self.graph.find(above, self.graph.home(resource)) if above else Link(())
            network = self.networks.of(network_link.sole, above)
            self._made[key] = Subnet(self.graph, network, resource, name=resource.name)
        return self._made[key]

    def at(self, value: Value, near: Document, origin: Origin, what: str) -> Subnet:
        """The subnet that a property names; one that is unknown says why."""
        link = self.graph.link(value, near, origin)
        if link.sole is not None and link.sole.kind == SUBNETS.casefold():
            return self.of(link.sole)
        return self._lost(value, link, near, what)

    def _lost(self, value: Value, link: Link, near: Document, what: str) -> Subnet:
        wanted = parse_id(get(value, "id") if isinstance(value, dict) else value)
        names = [one.label for one in link.resources]
        why = link.unknown or Unknown(
            f"the {what} is one of {', '.join(names)}" if names else f"the {what} is not known"
        )
        if wanted is not None and wanted.kind != SUBNETS.casefold():
            why = Unknown(f"the {what} is given as `{wanted}`, which is no subnet")
            wanted = None
        key = (id(near), wanted.key if wanted else value if isinstance(value, Unknown) else str(value))
        if key not in self._made:
            above = wanted.parent if wanted else None
            network_link = self.graph.find(above, near) if above else Link(())
            network = self.networks.of(network_link.sole, above)
            label = wanted.name if wanted else f"{what} that is not known"
            self._made[key] = Subnet(self.graph, network, None, name=label, near=near, unknown=why)
        return self._made[key]

    def managed(self, cluster: Resource) -> Subnet:
        """The subnet that AKS makes itself for a cluster that names none."""
        key = ("managed", id(cluster))
        if key not in self._made:
            network = self.networks.of(None, None)
            self._made[key] = Subnet(self.graph, network, None, name="made by AKS", managed=True)
        return self._made[key]


def cluster(graph: Graph, subnets: Subnets, resource: Resource) -> Cluster:
    """Read a cluster with its pools, inline ones and resources of their own."""
    read_cluster(resource)
    document = graph.home(resource)
    pools, gap = _pools(graph, subnets, resource)
    if gap is None and not pools:
        gap = Unknown(
            "the definition names no node pool", resource.origin, settle="give the node pools as well"
        )
    if gap is not None:
        pools.append(_unseen(graph, subnets, resource, gap))
    profile = resource.prop("apiServerAccessProfile")
    named = at(profile, "subnetId")
    place = resource.place("properties", "apiServerAccessProfile", "subnetId")
    api_subnet = subnets.at(named, document, place, "API server subnet") if named else None
    extensions = _extensions(graph, resource.id)
    home = api_subnet or _api_home(subnets, resource, pools, document)
    return Cluster(resource, document, pools, gap, api_subnet, home, extensions)


def _api_home(subnets: Subnets, resource: Resource, pools: list[Pool], document: Document) -> Subnet | None:
    """Where the API server would be that names no subnet: AKS makes one only in a network that it makes."""
    if _joins(resource) is False:
        return None
    if all(pool.subnet.managed for pool in pools):
        return subnets.managed(resource)
    place = resource.place("properties", "apiServerAccessProfile")
    why = "the cluster names no subnet for its API server"
    unknown = Unknown(why, place, settle="give apiServerAccessProfile.subnetId")
    return subnets.at(unknown, document, place, "API server subnet")


def _joins(resource: Resource) -> bool | Unknown:
    """Whether the API server joins the network, as AKS Automatic's does where nothing is said."""
    sku = text(resource.get("sku", "name"))
    automatic = sku if isinstance(sku, Unknown) else (sku or "").casefold() == "automatic"
    said = resource.prop("apiServerAccessProfile", "enableVnetIntegration")
    return automatic if said is None else flag(said, default=False)


#: names of a cluster, lower case -> its extensions with the id of what they extend
_EXTENDING: WeakKeyDictionary[Graph, dict[tuple[str, ...], list[tuple[ResourceId, Resource]]]] = (
    WeakKeyDictionary()
)


def _extensions(graph: Graph, cluster_id: ResourceId) -> list[Resource]:
    """The extensions of a cluster: their ids continue its own."""
    if graph not in _EXTENDING:
        found: dict[tuple[str, ...], list[tuple[ResourceId, Resource]]] = {}
        for one in (row for kind in EXTENSIONS for row in graph.of_kind(kind)):
            extended = parse_id(f"/{one.id.scope}")
            if extended is not None:
                found.setdefault(_names(extended), []).append((extended, one))
        _EXTENDING[graph] = found
    named = _EXTENDING[graph].get(_names(cluster_id), ())
    return [one for extended, one in named if extended.could_be(cluster_id)]


def _names(resource_id: ResourceId) -> tuple[str, ...]:
    return tuple(name.casefold() for name in resource_id.names)


def _pools(graph: Graph, subnets: Subnets, resource: Resource) -> tuple[list[Pool], Unknown | None]:
    rows = items(resource.prop("agentPoolProfiles"))
    gap = rows if isinstance(rows, Unknown) else None
    inline: list[Pool] = []
    for i, row in enumerate(() if isinstance(rows, Unknown) else rows):
        place = ("properties", "agentPoolProfiles", i)
        if isinstance(row, Unknown):
            gap = row
            continue
        if _deleted(graph, resource, row):
            continue
        inline.append(_pool(graph, subnets, resource, row, resource, place))
    children, more = graph.children(resource, POOLS)
    for child in children:
        read_pool(child)
    apart = [
        _pool(graph, subnets, child, child.get("properties"), resource, ("properties",), child.name)
        for child in children
    ]
    replaced = {pool.name.casefold() for pool in apart}
    pools = [pool for pool in inline if pool.name.casefold() not in replaced] + apart
    beside = _left_running(graph, subnets, resource, {pool.name.casefold() for pool in pools})
    return _beside_the_first([*pools, *beside]), gap or more


def _deleted(graph: Graph, resource: Resource, row: Value) -> bool:
    """Whether a plan deletes a pool of a cluster that runs, or defines it anew."""
    name = text(get(row, "name"))
    if not graph.home(resource).runs or not isinstance(name, str) or "/" in name:
        return False
    return graph.taken_over(resource.id.child("agentPools", name))


def _left_running(graph: Graph, subnets: Subnets, resource: Resource, named: set[str]) -> list[Pool]:
    """Pools that run and that a cluster's definition does not name: it never takes one away."""
    found: dict[str, Pool] = {}
    for running in graph.left_running(resource):
        rows = items(running.prop("agentPoolProfiles"))
        for i, row in enumerate(() if isinstance(rows, Unknown) else rows):
            name = text(get(row, "name"))
            if not isinstance(name, str) or name.casefold() in named or "/" in name:
                continue
            if not graph.taken_over(resource.id.child("agentPools", name)):
                place = ("properties", "agentPoolProfiles", i)
                found.setdefault(name.casefold(), _pool(graph, subnets, running, row, resource, place))
    return list(found.values())


def _beside_the_first(pools: list[Pool]) -> list[Pool]:
    """AKS puts pools that name no subnet into the cluster's, which its first pool names.

    Source: hashicorp/terraform-provider-azurerm issues 8297 and 8662.
    """
    named = next((pool.subnet for pool in pools if not pool.subnet.managed), None)
    if named is None:
        return pools
    return [replace(pool, subnet=named) if pool.subnet.managed else pool for pool in pools]


def _unseen(graph: Graph, subnets: Subnets, resource: Resource, gap: Unknown) -> Pool:
    """What stands for pools that there may be beside the known ones: nothing about it is known."""
    why = Unknown(f"which node pools there are is not known: {gap.why}", gap.origin, settle=gap.settle)
    name = "pools that are not known"
    subnet = subnets.at(why, graph.home(resource), resource.origin, f"subnet of {name}")
    return Pool(
        name=name,
        body=why,
        origin=resource.origin,
        system=True,
        subnet=subnet,
        pod_subnet=None,
        groups=None,
        public_address=why,
    )


def _pool(
    graph: Graph,
    subnets: Subnets,
    holder: Resource,
    body: Value,
    cluster_resource: Resource,
    place: tuple[str | int, ...],
    name: str = "",
) -> Pool:
    near = graph.home(holder)
    spelled = text(get(body, "name"))
    named = name or (spelled if isinstance(spelled, str) else "a pool whose name is not known")
    node, pod = get(body, "vnetSubnetID"), get(body, "podSubnetID")
    subnet = (
        subnets.at(node, near, holder.place(*place, "vnetSubnetID"), f"subnet of pool {named}")
        if node
        else subnets.managed(cluster_resource)
    )
    mode = text(get(body, "mode"))
    # a pool of which nobody can say whether it is a system pool may run the tunnel's agents
    system = isinstance(mode, Unknown) or (mode or "").casefold() == "system"
    return Pool(
        name=named,
        body=body,
        origin=holder.place(*place),
        system=system,
        subnet=subnet,
        pod_subnet=subnets.at(pod, near, holder.place(*place, "podSubnetID"), f"pod subnet of pool {named}")
        if pod
        else None,
        groups=_groups(at(body, "networkProfile", "applicationSecurityGroups")),
        public_address=flag(get(body, "enableNodePublicIP"), False),
        uncertain=holder.uncertain if holder is not cluster_resource else None,
    )


def _groups(value: Value) -> frozenset[ResourceId] | None:
    """The application security groups of a pool's nodes; None where they are not known."""
    rows = items(value)
    if isinstance(rows, Unknown):
        return None
    ids = [parse_id(get(row, "id") if isinstance(row, dict) else row) for row in rows]
    return None if None in ids else frozenset(one for one in ids if one is not None)
