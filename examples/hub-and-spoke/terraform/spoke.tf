locals {
  cluster_prefixes = concat(values(var.node_prefixes), [var.pod_cidr])
  # the firewall takes the first usable address of its subnet
  dns_address = cidrhost(azurerm_subnet.firewall.address_prefixes[0], 4)
}

resource "azurerm_resource_group" "spoke" {
  name     = "rg-spoke"
  location = var.location
}

resource "azurerm_virtual_network" "spoke" {
  name                = "vnet-spoke"
  resource_group_name = azurerm_resource_group.spoke.name
  location            = azurerm_resource_group.spoke.location
  address_space       = ["10.1.0.0/16"]
  dns_servers         = [local.dns_address]
}

resource "azurerm_virtual_network_peering" "spoke_to_hub" {
  name                      = "peer-spoke-to-hub"
  resource_group_name       = azurerm_resource_group.spoke.name
  virtual_network_name      = azurerm_virtual_network.spoke.name
  remote_virtual_network_id = azurerm_virtual_network.hub.id
  allow_forwarded_traffic   = true
}

resource "azurerm_subnet" "nodes" {
  for_each = var.node_prefixes

  name                 = "snet-${each.key}"
  resource_group_name  = azurerm_resource_group.spoke.name
  virtual_network_name = azurerm_virtual_network.spoke.name
  address_prefixes     = [each.value]
}

resource "azurerm_route_table" "spoke" {
  name                          = "rt-spoke"
  resource_group_name           = azurerm_resource_group.spoke.name
  location                      = azurerm_resource_group.spoke.location
  bgp_route_propagation_enabled = false

  route {
    name                   = "default-to-firewall"
    address_prefix         = "0.0.0.0/0"
    next_hop_type          = "VirtualAppliance"
    next_hop_in_ip_address = azurerm_firewall.hub.ip_configuration[0].private_ip_address
  }
}

resource "azurerm_subnet_route_table_association" "nodes" {
  for_each = azurerm_subnet.nodes

  subnet_id      = each.value.id
  route_table_id = azurerm_route_table.spoke.id
}

resource "azurerm_subnet_network_security_group_association" "nodes" {
  for_each = azurerm_subnet.nodes

  subnet_id                 = each.value.id
  network_security_group_id = azurerm_network_security_group.nodes[each.key].id
}
