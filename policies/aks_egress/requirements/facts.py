"""What is known about one cluster: everything that decides which endpoints it needs.

Facts come from the cluster's own definition, from `--feature`, and where both are silent from the
documented default; the table says which.  A value that the input does not settle stays Unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from aks_egress.packets.tags import region_of
from aks_egress.records import record, replace
from aks_egress.requirements.extensions import extension_facts
from aks_egress.requirements.known import (
    AUTOMATIC,
    DEFAULT,
    FEATURE,
    Fact,
    either,
    profile,
    word,
)
from aks_egress.requirements.pools import PoolFacts, pool_facts
from aks_egress.requirements.proxy import NO_PROXY, Proxy, proxy_of
from aks_egress.topology.clusters import Cluster
from aks_egress.values import Unknown, Value, at, get, text

CLOUDS = ("public", "china", "usgov")

#: the pods' range of an overlay or kubenet where none is given (learn.microsoft.com/azure/aks/concepts-network)
DEFAULT_POD_CIDR = "10.244.0.0/16"

#: addresses of the platform's own resolver: naming it is not a DNS server of one's own
_AZURE_DNS = frozenset(("168.63.129.16", "azureprovideddns"))

#: what people call a feature -> the facts it turns on
FEATURES: Mapping[str, tuple[str, ...]] = {
    "acr": ("acr_public",),
    "acr-data-endpoints": ("acr_public", "acr_data_endpoints"),
    "api-server-name-annotation": ("pods_annotated_set_kube_service_host_fqdn",),
    "app-insights": ("app_insights_autoinstrumentation",),
    "app-routing": ("app_routing_key_vault",),
    "artifact-streaming": ("artifact_streaming",),
    "azure-files-nfs": ("azure_files_nfs",),
    "azure-files-smb": ("azure_files_smb",),
    "azure-policy": ("azure_policy",),
    "backup": ("backup", "any_cluster_extension"),
    "blob-fuse": ("blob_fuse",),
    "blob-nfs": ("blob_nfs",),
    "container-insights": ("container_insights", "azure_monitor_any"),
    "cost-analysis": ("cost_analysis",),
    "dapr": ("dapr", "any_cluster_extension"),
    "defender": ("defender",),
    "extensions": ("any_cluster_extension",),
    "flux": ("flux", "any_cluster_extension"),
    "gpu": ("gpu_pool",),
    "istio": ("istio_key_vault",),
    "kaito-external-weights": ("kaito_external_weights",),
    "keyvault-csi": ("keyvault_csi",),
    "keyvault-private-endpoint": ("keyvault_private_endpoint",),
    "kms-private-vault": ("kms_private_vault",),
    "managed-prometheus": ("managed_prometheus", "azure_monitor_any"),
    "marketplace-extension": ("marketplace_extension", "any_cluster_extension"),
    "monitoring": ("container_insights", "managed_prometheus", "azure_monitor_any"),
    "monitoring-private-link": ("ingestion_private_link",),
    "old-node-image": ("node_image_before_2021_03",),
    "windows": ("windows",),
    "wireguard": ("wireguard",),
    "workload-identity": ("workload_identity",),
    "workloads-call-api-server": ("workloads_call_api_server",),
}


class UnknownFeatureError(ValueError):
    """A feature that nobody knows; the text names it and lists those that exist."""


@record(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known about one cluster; every value may be Unknown.

    `known` holds the single facts by name, `pools` what each pool says, `pools_gap` why there may
    be more pools.  `features` are the names given with `--feature`.  `dns_servers` are the
    network's own servers, empty for Azure's.  `api_name` is the API server's host name where the
    definition gives it, `api_server_address` its public address where people gave it.
    """

    cloud: str
    region: str | Unknown
    known: Mapping[str, Fact]
    pools: tuple[PoolFacts, ...] = ()
    pools_gap: Unknown | None = None
    features: frozenset[str] = frozenset()
    dns_servers: tuple[str, ...] | Unknown = ()
    tunnel: str = "auto"
    proxy: Proxy = NO_PROXY
    api_name: str = ""
    private_name: str = ""
    api_server_address: str = ""
    registry: str = ""
    git_hosts: tuple[str, ...] = ()
    cloud_from: str = ""

    def fact(self, name: str) -> Fact:
        """The fact of that name; KeyError for a name that does not exist."""
        return self.known[name]

    def word(self, name: str) -> str | Unknown:
        """The fact's value as a word, lower case."""
        value = self.known[name].value
        return value if isinstance(value, Unknown) else str(value).casefold()

    def table(self) -> tuple[tuple[str, str, str], ...]:
        """Name, value and where it comes from, for people; a default says that it is one."""
        rows = [
            ("cloud", self.cloud, self.cloud_from),
            ("region", _spelled(self.region), "location" if self.region else ""),
            *((name, _spelled(fact.value), fact.where) for name, fact in self.known.items()),
            ("dns_servers", _spelled(self.dns_servers) or "Azure's", "dhcpOptions.dnsServers"),
            *self.proxy.table(),
            *(row for pool in self.pools for row in _pool_rows(pool)),
        ]
        if self.pools_gap:
            rows.append(("pools", f"not all known: {self.pools_gap.why}", "properties.agentPoolProfiles"))
        return tuple(rows)


def cloud_of(location: str, chosen: str) -> str:
    """The cloud: as chosen, else by the location's name, else public."""
    region = region_of(location)
    if chosen in CLOUDS:
        return chosen
    if region.startswith("china"):
        return "china"
    return "usgov" if region.startswith(("usgov", "usdod")) else "public"


def facts_of(
    cluster: Cluster,
    *,
    cloud: str,
    features: Collection[str],
    dns_servers: tuple[str, ...] | Unknown = (),
    tunnel: str = "auto",
    api_server_address: str = "",
) -> Facts:
    """What a cluster's definition says, with `features` added; raises UnknownFeatureError.

    `dns_servers` are the servers that its virtual network names, as given.  `cloud` may be empty.
    """
    body = cluster.resource.get("properties")
    automatic = _is_automatic(cluster.resource.get("sku", "name"))
    linux = "AzureLinux" if automatic is True else "Ubuntu"
    pools = tuple(pool_facts(pool.name, pool.body, linux) for pool in cluster.pools)
    facts = _facts(body, automatic, cluster.resource.api_version, pools, cluster.pools_gap)
    found, git_hosts = extension_facts(cluster.extensions, cluster.document.unread)
    location = text(cluster.resource.get("location"))
    region: str | Unknown = location if isinstance(location, Unknown) else region_of(location or "")
    facts = replace(
        facts,
        cloud=cloud_of(cluster.location, cloud),
        cloud_from="--cloud" if cloud in CLOUDS else "location" if cluster.location else DEFAULT,
        region=region or Unknown("the cluster's definition gives no location", cluster.resource.origin),
        known={**facts.known, **found},
        dns_servers=_own_servers(dns_servers),
        tunnel=tunnel,
        api_server_address=api_server_address,
        git_hosts=git_hosts,
    )
    return with_features(facts, features)


def described(
    *,
    location: str = "",
    cloud: str = "",
    properties: Value = None,
    features: Collection[str] = (),
    dns_servers: tuple[str, ...] | Unknown = (),
    tunnel: str = "auto",
    **options: str,
) -> Facts:
    """The facts of a cluster that is only described; raises UnknownFeatureError.

    `properties` are those of the ARM resource.  `options` add to them: `outbound_type`,
    `api_access` (public, private_link, vnet_integration), `network_plugin`, `network_plugin_mode`,
    `artifact_source`, `node_os_upgrade_channel`.
    """
    facts = _facts(properties, False, "", _described_pools(properties), None)
    known = dict(facts.known.items())
    for option, value in options.items():
        name = {"artifact_source": "bootstrap_artifact_source"}.get(option, option)
        if name not in known:
            raise ValueError(f"a cluster is not described by `{option}`")
        if value:
            known[name] = Fact(value, "as described")
    known["pod_network"] = _pod_network(known, facts.pools, None)
    found, _ = extension_facts((), {})
    facts = replace(
        facts,
        cloud=cloud_of(location, cloud),
        cloud_from="--cloud" if cloud in CLOUDS else "location" if location else DEFAULT,
        region=region_of(location) or Unknown("no location is given", settle="give the cluster's location"),
        known={**known, **found},
        dns_servers=_own_servers(dns_servers),
        tunnel=tunnel,
    )
    return with_features(facts, features)


def with_features(facts: Facts, features: Collection[str]) -> Facts:
    """The facts with each feature turned on; raises UnknownFeatureError for a name nobody knows."""
    known = dict(facts.known)
    names = frozenset(name.strip().casefold() for name in features)
    for name in sorted(names):
        if name not in FEATURES:
            raise UnknownFeatureError(f"there is no feature `{name}`; known are {', '.join(FEATURES)}")
        for turned_on in FEATURES[name]:
            known[turned_on] = Fact(True, f"{FEATURE} {name}")
    return replace(facts, known=known, features=names)


def _facts(
    body: Value,
    automatic: bool | Unknown,
    api_version: str,
    pools: tuple[PoolFacts, ...],
    gap: Unknown | None,
) -> Facts:
    known = profile(body, automatic, api_version)
    known["pod_network"] = _pod_network(known, pools, gap)
    if known["pod_network"].value in ("overlay", "kubenet"):
        known["pod_cidr"] = word(body, "networkProfile.podCidr", DEFAULT_POD_CIDR)
    known["dns_over_tcp"] = either(
        Fact(automatic, AUTOMATIC if automatic is True else DEFAULT if automatic is False else "sku.name"),
        *(Fact(pool.dns_over_tcp, f"localDNSProfile of pool {pool.name}") for pool in pools),
    )
    if isinstance(body, Unknown):
        gap = gap or body
    registry = text(at(body, "bootstrapProfile", "containerRegistryId"))
    return Facts(
        cloud="public",
        region="",
        known=known,
        pools=pools or (() if gap else (PoolFacts(name=""),)),
        pools_gap=gap,
        proxy=proxy_of(get(body, "httpProxyConfig")),
        api_name=_name(body, "fqdn"),
        private_name=_name(body, "privateFQDN"),
        registry=registry.rsplit("/", 1)[-1] if isinstance(registry, str) else "",
    )


def _pod_network(known: Mapping[str, Fact], pools: tuple[PoolFacts, ...], gap: Unknown | None) -> Fact:
    """Where pods have their addresses: overlay, kubenet, pod-subnet, node-subnet, or own (a CNI of one's own)."""
    plugin, mode = known["network_plugin"], known["network_plugin_mode"]
    for fact in (plugin, mode):
        if isinstance(fact.value, Unknown):
            return fact
    if str(plugin.value).casefold() == "none":
        return Fact("own", plugin.where)
    if str(plugin.value).casefold() == "kubenet":
        return Fact("kubenet", plugin.where)
    if str(mode.value).casefold() == "overlay":
        return Fact("overlay", mode.where)
    apart = either(
        *(Fact(pool.pod_subnet, "podSubnetID") for pool in pools), Fact(gap or False, plugin.where)
    )
    if isinstance(apart.value, Unknown):
        return apart
    return Fact("pod-subnet" if apart.value else "node-subnet", apart.where)


def _described_pools(properties: Value) -> tuple[PoolFacts, ...]:
    rows = get(properties, "agentPoolProfiles")
    return tuple(
        pool_facts(name if isinstance(name := text(get(row, "name")), str) else "", row)
        for row in (rows if isinstance(rows, list) else ())
    )


def _is_automatic(value: Value) -> bool | Unknown:
    name = text(value)
    return name if isinstance(name, Unknown) else (name or "Base").casefold() == "automatic"


def _own_servers(servers: tuple[str, ...] | Unknown) -> tuple[str, ...] | Unknown:
    if isinstance(servers, Unknown):
        return servers
    return tuple(one for one in servers if one.strip().casefold() not in _AZURE_DNS)


def _name(body: Value, key: str) -> str:
    value = text(get(body, key))
    return value.casefold() if isinstance(value, str) else ""


def _spelled(value: bool | str | tuple[str, ...] | Unknown) -> str:
    match value:
        case Unknown():
            return f"not known: {value.why}"
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ", ".join(value)
        case _:
            return value


def _pool_rows(pool: PoolFacts) -> list[tuple[str, str, str]]:
    label = f"pool {pool.name}" if pool.name else "pools"
    where = "properties.agentPoolProfiles" if pool.name else DEFAULT
    says = f"{_spelled(pool.os)}, {_spelled(pool.os_sku)}"
    gpu = (
        ", NVIDIA drivers"
        if pool.gpu is True
        else ""
        if pool.gpu is False
        else f", graphics cards {_spelled(pool.gpu)}"
    )
    return [(label, says + gpu, where)]
