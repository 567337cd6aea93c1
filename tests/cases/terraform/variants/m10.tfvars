outbound_type = "loadBalancer"

rules = [
  { name = "allow-web", priority = 100, access = "Allow", protocol = "Tcp", destination = "Internet", ports = ["80", "443"] },
  { name = "deny-internet", priority = 4000, access = "Deny", destination = "Internet" },
]
