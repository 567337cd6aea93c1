"""What is known about a cluster, and that silence is a documented default which says so."""

from __future__ import annotations

import pytest
from tests.unit.requirements_clusters import cluster, extension

from aks_egress.requirements.facts import (
    FEATURES,
    Facts,
    UnknownFeatureError,
    cloud_of,
    described,
    facts_of,
)
from aks_egress.requirements.known import Fact
from aks_egress.requirements.pools import pool_facts
from aks_egress.requirements.proxy import proxy_of
from aks_egress.values import Reference, Unknown, Value

OPEN = Unknown("known after apply")

#: what AKS does where the definition says nothing
DEFAULTS = {
    "outbound_type": "loadBalancer",
    "api_access": "public",
    "private_dns_zone": "system",
    "bootstrap_artifact_source": "Direct",
    "network_plugin": "kubenet",
    "network_plugin_mode": "none",
    "node_os_upgrade_channel": "NodeImage",
    "defender": False,
    "azure_policy": False,
    "container_insights": False,
    "workload_identity": False,
    "oidc_issuer": False,
    "keda": False,
}


def of(properties: dict[str, Value] | None = None, **options: object) -> Facts:
    made = cluster(properties or {}, **options)  # type: ignore[arg-type]
    return facts_of(made, cloud="", features=[])


@pytest.mark.parametrize("name", DEFAULTS)
def test_silence_is_the_documented_default_and_says_so(name: str) -> None:
    assert of().fact(name) == Fact(DEFAULTS[name], "default")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_access", "vnet_integration"),
        ("outbound_type", "managedNATGateway"),
        ("network_plugin", "azure"),
        ("network_plugin_mode", "overlay"),
        ("network_dataplane", "cilium"),
        ("azure_policy", True),
        ("workload_identity", True),
        ("oidc_issuer", True),
        ("dns_over_tcp", True),
    ],
)
def test_aks_automatic_has_defaults_of_its_own(name: str, value: str | bool) -> None:
    assert of(sku="Automatic").fact(name) == Fact(value, "default of AKS Automatic")


def test_aks_automatic_runs_azure_linux_and_keeps_what_is_said() -> None:
    facts = of({"networkProfile.networkPluginMode": "none"}, sku="Automatic")
    assert facts.pools[0].os_sku == "AzureLinux"
    assert facts.fact("network_plugin_mode") == Fact("none", "properties.networkProfile.networkPluginMode")


def test_aks_automatic_in_a_network_of_ones_own_has_no_managed_gateway() -> None:
    assert of({"pool.vnetSubnetID": "/s"}, sku="Automatic").fact("outbound_type").value == "loadBalancer"


def test_an_old_api_version_chose_no_node_os_channel() -> None:
    assert of(api_version="2023-05-01").fact("node_os_upgrade_channel") == Fact("None", "default")
    assert of(api_version="2023-06-01").fact("node_os_upgrade_channel") == Fact("NodeImage", "default")
    assert of(api_version="").fact("node_os_upgrade_channel") == Fact("NodeImage", "default")


def test_what_is_said_carries_its_path() -> None:
    facts = of({"networkProfile.outboundType": "none"})
    assert facts.fact("outbound_type") == Fact("none", "properties.networkProfile.outboundType")


def test_an_unknown_value_never_becomes_a_default() -> None:
    facts = of({"networkProfile": OPEN, "apiServerAccessProfile": OPEN, "bootstrapProfile": OPEN})
    for name in ("outbound_type", "network_plugin", "api_access", "bootstrap_artifact_source", "pod_network"):
        assert facts.fact(name).value is OPEN, name


def test_properties_that_are_not_known_at_all_leave_everything_open() -> None:
    made = cluster({})
    made.resource.body = {"location": "westeurope", "properties": OPEN}
    facts = facts_of(made, cloud="", features=[])
    stated = {name for name, fact in facts.known.items() if not isinstance(fact.value, Unknown)}
    assert not stated & {*DEFAULTS, "pod_network", "wireguard", "kms_private_vault"}


@pytest.mark.parametrize(
    ("location", "chosen", "cloud"),
    [
        ("westeurope", "", "public"),
        ("China North 3", "", "china"),
        ("usgovvirginia", "", "usgov"),
        ("usdodeast", "", "usgov"),
        ("", "", "public"),
        ("westeurope", "china", "china"),
        ("usgovtexas", "auto", "usgov"),
    ],
)
def test_the_cloud_is_as_chosen_else_by_the_location(location: str, chosen: str, cloud: str) -> None:
    assert cloud_of(location, chosen) == cloud


def test_a_location_that_is_not_known_leaves_the_region_open() -> None:
    assert of(location=OPEN).region is OPEN
    assert isinstance(of(location=None).region, Unknown)
    assert of(location="West Europe").region == "westeurope"


def test_a_resolver_of_the_platform_is_no_server_of_ones_own() -> None:
    for given in (("168.63.129.16",), ("AzureProvidedDNS",), ()):
        assert described(dns_servers=given).dns_servers == ()
    assert described(dns_servers=("10.0.0.4", "168.63.129.16")).dns_servers == ("10.0.0.4",)
    assert described(dns_servers=OPEN).dns_servers is OPEN


def test_a_feature_wins_over_the_definition() -> None:
    made = cluster({"securityProfile.defender.securityMonitoring.enabled": False})
    facts = facts_of(made, cloud="", features=["Defender"])
    assert facts.fact("defender") == Fact(True, "--feature defender")


def test_a_feature_that_nobody_knows_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UnknownFeatureError, match=r"no feature `gpus`.* acr, .*windows") as caught:
        described(features=["gpus"])
    assert all(name in str(caught.value) for name in FEATURES)


def test_an_option_that_describes_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="not described by `colour`"):
        described(colour="blue")


@pytest.mark.parametrize(
    ("plugin", "mode", "pod_subnet", "network"),
    [
        ("azure", "overlay", None, "overlay"),
        ("Azure", None, None, "node-subnet"),
        ("azure", None, "/subnet", "pod-subnet"),
        ("azure", None, Unknown("later", refers_to=(Reference("x"),)), "pod-subnet"),
        ("kubenet", None, None, "kubenet"),
        ("none", None, None, "own"),
        (None, None, None, "kubenet"),
    ],
)
def test_where_pods_have_their_addresses(plugin: Value, mode: Value, pod_subnet: Value, network: str) -> None:
    profile = {"networkProfile.networkPlugin": plugin, "networkProfile.networkPluginMode": mode}
    assert of({**profile, "pool.podSubnetID": pod_subnet}).fact("pod_network").value == network


@pytest.mark.parametrize(
    ("body", "gpu"),
    [
        ({"vmSize": "Standard_NC24ads_A100_v4"}, True),
        ({"vmSize": "standard_nd96isr_h100_v5"}, True),
        ({"vmSize": "Standard_NV6ads_A10_v5"}, True),
        ({"vmSize": "Standard_NV4as_v4"}, False),
        ({"vmSize": "Standard_ND96isr_MI300X_v5"}, False),
        ({"vmSize": "Standard_NP10s"}, False),
        ({"vmSize": "Standard_D4s_v5"}, False),
        ({}, False),
        ({"vmSize": "Standard_NC6s_v3", "gpuProfile": {"driver": "None"}}, False),
        ({"vmSize": "Standard_NC6s_v3", "gpuProfile": {"driver": "Install"}}, True),
        ({"virtualMachinesProfile": {"scale": {"manual": [{"size": "Standard_NC6s_v3", "count": 1}]}}}, True),
    ],
)
def test_which_pools_load_nvidia_drivers(body: dict[str, Value], gpu: bool) -> None:
    assert pool_facts("p", body).gpu is gpu


def test_an_open_size_or_driver_leaves_graphics_cards_open() -> None:
    assert isinstance(pool_facts("p", {"vmSize": OPEN}).gpu, Unknown)
    assert isinstance(
        pool_facts("p", {"vmSize": "Standard_NC6s_v3", "gpuProfile": {"driver": OPEN}}).gpu, Unknown
    )


@pytest.mark.parametrize(
    ("sku", "kind", "read"),
    [
        ("Ubuntu2204", None, "Ubuntu"),
        ("AzureLinux", None, "AzureLinux"),
        (None, "Windows", "Windows"),
        (None, None, "Ubuntu"),
    ],
)
def test_the_distribution_of_a_pool(sku: Value, kind: Value, read: str) -> None:
    assert pool_facts("p", {"osSKU": sku, "osType": kind}).os_sku == read


def test_local_dns_over_tcp() -> None:
    forced = {"vnetDNSOverrides": {".": {"protocol": "ForceTCP"}}}
    assert pool_facts("p", {"localDNSProfile": {"mode": "Required", **forced}}).dns_over_tcp is True
    assert pool_facts("p", {"localDNSProfile": {"mode": "Disabled", **forced}}).dns_over_tcp is False
    assert pool_facts("p", {"localDNSProfile": {"mode": OPEN, **forced}}).dns_over_tcp is OPEN
    assert pool_facts("p", {"localDNSProfile": OPEN}).dns_over_tcp is OPEN
    assert pool_facts("p", {}).dns_over_tcp is False


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("http://proxy.corp:3128/", ("proxy.corp", 3128)),
        ("http://user:secret@10.1.2.3:8080", ("10.1.2.3", 8080)),
        ("https://proxy.corp", ("proxy.corp", 443)),
        ("http://proxy.corp/", ("proxy.corp", 80)),
        ("http://[fd00::1]:3128", ("fd00::1", 3128)),
        ("http://user:half/secret@10.1.2.3:8080", ("10.1.2.3", 8080)),
        ("http://user:at@secret@10.1.2.3", ("10.1.2.3", 80)),
    ],
)
def test_a_proxy_by_its_url(url: str, read: tuple[str, int]) -> None:
    assert proxy_of({"httpProxy": url}).hosts == (read,)


def test_no_secret_of_a_proxy_reaches_the_table() -> None:
    facts = of({"httpProxyConfig.httpsProxy": "http://user:secret@10.1.2.3:8080"})
    assert "secret" not in str(facts.table())
    past = of(
        {"httpProxyConfig.httpProxy": "http://p:1", "httpProxyConfig.noProxy": ["http://user:secret@h"]}
    )
    assert "secret" not in str(past.table())


@pytest.mark.parametrize("port", ["65536", "99999999", "9" * 5000])
def test_a_proxy_with_a_port_that_is_none_has_no_address(port: str) -> None:
    proxy = proxy_of({"httpProxy": f"http://proxy.corp:{port}"})
    assert (proxy.on, proxy.hosts) == (True, ())


def test_a_proxy_that_is_switched_off_is_none() -> None:
    assert proxy_of({"enabled": False, "httpProxy": "http://p"}).on is False
    assert proxy_of({"noProxy": ["x"]}).on is False
    assert proxy_of(None).on is False
    assert proxy_of(OPEN).on is OPEN
    assert proxy_of({"httpProxy": OPEN}).on is True


@pytest.mark.parametrize(
    ("entry", "name", "past"),
    [
        ("mcr.microsoft.com", "mcr.microsoft.com", True),
        (".microsoft.com", "mcr.microsoft.com", True),
        ("microsoft.com", "*.data.mcr.microsoft.com", True),
        ("*", "anything.example", True),
        ("osoft.com", "mcr.microsoft.com", False),
        ("10.0.0.0/8", "mcr.microsoft.com", False),
        ("eastus.data.mcr.microsoft.com", "*.data.mcr.microsoft.com", None),
    ],
)
def test_what_noproxy_excepts(entry: str, name: str, past: bool | None) -> None:
    said = proxy_of({"httpProxy": "http://p", "noProxy": [entry]}).excepts(name)
    assert isinstance(said, Unknown) if past is None else said is past


def test_a_list_of_exceptions_that_is_not_known_leaves_it_open() -> None:
    assert proxy_of({"httpProxy": "http://p", "noProxy": OPEN}).excepts("a.b") is OPEN
    half = proxy_of({"httpProxy": "http://p", "noProxy": ["a.b", OPEN]})
    assert half.excepts("a.b") is True
    assert half.excepts("c.d") is OPEN


def test_the_table_names_every_fact_and_its_origin() -> None:
    facts = facts_of(
        cluster({"networkProfile.outboundType": OPEN}, extensions=[extension("microsoft.flux")]),
        cloud="",
        features=["gpu"],
    )
    rows = {name: (value, where) for name, value, where in facts.table()}
    assert rows["api_access"] == ("public", "default")
    assert rows["outbound_type"] == ("not known: known after apply", "properties.networkProfile.outboundType")
    assert rows["region"] == ("westeurope", "location")
    assert rows["flux"] == ("yes", "extensions of the cluster")
    assert rows["gpu_pool"] == ("yes", "--feature gpu")
    assert rows["acr_public"] == ("no", "not part of a cluster's definition, taken as no")
    assert set(facts.known) <= set(rows)
    assert all(name and value and where for name, (value, where) in rows.items())


def test_the_pods_range_is_told_where_pods_have_one() -> None:
    assert of().fact("pod_cidr") == Fact("10.244.0.0/16", "default")
    given = of(
        {
            "networkProfile": {
                "networkPlugin": "azure",
                "networkPluginMode": "overlay",
                "podCidr": "10.8.0.0/14",
            }
        }
    )
    assert given.fact("pod_cidr") == Fact("10.8.0.0/14", "properties.networkProfile.podCidr")
    assert "pod_cidr" not in of({"networkProfile.networkPlugin": "azure"}).known
