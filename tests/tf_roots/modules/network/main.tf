variable "name" { type = string }
variable "region" { type = string }
variable "cidr" { type = string }
variable "subnets" { type = map(string) }
variable "dns" {
  type     = list(string)
  default  = ["168.63.129.16"]
  nullable = false
}

resource "azurerm_resource_group" "this" {
  name     = "rg-${var.region}"
  location = var.region
}

resource "azurerm_virtual_network" "this" {
  name                = var.name
  location            = azurerm_resource_group.this.location
  resource_group_name = azurerm_resource_group.this.name
  address_space       = [var.cidr]
  dns_servers         = var.dns
}

resource "azurerm_subnet" "this" {
  for_each = var.subnets

  name                 = "snet-${each.key}"
  resource_group_name  = azurerm_virtual_network.this.resource_group_name
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = [each.value]
}

output "id" { value = azurerm_virtual_network.this.id }
output "location" { value = azurerm_virtual_network.this.location }
output "resource_group" { value = azurerm_resource_group.this.name }
output "subnet_ids" { value = { for name, subnet in azurerm_subnet.this : name => subnet.id } }
