resource "azurerm_subnet_route_table_association" "s" {
  for_each = toset(["nodes"])

  subnet_id      = azurerm_subnet.s[each.value].id
  route_table_id = azurerm_route_table.t.id
}
