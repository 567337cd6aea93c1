"""How a node reaches the Internet once a route says `Internet`: NAT gateway, own address, load balancer.

Facts R22 to R25 (Microsoft: nat-gateway-resource, default-outbound-access, aks/egress-outboundtype,
load-balancer/outbound-rules).
"""

from __future__ import annotations

from collections.abc import Sequence

from aks_egress.arm.resources import Resource
from aks_egress.evaluation.balanced import by_load_balancer
from aks_egress.evaluation.demand import Action, Decider
from aks_egress.records import record, replace
from aks_egress.topology.clusters import Cluster, Pool
from aks_egress.topology.networks import NETWORKS, SUBNETS, Subnet
from aks_egress.topology.node_group import as_it_runs, in_node_group, is_picture
from aks_egress.values import Origin, Unknown, items

LOAD_BALANCER = "loadbalancer"
MANAGED_GATEWAY = ("managednatgateway", "managednatgatewayv2")
MANAGED = (LOAD_BALANCER, *MANAGED_GATEWAY)
NODES = "aks-subnet"
"""The subnet of the nodes in a network that AKS makes."""
MANAGED_NETWORK = (
    "AKS makes this cluster's network itself; its own security group and outbound path are taken to work"
)


@record(frozen=True, slots=True, kw_only=True)
class Start:
    """Where flows begin: nodes or pods of some pools in one subnet.  A declared subnet has no cluster."""

    subnet: Subnet
    cluster: Cluster | None = None
    pools: tuple[Pool, ...] = ()
    outbound: str | Unknown = "userDefinedRouting"


def outbound_method(start: Start) -> Decider:
    """Who gives the start's packets a public address, or why nobody does."""
    chosen = _chosen(start)
    if start.subnet.managed:
        return chosen
    return _nat_gateway(start, chosen) or _node_address(start, chosen) or chosen


def _chosen(start: Start) -> Decider:
    """What the outbound type gives by itself."""
    named = start.cluster.outbound_type if start.cluster else start.outbound
    place = (
        start.cluster.resource.place("properties", "networkProfile", "outboundType")
        if start.cluster
        else start.subnet.origin
    )
    label = start.cluster.resource.label if start.cluster else start.subnet.label
    if isinstance(named, Unknown):
        why = "the outbound type is not known"
        why += "" if start.subnet.managed else f": {named.why}"
        return _said(label, "outbound type", Action.UNKNOWN, why, place, settle=named.settle)
    found = (_managed if start.subnet.managed else _by_type)(start, named, label, place)
    if named.casefold() == LOAD_BALANCER and start.cluster is not None:
        return by_load_balancer(start.subnet, start.cluster, found)
    return found


def _said(
    resource: str,
    name: str,
    action: Action,
    reason: str,
    origin: Origin,
    *,
    settle: str = "",
    assumes: str = "",
) -> Decider:
    return Decider(
        hop="outbound",
        resource=resource,
        name=name,
        action=action,
        reason=reason,
        origin=origin,
        settle=settle,
        assumptions=(assumes,) if assumes else (),
    )


def _managed(start: Start, named: str, label: str, place: Origin) -> Decider:
    folded = named.casefold()
    if folded in MANAGED_GATEWAY and (home := _runs_in(start)) is not None:
        return _attached(replace(start, subnet=home), named, label, place)
    if folded in MANAGED:
        return _said(label, named, Action.ALLOW, f"outbound type {named}", place, assumes=MANAGED_NETWORK)
    if folded in ("none", "block"):
        return _said(
            label, named, Action.DENY, f"outbound type {named}: AKS sets up no way to the Internet", place
        )
    return _said(
        label,
        named,
        Action.DENY,
        f"outbound type {named} needs a subnet of one's own, and no pool names one in vnetSubnetID",
        place,
    )


def _nat_gateway(start: Start, chosen: Decider) -> Decider | None:
    """The subnet's NAT gateway, which wins over everything but a route; None where there is none."""
    link = start.subnet.nat_gateway
    if link.absent:
        return None
    gateway = link.sole
    whole = " of the whole network" if start.subnet.prop("natGateway") is None else ""
    if gateway is None:
        if chosen.action is Action.ALLOW:  # it leaves by what AKS makes, whatever else there is
            return None
        why = link.unknown.why if link.unknown else "which NAT gateway the subnet has is not known"
        settle = link.unknown.settle if link.unknown else ""
        return _said(start.subnet.label, "NAT gateway", Action.UNKNOWN, why, link.origin, settle=settle)
    held = _addresses(gateway)
    if held is None:
        return _said(
            gateway.label, gateway.name, Action.ALLOW, f"NAT gateway `{gateway.name}`{whole}", gateway.origin
        )
    if isinstance(held, Unknown):
        return _said(
            gateway.label, gateway.name, Action.UNKNOWN, held.why, gateway.origin, settle=held.settle
        )
    return _said(
        gateway.label,
        gateway.name,
        Action.DENY,
        f"NAT gateway `{gateway.name}`{whole} has neither a public IP address nor a public IP prefix",
        gateway.origin,
        settle=f"give NAT gateway `{gateway.name}` a public IPv4 address or prefix",
    )


def _addresses(gateway: Resource) -> str | Unknown | None:
    """None where the gateway has a public IPv4 address; text where it has none; why nobody can say."""
    unknown: Unknown | None = None
    for name in ("publicIpAddresses", "publicIpPrefixes"):
        rows = items(gateway.prop(name))
        if isinstance(rows, Unknown):
            # an address that will be attached, whatever its id, is an address
            if rows.refers_to:
                return None
            unknown = unknown or rows
        elif rows:
            return None
    if unknown is None and any(gateway.prop(name) for name in ("publicIpAddressesV6", "publicIpPrefixesV6")):
        why = f"NAT gateway `{gateway.name}` has IPv6 addresses only, and nobody documents what becomes of IPv4 then"
        return Unknown(why, gateway.origin, settle="give the NAT gateway a public IPv4 address")
    return unknown or "none"


def _node_address(start: Start, chosen: Decider) -> Decider | None:
    """Public addresses of the nodes themselves."""
    said: Sequence[bool | Unknown] = [pool.public_address for pool in start.pools]
    if not said or all(one is False for one in said):
        return None
    pool = next(pool for pool in start.pools if pool.public_address is not False)
    if all(one is True for one in said):
        return _said(
            f"pool {pool.name}",
            "node public IP",
            Action.ALLOW,
            "every node has a public IP address",
            pool.origin,
        )
    if chosen.action is Action.ALLOW:  # it leaves by what AKS makes, whatever else there is
        return None
    why = "only some of the pools in this subnet have public addresses on their nodes, or that is not known"
    return _said(f"pool {pool.name}", "node public IP", Action.UNKNOWN, why, pool.origin)


def _by_type(start: Start, named: str, label: str, place: Origin) -> Decider:
    folded = named.casefold()
    if folded in MANAGED_GATEWAY and _is_shown(start):
        return _attached(start, named, label, place)
    if folded in MANAGED:
        return _said(label, named, Action.ALLOW, f"outbound type {named}", place)
    if folded == "userassignednatgateway":
        why = f"outbound type {named}, and no NAT gateway is attached to subnet `{start.subnet.name}`"
        return _said(label, named, Action.DENY, why, place)
    if folded == "block":
        return _said(
            label, named, Action.DENY, "outbound type block: AKS denies all traffic to the Internet", place
        )
    return _default_access(start, named, label, place)


def _is_shown(start: Start) -> bool:
    """Whether a picture shows both the cluster, which is not about to change, and its subnet."""
    graph, cluster, home = start.subnet.graph, start.cluster, start.subnet.resource
    return (
        cluster is not None
        and home is not None
        and as_it_runs(graph, cluster) is cluster.resource
        and is_picture(graph.home(home))
    )


def _runs_in(start: Start) -> Subnet | None:
    """The subnet of the nodes in the network that AKS made, where a picture shows it."""
    graph, cluster = start.subnet.graph, start.cluster
    if cluster is None or as_it_runs(graph, cluster) is not cluster.resource:
        return None
    networks = start.subnet.network.networks
    for network in in_node_group(graph, cluster.resource, NETWORKS):
        rows, _ = graph.children(network, SUBNETS)
        row = next((one for one in rows if one.name.casefold() == NODES), None)
        if row is not None:
            return Subnet(graph, networks.of(network, network.id), row, name=row.name)
    return None


def _attached(start: Start, named: str, label: str, place: Origin) -> Decider:
    """The NAT gateway that AKS attaches to a subnet, as it runs."""
    taken = _said(label, named, Action.ALLOW, f"outbound type {named}", place)
    if not start.subnet.nat_gateway.absent:
        return _nat_gateway(start, taken) or taken
    why = f"outbound type {named}, and no NAT gateway is attached to subnet `{start.subnet.name}`, where AKS attaches one"
    return _default_access(start, named, label, place, why)


def _default_access(start: Start, named: str, label: str, place: Origin, why: str = "") -> Decider:
    """Nothing was set up: whether Azure's default outbound access steps in (R23, retired for new networks)."""
    why = (
        why
        or f"outbound type {named} sets up no way to the Internet, and the subnet has neither a NAT gateway nor public addresses"
    )
    given = start.subnet.default_outbound
    if given is False:
        return _said(label, named, Action.DENY, f"{why}; defaultOutboundAccess is false", place)
    settle = "attach a NAT gateway to the subnet, or lead 0.0.0.0/0 to a firewall"
    why += "; Azure's default outbound access, retired for networks made since 2026-03-31, may or may not step in"
    return _said(label, named, Action.UNKNOWN, why, place, settle=settle)
