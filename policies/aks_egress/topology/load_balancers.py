"""The load balancer through which nodes of outbound type `loadBalancer` leave, as it runs.

AKS names it `kubernetes`, keeps it in the node resource group and gives it an outbound rule with public
frontends (Microsoft: aks/egress, load-balancer/outbound-rules).
"""

from __future__ import annotations

from collections.abc import Iterator

from aks_egress.arm.graph import Graph
from aks_egress.arm.resources import Resource
from aks_egress.topology.clusters import Cluster
from aks_egress.topology.node_group import as_it_runs, in_node_group, not_read
from aks_egress.topology.owners import LOAD_BALANCERS
from aks_egress.values import Unknown, Value, at, get, items, text

NAME = "kubernetes"
_BOTH = frozenset({"tcp", "udp"})
_PROTOCOLS = {"all": _BOTH, "tcp": frozenset({"tcp"}), "udp": frozenset({"udp"})}


def outbound_balancer(graph: Graph, cluster: Cluster) -> Resource | Unknown | None:
    """AKS's own public load balancer; why nobody can say; None where nothing shows or lacks it."""
    running = as_it_runs(graph, cluster)
    if running is None:
        return None
    found = in_node_group(graph, running, LOAD_BALANCERS)
    shown = next((one for one in found if one.name.casefold() == NAME), None)
    return shown or not_read(graph, running, LOAD_BALANCERS)


def is_basic(balancer: Resource) -> bool:
    """Whether it is of the SKU that has no outbound rules."""
    return str(balancer.get("sku", "name")).casefold() == "basic"


def translated(graph: Graph, balancer: Resource, *, dual: bool) -> frozenset[str] | Unknown:
    """The protocols for which an outbound rule has a public IPv4 address; why that is not known.

    `dual` says that the cluster speaks IPv6 too, so that a public address that nobody shows may be one.
    """
    given = balancer.prop("outboundRules")
    if not isinstance(given, list):
        why = "which outbound rules it has is not shown"
        return given if isinstance(given, Unknown) else Unknown(why, balancer.origin)
    found: frozenset[str] = frozenset()
    lost: Unknown | None = None
    for rule in given:
        said = _of_rule(graph, balancer, rule, dual=dual)
        if isinstance(said, Unknown):
            lost = lost or said
        else:
            found |= said
    return lost if lost is not None and found != _BOTH else found


def has_public_frontend(balancer: Resource) -> bool:
    """Whether a frontend has, or may have, a public address."""
    rows = items(balancer.prop("frontendIPConfigurations"))
    return isinstance(rows, Unknown) or any(_public(row) for row in rows)


def lent_by_services(balancer: Resource) -> str:
    """Which load-balancing rule may lend nodes its frontend's address on their way out, as text; empty where none does.

    Each does unless `disableOutboundSnat` says otherwise (load-balancer/load-balancer-outbound-connections).
    """
    rows = items(balancer.prop("loadBalancingRules"))
    if not isinstance(rows, list) or balancer.prop("loadBalancingRules") is None:
        return "which of them there are is not shown"
    lending = (row for row in rows if at(row, "properties", "disableOutboundSnat") is not True)
    found = next((str(get(row, "name")) for row in lending), None)
    return f"`{found}` does not turn it off (disableOutboundSnat)" if found is not None else ""


def _of_rule(graph: Graph, balancer: Resource, rule: Value, *, dual: bool) -> frozenset[str] | Unknown:
    protocol = text(at(rule, "properties", "protocol"))
    if isinstance(protocol, Unknown):
        return protocol
    named = [one for row in _frontends(balancer, rule) for one in _public(row)]
    public = [_is_v4(graph, balancer, one, dual=dual) for one in named]
    if True in public:
        return _PROTOCOLS.get((protocol or "all").casefold(), frozenset())
    return next((one for one in public if isinstance(one, Unknown)), frozenset())


def _frontends(balancer: Resource, rule: Value) -> Iterator[Value]:
    """The frontends that a rule names, by their names."""
    named = items(at(rule, "properties", "frontendIPConfigurations"))
    wanted = (
        {str(get(one, "id")).rsplit("/", 1)[-1].casefold() for one in named}
        if isinstance(named, list)
        else ()
    )
    rows = items(balancer.prop("frontendIPConfigurations"))
    for row in rows if isinstance(rows, list) else ():
        if str(get(row, "name")).casefold() in wanted:
            yield row


def _public(frontend: Value) -> list[Value]:
    """The public addresses and prefixes of a frontend, as it refers to them."""
    found = (at(frontend, "properties", name) for name in ("publicIPAddress", "publicIPPrefix"))
    return [one for one in found if one is not None]


def _is_v4(graph: Graph, balancer: Resource, reference: Value, *, dual: bool) -> bool | Unknown:
    """Whether a public address is one of IPv4, as it is where only that is spoken."""
    link = graph.link(reference, graph.home(balancer), balancer.origin)
    if link.sole is None:
        lost = link.unknown or Unknown("which public address a frontend has is not known", balancer.origin)
        return lost if dual else True
    return str(link.sole.prop("publicIPAddressVersion")).casefold() != "ipv6"
