"""Terraform source through the command line: what a firewall answers, and who may be meant by an address."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.terminal import scan, verdicts

HUB_AND_SPOKE = """
variable "either" {}
variable "servers" { default = [] }

resource "azurerm_resource_group" "rg" {
  name     = "rg"
  location = "eastus"
}

resource "azurerm_virtual_network" "hub" {
  name                = "hub"
  location            = "eastus"
  resource_group_name = azurerm_resource_group.rg.name
  address_space       = ["10.9.0.0/16"]
}

resource "azurerm_subnet" "firewall" {
  name                 = "AzureFirewallSubnet"
  resource_group_name  = azurerm_resource_group.rg.name
  virtual_network_name = azurerm_virtual_network.hub.name
  address_prefixes     = ["10.9.0.0/26"]
}

resource "azurerm_virtual_network" "spoke" {
  name                = "spoke"
  location            = "eastus"
  resource_group_name = azurerm_resource_group.rg.name
  address_space       = ["10.0.0.0/16"]
}

resource "azurerm_subnet" "nodes" {
  name                 = "nodes"
  resource_group_name  = azurerm_resource_group.rg.name
  virtual_network_name = azurerm_virtual_network.spoke.name
  address_prefixes     = ["10.0.0.0/24"]
}

resource "azurerm_virtual_network_peering" "out" {
  name                      = "out"
  resource_group_name       = azurerm_resource_group.rg.name
  virtual_network_name      = azurerm_virtual_network.spoke.name
  remote_virtual_network_id = azurerm_virtual_network.hub.id
  allow_forwarded_traffic   = true
}

resource "azurerm_virtual_network_peering" "back" {
  name                      = "back"
  resource_group_name       = azurerm_resource_group.rg.name
  virtual_network_name      = azurerm_virtual_network.hub.name
  remote_virtual_network_id = azurerm_virtual_network.spoke.id
  allow_forwarded_traffic   = true
}

resource "azurerm_public_ip" "firewall" {
  name                = "firewall"
  location            = "eastus"
  resource_group_name = azurerm_resource_group.rg.name
  allocation_method   = "Static"
}

resource "azurerm_firewall_policy" "policy" {
  name                = "policy"
  location            = "eastus"
  resource_group_name = azurerm_resource_group.rg.name
  dns {
    proxy_enabled = PROXY
  }
}

resource "azurerm_firewall_policy_rule_collection_group" "all" {
  name               = "all"
  firewall_policy_id = azurerm_firewall_policy.policy.id
  priority           = 200
  network_rule_collection {
    name     = "all"
    priority = 100
    action   = "Allow"
    rule {
      name                  = "all"
      protocols             = ["Any"]
      source_addresses      = ["*"]
      destination_addresses = ["*"]
      destination_ports     = ["*"]
    }
  }
}

resource "azurerm_firewall" "firewall" {
  COUNT
  name                = "firewall"
  location            = "eastus"
  resource_group_name = azurerm_resource_group.rg.name
  sku_name            = "AZFW_VNet"
  sku_tier            = "Standard"
  firewall_policy_id  = azurerm_firewall_policy.policy.id
  ip_configuration {
    name                 = "first"
    subnet_id            = azurerm_subnet.firewall.id
    public_ip_address_id = azurerm_public_ip.firewall.id
  }
}

resource "azurerm_route_table" "routes" {
  name                = "routes"
  location            = "eastus"
  resource_group_name = azurerm_resource_group.rg.name
  route {
    name                   = "default"
    address_prefix         = "0.0.0.0/0"
    next_hop_type          = "VirtualAppliance"
    next_hop_in_ip_address = HOP
  }
}

resource "azurerm_subnet_route_table_association" "nodes" {
  subnet_id      = azurerm_subnet.nodes.id
  route_table_id = azurerm_route_table.routes.id
}

resource "azurerm_virtual_network_dns_servers" "spoke" {
  virtual_network_id = azurerm_virtual_network.spoke.id
  dns_servers        = SERVERS
}

resource "azurerm_kubernetes_cluster" "aks" {
  name                = "aks"
  location            = "eastus"
  resource_group_name = azurerm_resource_group.rg.name
  dns_prefix          = "aks"
  default_node_pool {
    name           = "system"
    vm_size        = "Standard_D4s_v5"
    vnet_subnet_id = azurerm_subnet.nodes.id
  }
  network_profile {
    network_plugin = "azure"
    outbound_type  = "userDefinedRouting"
  }
}
"""

PRIVATE = "azurerm_firewall.firewall.ip_configuration[0].private_ip_address"


def judged(
    folder: Path, servers: str, proxy: str = "true", count: str = "", hop: str = PRIVATE
) -> tuple[int, set[str]]:
    """Exit status and verdicts of the hub and its spoke, with these parts filled in."""
    text = HUB_AND_SPOKE
    for place, value in (("SERVERS", servers), ("PROXY", proxy), ("COUNT", count), ("HOP", hop)):
        text = text.replace(place, value)
    status, report = scan(folder, {"main.tf": text})
    return status, verdicts(report)


@pytest.mark.parametrize(
    ("servers", "proxy", "status", "verdict"),
    [
        ("[]", "false", 0, "open"),
        (f"[{PRIVATE}]", "true", 0, "open"),
        (f"[{PRIVATE}]", "false", 1, "blocked"),
        (f"[{PRIVATE}]", "var.either", 4, "unknown"),
        ('["10.9.0.4"]', "false", 1, "blocked"),
    ],
)
def test_f22_the_firewall_as_dns_server_of_the_spoke(
    tmp_path: Path, servers: str, proxy: str, status: int, verdict: str
) -> None:
    assert judged(tmp_path, servers, proxy) == (status, {verdict})


def test_a_firewall_that_may_not_be_there_owns_no_address_for_certain(tmp_path: Path) -> None:
    assert judged(tmp_path, "[]", hop='"10.9.0.4"') == (0, {"open"})
    perhaps = "count = var.either ? 1 : 0"
    assert judged(tmp_path, "[]", count=perhaps, hop='"10.9.0.4"') == (4, {"unknown"})


TEMPLATE = """
resource "azurerm_resource_group_template_deployment" "more" {
  name                = "more"
  resource_group_name = azurerm_resource_group.rg.name
  deployment_mode     = "Incremental"
  template_content    = CONTENT
}
"""


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ("var.either", 4),
        (
            'jsonencode({ resources = [{ type = "Microsoft.Network/routeTables/routes", name = "routes/x" }] })',
            4,
        ),
        ('jsonencode({ resources = [{ type = "Microsoft.Resources/deployments", name = "x" }] })', 4),
        ('jsonencode({ resources = [{ type = "Microsoft.Web/connections", name = "x" }] })', 0),
    ],
)
def test_a_template_that_is_deployed_beside_may_hold_more(tmp_path: Path, content: str, status: int) -> None:
    text = HUB_AND_SPOKE + TEMPLATE.replace("CONTENT", content)
    for place, value in (("SERVERS", "[]"), ("PROXY", "true"), ("COUNT", ""), ("HOP", PRIVATE)):
        text = text.replace(place, value)
    found, report = scan(tmp_path, {"main.tf": text})
    assert (found, verdicts(report)) == (status, {"unknown" if status else "open"})
