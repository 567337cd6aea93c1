"""Allow rules that were meant for a blocked flow and miss it in one respect: source, protocol, direction, order, region.

Who looks for a blocked endpoint finds such a rule first and believes that it is open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from aks_egress.arm.resources import Resource
from aks_egress.checks.base import Context, Rule, check, rule
from aks_egress.checks.scope import behind, firewalls, groups, tables
from aks_egress.evaluation.firewall_names import AKS_TAG, TLS_DEFAULT_PORTS
from aks_egress.evaluation.flows import JudgedCluster, JudgedFlow
from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.advice import blockers, destinations
from aks_egress.findings.report import Finding, Severity
from aks_egress.packets.addresses import EVERYWHERE, prefixes
from aks_egress.packets.boxes import ANY_PORT, PROTOCOL_NAMES
from aks_egress.packets.extents import joined
from aks_egress.packets.intervals import EMPTY, IntervalSet, union
from aks_egress.packets.names import Match, covers
from aks_egress.packets.tags import canonical, region_of, relation
from aks_egress.records import field, record
from aks_egress.requirements.requirement import Requirement
from aks_egress.topology.firewalls import FirewallRule
from aks_egress.topology.networks import Subnet
from aks_egress.topology.reading import addresses, ports, protocol
from aks_egress.topology.security import OUTBOUND, SecurityRule
from aks_egress.values import Origin, Unknown

FIREWALL = rule(
    "EGR412",
    "firewall-rule-near-miss",
    Severity.WARNING,
    "A firewall rule misses a blocked flow in one respect",
)
GROUP = rule(
    "EGR511",
    "security-rule-near-miss",
    Severity.WARNING,
    "A security rule misses a blocked flow in one respect",
)

_NUMBERS = {name: number for number, name in PROTOCOL_NAMES.items()}


@record(slots=True)
class _Miss:
    """One rule with what it lacks and the requirements that would get through without that."""

    owner: Resource
    origin: Origin
    label: str
    what: str
    fix: str
    requirements: list[Requirement] = field(default_factory=list)


@check(FIREWALL)
def firewall_rules(context: Context) -> Iterator[Finding]:
    """Rules of the firewall that denies a flow by default."""
    for cluster in context.clusters:
        found: dict[tuple[int, str], _Miss] = {}
        served = firewalls(context, cluster)
        for flow in _blocked(cluster):
            silent = {one.resource_id for one in blockers(flow) if one.name == "implicit deny"}
            for firewall in served:
                if str(firewall.resource.id) not in silent:
                    continue
                for one in firewall.rules:
                    said = _firewall_miss(one, flow, cluster.facts.region)
                    if said is not None:
                        miss = _Miss(one.owner, one.origin, one.label, *said)
                        found.setdefault((id(one), said[0]), miss).requirements.append(flow.requirement)
        yield from _told(context, cluster, FIREWALL, found)


@check(GROUP)
def security_rules(context: Context) -> Iterator[Finding]:
    """Rules of the security group that denies a flow on its way out."""
    for cluster in context.clusters:
        found: dict[tuple[int, str], _Miss] = {}
        hops: dict[int, IntervalSet] = {}
        for flow in _blocked(cluster):
            subnet = flow.start.subnet
            hop = hops.setdefault(id(subnet), _next_hops(context, subnet))
            shut = {
                one.resource_id: one.detail for one in blockers(flow) if one.hop in ("subnet-nsg", "nic-nsg")
            }
            for group in groups(cluster):
                if str(group.id) not in shut:
                    continue
                for one in context.topology.rules(group).rules:
                    said = _group_miss(one, flow, shut[str(group.id)], hop)
                    if said is not None:
                        miss = _Miss(group, one.origin, one.name, *said)
                        found.setdefault((id(one), said[0]), miss).requirements.append(flow.requirement)
        yield from _told(context, cluster, GROUP, found)


def _blocked(cluster: JudgedCluster) -> Iterator[JudgedFlow]:
    """What is required, leaves the network, and is shut."""
    for flow in cluster.flows:
        if (
            flow.verdict is Verdict.BLOCKED
            and flow.counts
            and flow.requirement.kind in ("fqdn", "service-tag")
        ):
            yield flow


def _told(
    context: Context, cluster: JudgedCluster, said: Rule, found: dict[tuple[int, str], _Miss]
) -> Iterator[Finding]:
    for miss in found.values():
        wanted = list({one.id + one.value: one for one in miss.requirements}.values())
        yield context.finding(
            said,
            f"rule `{miss.label}` of `{miss.owner.label}` would let {destinations(wanted)} through, but {miss.what}",
            resource=miss.owner,
            origin=miss.origin,
            cluster=cluster.name,
            requirements=(one.id for one in wanted),
            breaks=(text for one in wanted for text in one.breaks),
            fix=miss.fix,
            key=(miss.label, miss.what),
        )


# firewalls


def _firewall_miss(one: FirewallRule, flow: JudgedFlow, region: str | Unknown) -> tuple[str, str] | None:
    """What a rule lacks and how to mend it; None where it lacks nothing, or more than one thing."""
    if one.action != "allow" or one.uncertain is not None:
        return None
    lacks = _network_lacks(one, flow, region) if one.stage == "network" else _name_lacks(one, flow, region)
    if lacks is None or len(lacks) != 1:
        return None
    return lacks[0]


Lack = tuple[str, str]


def _network_lacks(one: FirewallRule, flow: JudgedFlow, region: str | Unknown) -> list[Lack] | None:
    wanted = flow.requirement
    port = ports(one.ports)[0].sure
    if one.fqdns.given or not _covers_ports(port, wanted) or port == ANY_PORT:
        return None
    _, tags, _ = addresses(one.destination.known)
    lacks = _source_lacks(one, flow.start.subnet)
    spoken = joined([protocol(name)[0] for name in one.protocols.known]).sure if one.protocols.known else None
    if spoken is None:
        return None
    if _NUMBERS[wanted.protocol] not in spoken:
        lacks.append(_protocol_lack(spoken, wanted))
    if not any(_tag_covers(tag, wanted) for tag in tags):
        elsewhere = _other_region(tags, wanted, region)
        if elsewhere is None:
            return None
        lacks.append(elsewhere)
    return lacks


def _name_lacks(one: FirewallRule, flow: JudgedFlow, region: str | Unknown) -> list[Lack] | None:
    wanted = flow.requirement
    if not wanted.name or not wanted.layer7 or one.destination.given:
        return None
    named = any(covers(name, wanted.name) is Match.YES for name in one.fqdns.known)
    named = named or (
        wanted.in_fqdn_tag is True and AKS_TAG in {tag.casefold() for tag in one.fqdn_tags.known}
    )
    lacks = _source_lacks(one, flow.start.subnet)
    if not named:
        elsewhere = _name_elsewhere(one.fqdns.known, wanted.name, region)
        if elsewhere is None:
            return None
        lacks.append(elsewhere)
    port = str(wanted.ports[0][0])
    heard = {
        (kind, at or str(TLS_DEFAULT_PORTS.get(kind, "")))
        for kind, at in one.listeners
        if not isinstance(at, Unknown)
    }
    open_ended = one.listeners_unknown is not None or any(
        kind == wanted.layer7 and isinstance(at, Unknown) for kind, at in one.listeners
    )
    if (wanted.layer7, port) not in heard and not open_ended:
        spelled = ", ".join(f"{kind}:{at}" for kind, at in sorted(heard)) or "no protocol"
        lacks.append((f"it listens for {spelled}", f"add the protocol {wanted.layer7}:{port} to the rule"))
    return lacks


def _source_lacks(one: FirewallRule, subnet: Subnet) -> list[Lack]:
    if one.source.unknown is not None or one.source_groups or one.source_groups_unknown is not None:
        return []
    literal, _, complaints = addresses(one.source.known)
    return [] if complaints else _outside(literal, one.source.known, subnet)


def _outside(literal: IntervalSet, spelled: tuple[str, ...], subnet: Subnet) -> list[Lack]:
    nodes = subnet.prefixes.sure
    if not nodes or subnet.prefixes_unknown is not None or literal & nodes:
        return []
    given = ", ".join(spelled[:3]) or "nothing"
    return [
        (
            f"its source is {given}, and subnet `{subnet.label}` lies elsewhere",
            f"add the prefix of subnet `{subnet.label}` to the rule's source",
        )
    ]


def _protocol_lack(spoken: IntervalSet, wanted: Requirement) -> Lack:
    names = (
        ", ".join(name for number, name in PROTOCOL_NAMES.items() if number in spoken) or "another protocol"
    )
    return f"it is for {names}", f"make it a rule for {wanted.protocol}"


def _other_region(tags: list[str], wanted: Requirement, region: str | Unknown) -> Lack | None:
    """A tag that would cover the flow, were it the cluster's region's."""
    if isinstance(region, Unknown):
        return None
    for tag in tags:
        base, _, suffix = canonical(tag).partition(".")
        own = [one for one in wanted.lies_in if canonical(one).startswith(f"{base}.")]
        if suffix and own and suffix != region_of(region):
            return f"`{tag}` is another region's; the cluster lies in {region}", f"use `{own[0]}`"
    return None


def _name_elsewhere(names: tuple[str, ...], wanted: str, region: str | Unknown) -> Lack | None:
    """A name that is the wanted one in another region."""
    if isinstance(region, Unknown) or region not in wanted:
        return None
    before, after = wanted.casefold().split(region_of(region), 1)
    form = re.compile(f"{re.escape(before)}[a-z0-9]+{re.escape(after)}")
    for name in names:
        if form.fullmatch(name.casefold()):
            return f"`{name}` is another region's; the cluster lies in {region}", f"use `{wanted}`"
    return None


# security groups


def _group_miss(
    one: SecurityRule, flow: JudgedFlow, decider: object, hops: IntervalSet
) -> tuple[str, str] | None:
    """What a rule lacks and how to mend it; None where it lacks nothing, or more than one thing."""
    wanted = flow.requirement
    if one.access != "allow" or one.problems or one.unknowns or one.uncertain is not None:
        return None
    everywhere = one.destination.literal == EVERYWHERE
    if one.destination.groups or not _covers_ports(one.port.sure, wanted):
        return None
    if (everywhere and one.port.sure == ANY_PORT) or (everywhere and one.direction != OUTBOUND):
        return None  # it says nothing of this flow
    lacks = [] if one.source.tags or one.source.groups or one.source.open else _side_outside(one, flow)
    if not everywhere and not any(_tag_covers(tag, wanted) for tag in one.destination.tags):
        if one.destination.tags or not one.destination.literal or not one.destination.literal <= hops:
            return None
        lacks.append(_HOP_LACK)
    if one.direction != OUTBOUND:
        lacks.append(("it is an inbound rule; nodes dial outwards", "make it an outbound rule"))
    if _NUMBERS[wanted.protocol] not in one.protocol.sure:
        lacks.append(_protocol_lack(one.protocol.sure, wanted))
    if not lacks:
        lacks += _order_lacks(one, decider)
    return lacks[0] if len(lacks) == 1 else None


_HOP_LACK = (
    "its destination is the next hop of a route: a security group sees the address that nodes dial, never the firewall's",
    "allow the destinations themselves; the firewall behind the route decides by name",
)


def _order_lacks(one: SecurityRule, decider: object) -> list[Lack]:
    if not isinstance(decider, SecurityRule) or not decider.priority or not one.priority:
        return []
    if one.priority < decider.priority:
        return []
    return [
        (
            f"its priority is {one.priority}, and `{decider.name}` (priority {decider.priority}) is asked before",
            f"give `{one.name}` a priority below {decider.priority}",
        )
    ]


def _next_hops(context: Context, subnet: Subnet) -> IntervalSet:
    """The addresses of the appliances that a subnet's routes lead to, with the subnets of firewalls among them."""
    found = [EMPTY]
    for table in tables(context, subnet):
        for route in table.routes:
            for owner in behind(context, table, route, subnet):
                found += [owner.address] if owner.address is not None else []
                found += [owner.subnet.prefixes.sure] if owner.is_firewall and owner.subnet else []
    return union(found)


def _side_outside(one: SecurityRule, flow: JudgedFlow) -> list[Lack]:
    return _outside(one.source.literal, tuple(prefixes(one.source.literal)), flow.start.subnet)


# both


def _covers_ports(given: IntervalSet, wanted: Requirement) -> bool:
    return bool(given) and all(IntervalSet.single(*span) <= given for span in wanted.ports)


def _tag_covers(tag: str, wanted: Requirement) -> bool:
    """Whether a tag of a rule covers everything the flow may lead to, by its name."""
    if canonical(tag) == "internet":
        return True
    return bool(wanted.lies_in) and all(relation(tag, one) is Match.YES for one in wanted.lies_in)
