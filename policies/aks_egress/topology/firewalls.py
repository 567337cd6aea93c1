"""Azure Firewalls as written: the firewall, its policy and the policy's parents, their rules.

Facts F1-F33 (Microsoft: firewall/rule-processing, policy-rule-sets, features-by-sku, dns-settings,
snat-private-range, forced-tunneling).
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from aks_egress.arm.graph import Graph, Link
from aks_egress.arm.resources import Resource
from aks_egress.records import field, record
from aks_egress.topology.reading import NO_TOKENS, Tokens, tokens
from aks_egress.values import Origin, Step, Unknown, Value, flag, get, items, text

FIREWALLS = "Microsoft.Network/azureFirewalls"
GROUPS = "Microsoft.Network/firewallPolicies/ruleCollectionGroups"
IP_GROUPS = "Microsoft.Network/ipGroups"

Pass = Literal["network", "application"]
#: http, https or mssql with its port, None for the default, or why the port is not known
Listeners = tuple[tuple[str, str | Unknown | None], ...]


@record(frozen=True, slots=True, kw_only=True, eq=False)
class FirewallRule:
    """One network or application rule with the place of its collection in the order.

    `order` is (depth of inheritance, group priority, collection priority): smaller is asked first;
    None where a priority is not known.  `action` is allow, deny or why it is not known.
    """

    stage: Pass
    name: str
    collection: str
    owner: Resource
    origin: Origin
    order: tuple[int, int, int] | None
    action: str | Unknown
    source: Tokens
    source_groups: tuple[Link, ...]
    source_groups_unknown: Unknown | None
    destination: Tokens
    destination_groups: tuple[Link, ...]
    protocols: Tokens
    ports: Tokens
    #: of application rules
    listeners: Listeners = ()
    listeners_unknown: Unknown | None = None
    fqdns: Tokens = NO_TOKENS
    fqdn_tags: Tokens = NO_TOKENS
    urls: Tokens = NO_TOKENS
    categories: Tokens = NO_TOKENS
    terminates_tls: bool | Unknown = False
    uncertain: Unknown | None = None
    path: str = ""

    @property
    def label(self) -> str:
        """Collection and rule, as people look for it."""
        return f"{self.collection}/{self.name}" if self.name else self.collection


@record()
class Firewall:
    """A firewall and everything that decides about a packet in it; its properties are read once, every flow asks."""

    resource: Resource
    policies: list[Resource] = field(default_factory=list)
    rules: list[FirewallRule] = field(default_factory=list)
    gaps: list[Unknown] = field(default_factory=list)
    classic_beside_policy: bool = False
    has_nat: bool = False

    @property
    def label(self) -> str:
        """How people know it."""
        return self.resource.label

    @cached_property
    def in_hub(self) -> bool:
        """Whether it lives in a Virtual WAN hub."""
        sku = text(self.resource.prop("sku", "name"))
        return (isinstance(sku, str) and sku.casefold() == "azfw_hub") or self.resource.prop(
            "virtualHub"
        ) is not None

    @cached_property
    def tier(self) -> str | Unknown:
        """basic, standard or premium."""
        tier = text(self.resource.prop("sku", "tier"))
        return tier if isinstance(tier, Unknown) else (tier or "Standard").casefold()

    def setting(self, *path: Step) -> tuple[Value, Origin]:
        """A policy setting: the policy's own, else its parents'; a classic firewall has none."""
        for policy in self.policies:
            value = policy.prop(*path)
            if value is not None:
                return value, policy.place("properties", *path)
        return None, self.resource.origin

    def additional(self, name: str) -> Value:
        """One of the classic firewall's `additionalProperties`."""
        holder = self.resource.prop("additionalProperties")
        return holder if isinstance(holder, Unknown) else get(holder, name)

    @cached_property
    def dns_proxy(self) -> bool | Unknown:
        """Whether the firewall answers DNS itself."""
        if self.policies:
            return flag(self.setting("dnsSettings", "enableProxy")[0], False)
        return flag(self.additional("Network.DNS.EnableProxy"), False)

    @cached_property
    def snat_ranges(self) -> Tokens:
        """Destinations that network rules do not translate; not given means private ranges."""
        if self.policies:
            return tokens(self.setting("snat", "privateRanges")[0])
        classic = text(self.additional("Network.SNAT.PrivateRanges"))
        if isinstance(classic, Unknown):
            return Tokens((), classic, given=True)
        return tokens([part.strip() for part in classic.split(",")] if classic else None)

    @cached_property
    def ip_configurations(self) -> list[Value] | Unknown:
        """Its IP configurations; a firewall of a VNet without any is stopped."""
        return items(self.resource.prop("ipConfigurations"))

    @cached_property
    def stopped(self) -> bool:
        """Whether it is known to be deallocated: it has no IP configuration although it is not in a hub."""
        return not self.in_hub and self.ip_configurations == []

    @cached_property
    def forced_tunnelling(self) -> bool | Unknown:
        """Whether it has a management NIC, so that its own subnet may send traffic elsewhere."""
        value = self.resource.prop("managementIpConfiguration")
        return value if isinstance(value, Unknown) else bool(value)


def firewall(graph: Graph, resource: Resource) -> Firewall:
    """Read a firewall with its policy and the policy's parents."""
    out = Firewall(resource)
    near = graph.home(resource)
    given = resource.prop("firewallPolicy")
    link = graph.link(given, near, resource.place("properties", "firewallPolicy"))
    classic = _classic_rules(graph, out)
    given = get(given, "id") if isinstance(given, dict) else given
    open_whether = isinstance(given, Unknown) and not given.refers_to
    if link.absent or (classic and open_whether):
        # Azure refuses rules of the firewall's own beside a policy, so where they are it has none
        out.rules = classic
    if link.absent:
        return out
    out.classic_beside_policy = bool(classic) and not open_whether
    if link.sole is None:
        out.gaps.append(link.unknown or Unknown(f"the policy of firewall `{out.label}` is one of several"))
        return out
    _follow_policies(graph, link.sole, out)
    depth = len(out.policies)
    for i, policy in enumerate(out.policies):
        _policy_rules(graph, policy, depth - 1 - i, out)
    return out


def _follow_policies(graph: Graph, policy: Resource, out: Firewall) -> None:
    """The policy, then its parents outwards; a cycle or a lost parent is a gap."""
    while True:
        if any(policy is seen for seen in out.policies):
            out.gaps.append(Unknown(f"the base policies of `{policy.label}` form a cycle", policy.origin))
            return
        out.policies.append(policy)
        parent = graph.link(
            policy.prop("basePolicy"), graph.home(policy), policy.place("properties", "basePolicy")
        )
        if parent.absent:
            return
        if parent.sole is None:
            out.gaps.append(
                parent.unknown or Unknown(f"the base policy of `{policy.label}` is one of several")
            )
            return
        policy = parent.sole


def _policy_rules(graph: Graph, policy: Resource, depth: int, out: Firewall) -> None:
    groups, gap = graph.children(policy, GROUPS)
    if gap is not None:
        out.gaps.append(gap)
    for group in groups:
        rows = items(group.prop("ruleCollections"))
        if isinstance(rows, Unknown):
            out.gaps.append(rows)
            continue
        for i, row in enumerate(rows):
            place = ("properties", "ruleCollections", i)
            unsure = _unsettled(row, "ruleCollectionType")
            if unsure is not None:
                out.gaps.append(unsure)
            elif _is_nat(row):
                out.has_nat = True
            else:
                out.rules += _collection(graph, group, row, place, depth, out)


def _unsettled(row: Value, member: str) -> Unknown | None:
    """Why it is not known what kind of thing a row is, None where it is."""
    kind = text(get(row, member))
    return kind if isinstance(kind, Unknown) else None


def _is_nat(row: Value) -> bool:
    kind = str(get(row, "ruleCollectionType")).casefold()
    return "nat" in kind and "filter" not in kind


def _stage(rule: Value) -> Pass | None:
    """Which pass a rule belongs to, None for a NAT rule; where it does not say, by the members it has."""
    kind = text(get(rule, "ruleType"))
    if kind is None:
        named = any(
            get(rule, one) is not None for one in ("targetFqdns", "fqdnTags", "targetUrls", "webCategories")
        )
        return "application" if named else "network"
    folded = str(kind).casefold()
    if folded == "natrule":
        return None
    return "application" if folded == "applicationrule" else "network"


def _collection(
    graph: Graph, group: Resource, row: Value, place: tuple[Step, ...], depth: int, out: Firewall
) -> list[FirewallRule]:
    rules = items(get(row, "rules"))
    if isinstance(rules, Unknown):
        out.gaps.append(rules)
        return []
    first, second = _number(group.prop("priority")), _number(get(row, "priority"))
    order = None if first is None or second is None else (depth, first, second)
    action = _action(get(get(row, "action"), "type"))
    found = []
    for i, rule in enumerate(rules):
        unsure = _unsettled(rule, "ruleType")
        if unsure is not None:
            out.gaps.append(unsure)
            continue
        stage = _stage(rule)
        if stage is None:
            continue
        found.append(
            _firewall_rule(
                graph, group, rule, stage, _name(row), order, action, group.place(*place, "rules", i)
            )
        )
    return found


def _classic_rules(graph: Graph, out: Firewall) -> list[FirewallRule]:
    found: list[FirewallRule] = []
    kinds: tuple[tuple[Pass, str], ...] = (
        ("network", "networkRuleCollections"),
        ("application", "applicationRuleCollections"),
    )
    for stage, member in kinds:
        rows = items(out.resource.prop(member))
        for i, row in enumerate([rows] if isinstance(rows, Unknown) else rows):
            properties = get(row, "properties")
            rules = items(get(properties, "rules"))
            if isinstance(row, Unknown) or isinstance(rules, Unknown):
                out.gaps.append(row if isinstance(row, Unknown) else rules)  # type: ignore[arg-type]
                continue
            priority = _number(get(properties, "priority"))
            order = None if priority is None else (0, 0, priority)
            action = _action(get(get(properties, "action"), "type"))
            for j, rule in enumerate(rules):
                place = out.resource.place("properties", member, i, "properties", "rules", j)
                found.append(
                    _firewall_rule(graph, out.resource, rule, stage, _name(row), order, action, place)
                )
    return found


def _number(value: Value) -> int | None:
    spelled = text(value)
    return int(spelled) if isinstance(spelled, str) and spelled.isdecimal() else None


def _action(value: Value) -> str | Unknown:
    spelled = text(value)
    if isinstance(spelled, Unknown):
        return spelled
    folded = (spelled or "").casefold()
    return (
        folded if folded in ("allow", "deny") else Unknown("the rule collection says neither Allow nor Deny")
    )


def _name(row: Value) -> str:
    spelled = text(get(row, "name"))
    return spelled if isinstance(spelled, str) else "(a name that is not known)"


def _firewall_rule(
    graph: Graph,
    owner: Resource,
    rule: Value,
    stage: Pass,
    collection: str,
    order: tuple[int, int, int] | None,
    action: str | Unknown,
    origin: Origin,
) -> FirewallRule:
    near = graph.home(owner)
    sources, sources_unknown = _links(graph, get(rule, "sourceIpGroups"), near, origin)
    targets, targets_unknown = _links(graph, get(rule, "destinationIpGroups"), near, origin)
    destination = tokens(get(rule, "destinationAddresses"))
    if targets_unknown is not None:
        destination = Tokens(destination.known, targets_unknown, given=True)
    fqdns = get(rule, "destinationFqdns") if stage == "network" else get(rule, "targetFqdns")
    listeners, listeners_unknown = (
        _listeners(get(rule, "protocols")) if stage == "application" else ((), None)
    )
    if (
        owner.kind == FIREWALLS.casefold()
        and stage == "application"
        and listeners_unknown is None
        and not listeners
    ):
        listeners = _LISTENERS_OF_TAGS if tokens(get(rule, "fqdnTags")).given else ()
    return FirewallRule(
        stage=stage,
        name=_name(rule),
        collection=collection,
        owner=owner,
        origin=origin,
        order=order,
        action=action,
        source=tokens(get(rule, "sourceAddresses")),
        source_groups=sources,
        source_groups_unknown=sources_unknown,
        destination=destination,
        destination_groups=targets,
        protocols=tokens(get(rule, "ipProtocols"), get(rule, "protocols") if stage == "network" else None),
        ports=tokens(get(rule, "destinationPorts")),
        listeners=listeners,
        listeners_unknown=listeners_unknown,
        fqdns=tokens(fqdns),
        fqdn_tags=tokens(get(rule, "fqdnTags")),
        urls=tokens(get(rule, "targetUrls")),
        categories=tokens(get(rule, "webCategories")),
        terminates_tls=flag(get(rule, "terminateTLS"), False),
        uncertain=owner.uncertain,
    )


def _links(
    graph: Graph, value: Value, near: object, origin: Origin
) -> tuple[tuple[Link, ...], Unknown | None]:
    rows = items(value)
    if isinstance(rows, Unknown):
        return (), rows
    return tuple(graph.link(row, near, origin) for row in rows), None  # type: ignore[arg-type]


#: What a rule of a firewall itself listens for where it holds FQDN tags and no protocols, as azurerm's rule
#: collections must (`fqdn_tags` beside `protocol` is refused).  HTTPS is documented (Microsoft: firewall/fqdn-tags);
#: Azure PowerShell writes HTTP:80 beside it, and no page says that Azure adds it where the rule names none (U18).
#: In a policy such a rule is refused (terraform-provider-azurerm issues 14099 and 15760), so it opens nothing.
_LISTENERS_OF_TAGS: Listeners = (
    (
        "http",
        Unknown(
            "that a rule with FQDN tags and no protocols also lets HTTP:80 through is not documented",
            settle="name the hosts in an application rule with the protocol Http:80",
        ),
    ),
    ("https", "443"),
)


def _listeners(value: Value) -> tuple[Listeners, Unknown | None]:
    rows = items(value)
    if isinstance(rows, Unknown):
        return (), rows
    out: list[tuple[str, str | Unknown | None]] = []
    for row in rows:
        kind, port = text(get(row, "protocolType")), text(get(row, "port"))
        for part in (row, kind, port):
            if isinstance(part, Unknown):
                return tuple(out), part
        if isinstance(kind, str):
            out.append((kind.casefold(), port if isinstance(port, str) else None))
    return tuple(out), None
