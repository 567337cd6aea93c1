variable "resource_group" {
  type = object({ name = string, location = string })
}

locals {
  allowed = yamldecode(file("${path.module}/allowed.yaml"))
}

resource "azurerm_firewall_policy" "this" {
  name                = "policy"
  location            = var.resource_group.location
  resource_group_name = var.resource_group.name
}

resource "azurerm_firewall_policy_rule_collection_group" "this" {
  name               = "aks"
  firewall_policy_id = azurerm_firewall_policy.this.id
  priority           = 200

  dynamic "network_rule_collection" {
    for_each = { for i, name in sort(keys(local.allowed)) : name => { rules = local.allowed[name], at = i } }
    iterator = collection
    content {
      name     = collection.key
      priority = 100 + collection.value.at
      action   = "Allow"
      dynamic "rule" {
        for_each = collection.value.rules
        content {
          name                  = rule.value.name
          protocols             = [upper(rule.value.protocol)]
          source_addresses      = ["10.0.0.0/8"]
          destination_addresses = rule.value.to
          destination_ports     = [for port in rule.value.ports : tostring(port)]
        }
      }
    }
  }
}

output "policy_id" { value = azurerm_firewall_policy.this.id }
