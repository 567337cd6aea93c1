resource "azurerm_subnet_route_table_association" "s" {
  for_each = toset(["nodes", "pods"])
}

resource "azurerm_virtual_network" "net" {
  dns_servers = ["10.0.0.4"]
}
