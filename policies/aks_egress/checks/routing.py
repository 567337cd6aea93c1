"""Routes of the subnets where nodes and pods live: what AKS refuses, what leads nowhere, what comes back elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from aks_egress.checks.base import Context, check, rule
from aks_egress.checks.scope import default_route, node_subnets, pools_in, tables
from aks_egress.evaluation.flows import JudgedCluster
from aks_egress.evaluation.outbound import MANAGED
from aks_egress.findings.report import Finding, Severity
from aks_egress.packets.addresses import PUBLIC_V4
from aks_egress.topology.networks import Subnet
from aks_egress.topology.routing import RouteTable, UserRoute
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
NO_HOP = rule(
    "EGR305", "next-hop-missing", Severity.ERROR, "A route to an appliance names no usable next hop address"
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


SHARED = rule(
    "EGR315", "kubenet-route-table-shared", Severity.WARNING, "Two kubenet clusters share a route table"
)

ALL_BREAKS = (
    "every connection that leaves the subnet",
    "node provisioning (K8SAPIServerConnFail, OutboundConnFail)",
)


def every_table(context: Context) -> Iterator[tuple[JudgedCluster, Subnet, RouteTable]]:
    """Every cluster with each of its subnets and each table that the subnet may have."""
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
    for cluster, subnet, table in every_table(context):
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


@check(HAIRPIN)
def detours(context: Context) -> Iterator[Finding]:
    """User routes for the network's own range that lead through an appliance."""
    for cluster, subnet, table in every_table(context):
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
    for cluster, subnet, table in every_table(context):
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


@check(SHARED)
def kubenet_tables(context: Context) -> Iterator[Finding]:
    """kubenet writes the pods' routes into the table, so each cluster needs one of its own (configure-kubenet)."""
    first: dict[int, str] = {}
    told: set[tuple[int, str]] = set()
    for cluster, _, table in every_table(context):
        if cluster.facts.fact("pod_network").value != "kubenet":
            continue
        other = first.setdefault(id(table.resource), cluster.name)
        if other == cluster.name or (id(table.resource), cluster.name) in told:
            continue
        told.add((id(table.resource), cluster.name))
        yield context.finding(
            SHARED,
            f"clusters `{other}` and `{cluster.name}` both use kubenet and share route table `{table.resource.label}`, "
            "into which each writes the routes of its pods",
            resource=table.resource,
            cluster=cluster.name,
            breaks=("traffic between pods on different nodes", "kubectl logs and exec for some nodes"),
            fix="give each cluster a route table of its own, or use Azure CNI Overlay, which needs no routes",
            key=(other, cluster.name),
        )
