"""The spoke: a subnet for each node pool, a security group on each, one route to the hub's firewall."""

from dataclasses import dataclass

import pulumi
from plan import CLUSTER_PREFIXES, DNS_ADDRESS, NODE_PREFIXES
from pulumi_azure_native import network, resources


@dataclass
class Spoke:
    """What the cluster needs of the spoke."""

    group: resources.ResourceGroup
    network: network.VirtualNetwork
    subnets: dict[str, network.Subnet]


def make_spoke(
    location: str, firewall_address: pulumi.Output[str], https_destination: dict, hardening_rules: dict
) -> Spoke:
    """The spoke's network; the last two arguments say what is special about the nodes of a pool."""
    group = resources.ResourceGroup("rg-spoke", resource_group_name="rg-spoke", location=location)
    placed = {"resource_group_name": group.name, "location": location}
    spoke = network.VirtualNetwork(
        "vnet-spoke",
        virtual_network_name="vnet-spoke",
        address_space={"address_prefixes": ["10.1.0.0/16"]},
        dhcp_options={"dns_servers": [DNS_ADDRESS]},
        **placed,
    )
    table = network.RouteTable(
        "rt-spoke",
        route_table_name="rt-spoke",
        disable_bgp_route_propagation=True,
        routes=[
            {
                "name": "default-to-firewall",
                "address_prefix": "0.0.0.0/0",
                "next_hop_type": network.RouteNextHopType.VIRTUAL_APPLIANCE,
                "next_hop_ip_address": firewall_address,
            }
        ],
        **placed,
    )
    subnets: dict[str, network.Subnet] = {}
    for pool, prefix in NODE_PREFIXES.items():
        rules = [
            *hardening_rules.get(pool, []),
            *security_rules(location, prefix, https_destination.get(pool, "Internet")),
        ]
        security_group = network.NetworkSecurityGroup(
            f"nsg-{pool}", network_security_group_name=f"nsg-{pool}", security_rules=rules, **placed
        )
        subnets[pool] = network.Subnet(
            f"snet-{pool}",
            resource_group_name=group.name,
            virtual_network_name=spoke.name,
            subnet_name=f"snet-{pool}",
            address_prefix=prefix,
            network_security_group={"id": security_group.id},
            route_table={"id": table.id},
            # Azure changes the subnets of a network one at a time
            opts=pulumi.ResourceOptions(depends_on=list(subnets.values())),
        )
    return Spoke(group, spoke, subnets)


def security_rules(location: str, prefix: str, https_destination: str) -> list[dict]:
    """The rules of one pool's security group: what is not named is denied."""
    cloud = f"AzureCloud.{location}"
    cluster = {"source_address_prefixes": CLUSTER_PREFIXES}
    within = {**cluster, "destination_address_prefixes": CLUSTER_PREFIXES}
    return [
        rule("allow-cluster-out", 100, **within),
        rule("allow-dns-out", 110, port="53", destination_address_prefix=DNS_ADDRESS, **cluster),
        rule(
            "allow-https-out",
            120,
            protocol="Tcp",
            port="443",
            source_address_prefix=prefix,
            destination_address_prefix=https_destination,
        ),
        rule(
            "allow-http-out", 130, protocol="Tcp", port="80", destination_address_prefix="Internet", **cluster
        ),
        rule(
            "allow-tunnel-tcp-out",
            140,
            protocol="Tcp",
            port="9000",
            destination_address_prefix=cloud,
            **cluster,
        ),
        rule(
            "allow-tunnel-udp-out",
            150,
            protocol="Udp",
            port="1194",
            destination_address_prefix=cloud,
            **cluster,
        ),
        rule(
            "allow-ntp-out", 160, protocol="Udp", port="123", destination_address_prefix="Internet", **cluster
        ),
        rule("deny-all-out", 4096, access="Deny", source_address_prefix="*", destination_address_prefix="*"),
        rule("allow-cluster-in", 200, direction="Inbound", **within),
        rule(
            "allow-probes-in",
            210,
            direction="Inbound",
            source_address_prefix="AzureLoadBalancer",
            destination_address_prefix="*",
        ),
        rule(
            "deny-all-in",
            4096,
            direction="Inbound",
            access="Deny",
            source_address_prefix="*",
            destination_address_prefix="*",
        ),
    ]


def rule(name: str, priority: int, protocol: str = "*", port: str = "*", **given: object) -> dict:
    """One security rule; outbound and Allow unless it says otherwise."""
    return {
        "name": name,
        "priority": priority,
        "direction": "Outbound",
        "access": "Allow",
        "protocol": protocol,
        "source_port_range": "*",
        "destination_port_range": port,
        **given,
    }
