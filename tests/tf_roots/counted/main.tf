# Instances by number, in the spelling of versions 0.11 and 0.12.

terraform {
  required_providers {
    azurerm = { source = "hashicorp/azurerm" }
  }
}

provider "azurerm" {
  features {}
}

variable "names" {
  type    = list(string)
  default = ["system", "user", "gpu"]
}

variable "with_table" {
  default = "true"
}

locals {
  prefixes = cidrsubnets("10.0.0.0/16", 8, 8, 6)
}

resource "azurerm_resource_group" "rg" {
  name     = "rg"
  location = "East US"
}

resource "azurerm_virtual_network" "net" {
  name                = "net"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name
  address_space       = ["10.0.0.0/16"]
}

resource "azurerm_subnet" "s" {
  count                = length(var.names)
  name                 = element(var.names, count.index)
  resource_group_name  = azurerm_resource_group.rg.name
  virtual_network_name = azurerm_virtual_network.net.name
  address_prefixes     = ["${local.prefixes[count.index]}"]
}

resource "azurerm_route_table" "t" {
  count               = var.with_table ? 1 : 0
  name                = "t"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name
}

resource "azurerm_route_table" "never" {
  count               = var.with_table ? 0 : 1
  name                = "never"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name
}

resource "azurerm_subnet_route_table_association" "t" {
  count          = length(var.names) - 1
  subnet_id      = azurerm_subnet.s.*.id[count.index]
  route_table_id = element(azurerm_route_table.t.*.id, 0)
}

resource "azurerm_network_security_group" "n" {
  count               = 2
  name                = "n${count.index}"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name
}

resource "azurerm_network_security_rule" "r" {
  count                       = 4
  name                        = "r${count.index}"
  resource_group_name         = azurerm_resource_group.rg.name
  network_security_group_name = azurerm_network_security_group.n.*.name[count.index % 2]
  priority                    = 100 + count.index
  direction                   = count.index > 1 ? "Inbound" : "Outbound"
  access                      = "Allow"
  protocol                    = "*"
  source_port_range           = "*"
  destination_port_range      = 443
  source_address_prefix       = "*"
  destination_address_prefix  = join(".", ["AzureCloud", "EastUS"])
}

resource "azurerm_subnet_network_security_group_association" "n" {
  subnet_id                 = azurerm_subnet.s.2.id
  network_security_group_id = azurerm_network_security_group.n.0.id
}
