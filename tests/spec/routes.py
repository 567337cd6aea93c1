"""Route selection, one destination at a time (R1 to R5, R10, R13, R17, U13, U15)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from tests.spec.world import Address, Row, World, inside, is_address, properties

USER, LEARNED, SYSTEM = 0, 1, 2

#: ranges that the system drops (R3)
RESERVED = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")

#: service endpoint -> the tag whose prefixes become routes (R17)
SERVICES = {
    "microsoft.storage": "Storage",
    "microsoft.sql": "Sql",
    "microsoft.keyvault": "AzureKeyVault",
    "microsoft.containerregistry": "AzureContainerRegistry",
}

Answer = tuple[str, str]
"""The type of the next hop, and the name of the user route or the peering, else empty."""


@dataclass(frozen=True)
class Candidate:
    """A route that covers a destination."""

    length: int
    source: int
    tie: int
    answer: Answer
    endpoint: bool = False


def answers(
    world: World, subnet_id: str, destination: Address, *, default_learned: bool = False
) -> set[Answer]:
    """The routes that may be the one a packet takes."""
    found = list(_candidates(world, subnet_id, destination, default_learned=default_learned))
    outcomes = _select(found)
    if any(one.endpoint for one in found) and any(one.tie for one in found):
        # U13: a tag route and a service endpoint with one prefix; nobody documents which wins
        outcomes |= _select([one if one.source else _behind(one) for one in found])
    learned = any(one.source == LEARNED for one in found)
    if learned and _private(destination) and not _own_or_peered(found):
        # U15: a gateway may know better of private ranges, and may take the None routes away
        outcomes.add(("VirtualNetworkGateway", ""))
    return outcomes


def _behind(user: Candidate) -> Candidate:
    """A tag route as one that loses to a service endpoint of its length."""
    return Candidate(user.length, SYSTEM + 1 if user.tie else USER, user.tie, user.answer)


def _select(found: list[Candidate]) -> set[Answer]:
    """Longest prefix; then user over learned over system; then the more special tag (R1, R13)."""
    if not found:
        return {("None", "")}
    best = min((-one.length, one.source, one.tie) for one in found)
    return {one.answer for one in found if (-one.length, one.source, one.tie) == best}


def _private(address: Address) -> bool:
    return any(
        inside(address, prefix)
        for prefix in (*RESERVED, "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")
    )


def _own_or_peered(found: list[Candidate]) -> bool:
    return any(one.answer[0] in ("VnetLocal", "VNetPeering") and one.source == SYSTEM for one in found)


def _candidates(
    world: World, subnet_id: str, destination: Address, *, default_learned: bool
) -> Iterator[Candidate]:
    table = _table(world, subnet_id)
    yield from _user(world, subnet_id, destination)
    propagates = not (table and properties(table).get("disableBgpRoutePropagation"))
    if default_learned and propagates and destination.version == 4:
        yield Candidate(0, LEARNED, 0, ("VirtualNetworkGateway", ""))
    network_id = subnet_id.rsplit("/subnets/", 1)[0]
    for prefix in world.prefixes(network_id):
        yield from _covering(destination, prefix, SYSTEM, ("VnetLocal", ""))
    if not (table and str(properties(table).get("disablePeeringRoute")).lower() == "all"):
        for name, remote, carries in world.peers(network_id):
            for prefix in world.prefixes(remote) if carries else ():
                yield from _covering(destination, prefix, SYSTEM, ("VNetPeering", name))
    for one in properties(world.subnet(subnet_id)).get("serviceEndpoints", []):
        yield from _tag(
            world,
            destination,
            SERVICES[one["service"].lower()],
            ("VirtualNetworkServiceEndpoint", ""),
            SYSTEM,
        )
    yield Candidate(0, SYSTEM, 0, ("Internet", ""))
    yield from _reserved(world, subnet_id, destination)


def _table(world: World, subnet_id: str) -> Row | None:
    return world.row(properties(world.subnet(subnet_id)).get("routeTable"))


def _user(world: World, subnet_id: str, destination: Address) -> Iterator[Candidate]:
    for route in world.routes(subnet_id):
        prefix, hop = properties(route)["addressPrefix"], properties(route)["nextHopType"]
        answer = (_HOPS[hop.lower()], route["name"])
        if is_address(prefix):
            yield from _covering(destination, prefix, USER, answer)
        else:
            yield from _tag(world, destination, prefix, answer, USER)


_HOPS = {
    one.lower(): one for one in ("VirtualAppliance", "Internet", "None", "VnetLocal", "VirtualNetworkGateway")
}


def _covering(
    destination: Address, prefix: str, source: int, answer: Answer, tie: int = 0
) -> Iterator[Candidate]:
    if inside(destination, prefix):
        yield Candidate(ipaddress.ip_network(prefix).prefixlen, source, tie, answer)


def _tag(world: World, destination: Address, tag: str, answer: Answer, source: int) -> Iterator[Candidate]:
    """A tag is a bundle of its prefixes; on a tie the regional one wins, AzureCloud comes last (R13)."""
    regional, cloud = "." in tag, tag.lower().startswith("azurecloud")
    tie = (3 if regional else 4) if cloud else (1 if regional else 2)
    for prefix in world.tags.get(tag.lower(), ()):
        for one in _covering(destination, prefix, source, answer, tie if source == USER else 0):
            yield Candidate(one.length, source, one.tie, answer, endpoint=source == SYSTEM)


def _reserved(world: World, subnet_id: str, destination: Address) -> Iterator[Candidate]:
    """None for private ranges, unless a 0.0.0.0/0 of the user or the network's own space takes it away (R3, R4)."""
    if any(properties(route)["addressPrefix"] == "0.0.0.0/0" for route in world.routes(subnet_id)):
        return
    own = [one for one in world.prefixes(subnet_id.rsplit("/subnets/", 1)[0]) if ":" not in one]
    for prefix in RESERVED:
        reserved = ipaddress.IPv4Network(prefix)
        if not any(reserved.subnet_of(ipaddress.IPv4Network(one)) for one in own):
            yield from _covering(destination, prefix, SYSTEM, ("None", ""))
