# Everything that the three kinds of tunnel need.
firewall_rules = {
  api-server   = { protocol = "TCP", port = "443", regional_tags = ["AzureCloud"] }
  tunnel-tcp   = { protocol = "TCP", port = "9000", regional_tags = ["AzureCloud"] }
  tunnel-udp   = { protocol = "UDP", port = "1194", regional_tags = ["AzureCloud"] }
  time-servers = { protocol = "UDP", port = "123", names = ["ntp.ubuntu.com"] }
}
