"""One flow through a security group of 1,000 rules: this project beside an SMT solver on the same rules.

Cold is everything from ARM JSON on: the graph, the rules read, the clauses made, the flow decided.  Warm is a flow
that nobody asked about before, through rules that are read: its clauses are made, nothing is remembered from it.
Repeated is the same flow once more, from another requirement.  The solver gets the rules as formulas over
bit vectors, first match as nested if-then-else; cold builds them, warm asks about one flow.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from random import Random
from typing import Any

from aks_egress.arm.graph import Link
from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Document, Kind, Resource
from aks_egress.evaluation.demand import Action, Demand
from aks_egress.evaluation.filters import Filter
from aks_egress.evaluation.hops import Hops
from aks_egress.packets.addresses import parse
from aks_egress.packets.boxes import EPHEMERAL, TCP, Box
from aks_egress.packets.intervals import IntervalSet
from aks_egress.packets.tags import ServiceTags
from aks_egress.topology.model import Topology
from aks_egress.values import Origin

Row = dict[str, Any]
SCOPE = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/net/providers/Microsoft.Network"
SUBNET = f"{SCOPE}/virtualNetworks/net/subnets/nodes"
SOURCE = "10.0.0.0/22"


def rules(count: int, rng: Random) -> list[Row]:
    """Rules as people write them: a few prefixes and ports each, some that speak of everything."""
    return [
        {
            "name": f"rule{i}",
            "properties": {
                "priority": 100 + i,
                "direction": "Outbound",
                "access": rng.choice(("Allow", "Deny")),
                "protocol": rng.choice(("Tcp", "Udp", "*")),
                "sourceAddressPrefix": rng.choice(("*", "10.0.0.0/16")),
                "sourcePortRange": "*",
                "destinationAddressPrefixes": [_prefix(rng) for _ in range(rng.randint(1, 6))],
                "destinationPortRanges": [_ports(rng) for _ in range(rng.randint(1, 3))],
            },
        }
        for i in range(count)
    ]


def _prefix(rng: Random) -> str:
    length = rng.choice((8, 12, 16, 20, 24, 32))
    base = (rng.randrange(1, 224) << 24 | rng.randrange(1 << 24)) >> (32 - length) << (32 - length)
    return f"{base >> 24}.{base >> 16 & 255}.{base >> 8 & 255}.{base & 255}/{length}"


def _ports(rng: Random) -> str:
    low = rng.choice((22, 80, 443, 1194, 5432, 8000, 9000))
    return rng.choice((str(low), f"{low}-{low + rng.randrange(1000)}"))


def document(rows: list[Row]) -> Document:
    """A network with one subnet behind the group."""
    subnet = {"addressPrefix": SOURCE, "networkSecurityGroup": {"id": f"{SCOPE}/networkSecurityGroups/nsg"}}
    network = {
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
        "subnets": [{"name": "nodes", "properties": subnet}],
    }
    made = (("virtualNetworks/net", network), ("networkSecurityGroups/nsg", {"securityRules": rows}))
    here = Origin("benchmark.json")
    resources = [
        Resource(ResourceId.parse(f"{SCOPE}/{name}"), here, {"properties": body}) for name, body in made
    ]
    return Document("benchmark.json", Kind.ARM_TEMPLATE, tuple(resources))


def group(rows: list[Row]) -> Filter:
    """The group as it filters the subnet."""
    held = document(rows)
    hops = Hops(Topology([held], ServiceTags()))
    subnet = hops.topology.subnets.at(SUBNET, held, Origin("benchmark.json"), "subnet")
    link: Link = subnet.nsg
    found = hops.security_groups(subnet, link, "subnet-nsg").options[0]
    assert found is not None  # noqa: S101  the subnet has a group
    return found


def flow(destination: str, port: int) -> Demand:
    """TCP from the subnet to one prefix."""
    box = Box(parse(SOURCE), parse(destination), IntervalSet.single(TCP), EPHEMERAL, IntervalSet.single(port))
    return Demand(boxes=(box,))


def verdict(filtered: Filter, demand: Demand) -> frozenset[Action]:
    """What the group does with the flow's packets."""
    pieces = filtered.decide(demand, "outbound", demand.boxes)
    return frozenset(one.action for piece in pieces for one in piece.deciders)


class Solver:
    """The same rules as formulas, asked through z3."""

    def __init__(self, rows: list[Row]) -> None:
        import z3

        self.z3 = z3
        self.source, self.target = z3.BitVec("source", 32), z3.BitVec("target", 32)
        self.protocol, self.port = z3.BitVec("protocol", 8), z3.BitVec("port", 16)
        public = self._in(self.target, "0.0.0.0/0")
        for private in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "0.0.0.0/8"):
            public = z3.And(public, z3.Not(self._in(self.target, private)))
        for private in ("127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "168.63.129.16/32"):
            public = z3.And(public, z3.Not(self._in(self.target, private)))
        inside = [
            z3.Or(self._in(end, "10.0.0.0/16"), self._in(end, "168.63.129.16/32"))
            for end in (self.source, self.target)
        ]
        self.allowed = z3.Or(z3.And(*inside), public)
        for row in reversed(rows):
            given = row["properties"]
            self.allowed = z3.If(self._matches(given), given["access"] == "Allow", self.allowed)

    def _in(self, end: Any, prefix: str) -> Any:
        low, high = parse(prefix).spans[0]
        return self.z3.And(self.z3.UGE(end, low), self.z3.ULE(end, high))

    def _matches(self, given: Row) -> Any:
        z3 = self.z3
        parts = [z3.Or(*(self._in(self.target, one) for one in given["destinationAddressPrefixes"]))]
        if given["sourceAddressPrefix"] != "*":
            parts.append(self._in(self.source, given["sourceAddressPrefix"]))
        numbers = {"Tcp": 6, "Udp": 17}
        if given["protocol"] != "*":
            parts.append(self.protocol == numbers[given["protocol"]])
        spans = [
            (int(low), int(high or low))
            for low, _, high in (one.partition("-") for one in given["destinationPortRanges"])
        ]
        parts.append(z3.Or(*(z3.And(z3.UGE(self.port, low), z3.ULE(self.port, high)) for low, high in spans)))
        return z3.And(*parts)

    def verdict(self, destination: str, port: int) -> frozenset[Action]:
        """What the group does with a TCP flow from the subnet."""
        z3 = self.z3
        asked = [
            self._in(self.source, SOURCE),
            self._in(self.target, destination),
            self.protocol == TCP,
            self.port == port,
        ]
        out = set()
        for action, wanted in ((Action.ALLOW, self.allowed), (Action.DENY, z3.Not(self.allowed))):
            solver = z3.Solver()
            solver.add(*asked, wanted)
            if solver.check() == z3.sat:
                out.add(action)
        return frozenset(out)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds, and what came out."""
    start = time.perf_counter()
    out = work()
    return (time.perf_counter() - start) * 1000, out


def main() -> int:
    """Measure, compare the answers, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--flows", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = Random(options.seed)  # noqa: S311  nothing secret
    rows = rules(options.rules, rng)
    flows = [(_prefix(rng), rng.choice((443, 80, 9000, 1194, 53))) for _ in range(options.flows)]
    cold, _ = timed(lambda: verdict(group(rows), flow(*flows[0])))
    filtered = group(rows)
    verdict(filtered, flow("10.0.1.0/24", 22))
    warm, repeated, ours = [], [], []
    for one in flows:
        filtered._made.clear()
        spent, said = timed(lambda one=one: verdict(filtered, flow(*one)))
        again, _ = timed(lambda one=one: verdict(filtered, flow(*one)))
        warm.append(spent)
        repeated.append(again)
        ours.append(said)
    print(f"{options.rules} rules, {options.flows} flows, milliseconds")
    print(f"aks-egress  cold {cold:8.2f}  warm {_shown(warm)}  repeated {_shown(repeated)}")
    if importlib.util.find_spec("z3") is None:
        print("z3          not installed: pip install z3-solver")
        return 0
    built, solver = timed(lambda: Solver(rows))
    asked = [timed(lambda one=one: solver.verdict(*one)) for one in flows]
    print(f"z3          cold {built:8.2f}  warm {_shown([spent for spent, _ in asked])}")
    agreed = sum(mine == theirs for mine, (_, theirs) in zip(ours, asked, strict=True))
    print(f"same answer for {agreed} of {len(flows)} flows")
    return 0 if agreed == len(flows) else 1


def _shown(spent: list[float]) -> str:
    return f"median {statistics.median(spent):8.3f}, worst {max(spent):8.3f}"


if __name__ == "__main__":
    raise SystemExit(main())
