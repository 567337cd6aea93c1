"""The engine's answers, looked up for one packet."""

from __future__ import annotations

from collections.abc import Sequence

from tests.spec.world import Packet

from aks_egress.evaluation.demand import Decider
from aks_egress.evaluation.first_match import Piece
from aks_egress.packets import boxes
from aks_egress.packets.addresses import EVERYWHERE, number
from aks_egress.packets.boxes import Box
from aks_egress.packets.intervals import IntervalSet

EVERYTHING = Box(EVERYWHERE, EVERYWHERE)


def numbers(packet: Packet) -> boxes.Packet:
    """The packet as the engine counts it."""
    return boxes.Packet(
        number(packet.source), number(packet.destination), packet.protocol, packet.source_port, packet.port
    )


def box_of(packet: Packet) -> Box:
    """The box that holds this packet alone."""
    return Box(*(IntervalSet.single(part) for part in numbers(packet)))


def deciders_of(pieces: Sequence[Piece[Decider]], packet: Packet) -> list[Decider]:
    """Who could decide about a packet; every packet that was asked about lies in exactly one piece."""
    wanted = numbers(packet)
    found = [
        piece
        for piece in pieces
        if all(part in members for part, members in zip(wanted, piece.box, strict=True))
    ]
    assert len(found) == 1, f"{packet} lies in {len(found)} pieces"
    return list(dict.fromkeys(found[0].deciders))
