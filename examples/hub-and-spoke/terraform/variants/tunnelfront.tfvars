# Only TCP 443 to the control plane is left of the TCP rules: the one for 9000 was taken for a leftover.
firewall_rules = {
  api-server   = { protocol = "TCP", port = "443", regional_tags = ["AzureCloud"] }
  tunnel-udp   = { protocol = "UDP", port = "1194", regional_tags = ["AzureCloud"] }
  time-servers = { protocol = "UDP", port = "123", names = ["ntp.ubuntu.com"] }
}
