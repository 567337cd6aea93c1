"""Where routes to appliances lead: nobody, the subnet itself, a network that is not peered, another address."""

from __future__ import annotations

from collections.abc import Iterator

from aks_egress.checks.base import Context, check, rule
from aks_egress.checks.routing import ALL_BREAKS, every_table
from aks_egress.checks.scope import behind, stopped_behind
from aks_egress.evaluation.flows import JudgedCluster
from aks_egress.findings.report import Finding, Severity
from aks_egress.packets.addresses import spell
from aks_egress.packets.names import Match
from aks_egress.topology.networks import Peering, Subnet, VirtualNetwork
from aks_egress.topology.owners import Owner
from aks_egress.topology.routing import RouteTable, UserRoute
from aks_egress.topology.spaces import carries, reachable, remote_network

UNOWNED = rule(
    "EGR304", "next-hop-unowned", Severity.WARNING, "Nothing among the inputs owns a route's next hop"
)
LOOP = rule(
    "EGR306", "route-loop", Severity.ERROR, "A route's next hop lies in the subnet that the route serves"
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
MISGUESSED = rule(
    "EGR314",
    "next-hop-misguessed",
    Severity.WARNING,
    "A next hop in the firewall's subnet that is not the address a firewall gets",
)


@check(UNOWNED, LOOP, PEERING, ONE_SIDED, MISGUESSED)
def next_hops(context: Context) -> Iterator[Finding]:
    """Where routes to appliances lead."""
    for cluster, subnet, table in every_table(context):
        for route in table.routes:
            if isinstance(route.hop, str) and route.hop.startswith("VirtualAppliance"):
                for owner in behind(context, table, route, subnet):
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
        if owner.assumed and owner.subnet is not None and owner.address is not None:
            yield from _misguessed(context, cluster, owner.subnet, table, route, owner)
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


def _misguessed(
    context: Context, cluster: JudgedCluster, place: Subnet, table: RouteTable, route: UserRoute, owner: Owner
) -> Iterator[Finding]:
    """The firewall gets its address with its deployment, the first that its subnet gives out (F26)."""
    expected = place.prefixes.sure.first + 4
    if owner.address is None or owner.resource is None or owner.address.first == expected:
        return
    yield context.finding(
        MISGUESSED,
        f"route `{route.name}` sends {route.spelled} to {spell(owner.address.first)} in the subnet of firewall `{owner.resource.label}`, "
        f"whose address comes with its deployment and is normally {spell(expected)}",
        resource=table.resource,
        origin=route.origin,
        cluster=cluster.name,
        breaks=ALL_BREAKS,
        fix="take the next hop from the firewall's own ipConfigurations[0].properties.privateIPAddress, or correct the address",
        key=(route.name,),
    )


@check(FORWARDED)
def forwarded_traffic(context: Context) -> Iterator[Finding]:
    """Peerings to a hub whose firewall forwards, without allowForwardedTraffic (U14)."""
    seen: set[int] = set()
    for cluster, subnet, table in every_table(context):
        hubs = [
            owner.network
            for route in table.routes
            for owner in behind(context, table, route, subnet)
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
