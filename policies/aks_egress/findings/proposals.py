"""What could open a flow at the place that stops it: the narrowest rule, collection or route that would.

A proposal is a guess that somebody proves by judging again; it names what the flow asks for and nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from aks_egress.arm.resources import Document, Resource
from aks_egress.evaluation.demand import Decider
from aks_egress.evaluation.flows import JudgedFlow
from aks_egress.findings.assemble import spell_ports
from aks_egress.findings.changes import Change, What
from aks_egress.packets.addresses import EVERYWHERE, cidrs
from aks_egress.records import record
from aks_egress.topology.firewalls import Firewall, FirewallRule
from aks_egress.topology.model import Topology
from aks_egress.topology.security import INBOUND, OUTBOUND, SecurityRule
from aks_egress.values import Value, text

_LAST = 65001  # where Azure's own default rules begin
_PROTOCOLS = {"TCP": "Tcp", "UDP": "Udp", "ICMP": "Icmp", "ANY": "*"}


@record(frozen=True, slots=True)
class Stop:
    """Who stops some flows of a cluster."""

    blocker: Decider
    flows: tuple[JudgedFlow, ...]


def proposals(stop: Stop, topology: Topology, documents: Sequence[Document]) -> list[tuple[Change, ...]]:
    """The ways to let the flows pass, the narrowest first; none where only people can decide."""
    match stop.blocker.hop:
        case "subnet-nsg" | "nic-nsg":
            return _security_rules(stop, topology, documents, OUTBOUND)
        case "target-subnet-nsg":
            return _security_rules(stop, topology, documents, INBOUND)
        case "firewall":
            return _firewall_rules(stop, topology, documents)
        case "route":
            return _routes(stop, topology, documents)
    return []


def _found(documents: Sequence[Document], identity: str) -> tuple[Document, Resource] | None:
    """A resource by its id, and its document."""
    for document in documents:
        for resource in document.resources:
            if str(resource.id) == identity and not resource.existing:
                return document, resource
    return None


def _security_rules(
    stop: Stop, topology: Topology, documents: Sequence[Document], direction: str
) -> list[tuple[Change, ...]]:
    """An Allow rule before the one that denies, for each protocol and destination."""
    found = _found(documents, stop.blocker.resource_id)
    if found is None:
        return []
    document, group = found
    rules = topology.rules(group).facing(direction)
    denying = stop.blocker.detail
    before = denying.priority if isinstance(denying, SecurityRule) and denying.priority else 4097
    taken = {rule.priority for rule in rules}
    free = (number for number in range(min(before, 4097) - 1, 99, -1) if number not in taken)
    changes: list[Change] = []
    for wanted in _wanted(stop.flows, direction):
        priority = next(free, None)
        if priority is None:
            return []
        name = _free_name(f"allow-{wanted.label}", {rule.name.casefold() for rule in rules}, changes)
        properties: dict[str, Value] = {
            "priority": priority,
            "direction": direction.capitalize(),
            "access": "Allow",
            "protocol": _PROTOCOLS.get(wanted.protocol, "*"),
            **_either("sourceAddressPrefix", wanted.sources),
            "sourcePortRange": "*",
            **_either("destinationAddressPrefix", wanted.destinations),
            **_either("destinationPortRange", wanted.ports),
        }
        changes.append(
            Change(what=What.SECURITY_RULE, owner=group, document=document, name=name, properties=properties)
        )
    return [tuple(changes)]


@record(frozen=True, slots=True)
class _Wanted:
    """What one security rule lets through."""

    label: str
    protocol: str
    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    ports: tuple[str, ...]


def _wanted(flows: Sequence[JudgedFlow], direction: str) -> Iterator[_Wanted]:
    """The flows as rules: Azure takes one tag a rule, but many prefixes and many ports."""
    groups: dict[tuple[str, tuple[str, ...]], list[JudgedFlow]] = {}
    for flow in flows:
        for destination in _destinations(flow):
            groups.setdefault((flow.requirement.protocol, destination), []).append(flow)
    for (protocol, destinations), members in groups.items():
        ports = _once(port for flow in members for port in spell_ports(flow.requirement).split(","))
        tagged = len(destinations) == 1 and not destinations[0][:1].isdigit()
        label = destinations[0] if tagged else members[0].requirement.role
        sources = _sources(members)
        where = ("*",) if "*" in ports else ports
        said = f"{protocol}-{label}" if direction == OUTBOUND else f"{protocol}-{label}-in"
        yield _Wanted(_slug(said), protocol, sources, destinations, where)


def _destinations(flow: JudgedFlow) -> Iterator[tuple[str, ...]]:
    """Where a flow leads, as security rules can name it: host names by the tags their addresses lie in."""
    wanted = flow.requirement
    if wanted.kind == "fqdn":
        yield from ((tag,) for tag in wanted.lies_in or ("Internet",))
    elif wanted.kind == "service-tag":
        yield (wanted.value,)
    else:
        yield _once(one for demand in flow.demands for box in demand.boxes for one in cidrs(box.destination))


def _sources(flows: Sequence[JudgedFlow]) -> tuple[str, ...]:
    """Where flows come from: their packets' own addresses, else those of the subnet."""
    sets = [box.source for flow in flows for demand in flow.demands for box in demand.boxes]
    if not sets or any(one == EVERYWHERE for one in sets):
        sets = [flow.start.subnet.prefixes.sure for flow in flows]
    return _once(one for addresses in sets for one in cidrs(addresses)) or ("*",)


def _firewall_rules(
    stop: Stop, topology: Topology, documents: Sequence[Document]
) -> list[tuple[Change, ...]]:
    """A collection that is asked before the rule that denies; by name where the firewall reads names."""
    rule = stop.blocker.detail
    if stop.blocker.name in ("stopped", "source NAT") or getattr(rule, "terminates_tls", False) is True:
        return []
    firewall = _firewall(stop, topology, documents)
    if firewall is None:
        return []
    named = [flow for flow in stop.flows if flow.requirement.layer7 and flow.requirement.name]
    if isinstance(rule, FirewallRule) and rule.stage == "network":
        named = []  # network rules are asked before all application rules
    rest = [flow for flow in stop.flows if flow not in named]
    owner = firewall.policies[0] if firewall.policies else firewall.resource
    document = next((one for one in documents if any(mine is owner for mine in one.resources)), None)
    if document is None:
        return []
    collections = [
        *((What.APPLICATION_RULES, [_by_name(flows) for flows in _alike(named)]) for _ in named[:1]),
        *((What.NETWORK_RULES, [_by_address(flows) for flows in _alike(rest)]) for _ in rest[:1]),
    ]
    if firewall.policies:
        return [(_rule_group(firewall, owner, document, collections),)]
    return [tuple(_classic(firewall, owner, document, what, rows) for what, rows in collections)]


def _firewall(stop: Stop, topology: Topology, documents: Sequence[Document]) -> Firewall | None:
    """The firewall that stops the flows; the decider names it, or the policy that its rule is of."""
    firewalls = [
        topology.firewall(resource)
        for document in documents
        for resource in document.resources
        if resource.kind == "microsoft.network/azurefirewalls" and not resource.existing
    ]
    rule = stop.blocker.detail
    return next(
        (
            one
            for one in firewalls
            if str(one.resource.id) == stop.blocker.resource_id or (rule is not None and rule in one.rules)
        ),
        None,
    )


def _alike(flows: Sequence[JudgedFlow]) -> list[list[JudgedFlow]]:
    """Flows that fit into one rule: same protocol and ports."""
    groups: dict[tuple[str, object, str], list[JudgedFlow]] = {}
    for flow in flows:
        wanted = flow.requirement
        groups.setdefault((wanted.protocol, wanted.ports, wanted.layer7), []).append(flow)
    return list(groups.values())


def _by_name(flows: Sequence[JudgedFlow]) -> dict[str, Value]:
    first = flows[0].requirement
    kind = {"https": "Https", "http": "Http"}[first.layer7]
    listeners: list[Value] = [{"protocolType": kind, "port": low} for low, _ in first.ports]
    return {
        "ruleType": "ApplicationRule",
        "name": _slug(f"{kind}-{spell_ports(first)}"),
        "sourceAddresses": list(_sources(flows)),
        "protocols": listeners,
        "targetFqdns": list(_once(flow.requirement.name for flow in flows)),
    }


def _by_address(flows: Sequence[JudgedFlow]) -> dict[str, Value]:
    first = flows[0].requirement
    protocol = {"TCP": "TCP", "UDP": "UDP", "ICMP": "ICMP"}.get(first.protocol, "Any")
    where = _once(one for flow in flows for places in _destinations(flow) for one in _as_firewall(places))
    return {
        "ruleType": "NetworkRule",
        "name": _slug(f"{protocol}-{spell_ports(first)}"),
        "ipProtocols": [protocol],
        "sourceAddresses": list(_sources(flows)),
        "destinationAddresses": list(where),
        "destinationPorts": list(spell_ports(first).split(",")),
    }


def _as_firewall(places: Iterable[str]) -> list[str]:
    """A firewall has no tag for the internet."""
    return ["*" if one == "Internet" else one for one in places]


def _before(firewall: Firewall) -> int | None:
    """A priority before every collection of the firewall; None where there is no room, or nobody knows."""
    own = [rule.order for rule in firewall.rules]
    at = 1 if firewall.policies else 2
    numbers = [order[at] for order in own if order is not None]
    first = min([65000, *numbers]) - 1
    return first if first >= 100 and None not in own else None


def _rule_group(
    firewall: Firewall,
    owner: Resource,
    document: Document,
    collections: Sequence[tuple[What, list[dict[str, Value]]]],
) -> Change:
    rows: list[Value] = [
        {
            "ruleCollectionType": "FirewallPolicyFilterRuleCollection",
            "name": "network" if what is What.NETWORK_RULES else "names",
            "priority": 100 * (at + 1),
            "action": {"type": "Allow"},
            "rules": list(rules),
        }
        for at, (what, rules) in enumerate(
            sorted(collections, key=lambda one: one[0] is What.APPLICATION_RULES)
        )
    ]
    taken = {part.id.name.casefold() for part in document.resources if part.id.parent == owner.id}
    return Change(
        what=What.RULE_GROUP,
        owner=owner,
        document=document,
        name=_free_name("aks-egress", taken, ()),
        properties={"priority": _before(firewall) or 100, "ruleCollections": rows},
    )


def _classic(
    firewall: Firewall, owner: Resource, document: Document, what: What, rules: list[dict[str, Value]]
) -> Change:
    rows: list[Value] = [
        {
            {"ipProtocols": "protocols"}.get(key, key): value
            for key, value in rule.items()
            if key != "ruleType"
        }
        for rule in rules
    ]
    taken = {rule.collection.casefold() for rule in firewall.rules}
    return Change(
        what=what,
        owner=owner,
        document=document,
        name=_free_name("aks-egress", taken, ()),
        properties={"priority": _before(firewall) or 100, "action": {"type": "Allow"}, "rules": rows},
    )


def _routes(stop: Stop, topology: Topology, documents: Sequence[Document]) -> list[tuple[Change, ...]]:
    """The route that drops, led to a firewall among the inputs, else to the internet."""
    found = _found(documents, stop.blocker.resource_id)
    if found is None:
        return []
    document, table = found
    route = next((one for one in topology.table(table).routes if one.name == stop.blocker.name), None)
    if route is None or not route.spelled:
        return []
    ways: list[dict[str, Value]] = [
        {"nextHopType": "VirtualAppliance", "nextHopIpAddress": address}
        for address in _firewall_addresses(topology, documents)
    ]
    ways.append({"nextHopType": "Internet"})
    before = f"{route.hop} {', '.join(str(one) for one in route.hop_addresses)}".strip()
    return [
        (
            Change(
                what=What.ROUTE,
                owner=table,
                document=document,
                name=route.name,
                properties={"addressPrefix": route.spelled, **way},
                replaces=before,
            ),
        )
        for way in ways
    ]


def _firewall_addresses(topology: Topology, documents: Sequence[Document]) -> Iterator[str]:
    """The private addresses of the firewalls among the inputs, where they are known."""
    for document in documents:
        for resource in document.resources:
            if resource.kind != "microsoft.network/azurefirewalls" or resource.existing:
                continue
            rows = topology.firewall(resource).ip_configurations
            for i in range(len(rows) if isinstance(rows, list) else 0):
                address = text(resource.prop("ipConfigurations", i, "properties", "privateIPAddress"))
                if isinstance(address, str):
                    yield address


def _either(name: str, values: Sequence[str]) -> dict[str, Value]:
    """A property in its singular or its plural form, as Azure has both."""
    if len(values) == 1:
        return {name: values[0]}
    plural = f"{name}es" if name.endswith("x") else f"{name}s"
    return {plural: list(values)}


def _free_name(wanted: str, taken: Iterable[str], changes: Iterable[Change]) -> str:
    used = {*taken, *(change.name.casefold() for change in changes)}
    names = (wanted if number == 1 else f"{wanted}-{number}" for number in range(1, 1000))
    return next(name for name in names if name.casefold() not in used)


def _slug(said: str) -> str:
    """A name that Azure takes: letters, digits, dashes."""
    kept = "".join(letter if letter.isalnum() else "-" for letter in said).strip("-").casefold()
    return "-".join(part for part in kept.split("-") if part)[:60]


def _once(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
