"""Route tables as written.  Facts R1, R6, R10, R13 (Microsoft: virtual-networks-udr-overview)."""

from __future__ import annotations

from aks_egress.arm.graph import Graph
from aks_egress.arm.ids import parse_id
from aks_egress.arm.resources import Resource
from aks_egress.packets.addresses import BadAddressError, prefix
from aks_egress.packets.intervals import IntervalSet
from aks_egress.packets.tags import TOPOLOGY_TAGS, Spelling, looks_like_tag, spelling
from aks_egress.records import record
from aks_egress.values import Origin, Unknown, Value, at, flag, items, text

ROUTES = "Microsoft.Network/routeTables/routes"
PUBLIC_ADDRESSES = "Microsoft.Network/publicIPAddresses"
_OF_ONES_OWN = frozenset({PUBLIC_ADDRESSES.casefold(), "microsoft.network/publicipprefixes"})

#: next-hop types in their one spelling, by lower case
NEXT_HOPS = {
    name.casefold(): name
    for name in (
        "VirtualNetworkGateway",
        "VnetLocal",
        "VNetLocal",
        "Internet",
        "VirtualAppliance",
        "VirtualApplianceEcmp",
        "None",
    )
} | {"vnetlocal": "VnetLocal"}


@record(frozen=True, slots=True, kw_only=True, eq=False)
class UserRoute:
    """One route of a table: a prefix or a tag, and where it leads.

    `prefix` is None for a tag or what is not known; `hop_addresses` holds the next hops of an
    appliance as given, each text or the unknown that stands for it.
    """

    name: str
    origin: Origin
    prefix: IntervalSet | None
    tag: str
    spelled: str
    unknown: Unknown | None
    hop: str | Unknown
    hop_addresses: tuple[Value, ...]
    problems: tuple[str, ...] = ()
    uncertain: Unknown | None = None
    own_address: bool = False
    """Whether the prefix will be that of a public IP (prefix) of one's own, no number yet (R18)."""


@record(frozen=True, slots=True)
class RouteTable:
    """A table, why there may be other routes, and whether gateway routes reach its subnets."""

    resource: Resource
    routes: tuple[UserRoute, ...]
    gap: Unknown | None
    propagation: bool | Unknown
    drops_peering: bool | Unknown


def route_table(graph: Graph, resource: Resource) -> RouteTable:
    """Read a route table, inline routes and children."""
    rows, gap = graph.children(resource, ROUTES)
    disabled = flag(resource.prop("disableBgpRoutePropagation"), False)
    peering = text(resource.prop("disablePeeringRoute"))
    drops = peering if isinstance(peering, Unknown) else (peering or "none").casefold() == "all"
    return RouteTable(
        resource,
        tuple(_route(row) for row in rows),
        gap,
        disabled if isinstance(disabled, Unknown) else not disabled,
        drops,
    )


def _route(row: Resource) -> UserRoute:
    problems: list[str] = []
    written = text(row.prop("addressPrefix"))
    unknown = written if isinstance(written, Unknown) else None
    spelled = written if isinstance(written, str) else ""
    target, tag = _target(spelled, problems) if unknown is None else (None, "")
    if unknown is None and target is None and not tag:
        # Azure refuses such a route; until it is mended nobody can say what it is going to cover
        unknown = Unknown(f"route `{row.name}`: {problems[-1]}", row.origin, settle="mend the address prefix")
    hop = _hop(row, problems)
    return UserRoute(
        name=row.name,
        origin=row.origin,
        prefix=target,
        tag=tag,
        spelled=spelled,
        unknown=unknown,
        hop=hop,
        hop_addresses=_hop_addresses(row, hop, problems),
        problems=tuple(problems),
        uncertain=row.uncertain,
        own_address=unknown is not None and _of_public_addresses(unknown),
    )


def _of_public_addresses(promised: Unknown) -> bool:
    kinds = [
        found.kind if (found := parse_id(one.id)) else "" for one in promised.refers_to or promised.made_of
    ]
    return bool(kinds) and all(kind in _OF_ONES_OWN for kind in kinds)


def _target(spelled: str, problems: list[str]) -> tuple[IntervalSet | None, str]:
    if not spelled:
        problems.append("the route has no address prefix")
        return None, ""
    if looks_like_tag(spelled):
        state, remark = spelling(spelled)
        if spelled.casefold() in TOPOLOGY_TAGS:
            problems.append(f"the service tag `{spelled}` cannot be used in a route")
            return None, ""
        if state is not Spelling.FINE:
            problems.append(remark)
        return None, spelled if state is not Spelling.IMPOSSIBLE else ""
    try:
        return prefix(spelled), ""
    except BadAddressError as error:
        problems.append(str(error))
        return None, ""


def _hop(row: Resource, problems: list[str]) -> str | Unknown:
    value = text(row.prop("nextHopType"))
    if isinstance(value, Unknown):
        return value
    known = NEXT_HOPS.get((value or "").casefold())
    if known is None:
        problems.append(
            "the next hop type is missing" if value is None else f"`{value}` is not a next hop type"
        )
        return Unknown("the route does not say a next hop type that Azure knows", row.origin)
    return known


def _hop_addresses(row: Resource, hop: str | Unknown, problems: list[str]) -> tuple[Value, ...]:
    if hop == "VirtualApplianceEcmp":
        several = items(at(row.prop("nextHop"), "nextHopIpAddresses"))
        return (several,) if isinstance(several, Unknown) else tuple(several)
    address = row.prop("nextHopIpAddress")
    if address is None or address == "":
        if hop == "VirtualAppliance":
            problems.append("the next hop type is VirtualAppliance and no next hop address is given")
        return ()
    return (address,)
