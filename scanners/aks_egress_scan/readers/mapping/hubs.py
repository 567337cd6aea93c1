"""azurerm's Virtual WAN and Virtual Network Manager in ARM's words."""

from __future__ import annotations

from typing import Final

from aks_egress.values import Value
from aks_egress_scan.readers.mapping.fields import One, Rows, Spot, at, prop
from aks_egress_scan.readers.mapping.kinds import (
    FIREWALLS,
    HUBS,
    MANAGERS,
    NETWORK,
    VNETS,
    ById,
    Fold,
    Type,
    bare,
    bare_refs,
    ref,
    refs,
)
from aks_egress_scan.readers.mapping.networks import PLACED

_NAME = at("name", "name")
HUB_TABLES: Final = HUBS + "/hubRouteTables"
CONFIGURATIONS: Final = MANAGERS + "/securityAdminConfigurations"
NETWORK_GROUPS: Final = MANAGERS + "/networkGroups"

_HUB_ROUTES: Final = Rows(
    (
        _NAME,
        at("destinations_type", "destinationType"),
        at("destinations", "destinations"),
        at("next_hop_type", "nextHopType"),
        at("next_hop", "nextHop", bare()),
    )
)

_ROUTING: Final = One(
    (
        at("associated_route_table_id", "associatedRouteTable", ref(HUB_TABLES)),
        at(
            "propagated_route_table",
            "propagatedRouteTables",
            One((at("labels", "labels"), at("route_table_ids", "ids", refs(HUB_TABLES)))),
        ),
        at(
            "static_vnet_route",
            "vnetRoutes.staticRoutes",
            Rows(
                (
                    _NAME,
                    at("address_prefixes", "addressPrefixes"),
                    at("next_hop_ip_address", "nextHopIpAddress"),
                )
            ),
        ),
    )
)


def _applies_to(value: Value, spot: Spot) -> Value:
    """Network groups as ARM lists them for a rule collection."""
    found = bare_refs(NETWORK_GROUPS)(value, spot)
    return [{"networkGroupId": item} for item in found] if isinstance(found, list) else found


_PREFIXES: Final = Rows(
    (at("address_prefix", "addressPrefix"), at("address_prefix_type", "addressPrefixType"))
)

TYPES: Final[dict[str, Type]] = {
    "azurerm_virtual_wan": Type(
        NETWORK + "virtualWans",
        (*PLACED, prop("type", "type"), prop("allow_branch_to_branch_traffic", "allowBranchToBranchTraffic")),
        data=True,
    ),
    "azurerm_virtual_hub": Type(
        HUBS,
        (
            *PLACED,
            prop("address_prefix", "addressPrefix"),
            prop("sku", "sku"),
            prop("virtual_wan_id", "virtualWan", ref(NETWORK + "virtualWans")),
            prop("hub_routing_preference", "hubRoutingPreference"),
            prop(
                "route",
                "routeTable.routes",
                Rows(
                    (at("address_prefixes", "addressPrefixes"), at("next_hop_ip_address", "nextHopIpAddress"))
                ),
            ),
        ),
        data=True,
    ),
    "azurerm_virtual_hub_connection": Type(
        HUBS + "/hubVirtualNetworkConnections",
        (
            prop("remote_virtual_network_id", "remoteVirtualNetwork", ref(VNETS)),
            prop("internet_security_enabled", "enableInternetSecurity"),
            prop("routing", "routingConfiguration", _ROUTING),
        ),
        above=(ById("virtual_hub_id"),),
        data=True,
    ),
    "azurerm_virtual_hub_routing_intent": Type(
        HUBS + "/routingIntent",
        (
            prop(
                "routing_policy",
                "routingPolicies",
                Rows((_NAME, at("destinations", "destinations"), at("next_hop", "nextHop", bare(FIREWALLS)))),
            ),
        ),
        above=(ById("virtual_hub_id"),),
    ),
    "azurerm_virtual_hub_route_table": Type(
        HUB_TABLES,
        (prop("labels", "labels"), prop("route", "routes", _HUB_ROUTES, more=True)),
        above=(ById("virtual_hub_id"),),
        data=True,
    ),
    "azurerm_vpn_gateway": Type(
        NETWORK + "vpnGateways", (*PLACED, prop("virtual_hub_id", "virtualHub", ref(HUBS))), data=True
    ),
    "azurerm_express_route_gateway": Type(
        NETWORK + "expressRouteGateways", (*PLACED, prop("virtual_hub_id", "virtualHub", ref(HUBS)))
    ),
    "azurerm_network_manager": Type(
        MANAGERS,
        (
            *PLACED,
            prop("scope_accesses", "networkManagerScopeAccesses"),
            prop(
                "scope",
                "networkManagerScopes",
                One(
                    (at("management_group_ids", "managementGroups"), at("subscription_ids", "subscriptions"))
                ),
            ),
        ),
    ),
    "azurerm_network_manager_network_group": Type(
        NETWORK_GROUPS, (prop("member_type", "memberType"),), above=(ById("network_manager_id"),)
    ),
    "azurerm_network_manager_static_member": Type(
        NETWORK_GROUPS + "/staticMembers",
        (prop("target_virtual_network_id", "resourceId", bare(VNETS)),),
        above=(ById("network_group_id"),),
    ),
    "azurerm_network_manager_security_admin_configuration": Type(
        CONFIGURATIONS, (prop("description", "description"),), above=(ById("network_manager_id"),)
    ),
    "azurerm_network_manager_admin_rule_collection": Type(
        CONFIGURATIONS + "/ruleCollections",
        (prop("network_group_ids", "appliesToGroups", _applies_to),),
        above=(ById("security_admin_configuration_id"),),
    ),
    "azurerm_network_manager_admin_rule": Type(
        CONFIGURATIONS + "/ruleCollections/rules",
        (
            prop("action", "access"),
            prop("direction", "direction"),
            prop("priority", "priority"),
            prop("protocol", "protocol"),
            prop("description", "description"),
            prop("source_port_ranges", "sourcePortRanges"),
            prop("destination_port_ranges", "destinationPortRanges"),
            prop("source", "sources", _PREFIXES),
            prop("destination", "destinations", _PREFIXES),
        ),
        above=(ById("admin_rule_collection_id"),),
    ),
}

FOLDS: Final[dict[str, Fold]] = {
    "azurerm_virtual_hub_route_table_route": Fold(
        HUB_TABLES, ById("route_table_id"), (prop("", "routes", _HUB_ROUTES, more=True),)
    ),
}
