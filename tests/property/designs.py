"""Designs of networks with clusters for random fleets: what a team stamps out."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from tests.property.traits import Row

ANYWHERE = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups"
DESTINATIONS = ("*", "Internet", "VirtualNetwork", "AzureCloud", "AzureCloud.westeurope", "MicrosoftContainerRegistry",
                "AzureFrontDoor.FirstParty", "0.0.0.0/1", "20.0.0.0/8", "10.0.0.0/8", "AzurePlatformDNS")  # fmt: skip
PORTS = ("*", "443", "80", "9000", "1194", "10250", "1-1024", "53")


def _id(group: str, kind: str, *names: str) -> str:
    namespace, *segments = kind.split("/")
    pairs = "/".join(f"{one}/{name}" for one, name in zip(segments, names, strict=True))
    return f"{ANYWHERE}/{group}/providers/{namespace}/{pairs}"


def _row(group: str, kind: str, names: tuple[str, ...], properties: Row, **members: Any) -> Row:
    full = kind if kind.startswith("Microsoft.") else f"Microsoft.Network/{kind}"
    made = {"id": _id(group, full, *names), "type": full, "location": "westeurope", "properties": properties}
    return made | members


class Design:
    """What a random team stamps out; `plain` ones hold nothing that is judged by itself."""

    def __init__(self, maker: random.Random, *, plain: bool = False) -> None:
        self.maker = maker
        often = 0.0 if plain else 0.35
        self.chance: Callable[[], bool] = lambda: maker.random() < often
        self.rules = [self._rule(i) for i in range(maker.randint(0, 5))] if not plain else []
        self.nic_rules = [self._rule(i) for i in range(2)] if self.chance() else []
        self.two_subnets = maker.random() < 0.6
        self.pools = maker.randint(1, 3)
        self.shared_group = self.chance()
        self.without_group = self.chance()
        self.table = plain or maker.random() < 0.8
        self.hop = (
            "VirtualAppliance" if plain else maker.choice(("VirtualAppliance",) * 4 + ("Internet", "None"))
        )
        self.own_route = self.chance()
        self.straight = self.chance()
        self.endpoints = ["Microsoft.Storage"] if self.chance() else []
        self.private = self.chance()
        self.mode = "overlay" if plain else maker.choice(("overlay", "overlay", "", "kubenet"))
        self.outbound = maker.choice(("userDefinedRouting", "loadBalancer", "none"))
        self.dns = ["172.16.0.4"] if self.chance() else []
        self.disconnected = maker.random() < often / 3
        self.gateway = self.chance()
        self.firewall_rules = [self._network_rule(i) for i in range(maker.randint(0, 4))]
        self.names = maker.sample(("*.hcp.westeurope.azmk8s.io", "mcr.microsoft.com", "*.data.mcr.microsoft.com",
                                   "management.azure.com", "login.microsoftonline.com", "aks-1-a1.hcp.westeurope.azmk8s.io"),
                                  maker.randint(0, 6))  # fmt: skip
        self.tagged = maker.random() < 0.5
        self.firewall_table = self.chance()
        self.proxy_on = self.chance()
        self.partner_rule = self._rule(8)["properties"] if maker.random() < often / 2 else None
        self.partner_hop = (
            maker.choice(("VirtualAppliance", "None", "Internet")) if maker.random() < often / 2 else ""
        )
        self.tag_route = (
            maker.choice(("AzureCloud", "Storage", "AzureFrontDoor.FirstParty")) if self.chance() else ""
        )
        self.lost_answers = self.chance()
        self.balancer = maker.choice(("", "rule", "rule", "none", "frontend")) if not plain else "rule"
        self.machines = maker.choice(("",) * 8 + ("last", "all")) if not plain else ""
        self.endpoint = maker.choice(("", "Approved", "Approved", "Pending"))
        self.moves = maker.random() < 0.3
        self.cards = maker.random() < 0.5
        self.gateway_of = maker.choice(("",) * 8 + ("network", "empty")) if not plain else ""

    def _rule(self, i: int) -> Row:
        maker = self.maker
        return {
            "name": f"rule-{i}",
            "properties": {
                "priority": 200 + 10 * i,
                "direction": maker.choice(("Outbound", "Outbound", "Inbound")),
                "access": maker.choice(("Allow", "Deny")),
                "protocol": maker.choice(("*", "Tcp", "Udp")),
                "sourceAddressPrefix": maker.choice(("*", "*", "VirtualNetwork", "10.0.0.0/8")),
                "sourcePortRange": "*",
                "destinationAddressPrefix": maker.choice(DESTINATIONS),
                "destinationPortRange": maker.choice(PORTS),
            },
        }

    def _network_rule(self, i: int) -> Row:
        return {
            "ruleType": "NetworkRule",
            "name": f"net-{i}",
            "ipProtocols": [self.maker.choice(("TCP", "UDP", "Any"))],
            "sourceAddresses": [self.maker.choice(("*", "10.0.0.0/8", "10.0.0.0/14"))],
            "destinationAddresses": [
                self.maker.choice(("*", "AzureCloud.westeurope", "AzureCloud", "20.0.0.0/8"))
            ],
            "destinationPorts": [self.maker.choice(PORTS)],
        }

    def hub(self, i: int) -> Iterator[Row]:
        """A hub with a firewall; its peerings lead to spokes 0 to 19."""
        group, space = f"hub-{i}", f"172.16.{i}"
        network = _id(group, "Microsoft.Network/virtualNetworks", f"hub-{i}")
        subnet: Row = {"name": "AzureFirewallSubnet", "properties": {"addressPrefix": f"{space}.0/26"}}
        if self.firewall_table:
            routes = [self._route("out", "0.0.0.0/0", "Internet")]
            routes += [self._route("lost", "10.0.0.0/14", "None")] if self.lost_answers else []
            table = _row(group, "routeTables", (f"rt-hub-{i}",), {"routes": routes})
            subnet["properties"]["routeTable"] = {"id": table["id"]}
            yield table
        subnets = [
            subnet,
            *(
                [{"name": "GatewaySubnet", "properties": {"addressPrefix": f"{space}.64/27"}}]
                if self.gateway
                else []
            ),
        ]
        peerings = [
            self._peering(_id(f"spoke-{n}", "Microsoft.Network/virtualNetworks", f"vnet-{n}"))
            for n in range(20)
        ]
        yield _row(group, "virtualNetworks", (f"hub-{i}",), {
            "addressSpace": {"addressPrefixes": [f"{space}.0/24"]}, "subnets": subnets, "virtualNetworkPeerings": peerings,
        })  # fmt: skip
        address = _row(group, "publicIPAddresses", (f"pip-{i}",), {"ipAddress": f"20.50.0.{i}"})
        policy = _row(
            group,
            "firewallPolicies",
            (f"policy-{i}",),
            {"sku": {"tier": "Standard"}, "dnsSettings": {"enableProxy": self.proxy_on}},
        )
        rules = _row(group, "firewallPolicies/ruleCollectionGroups", (f"policy-{i}", "aks"), {
            "priority": 200, "ruleCollections": [self._collection("net", 100, self.firewall_rules), self._collection("names", 200, self._application())],
        })  # fmt: skip
        policy["properties"]["ruleCollectionGroups"] = [{"id": rules["id"]}]
        configuration = {
            "privateIPAddress": f"{space}.4",
            "subnet": {"id": f"{network}/subnets/AzureFirewallSubnet"},
            "publicIPAddress": {"id": address["id"]},
        }
        firewall = {
            "sku": {"name": "AZFW_VNet", "tier": "Standard"},
            "firewallPolicy": {"id": policy["id"]},
            "ipConfigurations": [{"name": "a", "properties": configuration}],
        }
        yield from (address, policy, rules, _row(group, "azureFirewalls", (f"fw-{i}",), firewall))

    def _application(self) -> list[Row]:
        ports = [{"protocolType": "Https", "port": 443}]
        base = {"ruleType": "ApplicationRule", "sourceAddresses": ["10.0.0.0/8"], "protocols": ports}
        rules = [{**base, "name": "names", "targetFqdns": self.names}] if self.names else []
        return (
            [*rules, {**base, "name": "tag", "fqdnTags": ["AzureKubernetesService"]}]
            if self.tagged
            else rules
        )

    def _collection(self, name: str, priority: int, rules: list[Row]) -> Row:
        return {
            "ruleCollectionType": "FirewallPolicyFilterRuleCollection",
            "name": name,
            "priority": priority,
            "action": {"type": "Allow"},
            "rules": rules,
        }

    def _route(self, name: str, prefix: str, hop: str, address: str = "") -> Row:
        properties = {"addressPrefix": prefix, "nextHopType": hop}
        return {"name": name, "properties": properties | ({"nextHopIpAddress": address} if address else {})}

    def _peering(self, to: str) -> Row:
        state = "Disconnected" if self.disconnected else "Connected"
        return {
            "name": f"to-{to.rsplit('/', 1)[-1]}",
            "properties": {
                "remoteVirtualNetwork": {"id": to},
                "allowVirtualNetworkAccess": True,
                "peeringState": state,
                "useRemoteGateways": self.gateway,
            },
        }

    def _idle(self, i: int) -> list[Row]:
        """Rules that concern no flow of AKS: for another network, and for a port that it needs nothing of."""
        own = self._rule(9)["properties"] | {"direction": "Outbound", "destinationPortRange": "8081"}
        return [
            {"name": name, "properties": {**own, "priority": priority, "destinationAddressPrefix": to}}
            for name, priority, to in (("app", 110, "Internet"), (f"own-{i}", 120, f"10.200.{i}.0/24"))
        ]

    def changed(self) -> str:
        """Some way in which one copy differs from the others."""
        kinds = (
            "cut",
            "space",
            "group",
            "route",
            "extra",
            "prefix",
            "tag",
            "kept",
            "lost hop",
            "idle",
            "idle",
        )
        return self.maker.choice(kinds)

    def spoke(self, i: int, hub: int, change: str = "") -> Iterator[Row]:
        """A network with a cluster, changed in one place or in none."""
        group, base = f"spoke-{i}", f"10.{i}.0"
        network = _id(group, "Microsoft.Network/virtualNetworks", f"vnet-{i}")
        rules = [dict(one) for one in self.rules]
        if change == "tag" and rules:
            rules[0] = {
                **rules[0],
                "properties": {
                    **rules[0]["properties"],
                    "destinationAddressPrefix": self.maker.choice(DESTINATIONS),
                },
            }
        if change == "idle":
            rules[:0] = self._idle(i)
        if change in ("cut", "kept"):
            rules.append(
                {
                    "name": "cut",
                    "properties": {
                        **self._rule(9)["properties"],
                        "priority": 900,
                        "destinationAddressPrefix": f"{base}.64/26" if change == "cut" else f"{base}.0/30",
                    },
                }
            )
        if change == "extra":
            rules.append(
                {
                    "name": "own",
                    "properties": {
                        **self._rule(9)["properties"],
                        "priority": 910,
                        "destinationAddressPrefix": f"{base}.0/24",
                    },
                }
            )
        partner = self.maker.choice(
            (f"{base}.0/24", f"10.{i + 1}.0.0/24", "20.0.0.0/8", "40.0.0.0/8", "10.0.0.0/8")
        )
        if self.partner_rule:
            rules.insert(
                0,
                {
                    "name": "partner",
                    "properties": {**self.partner_rule, "priority": 150, "destinationAddressPrefix": partner},
                },
            )
        names = ["system", "user"] if self.two_subnets else ["system"]
        groups = [
            _row(group, "networkSecurityGroups", (f"nsg-{name}-{i}",), {"securityRules": rules})
            for name in names
        ]
        groups = groups[:1] * len(names) if self.shared_group else groups
        routes = [
            self._route(
                "default", "0.0.0.0/0", self.hop, f"172.16.{hub}.4" if self.hop == "VirtualAppliance" else ""
            )
        ]
        routes += [self._route("own", f"{base}.0/24", "VnetLocal")] if self.own_route else []
        routes += [self._route("straight", f"20.50.0.{hub}/32", "Internet")] if self.straight else []
        routes += [self._route("more", "20.0.0.0/8", "None")] if change == "route" else []
        routes += [self._route("hub", f"172.16.{hub}.0/24", "None")] if change == "lost hop" else []
        if change == "idle":
            routes.append(self._route("on-premises", f"10.201.{i}.0/24", "VirtualNetworkGateway"))
        next_hop = f"172.16.{hub}.4" if self.partner_hop == "VirtualAppliance" else ""
        routes += [self._route("partner", partner, self.partner_hop, next_hop)] if self.partner_hop else []
        routes += [self._route("tag", self.tag_route, "Internet")] if self.tag_route else []
        table = _row(group, "routeTables", (f"rt-{i}",), {"routes": routes})
        subnets = []
        for n, (name, filtering) in enumerate(zip(names, groups, strict=True)):
            properties: Row = {
                "addressPrefix": f"{base}.{n * 128}/{26 if change == 'prefix' else 25}",
                "serviceEndpoints": [{"service": one} for one in self.endpoints],
            }
            properties |= (
                {}
                if self.without_group or change == "group"
                else {"networkSecurityGroup": {"id": filtering["id"]}}
            )
            properties |= {"routeTable": {"id": table["id"]}} if self.table else {}
            subnets.append({"name": f"snet-{name}", "properties": properties})
        spaces = [f"{base}.0/24", *(["20.60.0.0/24"] if change == "space" else [])]
        yield _row(group, "virtualNetworks", (f"vnet-{i}",), {
            "addressSpace": {"addressPrefixes": spaces}, "subnets": subnets, "dhcpOptions": {"dnsServers": self.dns},
            "virtualNetworkPeerings": [self._peering(_id(f"hub-{hub}", "Microsoft.Network/virtualNetworks", f"hub-{hub}"))],
        })  # fmt: skip
        yield from ({one["id"]: one for one in (*groups, table)}).values()
        yield from self._outbound(i, network)
        yield from self._cluster(i, network, names)

    def _outbound(self, i: int, network: str) -> Iterator[Row]:
        """The load balancer of the nodes and a NAT gateway of the whole network, where the team has them."""
        address = {"id": _id(f"MC-{i}", "Microsoft.Network/publicIPAddresses", f"pip-{i}")}
        if self.gateway_of:
            held = [address] if self.gateway_of == "network" else []
            serving = {"publicIpAddresses": held, "sourceVirtualNetwork": {"id": network}}
            yield _row(f"spoke-{i}", "natGateways", (f"nat-{i}",), serving)
        if self.balancer:
            frontend = {"name": "out", "properties": {"publicIPAddress": address}}
            rule = {"protocol": "All", "frontendIPConfigurations": [{"id": "/frontendIPConfigurations/out"}]}
            yield _row(f"MC-{i}", "loadBalancers", ("kubernetes",), {
                "frontendIPConfigurations": [frontend] if self.balancer != "none" else [],
                "outboundRules": [{"name": "aks", "properties": rule}] if self.balancer == "rule" else [],
            }, sku={"name": "Standard"})  # fmt: skip

    def _cluster(self, i: int, network: str, names: list[str]) -> Iterator[Row]:
        managed = f"MC-{i}"
        pools = [{"name": f"pool{n}", "mode": "System" if n == 0 else "User", "osType": "Linux", "vmSize": "Standard_D4s_v5",
                  "vnetSubnetID": f"{network}/subnets/snet-{names[n % len(names)]}"} for n in range(self.pools)]  # fmt: skip
        for pool in {"": [], "last": pools[-1:], "all": pools}[self.machines]:
            pool["type"] = "VirtualMachines"
        profile = {
            "networkPlugin": "kubenet" if self.mode == "kubenet" else "azure",
            "outboundType": self.outbound,
        }
        profile |= {"networkPluginMode": "overlay"} if self.mode == "overlay" else {}
        yield _row(f"spoke-{i}", "Microsoft.ContainerService/managedClusters", (f"aks-{i}",), {
            "fqdn": f"aks-{i}-a1.hcp.westeurope.azmk8s.io", "nodeResourceGroup": managed, "networkProfile": profile,
            "agentPoolProfiles": pools, "apiServerAccessProfile": {"enablePrivateCluster": self.private},
        }, sku={"name": "Base", "tier": "Standard"})  # fmt: skip
        if self.private and self.endpoint:
            yield self._endpoint(i, self.maker.choice(names) if self.moves else names[0], network)
        if not self.nic_rules:
            return
        own = _row(managed, "networkSecurityGroups", (f"aks-nsg-{i}",), {"securityRules": self.nic_rules})
        yield own
        for pool in pools:
            if "type" in pool:
                yield from self._cards(managed, pool["name"], own["id"])
                continue
            address = {"name": "a", "properties": {"subnet": {"id": pool["vnetSubnetID"]}}}
            nic = {
                "name": "n",
                "properties": {
                    "primary": True,
                    "networkSecurityGroup": {"id": own["id"]},
                    "ipConfigurations": [address],
                },
            }
            yield _row(managed, "Microsoft.Compute/virtualMachineScaleSets", (f"{pool['name']}-vmss",), {
                "virtualMachineProfile": {"networkProfile": {"networkInterfaceConfigurations": [nic]}},
            }, tags={"aks-managed-poolName": pool["name"]})  # fmt: skip

    def _cards(self, managed: str, pool: str, group: str) -> Iterator[Row]:
        """The interface of one of a pool's virtual machines, where it is collected."""
        if self.cards:
            machine = _id(managed, "Microsoft.Compute/virtualMachines", f"aks-{pool}-1-vms0")
            properties = {"virtualMachine": {"id": machine}, "networkSecurityGroup": {"id": group}}
            yield _row(managed, "networkInterfaces", (f"{pool}-nic",), properties)

    def _endpoint(self, i: int, subnet: str, network: str) -> Row:
        """The private endpoint of the API server."""
        cluster = _id(f"spoke-{i}", "Microsoft.ContainerService/managedClusters", f"aks-{i}")
        state = {
            "privateLinkServiceId": cluster,
            "privateLinkServiceConnectionState": {"status": self.endpoint},
        }
        return _row(f"MC-{i}", "privateEndpoints", ("kube-apiserver",), {
            "subnet": {"id": f"{network}/subnets/snet-{subnet}"},
            "privateLinkServiceConnections": [{"name": "kube-apiserver", "properties": state}],
            "customDnsConfigs": [{"ipAddresses": [f"10.{i}.0.9"]}] if self.cards else [],
        })  # fmt: skip
