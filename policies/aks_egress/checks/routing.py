"""Routes of the subnets where nodes and pods live: what AKS refuses, what leads nowhere, what comes back elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from aks_egress.checks.base import Context, check, rule
from aks_egress.checks.scope import behind, default_route, node_subnets, pools_in, stopped_behind, tables
from aks_egress.evaluation.flows import JudgedCluster
from aks_egress.evaluation.outbound import MANAGED
from aks_egress.findings.report import Finding, Severity
from aks_egress.packets.addresses import PUBLIC_V4, spell
from aks_egress.packets.names import Match
from aks_egress.topology.networks import Peering, Subnet, VirtualNetwork
from aks_egress.topology.owners import Owner
from aks_egress.topology.routing import RouteTable, UserRoute
from aks_egress.topology.spaces import carries, reachable, remote_network
from aks_egress.values import Unknown

BLACKHOLE = rule("EGR301", "route-blackhole", Severity.ERROR, "A route drops what nodes send to the Internet")
MISSING = rule(
    "EGR302", "udr-default-route-missing", Severity.ERROR, "userDefinedRouting without a route for 0.0.0.0/0"
)
REFUSED = rule(
    "EGR303",
    "udr-default-route-refused",
    Severity.ERROR,
    "userDefinedRouting with a default route that AKS refuses",
)
UNOWNED = rule(
    "EGR304", "next-hop-unowned", Severity.WARNING, "Nothing among the inputs owns a route's next hop"
)
NO_HOP = rule(
    "EGR305", "next-hop-missing", Severity.ERROR, "A route to an appliance names no usable next hop address"
)
LOOP = rule(
    "EGR306", "route-loop", Severity.ERROR, "A route's next hop lies in the subnet that the route serves"
)
HAIRPIN = rule(
    "EGR307", "hairpin", Severity.WARNING, "Traffic between nodes makes a detour through an appliance"
)
UNATTACHED = rule(
    "EGR308",
    "route-table-not-attached",
    Severity.ERROR,
    "userDefinedRouting and a subnet without a route table",
)
ASYMMETRIC = rule(
    "EGR310",
    "public-load-balancer-asymmetric",
    Severity.WARNING,
    "Answers of a public load balancer leave through an appliance",
)
PEERING = rule(
    "EGR311", "peering-broken", Severity.ERROR, "The way to a next hop crosses a peering that carries nothing"
)
FORWARDED = rule(
    "EGR312",
    "forwarded-traffic-refused",
    Severity.WARNING,
    "A peering refuses traffic that an appliance forwards",
)

ONE_SIDED = rule(
    "EGR313", "peering-one-sided", Severity.WARNING, "A peering on the way to a next hop has one side only"
)

ALL_BREAKS = (
    "every connection that leaves the subnet",
    "node provisioning (K8SAPIServerConnFail, OutboundConnFail)",
)


def _every(context: Context) -> Iterator[tuple[JudgedCluster, Subnet, RouteTable]]:
    for cluster in context.clusters:
        for subnet in node_subnets(cluster):
            for table in tables(context, subnet):
                yield cluster, subnet, table


def _type(cluster: JudgedCluster) -> str:
    named = cluster.cluster.outbound_type if cluster.cluster is not None else "userDefinedRouting"
    return "" if isinstance(named, Unknown) else named.casefold()


@check(BLACKHOLE, NO_HOP)
def leads_nowhere(context: Context) -> Iterator[Finding]:
    """Routes to None, and routes to an appliance without an address."""
    for cluster, subnet, table in _every(context):
        for route in table.routes:
            wide = bool(route.tag) or (route.prefix is not None and bool(route.prefix & PUBLIC_V4))
            if route.hop == "None" and wide:
                yield context.finding(
                    BLACKHOLE,
                    f"route `{route.name}` drops everything from subnet `{subnet.name}` to {route.spelled} (next hop None)",
                    resource=table.resource,
                    origin=route.origin,
                    cluster=cluster.name,
                    breaks=ALL_BREAKS,
                    fix="lead the route to the firewall, or remove it",
                    key=(route.name,),
                )
            for problem in route.problems:
                yield context.finding(
                    NO_HOP,
                    f"route `{route.name}` of `{table.resource.label}`: {problem}; Azure refuses it",
                    resource=table.resource,
                    origin=route.origin,
                    cluster=cluster.name,
                    breaks=("the deployment of the route table",),
                    fix="give the route a prefix, a next hop type, and for an appliance its private IP address",
                    key=(route.name, problem),
                )


@check(MISSING, REFUSED, UNATTACHED)
def what_aks_demands_of_user_routes(context: Context) -> Iterator[Finding]:
    """The checks that AKS itself makes on outboundType userDefinedRouting (R19)."""
    for cluster in context.clusters:
        if _type(cluster) != "userdefinedrouting":
            continue
        for subnet in node_subnets(cluster):
            if subnet.route_table.absent and not subnet.managed:
                yield _unattached(context, cluster, subnet)
            for table in tables(context, subnet):
                found = default_route(table)
                certain = table.gap is None and all(route.unknown is None for route in table.routes)
                if found is None and certain:
                    yield _missing(context, cluster, subnet, table)
                elif found is not None and found.hop in ("Internet", "None", "VnetLocal"):
                    yield _refused(context, cluster, table, found)


def _unattached(context: Context, cluster: JudgedCluster, subnet: Subnet) -> Finding:
    pools = ", ".join(pool.name for pool in pools_in(cluster, subnet))
    return context.finding(
        UNATTACHED,
        f"outboundType is userDefinedRouting and subnet `{subnet.label}` (pool {pools}) has no route table",
        resource=subnet.resource,
        label=subnet.label,
        cluster=cluster.name,
        breaks=("creating the cluster or the pool (RouteTableMissingDefaultRoute)",),
        fix="associate a route table with 0.0.0.0/0 to the firewall with this subnet before the cluster is created",
        key=(subnet.label,),
    )


def _missing(context: Context, cluster: JudgedCluster, subnet: Subnet, table: RouteTable) -> Finding:
    return context.finding(
        MISSING,
        f"outboundType is userDefinedRouting and route table `{table.resource.label}` of subnet `{subnet.name}` has no route for 0.0.0.0/0",
        resource=table.resource,
        cluster=cluster.name,
        breaks=("creating the cluster (RouteTableMissingDefaultRoute)", "updates of the cluster"),
        fix="add a route for 0.0.0.0/0 with next hop VirtualAppliance and the firewall's private IP; a default route "
        "that a gateway or a Virtual WAN hub teaches does not satisfy AKS",
        key=(subnet.label,),
    )


def _refused(context: Context, cluster: JudgedCluster, table: RouteTable, route: UserRoute) -> Finding:
    return context.finding(
        REFUSED,
        f"outboundType is userDefinedRouting and route `{route.name}` leads 0.0.0.0/0 to {route.hop}; "
        "AKS accepts VirtualAppliance and VirtualNetworkGateway only",
        resource=table.resource,
        origin=route.origin,
        cluster=cluster.name,
        breaks=("creating the cluster (RouteTableInvalidNextHop)",),
        fix="lead 0.0.0.0/0 to the firewall (VirtualAppliance with its private IP), or use another outboundType",
        key=(route.name,),
    )


@check(UNOWNED, LOOP, PEERING, ONE_SIDED)
def next_hops(context: Context) -> Iterator[Finding]:
    """Where routes to appliances lead."""
    for cluster, subnet, table in _every(context):
        for route in table.routes:
            if isinstance(route.hop, str) and route.hop.startswith("VirtualAppliance"):
                for owner in behind(context, table, route):
                    yield from _next_hop(context, cluster, subnet, table, route, owner)


def _next_hop(
    context: Context,
    cluster: JudgedCluster,
    subnet: Subnet,
    table: RouteTable,
    route: UserRoute,
    owner: Owner,
) -> Iterator[Finding]:
    where = spell(owner.address.first) if owner.address is not None else ""
    inside = owner.address is not None and owner.address <= subnet.prefixes.sure
    if inside or (owner.resource is not None and owner.subnet is subnet):
        place = where or (owner.resource.label if owner.resource else "")
        yield _loop(context, cluster, subnet, table, route, place)
    elif stopped_behind(context, subnet, owner) is not None:
        return  # EGR404 says more
    elif owner.resource is None and owner.address is not None:
        if where not in {appliance.address for appliance in context.settings.appliances}:
            yield _unowned(context, cluster, table, route, where)
    elif owner.network is not None:
        answer, why = reachable(subnet.network, owner.network)
        if answer is Match.NO:
            yield _unreachable(context, cluster, table, route, why)
        elif answer is Match.MAYBE:
            yield from _one_sided(context, cluster, subnet, owner.network)


def _loop(
    context: Context, cluster: JudgedCluster, subnet: Subnet, table: RouteTable, route: UserRoute, where: str
) -> Finding:
    return context.finding(
        LOOP,
        f"route `{route.name}` sends {route.spelled} to {where}, which lies in subnet `{subnet.name}` that the route itself serves",
        resource=table.resource,
        origin=route.origin,
        cluster=cluster.name,
        breaks=ALL_BREAKS,
        fix="move the appliance into a subnet of its own that does not carry this route table",
        key=(route.name,),
    )


def _unowned(
    context: Context, cluster: JudgedCluster, table: RouteTable, route: UserRoute, where: str
) -> Finding:
    return context.finding(
        UNOWNED,
        f"route `{route.name}` sends {route.spelled} to {where}, and no firewall, NIC or load balancer among the inputs has that address",
        resource=table.resource,
        origin=route.origin,
        cluster=cluster.name,
        fix="name the definition of the firewall as well (--context), declare what the appliance lets through, or correct the address",
        key=(route.name, where),
    )


def _unreachable(
    context: Context, cluster: JudgedCluster, table: RouteTable, route: UserRoute, why: str
) -> Finding:
    return context.finding(
        PEERING,
        f"route `{route.name}` leads to a next hop that its subnet cannot reach: {why}",
        resource=table.resource,
        origin=route.origin,
        cluster=cluster.name,
        breaks=ALL_BREAKS,
        fix="peer both networks in both directions with allowVirtualNetworkAccess true",
        key=(route.name,),
    )


def _one_sided(
    context: Context, cluster: JudgedCluster, subnet: Subnet, hub: VirtualNetwork
) -> Iterator[Finding]:
    """Both networks are defined here, and only one of them peers with the other (R26)."""
    home = subnet.network
    sides = [
        (near, far, peering) for near, far in ((home, hub), (hub, home)) if (peering := _peering(near, far))
    ]
    if len(sides) != 1 or any(one.resource is None or one.resource.existing for one in (home, hub)):
        return
    near, far, peering = sides[0]
    if far.peerings_gap is not None or any(one.remote_id is None for one in far.peerings):
        return
    yield context.finding(
        ONE_SIDED,
        f"`{near.name}` peers with `{far.name}` (`{peering.name}`), and `{far.name}`, which is defined here as well, "
        f"does not peer with `{near.name}`: a peering carries nothing until both sides exist",
        label=peering.name,
        origin=peering.origin,
        cluster=cluster.name,
        breaks=ALL_BREAKS,
        fix=f"add a peering from `{far.name}` to `{near.name}`, or name the definition that holds it",
        key=(near.name, far.name),
    )


def _peering(near: VirtualNetwork, far: VirtualNetwork) -> Peering | None:
    """A network's own side of its peering with another."""
    return next((one for one in near.peerings if remote_network(near, one) is far), None)


@check(HAIRPIN)
def detours(context: Context) -> Iterator[Finding]:
    """User routes for the network's own range that lead through an appliance."""
    for cluster, subnet, table in _every(context):
        for route in table.routes:
            if (
                route.prefix is None
                or not isinstance(route.hop, str)
                or not route.hop.startswith("VirtualAppliance")
            ):
                continue
            others = [one for one in node_subnets(cluster) if route.prefix & one.prefixes.sure]
            covering = any(part <= route.prefix for part in subnet.network.prefixes)
            narrow = any(route.prefix <= part for part in subnet.network.prefixes)
            if others and narrow and (covering or route.prefix <= subnet.network.space.sure):
                names = ", ".join(f"`{one.name}`" for one in others)
                yield context.finding(
                    HAIRPIN,
                    f"route `{route.name}` sends {route.spelled}, where {names} lie, through an appliance; a stateful firewall drops "
                    "connections whose answers come back another way",
                    resource=table.resource,
                    origin=route.origin,
                    cluster=cluster.name,
                    breaks=(
                        "kubectl logs and exec for pods on other nodes (dial tcp …:10250: i/o timeout)",
                        "traffic between pods",
                    ),
                    fix=f"add a route for each node subnet with next hop VnetLocal, or take {route.spelled} out of the table",
                    key=(route.name,),
                )


@check(ASYMMETRIC)
def answers_of_load_balancers(context: Context) -> Iterator[Finding]:
    """A default route to an appliance on a cluster whose services answer through AKS's load balancer (R20)."""
    for cluster, subnet, table in _every(context):
        found = default_route(table)
        if found is None or found.hop != "VirtualAppliance" or _type(cluster) not in MANAGED:
            continue
        yield context.finding(
            ASYMMETRIC,
            f"outboundType is {_type(cluster) and cluster.cluster and cluster.cluster.outbound_type}, and route `{found.name}` leads 0.0.0.0/0 of subnet "
            f"`{subnet.name}` to an appliance: answers of public load-balancer services leave through it and are dropped",
            resource=table.resource,
            origin=found.origin,
            cluster=cluster.name,
            breaks=("public services of type LoadBalancer",),
            fix="use outboundType userDefinedRouting, and publish services through the firewall (DNAT) or internal load balancers",
            key=(subnet.label,),
        )


@check(FORWARDED)
def forwarded_traffic(context: Context) -> Iterator[Finding]:
    """Peerings to a hub whose firewall forwards, without allowForwardedTraffic (U14)."""
    seen: set[int] = set()
    for cluster, subnet, table in _every(context):
        hubs = [
            owner.network
            for route in table.routes
            for owner in behind(context, table, route)
            if owner.is_firewall
        ]
        for peering in subnet.network.peerings:
            remote = remote_network(subnet.network, peering)
            if id(peering) in seen or not any(remote is hub for hub in hubs):
                continue
            seen.add(id(peering))
            if peering.allow_forwarded is False and carries(subnet.network, peering)[0] is not Match.NO:
                yield context.finding(
                    FORWARDED,
                    f"peering `{peering.name}` to `{remote.name}` has allowForwardedTraffic false, and the firewall there forwards traffic; "
                    "answers to established connections pass in practice, new connections from other networks do not",
                    label=peering.name,
                    origin=peering.origin,
                    cluster=cluster.name,
                    breaks=("traffic that reaches the nodes through the hub's firewall",),
                    fix="set allowForwardedTraffic to true on the peerings of both networks",
                    key=(peering.name,),
                )
