"""From a requirement and a place where it starts to the packets that are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from aks_egress.arm.ids import ResourceId
from aks_egress.evaluation.demand import Demand
from aks_egress.evaluation.outbound import Start
from aks_egress.packets.addresses import ALL_V4, NEVER_INTERNET, PUBLIC_V4, BadAddressError, parse, prefixes
from aks_egress.packets.boxes import ANY_PORT, EPHEMERAL, ICMP, WITH_PORTS, Box
from aks_egress.packets.extents import Extent
from aks_egress.packets.intervals import IntervalSet, union
from aks_egress.packets.tags import ServiceTags
from aks_egress.records import replace
from aks_egress.requirements.requirement import Requirement
from aks_egress.topology.clusters import Cluster, Pool, distinct
from aks_egress.topology.model import Topology
from aks_egress.topology.networks import Subnet
from aks_egress.topology.own_addresses import led_straight
from aks_egress.topology.private_endpoints import api_endpoint
from aks_egress.topology.reading import tokens
from aks_egress.values import Unknown, Value, at, text

FIRST_SUBNET = "the API server's private endpoint is not among the inputs; it is taken to stand in the first pool's subnet, where AKS puts it"
GIVEN = "the API server is taken to be at {}, the address that was given for it"
DEFAULT_POD_CIDR = "10.244.0.0/16"
_NUMBERS = {"TCP": IntervalSet.single(6), "UDP": IntervalSet.single(17), "ICMP": IntervalSet.single(ICMP)}


def starts(cluster: Cluster, requirement: Requirement) -> list[Start]:
    """The subnets where flows of a requirement begin: of nodes, and of pods that have their own."""
    if requirement.sources == {"api-server"}:
        return [Start(subnet=cluster.api_home, cluster=cluster)] if cluster.api_home is not None else []
    pools = cluster.system_pools if requirement.agents_only else cluster.pools
    if requirement.pools is not None:
        wanted = {name.casefold() for name in requirement.pools}
        pools = [pool for pool in pools if pool.name.casefold() in wanted]
    found: list[tuple[Subnet, Pool]] = []
    for pool in pools:
        apart = pool.pod_subnet is not None and "pod" in requirement.sources
        if "node" in requirement.sources or not apart:
            found.append((pool.subnet, pool))
        if apart and pool.pod_subnet is not None:
            found.append((pool.pod_subnet, pool))
    return _grouped(cluster, found)


def _grouped(cluster: Cluster, found: Iterable[tuple[Subnet, Pool]]) -> list[Start]:
    """Pools of one subnet together, where nothing that decides tells them apart."""
    groups: dict[tuple[object, ...], tuple[Subnet, list[Pool]]] = {}
    for subnet, pool in found:
        public = pool.public_address if isinstance(pool.public_address, bool) else None
        groups.setdefault((id(subnet), pool.groups, public), (subnet, []))[1].append(pool)
    return [Start(subnet=subnet, cluster=cluster, pools=tuple(pools)) for subnet, pools in groups.values()]


def demands(
    requirement: Requirement, start: Start, topology: Topology, api_server_address: str = ""
) -> list[Demand]:
    """What a requirement asks of one start: several demands must all be met."""
    if requirement.kind == "subnet" and start.cluster is not None:
        return _inside(requirement, start, start.cluster, topology, api_server_address)
    base = _base(requirement, start)
    if requirement.via_proxy and start.cluster is not None:
        return [_to_proxy(base, start, start.cluster, topology)]
    literal = _literal(
        (api_server_address,) if api_server_address and _to_api_server(requirement) else requirement.addresses
    )
    if literal:
        target = None if requirement.platform_tag else _holder(topology, start, literal)
        lies_in = requirement.lies_in[0] if requirement.lies_in else ""
        return [replace(base, boxes=_boxes(requirement, start, literal), target=target, lies_in=lies_in)]
    if requirement.kind == "ip":
        # an address inside the network that the definition does not give: it can be anywhere
        return [replace(base, boxes=_boxes(requirement, start, ALL_V4), somewhere=True)]
    own, assumptions = _own(topology, start)
    return [
        replace(
            base,
            boxes=_boxes(requirement, start, _without(_somewhere(tag, topology.tags), own)),
            somewhere=True,
            lies_in=tag,
            assumptions=assumptions,
        )
        for tag in requirement.lies_in or ("",)
    ]


def _own(topology: Topology, start: Start) -> tuple[IntervalSet, tuple[str, ...]]:
    """Addresses that are no endpoint of anybody else, and what that rests on (R18)."""
    known = topology.own_addresses
    led = led_straight([topology.table(one) for one in start.subnet.route_table.resources])
    taken = led - known
    if not taken:
        return known | led, ()
    said = (
        f"{', '.join(prefixes(taken))}, which a route leads straight to the Internet beside the default route, is taken to be "
        "an address of one's own, as in Microsoft's example, and not the API server's or another endpoint's"
    )
    return known | led, (said,)


def _to_api_server(requirement: Requirement) -> bool:
    return requirement.towards == "" and (requirement.mutual_tls or requirement.role == "tunnel")


def _base(requirement: Requirement, start: Start) -> Demand:
    return Demand(
        boxes=(),
        name=requirement.name,
        layer7=requirement.layer7,
        in_fqdn_tag=requirement.in_fqdn_tag,
        mutual_tls=requirement.mutual_tls,
        platform_tag=requirement.platform_tag,
        source_groups=_groups(start.pools),
        source_somewhere=_members(start.subnet)[1],
        perhaps=_perhaps(start.pools),
    )


def _perhaps(pools: Sequence[Pool]) -> Unknown | None:
    """Why none of the pools may be there, None where one certainly is."""
    said = [pool.uncertain for pool in pools]
    return said[0] if said and None not in said else None


def _groups(pools: Sequence[Pool]) -> frozenset[ResourceId] | None:
    return pools[0].groups if pools else frozenset()


def _members(subnet: Subnet) -> tuple[IntervalSet, bool]:
    """A subnet's IPv4 addresses; where they are not known, all it could have, of which it has some."""
    sure = subnet.prefixes.sure & ALL_V4
    if sure and subnet.prefixes_unknown is None:
        return sure, False
    return (subnet.prefixes.possible & ALL_V4) or NEVER_INTERNET, True


def _boxes(
    requirement: Requirement, start: Start, target: IntervalSet, source: IntervalSet | None = None
) -> tuple[Box, ...]:
    protocol = _NUMBERS.get(requirement.protocol, WITH_PORTS)
    port = IntervalSet.of(requirement.ports)
    if requirement.protocol == "ICMP":
        return (Box(source or _members(start.subnet)[0], target, protocol, ANY_PORT, ANY_PORT),)
    return (Box(source or _members(start.subnet)[0], target, protocol, EPHEMERAL, port),)


def _somewhere(tag: str, tags: ServiceTags) -> IntervalSet:
    """Where one address of a tag can be: its prefixes, or any public address without data."""
    members = tags.prefixes(tag) if tag else None
    known = members & ALL_V4 if members is not None else None
    return known or PUBLIC_V4


@lru_cache(maxsize=64)
def _without(target: IntervalSet, own: IntervalSet) -> IntervalSet:
    """One object for all flows to the same addresses: a fleet keeps thousands of them."""
    return target - own


def _literal(addresses: Iterable[str]) -> IntervalSet | None:
    found = []
    for one in addresses:
        try:
            found.append(parse(one))
        except BadAddressError:
            continue
    return union(found) if found else None


def _holder(topology: Topology, start: Start, literal: IntervalSet) -> Subnet | None:
    """The subnet that holds a private address, where that is known: its security group decides too."""
    network = topology.network_of_address(start.subnet.network, literal.first)
    subnet = topology.subnet_of_address(network, literal.first) if network is not None else None
    if subnet is None or subnet.name.casefold() == "azurefirewallsubnet":
        return None
    return subnet


def _inside(
    requirement: Requirement, start: Start, cluster: Cluster, topology: Topology, given: str
) -> list[Demand]:
    base = _base(requirement, start)
    if requirement.towards == "pod":
        return _to_pods(requirement, start, cluster, base)
    if requirement.towards == "api-server":
        return [_to_own_subnet(requirement, start, base, cluster.api_home, given)] if cluster.api_home else []
    if requirement.towards == "private-endpoint":
        return [_to_endpoint(requirement, start, cluster, base, topology, given)]
    out = []
    for target in _grouped(cluster, [(pool.subnet, pool) for pool in cluster.pools]):
        demand = _to_subnet(requirement, start, base, target.subnet)
        out.append(_towards(demand, target.pools))
    return out


def _to_subnet(requirement: Requirement, start: Start, base: Demand, target: Subnet) -> Demand:
    members, some = _members(target)
    return replace(
        base, boxes=_boxes(requirement, start, members), somewhere=some, target=target, name="", layer7=""
    )


def _to_own_subnet(requirement: Requirement, start: Start, base: Demand, home: Subnet, given: str) -> Demand:
    """To the subnet of an API server with VNet integration; to its very address, where one of that subnet is given."""
    demand = _to_subnet(requirement, start, base, home)
    literal = _literal((given,))
    known = literal is not None and literal <= home.prefixes.sure
    return _at_address(requirement, start, demand, literal, given) if literal and known else demand


def _at_address(
    requirement: Requirement, start: Start, demand: Demand, literal: IntervalSet, given: str
) -> Demand:
    """The demand to one address that was given: nothing about it is "somewhere in" any more."""
    boxes = _boxes(requirement, start, literal)
    return replace(
        demand, boxes=boxes, somewhere=False, assumptions=(*demand.assumptions, GIVEN.format(given))
    )


def _to_endpoint(
    requirement: Requirement, start: Start, cluster: Cluster, base: Demand, topology: Topology, given: str
) -> Demand:
    """To the API server's private endpoint: at the address that is given, where it stands, else where AKS puts it."""
    known = api_endpoint(topology.graph, topology.subnets, cluster)
    literal = _literal((given,))
    holder = _holder(topology, start, literal) if literal is not None else None
    if literal is not None and holder is not None:
        # it moves when the cluster is stopped and started, so another one's connection says nothing of it
        same = known is not None and literal <= (known.addresses or known.subnet.prefixes.sure)
        demand = _at_address(requirement, start, _to_subnet(requirement, start, base, holder), literal, given)
        return replace(demand, endpoint=True, connection=known.state if known and same else "")
    if known is None:
        home = cluster.pools[0].subnet if cluster.pools else start.subnet
        demand = _to_subnet(requirement, start, base, home)
        assumed = (*demand.assumptions, FIRST_SUBNET)
        return replace(demand, somewhere=True, endpoint=True, assumptions=assumed)
    demand = _to_subnet(requirement, start, base, known.subnet)
    if known.addresses:
        demand = replace(demand, boxes=_boxes(requirement, start, known.addresses))
    some = known.addresses.size != 1
    return replace(demand, somewhere=some, endpoint=True, connection=known.state)


def _to_pods(requirement: Requirement, start: Start, cluster: Cluster, base: Demand) -> list[Demand]:
    """Pods: in subnets of their own, in the node subnets, or behind an address range of the overlay."""
    out: list[Demand] = []
    apart = [pool.pod_subnet for pool in cluster.pools if pool.pod_subnet is not None]
    for subnet in distinct(apart):
        demand = _to_subnet(requirement, start, base, subnet)
        pools = [pool for pool in cluster.pools if pool.pod_subnet is subnet]
        out.append(replace(demand, perhaps=demand.perhaps or _perhaps(pools)))
    if len(apart) == len(cluster.pools):
        return out
    cidr = pod_range(cluster)
    for target in _grouped(
        cluster, [(pool.subnet, pool) for pool in cluster.pools if pool.pod_subnet is None]
    ):
        if cidr is None:
            demand = _to_subnet(requirement, start, base, target.subnet)
        else:
            demand = _to_range(requirement, start, base, target.subnet, cidr)
        out.append(_towards(demand, target.pools))
    return out


def _towards(demand: Demand, pools: Sequence[Pool]) -> Demand:
    """The demand as it goes to the nodes of pools, or to the pods on them."""
    return replace(demand, target_groups=_groups(pools), perhaps=demand.perhaps or _perhaps(pools))


def _to_range(requirement: Requirement, start: Start, base: Demand, target: Subnet, cidr: Extent) -> Demand:
    """To pods of an address range of their own; one that is not known may be any part of it, or none."""
    source = cidr.possible if requirement.sources == {"pod"} else None
    return replace(
        base,
        boxes=_boxes(requirement, start, cidr.possible, source),
        target=target,
        overlay=True,
        somewhere=not cidr.known,
        source_somewhere=base.source_somewhere or (source is not None and not cidr.known),
        name="",
        layer7="",
    )


def pod_range(cluster: Cluster) -> Extent | None:
    """The pods' own IPv4 range (CNI overlay, kubenet), None where pods have addresses of a subnet.

    Where the network plugin is not known, pods may have that range or addresses of their nodes' subnets.
    """
    profile = cluster.resource.prop("networkProfile")
    plugin, mode = text(at(profile, "networkPlugin")), text(at(profile, "networkPluginMode"))
    if isinstance(plugin, Unknown) or (
        isinstance(mode, Unknown) and (plugin or "azure").casefold() == "azure"
    ):
        nodes = union(_members(pool.subnet)[0] for pool in cluster.pools)
        return Extent.within(nodes | _given_range(profile).possible)
    if isinstance(mode, Unknown):
        mode = None  # only Azure CNI has modes
    # without a network profile AKS takes Azure CNI overlay today and took kubenet before: both have a range
    if (plugin or "").casefold() == "azure" and (mode or "").casefold() != "overlay":
        return None
    if (plugin or "").casefold() == "none":
        return None
    return _given_range(profile)


def _given_range(profile: Value) -> Extent:
    """The pods' range as given, AKS's own where nothing is said."""
    given = tokens(at(profile, "podCidr"), at(profile, "podCidrs"))
    if given.unknown is not None:
        return Extent.within(NEVER_INTERNET)
    members = _literal(given.known or (DEFAULT_POD_CIDR,))
    return Extent.exactly(members & ALL_V4) if members else Extent.within(NEVER_INTERNET)


def proxy_of(cluster: Cluster) -> tuple[str | Unknown, int]:
    """Host and port of the cluster's HTTP proxy."""
    value: Value = cluster.resource.prop("httpProxyConfig", "httpsProxy") or cluster.resource.prop(
        "httpProxyConfig", "httpProxy"
    )
    spelled = text(value)
    if not isinstance(spelled, str):
        return (spelled or Unknown("no proxy address is given")), 0
    from urllib.parse import urlsplit  # noqa: PLC0415  few clusters have a proxy

    try:
        parts = urlsplit(spelled if "//" in spelled else f"//{spelled}")
        return parts.hostname or Unknown("the proxy's address cannot be read"), parts.port or (
            443 if parts.scheme == "https" else 80
        )
    except ValueError:
        return Unknown("the proxy's address cannot be read"), 0


def _to_proxy(base: Demand, start: Start, cluster: Cluster, topology: Topology) -> Demand:
    host, port = proxy_of(cluster)
    literal = _literal((host,)) if isinstance(host, str) else None
    ports = IntervalSet.single(port) if port else ANY_PORT
    target = literal or ALL_V4
    box = Box(_members(start.subnet)[0], target, _NUMBERS["TCP"], EPHEMERAL, ports)
    holder = _holder(topology, start, literal) if literal else None
    return replace(
        base, boxes=(box,), somewhere=literal is None or not port, target=holder, name="", layer7=""
    )
