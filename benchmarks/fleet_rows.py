"""The resources of a synthetic fleet, as Azure answers them: hubs with firewalls, spokes with a cluster each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]
HUBS_OF = 20
"""Spokes behind one hub."""
CLUSTERS_OF = 10
"""Clusters in one subscription."""
NETWORK = "Microsoft.Network"


def fleet(clusters: int, kinds: int = 1) -> Iterator[Row]:
    """Hubs, then spokes with a cluster each, of so many designs."""
    hubs = max(1, clusters // HUBS_OF)
    for hub in range(hubs):
        yield from _hub(hub, range(hub, clusters, hubs))
    for i in range(clusters):
        yield from _spoke(i, i % hubs, i * 7 % kinds)


def _id(subscription: int, group: str, kind: str, *names: str) -> str:
    namespace, *segments = kind.split("/")
    pairs = "/".join(f"{segment}/{name}" for segment, name in zip(segments, names, strict=True))
    place = f"/subscriptions/00000000-0000-0000-0000-{subscription:012d}/resourceGroups/{group}"
    return f"{place}/providers/{namespace}/{pairs}"


def _row(place: tuple[int, str], kind: str, names: tuple[str, ...], properties: Row, **members: Any) -> Row:
    full = kind if kind.startswith("Microsoft.") else f"{NETWORK}/{kind}"
    return {
        "id": _id(*place, full, *names),
        "name": names[-1],
        "type": full,
        "location": "westeurope",
        "properties": properties,
        **members,
    }


def _hub_place(hub: int) -> tuple[int, str]:
    return 900_000 + hub // 10, f"rg-hub-{hub}"


def _spoke_place(i: int) -> tuple[int, str]:
    return i // CLUSTERS_OF, f"rg-spoke-{i}"


def _firewall_address(hub: int) -> str:
    return f"172.{16 + hub // 256}.{hub % 256}.4"


def _peering(to: str) -> Row:
    return {
        "name": f"to-{to.rsplit('/', 1)[-1]}",
        "properties": {
            "remoteVirtualNetwork": {"id": to},
            "allowVirtualNetworkAccess": True,
            "allowForwardedTraffic": True,
            "peeringState": "Connected",
        },
    }


def _network(place: tuple[int, str], name: str) -> str:
    return _id(*place, f"{NETWORK}/virtualNetworks", name)


def _hub(hub: int, spokes: range) -> Iterator[Row]:
    place = _hub_place(hub)
    space = f"172.{16 + hub // 256}.{hub % 256}.0"
    network = _network(place, "vnet-hub")
    yield _row(
        place,
        "virtualNetworks",
        ("vnet-hub",),
        {
            "addressSpace": {"addressPrefixes": [f"{space}/24"]},
            "subnets": [{"name": "AzureFirewallSubnet", "properties": {"addressPrefix": f"{space}/26"}}],
            "virtualNetworkPeerings": [
                _peering(_network(_spoke_place(one), f"vnet-spoke-{one}")) for one in spokes
            ],
        },
    )
    address = _row(place, "publicIPAddresses", ("pip",), {"ipAddress": f"20.50.{hub // 256}.{hub % 256}"})
    policy = _row(place, "firewallPolicies", ("policy",), {"sku": {"tier": "Standard"}, "dnsSettings": {}})
    group = _row(
        place,
        "firewallPolicies/ruleCollectionGroups",
        ("policy", "aks"),
        {"priority": 200, "ruleCollections": [_network_rules(), _application_rules()]},
    )
    policy["properties"]["ruleCollectionGroups"] = [{"id": group["id"]}]
    configuration = {
        "privateIPAddress": _firewall_address(hub),
        "subnet": {"id": f"{network}/subnets/AzureFirewallSubnet"},
        "publicIPAddress": {"id": address["id"]},
    }
    firewall = {
        "sku": {"name": "AZFW_VNet", "tier": "Standard"},
        "firewallPolicy": {"id": policy["id"]},
        "ipConfigurations": [{"name": "a", "properties": configuration}],
    }
    yield from (address, policy, group, _row(place, "azureFirewalls", ("fw",), firewall))


def _network_rules() -> Row:
    def rule(name: str, protocol: str, port: str, to: str) -> Row:
        return {
            "ruleType": "NetworkRule",
            "name": name,
            "ipProtocols": [protocol],
            "sourceAddresses": ["10.0.0.0/8"],
            "destinationAddresses": [to],
            "destinationPorts": [port],
        }

    rules = [
        rule("api-server", "TCP", "443", "AzureCloud.westeurope"),
        rule("tunnel-tcp", "TCP", "9000", "AzureCloud.westeurope"),
        rule("tunnel-udp", "UDP", "1194", "AzureCloud.westeurope"),
        rule("time", "UDP", "123", "*"),
        *(rule(f"app-{i}", "TCP", str(8000 + i), f"203.0.{i}.0/24") for i in range(20)),
    ]
    return {
        "ruleCollectionType": "FirewallPolicyFilterRuleCollection",
        "name": "aks-network",
        "priority": 100,
        "action": {"type": "Allow"},
        "rules": rules,
    }


def _application_rules() -> Row:
    ports = [{"protocolType": "Https", "port": 443}, {"protocolType": "Http", "port": 80}]
    rules = [
        {
            "ruleType": "ApplicationRule",
            "name": "aks",
            "sourceAddresses": ["10.0.0.0/8"],
            "protocols": ports,
            "fqdnTags": ["AzureKubernetesService"],
        },
        *(
            {
                "ruleType": "ApplicationRule",
                "name": f"web-{i}",
                "sourceAddresses": ["10.0.0.0/8"],
                "protocols": ports,
                "targetFqdns": [f"service-{i}.example.com"],
            }
            for i in range(20)
        ),
    ]
    return {
        "ruleCollectionType": "FirewallPolicyFilterRuleCollection",
        "name": "aks-names",
        "priority": 200,
        "action": {"type": "Allow"},
        "rules": rules,
    }


def _rule(name: str, priority: int, access: str, to: str, port: str = "*", **members: Any) -> Row:
    properties = {
        "priority": priority,
        "direction": "Outbound",
        "access": access,
        "protocol": "*",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": to,
        "destinationPortRange": port,
    }
    return {"name": name, "properties": properties | members}


def _group(place: tuple[int, str], name: str, kind: int, *, broken: bool) -> Row:
    number = int(name.rsplit("-", 1)[-1]) % 1000
    rules = [
        _rule(f"partner-{kind}", 180, "Allow", f"40.{kind // 250 % 250}.{kind % 250}.0/24", "443"),
        _rule("own-application", 190, "Allow", "Internet", str(8000 + number)),
        _rule("web", 200, "Allow", "Internet", "443"),
        _rule("plain-web", 210, "Allow", "Internet", "80"),
        _rule("tunnel-tcp", 220, "Allow", "AzureCloud", "9000"),
        _rule("tunnel-udp", 230, "Allow", "AzureCloud", "1194"),
        _rule("time", 240, "Allow", "Internet", "123"),
        _rule("inside", 300, "Allow", "VirtualNetwork"),
        _rule("nothing-else", 4096, "Deny", "*"),
    ]
    if broken:
        rules.insert(0, _rule("hardening", 150, "Deny", "AzureCloud", "443"))
    return _row(place, "networkSecurityGroups", (name,), {"securityRules": rules})


def _spoke(i: int, hub: int, kind: int) -> Iterator[Row]:
    place = _spoke_place(i)
    second, third = divmod(i % 16_384, 64)  # a /22 of 10.0.0.0/8, two /23 in it
    space = f"10.{second}.{third * 4}"
    groups = [_group(place, f"nsg-{name}-{i}", kind, broken=i % 50 == 0) for name in ("system", "user")]
    route = {
        "addressPrefix": "0.0.0.0/0",
        "nextHopType": "VirtualAppliance",
        "nextHopIpAddress": _firewall_address(hub),
    }
    table = _row(
        place, "routeTables", (f"rt-{i}",), {"routes": [{"name": "to-firewall", "properties": route}]}
    )
    subnets = [
        {
            "name": name,
            "properties": {
                "addressPrefix": f"10.{second}.{third * 4 + offset}.0/23",
                "networkSecurityGroup": {"id": group["id"]},
                "routeTable": {"id": table["id"]},
            },
        }
        for name, group, offset in zip(("snet-system", "snet-user"), groups, (0, 2), strict=True)
    ]
    network = _row(
        place,
        "virtualNetworks",
        (f"vnet-spoke-{i}",),
        {
            "addressSpace": {"addressPrefixes": [f"{space}.0/22"]},
            "subnets": subnets,
            "virtualNetworkPeerings": [_peering(_network(_hub_place(hub), "vnet-hub"))],
        },
    )
    yield from (*groups, table, network)
    yield from _cluster(i, network["id"])


def _cluster(i: int, network: str) -> Iterator[Row]:
    place, managed = _spoke_place(i), (_spoke_place(i)[0], f"MC_spoke_{i}")
    pools = {"system": "System", "user": "User"}
    yield _row(
        place,
        "Microsoft.ContainerService/managedClusters",
        (f"aks-{i}",),
        {
            "kubernetesVersion": "1.33.2",
            "fqdn": f"aks-{i}-a1b2c3.hcp.westeurope.azmk8s.io",
            "nodeResourceGroup": managed[1],
            "networkProfile": {
                "networkPlugin": "azure",
                "networkPluginMode": "overlay",
                "podCidr": "192.168.0.0/16",
                "outboundType": "userDefinedRouting",
            },
            "agentPoolProfiles": [_pool(name, mode, network) for name, mode in pools.items()],
        },
        sku={"name": "Base", "tier": "Standard"},
    )
    group = _row(managed, "networkSecurityGroups", (f"aks-agentpool-{i}-nsg",), {"securityRules": []})
    yield group
    yield from (_scale_set(managed, i, name, network, group["id"]) for name in pools)
    frontends: Row = {"frontendIPConfigurations": []}
    yield _row(managed, "loadBalancers", ("kubernetes-internal",), frontends, sku={"name": "Standard"})


def _pool(name: str, mode: str, network: str) -> Row:
    return {
        "name": name,
        "mode": mode,
        "osType": "Linux",
        "osSKU": "Ubuntu",
        "vmSize": "Standard_D4s_v5",
        "count": 3,
        "vnetSubnetID": f"{network}/subnets/snet-{name}",
    }


def _scale_set(managed: tuple[int, str], i: int, name: str, network: str, group: str) -> Row:
    address = {"name": "a", "properties": {"subnet": {"id": f"{network}/subnets/snet-{name}"}}}
    configuration = {
        "name": f"aks-{name}",
        "properties": {
            "primary": True,
            "networkSecurityGroup": {"id": group},
            "ipConfigurations": [address],
        },
    }
    profile = {"networkProfile": {"networkInterfaceConfigurations": [configuration]}}
    return _row(
        managed,
        "Microsoft.Compute/virtualMachineScaleSets",
        (f"aks-{name}-{i}-vmss",),
        {"virtualMachineProfile": profile},
        tags={"aks-managed-poolName": name},
    )
