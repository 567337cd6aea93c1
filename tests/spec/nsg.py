"""Network security groups and admin rules, one packet at a time (N1 to N17, N27 to N33, U1, U2, U5; A1 to A4)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.spec.world import (
    PLATFORM,
    Address,
    Packet,
    Row,
    World,
    inside,
    is_address,
    port_in,
    properties,
    public,
    several,
)

NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "esp": 50, "ah": 51}

#: direction, name, source, destination, access (N, section 1.2)
DEFAULTS = (
    ("inbound", "AllowVnetInBound", "VirtualNetwork", "VirtualNetwork", "allow"),
    ("inbound", "AllowAzureLoadBalancerInBound", "AzureLoadBalancer", "*", "allow"),
    ("inbound", "DenyAllInBound", "*", "*", "deny"),
    ("outbound", "AllowVnetOutBound", "VirtualNetwork", "VirtualNetwork", "allow"),
    ("outbound", "AllowInternetOutBound", "*", "Internet", "allow"),
    ("outbound", "DenyAllOutBound", "*", "*", "deny"),
)

Answer = tuple[str, str]
"""The name of the rule that decides, and allow or deny."""


@dataclass(frozen=True)
class Reading:
    """What the documentation leaves open: do other routes than to appliances join VirtualNetwork, do one-sided peers?"""

    other_routes: bool
    one_sided_peers: bool


READINGS = [Reading(*choice) for choice in itertools.product((False, True), repeat=2)]


@dataclass(frozen=True)
class Filtered:
    """One subnet's view: its network, and the application security groups of the packet's two ends."""

    world: World
    subnet_id: str
    source_groups: frozenset[str] = frozenset()
    target_groups: frozenset[str] = frozenset()

    def readings(self) -> list[Reading]:
        """The readings that can differ here: both of each where something turns on it."""
        one_sided = any(carries is None for _, _, carries in self.world.peers(self.network_id))
        hops = [str(properties(row)["nextHopType"]).lower() for row in self.world.routes(self.subnet_id)]
        other = any(not hop.startswith("virtualappliance") for hop in hops)
        return [
            one
            for one in READINGS
            if (other or not one.other_routes) and (one_sided or not one.one_sided_peers)
        ]

    @property
    def network_id(self) -> str:
        """The network of the subnet."""
        return self.subnet_id.rsplit("/subnets/", 1)[0]


def answers(view: Filtered, group_id: str, direction: str, packet: Packet) -> set[Answer]:
    """The rules of a group that may be the one deciding about a packet."""
    rules = [row for row in view.world.children(group_id, "securityRules") if _faces(row, direction)]
    found: set[Answer] = set()
    for reading in view.readings():
        found |= _first(view, rules, direction, packet, reading)
    return found


def platform_answers(view: Filtered, group_id: str, tag: str, packet: Packet) -> set[Answer]:
    """What becomes of traffic to the platform: only rules that name its tag see it (N16)."""
    named = [
        row
        for row in view.world.children(group_id, "securityRules")
        if _faces(row, "outbound") and tag.lower() in [one.lower() for one in _destinations(row)]
    ]
    by_number = sorted(named, key=lambda row: int(properties(row)["priority"]))
    return {_platform_answer(view, by_number, packet, reading) for reading in view.readings()}


def _platform_answer(view: Filtered, rows: list[Row], packet: Packet, reading: Reading) -> Answer:
    for row in rows:
        if _matches_protocol(properties(row), packet) and _side(view, row, "source", packet.source, reading):
            return row["name"], properties(row)["access"].lower()
    return "platform-traffic", "allow"


def _destinations(row: Row) -> list[str]:
    return several(properties(row), "destinationAddressPrefix", "destinationAddressPrefixes")


def _faces(row: Row, direction: str) -> bool:
    spelled: str = properties(row)["direction"]
    return spelled.lower() == direction


def _first(view: Filtered, rules: list[Row], direction: str, packet: Packet, reading: Reading) -> set[Answer]:
    """The matching rules of the lowest number; several where Azure would have refused the group."""
    hits = [row for row in rules if _matches(view, row, packet, reading)]
    if hits:
        first = min(int(properties(row)["priority"]) for row in hits)
        return {
            (row["name"], properties(row)["access"].lower())
            for row in hits
            if int(properties(row)["priority"]) == first
        }
    for facing, name, source, destination, access in DEFAULTS:
        if facing != direction:
            continue
        sides = (source, packet.source), (destination, packet.destination)
        if all(_covers(view, entry, address, "allow", reading) for entry, address in sides):
            return {(name, access)}
    raise AssertionError("the last default rule matches everything")


def _matches(view: Filtered, row: Row, packet: Packet, reading: Reading) -> bool:
    return (
        _matches_protocol(properties(row), packet)
        and _side(view, row, "source", packet.source, reading)
        and _side(view, row, "destination", packet.destination, reading)
    )


def _matches_protocol(rule: Row, packet: Packet) -> bool:
    source_ports = several(rule, "sourcePortRange", "sourcePortRanges")
    ports = several(rule, "destinationPortRange", "destinationPortRanges")
    spelled = str(rule["protocol"]).lower()
    if spelled not in ("*", "any") and NUMBERS[spelled] != packet.protocol:
        return False
    if _every_port(source_ports) and _every_port(ports):
        return True
    # U5: a rule with ports speaks of TCP and UDP
    return (
        packet.protocol in (6, 17)
        and port_in(packet.source_port, source_ports)
        and port_in(packet.port, ports)
    )


def _every_port(entries: list[str]) -> bool:
    return _covers_all(tuple(entries))


@cache
def _covers_all(entries: tuple[str, ...]) -> bool:
    return "*" in entries or all(port_in(port, entries) for port in range(65536))


def _side(view: Filtered, row: Row, end: str, address: Address, reading: Reading) -> bool:
    rule = properties(row)
    members = view.source_groups if end == "source" else view.target_groups
    for group in rule.get(f"{end}ApplicationSecurityGroups") or []:
        if group["id"].lower() in members:
            return True
    entries = several(rule, f"{end}AddressPrefix", f"{end}AddressPrefixes")
    return any(_covers(view, entry, address, rule["access"].lower(), reading) for entry in entries)


def _covers(view: Filtered, entry: str, address: Address, access: str, reading: Reading) -> bool:
    if is_address(entry):
        return inside(address, entry)
    match entry.lower():
        case "virtualnetwork":
            return _in_virtual_network(view, address, access, reading)
        case "internet":
            # U2: a Deny matches every public address, an Allow leaves out the networks' own public ranges
            return public(address) and (access == "deny" or not _in_networks(view, address, reading))
        case "azureloadbalancer":
            return address == PLATFORM
    return view.world.in_tag(address, entry)


def _in_networks(view: Filtered, address: Address, reading: Reading) -> bool:
    return any(inside(address, prefix) for prefix in _spaces(view, reading))


def _spaces(view: Filtered, reading: Reading) -> Iterator[str]:
    yield from view.world.prefixes(view.network_id)
    for _, remote, carries in view.world.peers(view.network_id):
        if carries or (carries is None and reading.one_sided_peers):
            yield from view.world.prefixes(remote)


def _in_virtual_network(view: Filtered, address: Address, access: str, reading: Reading) -> bool:
    if address == PLATFORM or _in_networks(view, address, reading):
        return True
    for route in view.world.routes(view.subnet_id):
        to_appliance = properties(route)["nextHopType"].lower().startswith("virtualappliance")
        if not (to_appliance or access == "deny" or reading.other_routes):
            continue
        prefix = properties(route)["addressPrefix"]
        if inside(address, prefix) if is_address(prefix) else view.world.in_tag(address, prefix):
            return True
    return False


def admin_answer(view: Filtered, rows: list[Row], direction: str, packet: Packet) -> Answer:
    """What admin rules do: deny, alwaysallow, or pass on to the security groups (A1, A2)."""
    for row in sorted(rows, key=lambda row: int(properties(row)["priority"])):
        if _faces(row, direction) and _admin_matches(view, properties(row), packet):
            access = properties(row)["access"].lower()
            return row["name"].split("/")[-1], "pass-on" if access == "allow" else access
    return "no admin rule", "pass-on"


def _admin_matches(view: Filtered, rule: Row, packet: Packet) -> bool:
    with_ports = {**rule, "sourcePortRange": "", "destinationPortRange": ""}
    for member in ("sourcePortRanges", "destinationPortRanges"):
        with_ports[member] = rule.get(member) or ["*"]
    if not _matches_protocol(with_ports, packet):
        return False
    for member, address in (("sources", packet.source), ("destinations", packet.destination)):
        entries = [one["addressPrefix"] for one in rule.get(member) or []] or ["*"]
        if not any(_covers(view, entry, address, rule["access"].lower(), READINGS[0]) for entry in entries):
            return False
    return True
