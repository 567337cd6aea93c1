# The rule for UDP 1194 is missing.
firewall_rules = {
  api-server   = { protocol = "TCP", port = "443", regional_tags = ["AzureCloud"] }
  tunnel-tcp   = { protocol = "TCP", port = "9000", regional_tags = ["AzureCloud"] }
  time-servers = { protocol = "UDP", port = "123", names = ["ntp.ubuntu.com"] }
}
