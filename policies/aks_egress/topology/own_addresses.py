"""Public addresses of one's own: no endpoint of anybody else can have them.

Microsoft's example leads the firewall's own public address straight to the Internet beside 0.0.0.0/0
to the firewall (R18, aks/limit-egress-traffic); such a route takes nothing away from any endpoint.
"""

from __future__ import annotations

from aks_egress.arm.graph import Graph
from aks_egress.packets.addresses import PUBLIC_V4, BadAddressError, parse
from aks_egress.packets.intervals import EMPTY, IntervalSet, union
from aks_egress.topology.routing import PUBLIC_ADDRESSES, RouteTable
from aks_egress.values import text


def own_addresses(graph: Graph) -> IntervalSet:
    """The addresses of the public IPs among the inputs, where they are known."""
    found = []
    for resource in graph.of_kind(PUBLIC_ADDRESSES):
        value = text(resource.prop("ipAddress"))
        try:
            found.append(parse(value) if isinstance(value, str) else EMPTY)
        except BadAddressError:
            continue
    return union(found)


def led_straight(tables: list[RouteTable]) -> IntervalSet:
    """Single public addresses that tables lead to the Internet beside a default route that leads elsewhere."""
    return union(
        route.prefix & PUBLIC_V4
        for table in tables
        if any(one.spelled == "0.0.0.0/0" and one.hop != "Internet" for one in table.routes)
        for route in table.routes
        if route.hop == "Internet" and route.prefix is not None and route.prefix.size == 1
    )
