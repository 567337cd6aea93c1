"""How a node reaches the Internet once a route says `Internet`: NAT gateway, own address, load balancer.

Facts R22 to R25 (Microsoft: nat-gateway-resource, default-outbound-access, aks/egress-outboundtype).
"""

from __future__ import annotations

from collections.abc import Sequence

from aks_egress.arm.resources import Resource
from aks_egress.evaluation.demand import Action, Decider
from aks_egress.records import record
from aks_egress.topology.clusters import Cluster, Pool
from aks_egress.topology.networks import Subnet
from aks_egress.values import Origin, Unknown, items

MANAGED = ("loadbalancer", "managednatgateway", "managednatgatewayv2")
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
    named = start.cluster.outbound_type if start.cluster else start.outbound
    place = (
        start.cluster.resource.place("properties", "networkProfile", "outboundType")
        if start.cluster
        else start.subnet.origin
    )
    label = start.cluster.resource.label if start.cluster else start.subnet.label
    if isinstance(named, Unknown):
        if start.subnet.managed:
            return _said(
                label,
                "outbound type",
                Action.UNKNOWN,
                "the outbound type is not known",
                place,
                settle=named.settle,
            )
        folded = ""
    else:
        folded = named.casefold()
    if start.subnet.managed:
        return _managed(label, named if isinstance(named, str) else "", place)
    return _nat_gateway(start) or _node_address(start) or _by_type(start, folded, named, label, place)


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


def _managed(label: str, named: str, place: Origin) -> Decider:
    folded = named.casefold()
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


def _nat_gateway(start: Start) -> Decider | None:
    """The subnet's NAT gateway, which wins over everything but a route; None where there is none."""
    link = start.subnet.nat_gateway
    if link.absent:
        return None
    gateway = link.sole
    if gateway is None:
        if _certain_without(start):
            return None
        why = link.unknown.why if link.unknown else "which NAT gateway the subnet has is not known"
        settle = link.unknown.settle if link.unknown else ""
        return _said(start.subnet.label, "NAT gateway", Action.UNKNOWN, why, link.origin, settle=settle)
    held = _addresses(gateway)
    if held is None:
        return _said(
            gateway.label, gateway.name, Action.ALLOW, f"NAT gateway `{gateway.name}`", gateway.origin
        )
    if isinstance(held, Unknown):
        return _said(
            gateway.label, gateway.name, Action.UNKNOWN, held.why, gateway.origin, settle=held.settle
        )
    return _said(
        gateway.label,
        gateway.name,
        Action.DENY,
        f"NAT gateway `{gateway.name}` has neither a public IP address nor a public IP prefix",
        gateway.origin,
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


def _certain_without(start: Start) -> bool:
    """Whether outbound works whatever the NAT gateway is: AKS's own load balancer is there anyway."""
    named = start.cluster.outbound_type if start.cluster else start.outbound
    return isinstance(named, str) and named.casefold() in MANAGED


def _node_address(start: Start) -> Decider | None:
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
    if _certain_without(start):
        return None
    why = "only some of the pools in this subnet have public addresses on their nodes, or that is not known"
    return _said(f"pool {pool.name}", "node public IP", Action.UNKNOWN, why, pool.origin)


def _by_type(start: Start, folded: str, named: str | Unknown, label: str, place: Origin) -> Decider:
    if isinstance(named, Unknown):
        return _said(
            label,
            "outbound type",
            Action.UNKNOWN,
            f"the outbound type is not known: {named.why}",
            place,
            settle=named.settle,
        )
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


def _default_access(start: Start, named: str, label: str, place: Origin) -> Decider:
    """Nothing was set up: whether Azure's default outbound access steps in (R23, retired for new networks)."""
    why = f"outbound type {named} sets up no way to the Internet, and the subnet has neither a NAT gateway nor public addresses"
    given = start.subnet.default_outbound
    if given is False:
        return _said(label, named, Action.DENY, f"{why}; defaultOutboundAccess is false", place)
    settle = "attach a NAT gateway to the subnet, or lead 0.0.0.0/0 to a firewall"
    why += "; Azure's default outbound access, retired for networks made since 2026-03-31, may or may not step in"
    return _said(label, named, Action.UNKNOWN, why, place, settle=settle)
