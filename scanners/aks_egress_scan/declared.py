"""What a configuration declares, as settings: appliances, node subnets, requirements, suppressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from ipaddress import ip_address, ip_network
from typing import Any

from aks_egress.settings import (
    ALL_PORTS,
    Allow,
    Appliance,
    NodeSubnet,
    OwnRequirement,
    PortRange,
    Settings,
    Suppression,
)
from aks_egress.values import Origin
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.toml_lines import lines_of

Path = tuple[str | int, ...]


class Places:
    """The lines of a configuration's keys."""

    def __init__(self, file: str, text: str, prefix: Path = ()) -> None:
        self._file, self._prefix = file, prefix
        self._lines = lines_of(text)

    def line(self, path: Path) -> int | None:
        """The line of a key, or of the nearest table around it."""
        whole = (*self._prefix, *path)
        return next(
            (found for end in range(len(whole), 0, -1) if (found := self._lines.get(whole[:end]))), None
        )

    def origin(self, path: Path) -> Origin:
        """The place of a key."""
        return Origin(self._file, self.line(path))

    def said(self, path: Path, message: str) -> str:
        """A sentence with its place before it."""
        line = self.line(path)
        return f"{self._file}:{line}: {message}" if line else f"{self._file}: {message}"

    def failure(self, path: Path, message: str) -> UsageFailure:
        """What ends the run because of a key."""
        return UsageFailure(self.said(path, message))


def settings_from(table: Mapping[str, Any], places: Places) -> Settings:
    """The settings that a checked configuration declares.  Raises UsageFailure with the line of what is off."""
    addresses = table.get("api-server-addresses", {})
    for name, address in addresses.items():
        _address(address, places, ("api-server-addresses", name))
    return Settings(
        appliances=tuple(_appliance(*one, places) for one in _rows(table, "appliance")),
        node_subnets=tuple(_node_subnet(*one, places) for one in _rows(table, "node-subnet")),
        requirements=tuple(_requirement(*one, places) for one in _rows(table, "requirement")),
        severities=dict(table.get("severities", {})),
        suppressions=tuple(_suppression(*one, places) for one in _rows(table, "suppress")),
        api_server_addresses=dict(addresses),
    )


def _rows(table: Mapping[str, Any], key: str) -> list[tuple[Mapping[str, Any], Path]]:
    return [(row, (key, index)) for index, row in enumerate(table.get(key, ()))]


def _appliance(row: Mapping[str, Any], path: Path, places: Places) -> Appliance:
    _address(row["address"], places, (*path, "address"))
    allows = tuple(
        _allow(one, (*path, "allow", index), places) for index, one in enumerate(row.get("allow", ()))
    )
    return Appliance(
        address=row["address"],
        allows=allows,
        name=row.get("name", ""),
        inspects_tls=row.get("inspects-tls", False),
        source=places.origin(path),
    )


def _allow(row: Mapping[str, Any], path: Path, places: Places) -> Allow:
    if "to" not in row and "names" not in row:
        raise places.failure(
            path, 'says neither `to` what nor which `names` it lets through; `to = ["*"]` is everything'
        )
    for key in ("to", "from"):
        for index, text in enumerate(row.get(key, ())):
            if text[:1].isdigit() or ":" in text or key == "from":
                _network(text, places, (*path, key, index))
    return Allow(
        destinations=tuple(row.get("to", ())),
        names=tuple(row.get("names", ())),
        sources=tuple(row.get("from", ())),
        protocols=(str(row.get("protocol", "any")).upper(),),
        ports=_ports(row.get("ports"), ALL_PORTS, places, (*path, "ports")),
    )


def _node_subnet(row: Mapping[str, Any], path: Path, places: Places) -> NodeSubnet:
    return NodeSubnet(
        subnet=row["subnet"],
        name=row.get("name", ""),
        location=row.get("location", ""),
        outbound_type=row.get("outbound-type", ""),
        api_access=row.get("api-access", ""),
        source=places.origin(path),
    )


_KINDS = {"host": "fqdn", "tag": "service-tag", "address": "ip"}


def _requirement(row: Mapping[str, Any], path: Path, places: Places) -> OwnRequirement:
    given = [key for key in _KINDS if key in row]
    if len(given) != 1:
        raise places.failure(
            path, f"requirement `{row['id']}` names exactly one of `host`, `tag` and `address`"
        )
    if given == ["address"]:
        _network(row["address"], places, (*path, "address"))
    return OwnRequirement(
        id=row["id"],
        kind=_KINDS[given[0]],
        value=row[given[0]],
        protocol=str(row.get("protocol", "tcp")).upper(),
        ports=_ports(row.get("ports"), ((443, 443),), places, (*path, "ports")),
        title=row.get("title", ""),
        necessity=row.get("necessity", "required"),
        lies_in=tuple(row.get("lies-in", ())),
        start=tuple(row.get("from", ("node", "pod"))),
        clusters=tuple(row.get("clusters", ())),
        breaks=tuple(row.get("breaks", ())),
        source=places.origin(path),
    )


def _suppression(row: Mapping[str, Any], path: Path, places: Places) -> Suppression:
    rules = (*((row["rule"],) if "rule" in row else ()), *row.get("rules", ()))
    if not rules:
        raise places.failure(path, "a suppression names its `rule`")
    return Suppression(
        rules=rules,
        reason=row["reason"],
        until=_day(row.get("until"), places, (*path, "until")),
        resource=row.get("resource", ""),
        cluster=row.get("cluster", ""),
        requirement=row.get("requirement", ""),
        source=places.origin(path),
    )


def _day(value: Any, places: Places, path: Path) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise places.failure(path, f"`{value}` is no day of the calendar") from None


def _ports(
    given: Sequence[Any] | None, default: tuple[PortRange, ...], places: Places, path: Path
) -> tuple[PortRange, ...]:
    if given is None:
        return default
    found = []
    for index, one in enumerate(given):
        first, _, last = ("0-65535" if one == "*" else str(one)).partition("-")
        low, high = int(first), int(last or first)
        if not low <= high <= 65535:
            raise places.failure((*path, index), f"`{one}` is no port and no range of ports")
        found.append((low, high))
    return tuple(found)


def _address(text: str, places: Places, path: Path) -> None:
    try:
        ip_address(text)
    except ValueError:
        raise places.failure(path, f"`{text}` is no IP address") from None


def _network(text: str, places: Places, path: Path) -> None:
    try:
        ip_network(text)
    except ValueError:
        raise places.failure(
            path, f"`{text}` is no address and no prefix, or bits stand beyond the prefix"
        ) from None
