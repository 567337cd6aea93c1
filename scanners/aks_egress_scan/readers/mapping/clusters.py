"""azurerm's AKS in ARM's words: clusters, node pools, extensions and Flux configurations."""

from __future__ import annotations

from typing import Final

from aks_egress_scan.readers.mapping.converters import always, hidden, negated, spelled_from
from aks_egress_scan.readers.mapping.fields import One, Rows, at, prop
from aks_egress_scan.readers.mapping.kinds import CLUSTERS, SUBNETS, ById, Type, bare, bare_refs, refs
from aks_egress_scan.readers.mapping.networks import ASGS, PLACED, PREFIXES, PUBLIC_IPS

_NAME = at("name", "name")
CONFIGURATION: Final = "Microsoft.KubernetesConfiguration/"

_POOL: Final = (
    at("vm_size", "vmSize"),
    at("vnet_subnet_id", "vnetSubnetID", bare(SUBNETS)),
    at("pod_subnet_id", "podSubnetID", bare(SUBNETS)),
    at("mode", "mode"),
    at("type", "type"),
    at("os_type", "osType"),
    at("os_sku", "osSKU"),
    at("node_count", "count"),
    at("min_count", "minCount"),
    at("max_count", "maxCount"),
    at("auto_scaling_enabled", "enableAutoScaling"),
    at("enable_auto_scaling", "enableAutoScaling"),
    at("node_public_ip_enabled", "enableNodePublicIP"),
    at("enable_node_public_ip", "enableNodePublicIP"),
    at("node_public_ip_prefix_id", "nodePublicIPPrefixID", bare(PREFIXES)),
    at("orchestrator_version", "orchestratorVersion"),
    at("zones", "availabilityZones"),
    at("gpu_instance", "gpuInstanceProfile"),
    at("gpu_driver", "gpuProfile.driver"),
    at("workload_runtime", "workloadRuntime"),
    at("priority", "scaleSetPriority"),
    at("fips_enabled", "enableFIPS"),
    at("custom_ca_trust_enabled", "enableCustomCATrust"),
    at("node_labels", "nodeLabels"),
    at("node_taints", "nodeTaints"),
    at(
        "node_network_profile",
        "networkProfile",
        One(
            (
                at("application_security_group_ids", "applicationSecurityGroups", bare_refs(ASGS)),
                at(
                    "allowed_host_ports",
                    "allowedHostPorts",
                    Rows(
                        (at("port_start", "portStart"), at("port_end", "portEnd"), at("protocol", "protocol"))
                    ),
                ),
            )
        ),
    ),
    at(
        "windows_profile", "windowsProfile", One((at("outbound_nat_enabled", "disableOutboundNat", negated),))
    ),
    at("tags", "tags"),
)

_POOL_PROPERTIES: Final = tuple(
    prop(one.source, ".".join(one.target), one.convert, computed=one.computed) for one in _POOL
)

_LOAD_BALANCER: Final = One(
    (
        at("managed_outbound_ip_count", "managedOutboundIPs.count"),
        at("managed_outbound_ipv6_count", "managedOutboundIPs.countIPv6"),
        at("outbound_ip_address_ids", "outboundIPs.publicIPs", refs(PUBLIC_IPS)),
        at("outbound_ip_prefix_ids", "outboundIPPrefixes.publicIPPrefixes", refs(PREFIXES)),
        at("outbound_ports_allocated", "allocatedOutboundPorts"),
        at("effective_outbound_ips", "effectiveOutboundIPs", refs(PUBLIC_IPS)),
    )
)

_NAT: Final = One(
    (
        at("managed_outbound_ip_count", "managedOutboundIPProfile.count"),
        at("effective_outbound_ips", "effectiveOutboundIPs", refs(PUBLIC_IPS)),
    )
)

_NETWORK: Final = One(
    (
        at("network_plugin", "networkPlugin"),
        at("network_plugin_mode", "networkPluginMode", spelled_from({"overlay": "overlay"})),
        at("network_mode", "networkMode"),
        at("network_policy", "networkPolicy"),
        at("network_data_plane", "networkDataplane"),
        at("ebpf_data_plane", "networkDataplane"),
        at("outbound_type", "outboundType"),
        at("pod_cidr", "podCidr"),
        at("pod_cidrs", "podCidrs"),
        at("service_cidr", "serviceCidr"),
        at("service_cidrs", "serviceCidrs"),
        at("dns_service_ip", "dnsServiceIP"),
        at("ip_versions", "ipFamilies"),
        at("load_balancer_sku", "loadBalancerSku"),
        at("load_balancer_profile", "loadBalancerProfile", _LOAD_BALANCER),
        at("nat_gateway_profile", "natGatewayProfile", _NAT),
        at(
            "advanced_networking",
            "advancedNetworking",
            One(
                (
                    at("observability_enabled", "observability.enabled"),
                    at("security_enabled", "security.enabled"),
                ),
                (("enabled", True),),
            ),
        ),
    )
)

_API_SERVER: Final = (
    prop("private_cluster_enabled", "apiServerAccessProfile.enablePrivateCluster"),
    # as azurerm 1 and 2 spelled it
    prop("private_link_enabled", "apiServerAccessProfile.enablePrivateCluster"),
    prop("private_dns_zone_id", "apiServerAccessProfile.privateDNSZone", bare()),
    prop("private_cluster_public_fqdn_enabled", "apiServerAccessProfile.enablePrivateClusterPublicFQDN"),
    prop("run_command_enabled", "apiServerAccessProfile.disableRunCommand", negated),
    prop("api_server_access_profile/authorized_ip_ranges", "apiServerAccessProfile.authorizedIPRanges"),
    prop("api_server_authorized_ip_ranges", "apiServerAccessProfile.authorizedIPRanges"),
    prop("api_server_access_profile/subnet_id", "apiServerAccessProfile.subnetId", bare(SUBNETS)),
    prop(
        "api_server_access_profile/virtual_network_integration_enabled",
        "apiServerAccessProfile.enableVnetIntegration",
    ),
    prop(
        "api_server_access_profile/vnet_integration_enabled", "apiServerAccessProfile.enableVnetIntegration"
    ),
)

_ADDONS: Final = (
    prop(
        "oms_agent",
        "addonProfiles.omsagent",
        One(
            (
                at("log_analytics_workspace_id", "config.logAnalyticsWorkspaceResourceID", bare()),
                at("msi_auth_for_monitoring_enabled", "config.useAADAuth"),
            ),
            (("enabled", True),),
        ),
    ),
    prop("azure_policy_enabled", "addonProfiles.azurepolicy.enabled"),
    prop("http_application_routing_enabled", "addonProfiles.httpApplicationRouting.enabled"),
    prop("open_service_mesh_enabled", "addonProfiles.openServiceMesh.enabled"),
    prop(
        "ingress_application_gateway",
        "addonProfiles.ingressApplicationGateway",
        One(
            (
                at("gateway_id", "config.applicationGatewayId", bare()),
                at("gateway_name", "config.applicationGatewayName"),
                at("subnet_id", "config.subnetId", bare(SUBNETS)),
                at("subnet_cidr", "config.subnetCIDR"),
            ),
            (("enabled", True),),
        ),
    ),
    prop(
        "aci_connector_linux",
        "addonProfiles.aciConnectorLinux",
        One((at("subnet_name", "config.SubnetName"),), (("enabled", True),)),
    ),
    prop(
        "key_vault_secrets_provider",
        "addonProfiles.azureKeyvaultSecretsProvider",
        One(
            (
                at("secret_rotation_enabled", "config.enableSecretRotation"),
                at("secret_rotation_interval", "config.rotationPollInterval"),
            ),
            (("enabled", True),),
        ),
    ),
    prop(
        "confidential_computing",
        "addonProfiles.ACCSGXDevicePlugin",
        One((at("sgx_quote_helper_enabled", "config.ACCSGXQuoteHelperEnabled"),), (("enabled", True),)),
    ),
)

_PROFILES: Final = (
    prop(
        "http_proxy_config",
        "httpProxyConfig",
        One(
            (
                at("http_proxy", "httpProxy"),
                at("https_proxy", "httpsProxy"),
                at("no_proxy", "noProxy"),
                at("trusted_ca", "trustedCa"),
            )
        ),
    ),
    prop(
        "microsoft_defender",
        "securityProfile.defender",
        One(
            (at("log_analytics_workspace_id", "logAnalyticsWorkspaceResourceId", bare()),),
            (("securityMonitoring.enabled", True),),
        ),
    ),
    prop("workload_identity_enabled", "securityProfile.workloadIdentity.enabled"),
    prop("image_cleaner_enabled", "securityProfile.imageCleaner.enabled"),
    prop(
        "key_management_service",
        "securityProfile.azureKeyVaultKms",
        One(
            (at("key_vault_key_id", "keyId"), at("key_vault_network_access", "keyVaultNetworkAccess")),
            (("enabled", True),),
        ),
    ),
    prop("custom_ca_trust_certificates_base64", "securityProfile.customCATrustCertificates"),
    prop("oidc_issuer_enabled", "oidcIssuerProfile.enabled"),
    prop("monitor_metrics", "azureMonitorProfile.metrics", One((), (("enabled", True),))),
    prop(
        "service_mesh_profile",
        "serviceMeshProfile",
        One((at("mode", "mode"), at("revisions", "istio.revisions"))),
    ),
    prop(
        "web_app_routing",
        "ingressProfile.webAppRouting",
        One(
            (
                at("dns_zone_ids", "dnsZoneResourceIds", bare_refs()),
                at("dns_zone_id", "dnsZoneResourceIds", bare_refs()),
            ),
            (("enabled", True),),
        ),
    ),
    prop("automatic_upgrade_channel", "autoUpgradeProfile.upgradeChannel"),
    prop("automatic_channel_upgrade", "autoUpgradeProfile.upgradeChannel"),
    prop("node_os_upgrade_channel", "autoUpgradeProfile.nodeOSUpgradeChannel"),
    prop("node_os_channel_upgrade", "autoUpgradeProfile.nodeOSUpgradeChannel"),
    prop(
        "bootstrap_profile",
        "bootstrapProfile",
        One(
            (
                at("artifact_source", "artifactSource"),
                at("container_registry_id", "containerRegistryId", bare()),
            )
        ),
    ),
    prop(
        "node_provisioning_profile",
        "nodeProvisioningProfile",
        One((at("mode", "mode"), at("default_node_pools", "defaultNodePools"))),
    ),
    prop(
        "workload_autoscaler_profile",
        "workloadAutoScalerProfile",
        One(
            (
                at("keda_enabled", "keda.enabled"),
                at("vertical_pod_autoscaler_enabled", "verticalPodAutoscaler.enabled"),
            )
        ),
    ),
    prop(
        "windows_profile",
        "windowsProfile",
        One(
            (
                at("license", "licenseType"),
                at(
                    "gmsa",
                    "gmsaProfile",
                    One(
                        (at("dns_server", "dnsServer"), at("root_domain", "rootDomainName")),
                        (("enabled", True),),
                    ),
                ),
            )
        ),
    ),
    prop(
        "azure_active_directory_role_based_access_control",
        "aadProfile",
        One((at("azure_rbac_enabled", "enableAzureRBAC"), at("tenant_id", "tenantID")), (("managed", True),)),
    ),
    prop("ai_toolchain_operator_enabled", "aiToolchainOperatorProfile.enabled"),
    prop("cost_analysis_enabled", "metricsProfile.costAnalysis.enabled"),
    prop(
        "storage_profile",
        "storageProfile",
        One(
            (
                at("blob_driver_enabled", "blobCSIDriver.enabled"),
                at("disk_driver_enabled", "diskCSIDriver.enabled"),
                at("file_driver_enabled", "fileCSIDriver.enabled"),
                at("snapshot_controller_enabled", "snapshotController.enabled"),
            )
        ),
    ),
)

_CLUSTER: Final = (
    *PLACED,
    at("sku_tier", "sku.tier"),
    at("identity", "identity", One((at("type", "type"),))),
    at("edge_zone", "extendedLocation.name"),
    prop("kubernetes_version", "kubernetesVersion"),
    prop("dns_prefix", "dnsPrefix"),
    prop("dns_prefix_private_cluster", "fqdnSubdomain"),
    prop("fqdn", "fqdn", computed=True),
    prop("private_fqdn", "privateFQDN", computed=True),
    prop("node_resource_group", "nodeResourceGroup", computed=True),
    prop("disk_encryption_set_id", "diskEncryptionSetID", bare()),
    prop("local_account_disabled", "disableLocalAccounts"),
    prop("role_based_access_control_enabled", "enableRBAC"),
    prop("support_plan", "supportPlan"),
    prop("service_principal", "servicePrincipalProfile", One((at("client_id", "clientId"),))),
    *_API_SERVER,
    prop("default_node_pool", "agentPoolProfiles", Rows((_NAME, *_POOL), (("mode", "System"),))),
    prop("network_profile", "networkProfile", _NETWORK),
    *_ADDONS,
    *_PROFILES,
)

_AUTOMATIC: Final = (
    *PLACED,
    at("identity", "identity", One((at("type", "type"),))),
    at("name", "sku.name", always("Automatic")),
    prop("fully_qualified_domain_name", "fqdn", computed=True),
    prop("private_fully_qualified_domain_name", "privateFQDN", computed=True),
    prop("private_cluster", "apiServerAccessProfile.enablePrivateCluster", always(constant=True)),
    prop("api_server_access/authorized_ip_ranges", "apiServerAccessProfile.authorizedIPRanges"),
    prop("api_server_access/subnet_id", "apiServerAccessProfile.subnetId", bare(SUBNETS)),
    # AKS Automatic always integrates its API server into a virtual network
    prop("name", "apiServerAccessProfile.enableVnetIntegration", always(constant=True)),
    prop("name", "agentPoolProfiles", hidden("AKS Automatic chooses its node pools itself")),
    prop(
        "web_app_routing_ingress",
        "ingressProfile.webAppRouting",
        One((at("dns_zone_ids", "dnsZoneResourceIds", bare_refs()),), (("enabled", True),)),
    ),
    prop(
        "service_mesh", "serviceMeshProfile", One((at("revisions", "istio.revisions"),), (("mode", "Istio"),))
    ),
)


TYPES: Final[dict[str, Type]] = {
    "azurerm_kubernetes_cluster": Type(CLUSTERS, _CLUSTER),
    "azurerm_kubernetes_automatic_cluster": Type(CLUSTERS, _AUTOMATIC),
    "azurerm_kubernetes_cluster_node_pool": Type(
        CLUSTERS + "/agentPools", _POOL_PROPERTIES, above=(ById("kubernetes_cluster_id"),)
    ),
    "azurerm_kubernetes_cluster_extension": Type(
        CONFIGURATION + "extensions",
        (
            prop("extension_type", "extensionType"),
            prop("release_train", "releaseTrain"),
            prop("version", "version"),
            prop("configuration_settings", "configurationSettings"),
        ),
        above=(ById("cluster_id"),),
        extension=True,
    ),
    "azurerm_kubernetes_flux_configuration": Type(
        CONFIGURATION + "fluxConfigurations",
        (
            prop("namespace", "namespace"),
            prop("scope", "scope"),
            prop("git_repository", "gitRepository", One((at("url", "url"),))),
            prop("bucket", "bucket", One((at("url", "url"),))),
            prop("blob_storage", "azureBlob", One((at("container_id", "containerName"),))),
        ),
        above=(ById("cluster_id"),),
        extension=True,
    ),
}
