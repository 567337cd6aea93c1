"""Azure Firewall, one connection at a time (F2 to F17, U10, U11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.spec.world import Address, Packet, Row, World, inside, is_address, port_in, properties

NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1}
DEFAULT_PORTS = {"https": "443", "http": "80", "mssql": "1433"}

Answer = tuple[str, str]
"""Collection and rule as `collection/rule`, and allow or deny."""


@dataclass(frozen=True)
class Connection:
    """A packet, the host name the client sends, and what it speaks (https, http or nothing).

    `in_aks_tag` says whether Microsoft's FQDN tag AzureKubernetesService holds the name;
    `through_proxy` whether the client resolves names with the firewall.
    """

    packet: Packet
    name: str = ""
    speaks: str = ""
    in_aks_tag: bool = False
    through_proxy: bool = True


@dataclass(frozen=True)
class Ranked:
    """A rule with the place of its collection: depth of inheritance, group priority, collection priority."""

    place: tuple[int, int, int]
    label: str
    action: str
    kind: str
    rule: Row


def answers(world: World, firewall_id: str, connection: Connection) -> set[Answer]:
    """The rules that may decide: all network rules first, then all application rules, then deny."""
    rules = list(_rules(world, world.rows[firewall_id.lower()], firewall_id))
    proxy = _proxy(world, world.rows[firewall_id.lower()])
    for kind in ("network", "application"):
        hits = [one for one in rules if one.kind == kind and _matches(world, one, connection, proxy)]
        if hits:
            first = min(one.place for one in hits)
            return {(one.label, one.action) for one in hits if one.place == first}
    return {("implicit deny", "deny")}


def _rules(world: World, firewall: Row, firewall_id: str) -> Iterator[Ranked]:
    policy = properties(firewall).get("firewallPolicy")
    if policy is None:
        yield from _classic(firewall)
        return
    chain = []
    while policy is not None:
        chain.append(policy["id"])
        policy = properties(world.rows[policy["id"].lower()]).get("basePolicy")
    for depth, policy_id in enumerate(reversed(chain)):
        for group in world.children(policy_id, "ruleCollectionGroups"):
            for collection in properties(group)["ruleCollections"]:
                place = (depth, int(properties(group)["priority"]), int(collection["priority"]))
                yield from _collection(place, collection)


def _collection(place: tuple[int, int, int], collection: Row) -> Iterator[Ranked]:
    if "nat" in collection["ruleCollectionType"].lower():
        return
    for rule in collection["rules"]:
        kind = "network" if rule["ruleType"].lower() == "networkrule" else "application"
        yield Ranked(
            place, f"{collection['name']}/{rule['name']}", collection["action"]["type"].lower(), kind, rule
        )


def _classic(firewall: Row) -> Iterator[Ranked]:
    for kind in ("network", "application"):
        for row in properties(firewall).get(f"{kind}RuleCollections", []):
            given = properties(row)
            for rule in given["rules"]:
                place = (0, 0, int(given["priority"]))
                yield Ranked(
                    place, f"{row['name']}/{rule['name']}", given["action"]["type"].lower(), kind, rule
                )


def _proxy(world: World, firewall: Row) -> bool:
    """Whether the firewall answers DNS: the policy's setting, else the nearest parent's."""
    policy = world.row(properties(firewall).get("firewallPolicy"))
    while policy is not None:
        given = (properties(policy).get("dnsSettings") or {}).get("enableProxy")
        if given is not None:
            return bool(given)
        policy = world.row(properties(policy).get("basePolicy"))
    extra = properties(firewall).get("additionalProperties") or {}
    return str(extra.get("Network.DNS.EnableProxy", "false")).lower() == "true"


def _matches(world: World, one: Ranked, connection: Connection, proxy: bool) -> bool:
    if not _addressed(world, one.rule, "source", connection.packet.source):
        return False
    if one.kind == "network":
        return _network(world, one.rule, connection, proxy)
    return _application(world, one.rule, connection)


def _network(world: World, rule: Row, connection: Connection, proxy: bool) -> bool:
    packet = connection.packet
    ports = [str(one) for one in rule["destinationPorts"]]
    if not _protocol(rule.get("ipProtocols") or rule.get("protocols") or [], packet.protocol, ports):
        return False
    if "*" not in ports and not port_in(packet.port, ports):
        return False
    if _addressed(world, rule, "destination", packet.destination):
        return True
    names = [one.lower() for one in rule.get("destinationFqdns") or []]
    return proxy and connection.through_proxy and connection.name.lower() in names


def _protocol(given: list[str], number: int, ports: list[str]) -> bool:
    """F8: Any means every protocol, and with ports TCP and UDP."""
    for spelled in given:
        if spelled.lower() == "any":
            if "*" in ports or number in (6, 17):
                return True
        elif NUMBERS[spelled.lower()] == number:
            return "*" in ports or number in (6, 17)
    return False


def _application(world: World, rule: Row, connection: Connection) -> bool:
    if not connection.name or not connection.speaks or connection.packet.protocol != 6:
        return False
    if not any(_listens(one, connection) for one in rule["protocols"]):
        return False
    if rule.get("destinationAddresses") and not _addressed(
        world, rule, "destination", connection.packet.destination
    ):
        return False
    if any(name_matches(pattern, connection.name) for pattern in rule.get("targetFqdns") or []):
        return True
    tags = [one.lower() for one in rule.get("fqdnTags") or []]
    return "azurekubernetesservice" in tags and connection.in_aks_tag


def _listens(protocol: Row, connection: Connection) -> bool:
    """U11: both the kind and the port must fit."""
    kind = protocol["protocolType"].lower()
    port = str(protocol.get("port") or DEFAULT_PORTS[kind])
    return kind == connection.speaks and int(port) == connection.packet.port


def name_matches(pattern: str, name: str) -> bool:
    """F14: `*` at the far left is anything; everything else is letter for letter, without case."""
    pattern, name = pattern.lower(), name.lower()
    if not pattern.startswith("*"):
        return pattern == name
    return "*" not in pattern[1:] and name.endswith(pattern[1:])


def _addressed(world: World, rule: Row, end: str, address: Address) -> bool:
    for entry in rule.get(f"{end}Addresses") or []:
        if inside(address, entry) if is_address(entry) else world.in_tag(address, entry):
            return True
    for reference in rule.get(f"{end}IpGroups") or []:
        group = world.row(reference)
        assert group is not None
        if any(inside(address, one) for one in properties(group).get("ipAddresses") or []):
            return True
    return False
