variable "name" {}
variable "number" {}
variable "location" {}
variable "hub_id" {}
variable "hub_name" {}
variable "hub_group" {}
variable "firewall_address" {}

resource "azurerm_resource_group" "spoke" {
  name     = "rg-${var.name}"
  location = var.location
}

resource "azurerm_virtual_network" "spoke" {
  name                = "vnet-${var.name}"
  location            = var.location
  resource_group_name = azurerm_resource_group.spoke.name
  address_space       = ["10.${var.number}.0.0/16"]
}

resource "azurerm_subnet" "spoke" {
  for_each             = { nodes = "10.${var.number}.0.0/22", users = "10.${var.number}.4.0/22" }
  name                 = "snet-${each.key}"
  resource_group_name  = azurerm_resource_group.spoke.name
  virtual_network_name = azurerm_virtual_network.spoke.name
  address_prefixes     = [each.value]
}

resource "azurerm_network_security_group" "nodes" {
  name                = "nsg-${var.name}"
  location            = var.location
  resource_group_name = azurerm_resource_group.spoke.name
}

resource "azurerm_network_security_rule" "rules" {
  for_each                    = { tunnel = 1194, api = 443 }
  name                        = "allow-${each.key}"
  resource_group_name         = azurerm_resource_group.spoke.name
  network_security_group_name = azurerm_network_security_group.nodes.name
  priority                    = each.value
  direction                   = "Outbound"
  access                      = "Allow"
  protocol                    = "*"
  source_port_range           = "*"
  destination_port_range      = each.value
  source_address_prefix       = "*"
  destination_address_prefix  = "AzureCloud"
}

resource "azurerm_route_table" "nodes" {
  name                          = "rt-${var.name}"
  location                      = var.location
  resource_group_name           = azurerm_resource_group.spoke.name
  disable_bgp_route_propagation = true
  route {
    name                   = "all"
    address_prefix         = "0.0.0.0/0"
    next_hop_type          = "VirtualAppliance"
    next_hop_in_ip_address = var.firewall_address
  }
}

resource "azurerm_subnet_network_security_group_association" "nodes" {
  for_each                  = azurerm_subnet.spoke
  subnet_id                 = each.value.id
  network_security_group_id = azurerm_network_security_group.nodes.id
}

resource "azurerm_subnet_route_table_association" "nodes" {
  for_each       = azurerm_subnet.spoke
  subnet_id      = azurerm_subnet.spoke[each.key].id
  route_table_id = azurerm_route_table.nodes.id
}

resource "azurerm_virtual_network_peering" "out" {
  name                      = "to-hub"
  resource_group_name       = azurerm_resource_group.spoke.name
  virtual_network_name      = azurerm_virtual_network.spoke.name
  remote_virtual_network_id = var.hub_id
  allow_forwarded_traffic   = true
}

resource "azurerm_virtual_network_peering" "back" {
  name                      = "to-${var.name}"
  resource_group_name       = var.hub_group
  virtual_network_name      = var.hub_name
  remote_virtual_network_id = azurerm_virtual_network.spoke.id
}

output "subnet_ids" {
  value = { for name, subnet in azurerm_subnet.spoke : name => subnet.id }
}

output "group" {
  value = azurerm_resource_group.spoke.name
}
