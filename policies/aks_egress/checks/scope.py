"""What a cluster's traffic passes: its subnets, their tables and groups, and the firewalls behind their routes."""

from __future__ import annotations

from aks_egress.arm.resources import Resource
from aks_egress.checks.base import Context
from aks_egress.evaluation.flows import JudgedCluster
from aks_egress.packets.addresses import ALL_V4
from aks_egress.topology.clusters import Pool, distinct
from aks_egress.topology.firewalls import FIREWALLS, Firewall
from aks_egress.topology.networks import Subnet
from aks_egress.topology.owners import Owner
from aks_egress.topology.routing import RouteTable, UserRoute


def node_subnets(cluster: JudgedCluster) -> list[Subnet]:
    """The subnets of nodes and pods, each once."""
    if cluster.cluster is None:
        return [cluster.subnet] if cluster.subnet is not None else []
    pools = cluster.cluster.pools
    return distinct(subnet for pool in pools for subnet in (pool.subnet, pool.pod_subnet))


def pools_in(cluster: JudgedCluster, subnet: Subnet) -> list[Pool]:
    """The pools whose nodes or pods live in a subnet."""
    pools = cluster.cluster.pools if cluster.cluster is not None else []
    return [pool for pool in pools if subnet in (pool.subnet, pool.pod_subnet)]


def tables(context: Context, subnet: Subnet) -> list[RouteTable]:
    """The route tables that a subnet may have."""
    return [context.topology.table(one) for one in subnet.route_table.resources]


def default_route(table: RouteTable) -> UserRoute | None:
    """The table's own route for 0.0.0.0/0."""
    return next((route for route in table.routes if route.prefix == ALL_V4), None)


def behind(
    context: Context, table: RouteTable, route: UserRoute, subnet: Subnet | None = None
) -> list[Owner]:
    """Who owns the next hops of a route, as a subnet sees it where one is given."""
    near = context.topology.graph.home(table.resource)
    network = subnet.network if subnet is not None else None
    return [owner for value in route.hop_addresses for owner in context.hops.owners(value, near, network)]


def firewalls(context: Context, cluster: JudgedCluster) -> list[Firewall]:
    """The firewalls that the cluster's routes lead to, each once."""
    return context.once("firewalls", cluster, lambda: _firewalls(context, cluster))


def _firewalls(context: Context, cluster: JudgedCluster) -> list[Firewall]:
    found: dict[int, Firewall] = {}
    for subnet in node_subnets(cluster):
        for table in tables(context, subnet):
            for route in table.routes:
                for owner in behind(context, table, route, subnet):
                    stopped = stopped_behind(context, subnet, owner)
                    if stopped is not None:
                        found[id(stopped.resource)] = stopped
                    elif owner.is_firewall and owner.resource is not None:
                        found[id(owner.resource)] = context.topology.firewall(owner.resource)
        hub = context.topology.secured_hub(subnet.network)
        for resource in hub[0].resources if hub else ():
            found[id(resource)] = context.topology.firewall(resource)
    return list(found.values())


def every_firewall(context: Context) -> list[tuple[Firewall, str]]:
    """Every firewall behind a cluster's routes with the first cluster that it serves."""
    return context.once("every firewall", None, lambda: _every_firewall(context))


def _every_firewall(context: Context) -> list[tuple[Firewall, str]]:
    found: dict[int, tuple[Firewall, str]] = {}
    for cluster in context.clusters:
        for firewall in firewalls(context, cluster):
            found.setdefault(id(firewall.resource), (firewall, cluster.name))
    return list(found.values())


def stopped_behind(context: Context, subnet: Subnet, owner: Owner) -> Firewall | None:
    """The stopped firewall whose place a next hop is: nobody owns the address, and it lies in an AzureFirewallSubnet.

    A stopped firewall has no IP configuration (F25), so nothing else tells where it stood.
    """
    if owner.resource is not None or owner.address is None or subnet.network.resource is None:
        return None
    low = owner.address.first
    network = context.topology.network_of_address(subnet.network, low)
    place = context.topology.subnet_of_address(network, low) if network is not None else None
    if place is None or place.name.casefold() != "azurefirewallsubnet":
        return None
    found = [context.topology.firewall(one) for one in context.topology.graph.of_kind(FIREWALLS)]
    return next((one for one in found if one.stopped and not one.resource.existing), None)


def groups(cluster: JudgedCluster) -> list[Resource]:
    """The network security groups on the cluster's subnets, each once."""
    found: dict[int, Resource] = {}
    subnets = node_subnets(cluster)
    if cluster.cluster is not None and cluster.cluster.api_subnet is not None:
        subnets = [*subnets, cluster.cluster.api_subnet]
    for subnet in subnets:
        for group in subnet.nsg.resources:
            found[id(group)] = group
    return list(found.values())


def every_group(context: Context) -> list[tuple[Resource, str]]:
    """Every network security group on a cluster's subnets with the first cluster that it filters."""
    found: dict[int, tuple[Resource, str]] = {}
    for cluster in context.clusters:
        for group in groups(cluster):
            found.setdefault(id(group), (group, cluster.name))
    return list(found.values())
