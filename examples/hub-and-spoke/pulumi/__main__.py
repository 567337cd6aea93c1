"""Hub and spoke with AKS: every stack is one variant of the network, chosen by its configuration."""

import pulumi
from cluster import make_cluster
from hub import make_hub, peer_with
from spoke import make_spoke

settings = pulumi.Config()
location = pulumi.Config("azure-native").get("location") or "eastus"

hub = make_hub(location, settings.require_object("firewallRules"))
spoke = make_spoke(
    location,
    hub.firewall_address,
    https_destination=settings.get_object("httpsDestination") or {},
    hardening_rules=settings.get_object("hardeningRules") or {},
)
peer_with(hub, spoke.network)
cluster = make_cluster(location, spoke)

pulumi.export("cluster", cluster.name)
