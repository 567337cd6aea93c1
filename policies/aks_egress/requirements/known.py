"""Single facts about a cluster, each with the place it was read from, and what stands for silence.

`profile` reads the facts that a cluster's own properties hold.  A property that is not there gives
the documented default and says so; one that is Unknown stays Unknown.
"""

from __future__ import annotations

from collections.abc import Mapping

from aks_egress.records import record
from aks_egress.values import Unknown, Value, at, flag, text

DEFAULT = "default"
#: the default of clusters with `sku.name` Automatic (learn.microsoft.com/azure/aks/intro-aks-automatic)
AUTOMATIC = "default of AKS Automatic"
OUTSIDE = "not part of a cluster's definition, taken as"
FEATURE = "--feature"


@record(frozen=True, slots=True)
class Fact:
    """A value and where it comes from: a property's path, `default`, or an option."""

    value: bool | str | Unknown
    where: str


#: fact -> the properties that turn it on; one is enough
SWITCHES: Mapping[str, tuple[str, ...]] = {
    "container_insights": ("addonProfiles.omsagent.enabled", "azureMonitorProfile.containerInsights.enabled"),
    "managed_prometheus": ("azureMonitorProfile.metrics.enabled",),
    "app_insights_autoinstrumentation": ("azureMonitorProfile.appMonitoring.autoInstrumentation.enabled",),
    "azure_policy": ("addonProfiles.azurepolicy.enabled",),
    "keyvault_csi": ("addonProfiles.azureKeyvaultSecretsProvider.enabled",),
    "defender": (
        "securityProfile.defender.securityMonitoring.enabled",
        "securityProfile.azureDefender.enabled",
    ),
    "workload_identity": ("securityProfile.workloadIdentity.enabled",),
    "oidc_issuer": ("oidcIssuerProfile.enabled",),
    "cost_analysis": ("metricsProfile.costAnalysis.enabled",),
    "keda": ("workloadAutoScalerProfile.keda.enabled",),
    "vertical_pod_autoscaler": ("workloadAutoScalerProfile.verticalPodAutoscaler.enabled",),
    "app_routing": ("ingressProfile.webAppRouting.enabled",),
    "ai_toolchain_operator": ("aiToolchainOperatorProfile.enabled",),
}

#: what AKS Automatic turns on by itself
_ON_IN_AUTOMATIC = frozenset(
    ("azure_policy", "workload_identity", "oidc_issuer", "keda", "vertical_pod_autoscaler")
)

#: what no definition of a cluster says; absent until `--feature` names it
WORKLOADS: Mapping[str, str] = {
    "acr_data_endpoints": "the container registry has dedicated data endpoints",
    "acr_public": "workload images come from a container registry with public endpoints",
    "azure_files_nfs": "pods mount Azure Files over NFS",
    "azure_files_smb": "pods mount Azure Files over SMB",
    "blob_fuse": "pods mount blob containers through BlobFuse",
    "blob_nfs": "pods mount blob containers over NFS",
    "ingestion_private_link": "Azure Monitor takes data in over a private link scope",
    "kaito_external_weights": "models are loaded from outside Microsoft's registry",
    "keyvault_private_endpoint": "key vaults are reached over private endpoints",
    "node_image_before_2021_03": "nodes still run an image from before March 2021",
    "pods_annotated_set_kube_service_host_fqdn": "pods call the API server by its name",
}

CALLS_API_SERVER = Unknown(
    "no definition says whether pods call the API server, as ingress controllers and operators do",
    settle="name it with `--feature workloads-call-api-server`",
)


def profile(properties: Value, automatic: bool | Unknown, api_version: str) -> dict[str, Fact]:
    """The facts that the properties of a cluster hold, in the order of the fact table."""
    facts = {
        "outbound_type": _outbound_type(properties, automatic),
        "api_access": _api_access(properties, automatic),
        "private_dns_zone": word(properties, "apiServerAccessProfile.privateDNSZone", "system"),
        "public_fqdn": switch(properties, ("apiServerAccessProfile.enablePrivateClusterPublicFQDN",)),
        "bootstrap_artifact_source": word(properties, "bootstrapProfile.artifactSource", "Direct"),
        "network_plugin": _automatic(
            properties, "networkProfile.networkPlugin", "kubenet", "azure", automatic
        ),
        "network_plugin_mode": _automatic(
            properties, "networkProfile.networkPluginMode", "none", "overlay", automatic
        ),
        "network_dataplane": _automatic(
            properties, "networkProfile.networkDataplane", "azure", "cilium", automatic
        ),
        "node_os_upgrade_channel": _channel(properties, api_version),
        "wireguard": _wireguard(properties),
        "kms_private_vault": _kms(properties),
    }
    for name, paths in SWITCHES.items():
        default = automatic is True and name in _ON_IN_AUTOMATIC
        facts[name] = switch(properties, paths, default, AUTOMATIC if default else DEFAULT)
    facts["azure_monitor_any"] = either(
        facts["container_insights"], facts["managed_prometheus"], facts["app_insights_autoinstrumentation"]
    )
    facts["istio_key_vault"] = _istio(properties, facts["keyvault_csi"])
    facts["app_routing_key_vault"] = both(facts["app_routing"], facts["keyvault_csi"])
    for name in WORKLOADS:
        facts[name] = Fact(False, f"{OUTSIDE} no")
    facts["workloads_call_api_server"] = Fact(CALLS_API_SERVER, "not part of a cluster's definition")
    return facts


def switch(properties: Value, paths: tuple[str, ...], default: bool = False, where: str = DEFAULT) -> Fact:
    """Whether one of the properties is true; the default only where none of them is given."""
    answer = Fact(default, where)
    given = [(path, at(properties, *path.split("."))) for path in paths]
    for path, value in given:
        if value is not None:
            read = Fact(flag(value, default), f"properties.{path}")
            answer = read if answer.where == where else either(answer, read)
    return answer


def word(properties: Value, path: str, default: str, where: str = DEFAULT) -> Fact:
    """A property that is a word; the default where it is absent."""
    value = text(at(properties, *path.split(".")))
    return Fact(default, where) if value is None else Fact(value, f"properties.{path}")


def either(*facts: Fact) -> Fact:
    """True where one is true, unknown where one could be."""
    return _first(facts, True)


def both(*facts: Fact) -> Fact:
    """False where one is false, unknown where one could be."""
    return _first(facts, False)


def _first(facts: tuple[Fact, ...], decisive: bool) -> Fact:
    """The fact that decides, else one that could, else the first."""
    settled = next((one for one in facts if one.value is decisive), None)
    return settled or next((one for one in facts if isinstance(one.value, Unknown)), facts[0])


def same(fact: Fact, wanted: str) -> bool | Unknown:
    """Whether a fact is that word, ignoring case."""
    if isinstance(fact.value, Unknown):
        return fact.value
    return str(fact.value).casefold() == wanted.casefold()


def _automatic(
    properties: Value, path: str, default: str, in_automatic: str, automatic: bool | Unknown
) -> Fact:
    given = word(properties, path, default)
    if given.where != DEFAULT or automatic is False:
        return given
    return Fact(automatic, "sku.name") if isinstance(automatic, Unknown) else Fact(in_automatic, AUTOMATIC)


def _outbound_type(properties: Value, automatic: bool | Unknown) -> Fact:
    """A load balancer; AKS Automatic in a network that it makes itself has a managed NAT gateway."""
    pools = at(properties, "agentPoolProfiles")
    own_network = any(at(pool, "vnetSubnetID") for pool in pools) if isinstance(pools, list) else False
    gateway = automatic if not own_network else False
    return _automatic(properties, "networkProfile.outboundType", "loadBalancer", "managedNATGateway", gateway)


def _api_access(properties: Value, automatic: bool | Unknown) -> Fact:
    integrated = switch(
        properties,
        ("apiServerAccessProfile.enableVnetIntegration",),
        automatic is True,
        AUTOMATIC if automatic is True else DEFAULT,
    )
    if integrated.where == DEFAULT and isinstance(automatic, Unknown):
        return Fact(automatic, "sku.name")
    if integrated.value is True:
        return Fact("vnet_integration", integrated.where)
    if isinstance(integrated.value, Unknown):
        return integrated
    private = switch(properties, ("apiServerAccessProfile.enablePrivateCluster",))
    if isinstance(private.value, Unknown):
        return private
    return Fact("private_link" if private.value else "public", private.where)


def _channel(properties: Value, api_version: str) -> Fact:
    """Before API version 2023-06-01 nothing was chosen for those who chose nothing."""
    old = "" < api_version[:10] < "2023-06-01"
    return word(properties, "autoUpgradeProfile.nodeOSUpgradeChannel", "None" if old else "NodeImage")


def _wireguard(properties: Value) -> Fact:
    kind = word(properties, "networkProfile.advancedNetworking.security.transitEncryption.type", "None")
    return Fact(same(kind, "WireGuard"), kind.where)


def _kms(properties: Value) -> Fact:
    access = word(properties, "securityProfile.azureKeyVaultKms.keyVaultNetworkAccess", "Public")
    private = Fact(same(access, "Private"), access.where)
    return both(switch(properties, ("securityProfile.azureKeyVaultKms.enabled",)), private)


def _istio(properties: Value, keyvault_csi: Fact) -> Fact:
    """Istio takes things from Key Vault: a plug-in CA, or secure gateways while the CSI add-on is on."""
    mode = word(properties, "serviceMeshProfile.mode", "Disabled")
    on = Fact(same(mode, "Istio"), mode.where)
    path = "serviceMeshProfile.istio.certificateAuthority.plugin"
    plugin = at(properties, *path.split("."))
    own_ca = Fact(
        plugin if isinstance(plugin, Unknown) else bool(plugin), f"properties.{path}" if plugin else DEFAULT
    )
    return both(on, either(own_ca, both(_gateway(properties), keyvault_csi)))


def _gateway(properties: Value) -> Fact:
    path = "serviceMeshProfile.istio.components.ingressGateways"
    rows = at(properties, *path.split("."))
    if isinstance(rows, Unknown):
        return Fact(rows, f"properties.{path}")
    flags = (
        [Fact(flag(at(row, "enabled"), False), f"properties.{path}") for row in rows or ()]
        if isinstance(rows, list)
        else []
    )
    return either(*flags) if flags else Fact(False, DEFAULT)
