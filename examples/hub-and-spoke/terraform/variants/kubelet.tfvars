# A hardening rule keeps other subnets from the kubelets of the user pool: that cuts the tunnel's second
# leg, from its agents on the system nodes to TCP 10250 of every node.
hardening_rules = {
  user = [
    {
      name     = "deny-kubelet-from-elsewhere"
      priority = 110
      access   = "Deny"
      protocol = "Tcp"
      port     = "10250"
      source   = "10.1.0.0/22"
      target   = "10.1.4.0/22"
    },
  ]
}

firewall_rules = {
  api-server   = { protocol = "TCP", port = "443", regional_tags = ["AzureCloud"] }
  tunnel-tcp   = { protocol = "TCP", port = "9000", regional_tags = ["AzureCloud"] }
  tunnel-udp   = { protocol = "UDP", port = "1194", regional_tags = ["AzureCloud"] }
  time-servers = { protocol = "UDP", port = "123", names = ["ntp.ubuntu.com"] }
}
