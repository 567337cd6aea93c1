"""The catalogue bound to a cluster: destinations filled in, one requirement for each."""

from __future__ import annotations

import pytest
from tests.unit.requirements_clusters import SCOPE, bound, cluster, extension, needs, the

from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Resource
from aks_egress.records import replace
from aks_egress.requirements.catalogue import load
from aks_egress.requirements.facts import described, facts_of
from aks_egress.values import Origin, Unknown

OPEN = Unknown("known after apply")
PRIVATE, INTEGRATED = (
    "apiServerAccessProfile.enablePrivateCluster",
    "apiServerAccessProfile.enableVnetIntegration",
)
PLUGIN, MODE = "networkProfile.networkPlugin", "networkProfile.networkPluginMode"


# names and tags


@pytest.mark.parametrize(
    ("location", "names"),
    [
        ("westeurope", ["*.hcp.westeurope.azmk8s.io"]),
        ("West Europe", ["*.hcp.westeurope.azmk8s.io"]),
        (
            "chinaeast2",
            ["*.hcp.chinaeast2.cx.prod.service.azk8s.cn", "*.tun.chinaeast2.cx.prod.service.azk8s.cn"],
        ),
        ("usgovvirginia", ["*.hcp.usgovvirginia.cx.aks.containerservice.azure.us"]),
    ],
)
def test_the_api_servers_name_in_every_cloud(location: str, names: list[str]) -> None:
    found = [one for one in needs(location=location) if one.role == "tunnel" and one.kind == "fqdn"]
    assert [one.value for one in found] == names
    assert all(one.mutual_tls and one.layer7 == "https" and one.ports == ((443, 443),) for one in found)


@pytest.mark.parametrize(
    ("location", "value"),
    [
        ("chinanorth3", "*.privatelink.chinanorth3.cx.prod.service.azk8s.cn"),
        ("usgovtexas", "*.privatelink.usgovtexas.cx.aks.containerservice.azure.us"),
    ],
)
def test_the_private_name_in_other_clouds(location: str, value: str) -> None:
    found = needs({PRIVATE: True}, location=location)
    assert next(one.value for one in found if one.role == "tunnel") == value


@pytest.mark.parametrize(
    ("location", "tag"),
    [
        ("norwayeast", "AzureCloud.norwaye"),
        ("Germany West Central", "AzureCloud.germanywc"),
        ("francecentral", "AzureCloud.centralfrance"),
        ("switzerlandnorth", "AzureCloud.switzerlandn"),
        ("brazilsoutheast", "AzureCloud.brazilse"),
        ("chilecentral", "AzureCloud.chilec"),
        ("westeurope", "AzureCloud.westeurope"),
    ],
)
def test_irregular_regions_have_tags_of_their_own_but_plain_names(location: str, tag: str) -> None:
    found = needs(location=location, tunnel="aks-link")
    region = location.replace(" ", "").casefold()
    assert the(found, "public-tunnel-aks-link-udp-1194").value == tag
    server = the(found, "public-api-server-fqdn")
    assert (server.value, server.lies_in) == (f"*.hcp.{region}.azmk8s.io", (tag,))


def test_an_unknown_region_stays_a_placeholder_and_says_so() -> None:
    found = needs(location=OPEN, tunnel="aks-link")
    server, tunnel = the(found, "public-api-server-fqdn"), the(found, "public-tunnel-aks-link-udp-1194")
    assert (server.value, server.name, server.lies_in) == (
        "*.hcp.{region}.azmk8s.io",
        "*.azmk8s.io",
        ("AzureCloud",),
    )
    assert (tunnel.value, tunnel.lies_in) == ("AzureCloud.{region}", ("AzureCloud",))
    for one in (server, tunnel):
        assert one.assumptions == ("the region is not known: known after apply",)


def test_nothing_else_keeps_a_placeholder_where_the_region_is_known() -> None:
    every = described(location="westeurope", features=["monitoring", "extensions", "flux", "acr", "blob-nfs"])
    for one in bound(every):
        assert "{" not in one.name
        assert "{" not in "".join(one.lies_in)
        assert ("{" in one.value) == bool(one.assumptions), one


def test_a_name_that_is_known_is_used() -> None:
    server = the(needs({"fqdn": "aks-1.hcp.westeurope.azmk8s.io"}), "public-api-server-fqdn")
    assert (server.value, server.name) == ("*.hcp.westeurope.azmk8s.io", "aks-1.hcp.westeurope.azmk8s.io")


def test_an_address_of_the_api_server_that_is_known_is_used() -> None:
    found = needs(api_server_address="20.1.2.3")
    assert {one.id for one in found if one.addresses == ("20.1.2.3",)} == {
        "public-api-server-fqdn",
        "public-api-server-ip-tcp-443",
    }


def test_both_tags_of_microsofts_registry_are_asked_for() -> None:
    assert the(needs(), "mcr-registry").lies_in == ("MicrosoftContainerRegistry", "AzureFrontDoor.FirstParty")


def test_a_tag_that_nobody_verified_is_left_out() -> None:
    assert the(needs(), "packages-aks").lies_in == ()


def test_the_fqdn_tag_is_yes_no_or_not_documented() -> None:
    found = needs(features=["defender"])
    assert the(found, "mcr-registry").in_fqdn_tag is True
    assert the(found, "mcr-oauth-observed").in_fqdn_tag is False
    defender = {one.value: one.in_fqdn_tag for one in found if one.id == "defender-public"}
    assert defender.pop("login.microsoftonline.com") is True  # as another entry says of that very name
    assert set(defender.values()) == {None}


# servers, proxies, registries, sources of Flux


def test_each_dns_server_is_a_requirement() -> None:
    found = needs(dns_servers=("10.0.0.4", "10.0.0.5"))
    for entry_id, protocol in (("public-custom-dns-udp-53", "UDP"), ("dns-tcp-53-fallback", "TCP")):
        servers = [one for one in found if one.id == entry_id]
        assert [(one.kind, one.value, one.addresses, one.protocol) for one in servers] == [
            ("ip", "10.0.0.4", ("10.0.0.4",), protocol),
            ("ip", "10.0.0.5", ("10.0.0.5",), protocol),
        ]


def test_dns_servers_that_are_not_known_leave_it_open() -> None:
    server = the(needs(dns_servers=OPEN), "public-custom-dns-udp-53")
    assert (server.needed, server.kind, server.value, server.addresses) == (OPEN, "ip", "{custom_dns_ip}", ())


def test_dns_over_tcp_is_required_where_local_dns_forces_it() -> None:
    forced = {"mode": "Required", "vnetDNSOverrides": {".": {"protocol": "ForceTCP"}}}
    servers = ("10.0.0.4",)
    assert the(needs(dns_servers=servers), "dns-tcp-53-fallback").necessity == "recommended"
    found = needs({"pool.localDNSProfile": forced}, dns_servers=servers)
    assert the(found, "dns-tcp-53-fallback").necessity == "required"
    unsure = the(needs({"pool.localDNSProfile": OPEN}, dns_servers=servers), "dns-tcp-53-fallback")
    assert unsure.necessity == "recommended"
    assert unsure.doubts == ("it may be required: known after apply",)


def test_clients_go_through_the_proxy_except_to_the_api_server() -> None:
    found = needs(
        {"httpProxyConfig": {"httpsProxy": "http://10.1.2.3:3128", "noProxy": ["management.azure.com"]}}
    )
    proxy = the(found, "http-proxy-host")
    assert (proxy.kind, proxy.value, proxy.addresses, proxy.ports) == (
        "ip",
        "10.1.2.3",
        ("10.1.2.3",),
        ((3128, 3128),),
    )
    assert the(found, "mcr-registry").via_proxy
    assert not the(found, "public-api-server-fqdn").via_proxy
    assert not the(found, "arm-public").via_proxy
    assert not the(found, "tunnel-agent-to-kubelet").via_proxy
    assert not any(one.via_proxy for one in needs())


def test_a_proxy_that_may_be_there_is_a_doubt() -> None:
    registry = the(needs({"httpProxyConfig": OPEN}), "mcr-registry")
    assert registry.via_proxy
    assert registry.doubts == ("whether this goes through the HTTP proxy is not known: known after apply",)


def test_a_proxy_by_name_has_no_address() -> None:
    proxy = the(needs({"httpProxyConfig.httpProxy": "http://proxy.corp:3128"}), "http-proxy-host")
    assert (proxy.kind, proxy.name, proxy.addresses) == ("ip", "proxy.corp", ())
    assert proxy.assumptions


def test_an_isolated_cluster_needs_its_registry_and_none_of_microsofts() -> None:
    registry = f"{SCOPE}/providers/Microsoft.ContainerRegistry/registries/ours"
    found = needs(
        {"bootstrapProfile": {"artifactSource": "Cache", "containerRegistryId": registry}, PRIVATE: True}
    )
    assert {one.value for one in found if one.id == "network-isolated-acr"} == {
        "ours.azurecr.io",
        "ours.westeurope.data.azurecr.io",
    }
    assert not {one.id for one in found} & {
        "mcr-registry",
        "arm-public",
        "entra-public",
        "pmc",
        "packages-aks",
    }


def test_flux_asks_for_the_hosts_of_its_sources() -> None:
    urls = ["https://git.corp/team/repo", "git@ssh.corp:team/repo.git"]
    kind = "Microsoft.KubernetesConfiguration/fluxConfigurations"
    scope = f"{SCOPE}/providers/Microsoft.ContainerService/managedClusters/aks"
    beside = [
        Resource(
            ResourceId.of(scope, kind, f"flux{i}"),
            Origin("aks.json"),
            {"properties": {"gitRepository": {"url": url}}},
        )
        for i, url in enumerate(urls)
    ]
    found = bound(facts_of(cluster({}, beside=beside), cloud="", features=[]))
    assert [one.value for one in found if one.id == "flux-gitops"][-2:] == ["git.corp", "ssh.corp"]


def test_flux_without_a_source_in_sight_leaves_its_host_open() -> None:
    made = cluster({}, extensions=[extension("microsoft.flux")])
    host = next(one for one in bound(facts_of(made, cloud="", features=[])) if one.value == "{git_host}")
    assert isinstance(host.needed, Unknown)


def test_an_entry_that_refers_to_another_has_its_destinations() -> None:
    asked = [one for one in needs(features=["istio"]) if one.id == "istio-addon"]
    assert [(one.value, one.lies_in) for one in asked] == [("*.vault.azure.net", ("AzureKeyVault",))]
    asked = [one for one in needs(features=["istio"], location="usgovvirginia") if one.id == "istio-addon"]
    assert [one.value for one in asked] == ["*.vault.usgovcloudapi.net"]


def test_a_destination_of_another_cloud_is_left_out() -> None:
    for location, host in (
        ("westeurope", "login.microsoftonline.com"),
        ("chinanorth3", "login.chinacloudapi.cn"),
    ):
        found = needs(features=["workload-identity"], location=location)
        assert [one.value for one in found if one.id == "workload-identity-login"] == [host]


# the whole list


def test_requirements_come_in_the_order_of_the_catalogue() -> None:
    order = [one.id for one in load().entries]
    places = [order.index(one.id) for one in needs(features=["monitoring", "defender", "windows"])]
    assert places == sorted(places)


def test_entries_that_are_judged_elsewhere_or_not_at_all_make_no_requirement() -> None:
    silent = {one.id for one in load().entries if one.counted_in or one.not_judged}
    every = described(location="westeurope", features=["monitoring", "windows"])
    assert silent
    assert not silent & {one.id for one in bound(every)}


def test_every_requirement_has_a_page() -> None:
    for location in ("westeurope", "chinanorth3", "usgovvirginia"):
        assert all(one.source.startswith("https://") for one in needs(location=location))


def test_platform_addresses_name_the_tag_that_can_stop_them() -> None:
    found = [one for one in needs() if one.role == "platform"]
    assert {(one.addresses, one.protocol, one.ports, one.platform_tag) for one in found} == {
        (("168.63.129.16",), "UDP", ((53, 53),), "AzurePlatformDNS"),
        (("168.63.129.16",), "TCP", ((53, 53),), "AzurePlatformDNS"),
        (("169.254.169.254",), "TCP", ((80, 80),), "AzurePlatformIMDS"),
    }


def test_only_windows_pools_need_what_windows_needs() -> None:
    pools = [{"name": "sys", "mode": "System"}, {"name": "win", "osType": "Windows"}]
    found = needs({"agentPoolProfiles": pools})
    assert {one.pools for one in found if one.id == "windows-http"} == {("win",)}
    assert the(found, "mcr-registry").pools is None


def test_settling_an_open_value_only_narrows_the_list() -> None:
    """What an open definition may need holds everything that either settlement needs."""
    open_ = {(one.id, one.value) for one in needs({PRIVATE: OPEN})}
    for settled in (True, False):
        sure = needs({PRIVATE: settled})
        assert {(one.id, one.value) for one in sure} <= open_


def test_requirements_are_values() -> None:
    first, again = needs(), needs()
    assert first == again
    assert hash(replace(first[0], needed=True)) == hash(replace(again[0], needed=True))
