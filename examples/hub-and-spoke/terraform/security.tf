resource "azurerm_network_security_group" "nodes" {
  for_each = var.node_prefixes

  name                = "nsg-${each.key}"
  resource_group_name = azurerm_resource_group.spoke.name
  location            = azurerm_resource_group.spoke.location

  security_rule {
    name                         = "allow-cluster-out"
    priority                     = 100
    direction                    = "Outbound"
    access                       = "Allow"
    protocol                     = "*"
    source_port_range            = "*"
    source_address_prefixes      = local.cluster_prefixes
    destination_address_prefixes = local.cluster_prefixes
    destination_port_range       = "*"
  }

  security_rule {
    name                       = "allow-dns-out"
    priority                   = 110
    direction                  = "Outbound"
    access                     = "Allow"
    protocol                   = "*"
    source_port_range          = "*"
    source_address_prefixes    = local.cluster_prefixes
    destination_address_prefix = local.dns_address
    destination_port_range     = "53"
  }

  security_rule {
    name                       = "allow-https-out"
    priority                   = 120
    direction                  = "Outbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_port_range          = "*"
    source_address_prefix      = each.value
    destination_address_prefix = var.https_destination[each.key]
    destination_port_range     = "443"
  }

  security_rule {
    name                       = "allow-http-out"
    priority                   = 130
    direction                  = "Outbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_port_range          = "*"
    source_address_prefixes    = local.cluster_prefixes
    destination_address_prefix = "Internet"
    destination_port_range     = "80"
  }

  security_rule {
    name                       = "allow-tunnel-tcp-out"
    priority                   = 140
    direction                  = "Outbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_port_range          = "*"
    source_address_prefixes    = local.cluster_prefixes
    destination_address_prefix = "AzureCloud.${var.location}"
    destination_port_range     = "9000"
  }

  security_rule {
    name                       = "allow-tunnel-udp-out"
    priority                   = 150
    direction                  = "Outbound"
    access                     = "Allow"
    protocol                   = "Udp"
    source_port_range          = "*"
    source_address_prefixes    = local.cluster_prefixes
    destination_address_prefix = "AzureCloud.${var.location}"
    destination_port_range     = "1194"
  }

  security_rule {
    name                       = "allow-ntp-out"
    priority                   = 160
    direction                  = "Outbound"
    access                     = "Allow"
    protocol                   = "Udp"
    source_port_range          = "*"
    source_address_prefixes    = local.cluster_prefixes
    destination_address_prefix = "Internet"
    destination_port_range     = "123"
  }

  security_rule {
    name                       = "deny-all-out"
    priority                   = 4096
    direction                  = "Outbound"
    access                     = "Deny"
    protocol                   = "*"
    source_port_range          = "*"
    source_address_prefix      = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }

  dynamic "security_rule" {
    for_each = lookup(var.hardening_rules, each.key, [])

    content {
      name                       = security_rule.value.name
      priority                   = security_rule.value.priority
      direction                  = "Inbound"
      access                     = security_rule.value.access
      protocol                   = security_rule.value.protocol
      source_port_range          = "*"
      source_address_prefix      = security_rule.value.source
      destination_address_prefix = security_rule.value.target
      destination_port_range     = security_rule.value.port
    }
  }

  security_rule {
    name                         = "allow-cluster-in"
    priority                     = 200
    direction                    = "Inbound"
    access                       = "Allow"
    protocol                     = "*"
    source_port_range            = "*"
    source_address_prefixes      = local.cluster_prefixes
    destination_address_prefixes = local.cluster_prefixes
    destination_port_range       = "*"
  }

  security_rule {
    name                       = "allow-probes-in"
    priority                   = 210
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "*"
    source_port_range          = "*"
    source_address_prefix      = "AzureLoadBalancer"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }

  security_rule {
    name                       = "deny-all-in"
    priority                   = 4096
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "*"
    source_port_range          = "*"
    source_address_prefix      = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }
}
