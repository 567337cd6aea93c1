"""Networks that look open and are not, or that nobody can know to be: through the command line, as ARM templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests import builders as b
from tests.terminal import scan, verdicts

ADDRESS = "10.9.0.4"
GIVEN: dict[str, Any] = {"given": {"type": "string"}, "either": {"type": "bool"}}
GIVEN_TEXT, EITHER = "[parameters('given')]", "[parameters('either')]"
AKS = (
    b.collection(
        "net",
        100,
        "Allow",
        b.network_rule("api", "TCP", "AzureCloud.eastus", ["443", "9000"]),
        b.network_rule("tunnel", "UDP", "AzureCloud.eastus", "1194"),
    ),
    b.collection("names", 200, "Allow", b.application_rule("aks", fqdnTags=["AzureKubernetesService"])),
)
EVERYTHING = b.collection("net", 100, "Allow", b.network_rule("all", "Any", "*", "*"))
DENY_443 = b.collection("net", 100, "Deny", b.network_rule("web", "TCP", "*", "443"))
DENY = b.rule("deny", 100, "Deny", "Internet")


def balanced(*rules: b.Row, table: b.Row | None = None, **properties: Any) -> list[b.Row]:
    """Nodes behind AKS's own load balancer, with a security group and perhaps a route table."""
    nodes = b.subnet("nodes", "10.0.0.0/24", nsg="nsg1", table="rt" if table else "")
    return [
        b.vnet("net", "10.0.0.0/16", nodes),
        b.nsg("nsg1", *rules),
        *([table] if table else []),
        b.cluster("nodes", outbound="loadBalancer", **properties),
    ]


def hub(
    *collections: b.Row,
    to_hub: b.Row | None = None,
    to_nodes: b.Row | None = None,
    peered: bool = True,
    firewall_table: b.Row | None = None,
    **policy: Any,
) -> list[b.Row]:
    """A firewall in a hub, nodes in a spoke."""
    home = b.subnet("AzureFirewallSubnet", "10.9.0.0/26", table="firewall-routes" if firewall_table else "")
    nodes = b.subnet("nodes", "10.0.0.0/24", table="rt")
    return [
        b.vnet("hub", "10.9.0.0/16", home, peerings=[to_nodes or b.peering("net")]),
        b.vnet("net", "10.0.0.0/16", nodes, peerings=[to_hub or b.peering("hub")] if peered else []),
        b.table("rt", b.route("default", "0.0.0.0/0", "VirtualAppliance", ADDRESS)),
        *([firewall_table] if firewall_table else []),
        b.policy(**policy),
        b.firewall(address=ADDRESS),
        b.rules_of("policy/aks", 200, *(collections or AKS)),
        b.cluster("nodes"),
    ]


def judged(folder: Path, rows: list[b.Row], *arguments: str) -> tuple[int, set[str]]:
    """Exit status and verdicts."""
    status, report = scan(folder, {"network.json": b.template(*rows, parameters=GIVEN)}, *arguments)
    return status, verdicts(report)


def test_the_networks_that_the_cases_vary_are_open(tmp_path: Path) -> None:
    assert judged(tmp_path, balanced()) == (0, {"open"})
    assert judged(tmp_path, hub()) == (0, {"open"})
    assert judged(tmp_path, hub(EVERYTHING)) == (0, {"open"})


ADRIFT = {
    "security rule": [
        *balanced(),
        b.resource(
            "networkSecurityGroups/securityRules",
            "[concat(parameters('given'),'/deny')]",
            DENY["properties"],
        ),
    ],
    "route": [
        *balanced(table=b.table("rt")),
        b.resource(
            "routeTables/routes",
            "[concat(parameters('given'),'/default')]",
            {"addressPrefix": "0.0.0.0/0", "nextHopType": "None"},
        ),
    ],
    "rule collection group": [
        *hub(),
        b.rules_of("[concat(parameters('given'),'/first')]", 100, DENY_443),
    ],
}


@pytest.mark.parametrize("kind", ADRIFT)
def test_a_child_whose_parent_is_not_named_may_be_anybodys(tmp_path: Path, kind: str) -> None:
    assert judged(tmp_path, ADRIFT[kind]) == (4, {"unknown"})


@pytest.mark.parametrize(
    "profile",
    [
        {"networkPlugin": GIVEN_TEXT, "networkPluginMode": "overlay"},
        {"networkPlugin": "azure", "networkPluginMode": GIVEN_TEXT},
        {"networkPlugin": "azure", "networkPluginMode": "overlay", "podCidr": GIVEN_TEXT},
    ],
)
def test_n20_pods_may_have_addresses_that_the_groups_rules_leave_out(
    tmp_path: Path, profile: dict[str, str]
) -> None:
    inside = ("10.0.0.0/16", "10.0.0.0/16")
    rules = (
        b.rule("inside-out", 100, "Allow", inside[0], source=inside[1]),
        b.rule("internet", 110, "Allow", "Internet"),
        b.rule("nothing-else-out", 4000, "Deny"),
        b.rule("inside-in", 100, "Allow", source=inside[0], direction="Inbound"),
        b.rule("nothing-else-in", 4000, "Deny", direction="Inbound"),
    )
    rows = balanced(*rules, networkProfile={**profile, "outboundType": "loadBalancer"})
    assert judged(tmp_path, rows) == (4, {"unknown"})


def test_n20_a_range_that_is_not_known_is_not_every_range(tmp_path: Path) -> None:
    """A Deny of some sources shuts pods out only if they have these addresses."""
    profile = {"networkPlugin": "azure", "networkPluginMode": "overlay", "podCidr": GIVEN_TEXT}
    rule = b.rule("deny", 100, "Deny", source="172.16.0.0/12", direction="Inbound")
    rows = balanced(rule, networkProfile={**profile, "outboundType": "loadBalancer"})
    assert judged(tmp_path, rows) == (4, {"unknown"})


def test_r22_a_nat_gateway_with_ipv6_addresses_only(tmp_path: Path) -> None:
    rows = [
        b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", nat="gateway")),
        b.resource(
            "natGateways", "gateway", {"publicIpAddressesV6": [{"id": b.rid("publicIPAddresses", "six")}]}
        ),
        b.cluster("nodes", outbound="userAssignedNATGateway"),
    ]
    assert judged(tmp_path, rows) == (4, {"unknown"})


def test_r26_connected_says_nothing_about_what_the_other_side_allows(tmp_path: Path) -> None:
    ours = b.peering("hub", peeringState="Connected")
    theirs = b.peering("net", peeringState="Connected", allowVirtualNetworkAccess=False)
    assert judged(tmp_path, hub(to_hub=ours, to_nodes=theirs)) == (1, {"blocked"})
    unsure = b.peering("net", peeringState="Connected", allowVirtualNetworkAccess=EITHER)
    assert judged(tmp_path, hub(to_hub=ours, to_nodes=unsure)) == (4, {"unknown"})


def test_r26_a_peering_of_some_subnets_may_leave_the_firewall_out(tmp_path: Path) -> None:
    some = b.peering("hub", peerCompleteVnets=False, remoteSubnetNames=["other"])
    assert judged(tmp_path, hub(to_hub=some)) == (4, {"unknown"})


def test_r26_a_peering_that_may_not_be_there(tmp_path: Path) -> None:
    perhaps = b.resource(
        "virtualNetworks/virtualNetworkPeerings",
        "net/to-hub",
        b.peering("hub")["properties"],
        condition=EITHER,
    )
    assert judged(tmp_path, [*hub(peered=False), perhaps]) == (4, {"unknown"})


@pytest.mark.parametrize(
    ("prefix", "hop", "address", "status", "verdict"),
    [
        ("10.0.0.0/16", "None", None, 1, "blocked"),
        ("10.0.0.0/24", "None", None, 1, "blocked"),
        ("10.0.0.0/16", "VirtualAppliance", "10.9.3.4", 4, "unknown"),
        ("10.0.0.0/16", "VnetLocal", None, 0, "open"),
        ("10.7.0.0/16", "None", None, 0, "open"),
        ("0.0.0.0/0", "Internet", None, 0, "open"),
    ],
)
def test_r27_routes_of_the_firewalls_own_subnet_must_not_lead_answers_away(
    tmp_path: Path, prefix: str, hop: str, address: str | None, status: int, verdict: str
) -> None:
    routes = b.table("firewall-routes", b.route("back", prefix, hop, address))
    assert judged(tmp_path, hub(firewall_table=routes)) == (status, {verdict})


def test_f23_a_part_of_the_internet_that_the_firewall_does_not_translate(tmp_path: Path) -> None:
    rows = hub(EVERYTHING, snat={"privateRanges": ["0.0.0.0/1"]})
    assert judged(tmp_path, rows) == (4, {"unknown"})
    rows = hub(EVERYTHING, snat={"privateRanges": ["10.0.0.0/8", "100.64.0.0/10"]})
    assert judged(tmp_path, rows) == (0, {"open"})


def test_r29_a_hub_connection_whose_network_is_not_known(tmp_path: Path) -> None:
    """It may be this one, and the hub may teach it a default route."""
    remote = {"remoteVirtualNetwork": {"id": GIVEN_TEXT}, "enableInternetSecurity": True}
    connection = b.resource("virtualHubs/hubVirtualNetworkConnections", "wan/spoke", remote)
    assert judged(tmp_path, [*balanced(), connection]) == (4, {"unknown"})


PERHAPS = ("azureFirewalls", "firewallPolicies", "firewallPolicies/ruleCollectionGroups", "routeTables")


@pytest.mark.parametrize("kind", PERHAPS)
def test_what_may_not_be_there_opens_nothing(tmp_path: Path, kind: str) -> None:
    rows = [one | ({"condition": EITHER} if one["type"].endswith(f"Network/{kind}") else {}) for one in hub()]
    assert judged(tmp_path, rows) == (4, {"unknown"})


def wan(*collections: b.Row, outbound: str, perhaps: str) -> list[b.Row]:
    """Nodes behind a secured hub, a part of which may not be there."""
    hub_firewall = {
        "sku": {"name": "AZFW_Hub", "tier": "Standard"},
        "virtualHub": {"id": b.rid("virtualHubs", "wan")},
        "firewallPolicy": {"id": b.rid("firewallPolicies", "policy")},
    }
    to_nodes = {
        "remoteVirtualNetwork": {"id": b.rid("virtualNetworks", "net")},
        "enableInternetSecurity": True,
    }
    internet = {"name": "i", "destinations": ["Internet"], "nextHop": b.rid("azureFirewalls", "fw")}
    rows = [
        b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24")),
        b.resource("virtualHubs", "wan", {"addressPrefix": "10.8.0.0/24"}),
        b.resource("virtualHubs/hubVirtualNetworkConnections", "wan/nodes", to_nodes),
        b.resource("virtualHubs/routingIntent", "wan/intent", {"routingPolicies": [internet]}),
        b.resource("azureFirewalls", "fw", hub_firewall),
        b.policy(),
        b.rules_of("policy/aks", 200, *collections),
        b.cluster("nodes", outbound=outbound),
    ]
    return [one | ({"condition": EITHER} if one["type"].endswith(f"/{perhaps}") else {}) for one in rows]


@pytest.mark.parametrize("perhaps", ["hubVirtualNetworkConnections", "routingIntent", "azureFirewalls"])
def test_r29_a_secured_hub_of_which_a_part_may_not_be_there(tmp_path: Path, perhaps: str) -> None:
    assert judged(tmp_path, wan(*AKS, outbound="none", perhaps="nothing")) == (0, {"open"})
    assert judged(tmp_path, wan(*AKS, outbound="none", perhaps=perhaps)) == (4, {"unknown"})
    assert judged(tmp_path, wan(outbound="loadBalancer", perhaps=perhaps)) == (4, {"unknown"})


@pytest.mark.parametrize(
    "denial", [DENY, b.rule("deny", 100, "Deny", port="10250", direction="Inbound")], ids=["out", "in"]
)
def test_a_pool_that_may_not_be_there_shuts_nothing(tmp_path: Path, denial: b.Row) -> None:
    """Without the pool the cluster is open; with it, shut."""
    subnets = b.subnet("nodes", "10.0.0.0/24"), b.subnet("more", "10.0.1.0/24", nsg="nsg1")
    pool = b.resource(
        "Microsoft.ContainerService/managedClusters/agentPools",
        "aks/more",
        {"mode": "User", "vnetSubnetID": b.subnet_id("net", "more")},
        condition=EITHER,
    )
    rows = [
        b.vnet("net", "10.0.0.0/16", *subnets),
        b.nsg("nsg1", denial),
        b.cluster("nodes", outbound="loadBalancer"),
        pool,
    ]
    assert judged(tmp_path, rows) == (4, {"unknown"})
    settled = GIVEN | {"either": {"type": "bool", "defaultValue": True}}
    status, report = scan(tmp_path, {"network.json": b.template(*rows, parameters=settled)})
    assert (status, verdicts(report) & {"open", "unknown"}) == (1, set())


def test_n21_the_api_servers_subnet_is_not_named(tmp_path: Path) -> None:
    """In a network of one's own AKS makes no subnet for it; in its own network it does."""
    rows = balanced(apiServerAccessProfile={"enableVnetIntegration": True})
    assert judged(tmp_path, rows) == (4, {"unknown"})
    automatic = b.resource(
        "Microsoft.ContainerService/managedClusters",
        "aks",
        {"agentPoolProfiles": [{"name": "system", "mode": "System"}]},
        sku={"name": "Automatic", "tier": "Standard"},
    )
    status, report = scan(tmp_path, {"network.json": b.template(automatic)})
    assert (status, report["clusters"][0]["tunnel"]["verdict"]) == (0, "open")


@pytest.mark.parametrize(
    ("address", "status", "verdict"),
    [
        ({}, 1, "blocked"),
        ("[if(parameters('either'), createObject('id', 'x'), null())]", 4, "unknown"),
        ({"id": b.rid("publicIPAddresses", "pip")}, 0, "open"),
    ],
)
def test_f23_whether_the_firewall_has_a_public_address(
    tmp_path: Path, address: object, status: int, verdict: str
) -> None:
    held = {"subnet": {"id": b.subnet_id("hub", "AzureFirewallSubnet")}, "privateIPAddress": ADDRESS}
    rows = [
        b.firewall(ipConfigurations=[{"name": "d", "properties": held | {"publicIPAddress": address}}])
        if one["type"].endswith("azureFirewalls")
        else one
        for one in hub(EVERYTHING)
    ]
    assert judged(tmp_path, rows) == (status, {verdict})


def test_a1_a_member_of_a_network_group_that_may_not_be_there(tmp_path: Path) -> None:
    """Its AlwaysAllow would lift the group's Deny."""
    manager = "networkManagers"
    configuration = f"{manager}/securityAdminConfigurations"
    groups = [{"networkGroupId": b.rid(f"{manager}/networkGroups", "nm", "g")}]
    anything = [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}]
    ports = ["0-65535"]
    always = {
        "access": "AlwaysAllow",
        "priority": 10,
        "direction": "Outbound",
        "protocol": "Any",
        "sources": anything,
        "destinations": anything,
        "sourcePortRanges": ports,
        "destinationPortRanges": ports,
    }
    rows = [
        *balanced(DENY),
        b.resource(manager, "nm", {}),
        b.resource(configuration, "nm/c", {}),
        b.resource(f"{configuration}/ruleCollections", "nm/c/rc", {"appliesToGroups": groups}),
        b.resource(f"{configuration}/ruleCollections/rules", "nm/c/rc/always", always),
        b.resource(f"{manager}/networkGroups", "nm/g", {}),
    ]
    member = {"resourceId": b.rid("virtualNetworks", "net")}
    sure = b.resource(f"{manager}/networkGroups/staticMembers", "nm/g/net", member)
    assert judged(tmp_path, [*rows, sure]) == (0, {"open"})
    assert judged(tmp_path, [*rows, sure | {"condition": EITHER}]) == (4, {"unknown"})
    always["access"] = GIVEN_TEXT
    assert judged(tmp_path, [*rows, sure]) == (4, {"unknown"})


@pytest.mark.parametrize(
    ("settings", "status", "verdict"),
    [
        ({"dnsSettings": {"enableProxy": False}}, 1, "blocked"),
        ({}, 1, "blocked"),
        ({"dnsSettings": {"enableProxy": True}}, 0, "open"),
        ({"dnsSettings": {"enableProxy": EITHER}}, 4, "unknown"),
    ],
)
@pytest.mark.parametrize("through_itself", [False, True])
def test_f22_a_firewall_that_is_the_dns_server_needs_its_proxy(
    tmp_path: Path, settings: dict[str, Any], status: int, verdict: str, through_itself: bool
) -> None:
    nodes = b.subnet("nodes", "10.0.0.0/24", table="rt")
    spoke = b.vnet("net", "10.0.0.0/16", nodes, peerings=[b.peering("hub")], dns=[ADDRESS])
    routes = [b.route("default", "0.0.0.0/0", "VirtualAppliance", ADDRESS)]
    if through_itself:
        routes.append(b.route("hub", "10.9.0.0/16", "VirtualAppliance", ADDRESS))
    changed = {"net": spoke, "rt": b.table("rt", *routes)}
    rows = [changed.get(one["name"], one) for one in hub(**settings)]
    assert judged(tmp_path, rows) == (status, {verdict})


def test_a_cluster_that_may_be_private_is_not_one_that_joins_the_network(tmp_path: Path) -> None:
    rows = balanced(apiServerAccessProfile={"enablePrivateCluster": EITHER})
    assert judged(tmp_path, rows) == (0, {"open"})


def test_two_hubs_that_differ_are_said_to_differ(tmp_path: Path) -> None:
    rows = hub()
    spoke = [one for one in rows if one["name"] in ("net", "rt", "aks")]
    one = [row for row in rows if row not in spoke]
    other = [b.rules_of("policy/aks", 200) if row["name"] == "policy/aks" else row for row in one]
    files = {"one.json": one, "other.json": other, "spoke.json": spoke}
    status, report = scan(tmp_path, {name: b.template(*part) for name, part in files.items()})
    assert (status, verdicts(report)) == (4, {"unknown"})
    said = {flow["reason"] for flow in report["clusters"][0]["flows"] if flow["verdict"] == "unknown"}
    assert any(
        one.startswith("several courses") and "no rule of the firewall allows it" in one for one in said
    )
    assert not any("is shut ()" in one for one in said)


def test_f23_application_rules_need_a_public_address_too(tmp_path: Path) -> None:
    held = {"subnet": {"id": b.subnet_id("hub", "AzureFirewallSubnet")}, "privateIPAddress": ADDRESS}
    without = b.firewall(ipConfigurations=[{"name": "d", "properties": held}])
    names = b.application_rule("all", "*", ports=(("Http", 80), ("Https", 443)))
    rows = hub(b.collection("names", 200, "Allow", names))
    assert judged(tmp_path, rows) == (0, {"open"})
    rows = [without if one["type"].endswith("azureFirewalls") else one for one in rows]
    assert judged(tmp_path, rows) == (1, {"blocked"})
