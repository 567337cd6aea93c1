"""What the engine says of one packet at the hops of a random network, as a verdict and as the deciders' names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.builders import document
from tests.property.answers import box_of
from tests.property.worlds import NODES, Row, nodes_of
from tests.spec.world import Packet

from aks_egress.evaluation.demand import Action, Decider, Demand
from aks_egress.evaluation.hops import Hops
from aks_egress.evaluation.routes import Way
from aks_egress.packets.tags import ServiceTags
from aks_egress.topology.model import Topology

Ways = frozenset[str]


@dataclass
class Judge:
    """The hops of a network, asked packet by packet."""

    hops: Hops

    @classmethod
    def of(cls, rows: Sequence[Row], tags: ServiceTags) -> Judge:
        """The judge of some rows."""
        return cls(Hops(Topology([document(*rows)], tags)))

    def filtered(self, packet: Packet, direction: str = "outbound", lies_in: str = "") -> Ways:
        """What the subnet's security group may do with a packet: allow, deny, unknown."""
        subnet = nodes_of(self.hops.topology)
        choice = self.hops.security_groups(subnet, subnet.nsg, "subnet-nsg")
        said: set[str] = set() if choice.unknown is None else {Action.UNKNOWN.value}
        box = box_of(packet)
        demand = Demand(boxes=(box,), lies_in=lies_in)
        for option in choice.options:
            if option is None:
                said.add(Action.ALLOW.value)
                continue
            said |= {
                one.action.value
                for piece in option.decide(demand, direction, [box])
                for one in piece.deciders
            }
        return frozenset(said)

    def routed(self, packet: Packet) -> Ways:
        """The next hops that a packet may take."""
        subnet = nodes_of(self.hops.topology)
        choice = self.hops.routes(subnet)
        said: set[str] = set() if choice.unknown is None else {"?"}
        box = box_of(packet)
        for option in choice.options:
            if option is not None:
                pieces = option.decide(Demand(boxes=(box,)), [box])
                said |= {_way(one) for piece in pieces for one in piece.deciders}
        return frozenset(said)


def _way(decider: Decider) -> str:
    way = decider.detail
    if not isinstance(way, Way) or decider.action is Action.UNKNOWN or way.unknown is not None:
        return "?"
    if way.route is None:
        return f"{way.hop}/system"
    if not isinstance(way.route.hop, str) or not all(isinstance(one, str) for one in way.route.hop_addresses):
        return "?"
    return f"{way.hop}/{way.route.name}/{way.route.hop_addresses}"


__all__ = ["NODES", "Judge", "Ways"]
