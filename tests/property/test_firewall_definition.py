"""Azure Firewall: the engine and the second definition agree on random policies and classic rules."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from random import Random

import pytest
from tests.builders import SCOPE, document, rid
from tests.property.answers import EVERYTHING, deciders_of
from tests.property.seeds import seeds
from tests.property.worlds import TAGS, edges, respelled, service_tags
from tests.spec import firewall
from tests.spec.world import Packet, Row, World

from aks_egress.evaluation.demand import Decider, Demand
from aks_egress.evaluation.firewall import FirewallFilter
from aks_egress.packets.names import Match
from aks_egress.topology.firewalls import FirewallRule
from aks_egress.topology.model import Topology

FIREWALL = rid("azureFirewalls", "fw")
ADDRESSES = (
    "*",
    "10.0.0.0/16",
    "10.0.0.4",
    "20.1.0.0/16",
    "20.2.0.10-20.2.1.9",
    "20.0.0.0/8",
    "150.171.69.10",
)
GROUPS = {"some": ["10.0.0.0/22", "20.9.0.0/16"], "span": ["10.0.4.7-10.0.9.1"], "nothing": []}
PORTS = ("*", "443", "80", "9000", "1-1023", "1194", "400-500")
NAMES = (
    "mcr.microsoft.com",
    "*.mcr.microsoft.com",
    "*mcr.microsoft.com",
    "*",
    "*.data.mcr.microsoft.com",
    "MCR.microsoft.com",
)
ASKED = ("", "mcr.microsoft.com", "eastus.data.mcr.microsoft.com", "notmcr.microsoft.com", "ntp.ubuntu.com")


def _rows(rng: Random) -> list[Row]:
    groups = [_row("ipGroups", name, {"ipAddresses": members}) for name, members in GROUPS.items()]
    if rng.random() < 0.3:
        return [*groups, _classic(rng)]
    policies = ["policy", "parent", "grandparent"][: rng.randint(1, 3)]
    rows = [
        *groups,
        _row("azureFirewalls", "fw", {"firewallPolicy": {"id": rid("firewallPolicies", "policy")}}),
    ]
    for i, name in enumerate(policies):
        properties: Row = {}
        if rng.random() < 0.6:
            properties["dnsSettings"] = {"enableProxy": rng.random() < 0.7}
        if i + 1 < len(policies):
            properties["basePolicy"] = {"id": rid("firewallPolicies", policies[i + 1])}
        rows.append(_row("firewallPolicies", name, properties))
        rows += [
            _row("firewallPolicies/ruleCollectionGroups", f"{name}/g{priority}", _group(rng, priority))
            for priority in rng.sample((100, 200, 300), rng.randint(0, 2))
        ]
    rng.shuffle(rows)
    return rows


def _row(kind: str, name: str, properties: Row) -> Row:
    return {
        "type": f"Microsoft.Network/{kind}",
        "apiVersion": "2024-05-01",
        "name": name,
        "properties": properties,
    }


def _group(rng: Random, priority: int) -> Row:
    collections = []
    for i, order in enumerate(rng.sample((100, 200, 300, 400), rng.randint(1, 3))):
        kind = rng.choice(("network", "application"))
        rules = [_rule(rng, kind, f"r{j}", classic=False) for j in range(rng.randint(1, 3))]
        collections.append(
            {
                "ruleCollectionType": "FirewallPolicyFilterRuleCollection",
                "name": f"c{priority}-{i}",
                "priority": order,
                "action": {"type": respelled(rng, rng.choice(("Allow", "Allow", "Deny")))},
                "rules": rules,
            }
        )
    nat = {
        "ruleCollectionType": "FirewallPolicyNatRuleCollection",
        "name": "nat",
        "priority": 90,
        "rules": [],
    }
    return {"priority": priority, "ruleCollections": [*collections, nat]}


def _classic(rng: Random) -> Row:
    given: Row = {"additionalProperties": {"Network.DNS.EnableProxy": rng.choice(("true", "false", "True"))}}
    for kind in ("network", "application"):
        given[f"{kind}RuleCollections"] = [
            {
                "name": f"{kind}{priority}",
                "properties": {
                    "priority": priority,
                    "action": {"type": rng.choice(("Allow", "Deny"))},
                    "rules": [_rule(rng, kind, f"r{j}", classic=True) for j in range(rng.randint(1, 3))],
                },
            }
            for priority in rng.sample((100, 200, 300), rng.randint(0, 3))
        ]
    return _row("azureFirewalls", "fw", given)


def _rule(rng: Random, kind: str, name: str, *, classic: bool) -> Row:
    rule: Row = {"name": name}
    if rng.random() < 0.75:
        rule["sourceAddresses"] = rng.choice((["*"], ["*"], ["10.0.0.0/16", "10.0.0.4"], ["10.0.0.0/24"]))
    else:
        rule["sourceIpGroups"] = [_group_reference(rng, classic) for _ in range(rng.randint(1, 2))]
    if kind == "network":
        return rule | _network(rng, classic)
    return rule | _application(rng, classic)


def _group_reference(rng: Random, classic: bool) -> str:
    return respelled(rng, rid("ipGroups", rng.choice(sorted(GROUPS))))


def _network(rng: Random, classic: bool) -> Row:
    rule: Row = {"destinationPorts": rng.sample(PORTS, rng.randint(1, 3))}
    protocols = rng.sample(("TCP", "UDP", "ICMP", "Any"), rng.randint(1, 2))
    rule["protocols" if classic else "ipProtocols"] = [respelled(rng, one) for one in protocols]
    if not classic:
        rule["ruleType"] = "NetworkRule"
    match rng.choice(("addresses", "addresses", "tag", "groups", "names")):
        case "addresses":
            rule["destinationAddresses"] = rng.sample(ADDRESSES, rng.randint(1, 3))
        case "tag":
            rule["destinationAddresses"] = [respelled(rng, rng.choice(sorted(TAGS)))]
        case "groups":
            rule["destinationIpGroups"] = [_group_reference(rng, classic)]
        case "names":
            rule["destinationFqdns"] = [rng.choice(("mcr.microsoft.com", "ntp.ubuntu.com"))]
    return rule


def _application(rng: Random, classic: bool) -> Row:
    ports = rng.sample(
        (("Https", 443), ("Http", 80), ("https", 8443), ("Https", None), ("Http", 443)), rng.randint(1, 2)
    )
    rule: Row = {"protocols": [{"protocolType": kind, "port": port} for kind, port in ports]}
    if not classic:
        rule["ruleType"] = "ApplicationRule"
        if rng.random() < 0.15:
            rule["destinationAddresses"] = ["20.0.0.0/8"]
    if rng.random() < 0.25:
        rule["fqdnTags"] = ["AzureKubernetesService"]
    else:
        rule["targetFqdns"] = rng.sample(NAMES, rng.randint(1, 2))
    return rule


def _connections(
    rng: Random, name: str, speaks: str, in_tag: bool, count: int
) -> Iterator[firewall.Connection]:
    places = [
        *ADDRESSES[1:],
        *(one for members in GROUPS.values() for one in members),
        *(p for m in TAGS.values() for p in m),
    ]
    here = [one for one in edges(places) if one.version == 4]
    near = [one for one in here if one in ipaddress.ip_network("10.0.0.0/8")]
    for _ in range(count):
        packet = Packet(
            rng.choice(near),
            rng.choice(here),
            rng.choice((6, 6, 6, 17, 1, 50)),
            50000,
            rng.choice((443, 443, 80, 8443, 9000, 1194, 1, 1023, 1024, 399, 400, 500, 501, 0, 65535)),
        )
        yield firewall.Connection(packet, name, speaks, in_tag)


def _said(deciders: list[Decider]) -> set[tuple[str, str]]:
    return {
        (one.detail.label if isinstance(one.detail, FirewallRule) else one.name, one.action.value)
        for one in deciders
    }


def _settled(world: World, name: str) -> bool:
    """Whether no network rule turns on what a name resolves to: without a host name the client's address may be one."""
    texts = [str(row["properties"]) for row in world.rows.values()]
    return bool(name) or not any("destinationFqdns" in text for text in texts)


@pytest.mark.parametrize("seed", seeds(150))
def test_every_connection_is_decided_by_the_rule_that_the_definition_names(seed: int) -> None:
    """Network rules first, then application rules, parents before children, deny at the end."""
    rng = Random(seed)
    rows = _rows(rng)
    world = World.of(SCOPE, rows, TAGS)
    topology = Topology([document(*rows)], service_tags())
    found = topology.graph.of_kind("Microsoft.Network/azureFirewalls")[0]
    filtered = FirewallFilter(topology.firewall(found), service_tags(), Match.YES)
    for name in ASKED:
        speaks, in_tag = rng.choice(("https", "http")) if name else "", rng.random() < 0.5
        demand = Demand(boxes=(EVERYTHING,), name=name, layer7=speaks, in_fqdn_tag=in_tag)
        pieces = filtered.decide(demand, [EVERYTHING])
        for connection in _connections(rng, name, speaks, in_tag, 30):
            ours = _said(deciders_of(pieces, connection.packet))
            theirs = firewall.answers(world, FIREWALL, connection)
            if _settled(world, name):
                assert _agree(ours, theirs), f"{connection}: the engine says {ours}, the definition {theirs}"
            else:
                assert ours & theirs, f"{connection}: the engine says {ours}, the definition {theirs}"


def _agree(ours: set[tuple[str, str]], theirs: set[tuple[str, str]]) -> bool:
    """Rules of one collection share its action, so any of them may be named; what they do must be the same."""
    actions = [{action for _, action in side} for side in (ours, theirs)]
    return ours <= theirs and actions[0] == actions[1]
