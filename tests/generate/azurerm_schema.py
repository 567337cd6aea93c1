"""The part of the azurerm provider's schema (version 4) that the examples use.

Written as data: resource type -> (attributes, nested blocks).  An attribute is (type, flags) or
(type, flags, default); flags are r(equired), o(ptional), c(omputed).  Defaults are the provider's
own, which a real plan spells out.
"""

from __future__ import annotations

from typing import Any

TEXT, NUMBER, BOOL = "string", "number", "bool"
TEXTS, TEXT_SET, TAGS = ["list", TEXT], ["set", TEXT], ["map", TEXT]

Attributes = dict[str, tuple[Any, ...]]
Blocks = dict[str, tuple[Attributes, "Blocks"]]

NAMED: Attributes = {"id": (TEXT, "oc"), "name": (TEXT, "r"), "resource_group_name": (TEXT, "r")}
PLACED: Attributes = {**NAMED, "location": (TEXT, "r"), "tags": (TAGS, "o")}

RULE: dict[str, Any] = {
    "name": TEXT,
    "description": TEXT,
    "priority": NUMBER,
    "direction": TEXT,
    "access": TEXT,
    "protocol": TEXT,
    "source_port_range": TEXT,
    "source_port_ranges": TEXT_SET,
    "destination_port_range": TEXT,
    "destination_port_ranges": TEXT_SET,
    "source_address_prefix": TEXT,
    "source_address_prefixes": TEXT_SET,
    "source_application_security_group_ids": TEXT_SET,
    "destination_address_prefix": TEXT,
    "destination_address_prefixes": TEXT_SET,
    "destination_application_security_group_ids": TEXT_SET,
}
ROUTE: dict[str, Any] = {
    "name": TEXT,
    "address_prefix": TEXT,
    "next_hop_type": TEXT,
    "next_hop_in_ip_address": TEXT,
}

FILTER_RULE: Attributes = {
    "name": (TEXT, "r"),
    "source_addresses": (TEXTS, "o"),
    "source_ip_groups": (TEXTS, "o"),
    "destination_addresses": (TEXTS, "o"),
    "destination_fqdns": (TEXTS, "o"),
}
NETWORK_RULE: Attributes = {
    **FILTER_RULE,
    "description": (TEXT, "o"),
    "protocols": (TEXTS, "r"),
    "destination_ports": (TEXTS, "r"),
    "destination_ip_groups": (TEXTS, "o"),
}
APPLICATION_RULE: Attributes = {
    **FILTER_RULE,
    "description": (TEXT, "o"),
    "destination_fqdn_tags": (TEXTS, "o"),
    "destination_urls": (TEXTS, "o"),
    "terminate_tls": (BOOL, "o"),
    "web_categories": (TEXTS, "o"),
}
COLLECTION: Attributes = {"name": (TEXT, "r"), "priority": (NUMBER, "r"), "action": (TEXT, "r")}
LISTENER: Attributes = {"type": (TEXT, "r"), "port": (NUMBER, "r")}
POOL: Attributes = {
    "name": (TEXT, "r"),
    "vm_size": (TEXT, "o"),
    "node_count": (NUMBER, "oc"),
    "vnet_subnet_id": (TEXT, "o"),
    "pod_subnet_id": (TEXT, "o"),
    "os_sku": (TEXT, "oc"),
    "node_public_ip_enabled": (BOOL, "o"),
    "only_critical_addons_enabled": (BOOL, "o"),
}

RESOURCES: dict[str, tuple[Attributes, Blocks]] = {
    "azurerm_resource_group": (
        {"id": (TEXT, "oc"), "name": (TEXT, "r"), "location": (TEXT, "r"), "tags": (TAGS, "o")},
        {},
    ),
    "azurerm_network_security_group": ({**PLACED, "security_rule": (["set", ["object", RULE]], "oc")}, {}),
    "azurerm_network_security_rule": (
        {
            **NAMED,
            "network_security_group_name": (TEXT, "r"),
            **{name: (kind, "o") for name, kind in RULE.items() if name != "name"},
        },
        {},
    ),
    "azurerm_virtual_network": (
        {
            **PLACED,
            "guid": (TEXT, "c"),
            "address_space": (TEXT_SET, "o"),
            "dns_servers": (TEXTS, "oc"),
            "private_endpoint_vnet_policies": (TEXT, "o", "Disabled"),
        },
        {},
    ),
    "azurerm_subnet": (
        {
            **NAMED,
            "virtual_network_name": (TEXT, "r"),
            "address_prefixes": (TEXTS, "o"),
            "service_endpoints": (TEXT_SET, "o"),
            "default_outbound_access_enabled": (BOOL, "o", True),
            "private_endpoint_network_policies": (TEXT, "o", "Disabled"),
            "private_link_service_network_policies_enabled": (BOOL, "o", True),
        },
        {},
    ),
    "azurerm_subnet_network_security_group_association": (
        {"id": (TEXT, "oc"), "subnet_id": (TEXT, "r"), "network_security_group_id": (TEXT, "r")},
        {},
    ),
    "azurerm_subnet_route_table_association": (
        {"id": (TEXT, "oc"), "subnet_id": (TEXT, "r"), "route_table_id": (TEXT, "r")},
        {},
    ),
    "azurerm_route_table": (
        {
            **PLACED,
            "route": (["set", ["object", ROUTE]], "oc"),
            "bgp_route_propagation_enabled": (BOOL, "o", True),
            "subnets": (TEXT_SET, "c"),
        },
        {},
    ),
    "azurerm_virtual_network_peering": (
        {
            **NAMED,
            "virtual_network_name": (TEXT, "r"),
            "remote_virtual_network_id": (TEXT, "r"),
            "allow_virtual_network_access": (BOOL, "o", True),
            "allow_forwarded_traffic": (BOOL, "o", False),
            "allow_gateway_transit": (BOOL, "o", False),
            "use_remote_gateways": (BOOL, "o", False),
            "peer_complete_virtual_networks_enabled": (BOOL, "o", True),
            "only_ipv6_peering_enabled": (BOOL, "o"),
        },
        {},
    ),
    "azurerm_public_ip": (
        {
            **PLACED,
            "allocation_method": (TEXT, "r"),
            "sku": (TEXT, "o", "Standard"),
            "ip_address": (TEXT, "c"),
        },
        {},
    ),
    "azurerm_ip_group": ({**PLACED, "cidrs": (TEXT_SET, "o"), "firewall_ids": (TEXTS, "c")}, {}),
    "azurerm_firewall": (
        {
            **PLACED,
            "sku_name": (TEXT, "r"),
            "sku_tier": (TEXT, "r"),
            "firewall_policy_id": (TEXT, "o"),
            "dns_proxy_enabled": (BOOL, "oc"),
            "threat_intel_mode": (TEXT, "oc"),
        },
        {
            "ip_configuration": (
                {
                    "name": (TEXT, "r"),
                    "subnet_id": (TEXT, "o"),
                    "public_ip_address_id": (TEXT, "o"),
                    "private_ip_address": (TEXT, "c"),
                },
                {},
            )
        },
    ),
    "azurerm_firewall_policy": (
        {
            **PLACED,
            "base_policy_id": (TEXT, "o"),
            "child_policies": (TEXTS, "c"),
            "firewalls": (TEXTS, "c"),
            "private_ip_ranges": (TEXTS, "o"),
            "rule_collection_groups": (TEXTS, "c"),
            "sku": (TEXT, "o", "Standard"),
            "threat_intelligence_mode": (TEXT, "o", "Alert"),
        },
        {"dns": ({"proxy_enabled": (BOOL, "o", False), "servers": (TEXTS, "o")}, {})},
    ),
    "azurerm_firewall_policy_rule_collection_group": (
        {
            "id": (TEXT, "oc"),
            "name": (TEXT, "r"),
            "firewall_policy_id": (TEXT, "r"),
            "priority": (NUMBER, "r"),
        },
        {
            "network_rule_collection": (COLLECTION, {"rule": (NETWORK_RULE, {})}),
            "application_rule_collection": (
                COLLECTION,
                {"rule": (APPLICATION_RULE, {"protocols": (LISTENER, {})})},
            ),
        },
    ),
    "azurerm_user_assigned_identity": (
        {
            **PLACED,
            "client_id": (TEXT, "c"),
            "principal_id": (TEXT, "c"),
            "tenant_id": (TEXT, "c"),
        },
        {},
    ),
    "azurerm_kubernetes_cluster": (
        {
            **PLACED,
            "dns_prefix": (TEXT, "o"),
            "fqdn": (TEXT, "c"),
            "kube_config_raw": (TEXT, "cs"),
            "kubernetes_version": (TEXT, "oc"),
            "node_resource_group": (TEXT, "oc"),
            "oidc_issuer_enabled": (BOOL, "o"),
            "private_cluster_enabled": (BOOL, "o", False),
            "private_cluster_public_fqdn_enabled": (BOOL, "o", False),
            "private_dns_zone_id": (TEXT, "oc"),
            "private_fqdn": (TEXT, "c"),
            "role_based_access_control_enabled": (BOOL, "o", True),
            "sku_tier": (TEXT, "o", "Free"),
        },
        {
            "default_node_pool": (POOL, {}),
            "identity": (
                {
                    "type": (TEXT, "r"),
                    "identity_ids": (TEXT_SET, "o"),
                    "principal_id": (TEXT, "c"),
                    "tenant_id": (TEXT, "c"),
                },
                {},
            ),
            "network_profile": (
                {
                    "network_plugin": (TEXT, "r"),
                    "network_plugin_mode": (TEXT, "o"),
                    "network_policy": (TEXT, "oc"),
                    "outbound_type": (TEXT, "o", "loadBalancer"),
                    "pod_cidr": (TEXT, "oc"),
                    "service_cidr": (TEXT, "oc"),
                    "dns_service_ip": (TEXT, "oc"),
                    "load_balancer_sku": (TEXT, "o", "standard"),
                },
                {},
            ),
        },
    ),
    "azurerm_kubernetes_cluster_node_pool": (
        {
            "id": (TEXT, "oc"),
            "kubernetes_cluster_id": (TEXT, "r"),
            "mode": (TEXT, "o", "User"),
            "os_type": (TEXT, "o", "Linux"),
            "tags": (TAGS, "o"),
            **POOL,
        },
        {},
    ),
}
