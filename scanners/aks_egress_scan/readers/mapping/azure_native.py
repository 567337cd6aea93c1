"""azure-native's tokens and property names in ARM's words.

The SDK flattens ARM's `properties` away, at the top and in the rows of some lists, and names a resource
and its parents by properties of their own.  All else is spelled as in ARM.
"""

from __future__ import annotations

import re
from typing import Final

from aks_egress.records import record
from aks_egress_scan.readers.mapping.kinds import (
    BALANCERS,
    CLUSTERS,
    FIREWALLS,
    GROUPS,
    HUBS,
    IP_GROUPS,
    MANAGERS,
    NATS,
    NETWORK,
    NICS,
    POLICIES,
    SUBNETS,
    TABLES,
    VNETS,
    ZONES,
)

ASGS: Final = NETWORK + "applicationSecurityGroups"
PUBLIC_IPS: Final = NETWORK + "publicIPAddresses"
PREFIXES: Final = NETWORK + "publicIPPrefixes"
CONFIGURATION: Final = "Microsoft.KubernetesConfiguration/"
RESOURCE_GROUP: Final = ("resources", "resourcegroup")

TOKEN: Final = re.compile(r"^azure-native[^:]*:(\w+)(?:/(v\w+))?:(\w+)$")
"""`azure-native:network:Subnet`, `azure-native:network/v20240501:Subnet`, `azure-native_network_v20240501:network:Subnet`."""

ENVELOPE: Final = frozenset(
    {"location", "tags", "sku", "identity", "zones", "extendedLocation", "kind", "plan", "managedBy"}
)
"""What ARM keeps beside `properties`."""

BARE: Final = frozenset(
    {"id", "name", "type", "etag", "eTag", "azureApiVersion", "resourceGroupName", "systemData"}
)
"""What is no property at all: names, identity, bookkeeping."""


@record(frozen=True, slots=True)
class Native:
    """One type: ARM's, and the input that names each of its segments.

    `inside` are members that ARM keeps in `properties` though others of the name stand beside it.
    """

    arm: str
    names: tuple[str, ...]
    inside: frozenset[str] = frozenset()

    @property
    def kind(self) -> str:
        """The ARM type in lower case."""
        return self.arm.casefold()


def _of(arm: str, *names: str, inside: str = "") -> Native:
    return Native(arm, names, frozenset(inside.split()))


_COLLECTION: Final = MANAGERS + "/securityAdminConfigurations/ruleCollections"
_NETWORK: Final = {
    "NetworkSecurityGroup": _of(GROUPS, "networkSecurityGroupName"),
    "SecurityRule": _of(GROUPS + "/securityRules", "networkSecurityGroupName", "securityRuleName"),
    "ApplicationSecurityGroup": _of(ASGS, "applicationSecurityGroupName"),
    "RouteTable": _of(TABLES, "routeTableName"),
    "Route": _of(TABLES + "/routes", "routeTableName", "routeName"),
    "VirtualNetwork": _of(VNETS, "virtualNetworkName"),
    "Subnet": _of(SUBNETS, "virtualNetworkName", "subnetName"),
    "VirtualNetworkPeering": _of(
        VNETS + "/virtualNetworkPeerings", "virtualNetworkName", "virtualNetworkPeeringName"
    ),
    "NatGateway": _of(NATS, "natGatewayName"),
    "PublicIPAddress": _of(PUBLIC_IPS, "publicIpAddressName"),
    "PublicIPPrefix": _of(PREFIXES, "publicIpPrefixName"),
    "NetworkInterface": _of(NICS, "networkInterfaceName"),
    "LoadBalancer": _of(BALANCERS, "loadBalancerName"),
    "AzureFirewall": _of(FIREWALLS, "azureFirewallName", inside="sku"),
    "FirewallPolicy": _of(POLICIES, "firewallPolicyName", inside="sku"),
    "FirewallPolicyRuleCollectionGroup": _of(
        POLICIES + "/ruleCollectionGroups", "firewallPolicyName", "ruleCollectionGroupName"
    ),
    "IpGroup": _of(IP_GROUPS, "ipGroupsName"),
    "PrivateEndpoint": _of(NETWORK + "privateEndpoints", "privateEndpointName"),
    "VirtualHub": _of(HUBS, "virtualHubName", inside="sku"),
    "HubVirtualNetworkConnection": _of(
        HUBS + "/hubVirtualNetworkConnections", "virtualHubName", "connectionName"
    ),
    "RoutingIntent": _of(HUBS + "/routingIntent", "virtualHubName", "routingIntentName"),
    "VirtualNetworkGateway": _of(
        NETWORK + "virtualNetworkGateways", "virtualNetworkGatewayName", inside="sku"
    ),
    "NetworkManager": _of(MANAGERS, "networkManagerName"),
    "NetworkGroup": _of(MANAGERS + "/networkGroups", "networkManagerName", "networkGroupName"),
    "StaticMember": _of(
        MANAGERS + "/networkGroups/staticMembers",
        "networkManagerName",
        "networkGroupName",
        "staticMemberName",
    ),
    "SecurityAdminConfiguration": _of(
        MANAGERS + "/securityAdminConfigurations", "networkManagerName", "configurationName"
    ),
    "AdminRuleCollection": _of(_COLLECTION, "networkManagerName", "configurationName", "ruleCollectionName"),
    "AdminRule": _of(
        _COLLECTION + "/rules", "networkManagerName", "configurationName", "ruleCollectionName", "ruleName"
    ),
    "DefaultAdminRule": _of(
        _COLLECTION + "/rules", "networkManagerName", "configurationName", "ruleCollectionName", "ruleName"
    ),
}
_ZONES: Final = {
    "PrivateZone": _of(ZONES, "privateZoneName"),
    "VirtualNetworkLink": _of(ZONES + "/virtualNetworkLinks", "privateZoneName", "virtualNetworkLinkName"),
    "PrivateZoneVirtualNetworkLink": _of(
        ZONES + "/virtualNetworkLinks", "privateZoneName", "virtualNetworkLinkName"
    ),
}
_BY_MODULE: Final = {
    # private zones were in `network` until version 3
    "network": {**_NETWORK, **_ZONES},
    "privatedns": _ZONES,
    "containerservice": {
        "ManagedCluster": _of(CLUSTERS, "resourceName"),
        "AgentPool": _of(CLUSTERS + "/agentPools", "resourceName", "agentPoolName", inside="type tags"),
    },
    "kubernetesconfiguration": {
        "Extension": _of(CONFIGURATION + "extensions", "extensionName"),
        "FluxConfiguration": _of(CONFIGURATION + "fluxConfigurations", "fluxConfigurationName"),
    },
    "compute": {
        "VirtualMachineScaleSet": _of("Microsoft.Compute/virtualMachineScaleSets", "vmScaleSetName"),
    },
}

TYPES: Final = {
    (module, name.casefold()): native
    for module, types in _BY_MODULE.items()
    for name, native in types.items()
}
"""(module, type name) in lower case -> what it is in ARM."""

CARRIERS: Final = frozenset(
    {("resources", "deployment"), ("resources", "resource"), ("resources", "deploymentstackatresourcegroup")}
)
"""Types that deploy what nobody can see from outside."""

ROWS: Final = frozenset(
    {
        "securityRules",
        "routes",
        "subnets",
        "virtualNetworkPeerings",
        "ipConfigurations",
        "managementIpConfiguration",
        "delegations",
        "networkRuleCollections",
        "applicationRuleCollections",
        "natRuleCollections",
        "frontendIPConfigurations",
        "outboundRules",
        "backendAddressPools",
        "loadBalancingRules",
        "privateLinkServiceConnections",
        "manualPrivateLinkServiceConnections",
        "networkInterfaceConfigurations",
        "publicIPAddressConfiguration",
    }
)
"""Lists and objects of the network whose rows keep their own `properties` in ARM."""

EXTENSIONS: Final = frozenset(
    {CONFIGURATION.casefold() + "extensions", CONFIGURATION.casefold() + "fluxconfigurations"}
)
"""Types that hang below another resource: `clusterRp`, `clusterResourceName` and `clusterName` say which."""

LINKS: Final = {
    name: frozenset(kind.casefold() for kind in kinds)
    for names, kinds in (
        ("networkSecurityGroup", (GROUPS,)),
        ("routeTable", (TABLES,)),
        ("natGateway", (NATS,)),
        ("subnet vnetSubnetID podSubnetID subnetId", (SUBNETS,)),
        ("publicIPAddress publicIpAddresses publicIpAddressesV6 publicIPs", (PUBLIC_IPS,)),
        ("publicIPPrefix publicIpPrefixes publicIPPrefixes nodePublicIPPrefixID", (PREFIXES,)),
        ("firewallPolicy basePolicy", (POLICIES,)),
        ("virtualHub", (HUBS,)),
        ("remoteVirtualNetwork virtualNetwork sourceVirtualNetwork", (VNETS,)),
        ("azureFirewall nextHop", (FIREWALLS,)),
        ("sourceIpGroups destinationIpGroups", (IP_GROUPS,)),
        (
            "applicationSecurityGroups sourceApplicationSecurityGroups destinationApplicationSecurityGroups",
            (ASGS,),
        ),
        ("privateDNSZone", (ZONES,)),
        ("privateLinkServiceId", (CLUSTERS,)),
        ("networkGroupId", (MANAGERS + "/networkGroups",)),
        ("resourceId", (VNETS, SUBNETS)),
    )
    for name in names.split()
}
"""Property -> the kinds of resources whose id it holds, itself or as its `id`."""

ADDRESSES: Final = {
    name: frozenset(kind.casefold() for kind in (FIREWALLS, NICS, BALANCERS))
    for name in ("nextHopIpAddress", "dnsServers")
}
"""Property -> the kinds of resources whose private address it may hold."""


def native_type(token: str) -> Native | None:
    """What a type token of azure-native is in ARM; None for other tokens and for types without bearing."""
    return TYPES.get(module_and_name(token))


def module_and_name(token: str) -> tuple[str, str]:
    """Module and type name of an azure-native token in lower case; empty for other tokens."""
    found = TOKEN.match(token)
    return (found[1].casefold(), found[3].casefold()) if found else ("", "")
