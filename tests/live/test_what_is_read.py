"""Every kind of resource that is collected decides, and decides nothing where it may not be read.

Each network runs on the server; the SDKs collect it, the snapshot is judged.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest

pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")

from tests import builders as b
from tests import pictures as p
from tests.live.azure import Azure
from tests.live.test_collect import judged, picture, tunnel

from aks_egress.evaluation.verdicts import Verdict
from aks_egress_scan.live import queries

Json = dict[str, Any]
OPEN, BLOCKED, UNKNOWN = Verdict.OPEN, Verdict.BLOCKED, Verdict.UNKNOWN
DENY = b.rule("deny", 200, "Deny")
INSIDE = b.rule("inside", 100, "Allow", "VirtualNetwork")


def azure(*rows: Json) -> Azure:
    return Azure([{"id": b.rid(one["type"], *one["name"].split("/"))} | one for one in copy.deepcopy(rows)])


def spoke(*rows: Json, outbound: str = "loadBalancer", **subnet: Any) -> list[Json]:
    """A cluster whose nodes live in one subnet."""
    network = b.vnet("net", "10.1.0.0/16", b.subnet("nodes", "10.1.0.0/22", **subnet))
    return [network, b.cluster("nodes", outbound=outbound), *rows]


def behind(*rows: Json, firewall: Json | None = None) -> list[Json]:
    """A spoke behind the firewall of a hub."""
    own = "fw-t" if any(one["name"] == "fw-t" for one in rows) else ""
    hub = b.vnet(
        "hub",
        "10.9.0.0/16",
        b.subnet("AzureFirewallSubnet", "10.9.0.0/26", table=own),
        peerings=[b.peering("net")],
    )
    network = b.vnet(
        "net", "10.1.0.0/16", b.subnet("nodes", "10.1.0.0/22", table="t"), peerings=[b.peering("hub")]
    )
    way = b.table("t", b.route("default", "0.0.0.0/0", "VirtualAppliance", "10.9.0.4"))
    return [hub, network, way, firewall or b.firewall(), b.cluster("nodes"), *rows]


WEB = b.network_rule("web", "TCP", "*", "443")
BY_GROUP = {
    "ruleType": "NetworkRule",
    "name": "by-group",
    "ipProtocols": ["TCP"],
    "sourceIpGroups": [b.rid("ipGroups", "spokes")],
    "destinationAddresses": ["*"],
    "destinationPorts": ["443"],
}
CLASSIC = {
    "name": "classic",
    "properties": {
        "priority": 100,
        "action": {"type": "Allow"},
        "rules": [
            {
                "name": "by-group",
                "protocols": ["TCP"],
                "sourceIpGroups": [b.rid("ipGroups", "spokes")],
                "destinationAddresses": ["*"],
                "destinationPorts": ["443"],
            }
        ],
    },
}


def rules(policy: str, *found: Json) -> Json:
    return b.rules_of(f"{policy}/aks", 200, b.collection("c", 100, "Allow", *found))


def spokes(prefix: str) -> Json:
    return b.resource("ipGroups", "spokes", {"ipAddresses": [prefix]})


def child(name: str) -> Json:
    return b.policy("policy", basePolicy={"id": b.rid("firewallPolicies", name)})


def addressed(*names: str) -> Json:
    ids = [{"id": b.rid("publicIPAddresses", one)} for one in names]
    return b.resource("natGateways", "nat", {"publicIpAddresses": ids})


#: what decides -> (the network that is sound, the network that is not, the verdict of that)
DECIDES: dict[str, tuple[Sequence[Json], Sequence[Json], Verdict]] = {
    "networkSecurityGroups": (
        spoke(b.nsg("g"), nsg="g"),
        spoke(b.nsg("g", INSIDE, DENY), nsg="g"),
        BLOCKED,
    ),
    "networkSecurityGroups of interfaces": (
        spoke(b.nsg("g"), b.scale_set("pool0", "g")),
        spoke(b.nsg("g", INSIDE, DENY), b.scale_set("pool0", "g")),
        BLOCKED,
    ),
    "routeTables": (
        spoke(b.table("t"), table="t"),
        spoke(b.table("t", b.route("none", "0.0.0.0/0", "None")), table="t"),
        BLOCKED,
    ),
    "routeTables of a firewall": (
        behind(b.policy(), rules("policy", WEB), b.table("fw-t")),
        behind(b.policy(), rules("policy", WEB), b.table("fw-t", b.route("none", "0.0.0.0/0", "None"))),
        BLOCKED,
    ),
    "natGateways": (
        spoke(addressed("one"), outbound="userAssignedNATGateway", nat="nat"),
        spoke(addressed(), outbound="userAssignedNATGateway", nat="nat"),
        BLOCKED,
    ),
    "firewallPolicies": (
        behind(child("parent"), b.policy("parent"), rules("policy"), rules("parent", WEB)),
        behind(child("parent"), b.policy("parent"), rules("policy"), rules("parent")),
        BLOCKED,
    ),
    "ipGroups": (
        behind(b.policy(), rules("policy", BY_GROUP), spokes("10.1.0.0/16")),
        behind(b.policy(), rules("policy", BY_GROUP), spokes("10.2.0.0/16")),
        BLOCKED,
    ),
    "ipGroups of a firewall without a policy": (
        behind(spokes("10.1.0.0/16"), firewall=b.firewall(policy="", networkRuleCollections=[CLASSIC])),
        behind(spokes("10.2.0.0/16"), firewall=b.firewall(policy="", networkRuleCollections=[CLASSIC])),
        BLOCKED,
    ),
}


@pytest.mark.parametrize("what", DECIDES)
def test_it_decides(what: str) -> None:
    sound, other, verdict = DECIDES[what]
    assert tunnel(picture(azure(*sound))) is OPEN
    assert tunnel(picture(azure(*other))) is verdict


LAST = {"firewallPolicies": "parent", "routeTables of a firewall": "fw-t"}


@pytest.mark.parametrize("what", DECIDES)
def test_where_it_may_not_be_read_nothing_is_decided(what: str) -> None:
    """Left out by Resource Graph without a word, and refused when asked for by itself."""
    kind = what.split(maxsplit=1)[0]
    cloud = azure(*DECIDES[what][0])
    wanted = f"/{kind}/{LAST.get(what, '')}".casefold()
    cloud.hidden = {key for key in cloud.resources if wanted in key}
    cloud.refused = [wanted]
    snapshot = picture(cloud)
    assert tunnel(snapshot) is UNKNOWN
    assert {one.permission for one in snapshot.unread} == {f"Microsoft.Network/{kind}/read"}


def test_pools_whose_scale_sets_nobody_may_see_are_undecided() -> None:
    """Rights over the cluster's own resource group alone: what is on its nodes' interfaces is not known."""
    rows = spoke(b.nsg("g"), b.scale_set("pool0", "g"))
    rows[1]["properties"]["nodeResourceGroup"] = "NET"
    seen, unseen = azure(*rows), azure(*rows)
    unseen.hidden = {key for key in unseen.resources if "/virtualmachinescalesets/" in key}
    assert tunnel(picture(seen)) is OPEN
    snapshot = picture(unseen)
    (one,) = snapshot.unread
    assert one.permission == "Microsoft.Compute/virtualMachineScaleSets/read"
    assert one.grant.startswith("az role assignment create")
    assert tunnel(snapshot) is UNKNOWN
    said = " ".join(one.message for one in judged(snapshot).findings)
    assert "no scale set of this pool can be seen in `NET`" in said


def test_pools_that_are_no_scale_sets_have_none_to_be_seen() -> None:
    rows = spoke()
    rows[1]["properties"]["nodeResourceGroup"] = "nodes"
    rows[1]["properties"]["agentPoolProfiles"][0]["type"] = "VirtualMachines"
    assert picture(azure(*rows)).unread == []


def admin_rule(name: str, access: str, priority: int) -> Json:
    manager = f"{b.SCOPE}/providers/Microsoft.Network/networkManagers/m"
    anywhere = [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}]
    return {
        "id": f"{manager}/securityAdminConfigurations/c/ruleCollections/rc/rules/{name}",
        "kind": "Custom",
        "properties": {
            "access": access,
            "direction": "Outbound",
            "priority": priority,
            "protocol": "Any",
            "sources": anywhere,
            "destinations": anywhere,
            "sourcePortRanges": ["0-65535"],
            "destinationPortRanges": ["0-65535"],
        },
        "ruleCollectionAppliesToGroups": [{"networkGroupId": f"{manager}/networkGroups/all"}],
    }


@pytest.mark.parametrize(
    ("admin", "group", "verdict"),
    [
        ("AlwaysAllow", (INSIDE, DENY), OPEN),
        ("Allow", (INSIDE, DENY), BLOCKED),
        ("Deny", (), BLOCKED),
    ],
)
def test_admin_rules_in_effect_come_before_security_groups(
    admin: str, group: tuple[Json, ...], verdict: Verdict
) -> None:
    """AlwaysAllow and Deny end the matter, Allow leaves it to the security group."""
    cloud = azure(*spoke(b.nsg("g", *group), nsg="g"))
    cloud.admin_rules[b.rid("virtualNetworks", "net").casefold()] = [admin_rule("a", admin, 10)]
    assert tunnel(picture(cloud)) is verdict


def test_admin_rules_come_in_pages() -> None:
    """The one that decides stands on the last."""
    cloud = azure(*spoke(b.nsg("g", INSIDE, DENY), nsg="g"))
    cloud.page = 2
    harmless = [admin_rule(f"a{i}", "Allow", 100 + i) for i in range(4)]
    cloud.admin_rules[b.rid("virtualNetworks", "net").casefold()] = [
        *harmless,
        admin_rule("z", "AlwaysAllow", 10),
    ]
    assert tunnel(picture(cloud)) is OPEN


@pytest.mark.parametrize(("member", "verdict"), [("aks-nodes", OPEN), ("others", BLOCKED)])
def test_the_application_security_groups_of_pools_decide(member: str, verdict: Verdict) -> None:
    """Only members of `aks-nodes` may go out."""
    allow = b.rule("out", 110, "Allow", sourceApplicationSecurityGroups=b.groups("aks-nodes"))
    del allow["properties"]["sourceAddressPrefix"]
    rows = spoke(b.nsg("g", INSIDE, allow, DENY), nsg="g")
    pool = rows[1]["properties"]["agentPoolProfiles"][0]
    pool["networkProfile"] = {"applicationSecurityGroups": [b.rid("applicationSecurityGroups", member)]}
    found = [b.resource("applicationSecurityGroups", one, {}) for one in ("aks-nodes", "others")]
    assert tunnel(picture(azure(*rows, *found))) is verdict


HUB = b.rid("virtualHubs", "wan")


def to_hub(**properties: Any) -> Json:
    """The spoke's side of a connection: a peering with a network that Microsoft keeps and nobody may read."""
    hidden = "/subscriptions/ffffffff-0000-0000-0000-000000000001/resourceGroups/RG_wan_1/providers"
    given: Json = {
        "remoteVirtualNetwork": {"id": f"{hidden}/Microsoft.Network/virtualNetworks/HV_wan_1"},
        "remoteAddressSpace": {"addressPrefixes": ["10.100.0.0/23"]},
        "allowVirtualNetworkAccess": True,
        "allowForwardedTraffic": True,
        "useRemoteGateways": True,
        "peeringState": "Connected",
    }
    return {"name": "RemoteVnetToHubPeering_1", "properties": given | properties}


def secured(*found: Json, internet: bool = True, **side: Any) -> Azure:
    """A spoke that a Virtual WAN hub connects, whose routing intent leads to a firewall in the hub."""
    firewall = b.resource(
        "azureFirewalls",
        "fw",
        {
            "sku": {"name": "AZFW_Hub", "tier": "Standard"},
            "virtualHub": {"id": HUB},
            "firewallPolicy": {"id": b.rid("firewallPolicies", "policy")},
            "hubIPAddresses": {"privateIPAddress": "10.100.0.4", "publicIPs": {"count": 1}},
        },
    )
    wan = b.resource("virtualHubs", "wan", {"addressPrefix": "10.100.0.0/23", "routingState": "Provisioned"})
    rows = spoke(firewall, wan, b.policy(), rules("policy", *found))
    rows[0]["properties"]["virtualNetworkPeerings"] = [to_hub(**side)]
    cloud = azure(*rows)
    connection = {
        "id": f"{HUB}/hubVirtualNetworkConnections/net",
        "properties": {
            "remoteVirtualNetwork": {"id": b.rid("virtualNetworks", "net")},
            "enableInternetSecurity": internet,
        },
    }
    policy = {"name": "Internet", "destinations": ["Internet"], "nextHop": b.rid("azureFirewalls", "fw")}
    intent = {"id": f"{HUB}/routingIntent/intent", "properties": {"routingPolicies": [policy]}}
    cloud.children[f"{HUB}/hubVirtualNetworkConnections".casefold()] = [connection]
    cloud.children[f"{HUB}/routingIntent".casefold()] = [intent]
    return cloud


def test_the_firewall_of_a_secured_hub_decides() -> None:
    assert tunnel(picture(secured(WEB))) is OPEN
    assert tunnel(picture(secured())) is BLOCKED


@pytest.mark.parametrize("gateways", [True, False])
@pytest.mark.parametrize("kind", ["hubVirtualNetworkConnections", "routingIntent"])
def test_a_hub_of_which_a_part_may_not_be_read_decides_nothing(kind: str, gateways: bool) -> None:
    cloud = secured(useRemoteGateways=gateways)
    cloud.refused = [f"/{kind}"]
    snapshot = picture(cloud)
    assert snapshot.unread[0].permission == f"Microsoft.Network/virtualHubs/{kind}/read"
    assert tunnel(snapshot) is UNKNOWN


@pytest.mark.parametrize("gateways", [True, False])
def test_a_hub_that_nobody_showed_decides_nothing_and_is_asked_for(gateways: bool) -> None:
    """It lives in a subscription that was not named; the spoke's peering tells that there is one."""
    cloud = azure(*spoke())
    network = cloud.resources[b.rid("virtualNetworks", "net").casefold()]
    network["properties"]["virtualNetworkPeerings"] = [to_hub(useRemoteGateways=gateways)]
    snapshot = picture(cloud)
    (one,) = snapshot.unread
    assert "name the subscription of the hub as well" in one.why
    assert tunnel(snapshot) is UNKNOWN


def test_public_addresses_of_ones_own_are_nobody_elses_endpoints() -> None:
    """The firewall's goes straight to the Internet, as Microsoft's example has it: shown, that is no assumption."""
    at = {"ipConfiguration": {"id": f"{b.rid('azureFirewalls', 'fw')}/azureFirewallIpConfigurations/a"}}
    own = b.resource("publicIPAddresses", "pip", {"ipAddress": "20.42.0.9"} | at)
    rows = behind(b.policy(), rules("policy", WEB))
    rows[2]["properties"]["routes"].append(b.route("own", "20.42.0.9/32", "Internet"))
    shown, unseen = judged(picture(azure(*rows, own))), judged(picture(azure(*rows)))
    assert {one.clusters[0].tunnel.verdict for one in (shown, unseen)} == {OPEN}
    said = [
        "20.42.0.9/32, which a route leads straight" in str(one.clusters[0].flows) for one in (shown, unseen)
    ]
    assert said == [False, True]


def test_both_halves_of_a_peering_decide() -> None:
    """The way to the hub's firewall; the far half may be another tenant's, so without it nobody knows."""
    sound = behind(b.policy(), rules("policy", WEB))
    for half, verdict in ((0, UNKNOWN), (1, BLOCKED)):
        rows = copy.deepcopy(sound)
        rows[half]["properties"]["virtualNetworkPeerings"] = []
        assert tunnel(picture(azure(*rows))) is verdict


@pytest.mark.parametrize(
    ("kind", "properties", "asked"),
    [
        ("extensions", {"extensionType": "microsoft.flux"}, "azurearcfork8s.azurecr.io"),
        ("fluxConfigurations", {"gitRepository": {"url": "https://git.example.net/shop"}}, "git.example.net"),
    ],
)
def test_extensions_and_flux_say_which_endpoints_a_cluster_needs(
    kind: str, properties: Json, asked: str
) -> None:
    own = b.rid("Microsoft.ContainerService/managedClusters", "aks")
    kind = f"Microsoft.KubernetesConfiguration/{kind}"
    extension = b.resource(kind, "flux", properties) | {"id": f"{own}/providers/{kind}/flux"}
    plain, with_it = (judged(picture(azure(*spoke(), *more))) for more in ((), (extension,)))
    values = [{flow.destination.value for flow in one.clusters[0].flows} for one in (plain, with_it)]
    assert asked not in values[0]
    assert asked in values[1]


def linked(*networks: str) -> list[str]:
    """The findings on a private cluster whose nodes ask a DNS server in the hub, to which its zone is linked or not."""
    zone = "privateDnsZones/virtualNetworkLinks"
    name = "privatelink.eastus.azmk8s.io"
    links = [
        b.resource(zone, f"{name}/{one}", {"virtualNetwork": {"id": b.rid("virtualNetworks", one)}})
        for one in networks
    ]
    hub = b.vnet("hub", "10.9.0.0/16", b.subnet("dns", "10.9.1.0/24"), peerings=[b.peering("net")])
    net = b.vnet(
        "net", "10.1.0.0/16", b.subnet("nodes", "10.1.0.0/22"), peerings=[b.peering("hub")], dns=["10.9.1.4"]
    )
    access = {
        "enablePrivateCluster": True,
        "privateDNSZone": b.rid("privateDnsZones", name),
    }
    cluster = b.cluster("nodes", outbound="loadBalancer", apiServerAccessProfile=access)
    rows = [hub, net, cluster, b.resource("privateDnsZones", name, {}), *links]
    return [one.rule for one in judged(picture(azure(*rows))).findings]


def test_links_of_the_private_zone_decide_over_names() -> None:
    assert "EGR601" in linked("net")
    assert "EGR601" not in linked("net", "hub")


def running(*kept: Json, pool: Json | None = None, access: Json | None = None) -> Verdict:
    """The verdict of a cluster that runs, with what AKS keeps in its node resource group."""
    apart = b.subnet("endpoints", "10.1.8.0/24", nsg="shut", privateEndpointNetworkPolicies="Enabled")
    nodes = b.subnet("nodes", "10.1.0.0/22")
    inbound = b.nsg("shut", b.rule("shut", 100, "Deny", to="10.1.8.7", direction="Inbound"))
    cluster = p.cluster(
        "nodes", outbound="loadBalancer", **({"apiServerAccessProfile": access} if access else {})
    )
    cluster["properties"]["agentPoolProfiles"][0] |= pool or {}
    scale_set = p.kept_by_aks("Microsoft.Compute/virtualMachineScaleSets", "vmss", {})
    scale_set["tags"] = {"aks-managed-poolName": "pool0"}
    rows = [b.vnet("net", "10.1.0.0/16", nodes, apart), inbound, cluster, scale_set, *kept]
    return tunnel(picture(azure(*rows)))


def balancer(*outbound: Json, **service: Any) -> Json:
    """AKS's load balancer with a public frontend, and the rule of a service."""
    front = {"name": "out", "properties": {"publicIPAddress": {"id": p.node_id("publicIPAddresses", "pip")}}}
    properties = {"frontendIPConfigurations": [front], "outboundRules": list(outbound)}
    properties["loadBalancingRules"] = [{"name": "web", "properties": {"protocol": "Tcp", **service}}]
    return p.kept_by_aks("loadBalancers", "kubernetes", properties, sku={"name": "Standard"})


def test_outbound_rules_and_rules_of_services_of_the_load_balancer_decide() -> None:
    to = [{"id": p.node_id("loadBalancers/frontendIPConfigurations", "kubernetes", "out")}]
    rule = {"name": "aks", "properties": {"protocol": "All", "frontendIPConfigurations": to}}
    assert running(balancer(rule, disableOutboundSnat=True)) is OPEN
    assert running(balancer(disableOutboundSnat=True)) is BLOCKED
    assert running(balancer(disableOutboundSnat=False)) is UNKNOWN


@pytest.mark.parametrize(("on", "verdict"), [("a", OPEN), ("shut", BLOCKED)])
def test_interfaces_of_nodes_that_are_virtual_machines_decide_which_group_is_on_them(
    on: str, verdict: Verdict
) -> None:
    groups = [
        p.kept_by_aks("networkSecurityGroups", name, {"securityRules": rules})
        for name, rules in (("a", []), ("shut", [INSIDE, DENY]))
    ]
    machine = p.node_id("Microsoft.Compute/virtualMachines", "aks-pool0-12345678-vms0")
    card = {"virtualMachine": {"id": machine}}
    card["networkSecurityGroup"] = {"id": p.node_id("networkSecurityGroups", on)}
    kept = [*groups, p.kept_by_aks("networkInterfaces", "aks-pool0-nic-0", card)]
    assert running(*kept, pool={"type": "VirtualMachines"}) is verdict
    assert running(*groups, pool={"type": "VirtualMachines"}) is UNKNOWN
    assert "contains '/virtualMachines/aks-'" in queries.networks()


@pytest.mark.parametrize(("address", "verdict"), [("10.1.8.7", BLOCKED), ("10.1.8.8", OPEN)])
def test_the_private_endpoint_of_the_api_server_decides(address: str, verdict: Verdict) -> None:
    names = [{"fqdn": "a.privatelink.eastus.azmk8s.io", "ipAddresses": [address]}]
    there = {"subnet": {"id": b.subnet_id("net", "endpoints")}, "customDnsConfigs": names}
    endpoint = p.kept_by_aks("privateEndpoints", "kube-apiserver", there)
    assert running(endpoint, access={"enablePrivateCluster": True}) is verdict
