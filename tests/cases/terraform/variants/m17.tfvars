outbound_type = "loadBalancer"

rules = [
  { name = "deny-kubelet", priority = 100, direction = "Inbound", access = "Deny", protocol = "Tcp", ports = ["10250"] },
]
