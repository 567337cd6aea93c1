"""How nodes leave through AKS's own load balancer: by its outbound rules, where a picture shows them.

Facts R22, R23 (Microsoft: aks/egress, load-balancer/outbound-rules, default-outbound-access).
"""

from __future__ import annotations

from aks_egress.arm.resources import Resource
from aks_egress.evaluation.demand import Action, Decider
from aks_egress.records import replace
from aks_egress.topology.clusters import Cluster
from aks_egress.topology.load_balancers import (
    has_public_frontend,
    is_basic,
    lent_by_services,
    outbound_balancer,
    translated,
)
from aks_egress.topology.networks import Subnet
from aks_egress.topology.node_group import as_it_runs
from aks_egress.values import Unknown, items

NOT_SHOWN = "the cluster's load balancer is not among the inputs; it is taken to have AKS's outbound rule"
PUT_BACK = "run `az aks update` on the cluster, which puts AKS's outbound rule back"


def by_load_balancer(subnet: Subnet, cluster: Cluster, chosen: Decider) -> Decider:
    """The load balancer's word in place of that of the outbound type that chose it."""
    graph = subnet.graph
    running = as_it_runs(graph, cluster)
    if running is None or _changes(cluster, running):
        return chosen
    found = outbound_balancer(graph, cluster)
    if found is None:
        return replace(chosen, assumptions=(*chosen.assumptions, NOT_SHOWN))
    if isinstance(found, Unknown):
        reason = f"{chosen.reason}, and its load balancer was not read: {found.why}"
        return replace(chosen, action=Action.UNKNOWN, reason=reason, settle=found.settle)
    return _of_rules(found, chosen, translated(graph, found, dual=_dual(cluster)))


def _changes(cluster: Cluster, running: Resource) -> bool:
    """Whether a definition lays the outbound type anew: AKS makes what belongs to it."""
    if running is cluster.resource:
        return False
    before = str(running.prop("networkProfile", "outboundType") or "loadBalancer").casefold()
    return before != str(cluster.outbound_type).casefold()


def _dual(cluster: Cluster) -> bool:
    families = items(cluster.resource.prop("networkProfile", "ipFamilies"))
    return isinstance(families, Unknown) or any(str(one).casefold() != "ipv4" for one in families)


def _of_rules(balancer: Resource, chosen: Decider, protocols: frozenset[str] | Unknown) -> Decider:
    name = f"load balancer `{balancer.name}`"
    if is_basic(balancer):
        why = f"{name} is of SKU Basic, which has no outbound rules; whether it gives the nodes an address hangs on its services"
        return _of(balancer, Action.UNKNOWN, why, settle="move to the Standard SKU, Basic is retired")
    if isinstance(protocols, Unknown):
        why = f"whether an outbound rule of {name} has a public IPv4 address is not known: {protocols.why}"
        return _of(balancer, Action.UNKNOWN, why, settle=protocols.settle)
    if len(protocols) > 1:
        return _of(balancer, Action.ALLOW, f"{chosen.reason}: outbound rules of {name}")
    if protocols:
        why = f"the outbound rules of {name} translate {min(protocols).upper()} alone"
        return _of(balancer, Action.UNKNOWN, why, settle=PUT_BACK)
    why = f"{chosen.reason}, and {name} has no outbound rule with a public IPv4 address"
    lent = lent_by_services(balancer) if has_public_frontend(balancer) else ""
    if lent:
        why += f"; whether its load-balancing rules translate in place of one is not known (AKS turns that off): {lent}"
        return _of(balancer, Action.UNKNOWN, why, settle=PUT_BACK)
    return _of(balancer, Action.DENY, why, settle=PUT_BACK)


def _of(balancer: Resource, action: Action, reason: str, *, settle: str = "") -> Decider:
    return Decider(
        hop="outbound",
        resource=balancer.label,
        name=balancer.name,
        action=action,
        reason=reason,
        resource_id=str(balancer.id),
        origin=balancer.origin,
        settle=settle,
    )
