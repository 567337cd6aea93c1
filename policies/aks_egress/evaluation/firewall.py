"""What an Azure Firewall does with a packet: network rules, then application rules, then deny.

Facts F2 to F20, F23 to F25, U9 to U12, U18 (Microsoft: firewall/rule-processing, FAQ, fqdn-tags,
dns-settings, snat-private-range).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aks_egress.arm.graph import Link
from aks_egress.evaluation import firewall_names as names
from aks_egress.evaluation.demand import Action, Decider, Demand
from aks_egress.evaluation.first_match import Answers, Clause, Piece, first_match
from aks_egress.packets.addresses import ALL_V4, EVERYWHERE
from aks_egress.packets.boxes import ANY_PORT, ANY_PROTOCOL, TCP, WITH_PORTS, Box
from aks_egress.packets.extents import NOTHING, Extent, joined
from aks_egress.packets.intervals import IntervalSet
from aks_egress.packets.names import Match, covers
from aks_egress.packets.tags import (
    TOPOLOGY_TAGS,
    ServiceTags,
    Spelling,
    canonical,
    looks_like_tag,
    spelling,
)
from aks_egress.records import field, record
from aks_egress.topology.firewalls import Firewall, FirewallRule
from aks_egress.topology.reading import Tokens, addresses, ports, protocol, tokens
from aks_egress.values import Unknown

FQDN_TAG_READING = (
    "U18: the content of the FQDN tag AzureKubernetesService is not published; it is taken to hold the names that "
    "Microsoft's AKS page lists for the core service"
)

Parts = tuple[Extent, ...]
"""Source, destination, protocol, source port and port of a rule."""


@record(slots=True)
class FirewallFilter:
    """The rules of one firewall; clauses are made once for each kind of demand.

    `clients_use_proxy` says whether the clients resolve names through this firewall, which FQDNs
    in network rules depend on.
    """

    firewall: Firewall
    tags: ServiceTags
    clients_use_proxy: Match = Match.MAYBE
    _made: dict[tuple[object, ...], Answers[Decider]] = field(default_factory=dict)
    _by_rule: dict[int, Decider] = field(default_factory=dict)
    _by_reason: dict[str, Decider] = field(default_factory=dict)
    #: the parts of a rule, and the clause of a network rule, by what of the demand they depend on
    _parts: dict[tuple[object, ...], Parts | None] = field(default_factory=dict)
    _network_clauses: dict[tuple[object, ...], Clause[Decider] | None] = field(default_factory=dict)
    _order: list[list[FirewallRule]] = field(default_factory=list)
    _readings: dict[tuple[str, bool | None], tuple[object, ...]] = field(default_factory=dict)
    _named: list[str] | None = None

    def decide(self, demand: Demand, within: Sequence[Box]) -> list[Piece[Decider]]:
        """Who decides about each packet of `within`."""
        named = self.reading(demand.name, demand.in_fqdn_tag)
        key = (demand.lies_in, named, demand.layer7, demand.in_fqdn_tag, demand.mutual_tls)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = Answers(list(self._clauses(demand)))
        if len(within) == 1:
            return made.first_match(self._last(demand), within[0])
        return first_match(made.clauses, self._last(demand), within)

    def reading(self, name: str, in_fqdn_tag: bool | None) -> tuple[object, ...]:
        """How each rule reads a name: names that all rules read alike are decided alike."""
        key = names.domain(name, self._patterns()), in_fqdn_tag
        if key not in self._readings:
            asked = Demand(boxes=(), name=name, in_fqdn_tag=in_fqdn_tag)
            self._readings[key] = (
                bool(name),
                *(one for rule in self.firewall.rules for one in self._read(rule, asked)),
            )
        return self._readings[key]

    def _patterns(self) -> list[str]:
        if self._named is None:
            rules = self.firewall.rules
            given = (
                one
                for rule in rules
                for one in (*rule.fqdns.known, *(u.split("/", 1)[0] for u in rule.urls.known))
            )
            self._named = list(dict.fromkeys(one.strip().rstrip(".").casefold() for one in given))
        return self._named

    def _read(self, rule: FirewallRule, asked: Demand) -> Iterator[object]:
        if rule.stage == "application":
            yield self._names(rule, asked)
            yield names.tag_only(rule, asked)
        else:
            yield from (self._resolved(name, asked) for name in rule.fqdns.known)

    def _last(self, demand: Demand) -> Decider:
        reason = "no rule of the firewall allows it, and what no rule allows is denied"
        if demand.layer7 and not demand.name:
            reason += "; application rules cannot match it, since the client sends no host name"
        if reason not in self._by_reason:
            self._by_reason[reason] = self._decider("implicit deny", Action.DENY, reason)
        return self._by_reason[reason]

    def _decider(self, name: str, action: Action, reason: str, unknown: Unknown | None = None) -> Decider:
        return Decider(
            hop="firewall",
            resource=self.firewall.label,
            name=name,
            action=action,
            reason=reason,
            resource_id=str(self.firewall.resource.id),
            origin=unknown.origin if unknown else self.firewall.resource.origin,
            settle=unknown.settle if unknown else "",
        )

    def _clauses(self, demand: Demand) -> Iterator[Clause[Decider]]:
        for gap in self.firewall.gaps:
            yield Clause(self._decider("rules that are not known", Action.UNKNOWN, gap.why, gap), None, Box())
        for group in self._in_order():
            clauses = [one for rule in group if (one := self._clause(rule, demand)) is not None]
            if len({one.decider.action for one in clauses}) > 1:
                # U10: two collections of one priority that disagree; nobody can say which is asked first
                yield from (Clause(one.decider, None, one.possible) for one in clauses)
            yield from clauses

    def _in_order(self) -> list[list[FirewallRule]]:
        """The rules as they are asked, those of one stage and priority together."""
        if not self._order:
            for stage in ("network", "application"):
                self._order += _tied([rule for rule in self.firewall.rules if rule.stage == stage])
        return self._order

    def _clause(self, rule: FirewallRule, demand: Demand) -> Clause[Decider] | None:
        if rule.stage == "application":
            return self._made_of(self._application(rule, demand), rule, demand)
        named = rule.fqdns.given or rule.fqdn_tags.given
        key = (
            (id(rule), demand.lies_in, demand.name, demand.in_fqdn_tag)
            if named
            else (id(rule), demand.lies_in)
        )
        if key not in self._network_clauses:
            self._network_clauses[key] = self._made_of(self._network(rule, demand), rule, demand)
        return self._network_clauses[key]

    def _made_of(self, parts: Parts | None, rule: FirewallRule, demand: Demand) -> Clause[Decider] | None:
        if parts is None:
            return None
        possible = Box(*(part.possible for part in parts))
        if not all(possible):
            return None
        sure = Box(*(part.sure for part in parts))
        certain = all(sure) and rule.order is not None and rule.uncertain is None
        return Clause(self._rule_decider(rule, demand), sure if certain else None, possible)

    def _network(self, rule: FirewallRule, demand: Demand) -> Parts | None:
        source, target = self.source(rule), self._destination(rule, demand)
        covered, port = _network_protocols(rule), _network_ports(rule)
        # with ports, Any means TCP and UDP (F8)
        sure = covered.sure if port.sure == ANY_PORT else covered.sure & WITH_PORTS
        possible = covered.possible if port.possible == ANY_PORT else covered.possible & WITH_PORTS
        covered = Extent(sure, possible)
        return source, target, covered, Extent.exactly(ANY_PORT), port

    def _application(self, rule: FirewallRule, demand: Demand) -> Parts | None:
        if not demand.layer7 or not demand.name:
            return None
        named = self._names(rule, demand)
        if named is Match.NO:
            return None
        key = id(rule), demand.layer7, demand.lies_in
        if key not in self._parts:
            self._parts[key] = self._whatever_name(rule, demand)
        parts = self._parts[key]
        if parts is None or named is Match.YES:
            return parts
        source, target, *others = parts
        return source, Extent.within(target.possible), *others

    def _whatever_name(self, rule: FirewallRule, demand: Demand) -> Parts | None:
        """What an application rule covers where its names do, None where it listens on no port of the protocol."""
        port = _listening(rule, demand.layer7)
        if not port.possible:
            return None
        target = Extent.exactly(EVERYWHERE)
        if rule.destination.given or rule.destination_groups:
            target = self._destination(rule, demand)
        tcp = Extent.exactly(IntervalSet.single(TCP))
        return self.source(rule), target, tcp, Extent.exactly(ANY_PORT), port

    def _names(self, rule: FirewallRule, demand: Demand) -> Match:
        """Whether the rule's names cover the name asked for."""
        answer = Match.NO
        for pattern in rule.fqdns.known:
            answer = answer | covers(pattern, demand.name)
        for tag in rule.fqdn_tags.known:
            answer = answer | names.fqdn_tag(tag, demand)
        for url in rule.urls.known:
            # a URL narrows the name by a path nobody knows, and only TLS inspection sees it
            answer = answer | (covers(url.split("/", 1)[0], demand.name) & Match.MAYBE)
        if rule.categories.given or rule.fqdns.unknown or rule.fqdn_tags.unknown or rule.urls.unknown:
            answer = answer | Match.MAYBE
        return answer

    def source(self, rule: FirewallRule) -> Extent:
        """The clients that a rule names."""
        return self._addresses(rule, rule.source, rule.source_groups, rule.source_groups_unknown, "")

    def _destination(self, rule: FirewallRule, demand: Demand) -> Extent:
        extent = self._addresses(rule, rule.destination, rule.destination_groups, None, demand.lies_in)
        named = [self._resolved(name, demand) for name in rule.fqdns.known] if rule.stage == "network" else []
        if rule.stage == "network" and rule.fqdns.unknown is not None:
            named.append(Match.MAYBE)
        for answer in named:
            if answer is Match.YES:
                extent = extent | Extent.exactly(EVERYWHERE)
            elif answer is Match.MAYBE:
                extent = extent | Extent.within(EVERYWHERE)
        return extent

    def _resolved(self, name: str, demand: Demand) -> Match:
        """Whether a name in a network rule covers the demand: it works only where the clients' DNS is the firewall (F16)."""
        proxy = self.firewall.dns_proxy
        if name.startswith("*") or proxy is False or self.firewall.tier == "basic":
            return Match.NO
        if not demand.name:
            return Match.MAYBE  # the name may resolve to the address that is asked for
        answer = covers(name, demand.name)
        if answer is Match.YES and (isinstance(proxy, Unknown) or self.clients_use_proxy is not Match.YES):
            return Match.MAYBE
        return answer

    def _addresses(
        self,
        rule: FirewallRule,
        given: Tokens,
        groups: Sequence[Link],
        unknown: Unknown | None,
        lies_in: str,
    ) -> Extent:
        """What one side of a rule covers; what Azure refuses opens nothing, and may close anything (N2, F12)."""
        literal, names, complaints = addresses(given.known)
        tags = [name for name in names if usable_tag(name)]
        named = given is rule.destination and rule.fqdns.given
        parts = [Extent.exactly(literal)]
        parts += [self.tags.extent(tag, lies_in) for tag in tags]
        parts += [self._group(group) for group in groups]
        refused = len(tags) < len(names) or not (given.given or groups or named)
        if refused and rule.action != "allow":
            parts.append(Extent.within(EVERYWHERE))
        if complaints or given.unknown is not None or unknown is not None:
            parts.append(Extent.within(EVERYWHERE))
        return joined(parts)

    def _group(self, link: Link) -> Extent:
        """The addresses of an IP group; one that is empty covers nothing, so its rule is skipped (F13)."""
        if link.sole is None:
            return Extent.within(EVERYWHERE)
        given = tokens(link.sole.prop("ipAddresses"))
        literal, names, complaints = addresses(given.known)
        return Extent(literal, EVERYWHERE if given.unknown or names or complaints else literal)

    def _rule_decider(self, rule: FirewallRule, demand: Demand) -> Decider:
        inspected = (
            rule.stage == "application" and rule.terminates_tls is not False and demand.layer7 == "https"
        )
        shared = not inspected and not rule.fqdn_tags.known
        if shared and id(rule) in self._by_rule:
            return self._by_rule[id(rule)]
        action, reason = _action(rule)
        settle = ""
        if action is Action.ALLOW and inspected:
            action, reason, settle = _inspected(rule, demand)
        doubts = (FQDN_TAG_READING,) if rule.stage == "application" and names.tag_only(rule, demand) else ()
        decider = Decider(
            hop="firewall",
            resource=self.firewall.label,
            name=rule.label,
            action=action,
            reason=reason,
            resource_id=str(rule.owner.id),
            origin=rule.origin,
            settle=settle,
            doubts=doubts,
            detail=rule,
        )
        if shared:
            self._by_rule[id(rule)] = decider
        return decider


def _action(rule: FirewallRule) -> tuple[Action, str]:
    if isinstance(rule.action, Unknown):
        return Action.UNKNOWN, rule.action.why
    spelled = "allows" if rule.action == "allow" else "denies"
    return Action(rule.action), f"{rule.stage} rule `{rule.label}` {spelled} it"


def _inspected(rule: FirewallRule, demand: Demand) -> tuple[Action, str, str]:
    """An application rule that ends TLS: client certificates and ALPN do not survive it (F20)."""
    if isinstance(rule.terminates_tls, Unknown):
        return (
            Action.UNKNOWN,
            f"whether rule `{rule.label}` inspects TLS is not known",
            rule.terminates_tls.settle,
        )
    if demand.mutual_tls:
        return (
            Action.DENY,
            f"application rule `{rule.label}` ends TLS to inspect it, which neither the client certificate nor the ALPN protocol of konnectivity survives",
            "",
        )
    return (
        Action.UNKNOWN,
        f"application rule `{rule.label}` ends TLS to inspect it, which works only where every node trusts the firewall's CA",
        "take the name out of TLS inspection, or install the CA on the nodes before they are provisioned",
    )


def _network_protocols(rule: FirewallRule) -> Extent:
    """The protocols of a network rule; what Azure refuses opens nothing, and may close anything."""
    read = [protocol(one) for one in rule.protocols.known]
    found = joined([one for one, _ in read]) if read else NOTHING
    refused = not rule.protocols.given or any(complaint for _, complaint in read)
    if rule.protocols.unknown is not None or (refused and rule.action != "allow"):
        return Extent(found.sure, ANY_PROTOCOL)
    return found


def _network_ports(rule: FirewallRule) -> Extent:
    """The ports of a network rule, read in the same way."""
    extent, complaints = ports(rule.ports)
    refused = not rule.ports.given or bool(complaints)
    return Extent(extent.sure, ANY_PORT) if refused and rule.action != "allow" else extent


def _ports(given: Tokens) -> Extent:
    extent, _ = ports(given)
    return extent


def _listening(rule: FirewallRule, layer7: str) -> Extent:
    """The ports on which an application rule listens for the protocol; both must fit (U11)."""
    if rule.listeners_unknown is not None:
        return Extent.within(ANY_PORT)
    found: list[Extent] = []
    for kind, port in rule.listeners:
        if kind != layer7:
            continue
        found.append(_ports(tokens(port if port is not None else names.TLS_DEFAULT_PORTS[kind])))
    return joined(found) if found else NOTHING


def _host_name(token: str) -> bool:
    return "." in token and token.rsplit(".", 1)[1].casefold() in ("com", "net", "io", "org", "cn", "us")


def _tied(rules: Sequence[FirewallRule]) -> Iterator[list[FirewallRule]]:
    """Rules in the order they are asked; those of one priority together, unknown priorities first."""
    ordered = sorted(rules, key=lambda rule: rule.order or (-1, -1, -1))
    group: list[FirewallRule] = []
    for rule in ordered:
        if group and rule.order != group[0].order:
            yield group
            group = []
        group.append(rule)
    if group:
        yield group


def usable_tag(tag: str) -> bool:
    """Whether a destination of a network rule can be that service tag (7.5); what cannot covers nothing."""
    if not looks_like_tag(tag) or _host_name(tag) or canonical(tag) in TOPOLOGY_TAGS:
        return False
    return spelling(tag)[0] is not Spelling.IMPOSSIBLE


def translates(firewall: Firewall) -> tuple[Match, Unknown | None]:
    """Whether traffic to the Internet leaves with a public address of the firewall (F23)."""
    untouched, unknown = untranslated(firewall)
    if unknown is not None:
        return Match.MAYBE, unknown
    return (Match.NO if untouched & ALL_V4 == ALL_V4 else Match.YES), None


def untranslated(firewall: Firewall) -> tuple[IntervalSet, Unknown | None]:
    """The destinations that network rules do not translate, where ranges are given, and why there may be others."""
    given = firewall.snat_ranges
    found, _, _ = addresses([one for one in given.known if one[:1].isdigit()])
    return found, given.unknown
