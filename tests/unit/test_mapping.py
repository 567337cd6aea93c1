"""The mapping tables: names that azurerm really has, and bodies in ARM's words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from aks_egress.values import NOWHERE, Unknown, Value
from aks_egress_scan.readers.mapping.azurerm import FOLDS, TYPES
from aks_egress_scan.readers.mapping.fields import UNSET, Field, One, Rows, Spot, Writer, fill
from aks_egress_scan.readers.mapping.kinds import Fold, Type

#: names of the tables as published: the schema that azurerm 3 gives out (resources and data sources), and the
#: documentation of azurerm 5.2
PUBLISHED = json.loads((Path(__file__).parent / "data" / "azurerm-names.json").read_text("utf-8"))

#: names that only some versions between have; the upgrade guide to azurerm 4 names them as removed or renamed
BETWEEN = {"node_os_channel_upgrade", "vnet_integration_enabled", "address_prefix", "enable_bgp"}

#: names that azurerm had before version 3
BEFORE = {"private_link_enabled"}

#: tables that types share: what is no name of the one is a name of the other
SHARED = {
    "azurerm_virtual_network": "azurerm_subnet",
    "azurerm_subnet": "azurerm_virtual_network",
    "azurerm_kubernetes_cluster": "azurerm_kubernetes_cluster_node_pool",
    "azurerm_kubernetes_cluster_node_pool": "azurerm_kubernetes_cluster",
    "azurerm_virtual_network_gateway": "azurerm_network_interface",
}


def names(fields: tuple[Field, ...]) -> Iterator[str]:
    """Every attribute that a table reads, without the blocks around it."""
    for one in fields:
        yield from (part for part in one.source.split("/") if part)
        if isinstance(one.convert, Rows | One):
            yield from names(one.convert.fields)


def published(kind: str) -> set[str]:
    known = PUBLISHED[kind]
    return {part for group in known.values() for path in group for part in path.split(".")}


@pytest.mark.parametrize("kind", sorted({**TYPES, **FOLDS}))
def test_every_name_of_the_tables_is_one_of_azurerm(kind: str) -> None:
    table: Type | Fold = {**TYPES, **FOLDS}[kind]
    known = published(kind) | BETWEEN | BEFORE | (published(SHARED[kind]) if kind in SHARED else set())
    assert set(names(table.fields)) - known == set()
    ways = table.above if isinstance(table, Type) else (table.owner,)
    assert {way.attribute for way in ways} - known == set()


def body(kind: str, values: dict[str, Value]) -> dict[str, Value]:
    """What a table makes of some attributes."""
    written: dict[str, Value] = {}
    writer = Writer(lambda value, kinds, address: value, NOWHERE, f"{kind}.x")
    fill(
        written,
        TYPES[kind].fields,
        lambda name: values.get(name) if name else dict(values),
        Spot(writer, (), ()),
    )
    properties = written.get("properties", {})
    assert isinstance(properties, dict)
    return properties


@pytest.mark.parametrize("nothing", [None, "", []])
def test_null_and_empty_mean_absent(nothing: Value) -> None:
    rule = {"name": "a", "source_address_prefix": nothing, "source_address_prefixes": ["10.0.0.0/8"]}
    rows = body("azurerm_network_security_group", {"security_rule": [rule]})["securityRules"]
    assert rows == [{"name": "a", "properties": {"sourceAddressPrefixes": ["10.0.0.0/8"]}}]
    assert body("azurerm_network_security_group", {"security_rule": nothing}) == {}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"disable_bgp_route_propagation": True}, True),
        ({"bgp_route_propagation_enabled": False}, True),
        ({"bgp_route_propagation_enabled": True}, False),
        ({"bgp_route_propagation_enabled": UNSET, "disable_bgp_route_propagation": True}, True),
        ({"bgp_route_propagation_enabled": UNSET, "disable_bgp_route_propagation": UNSET}, None),
    ],
)
def test_route_propagation_in_both_spellings(given: dict[str, Value], wanted: bool | None) -> None:
    assert body("azurerm_route_table", given).get("disableBgpRoutePropagation") is wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"private_endpoint_network_policies": "RouteTableEnabled"}, "RouteTableEnabled"),
        ({"private_endpoint_network_policies_enabled": True}, "Enabled"),
        ({"enforce_private_link_endpoint_network_policies": True}, "Disabled"),
        (
            {"private_endpoint_network_policies": UNSET, "private_endpoint_network_policies_enabled": False},
            "Disabled",
        ),
    ],
)
def test_private_endpoint_policies_in_three_spellings(given: dict[str, Value], wanted: str) -> None:
    assert body("azurerm_subnet", given)["privateEndpointNetworkPolicies"] == wanted


@pytest.mark.parametrize(
    "given",
    [
        {"service_endpoints": ["Microsoft.Storage", "Microsoft.Sql"]},
        {"service_endpoint": [{"service": "Microsoft.Storage"}, {"service": "Microsoft.Sql"}]},
        {"service_endpoints": ["Microsoft.Storage"], "service_endpoint": [{"service": "Microsoft.Sql"}]},
    ],
)
def test_service_endpoints_as_list_and_as_blocks(given: dict[str, Value]) -> None:
    rows = body("azurerm_subnet", given)["serviceEndpoints"]
    assert rows == [{"service": "Microsoft.Storage"}, {"service": "Microsoft.Sql"}]


def test_a_write_only_group_is_unknown_never_absent() -> None:
    group = body("azurerm_subnet", {"network_security_group_id_wo_version": 1})["networkSecurityGroup"]
    assert isinstance(group, Unknown)
    known = {"network_security_group_id_wo": "/x", "network_security_group_id_wo_version": 1}
    assert body("azurerm_subnet", known)["networkSecurityGroup"] == {"id": "/x"}


def test_dns_servers_switch_the_proxy_of_a_classic_firewall_on() -> None:
    given: dict[str, Value] = {"dns_servers": ["10.0.0.4", "10.0.0.5"], "dns_proxy_enabled": False}
    assert body("azurerm_firewall", given)["additionalProperties"] == {
        "Network.DNS.EnableProxy": "true",
        "Network.DNS.Servers": "10.0.0.4,10.0.0.5",
    }
    off = body("azurerm_firewall", {"dns_proxy_enabled": False, "private_ip_ranges": ["10.0.0.0/8"]})
    assert off["additionalProperties"] == {
        "Network.DNS.EnableProxy": "false",
        "Network.SNAT.PrivateRanges": "10.0.0.0/8",
    }


def test_rule_collections_of_three_kinds_become_one_list() -> None:
    rule = {
        "name": "r",
        "protocols": ["TCP"],
        "destination_ports": ["22"],
        "destination_addresses": ["10.0.0.1"],
    }
    dnat = {"name": "d", "protocols": ["TCP"], "destination_address": "1.2.3.4", "destination_ports": ["1"]}
    web = {"name": "w", "destination_fqdns": ["a.b"], "protocols": [{"type": "Https", "port": 443}]}
    given: dict[str, Value] = {
        "network_rule_collection": [{"name": "n", "priority": 100, "action": "Allow", "rule": [rule]}],
        "application_rule_collection": [{"name": "a", "priority": 200, "action": "Deny", "rule": [web]}],
        "nat_rule_collection": [{"name": "t", "priority": 300, "action": "Dnat", "rule": [dnat]}],
    }
    rows = body("azurerm_firewall_policy_rule_collection_group", given)["ruleCollections"]
    assert isinstance(rows, list)
    assert [
        (one["name"], one["ruleCollectionType"], one["action"]) for one in rows if isinstance(one, dict)
    ] == [
        ("n", "FirewallPolicyFilterRuleCollection", {"type": "Allow"}),
        ("a", "FirewallPolicyFilterRuleCollection", {"type": "Deny"}),
        ("t", "FirewallPolicyNatRuleCollection", {"type": "Dnat"}),
    ]
    second = rows[1]
    assert isinstance(second, dict)
    assert second["rules"] == [
        {
            "ruleType": "ApplicationRule",
            "name": "w",
            "protocols": [{"protocolType": "Https", "port": 443}],
            "targetFqdns": ["a.b"],
        }
    ]


def test_a_collection_list_that_is_not_known_stays_beside_the_known_one() -> None:
    given: dict[str, Value] = {
        "network_rule_collection": Unknown("later"),
        "application_rule_collection": [{"name": "a", "priority": 200, "action": "Deny", "rule": []}],
    }
    rows = body("azurerm_firewall_policy_rule_collection_group", given)["ruleCollections"]
    assert isinstance(rows, list)
    assert isinstance(rows[0], Unknown)
    assert rows[1] != rows[0]


def test_cluster_spellings_of_azurerm_3_and_5_agree() -> None:
    old: dict[str, Value] = {
        "api_server_authorized_ip_ranges": ["1.2.3.4/32"],
        "automatic_channel_upgrade": "stable",
        "default_node_pool": [{"name": "p", "enable_node_public_ip": True, "enable_auto_scaling": True}],
        "network_profile": [{"network_plugin": "azure", "ebpf_data_plane": "cilium"}],
    }
    new: dict[str, Value] = {
        "api_server_access_profile": [{"authorized_ip_ranges": ["1.2.3.4/32"]}],
        "automatic_upgrade_channel": "stable",
        "default_node_pool": [{"name": "p", "node_public_ip_enabled": True, "auto_scaling_enabled": True}],
        "network_profile": [{"network_plugin": "azure", "network_data_plane": "cilium"}],
    }
    assert body("azurerm_kubernetes_cluster", old) == body("azurerm_kubernetes_cluster", new)
    assert body("azurerm_kubernetes_cluster", new)["agentPoolProfiles"] == [
        {"mode": "System", "name": "p", "enableNodePublicIP": True, "enableAutoScaling": True}
    ]


@pytest.mark.parametrize("spelled", ["private_cluster_enabled", "private_link_enabled"])
def test_a_private_cluster_in_both_spellings(spelled: str) -> None:
    """azurerm 1.44 called it `private_link_enabled`, and azurerm 2 still took that."""
    found = body("azurerm_kubernetes_cluster", {spelled: True})
    assert found["apiServerAccessProfile"] == {"enablePrivateCluster": True}


def test_addons_are_enabled_by_their_blocks() -> None:
    given: dict[str, Value] = {
        "oms_agent": [{"log_analytics_workspace_id": "/w"}],
        "key_vault_secrets_provider": [{"secret_rotation_enabled": True}],
        "monitor_metrics": [{}],
        "microsoft_defender": [{"log_analytics_workspace_id": "/w"}],
        "azure_policy_enabled": False,
    }
    found = body("azurerm_kubernetes_cluster", given)
    assert found["addonProfiles"] == {
        "omsagent": {"enabled": True, "config": {"logAnalyticsWorkspaceResourceID": "/w"}},
        "azureKeyvaultSecretsProvider": {"enabled": True, "config": {"enableSecretRotation": True}},
        "azurepolicy": {"enabled": False},
    }
    assert found["azureMonitorProfile"] == {"metrics": {"enabled": True}}
    assert found["securityProfile"] == {
        "defender": {"securityMonitoring": {"enabled": True}, "logAnalyticsWorkspaceResourceId": "/w"}
    }


@pytest.mark.parametrize("odd", [7, "text", {"a": 1}, [7], [["x"]], [None], True])
@pytest.mark.parametrize("kind", sorted(TYPES))
def test_odd_shapes_never_raise(kind: str, odd: Value) -> None:
    values = {one.source.split("/")[0]: odd for one in TYPES[kind].fields}
    body(kind, values)
