"""Packets as boxes: a product of five sets.

A box is (source, destination, protocol, source port, destination port), each an `IntervalSet`.
Rules, demands and answers are all made of boxes; cutting one by another leaves disjoint boxes.
"""

from __future__ import annotations

from typing import NamedTuple

from aks_egress.packets.addresses import EVERYWHERE, spell
from aks_egress.packets.intervals import IntervalSet

TCP, UDP, ICMP, ESP, AH = 6, 17, 1, 50, 51

ANY_PROTOCOL = IntervalSet.single(0, 255)
ANY_PORT = IntervalSet.single(0, 65535)
WITH_PORTS = IntervalSet.of([(TCP, TCP), (UDP, UDP)])
EPHEMERAL = IntervalSet.single(1024, 65535)
"""Source ports that a client may come from, whatever its operating system."""

PROTOCOL_NAMES = {TCP: "TCP", UDP: "UDP", ICMP: "ICMP", ESP: "ESP", AH: "AH"}


class Box(NamedTuple):
    """All packets whose five parts lie in the five sets; empty when any of them is."""

    source: IntervalSet = EVERYWHERE
    destination: IntervalSet = EVERYWHERE
    protocol: IntervalSet = ANY_PROTOCOL
    source_port: IntervalSet = ANY_PORT
    port: IntervalSet = ANY_PORT

    def meet(self, other: Box) -> Box | None:
        """The packets in both, None where there are none."""
        # ports and protocols first: they are short, and most rules are about others
        port = self.port & other.port
        if not port.spans:
            return None
        protocol = self.protocol & other.protocol
        if not protocol.spans:
            return None
        destination = self.destination & other.destination
        if not destination.spans:
            return None
        source, source_port = self.source & other.source, self.source_port & other.source_port
        if not source.spans or not source_port.spans:
            return None
        return Box(source, destination, protocol, source_port, port)

    def minus(self, inner: Box) -> list[Box]:
        """The rest, as disjoint boxes, once `inner` (a part of this box) is taken out."""
        rest = []
        for i in range(5):
            if self[i] is inner[i] or self[i] == inner[i]:
                continue
            parts = [*inner[:i], self[i] - inner[i], *self[i + 1 :]]
            rest.append(Box(*parts))
        return rest

    def example(self) -> Packet:
        """One packet of it: the first everywhere, a destination that a host can have."""
        source, target = self.source, self.destination
        return Packet(
            _host(source), _host(target), self.protocol.first, self.source_port.first, self.port.first
        )


class Packet(NamedTuple):
    """One packet, its addresses as members of the one address space."""

    source: int
    destination: int
    protocol: int
    source_port: int
    port: int

    def as_dict(self) -> dict[str, str | int]:
        """The packet as the report's counterexample shows it."""
        return {
            "source": spell(self.source),
            "destination": spell(self.destination),
            "protocol": PROTOCOL_NAMES.get(self.protocol, str(self.protocol)),
            "port": self.port,
        }


def _host(addresses: IntervalSet) -> int:
    """A member that can be a host: Azure keeps the first four addresses of a subnet for itself."""
    low, high = addresses.spans[0]
    return low + 4 if high - low >= 7 else low


def merge(boxes: list[Box]) -> list[Box]:
    """Fewer boxes for the same packets: those that differ in one part only become one."""
    for part in range(5):
        if len(boxes) < 2:
            return boxes
        groups: dict[tuple[IntervalSet, ...], list[Box]] = {}
        for box in boxes:
            groups.setdefault((*box[:part], *box[part + 1 :]), []).append(box)
        boxes = [_joined(group, part) for group in groups.values()]
    return boxes


def _joined(group: list[Box], part: int) -> Box:
    if len(group) == 1:
        return group[0]
    parts = list(group[0])
    parts[part] = IntervalSet.of(span for box in group for span in box[part].spans)
    return Box(*parts)
