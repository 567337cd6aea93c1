"""What a team may do to a hub or a spoke of a random fleet (`fleets`) beside what its design says.

A trait changes the rows of one network in place.  The same trait with the same random numbers makes twins of several
spokes; with others, or left out of one, near misses.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
Trait = Callable[[random.Random, list[Row], int], None]


def every(rows: list[Row], kind: str) -> list[Row]:
    """The properties of the rows of a type."""
    return [row["properties"] for row in rows if row["type"].casefold().endswith(f"/{kind}".casefold())]


def _subnets(rows: list[Row]) -> list[Row]:
    return [one["properties"] for network in every(rows, "virtualNetworks") for one in network["subnets"]]


def _routed(rows: list[Row], *routes: tuple[str, str, str, str]) -> None:
    for table in every(rows, "routeTables"):
        for name, prefix, hop, address in routes:
            said = {"addressPrefix": prefix, "nextHopType": hop} | (
                {"nextHopIpAddress": address} if address else {}
            )
            table["routes"].append({"name": name, "properties": said})


def _filtered(rows: list[Row], name: str, **properties: Any) -> None:
    base = {"priority": 140, "direction": "Outbound", "access": "Deny", "protocol": "*", "sourceAddressPrefix": "*",
            "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "*"}  # fmt: skip
    said = {key: value for key, value in (base | properties).items() if value is not None}
    for group in every(rows, "networkSecurityGroups"):
        group["securityRules"] = [*group["securityRules"], {"name": name, "properties": said}]


# of spokes


def readdressed(maker: random.Random, rows: list[Row], i: int) -> None:
    """Addresses that other networks have as well, or public ones of one's own; some in a space that is wide."""
    base = maker.choice(("20.60.0.", f"20.{60 + i}.0.", "10.77.0.", f"10.{i}.0."))
    wide = {"20": "20.60.0.0/14", "10": "10.0.0.0/10"}[base[:2]] if maker.random() < 0.5 else ""
    rows[:] = json.loads(json.dumps(rows).replace(f'"10.{i}.0.', f'"{base}'))
    for network in every(rows, "virtualNetworks") if wide else ():
        network["addressSpace"]["addressPrefixes"] = [wide]


def more_space(maker: random.Random, rows: list[Row], i: int) -> None:
    """More address space, with a subnet of somebody else's that denies what comes in, or without."""
    space = maker.choice(("20.60.0.0/24", "10.88.0.0/24", f"10.{100 + i}.0.0/24"))
    for network in every(rows, "virtualNetworks"):
        network["addressSpace"]["addressPrefixes"].append(space)
        group = next(iter(network["subnets"]))["properties"].get("networkSecurityGroup")
        if maker.random() < 0.7:
            said = {"addressPrefix": space} | ({"networkSecurityGroup": group} if group else {})
            network["subnets"].append({"name": "db", "properties": said})


def pods(maker: random.Random, rows: list[Row], i: int) -> None:
    """Another range for pods, that of a subnet among others."""
    given = maker.choice((f"10.{i}.0.0/25", "10.0.0.0/25", "10.244.0.0/16", "10.128.0.0/16", "20.244.0.0/16"))
    for cluster in every(rows, "managedClusters"):
        cluster["networkProfile"]["podCidr"] = given


def another_rule(maker: random.Random, rows: list[Row], i: int) -> None:
    """A rule more: of any protocol, port and side, of a priority or a name that others have, damaged or open."""
    sides = ("*", "10.0.0.0/8", "10.77.0.0/16", "20.60.0.0/16", f"10.{i}.0.0/24", "AzureCloud", "Storage", "Internet",
             "VirtualNetwork", "AzureLoadBalancer", "AzurePlatformIMDS", "AzureKubernetesService", "10.0.0.0/33",
             "168.63.129.16", "10.244.0.0/16", "100.64.0.0/10", None)  # fmt: skip
    _filtered(
        rows,
        maker.choice(("rule-0", "another", "cut")),
        priority=maker.choice((140, 200, 210, 300)),
        direction=maker.choice(("Outbound", "Outbound", "Inbound")),
        access=maker.choice(("Allow", "Deny")),
        protocol=maker.choice(("*", "Tcp", "Udp", "Icmp", "Esp")),
        sourceAddressPrefix=maker.choice(sides),
        destinationAddressPrefix=maker.choice(sides),
        sourcePortRange=maker.choice(("*", "*", "*", "2000-3000")),
        destinationPortRange=maker.choice(
            ("*", "443", "53", "10250", "8081", "0-65535", "4000-12000", "999999")
        ),
    )


def of_applications(maker: random.Random, rows: list[Row], i: int) -> None:
    """A rule for an application security group, which some of the nodes belong to."""
    group = {"id": _near(rows, "Microsoft.Network/applicationSecurityGroups/asg")}
    side = maker.choice(("source", "destination"))
    _filtered(rows, "asg", **{f"{side}AddressPrefix": None, f"{side}ApplicationSecurityGroups": [group]})
    for cluster in every(rows, "managedClusters") if maker.random() < 0.5 else ():
        cluster["agentPoolProfiles"][0]["networkProfile"] = {"applicationSecurityGroups": [group["id"]]}


def _near(rows: list[Row], kind: str) -> str:
    scope = next(row["id"] for row in rows if "/virtualNetworks/" in row["id"]).split("/providers/")[0]
    return f"{scope}/providers/{kind}"


def another_route(maker: random.Random, rows: list[Row], i: int) -> None:
    """A route more: to what others lead to as well, with or without the address of its next hop."""
    prefix = maker.choice(("20.0.0.0/8", "20.60.0.0/16", "20.60.0.0/24", "10.0.0.0/8", f"10.{i}.0.0/24", "0.0.0.0/1", "40.0.0.0/8",
                           "10.244.0.0/16", "20.60.0.10/32", "0.0.0.0/0"))  # fmt: skip
    hop = maker.choice(("VirtualAppliance", "VirtualAppliance", "None", "Internet", "VnetLocal", "VirtualNetworkGateway"))  # fmt: skip
    address = maker.choice(("172.16.0.4", "172.16.1.4", "172.16.0.5", f"10.{i}.0.250", ""))
    _routed(
        rows,
        (maker.choice(("default", "another")), prefix, hop, address if hop == "VirtualAppliance" else ""),
    )


def two_routes(maker: random.Random, rows: list[Row], i: int) -> None:
    """Two routes of which one names a next hop, or of one name, or that tie."""
    names = maker.choice((("a", "a"), ("a", "b")))
    prefixes = maker.choice((("20.0.0.0/8", "40.0.0.0/8"), ("20.0.0.0/8", "20.0.0.0/8")))
    hops = maker.choice((("172.16.0.4", ""), ("", "172.16.0.4"), ("172.16.0.4", "172.16.0.4")))
    found = zip(names, prefixes, hops, strict=True)
    _routed(rows, *((name, prefix, "VirtualAppliance", hop) for name, prefix, hop in found))


def settings_of_the_table(maker: random.Random, rows: list[Row], i: int) -> None:
    """Whether gateways' and peerings' routes reach the subnets."""
    for table in every(rows, "routeTables"):
        table["disableBgpRoutePropagation"] = maker.random() < 0.5
        table["disablePeeringRoute"] = maker.choice(("All", "None"))


def settings_of_the_subnets(maker: random.Random, rows: list[Row], i: int) -> None:
    """What a subnet says of private endpoints, service endpoints and Azure's own way out."""
    for subnet in _subnets(rows)[: maker.randint(1, 2)]:
        subnet["privateEndpointNetworkPolicies"] = maker.choice(("Enabled", "Disabled", "RouteTableEnabled"))
        subnet["defaultOutboundAccess"] = maker.random() < 0.5
        if maker.random() < 0.5:
            subnet["serviceEndpoints"] = [
                {"service": maker.choice(("Microsoft.Storage", "Microsoft.Sql", "Own"))}
            ]


def another_prefix(maker: random.Random, rows: list[Row], i: int) -> None:
    """A subnet elsewhere than its network says, in two parts, of IPv6 alone, or as another one is."""
    subnet = _subnets(rows)[0]
    subnet.pop("addressPrefix", None)
    subnet["addressPrefixes"] = maker.choice(
        (["10.99.0.0/25"], [f"10.{i}.0.0/26", "10.98.0.0/26"], ["fd00::/64"], [f"10.{i}.0.128/25"])
    )


def outbound(maker: random.Random, rows: list[Row], i: int) -> None:
    """Another way out."""
    for cluster in every(rows, "managedClusters"):
        cluster["networkProfile"]["outboundType"] = maker.choice(
            ("userAssignedNATGateway", "managedNATGateway", "block", "loadBalancer", "userDefinedRouting")
        )


def own_gateway(maker: random.Random, rows: list[Row], i: int) -> None:
    """A NAT gateway of one subnet."""
    gateway = {"id": _near(rows, f"Microsoft.Network/natGateways/own-nat-{i}")}
    held = [{"id": _near(rows, "Microsoft.Network/publicIPAddresses/p")}] if maker.random() < 0.7 else []
    rows.append(
        {**gateway, "type": "Microsoft.Network/natGateways", "properties": {"publicIpAddresses": held}}
    )
    _subnets(rows)[0]["natGateway"] = {"id": gateway["id"]}


def of_pools(maker: random.Random, rows: list[Row], i: int) -> None:
    """Something that one pool has: another mode, name, machine, system, or addresses of its own."""
    for cluster in every(rows, "managedClusters"):
        pool = maker.choice(cluster["agentPoolProfiles"])
        pool |= maker.choice(
            ({"mode": "System"}, {"mode": "User"}, {"name": "npool"}, {"vmSize": "Standard_NC4as_T4_v3"},
             {"osType": "Windows"}, {"enableNodePublicIP": True}, {"podSubnetID": pool["vnetSubnetID"]})
        )  # fmt: skip


def of_cluster(maker: random.Random, rows: list[Row], i: int) -> None:
    """Something that AKS needs more of, or reaches otherwise."""
    for cluster in every(rows, "managedClusters"):
        access = cluster["apiServerAccessProfile"]
        match maker.randrange(7):
            case 0:
                access["enableVnetIntegration"] = True
            case 1:
                access |= {"enablePrivateCluster": True, "privateDNSZone": "none"}
            case 2:
                cluster["httpProxyConfig"] = {"httpsProxy": "http://10.88.0.5:3128"}
            case 3:
                cluster["addonProfiles"] = {"azurePolicy": {"enabled": True}}
            case 4:
                cluster["fqdn"] = maker.choice((f"AKS-{i}.hcp.westeurope.azmk8s.io", "aks-1-a1.hcp.westeurope.azmk8s.io.", f"{i}.io"))  # fmt: skip
            case 5:
                cluster["networkProfile"]["networkPlugin"] = "none"
            case 6:
                cluster["kubernetesVersion"] = "1.20.7"


def elsewhere(maker: random.Random, rows: list[Row], i: int) -> None:
    """A cluster of another region."""
    location = maker.choice(("eastus", "westeurope", "norwayeast"))
    for row in rows:
        row["location"] = location


def names(maker: random.Random, rows: list[Row], i: int) -> None:
    """Other DNS servers, among them the firewall, a public one and one that a subnet holds."""
    servers = maker.choice((["172.16.0.4"], ["172.16.1.4"], ["8.8.8.8"], ["20.60.0.10"], ["10.88.0.10"], ["172.16.0.4", "8.8.8.8"], []))  # fmt: skip
    for network in every(rows, "virtualNetworks"):
        network["dhcpOptions"] = {"dnsServers": servers}


def peered(maker: random.Random, rows: list[Row], i: int) -> None:
    """Peered with two hubs, with another peering's settings, or with none."""
    for network in every(rows, "virtualNetworks"):
        found = network["virtualNetworkPeerings"]
        other = json.loads(json.dumps(found).replace("hub-0", "hub-x").replace("hub-1", "hub-0").replace("hub-x", "hub-1"))  # fmt: skip
        match maker.randrange(4):
            case 0:
                found.clear()
            case 1:
                found += [one for one in other if one["name"] not in {known["name"] for known in found}]
            case 2:
                for one in found[:1]:
                    one["properties"]["allowVirtualNetworkAccess"] = False
            case 3:
                for one in found[:1]:
                    one["properties"].pop("peeringState", None)


def balanced(maker: random.Random, rows: list[Row], i: int) -> None:
    """A default route to two next hops at once, each of which may be taken."""
    hops = maker.choice((["172.16.0.4", "172.16.1.4"], ["172.16.0.4"], ["172.16.1.4", "172.16.0.5"]))
    peered(random.Random(3), rows, i)
    for table in every(rows, "routeTables"):
        said = {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualApplianceEcmp", "nextHop": {"nextHopIpAddresses": hops}}  # fmt: skip
        table["routes"] = [{"name": "default", "properties": said}, *table["routes"][1:]]


def on_cards(maker: random.Random, rows: list[Row], i: int) -> None:
    """The subnet's security group on the nodes' interfaces too, or none on some."""
    shared = next(
        (one["networkSecurityGroup"] for one in _subnets(rows) if "networkSecurityGroup" in one), None
    )
    for scale_set in every(rows, "virtualMachineScaleSets")[: maker.randint(1, 3)]:
        profile = scale_set["virtualMachineProfile"]["networkProfile"]
        for card in profile["networkInterfaceConfigurations"]:
            card["properties"].pop("networkSecurityGroup", None)
            if shared and maker.random() < 0.6:
                card["properties"]["networkSecurityGroup"] = shared


def namesakes(maker: random.Random, rows: list[Row], i: int) -> None:
    """Security groups of one name in two resource groups."""
    known = [row for row in rows if row["type"].endswith("/networkSecurityGroups") and "-user-" in row["id"]]
    whole = json.dumps(rows)
    for row in known:
        moved = row["id"].replace(f"/spoke-{i}/", f"/other-{i}/").replace("-user-", "-system-")
        whole = whole.replace(f'"{row["id"]}"', f'"{moved}"')
    rows[:] = json.loads(whole)


def two_clusters(maker: random.Random, rows: list[Row], i: int) -> None:
    """Another cluster in the same subnets, of the same name in another group or of another."""
    found = next(row for row in rows if row["type"].endswith("/managedClusters"))
    other = json.loads(json.dumps(found).replace(f"/MC-{i}", f"/MD-{i}").replace(f'"MC-{i}"', f'"MD-{i}"'))
    other["id"] = found["id"].replace(f"/spoke-{i}/", f"/beside-{i}/")
    other["properties"]["networkProfile"]["outboundType"] = maker.choice(
        ("loadBalancer", "userDefinedRouting")
    )
    rows.append(other)


SPOKES: tuple[Trait, ...] = (
    readdressed, readdressed, more_space, pods, another_rule, another_rule, another_rule, of_applications, another_route,
    another_route, two_routes, settings_of_the_table, settings_of_the_subnets, another_prefix, outbound, own_gateway,
    of_pools, of_pools, of_cluster, elsewhere, names, peered, balanced, on_cards, namesakes, two_clusters,
)  # fmt: skip


# of hubs


def of_firewall(maker: random.Random, rows: list[Row], i: int) -> None:
    """A firewall that is stopped, without public address, with a management address, or of another tier."""
    for firewall in every(rows, "azureFirewalls"):
        places = [one["properties"] for one in firewall["ipConfigurations"]]
        match maker.randrange(5):
            case 0:
                firewall["ipConfigurations"] = []
            case 1 | 4 as which:
                for place in places:
                    place.pop("publicIPAddress" if which == 1 else "privateIPAddress", None)
            case 2:
                firewall["managementIpConfiguration"] = {"name": "m", "properties": {}}
            case 3:
                firewall["sku"]["tier"] = maker.choice(("Basic", "Premium"))


def of_policy(maker: random.Random, rows: list[Row], i: int) -> None:
    """Another setting of the policy."""
    for policy in every(rows, "firewallPolicies"):
        policy.update(maker.choice(
            ({"dnsSettings": {"enableProxy": True}}, {"dnsSettings": {"enableProxy": False}},
             {"snat": {"privateRanges": ["0.0.0.0/0"]}}, {"snat": {"privateRanges": ["20.0.0.0/8"]}})
        ))  # fmt: skip


def of_rules(maker: random.Random, rows: list[Row], i: int) -> None:
    """Another collection of rules: names in every spelling, destinations, inspection, denials, ties, clients."""
    source = maker.choice((["*"], ["10.0.0.0/8"], ["10.0.0.0/14"], [f"10.{maker.randrange(8)}.0.0/24"], []))
    hosts = maker.sample(("*.hcp.westeurope.azmk8s.io", "*aks-1-a1.hcp.westeurope.azmk8s.io", "AKS-2-a1.hcp.westeurope.azmk8s.io",
                          "aks-1-a1.hcp.westeurope.azmk8s.io.", "*1-a1.hcp.westeurope.azmk8s.io", "*", "MCR.microsoft.com"), 2)  # fmt: skip
    web = {"ruleType": "ApplicationRule", "name": "more", "sourceAddresses": source, "targetFqdns": hosts,
           "protocols": [{"protocolType": "Https", "port": maker.choice((443, 443, 9000))}]}  # fmt: skip
    further: tuple[Row, ...] = (
        {}, {}, {"terminateTLS": True}, {"destinationAddresses": ["20.0.0.0/8"]}, {"webCategories": ["News"]},
        {"targetUrls": ["mcr.microsoft.com/v2"]}, {"fqdnTags": ["WindowsUpdate"]},
    )  # fmt: skip
    web |= maker.choice(further)
    net = {"ruleType": "NetworkRule", "name": "more", "ipProtocols": [maker.choice(("TCP", "UDP", "ICMP", "Any"))],
           "sourceAddresses": source, "destinationPorts": [maker.choice(("443", "*", "1194"))]}  # fmt: skip
    net |= maker.choice(({"destinationFqdns": hosts}, {"destinationAddresses": ["AzureCloud"]}, {"destinationAddresses": ["*"]},
                         {"destinationAddresses": ["20.60.0.0/16"]}, {"destinationAddresses": []}))  # fmt: skip
    collection = {
        "ruleCollectionType": "FirewallPolicyFilterRuleCollection",
        "name": maker.choice(("net", "more")),
        "priority": maker.choice((50, 100, 200, 300)),
        "action": {"type": maker.choice(("Allow", "Allow", "Deny"))},
        "rules": [maker.choice((web, net))],
    }
    for group in every(rows, "ruleCollectionGroups"):
        group["ruleCollections"].append(collection)


def of_hub(maker: random.Random, rows: list[Row], i: int) -> None:
    """Addresses that the first hub has as well, public space, or routes of the firewall's own."""
    match maker.randrange(4):
        case 0:
            rows[:] = json.loads(json.dumps(rows).replace(f'"172.16.{i}.', '"172.16.0.'))
        case 1:
            for network in every(rows, "virtualNetworks"):
                network["addressSpace"]["addressPrefixes"].append("20.60.0.0/24")
                if maker.random() < 0.5:
                    network["subnets"].append({"name": "db", "properties": {"addressPrefix": "20.60.0.0/25"}})
        case 2:
            hop = maker.choice(("VirtualAppliance", "None", "VirtualNetworkGateway", "Internet"))
            _routed(rows, ("own", maker.choice(("0.0.0.0/1", "10.0.0.0/13", "20.0.0.0/8")), hop, "172.16.9.9" if hop == "VirtualAppliance" else ""))  # fmt: skip
        case 3:
            for network in every(rows, "virtualNetworks"):
                network["virtualNetworkPeerings"] = network["virtualNetworkPeerings"][: maker.randint(0, 8)]


HUBS: tuple[Trait, ...] = (of_firewall, of_policy, of_rules, of_rules, of_hub)
