variable "region" { type = string }
variable "peers" { type = map(string) }

resource "azurerm_resource_group" "hub" {
  name     = "rg-hub"
  location = var.region
}

resource "azurerm_virtual_network" "hub" {
  name                = "vnet-hub"
  location            = var.region
  resource_group_name = azurerm_resource_group.hub.name
  address_space       = ["10.0.0.0/16"]
}

resource "azurerm_subnet" "firewall" {
  name                 = "AzureFirewallSubnet"
  resource_group_name  = azurerm_resource_group.hub.name
  virtual_network_name = azurerm_virtual_network.hub.name
  address_prefixes     = [cidrsubnet(tolist(azurerm_virtual_network.hub.address_space)[0], 10, 0)]
}

resource "azurerm_virtual_network_peering" "out" {
  for_each = var.peers

  name                      = "peer-${each.key}"
  resource_group_name       = azurerm_resource_group.hub.name
  virtual_network_name      = azurerm_virtual_network.hub.name
  remote_virtual_network_id = each.value
  allow_forwarded_traffic   = true
}

resource "azurerm_public_ip" "firewall" {
  name                = "pip"
  location            = var.region
  resource_group_name = azurerm_resource_group.hub.name
  allocation_method   = "Static"
  sku                 = "Standard"
}

resource "azurerm_firewall" "hub" {
  name                = "fw"
  location            = var.region
  resource_group_name = azurerm_resource_group.hub.name
  sku_name            = "AZFW_VNet"
  sku_tier            = "Standard"
  firewall_policy_id  = module.rules.policy_id

  ip_configuration {
    name                 = "default"
    subnet_id            = azurerm_subnet.firewall.id
    public_ip_address_id = azurerm_public_ip.firewall.id
  }
}

module "rules" {
  source         = "./rules"
  resource_group = azurerm_resource_group.hub
}

output "firewall_address" { value = azurerm_firewall.hub.ip_configuration[0].private_ip_address }
