"""Who has which addresses."""

NODE_PREFIXES = {"system": "10.1.0.0/22", "user": "10.1.4.0/22"}
POD_CIDR = "10.244.0.0/16"
CLUSTER_PREFIXES = [*NODE_PREFIXES.values(), POD_CIDR]
# the firewall takes the first usable address of its subnet, 10.0.0.0/26
DNS_ADDRESS = "10.0.0.4"
