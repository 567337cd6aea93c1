"""The defaults of the azurerm provider that bear on the walk, as its schema has them.

A plan spells them out; in source they are what an attribute that nobody set will be.
"""

from __future__ import annotations

from typing import Final

from aks_egress.values import Unknown, Value
from aks_egress_scan.readers.mapping.azurerm import TYPES

_POOL: Final[dict[str, Value]] = {"mode": "User", "os_type": "Linux"}

DEFAULTS: Final[dict[str, dict[str, Value]]] = {
    "azurerm_subnet": {
        "default_outbound_access_enabled": True,
        "private_link_service_network_policies_enabled": True,
    },
    "azurerm_virtual_network_peering": {
        "allow_virtual_network_access": True,
        "allow_forwarded_traffic": False,
        "allow_gateway_transit": False,
        "peer_complete_virtual_networks_enabled": True,
        "use_remote_gateways": False,
    },
    "azurerm_route_table": {"bgp_route_propagation_enabled": True},
    "azurerm_firewall_policy": {
        "sku": "Standard",
        "threat_intelligence_mode": "Alert",
        "dns.proxy_enabled": False,
    },
    "azurerm_nat_gateway": {"sku_name": "Standard"},
    "azurerm_network_interface": {"ip_forwarding_enabled": False},
    "azurerm_private_dns_zone_virtual_network_link": {"registration_enabled": False},
    "azurerm_virtual_hub_connection": {"internet_security_enabled": False},
    "azurerm_kubernetes_cluster_node_pool": _POOL,
    "azurerm_kubernetes_cluster": {
        "private_cluster_enabled": False,
        "private_cluster_public_fqdn_enabled": False,
        "role_based_access_control_enabled": True,
        "sku_tier": "Free",
        "network_profile.load_balancer_sku": "standard",
        "network_profile.outbound_type": "loadBalancer",
    },
}
"""azurerm type -> attribute (of a nested block after a dot) -> default."""


_DIFFERS: Final = Unknown(
    "it is not set, and its default differs between versions of the azurerm provider",
    settle="set it, or give a plan",
)

CHANGED: Final[dict[tuple[str, str], tuple[Value, Value]]] = {
    ("azurerm_subnet", "private_endpoint_network_policies"): (_DIFFERS, "Disabled"),
    ("azurerm_public_ip", "sku"): ("Basic", "Standard"),
    ("azurerm_lb", "sku"): ("Basic", "Standard"),
}
"""Defaults that changed: before version 4, and since."""


def default_of(kind: str, name: str, configured: frozenset[str], major: int) -> Value:
    """The default of an attribute in a major version of the provider.

    None where it has none, or where an older spelling of it is configured.
    """
    changed = CHANGED.get((kind, name))
    found = changed[major >= 4] if changed else DEFAULTS.get(kind, {}).get(name)
    if found is None or not configured:
        return found
    return None if configured & _spellings(kind, name) else found


def _spellings(kind: str, name: str) -> frozenset[str]:
    """Other attributes that say the same thing."""
    fields = TYPES[kind].fields
    targets = {one.target for one in fields if one.source == name}
    return frozenset(one.source for one in fields if one.target in targets and one.source != name)
