"""The hub: Azure Firewall with the rules that AKS needs. It answers the spoke's DNS queries too."""

from dataclasses import dataclass

import pulumi
from plan import NODE_PREFIXES
from pulumi_azure_native import network, resources


@dataclass
class Hub:
    """What the spoke needs of the hub."""

    group: resources.ResourceGroup
    network: network.VirtualNetwork
    firewall_address: pulumi.Output[str]


def make_hub(location: str, firewall_rules: list) -> Hub:
    """The hub's network with its firewall."""
    group = resources.ResourceGroup("rg-hub", resource_group_name="rg-hub", location=location)
    placed = {"resource_group_name": group.name, "location": location}
    hub = network.VirtualNetwork(
        "vnet-hub",
        virtual_network_name="vnet-hub",
        address_space={"address_prefixes": ["10.0.0.0/16"]},
        **placed,
    )
    subnet = network.Subnet(
        "firewall-subnet",
        resource_group_name=group.name,
        virtual_network_name=hub.name,
        subnet_name="AzureFirewallSubnet",
        address_prefix="10.0.0.0/26",
    )
    address = network.PublicIPAddress(
        "pip-fw-hub",
        public_ip_address_name="pip-fw-hub",
        sku={"name": network.PublicIPAddressSkuName.STANDARD},
        public_ip_allocation_method=network.IPAllocationMethod.STATIC,
        **placed,
    )
    policy, rules = make_policy(placed, location, firewall_rules)
    firewall = network.AzureFirewall(
        "fw-hub",
        azure_firewall_name="fw-hub",
        sku={"name": "AZFW_VNet", "tier": "Standard"},
        firewall_policy={"id": policy.id},
        ip_configurations=[
            {"name": "default", "subnet": {"id": subnet.id}, "public_ip_address": {"id": address.id}}
        ],
        opts=pulumi.ResourceOptions(depends_on=[rules]),
        **placed,
    )
    return Hub(group, hub, firewall.ip_configurations.apply(lambda rows: rows[0].private_ip_address))


def make_policy(placed: dict, location: str, firewall_rules: list) -> tuple:
    """The firewall's policy: the tunnels and the API server by address, the rest by name."""
    policy = network.FirewallPolicy(
        "afwp-hub",
        firewall_policy_name="afwp-hub",
        sku={"tier": "Standard"},
        dns_settings={"enable_proxy": True},
        **placed,
    )
    nodes = network.IpGroup(
        "ipg-aks-nodes",
        ip_groups_name="ipg-aks-nodes",
        ip_addresses=list(NODE_PREFIXES.values()),
        **placed,
    )
    by_address = collection("aks-network", 100, [network_rule(rule, location) for rule in firewall_rules])
    by_name = collection(
        "aks-names",
        200,
        [
            application_rule("aks-core", nodes, http=True, fqdn_tags=["AzureKubernetesService"]),
            application_rule(
                "images",
                nodes,
                target_fqdns=["ghcr.io", "pkg-containers.githubusercontent.com", "mcrprod.azurecr.io"],
            ),
            application_rule("telemetry", nodes, target_fqdns=["dc.services.visualstudio.com"]),
        ],
    )
    group = network.FirewallPolicyRuleCollectionGroup(
        "rcg-aks",
        resource_group_name=placed["resource_group_name"],
        firewall_policy_name=policy.name,
        rule_collection_group_name="rcg-aks",
        priority=200,
        rule_collections=[by_address, by_name],
    )
    return policy, group


def collection(name: str, priority: int, rules: list) -> network.FirewallPolicyFilterRuleCollectionArgs:
    """Rules that allow."""
    return network.FirewallPolicyFilterRuleCollectionArgs(
        rule_collection_type="FirewallPolicyFilterRuleCollection",
        name=name,
        priority=priority,
        action={"type": network.FirewallPolicyFilterRuleCollectionActionType.ALLOW},
        rules=rules,
    )


def network_rule(rule: dict, location: str) -> network.NetworkRuleArgs:
    """One rule by address, for the service tags of the region or for host names."""
    return network.NetworkRuleArgs(
        rule_type="NetworkRule",
        name=rule["name"],
        ip_protocols=[rule["protocol"]],
        source_addresses=list(NODE_PREFIXES.values()),
        destination_addresses=[f"{tag}.{location}" for tag in rule.get("regionalTags", [])],
        destination_fqdns=rule.get("hostNames", []),
        destination_ports=[str(rule["port"])],
    )


def application_rule(
    name: str, nodes: network.IpGroup, http: bool = False, **names: list
) -> network.ApplicationRuleArgs:
    """One rule by name."""
    protocols = [network.FirewallPolicyRuleApplicationProtocolArgs(protocol_type="Https", port=443)]
    if http:
        protocols.insert(0, network.FirewallPolicyRuleApplicationProtocolArgs(protocol_type="Http", port=80))
    return network.ApplicationRuleArgs(
        rule_type="ApplicationRule", name=name, source_ip_groups=[nodes.id], protocols=protocols, **names
    )


def peer_with(hub: Hub, spoke: network.VirtualNetwork) -> None:
    """The hub's side of the peering."""
    network.VirtualNetworkPeering(
        "peer-hub-to-spoke",
        resource_group_name=hub.group.name,
        virtual_network_name=hub.network.name,
        virtual_network_peering_name="peer-hub-to-spoke",
        remote_virtual_network={"id": spoke.id},
        allow_virtual_network_access=True,
        allow_forwarded_traffic=True,
    )
    network.VirtualNetworkPeering(
        "peer-spoke-to-hub",
        resource_group_name="rg-spoke",
        virtual_network_name=spoke.name,
        virtual_network_peering_name="peer-spoke-to-hub",
        remote_virtual_network={"id": hub.network.id},
        allow_virtual_network_access=True,
        allow_forwarded_traffic=True,
    )
