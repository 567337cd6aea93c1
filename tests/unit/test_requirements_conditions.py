"""Every condition of the catalogue has three sides: needed, not needed, and open."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.requirements_clusters import cluster, extension

from aks_egress.requirements.catalogue import Entry, load
from aks_egress.requirements.conditions import concerned, needed
from aks_egress.requirements.facts import Facts, facts_of
from aks_egress.values import Unknown

OPEN = Unknown("known after apply")
Patch = dict[str, Any]
NOTHING: Patch = {}

#: (fact, wanted) -> what makes it hold, what makes it not hold, what leaves it open (None: nothing can)
SIDES: dict[tuple[str, str | bool], tuple[Patch, Patch | None, Patch | None]] = {}


def side(key: str, wanted: str | bool, yes: Patch, no: Patch | None, open_: Patch | None) -> None:
    SIDES[key, wanted] = (yes, no, open_)


def switch(key: str, path: str) -> None:
    side(key, True, {path: True}, {path: False}, {path: OPEN})


PRIVATE, INTEGRATED = (
    "apiServerAccessProfile.enablePrivateCluster",
    "apiServerAccessProfile.enableVnetIntegration",
)
MODE, PLUGIN = "networkProfile.networkPluginMode", "networkProfile.networkPlugin"
KMS = "securityProfile.azureKeyVaultKms"
CSI, ROUTING = "addonProfiles.azureKeyvaultSecretsProvider.enabled", "ingressProfile.webAppRouting.enabled"
CHANNEL = "autoUpgradeProfile.nodeOSUpgradeChannel"
ISTIO = {"serviceMeshProfile.mode": "Istio"}
CA = "serviceMeshProfile.istio.certificateAuthority.plugin"

side("api_access", "public", NOTHING, {PRIVATE: True}, {PRIVATE: OPEN})
side("api_access", "private_link", {PRIVATE: True}, NOTHING, {PRIVATE: OPEN})
side("api_access", "vnet_integration", {INTEGRATED: True}, NOTHING, {INTEGRATED: OPEN})
side("tunnel_mode", "aks-link", {"tunnel": "aks-link"}, NOTHING, None)
side("tunnel_mode", "tunnelfront", {"tunnel": "tunnelfront"}, NOTHING, None)
side("tunnel_mode", "konnectivity", NOTHING, {"tunnel": "none"}, None)
side(
    "konnectivity_present",
    False,
    {PLUGIN: "azure"},
    {PLUGIN: "azure", MODE: "overlay"},
    {PLUGIN: "azure", MODE: OPEN},
)
side("os", "linux", NOTHING, {"pool.osType": "Windows"}, {"pool.osType": OPEN})
side("os", "windows", {"pool.osType": "Windows"}, NOTHING, {"pool.osType": OPEN})
side("os_sku", "Ubuntu", NOTHING, {"pool.osSKU": "AzureLinux"}, {"pool.osSKU": OPEN})
side(
    "gpu_pool",
    True,
    {"pool.vmSize": "Standard_NC6s_v3"},
    {"pool.vmSize": "Standard_D4s_v5"},
    {"pool.vmSize": OPEN},
)
side(
    "artifact_streaming",
    True,
    {"pool.artifactStreamingProfile": {"enabled": True}},
    NOTHING,
    {"pool.artifactStreamingProfile": OPEN},
)
side("node_image_before_2021_03", True, {"features": ["old-node-image"]}, NOTHING, None)
side("vnet_dns", "custom", {"dns": ("10.0.0.53",)}, {"dns": ("168.63.129.16",)}, {"dns": OPEN})
side("workloads_call_api_server", True, {"features": ["workloads-call-api-server"]}, None, NOTHING)
side(
    "pods_annotated_set_kube_service_host_fqdn",
    False,
    NOTHING,
    {"features": ["api-server-name-annotation"]},
    None,
)
side(
    "bootstrap_artifact_source",
    "Direct",
    NOTHING,
    {"bootstrapProfile.artifactSource": "Cache"},
    {"bootstrapProfile.artifactSource": OPEN},
)
side(
    "bootstrap_artifact_source",
    "Cache",
    {"bootstrapProfile.artifactSource": "Cache"},
    NOTHING,
    {"bootstrapProfile.artifactSource": OPEN},
)
side("node_os_upgrade_channel", "Unmanaged", {CHANNEL: "Unmanaged"}, {CHANNEL: "None"}, {CHANNEL: OPEN})
side("node_os_upgrade_channel", "SecurityPatch", {CHANNEL: "SecurityPatch"}, NOTHING, {CHANNEL: OPEN})
side("network_plugin", "azure", {PLUGIN: "azure"}, {PLUGIN: "none"}, {PLUGIN: OPEN})
side(
    "pod_network",
    "overlay",
    {PLUGIN: "azure", MODE: "overlay"},
    {PLUGIN: "azure"},
    {PLUGIN: "azure", MODE: OPEN},
)
side("pod_network", "kubenet", {PLUGIN: "kubenet"}, {PLUGIN: "none"}, {PLUGIN: OPEN})
side(
    "pod_network",
    "pod-subnet",
    {PLUGIN: "azure", "pool.podSubnetID": "/x"},
    {PLUGIN: "azure"},
    {PLUGIN: "azure", "pool.podSubnetID": OPEN},
)
side(
    "http_proxy",
    True,
    {"httpProxyConfig.httpProxy": "http://proxy:3128"},
    {"httpProxyConfig.enabled": False},
    {"httpProxyConfig": OPEN},
)
side("keyvault_private_endpoint", False, NOTHING, {"features": ["keyvault-private-endpoint"]}, None)
side("ingestion_private_link", False, NOTHING, {"features": ["monitoring-private-link"]}, None)
side(
    "kms_private_vault",
    True,
    {f"{KMS}.enabled": True, f"{KMS}.keyVaultNetworkAccess": "Private"},
    {f"{KMS}.enabled": True},
    {f"{KMS}.enabled": True, f"{KMS}.keyVaultNetworkAccess": OPEN},
)
side(
    "istio_key_vault",
    True,
    {**ISTIO, CA: {"keyVaultId": "/v"}},
    {CA: {"keyVaultId": "/v"}},
    {**ISTIO, CA: OPEN},
)
side("app_routing_key_vault", True, {ROUTING: True, CSI: True}, {ROUTING: True}, {ROUTING: OPEN, CSI: True})
side(
    "any_cluster_extension",
    True,
    {"extensions": [extension("microsoft.any")]},
    NOTHING,
    {"extensions": [extension("microsoft.any", uncertain=OPEN)]},
)
side(
    "marketplace_extension",
    True,
    {"extensions": [extension("vendor.any", plan={"name": "x"})]},
    {"extensions": [extension("microsoft.any")]},
    {"extensions": [extension("vendor.any", plan={"name": "x"}, uncertain=OPEN)]},
)
for name, kind in {
    "flux": "microsoft.flux",
    "dapr": "Microsoft.Dapr",
    "backup": "microsoft.dataprotection.kubernetes",
}.items():
    side(
        name,
        True,
        {"extensions": [extension(kind)]},
        {"extensions": [extension("microsoft.any")]},
        {"extensions": [extension(OPEN)]},
    )
for name, feature in {
    "acr_public": "acr",
    "blob_nfs": "blob-nfs",
    "blob_fuse": "blob-fuse",
    "azure_files_smb": "azure-files-smb",
    "azure_files_nfs": "azure-files-nfs",
    "kaito_external_weights": "kaito-external-weights",
}.items():
    side(name, True, {"features": [feature]}, NOTHING, None)
switch("workload_identity", "securityProfile.workloadIdentity.enabled")
switch("defender", "securityProfile.defender.securityMonitoring.enabled")
switch("keyvault_csi", "addonProfiles.azureKeyvaultSecretsProvider.enabled")
switch("azure_monitor_any", "azureMonitorProfile.metrics.enabled")
switch("container_insights", "addonProfiles.omsAgent.enabled")
switch("managed_prometheus", "azureMonitorProfile.metrics.enabled")
switch("app_insights_autoinstrumentation", "azureMonitorProfile.appMonitoring.autoInstrumentation.enabled")
switch("azure_policy", "addonProfiles.azurePolicy.enabled")
switch("cost_analysis", "metricsProfile.costAnalysis.enabled")
side(
    "wireguard",
    True,
    {"networkProfile.advancedNetworking.security.transitEncryption.type": "WireGuard"},
    NOTHING,
    {"networkProfile.advancedNetworking": OPEN},
)

CONDITIONAL = [one for one in load().entries if one.condition]
CASES = [
    (entry, key, wanted)
    for entry in CONDITIONAL
    for key, words in entry.condition.items()
    for wanted in (words if isinstance(words, list) else [words])
]


def sided(which: int) -> list[tuple[Entry, str, str | bool]]:
    """The cases that have a side of that kind: 1 not needed, 2 open.

    Where any of several tunnels or accesses is wanted, the opposite of one word is another one.
    """
    return [
        (entry, key, wanted)
        for entry, key, wanted in CASES
        if SIDES[key, wanted][which] is not None
        and not (key in ("tunnel_mode", "api_access") and len(entry.condition[key]) > 1)
    ]


def case_name(case: object) -> str:
    return case.id if isinstance(case, Entry) else str(case)


def facts_with(entry: Entry, *patches: Patch) -> Facts:
    merged: Patch = {}
    for patch in patches:
        for key, value in patch.items():
            joined = [*merged.get(key, []), *value] if key in ("features", "extensions") else value
            merged[key] = joined
    extra = {key: merged.pop(key, None) for key in ("features", "extensions", "dns", "tunnel")}
    made = cluster(merged, extensions=extra["extensions"] or [])
    return facts_of(
        made,
        cloud=entry.clouds[0],
        features=extra["features"] or [],
        dns_servers=extra["dns"] or (),
        tunnel=extra["tunnel"] or "auto",
    )


def all_others(entry: Entry, key: str) -> list[Patch]:
    """What makes every other fact of the entry's condition hold."""
    found = []
    for other, words in entry.condition.items():
        if other != key:
            found.append(SIDES[other, words[0] if isinstance(words, list) else words][0])
    return found


@pytest.mark.parametrize(("entry", "key", "wanted"), CASES, ids=case_name)
def test_needed_where_all_its_facts_hold(entry: Entry, key: str, wanted: str | bool) -> None:
    facts = facts_with(entry, *all_others(entry, key), SIDES[key, wanted][0])
    assert needed(entry, facts) is True


@pytest.mark.parametrize(("entry", "key", "wanted"), sided(1), ids=case_name)
def test_not_needed_where_one_fact_does_not_hold(entry: Entry, key: str, wanted: str | bool) -> None:
    facts = facts_with(entry, *all_others(entry, key), SIDES[key, wanted][1] or {})
    assert needed(entry, facts) is False


@pytest.mark.parametrize(("entry", "key", "wanted"), sided(2), ids=case_name)
def test_open_where_one_fact_is_open(entry: Entry, key: str, wanted: str | bool) -> None:
    facts = facts_with(entry, *all_others(entry, key), SIDES[key, wanted][2] or {})
    assert isinstance(needed(entry, facts), Unknown)


@pytest.mark.parametrize("entry", load().entries, ids=case_name)
def test_an_entry_of_one_cloud_is_not_needed_in_another(entry: Entry) -> None:
    for cloud in {"public", "china", "usgov"} - set(entry.clouds):
        facts = facts_of(cluster({}), cloud=cloud, features=[])
        assert needed(entry, facts) is False


@pytest.mark.parametrize("entry", [one for one in load().entries if not one.condition], ids=case_name)
def test_an_entry_without_a_condition_is_always_needed(entry: Entry) -> None:
    assert needed(entry, facts_with(entry)) is True


def test_facts_about_pools_must_hold_for_one_pool() -> None:
    """An Azure Linux pool beside a Windows pool is no Ubuntu pool, whatever the channel."""
    entry = load().entry("ubuntu-snapshot-https")
    pools = [{"name": "a", "osSKU": "AzureLinux"}, {"name": "w", "osType": "Windows"}]
    made = cluster({CHANNEL: "SecurityPatch", "agentPoolProfiles": pools})
    assert needed(entry, facts_of(made, cloud="", features=[])) is False


def test_the_second_leg_is_needed_by_every_tunnel_and_by_none_without() -> None:
    entry = load().entry("tunnel-agent-to-kubelet")
    for mode in ("konnectivity", "aks-link", "tunnelfront"):
        for patch in (NOTHING, {PRIVATE: True}, {PRIVATE: OPEN}):
            facts = facts_of(cluster(patch), cloud="", features=[], tunnel=mode)
            assert isinstance(needed(entry, facts), Unknown) == (patch == {PRIVATE: OPEN})
    assert needed(entry, facts_of(cluster({}), cloud="", features=[], tunnel="none")) is False
    assert needed(entry, facts_of(cluster({INTEGRATED: True}), cloud="", features=[])) is False


def test_only_the_pools_that_a_condition_speaks_of_are_concerned() -> None:
    entry = load().entry("windows-http")
    pools = [{"name": "linux"}, {"name": "win", "osType": "Windows"}, {"name": "which", "osType": OPEN}]
    facts = facts_of(cluster({"agentPoolProfiles": pools}), cloud="", features=[])
    assert needed(entry, facts) is True
    assert concerned(entry.condition, facts) == ("win", "which")
    assert concerned(load().entry("mcr-registry").condition, facts) is None


def test_a_feature_concerns_every_pool() -> None:
    entry = load().entry("gpu-nvidia")
    facts = facts_of(
        cluster({"agentPoolProfiles": [{"name": "a"}, {"name": "b"}]}), cloud="", features=["gpu"]
    )
    assert needed(entry, facts) is True
    assert concerned(entry.condition, facts) is None


def test_pools_that_nobody_can_list_leave_their_facts_open() -> None:
    facts = facts_of(cluster({"agentPoolProfiles": OPEN}), cloud="", features=[])
    assert isinstance(needed(load().entry("windows-http"), facts), Unknown)
    assert isinstance(needed(load().entry("gpu-nvidia"), facts), Unknown)


def test_what_could_not_be_read_may_hold_an_extension() -> None:
    made = cluster({}, unread={"Microsoft.KubernetesConfiguration/extensions": OPEN})
    facts = facts_of(made, cloud="", features=[])
    assert isinstance(needed(load().entry("flux-gitops"), facts), Unknown)
