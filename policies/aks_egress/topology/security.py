"""Security rules as written: network security groups and Virtual Network Manager admin rules.

A rule is read once, into tokens and sets; what its tags cover depends on the subnet it filters
and is settled in `aks_egress.evaluation.filters`.  Facts N1-N9, A1-A4 (Microsoft:
network-security-groups-overview, virtual-network-manager/concept-security-admins).
"""

from __future__ import annotations

import json
from functools import lru_cache

from aks_egress.arm.graph import Graph
from aks_egress.arm.ids import ResourceId, parse_id
from aks_egress.arm.resources import Resource
from aks_egress.packets.boxes import ANY_PORT, ANY_PROTOCOL, WITH_PORTS
from aks_egress.packets.extents import Extent
from aks_egress.packets.intervals import EMPTY, IntervalSet
from aks_egress.packets.tags import Spelling, spelling
from aks_egress.records import field, record
from aks_egress.topology.reading import Tokens, addresses, ports, protocol, tokens
from aks_egress.values import NOWHERE, Origin, Unknown, Value, get, items, text

SECURITY_RULES = "Microsoft.Network/networkSecurityGroups/securityRules"
ADMIN_RULES = "Microsoft.Network/networkManagers/securityAdminConfigurations/ruleCollections/rules"

OUTBOUND, INBOUND = "outbound", "inbound"


@record(frozen=True, slots=True)
class Side:
    """One side of a rule: literal addresses, names of tags, application security groups.

    `open` says why there may be more than is written, `damaged` that Azure refuses some of it.
    """

    literal: IntervalSet
    tags: tuple[str, ...]
    groups: tuple[ResourceId | None, ...]
    open: Unknown | None
    given: bool
    damaged: bool = False


@record(frozen=True, slots=True, kw_only=True, eq=False)
class SecurityRule:
    """One rule.  `access` is allow, deny, alwaysallow or why it is not known; `problems` is what Azure refuses.

    `priority` and `direction` that are not known are None and listed in `unknowns`.
    """

    name: str
    owner: Resource
    origin: Origin
    priority: int | None
    direction: str | None
    access: str | Unknown
    protocol: Extent
    source: Side
    destination: Side
    source_port: Extent
    port: Extent
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    uncertain: Unknown | None = None
    rank: int = 0


@record(slots=True)
class RuleList:
    """The rules of one group, sorted as Azure asks them, and why there may be others."""

    rules: list[SecurityRule] = field(default_factory=list)
    gap: Unknown | None = None

    def facing(self, direction: str) -> list[SecurityRule]:
        """The rules of a direction in order; those whose place is not known come first."""
        return [rule for rule in self.rules if rule.direction in (direction, None)]


def security_rules(graph: Graph, group: Resource) -> RuleList:
    """The rules of a network security group, inline ones and children."""
    rows, gap = graph.children(group, SECURITY_RULES)
    rules = sorted((_rule(row, group, admin=False) for row in rows), key=_order)
    return RuleList(rules, gap)


def admin_rules(rows: list[Resource], rank: int) -> list[SecurityRule]:
    """Admin rules of one manager; a lower `rank` is asked first."""
    return sorted((_rule(row, row, admin=True, rank=rank) for row in rows), key=_order)


def _order(rule: SecurityRule) -> tuple[int, int, str]:
    return (rule.rank, -1 if rule.priority is None else rule.priority, rule.name.casefold())


class _Given:
    """A row's properties, folded once: a rule reads a dozen of them, most of them absent."""

    __slots__ = ("_properties", "origin")

    def __init__(self, properties: Value, origin: Origin) -> None:
        folded = (
            {name.casefold(): value for name, value in reversed(properties.items())}
            if isinstance(properties, dict)
            else properties
        )
        self._properties = folded
        self.origin = origin

    def prop(self, name: str) -> Value:
        """The property, whatever its case."""
        found = self._properties
        if isinstance(found, dict):
            return found.get(name.casefold())
        return found if isinstance(found, Unknown) else None


@record(frozen=True, slots=True)
class _Written:
    """What a rule says, its own name and place aside."""

    priority: int | None
    direction: str | None
    access: str | Unknown
    protocol: Extent
    source: Side
    destination: Side
    source_port: Extent
    port: Extent
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    unknowns: tuple[Unknown, ...]


def _rule(row: Resource, owner: Resource, *, admin: bool, rank: int = 0) -> SecurityRule:
    said = _written(row, admin)
    return SecurityRule(
        name=row.name,
        owner=owner,
        origin=row.origin,
        priority=said.priority,
        direction=said.direction,
        access=said.access,
        protocol=said.protocol,
        source=said.source,
        destination=said.destination,
        source_port=said.source_port,
        port=said.port,
        problems=said.problems,
        warnings=said.warnings,
        unknowns=said.unknowns,
        uncertain=row.uncertain,
        rank=rank,
    )


def _written(row: Resource, admin: bool) -> _Written:
    """What a row says: read once for all rules of a fleet that say the same."""
    properties = row.get("properties")
    try:
        found = _alike(json.dumps(properties), admin)
    except (TypeError, ValueError):  # a part of it is not known
        found = None
    return found or _said(properties, row.origin, admin)


@lru_cache(maxsize=4096)
def _alike(properties: str, admin: bool) -> _Written | None:
    """What properties say that are wholly known; None where even so something stays open, which has a place."""
    found = _said(json.loads(properties), NOWHERE, admin)
    return None if found.unknowns or isinstance(found.access, Unknown) else found


def _said(properties: Value, origin: Origin, admin: bool) -> _Written:
    written = _Given(properties, origin)
    problems: list[str] = []
    warnings: list[str] = []
    unknowns: list[Unknown] = []
    access = _access(written, problems, admin)
    read = _admin_sides if admin else _sides
    source, destination = read(written, problems, warnings)
    source_port = _ports(written, "source", problems, admin, allows=_opens(access))
    port = _ports(written, "destination", problems, admin, allows=_opens(access))
    covered = _protocol(written, problems, (source_port, port), allows=_opens(access))
    priority = _priority(written, problems, unknowns, admin)
    direction = _word(written, "direction", (OUTBOUND, INBOUND), problems, unknowns)
    return _Written(
        priority,
        direction,
        access,
        covered,
        source,
        destination,
        source_port,
        port,
        tuple(problems),
        tuple(warnings),
        tuple(unknowns),
    )


def _opens(access: str | Unknown) -> bool:
    """Whether a rule surely lets packets pass: what Azure refuses of it opens nothing, of any other it may close."""
    return access in ("allow", "alwaysallow")


def _protocol(row: _Given, problems: list[str], port_ranges: tuple[Extent, ...], *, allows: bool) -> Extent:
    covered, complaint = protocol(row.prop("protocol"))
    if complaint:
        problems.append(complaint)
        covered = covered if allows else Extent.within(ANY_PROTOCOL)
    # ports mean nothing to ICMP, ESP and AH: a rule with ports speaks of TCP and UDP (U5)
    sure, possible = covered.sure, covered.possible
    if any(one.sure != ANY_PORT for one in port_ranges):
        sure = sure & WITH_PORTS
    if any(one.possible != ANY_PORT for one in port_ranges):
        possible = possible & WITH_PORTS
    return Extent(sure, possible)


def _priority(row: _Given, problems: list[str], unknowns: list[Unknown], admin: bool) -> int | None:
    value = text(row.prop("priority"))
    if isinstance(value, Unknown):
        unknowns.append(value)
        return None
    if value is None or not value.isdecimal():
        problems.append(
            "the priority is missing" if value is None else f"the priority `{value}` is not a number"
        )
        return None
    low = 1 if admin else 100
    if not low <= int(value) <= 4096:
        problems.append(f"the priority {value} is not between {low} and 4096")
    return int(value)


def _word(
    row: _Given, name: str, allowed: tuple[str, ...], problems: list[str], unknowns: list[Unknown]
) -> str | None:
    value = text(row.prop(name))
    if isinstance(value, Unknown):
        unknowns.append(value)
        return None
    folded = (value or "").casefold()
    if folded not in allowed:
        problems.append(f"the {name} is missing" if value is None else f"`{value}` is not a {name}")
        return None
    return folded


def _access(row: _Given, problems: list[str], admin: bool) -> str | Unknown:
    value = text(row.prop("access"))
    if isinstance(value, Unknown):
        return value
    folded = (value or "").casefold()
    if folded in ("allow", "deny") or (admin and folded == "alwaysallow"):
        return folded
    problems.append("the access is missing" if value is None else f"`{value}` is neither Allow nor Deny")
    return Unknown("the rule says neither Allow nor Deny", row.origin)


def _sides(row: _Given, problems: list[str], warnings: list[str]) -> tuple[Side, Side]:
    source, destination = (
        _side(
            tokens(row.prop(f"{end}AddressPrefix"), row.prop(f"{end}AddressPrefixes")),
            row.prop(f"{end}ApplicationSecurityGroups"),
            end,
            problems,
            warnings,
        )
        for end in ("source", "destination")
    )
    return source, destination


def _side(given: Tokens, groups: Value, end: str, problems: list[str], warnings: list[str]) -> Side:
    literal, tags, complaints = addresses(given.known, ranges=False)
    problems.extend(f"{end}: {complaint}" for complaint in complaints)
    for tag in tags:
        state, remark = spelling(tag)
        if state is Spelling.IMPOSSIBLE:
            problems.append(f"{end}: {remark}")
        elif state is Spelling.ALIAS:
            warnings.append(f"{end}: {remark}")
    rows = items(groups)
    unknown = given.unknown
    members: tuple[ResourceId | None, ...] = ()
    if isinstance(rows, Unknown):
        unknown = unknown or rows
    else:
        members = tuple(parse_id(get(one, "id") if isinstance(one, dict) else one) for one in rows)
    anything = given.given or bool(members) or unknown is not None
    if not anything:
        problems.append(f"the {end} is empty: neither a prefix nor an application security group is given")
    usable = tuple(tag for tag in tags if spelling(tag)[0] is not Spelling.IMPOSSIBLE)
    return Side(literal, usable, members, unknown, anything, bool(complaints) or len(usable) < len(tags))


def _admin_sides(row: _Given, problems: list[str], warnings: list[str]) -> tuple[Side, Side]:
    sides = []
    for name in ("sources", "destinations"):
        rows = items(row.prop(name))
        if isinstance(rows, Unknown):
            sides.append(Side(EMPTY, (), (), rows, given=True))
            continue
        everything = [get(one, "addressPrefix") for one in rows] or ["*"]
        group = next(
            (one for one in rows if str(get(one, "addressPrefixType")).casefold() == "networkgroup"), None
        )
        side = _side(tokens(everything), None, name[:-1], problems, warnings)
        if group is not None:
            why = Unknown("the members of a network group on a side of an admin rule are not known")
            side = Side(side.literal, (), (), why, given=True, damaged=side.damaged)
        sides.append(side)
    return sides[0], sides[1]


def _ports(row: _Given, end: str, problems: list[str], admin: bool, *, allows: bool) -> Extent:
    forms = (
        (row.prop(f"{end}PortRanges"),)
        if admin
        else (row.prop(f"{end}PortRange"), row.prop(f"{end}PortRanges"))
    )
    given = tokens(*forms)
    if not given.given:
        if not admin:
            problems.append(f"the {end} port is missing")
        return Extent.exactly(EMPTY if allows and not admin else ANY_PORT)
    extent, complaints = ports(given)
    problems.extend(f"{end} port: {complaint}" for complaint in complaints)
    return Extent(extent.sure, ANY_PORT) if complaints and not allows else extent
