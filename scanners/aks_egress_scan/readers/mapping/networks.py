"""azurerm's networks in ARM's words: virtual networks, subnets, security groups, routes, NICs, addresses."""

from __future__ import annotations

from typing import Final

from aks_egress.values import Value
from aks_egress_scan.readers.mapping.converters import DISABLED, ENABLED, Each, hidden, negated
from aks_egress_scan.readers.mapping.fields import Address, Addresses, One, Rows, Spot, at, prop
from aks_egress_scan.readers.mapping.kinds import (
    BALANCERS,
    FIREWALLS,
    GROUPS,
    NATS,
    NETWORK,
    NICS,
    SUBNETS,
    TABLES,
    VNETS,
    ZONES,
    ById,
    ByName,
    Fold,
    Type,
    bare,
    bare_refs,
    ref,
    refs,
)

ASGS: Final = NETWORK + "applicationSecurityGroups"
PUBLIC_IPS: Final = NETWORK + "publicIPAddresses"
PREFIXES: Final = NETWORK + "publicIPPrefixes"
ENDPOINTS: Final = NETWORK + "privateEndpoints"

PLACED: Final = (at("location", "location"), at("tags", "tags"))
"""What every resource with a location has."""

_WRITE_ONLY = hidden("a write-only value never shows in a plan or a state")

_RULE: Final = (
    prop("description", "description"),
    prop("protocol", "protocol"),
    prop("source_port_range", "sourcePortRange"),
    prop("source_port_ranges", "sourcePortRanges"),
    prop("destination_port_range", "destinationPortRange"),
    prop("destination_port_ranges", "destinationPortRanges"),
    prop("source_address_prefix", "sourceAddressPrefix"),
    prop("source_address_prefixes", "sourceAddressPrefixes"),
    prop("source_application_security_group_ids", "sourceApplicationSecurityGroups", refs(ASGS)),
    prop("destination_address_prefix", "destinationAddressPrefix"),
    prop("destination_address_prefixes", "destinationAddressPrefixes"),
    prop("destination_application_security_group_ids", "destinationApplicationSecurityGroups", refs(ASGS)),
    prop("access", "access"),
    prop("priority", "priority"),
    prop("direction", "direction"),
)

#: who may own a private address that others are led to
_OWNERS: Final = frozenset(one.casefold() for one in (FIREWALLS, NICS, BALANCERS))

_ROUTE: Final = (
    prop("address_prefix", "addressPrefix", Address(frozenset({PUBLIC_IPS.casefold(), PREFIXES.casefold()}))),
    prop("next_hop_type", "nextHopType"),
    prop(
        "next_hop_in_ip_address",
        "nextHopIpAddress",
        Address(_OWNERS),
    ),
)

_NAME = at("name", "name")

_DELEGATION: Final = Rows(
    (
        _NAME,
        at("service_delegation", "properties", One((at("name", "serviceName"), at("actions", "actions")))),
    )
)

_SUBNET: Final = (
    prop("address_prefixes", "addressPrefixes"),
    prop("address_prefix", "addressPrefix"),
    prop("ip_address_pool", "addressPrefixes", hidden("the range comes from an address pool")),
    prop("service_endpoints", "serviceEndpoints", Each("service"), more=True),
    prop("service_endpoint", "serviceEndpoints", Rows((at("service", "service"),)), more=True),
    prop("service_endpoint_policy_ids", "serviceEndpointPolicies", refs()),
    prop("delegation", "delegations", _DELEGATION),
    prop("private_endpoint_network_policies", "privateEndpointNetworkPolicies"),
    prop("private_endpoint_network_policies_enabled", "privateEndpointNetworkPolicies", ENABLED),
    prop("enforce_private_link_endpoint_network_policies", "privateEndpointNetworkPolicies", DISABLED),
    prop("private_link_service_network_policies_enabled", "privateLinkServiceNetworkPolicies", ENABLED),
    prop("enforce_private_link_service_network_policies", "privateLinkServiceNetworkPolicies", DISABLED),
    prop("default_outbound_access_enabled", "defaultOutboundAccess"),
    prop("sharing_scope", "sharingScope"),
    prop("network_security_group_id", "networkSecurityGroup", ref(GROUPS)),
    prop("network_security_group_id_wo", "networkSecurityGroup", ref(GROUPS)),
    prop("network_security_group_id_wo_version", "networkSecurityGroup", _WRITE_ONLY),
    prop("security_group", "networkSecurityGroup", ref(GROUPS)),
    prop("route_table_id", "routeTable", ref(TABLES)),
    prop("route_table_id_wo", "routeTable", ref(TABLES)),
    prop("route_table_id_wo_version", "routeTable", _WRITE_ONLY),
)

_ADDRESS_OF_NIC: Final = (
    prop("subnet_id", "subnet", ref(SUBNETS)),
    prop("private_ip_address", "privateIPAddress", computed=True),
    prop("private_ip_address_allocation", "privateIPAllocationMethod"),
    prop("private_ip_address_version", "privateIPAddressVersion"),
    prop("public_ip_address_id", "publicIPAddress", ref(PUBLIC_IPS)),
)

_OUTBOUND_RULE: Final = Rows(
    (
        _NAME,
        prop("protocol", "protocol"),
        prop("allocated_outbound_ports", "allocatedOutboundPorts"),
        prop("backend_address_pool_id", "backendAddressPool", ref(BALANCERS + "/backendAddressPools")),
        prop("frontend_ip_configuration", "frontendIPConfigurations", Rows((_NAME,))),
    )
)


def _zone_configs(value: Value, spot: Spot) -> Value:
    """The zones of a zone group, each as a configuration of its own."""
    found = bare_refs(ZONES)(value, spot)
    if not isinstance(found, list):
        return found
    return [{"name": f"zone{i}", "properties": {"privateDnsZoneId": item}} for i, item in enumerate(found)]


_CONNECTIONS: Final = Rows(
    (
        _NAME,
        prop("private_connection_resource_id", "privateLinkServiceId", bare()),
        prop("subresource_names", "groupIds"),
        prop("private_ip_address", "privateIPAddress"),
    )
)

TYPES: Final[dict[str, Type]] = {
    "azurerm_network_security_group": Type(
        GROUPS, (*PLACED, prop("security_rule", "securityRules", Rows((_NAME, *_RULE)))), data=True
    ),
    "azurerm_network_security_rule": Type(
        GROUPS + "/securityRules", _RULE, above=(ByName("network_security_group_name"),)
    ),
    "azurerm_application_security_group": Type(ASGS, PLACED, data=True),
    "azurerm_route_table": Type(
        TABLES,
        (
            *PLACED,
            prop("route", "routes", Rows((_NAME, *_ROUTE))),
            prop("bgp_route_propagation_enabled", "disableBgpRoutePropagation", negated),
            prop("disable_bgp_route_propagation", "disableBgpRoutePropagation"),
        ),
        data=True,
    ),
    "azurerm_route": Type(TABLES + "/routes", _ROUTE, above=(ByName("route_table_name"),)),
    "azurerm_virtual_network": Type(
        VNETS,
        (
            *PLACED,
            prop("address_space", "addressSpace.addressPrefixes"),
            prop("ip_address_pool", "addressSpace.ipamPoolPrefixAllocations"),
            prop("dns_servers", "dhcpOptions.dnsServers", Addresses(_OWNERS)),
            prop("bgp_community", "bgpCommunities.virtualNetworkCommunity"),
            prop("encryption", "encryption", One((at("enforcement", "enforcement"),), (("enabled", True),))),
            prop("flow_timeout_in_minutes", "flowTimeoutInMinutes"),
            prop("subnet", "subnets", Rows((_NAME, at("id", "id"), *_SUBNET))),
        ),
        data=True,
        silent=("subnets", "virtualNetworkPeerings"),
    ),
    "azurerm_subnet": Type(
        SUBNETS,
        _SUBNET,
        above=(ByName("virtual_network_name"),),
        data=True,
        silent=("natGateway", "defaultOutboundAccess", "delegations"),
    ),
    "azurerm_virtual_network_peering": Type(
        VNETS + "/virtualNetworkPeerings",
        (
            prop("remote_virtual_network_id", "remoteVirtualNetwork", ref(VNETS)),
            prop("allow_virtual_network_access", "allowVirtualNetworkAccess"),
            prop("allow_forwarded_traffic", "allowForwardedTraffic"),
            prop("allow_gateway_transit", "allowGatewayTransit"),
            prop("use_remote_gateways", "useRemoteGateways"),
            prop("peer_complete_virtual_networks_enabled", "peerCompleteVnets"),
            prop("only_ipv6_peering_enabled", "enableOnlyIPv6Peering"),
            prop("local_subnet_names", "localSubnetNames"),
            prop("remote_subnet_names", "remoteSubnetNames"),
        ),
        above=(ByName("virtual_network_name"),),
    ),
    "azurerm_nat_gateway": Type(
        NATS,
        (
            *PLACED,
            at("sku_name", "sku.name"),
            at("zones", "zones"),
            prop("public_ip_address_ids", "publicIpAddresses", refs(PUBLIC_IPS)),
            prop("public_ip_prefix_ids", "publicIpPrefixes", refs(PREFIXES)),
        ),
        data=True,
    ),
    "azurerm_public_ip": Type(
        PUBLIC_IPS,
        (
            *PLACED,
            at("sku", "sku.name"),
            at("sku_tier", "sku.tier"),
            at("zones", "zones"),
            prop("ip_address", "ipAddress", computed=True),
            prop("allocation_method", "publicIPAllocationMethod"),
            prop("ip_version", "publicIPAddressVersion"),
            prop("public_ip_prefix_id", "publicIPPrefix", ref(PREFIXES)),
        ),
        data=True,
    ),
    "azurerm_public_ip_prefix": Type(
        PREFIXES,
        (
            *PLACED,
            at("sku", "sku.name"),
            prop("ip_prefix", "ipPrefix", computed=True),
            prop("prefix_length", "prefixLength"),
            prop("ip_version", "publicIPAddressVersion"),
        ),
        data=True,
    ),
    "azurerm_network_interface": Type(
        NICS,
        (
            *PLACED,
            prop("ip_forwarding_enabled", "enableIPForwarding"),
            prop("enable_ip_forwarding", "enableIPForwarding"),
            prop("dns_servers", "dnsSettings.dnsServers"),
            prop("network_security_group_id", "networkSecurityGroup", ref(GROUPS)),
            prop(
                "ip_configuration",
                "ipConfigurations",
                Rows((_NAME, *_ADDRESS_OF_NIC, prop("primary", "primary"))),
            ),
        ),
        data=True,
    ),
    "azurerm_lb": Type(
        BALANCERS,
        (
            *PLACED,
            at("sku", "sku.name"),
            prop(
                "frontend_ip_configuration",
                "frontendIPConfigurations",
                Rows(
                    (
                        _NAME,
                        at("zones", "zones"),
                        *_ADDRESS_OF_NIC,
                        prop("public_ip_prefix_id", "publicIPPrefix", ref(PREFIXES)),
                    )
                ),
            ),
        ),
        data=True,
        silent=("outboundRules",),
    ),
    "azurerm_lb_backend_address_pool": Type(
        BALANCERS + "/backendAddressPools",
        (prop("virtual_network_id", "virtualNetwork", ref(VNETS)),),
        above=(ById("loadbalancer_id"),),
    ),
    "azurerm_private_endpoint": Type(
        ENDPOINTS,
        (
            *PLACED,
            prop("subnet_id", "subnet", ref(SUBNETS)),
            prop("private_service_connection", "privateLinkServiceConnections", _CONNECTIONS),
            prop(
                "ip_configuration",
                "ipConfigurations",
                Rows(
                    (
                        _NAME,
                        prop("private_ip_address", "privateIPAddress"),
                        prop("subresource_name", "groupId"),
                    )
                ),
            ),
            prop(
                "private_dns_zone_group",
                "privateDnsZoneGroups",
                Rows((_NAME, prop("private_dns_zone_ids", "privateDnsZoneConfigs", _zone_configs))),
            ),
            prop(
                "custom_dns_configs",
                "customDnsConfigs",
                Rows((at("fqdn", "fqdn"), at("ip_addresses", "ipAddresses"))),
            ),
        ),
    ),
    "azurerm_private_dns_zone": Type(ZONES, (at("tags", "tags"),), data=True),
    "azurerm_private_dns_zone_virtual_network_link": Type(
        ZONES + "/virtualNetworkLinks",
        (
            prop("virtual_network_id", "virtualNetwork", ref(VNETS)),
            prop("registration_enabled", "registrationEnabled"),
            prop("resolution_policy", "resolutionPolicy"),
        ),
        above=(ById("private_dns_zone_id"), ByName("private_dns_zone_name")),
    ),
    "azurerm_virtual_network_gateway": Type(
        NETWORK + "virtualNetworkGateways",
        (
            *PLACED,
            prop("type", "gatewayType"),
            prop("vpn_type", "vpnType"),
            prop("bgp_enabled", "enableBgp"),
            prop("enable_bgp", "enableBgp"),
            prop("sku", "sku.name"),
            prop("custom_route", "customRoutes", One((at("address_prefixes", "addressPrefixes"),))),
            prop("ip_configuration", "ipConfigurations", Rows((_NAME, *_ADDRESS_OF_NIC))),
        ),
        data=True,
    ),
}

FOLDS: Final[dict[str, Fold]] = {
    "azurerm_subnet_network_security_group_association": Fold(
        SUBNETS,
        ById("subnet_id"),
        (prop("network_security_group_id", "networkSecurityGroup", ref(GROUPS)),),
        same_id=True,
    ),
    "azurerm_subnet_route_table_association": Fold(
        SUBNETS, ById("subnet_id"), (prop("route_table_id", "routeTable", ref(TABLES)),), same_id=True
    ),
    "azurerm_subnet_nat_gateway_association": Fold(
        SUBNETS, ById("subnet_id"), (prop("nat_gateway_id", "natGateway", ref(NATS)),), same_id=True
    ),
    "azurerm_network_interface_security_group_association": Fold(
        NICS,
        ById("network_interface_id"),
        (prop("network_security_group_id", "networkSecurityGroup", ref(GROUPS)),),
    ),
    "azurerm_network_interface_application_security_group_association": Fold(
        NICS,
        ById("network_interface_id"),
        (prop("application_security_group_id", "applicationSecurityGroups", ref(ASGS), more=True),),
        each="ipConfigurations",
    ),
    "azurerm_network_interface_backend_address_pool_association": Fold(
        NICS,
        ById("network_interface_id"),
        (
            prop(
                "backend_address_pool_id",
                "loadBalancerBackendAddressPools",
                ref(BALANCERS + "/backendAddressPools"),
                more=True,
            ),
        ),
        each="ipConfigurations",
        row="ip_configuration_name",
    ),
    "azurerm_nat_gateway_public_ip_association": Fold(
        NATS,
        ById("nat_gateway_id"),
        (prop("public_ip_address_id", "publicIpAddresses", ref(PUBLIC_IPS), more=True),),
    ),
    "azurerm_nat_gateway_public_ip_prefix_association": Fold(
        NATS,
        ById("nat_gateway_id"),
        (prop("public_ip_prefix_id", "publicIpPrefixes", ref(PREFIXES), more=True),),
    ),
    "azurerm_virtual_network_dns_servers": Fold(
        VNETS,
        ById("virtual_network_id"),
        (prop("dns_servers", "dhcpOptions.dnsServers", Addresses(_OWNERS)),),
    ),
    "azurerm_lb_outbound_rule": Fold(
        BALANCERS, ById("loadbalancer_id"), (prop("", "outboundRules", _OUTBOUND_RULE, more=True),)
    ),
}
