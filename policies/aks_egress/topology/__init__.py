"""From the graph to networks: subnets, security groups, route tables, firewalls, clusters."""
