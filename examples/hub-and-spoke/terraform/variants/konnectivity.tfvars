# "All HTTPS leaves through the firewall, so the system nodes need to reach only the firewall": but a
# network security group sees the address that a node dials, never the route's next hop.
https_destination = {
  system = "10.0.0.4"
  user   = "Internet"
}

firewall_rules = {
  api-server   = { protocol = "TCP", port = "443", regional_tags = ["AzureCloud"] }
  tunnel-tcp   = { protocol = "TCP", port = "9000", regional_tags = ["AzureCloud"] }
  tunnel-udp   = { protocol = "UDP", port = "1194", regional_tags = ["AzureCloud"] }
  time-servers = { protocol = "UDP", port = "123", names = ["ntp.ubuntu.com"] }
}
