"""NAT gateways that serve a whole virtual network: every subnet that has none of its own.

A StandardV2 gateway names the network in `sourceVirtualNetwork`; a network that runs names it back in
`defaultPublicNatGateway` (Microsoft: nat-gateway/manage-nat-gateway-v2, azure-mgmt-network).
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from aks_egress.arm.graph import ABSENT, Graph, Link
from aks_egress.arm.ids import ResourceId, parse_id
from aks_egress.arm.resources import Resource
from aks_egress.records import field, record
from aks_egress.values import Unknown, Value, get

NAT_GATEWAYS = "Microsoft.Network/natGateways"


@record(slots=True)
class _Served:
    """Gateways by the name of the network they serve, and one of which nobody can say which."""

    by_name: dict[str, list[tuple[ResourceId, Resource]]] = field(default_factory=dict)
    lost: Unknown | None = None


_SERVED: WeakKeyDictionary[Graph, _Served] = WeakKeyDictionary()


def serving(graph: Graph, network: ResourceId | None, known: Resource | None) -> Link:
    """The gateway that serves a whole network; `known` is its definition where that is at hand."""
    if graph not in _SERVED:
        _SERVED[graph] = _served(graph)
    served = _SERVED[graph]
    rows = served.by_name.get(network.name.casefold(), ()) if network is not None else ()
    found = [gateway for source, gateway in rows if network is not None and network.could_be(source)]
    if found:
        doubt = next((one.uncertain for one in found if one.uncertain is not None), None)
        return Link(tuple(found), doubt, found[0].origin)
    named = known.prop("defaultPublicNatGateway") if known is not None else None
    if known is not None and named is not None:
        place = known.place("properties", "defaultPublicNatGateway")
        return graph.link(named, graph.home(known), place)
    return ABSENT if served.lost is None else Link((), served.lost)


def _served(graph: Graph) -> _Served:
    served = _Served()
    for gateway in graph.of_kind(NAT_GATEWAYS):
        source = gateway.prop("sourceVirtualNetwork")
        wanted = _named(graph, gateway, source)
        if isinstance(wanted, Unknown):
            served.lost = served.lost or wanted
        elif wanted is not None:
            served.by_name.setdefault(wanted.name.casefold(), []).append((wanted, gateway))
    return served


def _named(graph: Graph, gateway: Resource, source: Value) -> ResourceId | Unknown | None:
    """The network that a gateway names; why that is not known."""
    value = get(source, "id") if isinstance(source, dict) else source
    if value is None or value == "":
        return None
    link = graph.link(value, graph.home(gateway), gateway.place("properties", "sourceVirtualNetwork"))
    if link.sole is not None:
        return link.sole.id
    plain = parse_id(value)
    if plain is not None:
        return plain
    why = f"which network NAT gateway `{gateway.label}` serves is not known"
    said = link.unknown
    return Unknown(f"{why}: {said.why}" if said else why, gateway.origin, settle=said.settle if said else "")
