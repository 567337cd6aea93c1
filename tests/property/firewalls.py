"""Random firewalls: policies with parents, or classic rules, in ARM JSON."""

from __future__ import annotations

from random import Random

from tests.builders import rid
from tests.property.worlds import TAGS, respelled
from tests.spec.world import Row

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


def firewall_rows(rng: Random) -> list[Row]:
    """A firewall `fw` with its policies, and the IP groups that its rules name."""
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
