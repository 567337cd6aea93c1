# Networks from modules with count and for_each, joined by outputs.

terraform {
  required_providers {
    azurerm = { source = "hashicorp/azurerm" }
  }
}

provider "azurerm" {
  features {}
}

variable "regions" {
  type = map(object({
    cidr    = string
    subnets = map(object({ bits = optional(number, 8), number = number, routed = optional(bool, true) }))
    dns     = optional(list(string))
  }))
  default = {
    eastus = {
      cidr    = "10.1.0.0/16"
      subnets = { nodes = { number = 0 }, pods = { bits = 4, number = "1" }, plain = { number = 9, routed = false } }
    }
    westeurope = {
      cidr    = "10.2.0.0/16"
      dns     = ["10.2.255.4"]
      subnets = { nodes = { number = 0 } }
    }
  }
}

locals {
  # every subnet that is routed, keyed by region and name
  routed = merge([
    for region, spec in var.regions : {
      for name, subnet in spec.subnets : "${region}/${name}" => { region = region, name = name }
      if subnet.routed
    }
  ]...)
  pairs = [for pair in setproduct(keys(var.regions), ["tcp", "udp"]) : { region = pair[0], protocol = pair[1] }]
}

module "network" {
  source   = "./network"
  for_each = var.regions

  name    = "vnet-${each.key}"
  region  = each.key
  cidr    = each.value.cidr
  subnets = { for name, one in each.value.subnets : name => cidrsubnet(each.value.cidr, one.bits, one.number) }
  dns     = each.value.dns
}

module "hub" {
  source = "./hub"
  count  = 1

  region = "eastus"
  peers  = { for region, network in module.network : region => network.id }
}

resource "azurerm_route_table" "out" {
  for_each = module.network

  name                = "rt-${each.key}"
  location            = each.value.location
  resource_group_name = each.value.resource_group

  route {
    name                   = "default"
    address_prefix         = "0.0.0.0/0"
    next_hop_type          = "VirtualAppliance"
    next_hop_in_ip_address = one(module.hub[*].firewall_address)
  }
}

resource "azurerm_subnet_route_table_association" "out" {
  for_each = local.routed

  subnet_id      = module.network[each.value.region].subnet_ids[each.value.name]
  route_table_id = azurerm_route_table.out[each.value.region].id
}

resource "azurerm_network_security_group" "nodes" {
  for_each = { for region in distinct(local.pairs[*].region) : region => [for p in local.pairs : p if p.region == region] }

  name                = "nsg-${each.key}"
  location            = each.key
  resource_group_name = module.network[each.key].resource_group

  security_rule = [
    for i, rule in each.value : {
      name                                       = format("allow-%s-%02d", rule.protocol, i)
      description                                = null
      priority                                   = 100 + i * 10
      direction                                  = "Outbound"
      access                                     = "Allow"
      protocol                                   = title(rule.protocol)
      source_port_range                          = "*"
      source_port_ranges                         = null
      destination_port_range                     = null
      destination_port_ranges                    = ["443", "1194"]
      source_address_prefix                      = var.regions[each.key].cidr
      source_address_prefixes                    = null
      source_application_security_group_ids      = null
      destination_address_prefix                 = "AzureCloud"
      destination_address_prefixes               = null
      destination_application_security_group_ids = null
    }
  ]
}

resource "azurerm_subnet_network_security_group_association" "nodes" {
  for_each = azurerm_network_security_group.nodes

  subnet_id                 = module.network[each.key].subnet_ids["nodes"]
  network_security_group_id = each.value.id
}
