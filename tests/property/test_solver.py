"""A third voice: an SMT solver proves, for all packets at once, that the engine's answer is the rules' first match."""

from __future__ import annotations

import ipaddress
from random import Random
from typing import Any

import pytest
from tests import builders as b
from tests.property.seeds import seeds
from tests.property.worlds import nodes_of

from aks_egress.evaluation.demand import Demand
from aks_egress.evaluation.filters import Filter
from aks_egress.evaluation.hops import Hops
from aks_egress.packets.addresses import ALL_V4, parse
from aks_egress.packets.boxes import Box
from aks_egress.packets.intervals import IntervalSet
from aks_egress.packets.tags import ServiceTags
from aks_egress.topology.model import Topology

z3 = pytest.importorskip("z3", reason="the solver comes with the extra `test`")

PREFIXES = (
    "0.0.0.0/0",
    "10.0.0.0/16",
    "20.0.0.0/8",
    "20.1.0.0/16",
    "20.1.4.0/22",
    "20.1.5.7/32",
    "128.0.0.0/1",
)
PORTS = ("*", "443", "1-1023", "400-500", "65535", "0-442")
NUMBERS = {"Tcp": 6, "Udp": 17, "Icmp": 1}


def _rule(rng: Random, i: int) -> b.Row:
    return b.rule(
        f"rule{i}",
        100 + i,
        rng.choice(("Allow", "Deny")),
        to=rng.sample(PREFIXES, rng.randint(1, 3)),
        port=rng.sample(PORTS, rng.randint(1, 2)),
        protocol=rng.choice(("*", "Tcp", "Tcp", "Udp", "Icmp")),
        source=rng.choice(("*", "10.0.0.0/16", "10.0.0.0/24")),
    )


class Formulas:
    """Rules as formulas over bit vectors."""

    def __init__(self) -> None:
        self.source, self.target = z3.BitVec("source", 32), z3.BitVec("target", 32)
        self.protocol, self.source_port, self.port = (
            z3.BitVec("protocol", 8),
            z3.BitVec("sport", 16),
            z3.BitVec("port", 16),
        )

    def prefix(self, end: Any, text: str) -> Any:
        """Whether an end lies in a prefix."""
        if text == "*":
            return z3.BoolVal(True)
        found = ipaddress.IPv4Network(text)
        mask = int(found.netmask)
        return (end & mask) == int(found.network_address)

    def ports(self, texts: list[str]) -> Any:
        """Whether the port is one of some."""
        spans = [text.replace("*", "0-65535").partition("-") for text in texts]
        return z3.Or(
            *(
                z3.And(z3.UGE(self.port, int(low)), z3.ULE(self.port, int(high or low)))
                for low, _, high in spans
            )
        )

    def matches(self, row: b.Row) -> Any:
        """Whether a packet matches a rule; a rule with ports speaks of TCP and UDP (U5)."""
        given = row["properties"]
        targets = given.get("destinationAddressPrefixes") or [given["destinationAddressPrefix"]]
        texts = given.get("destinationPortRanges") or [given["destinationPortRange"]]
        parts = [z3.Or(*(self.prefix(self.target, one) for one in targets)), self.ports(texts)]
        parts.append(self.prefix(self.source, given["sourceAddressPrefix"]))
        if given["protocol"] != "*":
            parts.append(self.protocol == NUMBERS[given["protocol"]])
        if "*" not in texts:
            parts.append(z3.Or(self.protocol == 6, self.protocol == 17))
        return z3.And(*parts)

    def in_box(self, box: Box) -> Any:
        """Whether a packet lies in a box of the engine."""
        ends = (self.source, self.target, self.protocol, self.source_port, self.port)
        return z3.And(*(self._within(end, part) for end, part in zip(ends, box, strict=True)))

    def _within(self, end: Any, part: IntervalSet) -> Any:
        return z3.Or(*(z3.And(z3.UGE(end, low), z3.ULE(end, high)) for low, high in part.spans))


@pytest.mark.parametrize("seed", seeds(12))
def test_no_packet_is_decided_otherwise(seed: int) -> None:
    """Every piece of the answer, against "an earlier rule matches, or the one that is named does not"."""
    rng = Random(seed)
    rules = [_rule(rng, i) for i in range(rng.randint(1, 6))]
    net = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/22", nsg="nsg"))
    topology = Topology([b.document(net, b.nsg("nsg", *rules))], ServiceTags())
    within = Box(parse("10.0.0.0/8"), ALL_V4)
    pieces = _filter(topology).decide(Demand(boxes=(within,)), "outbound", [within])
    say = Formulas()
    hits = [say.matches(row) for row in rules]
    solver = z3.Solver()
    for piece in pieces:
        assert len(piece.deciders) == 1
        name = piece.deciders[0].name
        index = next((i for i, row in enumerate(rules) if row["name"] == name), len(rules))
        first = z3.And(*(z3.Not(hit) for hit in hits[:index]), *hits[index : index + 1])
        solver.push()
        solver.add(say.in_box(piece.box), z3.Not(first))
        assert solver.check() == z3.unsat, f"{name} does not decide all of {piece.box}"
        solver.pop()
    solver.add(say.in_box(within), *(z3.Not(say.in_box(piece.box)) for piece in pieces))
    assert solver.check() == z3.unsat, "some packet that was asked about is not answered"


def _filter(topology: Topology) -> Filter:

    subnet = nodes_of(topology)
    found = Hops(topology).security_groups(subnet, subnet.nsg, "subnet-nsg").options[0]
    assert found is not None
    return found
