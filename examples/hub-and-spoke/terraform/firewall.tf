resource "azurerm_firewall_policy" "hub" {
  name                = "afwp-hub"
  resource_group_name = azurerm_resource_group.hub.name
  location            = azurerm_resource_group.hub.location
  sku                 = "Standard"

  dns {
    proxy_enabled = true
  }
}

resource "azurerm_ip_group" "nodes" {
  name                = "ipg-aks-nodes"
  resource_group_name = azurerm_resource_group.hub.name
  location            = azurerm_resource_group.hub.location
  cidrs               = values(var.node_prefixes)
}

resource "azurerm_firewall_policy_rule_collection_group" "aks" {
  name               = "rcg-aks"
  firewall_policy_id = azurerm_firewall_policy.hub.id
  priority           = 200

  network_rule_collection {
    name     = "aks-network"
    priority = 100
    action   = "Allow"

    dynamic "rule" {
      for_each = var.firewall_rules

      content {
        name                  = rule.key
        protocols             = [rule.value.protocol]
        source_addresses      = values(var.node_prefixes)
        destination_addresses = [for tag in rule.value.regional_tags : "${tag}.${var.location}"]
        destination_fqdns     = rule.value.names
        destination_ports     = [rule.value.port]
      }
    }
  }

  application_rule_collection {
    name     = "aks-names"
    priority = 200
    action   = "Allow"

    rule {
      name                  = "aks-core"
      source_ip_groups      = [azurerm_ip_group.nodes.id]
      destination_fqdn_tags = ["AzureKubernetesService"]

      protocols {
        type = "Http"
        port = 80
      }
      protocols {
        type = "Https"
        port = 443
      }
    }

    rule {
      name              = "images"
      source_ip_groups  = [azurerm_ip_group.nodes.id]
      destination_fqdns = ["ghcr.io", "pkg-containers.githubusercontent.com", "mcrprod.azurecr.io"]

      protocols {
        type = "Https"
        port = 443
      }
    }

    rule {
      name              = "telemetry"
      source_ip_groups  = [azurerm_ip_group.nodes.id]
      destination_fqdns = ["dc.services.visualstudio.com"]

      protocols {
        type = "Https"
        port = 443
      }
    }
  }
}
