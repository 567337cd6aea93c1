"""What ARM keeps inside another resource, what deploys admin rules, and azapi, which is ARM already."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.terraform_plans import everything, leads_to, one, plan, read, refs, resource

PREFIX = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.Network"
GROUP_ID = f"{PREFIX}/networkSecurityGroups/n"


def test_classic_rule_collections_are_folded_into_their_firewall() -> None:
    firewall = resource("azurerm_firewall.f", {"name": "f", "sku_name": "AZFW_VNet"}, {"id": True})
    rows = [
        resource(
            f"azurerm_firewall_{kind}_rule_collection.c{i}",
            {
                "name": f"c{i}",
                "azure_firewall_name": "f",
                "priority": 100 + i,
                "action": "Allow",
                "rule": [{"name": "r"}],
            },
        )
        for i, kind in enumerate(("network", "network", "application", "nat"))
    ]
    found = one(read(plan(firewall, *rows)), "azurerm_firewall.f")
    network = found.prop("networkRuleCollections")
    assert network == [
        {
            "name": f"c{i}",
            "properties": {"priority": 100 + i, "action": {"type": "Allow"}, "rules": [{"name": "r"}]},
        }
        for i in (0, 1)
    ]
    place = found.place("properties", "networkRuleCollections", 1, "properties", "rules", 0)
    assert place.pointer[-3:] == ("values", "rule", 0)
    assert place.pointer[:4] == ("planned_values", "root_module", "resources", 2)
    assert isinstance(found.prop("applicationRuleCollections"), list)
    assert isinstance(found.prop("natRuleCollections"), list)


def test_nic_associations_are_folded_into_the_nic() -> None:
    nic = resource(
        "azurerm_network_interface.n",
        {"name": "n", "ip_configuration": [{"name": "a"}, {"name": "b"}]},
        {"id": True},
    )
    to_nic = {"network_interface_id": refs("azurerm_network_interface.n.id")}
    rows = [
        resource(
            "azurerm_network_interface_security_group_association.l",
            {"network_security_group_id": GROUP_ID},
            {"network_interface_id": True},
            to_nic,
        ),
        resource(
            "azurerm_network_interface_application_security_group_association.l",
            {"application_security_group_id": f"{PREFIX}/applicationSecurityGroups/x"},
            {"network_interface_id": True},
            to_nic,
        ),
    ]
    found = one(read(plan(nic, *rows)), "azurerm_network_interface.n")
    assert found.prop("networkSecurityGroup", "id") == GROUP_ID
    asg = [{"id": f"{PREFIX}/applicationSecurityGroups/x"}]
    for i in (0, 1):
        assert found.prop("ipConfigurations", i, "properties", "applicationSecurityGroups") == asg


def test_nat_gateway_addresses_and_dns_servers_are_folded() -> None:
    rows = [
        resource("azurerm_nat_gateway.g", {"name": "g", "id": f"{PREFIX}/natGateways/g"}),
        resource(
            "azurerm_nat_gateway_public_ip_association.a",
            {
                "nat_gateway_id": f"{PREFIX}/natGateways/g",
                "public_ip_address_id": f"{PREFIX}/publicIPAddresses/p",
            },
        ),
        resource(
            "azurerm_virtual_network.v", {"name": "v", "id": f"{PREFIX}/virtualNetworks/v", "dns_servers": []}
        ),
        resource(
            "azurerm_virtual_network_dns_servers.d",
            {"virtual_network_id": f"{PREFIX}/virtualNetworks/v", "dns_servers": ["10.0.0.4"]},
        ),
    ]
    document = read(plan(*rows))
    assert one(document, "azurerm_nat_gateway.g").prop("publicIpAddresses") == [
        {"id": f"{PREFIX}/publicIPAddresses/p"}
    ]
    assert one(document, "azurerm_virtual_network.v").prop("dhcpOptions", "dnsServers") == ["10.0.0.4"]


def test_admin_rules_without_deployment_are_uncertain() -> None:
    collection = f"{PREFIX}/networkManagers/m/securityAdminConfigurations/c/ruleCollections/k"
    row = resource(
        "azurerm_network_manager_admin_rule.r",
        {"name": "r", "admin_rule_collection_id": collection, "action": "Deny"},
    )
    assert read(plan(row)).resources[0].uncertain is not None
    deployed = resource("azurerm_network_manager_deployment.d", {"scope_access": "SecurityAdmin"})
    found = one(read(plan(row, deployed)), "azurerm_network_manager_admin_rule.r")
    assert found.uncertain is None
    assert found.prop("access") == "Deny"


@pytest.mark.parametrize("spelled", ["text", "object"])
def test_azapi_resources_are_arm_already(spelled: str) -> None:
    body: Any = {"properties": {"routes": [{"name": "r", "properties": {"nextHopType": "None"}}]}}
    text = '{"properties":{"routes":[{"name":"r","properties":{"nextHopType":"None"}}]}}'
    row = resource(
        "azapi_resource.t",
        {
            "type": "Microsoft.Network/routeTables@2023-11-01",
            "name": "t",
            "parent_id": "/subscriptions/1/resourceGroups/rg",
            "location": "westeurope",
            "body": text if spelled == "text" else body,
        },
        {"id": True},
    )
    (table,) = read(plan(row)).resources
    assert str(table.id) == f"{PREFIX}/routeTables/t"
    assert table.get("location") == "westeurope"
    assert table.prop("routes") == body["properties"]["routes"]


def test_unknown_parts_of_azapi_lead_to_their_resources() -> None:
    group = resource("azurerm_resource_group.g", {"name": "rg"}, {"id": True})
    row = resource(
        "azapi_resource.s",
        {
            "type": "Microsoft.Network/virtualNetworks/subnets@2023-11-01",
            "name": "s",
            "body": {"properties": {"addressPrefix": "10.0.0.0/24", "networkSecurityGroup": {}}},
        },
        {"parent_id": True, "body": {"properties": {"networkSecurityGroup": {"id": True}}}},
        {"parent_id": refs("azapi_resource.v.id"), "body": refs("azurerm_network_security_group.n.id")},
    )
    network = resource(
        "azapi_resource.v",
        {"type": "Microsoft.Network/virtualNetworks@2023-11-01", "name": "v", "body": {}},
        {"id": True, "parent_id": True},
        {"parent_id": refs("azurerm_resource_group.g.id")},
    )
    nsg = resource("azurerm_network_security_group.n", {"name": "n"}, {"id": True})
    subnet = one(read(plan(group, row, network, nsg)), "azapi_resource.s")
    assert str(subnet.id).endswith(
        "/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
    )
    assert leads_to(subnet.prop("networkSecurityGroup", "id")) == ["n"]


def test_extensions_hang_below_their_cluster() -> None:
    cluster = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/c"
    row = resource(
        "azurerm_kubernetes_cluster_extension.e",
        {"name": "e", "cluster_id": cluster, "extension_type": "microsoft.flux"},
    )
    (found,) = read(plan(row)).resources
    assert str(found.id) == f"{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/e"
    assert everything(read(plan(row))) == []


@pytest.mark.parametrize(("other", "agree"), [("t", True), ("u", False)])
def test_two_associations_of_one_subnet_may_say_the_same(other: str, agree: bool) -> None:
    rows = [
        resource("azurerm_virtual_network.v", {"name": "v", "address_space": ["10.0.0.0/8"]}, {"id": True}),
        resource("azurerm_subnet.s", {"name": "s", "virtual_network_name": "v"}, {"id": True}),
    ]
    rows += [resource(f"azurerm_route_table.{name}", {"name": name}, {"id": True}) for name in ("t", "u")]
    rows += [
        resource(
            f"azurerm_subnet_route_table_association.{name}",
            {},
            {"subnet_id": True, "route_table_id": True},
            {
                "subnet_id": refs("azurerm_subnet.s.id"),
                "route_table_id": refs(f"azurerm_route_table.{table}.id"),
            },
        )
        for name, table in (("one", "t"), ("two", other))
    ]
    given = one(read(plan(*rows)), "azurerm_subnet.s").prop("routeTable", "id")
    if agree:
        assert leads_to(given) == ["t"]
    else:
        (said,) = [row.why for row in everything(read(plan(*rows))) if "not the only one" in row.why]
        assert "two" in said
