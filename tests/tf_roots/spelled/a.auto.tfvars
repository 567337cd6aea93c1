subnets = {
  nodes = "10.0.0.0/24"
  pods  = "10.0.1.0/24"
}
