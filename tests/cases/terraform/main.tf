# One network with one node subnet: what is wrong with it is given by the variants.

terraform {
  required_providers {
    azurerm = {
      source = "hashicorp/azurerm"
    }
  }
}

provider "azurerm" {
  features {}
}

variable "outbound_type" {
  type    = string
  default = "userDefinedRouting"
}

variable "routes" {
  type = list(object({
    name    = string
    prefix  = string
    hop     = string
    address = optional(string)
  }))
  default = []
}

variable "rules" {
  type = list(object({
    name        = string
    priority    = number
    direction   = optional(string, "Outbound")
    access      = string
    protocol    = optional(string, "*")
    destination = optional(string, "*")
    ports       = optional(list(string), ["*"])
  }))
  default = []
}

resource "azurerm_resource_group" "net" {
  name     = "net"
  location = "East US"
}

resource "azurerm_virtual_network" "net" {
  name                = "net"
  resource_group_name = azurerm_resource_group.net.name
  location            = azurerm_resource_group.net.location
  address_space       = ["10.0.0.0/16"]
}

resource "azurerm_subnet" "nodes" {
  name                 = "nodes"
  resource_group_name  = azurerm_resource_group.net.name
  virtual_network_name = azurerm_virtual_network.net.name
  address_prefixes     = ["10.0.0.0/24"]
}

resource "azurerm_route_table" "rt" {
  name                          = "rt"
  resource_group_name           = azurerm_resource_group.net.name
  location                      = azurerm_resource_group.net.location
  bgp_route_propagation_enabled = false

  dynamic "route" {
    for_each = var.routes

    content {
      name                   = route.value.name
      address_prefix         = route.value.prefix
      next_hop_type          = route.value.hop
      next_hop_in_ip_address = route.value.address
    }
  }
}

resource "azurerm_network_security_group" "nsg1" {
  name                = "nsg1"
  resource_group_name = azurerm_resource_group.net.name
  location            = azurerm_resource_group.net.location
}

resource "azurerm_network_security_rule" "this" {
  for_each = { for rule in var.rules : rule.name => rule }

  name                        = each.key
  resource_group_name         = azurerm_resource_group.net.name
  network_security_group_name = azurerm_network_security_group.nsg1.name
  priority                    = each.value.priority
  direction                   = each.value.direction
  access                      = each.value.access
  protocol                    = each.value.protocol
  source_port_range           = "*"
  source_address_prefix       = "*"
  destination_address_prefix  = each.value.destination
  destination_port_ranges     = each.value.ports
}

resource "azurerm_subnet_route_table_association" "nodes" {
  count = length(var.routes) > 0 ? 1 : 0

  subnet_id      = azurerm_subnet.nodes.id
  route_table_id = azurerm_route_table.rt.id
}

resource "azurerm_subnet_network_security_group_association" "nodes" {
  subnet_id                 = azurerm_subnet.nodes.id
  network_security_group_id = azurerm_network_security_group.nsg1.id
}

resource "azurerm_kubernetes_cluster" "aks" {
  name                = "aks"
  resource_group_name = azurerm_resource_group.net.name
  location            = azurerm_resource_group.net.location
  dns_prefix          = "aks"

  default_node_pool {
    name           = "pool0"
    vm_size        = "Standard_D4ds_v5"
    node_count     = 3
    vnet_subnet_id = azurerm_subnet.nodes.id
  }

  identity {
    type = "SystemAssigned"
  }

  network_profile {
    network_plugin = "azure"
    outbound_type  = var.outbound_type
  }
}
