"""A change to a network as it is written in an ARM template or in Terraform."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from aks_egress.arm.resources import Kind
from aks_egress.findings.changes import Change, What
from aks_egress.values import Value, get

#: ARM's properties of a security rule and of a route -> azurerm's
_NAMES = {
    "priority": "priority",
    "direction": "direction",
    "access": "access",
    "protocol": "protocol",
    "sourcePortRange": "source_port_range",
    "sourceAddressPrefix": "source_address_prefix",
    "sourceAddressPrefixes": "source_address_prefixes",
    "destinationAddressPrefix": "destination_address_prefix",
    "destinationAddressPrefixes": "destination_address_prefixes",
    "destinationPortRange": "destination_port_range",
    "destinationPortRanges": "destination_port_ranges",
    "addressPrefix": "address_prefix",
    "nextHopType": "next_hop_type",
    "nextHopIpAddress": "next_hop_in_ip_address",
}
_BLOCKS = {What.SECURITY_RULE: "security_rule", What.ROUTE: "route"}
_TERRAFORM = (Kind.TERRAFORM_PLAN, Kind.TERRAFORM_SOURCE)


def is_terraform(change: Change) -> bool:
    """Whether what is changed is written in Terraform."""
    return change.document.kind in _TERRAFORM or change.owner.address.startswith("azurerm_")


def as_arm(change: Change) -> str:
    """The part as it stands in its owner's list; a rule collection group as a resource of its own."""
    if change.what is not What.RULE_GROUP:
        return json.dumps(change.as_arm(), indent=2)
    body = {
        "type": "Microsoft.Network/firewallPolicies/ruleCollectionGroups",
        "apiVersion": "2024-05-01",
        "name": f"{change.owner.name}/{change.name}",
        "properties": dict(change.properties),
    }
    return json.dumps(body, indent=2)


def as_terraform(change: Change) -> str:
    """The part as the azurerm provider wants it: a block of its owner, or a resource of its own."""
    if change.what is What.RULE_GROUP:
        return "\n".join(_rule_group(change))
    if change.what in (What.NETWORK_RULES, What.APPLICATION_RULES):
        return "\n".join(_classic(change))
    kind = _BLOCKS[change.what]
    settings = [("name", change.name)]
    rows = [*settings, *((_NAMES[key], value) for key, value in change.properties.items())]
    if change.replaces or _has_blocks(change):
        return "\n".join(_block(kind, rows))
    word = {"security_rule": "network_security_rule", "route": "route"}[kind]
    holder = {"security_rule": "network_security_group", "route": "route_table"}[kind]
    owner = [
        ("resource_group_name", _Bare(_of(change, "resource_group_name"))),
        (f"{holder}_name", _Bare(_of(change, "name"))),
    ]
    return "\n".join(_block(f'resource "azurerm_{word}" "{_label(change.name)}"', [*rows, *owner]))


def _has_blocks(change: Change) -> bool:
    """Whether the owner's parts are blocks of it: blocks and resources of their own exclude each other."""
    return bool(change.owner.prop(change.what.value))


class _Bare(str):
    """Text that is an expression, not a string."""

    __slots__ = ()


def _of(change: Change, attribute: str) -> str:
    """An attribute of the owner: a reference where Terraform knows it, else what is known."""
    if is_terraform(change) and change.owner.address:
        return f"{change.owner.address}.{attribute}"
    if attribute == "id":
        return f'"{change.owner.id}"'
    parts = str(change.owner.id).split("/")
    return f'"{change.owner.name if attribute == "name" else parts[4] if len(parts) > 4 else ""}"'


def _rule_group(change: Change) -> Iterator[str]:
    yield f'resource "azurerm_firewall_policy_rule_collection_group" "{_label(change.name)}" {{'
    yield f'  name               = "{change.name}"'
    yield f"  firewall_policy_id = {_of(change, 'id')}"
    yield f"  priority           = {change.properties['priority']}"
    collections = change.properties.get("ruleCollections")
    for row in collections if isinstance(collections, list) else ():
        rules = get(row, "rules")
        found = rules if isinstance(rules, list) else []
        network = get(found[0], "ruleType") == "NetworkRule"
        yield ""
        yield f"  {'network' if network else 'application'}_rule_collection {{"
        yield f'    name     = "{get(row, "name")}"'
        yield f"    priority = {get(row, 'priority')}"
        yield '    action   = "Allow"'
        for rule in found:
            yield from (f"    {line}" for line in ("", *_block("rule", _firewall_rule(rule, network))))
        yield "  }"
    yield "}"


def _classic(change: Change) -> Iterator[str]:
    network = change.what is What.NETWORK_RULES
    word = "network" if network else "application"
    yield f'resource "azurerm_firewall_{word}_rule_collection" "{_label(change.name)}" {{'
    yield f'  name                = "{change.name}"'
    yield f"  azure_firewall_name = {_of(change, 'name')}"
    yield f"  resource_group_name = {_of(change, 'resource_group_name')}"
    yield f"  priority            = {change.properties['priority']}"
    yield '  action              = "Allow"'
    rules = change.properties.get("rules")
    for rule in rules if isinstance(rules, list) else ():
        yield from (f"  {line}" for line in ("", *_block("rule", _firewall_rule(rule, network))))
    yield "}"


def _firewall_rule(rule: Value, network: bool) -> list[tuple[str, Value]]:
    rows: list[tuple[str, Value]] = [
        ("name", get(rule, "name")),
        ("source_addresses", get(rule, "sourceAddresses")),
    ]
    if network:
        protocols = get(rule, "ipProtocols") or get(rule, "protocols")
        return [
            *rows,
            ("protocols", protocols),
            ("destination_addresses", get(rule, "destinationAddresses")),
            ("destination_ports", get(rule, "destinationPorts")),
        ]
    listeners = get(rule, "protocols")
    names = ("destination_fqdns", get(rule, "targetFqdns"))
    return [*rows, names, *(("protocols", one) for one in (listeners if isinstance(listeners, list) else ()))]


def _block(head: str, rows: list[tuple[str, Value]]) -> list[str]:
    """A block, its settings aligned and its blocks behind them."""
    settings = [(name, value) for name, value in rows if not isinstance(value, Mapping)]
    width = max(len(name) for name, _ in settings)
    lines = [f"  {name:<{width}} = {_spelled(value)}" for name, value in settings]
    for name, value in rows:
        if isinstance(value, Mapping):
            inner: list[tuple[str, Value]] = [("type", value["protocolType"]), ("port", value["port"])]
            lines += ["", *(f"  {line}" for line in _block(name, inner))]
    return [f"{head} {{", *lines, "}"]


def _spelled(value: Value) -> str:
    if isinstance(value, _Bare):
        return str(value)
    said = json.dumps(value, ensure_ascii=False)
    return said.replace("${", "$${").replace("%{", "%%{")


def _label(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)
