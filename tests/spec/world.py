"""The resources of a test and what the documentation says of networks: spaces, peers, members of tags."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

Row = dict[str, Any]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PLATFORM = ipaddress.ip_address("168.63.129.16")
METADATA = ipaddress.ip_address("169.254.169.254")

#: what the tag Internet never covers (U2)
NOT_INTERNET = tuple(
    ipaddress.ip_network(one)
    for one in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "0.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/3",
    )
)


@dataclass(frozen=True)
class Packet:
    """One packet: addresses, an IP protocol number and ports."""

    source: Address
    destination: Address
    protocol: int
    source_port: int
    port: int


@dataclass
class World:
    """All resources of a test by lower-case id, and the members of service tags by lower-case name."""

    rows: dict[str, Row]
    tags: dict[str, list[str]] = field(default_factory=dict)
    _children: dict[tuple[str, str], list[Row]] = field(default_factory=dict)

    @classmethod
    def of(cls, scope: str, rows: Sequence[Row], tags: dict[str, list[str]] | None = None) -> World:
        """The rows of a template that is deployed to `scope`."""
        members = {name.lower(): prefixes for name, prefixes in (tags or {}).items()}
        return cls({identity(scope, row["type"], row["name"]).lower(): row for row in rows}, members)

    def row(self, reference: Any) -> Row | None:
        """The resource that `{"id": …}` or an id names."""
        wanted = reference.get("id") if isinstance(reference, dict) else reference
        return self.rows.get(str(wanted).lower()) if wanted else None

    def children(self, parent_id: str, member: str) -> list[Row]:
        """Rows of an inline member (`securityRules`), and child resources of that type; the latter win by name."""
        key = parent_id.lower(), member
        if key not in self._children:
            self._children[key] = self._joined(parent_id, member)
        return self._children[key]

    def _joined(self, parent_id: str, member: str) -> list[Row]:
        parent = self.rows[parent_id.lower()]
        found = {row["name"].lower(): row for row in properties(parent).get(member, [])}
        prefix = f"{parent_id}/{member}/".lower()
        for key, row in self.rows.items():
            if key.startswith(prefix) and "/" not in key[len(prefix) :]:
                found[key[len(prefix) :]] = {**row, "name": row["name"].split("/")[-1]}
        return list(found.values())

    def prefixes(self, network_id: str) -> list[str]:
        """The address space of a network."""
        return list(properties(self.rows[network_id.lower()])["addressSpace"]["addressPrefixes"])

    def subnet(self, subnet_id: str) -> Row:
        """A subnet, inline or a resource of its own."""
        network_id, name = subnet_id.rsplit("/subnets/", 1)
        rows = self.children(network_id, "subnets")
        return next(row for row in rows if row["name"].lower() == name.lower())

    def peers(self, network_id: str) -> Iterator[tuple[str, str, bool | None]]:
        """(name of the peering, remote network, whether it carries) of every peering; None where nobody says."""
        for row in self.children(network_id, "virtualNetworkPeerings"):
            remote = properties(row)["remoteVirtualNetwork"]["id"]
            if properties(row).get("allowVirtualNetworkAccess", True) is False:
                yield row["name"], remote, False
            else:
                yield row["name"], remote, True if self._peers_back(remote, network_id) else None

    def _peers_back(self, remote: str, network_id: str) -> bool:
        for row in self.children(remote, "virtualNetworkPeerings"):
            if properties(row)["remoteVirtualNetwork"]["id"].lower() == network_id.lower():
                return properties(row).get("allowVirtualNetworkAccess", True) is True
        return False

    def routes(self, subnet_id: str) -> list[Row]:
        """The user routes of a subnet's table."""
        table = properties(self.subnet(subnet_id)).get("routeTable")
        return self.children(table["id"], "routes") if table else []

    def in_tag(self, address: Address, tag: str) -> bool:
        """Whether an address is a member of a service tag."""
        return any(inside(address, prefix) for prefix in self.tags.get(tag.lower(), ()))


def identity(scope: str, kind: str, name: str) -> str:
    """The id of a resource: types and names in turn."""
    namespace, *segments = kind.split("/")
    pairs = [part for pair in zip(segments, name.split("/"), strict=True) for part in pair]
    return "/".join([scope, "providers", namespace, *pairs])


def properties(row: Row) -> Row:
    """A row's properties."""
    found: Row = row["properties"]
    return found


@cache
def inside(address: Address, entry: str) -> bool:
    """Whether an address is covered by `*`, an address, a prefix or a range."""
    if entry == "*":
        return True
    if "-" in entry:
        low, high = (ipaddress.ip_address(end.strip()) for end in entry.split("-"))
        return address.version == low.version and int(low) <= int(address) <= int(high)
    return address in ipaddress.ip_network(entry)


def is_address(entry: str) -> bool:
    """Whether a entry is `*` or made of addresses, not the name of a tag."""
    return entry == "*" or entry[0].isdigit() or ":" in entry


def several(given: Row, singular: str, plural: str) -> list[str]:
    """A singular and a plural member as one list (N2)."""
    one, many = given.get(singular), given.get(plural)
    return ([str(one)] if one else []) + [str(each) for each in many or []]


def port_in(port: int, entries: Sequence[str]) -> bool:
    """Whether a port is covered by numbers, ranges and `*`."""
    return _port_in(port, tuple(entries))


@cache
def _port_in(port: int, entries: tuple[str, ...]) -> bool:
    for entry in entries:
        low, _, high = entry.partition("-")
        if entry == "*" or int(low) <= port <= int(high or low):
            return True
    return False


@cache
def public(address: Address) -> bool:
    """Whether the tag Internet can cover an address at all."""
    if address.version == 6:
        return address in ipaddress.ip_network("2000::/3")
    return address != PLATFORM and not any(address in one for one in NOT_INTERNET)
