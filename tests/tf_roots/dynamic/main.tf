# Blocks from expressions beside written ones, and templates.

terraform {
  required_providers {
    azurerm = { source = "hashicorp/azurerm" }
  }
}

provider "azurerm" {
  features {}
}

variable "tunnel" {
  type    = string
  default = null
}

variable "ports" {
  type    = map(set(number))
  default = { tcp = [443, 9000], udp = [1194] }
}

locals {
  table  = <<-EOT
    name,prefix,hop
    %{for i in range(3)~}
    to-${i},10.${i}.0.0/16,${i == 1 ? "None" : "VnetLocal"}
    %{endfor~}
  EOT
  routes = csvdecode(local.table)
  rules  = flatten([for protocol, ports in var.ports : [for port in ports : { protocol = protocol, port = port }]])
  tags   = try(jsondecode(file("${path.module}/none.json")), {})
}

resource "azurerm_resource_group" "rg" {
  name     = "rg"
  location = "eastus"
}

resource "azurerm_route_table" "t" {
  name                          = "t"
  location                      = azurerm_resource_group.rg.location
  resource_group_name           = azurerm_resource_group.rg.name
  bgp_route_propagation_enabled = length(local.routes) < 3
  tags                          = local.tags

  route {
    name           = "static"
    address_prefix = "192.168.0.0/16"
    next_hop_type  = "VnetLocal"
  }

  dynamic "route" {
    for_each = { for route in local.routes : route.name => route }
    content {
      name           = route.key
      address_prefix = route.value.prefix
      next_hop_type  = route.value["hop"]
    }
  }
}

resource "azurerm_network_security_group" "g" {
  name                = "g"
  location            = azurerm_resource_group.rg.location
  resource_group_name = azurerm_resource_group.rg.name

  security_rule {
    name                       = "deny"
    priority                   = 4096
    direction                  = "Outbound"
    access                     = "Deny"
    protocol                   = "*"
    source_port_range          = "*"
    destination_port_range     = "*"
    source_address_prefix      = "*"
    destination_address_prefix = "*"
  }

  dynamic "security_rule" {
    for_each = local.rules
    iterator = rule
    content {
      name                       = "allow-${rule.value.protocol}-${rule.value.port}"
      priority                   = 100 + rule.key
      direction                  = "Outbound"
      access                     = "Allow"
      protocol                   = title(rule.value.protocol)
      source_port_range          = "*"
      destination_port_range     = rule.value.port
      source_address_prefix      = "*"
      destination_address_prefix = coalesce(var.tunnel, "AzureCloud")
    }
  }
}
