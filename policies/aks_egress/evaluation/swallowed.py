"""Next hops that a route of the same table drops everything to.

Whether Azure looks the next hop of one route up among the others is documented nowhere; that it does not is
what people rely on who drop private ranges beside a default route to a firewall.
"""

from __future__ import annotations

from aks_egress.evaluation.demand import Action, Decider, Demand
from aks_egress.evaluation.hops import Hops
from aks_egress.evaluation.routes import Way
from aks_egress.packets.boxes import Box
from aks_egress.records import replace
from aks_egress.topology.networks import Subnet
from aks_egress.topology.owners import Owner

_PLAIN = Demand(boxes=())


def swallowed(hops: Hops, owner: Owner, route: Decider, subnet: Subnet) -> Decider | None:
    """That nobody can say whether a next hop is reached, where a user's route drops what goes to its address."""
    place = owner.address or (owner.subnet.prefixes.sure if owner.subnet is not None else None)
    if not place:
        return None
    for option in hops.routes(subnet).options:
        for piece in option.decide(_PLAIN, [Box(destination=place)]) if option is not None else ():
            for one in piece.deciders:
                way = one.detail
                if isinstance(way, Way) and way.hop == "None" and way.route is not None:
                    why = f"{route.reason}, and route `{one.name}` drops what goes to that address; which of them Azure follows is not documented"
                    settle = f"narrow route `{one.name}` so that it leaves the next hop's subnet out, or judge effective routes"
                    return replace(route, action=Action.UNKNOWN, reason=why, settle=settle)
    return None
