"""Random networks: one list of ARM rows for the engine and for the second definition alike.

Everything follows from the seed, so a failure is repeated by its number.  Values are drawn from small pools whose
members touch, overlap and contain each other, since bugs live at the edges.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.builders import SCOPE, document, rid, subnet_id
from tests.spec.world import Address, Packet, Row, World

from aks_egress.arm.graph import Graph
from aks_egress.evaluation.hops import Hops
from aks_egress.packets.tags import ServiceTags
from aks_egress.topology.model import Topology
from aks_egress.topology.networks import Subnet

TAGS: dict[str, list[str]] = {
    "AzureCloud": ["20.0.0.0/11", "40.64.0.0/10", "52.1.0.0/16", "2603:1000::/32"],
    "AzureCloud.eastus": ["20.0.0.0/13", "40.64.0.0/16", "2603:1000:4::/48"],
    "AzureCloud.westus": ["20.8.0.0/14", "52.1.0.0/17"],
    "Storage": ["20.1.0.0/16", "20.8.0.0/24", "13.64.0.0/24", "20.1.4.0/22"],
    "Storage.EastUS": ["20.1.0.0/16", "20.1.4.0/22"],
    "Sql": ["40.64.0.0/24", "20.1.128.0/24"],
    "AzureMonitor": ["20.2.0.0/24", "20.9.0.0/16"],
    "AzureFrontDoor.FirstParty": ["150.171.69.0/24"],
}
SPACES = (
    ["10.0.0.0/16"],
    ["10.0.0.0/16", "20.1.4.0/23"],
    ["10.0.0.0/8"],
    ["10.0.0.0/7"],
    ["172.16.0.0/12", "10.0.0.0/17"],
    ["192.168.0.0/20", "2001:db8:1::/48"],
    ["100.64.0.0/10"],
)
PEERS = (
    ["10.200.0.0/16"],
    ["192.168.64.0/18", "20.9.0.0/16"],
    ["172.31.0.0/16"],
    ["10.201.0.0/24", "10.201.1.0/24"],
)
PREFIXES = (
    "*",
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "10.0.0.0/8",
    "10.0.0.0/16",
    "10.0.0.0/22",
    "10.0.1.0/24",
    "10.0.0.4",
    "10.200.0.0/17",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "20.0.0.0/8",
    "20.0.0.0/13",
    "20.1.4.0/23",
    "20.1.0.0/16",
    "20.2.0.7/32",
    "40.64.0.0/24",
    "150.171.69.10",
    "168.63.129.16",
    "::/0",
    "2603:1000:4::/48",
)
PORTS = ("*", "443", "80", "1-1023", "1024-65535", "0-442", "444-9000", "9000", "65535", "400-500", "0-65535")
PROTOCOLS = ("*", "*", "*", "Tcp", "Tcp", "Tcp", "Udp", "Icmp", "Esp", "Ah")
HOPS = ("VirtualAppliance", "Internet", "None", "VnetLocal", "VirtualNetworkGateway")
NODES = subnet_id("net", "nodes")
GROUPS = tuple(rid("applicationSecurityGroups", name) for name in ("web", "db"))


@dataclass
class Estate:
    """A random network: its rows, and both definitions of it."""

    rows: list[Row]
    rng: Random
    with_tags: bool = True
    #: whether the documentation leaves something of it open
    doubtful: bool = False
    edges: list[Address] = field(default_factory=list)

    def spec(self) -> World:
        """The second definition's view."""
        return World.of(SCOPE, self.rows, TAGS)

    def topology(self) -> Topology:
        """The engine's view."""
        return Topology([document(*self.rows)], service_tags() if self.with_tags else ServiceTags())

    def hops(self) -> Hops:
        """The engine's filters."""
        return Hops(self.topology())


def service_tags(members: dict[str, list[str]] | None = None) -> ServiceTags:
    """The pools' tags as the engine takes them."""
    rows = [
        {"name": name, "properties": {"addressPrefixes": prefixes}}
        for name, prefixes in (members or TAGS).items()
    ]
    return ServiceTags.from_json({"changeNumber": 1, "values": rows})


def nodes_of(topology: Topology) -> Subnet:
    """The subnet that is filtered and routed."""
    graph: Graph = topology.graph
    return topology.subnets.at(
        NODES, graph.documents[0], graph.documents[0].resources[0].origin, "node subnet"
    )


def respelled(rng: Random, word: str) -> str:
    """The word in another case: Azure ignores case."""
    return rng.choice((word, word, word.upper(), word.lower(), word.swapcase()))


def network(rng: Random, *, group: bool = False, table: bool = False, services: Sequence[str] = ()) -> Estate:
    """A network with a subnet, some peers, and user routes where a table is asked for."""
    space = rng.choice(SPACES)
    first = ipaddress.ip_network(space[0])
    nodes: Row = {"addressPrefix": f"{first.network_address}/{max(22, first.prefixlen)}"}
    estate = Estate([], rng)
    if group:
        nodes["networkSecurityGroup"] = {"id": rid("networkSecurityGroups", "nsg")}
    if services:
        nodes["serviceEndpoints"] = [{"service": one} for one in services]
    if table:
        nodes["routeTable"] = {"id": rid("routeTables", "table")}
        estate.rows.append(_table(rng, estate))
    peerings = list(_peers(rng, estate, space))
    properties: Row = {"addressSpace": {"addressPrefixes": list(space)}, "virtualNetworkPeerings": peerings}
    subnet = {"name": "nodes", "properties": nodes}
    if rng.random() < 0.5:
        properties["subnets"] = [subnet]
    else:
        estate.rows.append(_row("virtualNetworks/subnets", "net/nodes", nodes))
    estate.rows.append(_row("virtualNetworks", "net", properties))
    return estate


def _row(kind: str, name: str, properties: Row) -> Row:
    return {
        "type": f"Microsoft.Network/{kind}",
        "apiVersion": "2024-05-01",
        "name": name,
        "properties": properties,
    }


def _peers(rng: Random, estate: Estate, own: list[str]) -> Iterator[Row]:
    apart = [
        one for one in PEERS if not any(_overlap(a, b) for a in one for b in own)
    ]  # Azure refuses others
    for i, space in enumerate(rng.sample(apart, min(len(apart), rng.choice((0, 0, 1, 2))))):
        kind = rng.choice(("both", "both", "both", "here-shut", "one-sided"))
        back = [] if kind == "one-sided" else [_peering("net", allowed=True)]
        estate.doubtful |= kind == "one-sided"
        properties = {"addressSpace": {"addressPrefixes": list(space)}, "virtualNetworkPeerings": back}
        estate.rows.append(_row("virtualNetworks", f"peer{i}", properties))
        yield _peering(f"peer{i}", allowed=kind != "here-shut")


def _overlap(a: str, b: str) -> bool:
    one, other = ipaddress.ip_network(a), ipaddress.ip_network(b)
    return one.version == other.version and one.overlaps(other)


def _peering(remote: str, *, allowed: bool) -> Row:
    given = {
        "remoteVirtualNetwork": {"id": rid("virtualNetworks", remote)},
        "allowVirtualNetworkAccess": allowed,
    }
    return {"name": f"to-{remote}", "properties": given}


def _table(rng: Random, estate: Estate) -> Row:
    prefixes = [one for one in PREFIXES if one != "*"]
    targets = rng.sample(prefixes, rng.randint(0, 4)) + rng.sample(sorted(TAGS), rng.choice((0, 0, 1, 2)))
    if rng.random() < 0.5:
        targets = [one for one in targets if one != "0.0.0.0/0"]
    routes = []
    for i, target in enumerate(targets):
        hop = rng.choice(HOPS) if rng.random() < 0.4 else "VirtualAppliance"
        given: Row = {"addressPrefix": target, "nextHopType": respelled(rng, hop)}
        if hop == "VirtualAppliance":
            given["nextHopIpAddress"] = "10.200.0.4"
        else:
            estate.doubtful = True
        routes.append({"name": f"r{i}", "properties": given})
    shared = {
        "disableBgpRoutePropagation": rng.random() < 0.5,
        "disablePeeringRoute": rng.choice(("None", "None", "All")),
    }
    return _row("routeTables", "table", {"routes": routes, **shared})


def security_group(rng: Random, estate: Estate, most: int = 8) -> None:
    """Add a security group with random rules, some inline and some as resources of their own."""
    inline: list[Row] = []
    for i, priority in enumerate(rng.sample(range(100, 130), rng.randint(0, most))):
        rule = _rule(rng, i, priority)
        if rng.random() < 0.7:
            inline.append(rule)
        else:
            estate.rows.append(
                _row("networkSecurityGroups/securityRules", f"nsg/{rule['name']}", rule["properties"])
            )
    rng.shuffle(inline)
    estate.rows.append(_row("networkSecurityGroups", "nsg", {"securityRules": inline}))


def _rule(rng: Random, index: int, priority: int) -> Row:
    given: Row = {
        "priority": rng.choice((priority, str(priority))),
        "access": respelled(rng, rng.choice(("Allow", "Deny"))),
        "direction": respelled(rng, rng.choice(("Outbound", "Outbound", "Inbound"))),
        "protocol": respelled(rng, rng.choice(PROTOCOLS)),
    }
    for end in ("source", "destination"):
        _side(rng, given, end)
        _ports(rng, given, end)
    return {"name": f"rule{index}", "properties": given}


def _side(rng: Random, given: Row, end: str) -> None:
    kind = rng.random()
    if kind < 0.08:
        given[f"{end}ApplicationSecurityGroups"] = [{"id": respelled(rng, rng.choice(GROUPS))}]
    elif end == "source" and kind < 0.6:
        given[f"{end}AddressPrefix"] = rng.choice(("*", "*", "0.0.0.0/0", "10.0.0.0/8"))
    elif kind < 0.45:
        given[f"{end}AddressPrefix"] = rng.choice(PREFIXES)
    elif kind < 0.6:
        given[f"{end}AddressPrefixes"] = rng.sample(
            [one for one in PREFIXES if one != "*"], rng.randint(1, 4)
        )
        given[f"{end}AddressPrefix"] = rng.choice(("", None))
    else:
        tags = ("VirtualNetwork", "Internet", "Internet", "AzureLoadBalancer", *sorted(TAGS))
        given[f"{end}AddressPrefix"] = respelled(rng, rng.choice(tags))


def _ports(rng: Random, given: Row, end: str) -> None:
    if rng.random() < (0.9 if end == "source" else 0.3):
        given[f"{end}PortRange"] = "*"
    elif rng.random() < 0.5:
        given[f"{end}PortRange"] = rng.choice(PORTS)
    else:
        given[f"{end}PortRanges"] = rng.sample([one for one in PORTS if one != "*"], rng.randint(1, 3))


def packets(estate: Estate, count: int) -> Iterator[Packet]:
    """Random packets at the edges of everything that the network mentions, one beside included."""
    rng = estate.rng
    here = list(edges(_texts(estate.rows))) + [edge for members in TAGS.values() for edge in edges(members)]
    both = {version: [one for one in here if one.version == version] for version in (4, 6)}
    near = [
        one
        for one in both[4]
        if any(
            one in ipaddress.ip_network(f"{row}")
            for row in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
        )
    ]
    rules = [one for row in estate.rows for one in _rules_of(row)]
    for _ in range(count):
        if rules and rng.random() < 0.6:
            yield from _aimed(rng, rng.choice(rules), near)
            continue
        version = 6 if both[6] and rng.random() < 0.1 else 4
        yield Packet(
            rng.choice(both[6] if version == 6 else rng.choice((near, near, both[4]))),
            rng.choice(both[version]),
            rng.choice((6, 6, 6, 6, 17, 17, 1, 50, 51, 0, 255)),
            rng.choice((1024, 50000, 50000, 443, 65535, 0)),
            rng.choice(
                (443, 80, 0, 1, 442, 444, 9000, 9001, 399, 400, 500, 501, 1023, 1024, 65534, 65535, 7)
            ),
        )


def _rules_of(row: Row) -> list[Row]:
    if row["type"].endswith("/securityRules"):
        return [row["properties"]]
    return [one["properties"] for one in row["properties"].get("securityRules", [])]


def _aimed(rng: Random, rule: Row, near: list[Address]) -> Iterator[Packet]:
    """A packet at the edge of what one rule covers."""
    ends = []
    for end in ("source", "destination"):
        texts = list(_texts([rule.get(f"{end}AddressPrefix"), rule.get(f"{end}AddressPrefixes")]))
        members = [prefix for text in texts for prefix in _members(text)]
        ends.append(rng.choice(list(edges(members)) or near))
    if ends[0].version != ends[1].version:
        return
    numbers = {"tcp": 6, "udp": 17, "icmp": 1, "esp": 50, "ah": 51}
    ports = [
        text for name in ("destinationPortRange", "destinationPortRanges") for text in _texts(rule.get(name))
    ]
    low, _, high = rng.choice(ports).replace("*", "0-65535").partition("-")
    port = rng.choice((int(low), int(high or low), int(low) - 1, int(high or low) + 1))
    protocol = numbers.get(rule["protocol"].lower(), rng.choice((6, 6, 17, 1)))
    yield Packet(ends[0], ends[1], protocol, rng.choice((50000, 50000, 1024, 443)), min(max(port, 0), 65535))


def _members(text: str) -> list[str]:
    """The prefixes behind an entry, tags by their members."""
    if text.lower() == "virtualnetwork":
        return ["10.0.0.0/16", "10.200.0.0/16"]
    return next((members for name, members in TAGS.items() if name.lower() == text.lower()), [text])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def edges(texts: Any) -> Iterator[Address]:
    """First and last address of every prefix or range among the texts, and their neighbours."""
    for text in dict.fromkeys(texts):
        for low, high in _spans(text):
            for number in (int(low) - 1, int(low), int(high), int(high) + 1):
                if 0 <= number < 1 << (32 if low.version == 4 else 128):
                    yield type(low)(number)


def _spans(text: str) -> Iterator[tuple[Address, Address]]:
    first, dash, last = text.partition("-")
    try:
        if dash:
            yield ipaddress.ip_address(first), ipaddress.ip_address(last)
        else:
            found = ipaddress.ip_network(text)
            yield found[0], found[-1]
    except ValueError:
        return
