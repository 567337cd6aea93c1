"""What tells one Azure Firewall from another, its own names aside: firewalls of one kind decide alike."""

from __future__ import annotations

from operator import attrgetter

from aks_egress.evaluation.firewall import FirewallFilter
from aks_egress.evaluation.next_hops import has_address
from aks_egress.packets.addresses import EVERYWHERE
from aks_egress.packets.intervals import IntervalSet
from aks_egress.topology.firewalls import FirewallRule
from aks_egress.topology.reading import Tokens
from aks_egress.values import Unknown


class FirewallKinds:
    """Numbers for firewalls: those that do the same have one."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}
        self._known: dict[int, tuple[FirewallFilter, int]] = {}
        self._sources: dict[int, list[IntervalSet]] = {}

    def number(self, rules: FirewallFilter) -> int:
        """The number of a firewall as some clients meet it."""
        if id(rules) not in self._known:
            said = _signature(rules) or ("itself", id(rules))
            self._known[id(rules)] = (rules, self._numbers.setdefault(said, len(self._numbers)))
        return self._known[id(rules)][1]

    def sources(self, rules: FirewallFilter) -> list[IntervalSet]:
        """The sets of clients that a firewall's rules name."""
        if id(rules) not in self._sources:
            self._sources[id(rules)] = _sources(rules)
        return self._sources[id(rules)]


def _signature(rules: FirewallFilter) -> tuple[object, ...] | None:
    """What the firewall does; None where a part of that is not known or lies elsewhere (an IP group)."""
    firewall = rules.firewall
    given = (
        rules.clients_use_proxy,
        firewall.tier,
        firewall.in_hub,
        firewall.stopped,
        firewall.dns_proxy,
        firewall.forced_tunnelling,
        firewall.snat_ranges,
        has_address(firewall),
    )
    if firewall.gaps or any(isinstance(one, Unknown) for one in given):
        return None
    signed = [_signed(rule) for rule in firewall.rules]
    return None if None in signed else (*given, *signed)


def _sources(rules: FirewallFilter) -> list[IntervalSet]:
    """The distinct sets of clients that the rules name."""
    found = (
        part
        for rule in rules.firewall.rules
        for extent in (rules.source(rule),)
        for part in (extent.sure, extent.possible)
    )
    return list(dict.fromkeys([EVERYWHERE, *found]))


_SAID = attrgetter(
    "stage", "name", "collection", "order", "action", "source", "destination", "protocols", "ports", "listeners",
    "fqdns", "fqdn_tags", "urls", "categories", "terminates_tls",
)  # fmt: skip


def _signed(rule: FirewallRule) -> tuple[object, ...] | None:
    """What a rule says, its place aside; None where it names groups of addresses, or a part is not known."""
    said: tuple[object, ...] = _SAID(rule)
    opened = (rule.source_groups_unknown, rule.listeners_unknown, rule.uncertain)
    lists = (one.unknown for one in said if isinstance(one, Tokens))
    listening = (port for _, port in rule.listeners)
    if rule.source_groups or rule.destination_groups or any(one is not None for one in (*opened, *lists)):
        return None
    return None if any(isinstance(one, Unknown) for one in (*said, *listening)) else said
