"""azurerm's firewalls in ARM's words: firewalls, policies, rule collection groups, classic collections, IP groups."""

from __future__ import annotations

from typing import Final

from aks_egress_scan.readers.mapping.converters import (
    ENABLED,
    SPELLED,
    always,
    commas,
    listed,
)
from aks_egress_scan.readers.mapping.fields import Field, One, Rows, at, prop
from aks_egress_scan.readers.mapping.kinds import (
    FIREWALLS,
    HUBS,
    IP_GROUPS,
    POLICIES,
    SUBNETS,
    ById,
    ByName,
    Fold,
    Type,
    bare,
    bare_refs,
    ref,
)
from aks_egress_scan.readers.mapping.networks import PLACED, PUBLIC_IPS

_NAME = at("name", "name")

_ATTACHED: Final = (
    prop("subnet_id", "subnet", ref(SUBNETS)),
    prop("public_ip_address_id", "publicIPAddress", ref(PUBLIC_IPS)),
    prop("private_ip_address", "privateIPAddress", computed=True),
)

_ADDITIONAL = ("properties", "additionalProperties")

_FIREWALL: Final = (
    *PLACED,
    at("zones", "zones"),
    prop("sku_name", "sku.name"),
    prop("sku_tier", "sku.tier"),
    prop("firewall_policy_id", "firewallPolicy", ref(POLICIES)),
    prop("ip_configuration", "ipConfigurations", Rows((_NAME, *_ATTACHED))),
    prop("management_ip_configuration", "managementIpConfiguration", One((_NAME, *_ATTACHED))),
    prop("threat_intel_mode", "threatIntelMode"),
    # DNS servers switch the proxy on, whatever `dns_proxy_enabled` says (expandFirewallAdditionalProperty)
    Field("dns_servers", (*_ADDITIONAL, "Network.DNS.EnableProxy"), always("true")),
    Field("dns_proxy_enabled", (*_ADDITIONAL, "Network.DNS.EnableProxy"), SPELLED),
    Field("dns_servers", (*_ADDITIONAL, "Network.DNS.Servers"), commas),
    Field("private_ip_ranges", (*_ADDITIONAL, "Network.SNAT.PrivateRanges"), commas),
    prop("virtual_hub", "virtualHub", One((at("virtual_hub_id", "id", bare(HUBS)),))),
    prop(
        "virtual_hub",
        "hubIPAddresses",
        One(
            (
                at("private_ip_address", "privateIPAddress", computed=True),
                at("public_ip_count", "publicIPs.count"),
            )
        ),
    ),
)

_POLICY: Final = (
    *PLACED,
    prop("sku", "sku.tier"),
    prop("base_policy_id", "basePolicy", ref(POLICIES)),
    prop("threat_intelligence_mode", "threatIntelMode"),
    prop(
        "threat_intelligence_allowlist",
        "threatIntelWhitelist",
        One((at("fqdns", "fqdns"), at("ip_addresses", "ipAddresses"))),
    ),
    prop("dns", "dnsSettings", One((at("proxy_enabled", "enableProxy"), at("servers", "servers")))),
    prop("private_ip_ranges", "snat.privateRanges"),
    prop("auto_learn_private_ranges_enabled", "snat.autoLearnPrivateRanges", ENABLED),
    prop(
        "intrusion_detection",
        "intrusionDetection",
        One(
            (
                at("mode", "mode"),
                at("private_ranges", "configuration.privateRanges"),
                at(
                    "signature_overrides",
                    "configuration.signatureOverrides",
                    Rows((at("id", "id"), at("state", "mode"))),
                ),
                at(
                    "traffic_bypass",
                    "configuration.bypassTrafficSettings",
                    Rows(
                        (
                            _NAME,
                            at("protocol", "protocol"),
                            at("source_addresses", "sourceAddresses"),
                            at("destination_addresses", "destinationAddresses"),
                            at("destination_ports", "destinationPorts"),
                            at("source_ip_groups", "sourceIpGroups", bare_refs(IP_GROUPS)),
                            at("destination_ip_groups", "destinationIpGroups", bare_refs(IP_GROUPS)),
                        )
                    ),
                ),
            )
        ),
    ),
    prop(
        "tls_certificate",
        "transportSecurity.certificateAuthority",
        One((_NAME, at("key_vault_secret_id", "keyVaultSecretId"))),
    ),
    prop(
        "explicit_proxy",
        "explicitProxy",
        One(
            (
                at("enabled", "enableExplicitProxy"),
                at("http_port", "httpPort"),
                at("https_port", "httpsPort"),
                at("enable_pac_file", "enablePacFile"),
                at("pac_file_port", "pacFilePort"),
            )
        ),
    ),
    prop("sql_redirect_allowed", "sql.allowSqlRedirect"),
)

_SOURCE: Final = (
    _NAME,
    at("source_addresses", "sourceAddresses"),
    at("source_ip_groups", "sourceIpGroups", bare_refs(IP_GROUPS)),
)

_DESTINATION: Final = (
    at("destination_addresses", "destinationAddresses"),
    at("destination_ip_groups", "destinationIpGroups", bare_refs(IP_GROUPS)),
    at("destination_fqdns", "destinationFqdns"),
    at("destination_ports", "destinationPorts"),
)

_LISTENERS = Rows((at("type", "protocolType"), at("port", "port")))

_APPLICATION_RULE: Final = Rows(
    (
        *_SOURCE,
        at("protocols", "protocols", _LISTENERS),
        at("destination_addresses", "destinationAddresses"),
        at("destination_fqdns", "targetFqdns"),
        at("destination_urls", "targetUrls"),
        at("destination_fqdn_tags", "fqdnTags"),
        at("terminate_tls", "terminateTLS"),
        at("web_categories", "webCategories"),
    ),
    (("ruleType", "ApplicationRule"),),
)

_NETWORK_RULE: Final = Rows(
    (*_SOURCE, at("protocols", "ipProtocols"), *_DESTINATION), (("ruleType", "NetworkRule"),)
)

_NAT_RULE: Final = Rows(
    (
        *_SOURCE,
        at("protocols", "ipProtocols"),
        at("destination_address", "destinationAddresses", listed),
        at("destination_ports", "destinationPorts"),
        at("translated_address", "translatedAddress"),
        at("translated_fqdn", "translatedFqdn"),
        at("translated_port", "translatedPort"),
    ),
    (("ruleType", "NatRule"),),
)


def _collection(rules: Rows, kind: str) -> Rows:
    fields = (_NAME, at("priority", "priority"), at("action", "action.type"), at("rule", "rules", rules))
    return Rows(fields, (("ruleCollectionType", kind),))


_FILTER = "FirewallPolicyFilterRuleCollection"
_GROUP: Final = (
    prop("priority", "priority"),
    prop("network_rule_collection", "ruleCollections", _collection(_NETWORK_RULE, _FILTER), more=True),
    prop(
        "application_rule_collection", "ruleCollections", _collection(_APPLICATION_RULE, _FILTER), more=True
    ),
    prop(
        "nat_rule_collection",
        "ruleCollections",
        _collection(_NAT_RULE, "FirewallPolicyNatRuleCollection"),
        more=True,
    ),
)

_CLASSIC_NETWORK_RULE: Final = Rows((*_SOURCE, at("protocols", "protocols"), *_DESTINATION))
_CLASSIC_APPLICATION_RULE: Final = Rows(
    (
        *_SOURCE,
        at("protocol", "protocols", _LISTENERS),
        at("fqdn_tags", "fqdnTags"),
        at("target_fqdns", "targetFqdns"),
    )
)
_CLASSIC_NAT_RULE: Final = Rows(
    (
        *_SOURCE,
        at("protocols", "protocols"),
        at("destination_addresses", "destinationAddresses"),
        at("destination_ports", "destinationPorts"),
        at("translated_address", "translatedAddress"),
        at("translated_port", "translatedPort"),
    )
)


def _classic(member: str, rules: Rows) -> Fold:
    fields = (
        _NAME,
        prop("priority", "priority"),
        prop("action", "action.type"),
        prop("rule", "rules", rules),
    )
    return Fold(FIREWALLS, ByName("azure_firewall_name"), (prop("", member, Rows(fields), more=True),))


TYPES: Final[dict[str, Type]] = {
    "azurerm_firewall": Type(
        FIREWALLS,
        _FIREWALL,
        data=True,
        silent=("networkRuleCollections", "applicationRuleCollections", "additionalProperties"),
    ),
    # a data source names a policy's rule groups and does not show them, so it says nothing here
    "azurerm_firewall_policy": Type(POLICIES, _POLICY),
    "azurerm_firewall_policy_rule_collection_group": Type(
        POLICIES + "/ruleCollectionGroups", _GROUP, above=(ById("firewall_policy_id"),)
    ),
    "azurerm_ip_group": Type(IP_GROUPS, (*PLACED, prop("cidrs", "ipAddresses", more=True)), data=True),
}

FOLDS: Final[dict[str, Fold]] = {
    "azurerm_firewall_network_rule_collection": _classic("networkRuleCollections", _CLASSIC_NETWORK_RULE),
    "azurerm_firewall_application_rule_collection": _classic(
        "applicationRuleCollections", _CLASSIC_APPLICATION_RULE
    ),
    "azurerm_firewall_nat_rule_collection": _classic("natRuleCollections", _CLASSIC_NAT_RULE),
    "azurerm_ip_group_cidr": Fold(IP_GROUPS, ById("ip_group_id"), (prop("cidr", "ipAddresses", more=True),)),
}
