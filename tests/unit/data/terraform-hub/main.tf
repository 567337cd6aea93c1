provider "azurerm" {
  features {}
  subscription_id = var.subscription
}

variable "subscription" { default = "00000000-0000-0000-0000-000000000001" }
variable "location" { default = "westeurope" }

resource "azurerm_resource_group" "hub" {
  name     = "rg-hub"
  location = var.location
}

resource "azurerm_virtual_network" "hub" {
  name                = "vnet-hub"
  location            = var.location
  resource_group_name = azurerm_resource_group.hub.name
  address_space       = ["10.0.0.0/16"]
}

resource "azurerm_subnet" "hub" {
  for_each             = { AzureFirewallSubnet = "10.0.0.0/26", GatewaySubnet = "10.0.1.0/27" }
  name                 = each.key
  resource_group_name  = azurerm_resource_group.hub.name
  virtual_network_name = azurerm_virtual_network.hub.name
  address_prefixes     = [each.value]
}

resource "azurerm_public_ip" "firewall" {
  name                = "pip-fw"
  location            = var.location
  resource_group_name = azurerm_resource_group.hub.name
  allocation_method   = "Static"
  sku                 = "Standard"
}

resource "azurerm_firewall_policy" "base" {
  name                = "fp-base"
  location            = var.location
  resource_group_name = azurerm_resource_group.hub.name
}

resource "azurerm_firewall_policy" "hub" {
  name                = "fp-hub"
  location            = var.location
  resource_group_name = azurerm_resource_group.hub.name
  base_policy_id      = azurerm_firewall_policy.base.id
  dns {
    proxy_enabled = true
  }
}

resource "azurerm_ip_group" "spokes" {
  name                = "ipg-spokes"
  location            = var.location
  resource_group_name = azurerm_resource_group.hub.name
  cidrs               = ["10.1.0.0/16"]
}

resource "azurerm_firewall_policy_rule_collection_group" "aks" {
  name               = "aks"
  firewall_policy_id = azurerm_firewall_policy.hub.id
  priority           = 200
  network_rule_collection {
    name     = "tunnel"
    priority = 100
    action   = "Allow"
    rule {
      name                  = "udp"
      protocols             = ["UDP"]
      source_ip_groups      = [azurerm_ip_group.spokes.id]
      destination_addresses = ["AzureCloud.westeurope"]
      destination_ports     = ["1194"]
    }
  }
  application_rule_collection {
    name     = "names"
    priority = 300
    action   = "Allow"
    rule {
      name                  = "aks"
      source_addresses      = ["10.1.0.0/16"]
      destination_fqdn_tags = ["AzureKubernetesService"]
      protocols {
        type = "Https"
        port = 443
      }
    }
  }
}

resource "azurerm_firewall" "hub" {
  name                = "fw-hub"
  location            = var.location
  resource_group_name = azurerm_resource_group.hub.name
  sku_name            = "AZFW_VNet"
  sku_tier            = "Standard"
  firewall_policy_id  = azurerm_firewall_policy.hub.id
  ip_configuration {
    name                 = "main"
    subnet_id            = azurerm_subnet.hub["AzureFirewallSubnet"].id
    public_ip_address_id = azurerm_public_ip.firewall.id
  }
}

module "spoke" {
  source           = "./modules/spoke"
  for_each         = { blue = 1, green = 2 }
  name             = each.key
  number           = each.value
  location         = var.location
  hub_id           = azurerm_virtual_network.hub.id
  hub_name         = azurerm_virtual_network.hub.name
  hub_group        = azurerm_resource_group.hub.name
  firewall_address = azurerm_firewall.hub.ip_configuration[0].private_ip_address
}

resource "azurerm_kubernetes_cluster" "aks" {
  for_each            = module.spoke
  name                = "aks-${each.key}"
  location            = var.location
  resource_group_name = each.value.group
  dns_prefix          = "aks"
  default_node_pool {
    name           = "system"
    vm_size        = "Standard_D4s_v5"
    node_count     = 3
    vnet_subnet_id = each.value.subnet_ids["nodes"]
  }
  identity {
    type = "SystemAssigned"
  }
  network_profile {
    network_plugin = "azure"
    outbound_type  = "userDefinedRouting"
  }
}

resource "azurerm_kubernetes_cluster_node_pool" "user" {
  name                  = "user"
  kubernetes_cluster_id = azurerm_kubernetes_cluster.aks["blue"].id
  vm_size               = "Standard_D4s_v5"
  node_count            = 2
  vnet_subnet_id        = module.spoke["blue"].subnet_ids["users"]
}
