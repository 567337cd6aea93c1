"""What to change so that a flow gets through, in words, by what stands in its way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from aks_egress.evaluation.demand import Action, Decider
from aks_egress.evaluation.flows import JudgedFlow
from aks_egress.findings.assemble import spell_ports
from aks_egress.requirements.requirement import Requirement
from aks_egress.topology.firewalls import FirewallRule
from aks_egress.topology.security import SecurityRule

T = TypeVar("T")

MOST_NAMED = 6


def fix(blockers: Sequence[Decider], flows: Sequence[JudgedFlow]) -> str:
    """One sentence for each blocker, in the order of the hops."""
    wanted = _once(flow.requirement for flow in flows)
    return "; ".join(_once(_advice(blocker, wanted) for blocker in blockers))


def _advice(blocker: Decider, wanted: Sequence[Requirement]) -> str:
    match blocker.hop:
        case "subnet-nsg" | "nic-nsg":
            return _group(blocker, wanted, "outbound")
        case "target-subnet-nsg":
            return _group(blocker, wanted, "inbound")
        case "admin-rule":
            return f"have admin rule `{blocker.name}` exempt {destinations(wanted)}, or put an AlwaysAllow or Allow rule before it"
        case "firewall":
            return _firewall(blocker, wanted)
        case "route":
            return f"lead route `{blocker.name}` to a next hop that forwards this traffic, or remove it"
        case "outbound":
            # what AKS or a NAT gateway lacks is known there, and mends it with less
            return (
                blocker.settle
                or "give the subnet a way out: a NAT gateway with a public address, or a route for 0.0.0.0/0 to a firewall"
            )
        case "peering":
            return "peer both networks in both directions with allowVirtualNetworkAccess true"
        case "appliance":
            return f"let {blocker.resource} pass {destinations(wanted)}"
    return f"change `{blocker.name}`"


def _group(blocker: Decider, wanted: Sequence[Requirement], direction: str) -> str:
    rule = blocker.detail
    before = (
        f" with a priority below {rule.priority}" if isinstance(rule, SecurityRule) and rule.priority else ""
    )
    return f"add an {direction} Allow rule{before} to `{blocker.resource}` for {_by_address(wanted)}"


def _by_address(wanted: Sequence[Requirement]) -> str:
    """Destinations as a security group can name them: service tags, addresses, subnets, never host names."""
    groups: dict[str, list[str]] = {}
    for one in wanted:
        if one.kind == "fqdn":
            places = [f"`{tag}`" for tag in one.lies_in] or ["`Internet` (names have no fixed addresses)"]
        else:
            places = [f"`{one.value}`"]
        groups.setdefault(_how(one), []).extend(places)
    return _listed(groups)


def _how(one: Requirement) -> str:
    kind = one.protocol if one.protocol != "ANY" else "all protocols"
    port = spell_ports(one)
    return f"{kind} {port}" if port != "*" else kind


def _listed(groups: Mapping[str, Sequence[str]]) -> str:
    said = []
    for how, values in groups.items():
        distinct = _once(values)
        shown = ", ".join(distinct[:MOST_NAMED])
        more = f" and {len(distinct) - MOST_NAMED} more" if len(distinct) > MOST_NAMED else ""
        said.append(f"{how} to {shown}{more}")
    return "; ".join(said)


def _firewall(blocker: Decider, wanted: Sequence[Requirement]) -> str:
    if blocker.name == "stopped":
        return f"start firewall `{blocker.resource}` again: give it an IP configuration"
    if blocker.name == "source NAT":
        return f"let firewall `{blocker.resource}` translate public destinations: take 0.0.0.0/0 out of its private ranges"
    rule = blocker.detail
    if isinstance(rule, FirewallRule) and rule.terminates_tls is True:
        return f"turn TLS inspection off (terminateTLS false) for {destinations(wanted)}"
    if isinstance(rule, FirewallRule):
        return f"let rule `{blocker.name}` of firewall `{blocker.resource}` spare {destinations(wanted)}, or allow it in a collection with a smaller priority"
    named = [one for one in wanted if one.layer7 and one.name]
    others = [one for one in wanted if one not in named]
    parts = []
    if named:
        parts.append(f"an application rule of firewall `{blocker.resource}` for {destinations(named)}")
    if others:
        parts.append(f"a network rule of firewall `{blocker.resource}` for {destinations(others)}")
    return "add " + " and ".join(parts)


def destinations(wanted: Iterable[Requirement]) -> str:
    """Where requirements lead, in words: protocol, ports and destination, together where they are alike."""
    groups: dict[str, list[str]] = {}
    for one in wanted:
        groups.setdefault(_how(one), []).append(f"`{one.value}`")
    return _listed(groups)


def blockers(flow: JudgedFlow) -> tuple[Decider, ...]:
    """Who denies or drops packets of a flow, in the order of the hops."""
    return tuple(
        decision.decider
        for decision in flow.judgement.path
        if decision.decider.action in (Action.DENY, Action.DROP)
    )


def doubtful(flow: JudgedFlow) -> tuple[Decider, ...]:
    """Who leaves a flow undecided."""
    return flow.judgement.undecided


def _once(items: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(items))
