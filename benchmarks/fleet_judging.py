"""A fleet judged: spokes with a cluster each behind hubs with a firewall, as a snapshot of everything shows them.

Every spoke has its own network, security group, route table and cluster; every hub a firewall with a policy of
its own.  What is measured is `judge` alone, the documents being read: seconds, processor time a cluster, and how far
the process's memory grew.  The fleet grows with its hubs, one for every twenty spokes, so that time a cluster says
whether anything looks at everybody for each.
"""

from __future__ import annotations

import argparse
import gc
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Document, Kind, Resource
from aks_egress.engine import judge
from aks_egress.packets.tags import ServiceTags
from aks_egress.settings import Settings
from aks_egress.values import Origin

Row = dict[str, Any]
SCOPE = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups"
SPOKES_OF_A_HUB = 20
NAMES = (
    "*.hcp.westeurope.azmk8s.io",
    "mcr.microsoft.com",
    "*.data.mcr.microsoft.com",
    "management.azure.com",
    "login.microsoftonline.com",
    "packages.microsoft.com",
    "acs-mirror.azureedge.net",
    "packages.aks.azure.com",
)


def fleet(spokes: int, rules: int = 40) -> Document:
    """The whole fleet as one document."""
    made: list[Resource] = []
    hubs = max(1, spokes // SPOKES_OF_A_HUB)
    for hub in range(hubs):
        made += _hub(hub, range(hub, spokes, hubs), rules)
    for spoke in range(spokes):
        made += _spoke(spoke, spoke % hubs)
    return Document("fleet.json", Kind.SNAPSHOT, tuple(made), deployed=True)


def _id(group: str, kind: str, *names: str) -> str:
    provider = kind if kind.startswith("Microsoft.") else f"Microsoft.Network/{kind}"
    return str(ResourceId.of(f"{SCOPE}/{group}", provider, *names))


def _resource(group: str, kind: str, names: tuple[str, ...], properties: Row, **members: Any) -> Resource:
    identity = ResourceId.parse(_id(group, kind, *names))
    body = {"location": members.pop("location", "westeurope"), "properties": properties} | members
    return Resource(identity, Origin("fleet.json", pointer=("resources", identity.key)), body)


def _peering(group: str, network: str) -> Row:
    return {
        "name": f"to-{network}",
        "properties": {
            "remoteVirtualNetwork": {"id": _id(group, "virtualNetworks", network)},
            "allowVirtualNetworkAccess": True,
            "allowForwardedTraffic": True,
            "peeringState": "Connected",
        },
    }


def _hub(hub: int, spokes: range, rules: int) -> Iterator[Resource]:
    group, network = f"hub{hub}", f"hub{hub}"
    subnet = {
        "name": "AzureFirewallSubnet",
        "properties": {"addressPrefix": f"172.{16 + hub // 256}.{hub % 256}.0/26"},
    }
    peerings = [_peering(f"spoke{one}", f"spoke{one}") for one in spokes]
    space = {"addressPrefixes": [f"172.{16 + hub // 256}.{hub % 256}.0/24"]}
    yield _resource(
        group,
        "virtualNetworks",
        (network,),
        {"addressSpace": space, "subnets": [subnet], "virtualNetworkPeerings": peerings},
    )
    configuration = {
        "subnet": {"id": _id(group, "virtualNetworks/subnets", network, "AzureFirewallSubnet")},
        "publicIPAddress": {"id": _id(group, "publicIPAddresses", "fw")},
        "privateIPAddress": _firewall_address(hub),
    }
    yield _resource(
        group,
        "azureFirewalls",
        ("fw",),
        {
            "sku": {"name": "AZFW_VNet", "tier": "Standard"},
            "ipConfigurations": [{"name": "default", "properties": configuration}],
            "firewallPolicy": {"id": _id(group, "firewallPolicies", "policy")},
        },
    )
    yield _resource(group, "publicIPAddresses", ("fw",), {"ipAddress": f"20.50.{hub // 256}.{hub % 256}"})
    yield _resource(group, "firewallPolicies", ("policy",), {"sku": {"tier": "Standard"}})
    collections = [
        _collection("network", 100, _network_rules(rules // 2)),
        _collection("names", 200, _names(rules // 2)),
    ]
    yield _resource(
        group,
        "firewallPolicies/ruleCollectionGroups",
        ("policy", "aks"),
        {"priority": 100, "ruleCollections": collections},
    )


def _firewall_address(hub: int) -> str:
    return f"172.{16 + hub // 256}.{hub % 256}.4"


def _collection(name: str, priority: int, rules: list[Row]) -> Row:
    return {
        "ruleCollectionType": "FirewallPolicyFilterRuleCollection",
        "name": name,
        "priority": priority,
        "action": {"type": "Allow"},
        "rules": rules,
    }


def _network_rules(count: int) -> list[Row]:
    """Tunnel, time and DNS for the spokes, then what others need."""
    wanted = [
        ("AzureCloud.westeurope", "TCP", ["443", "9000"]),
        ("AzureCloud.westeurope", "UDP", ["1194"]),
        ("*", "UDP", ["123"]),
    ]
    wanted += [(f"20.{i}.0.0/16", "TCP", [str(8000 + i)]) for i in range(count - len(wanted))]
    return [
        {
            "ruleType": "NetworkRule",
            "name": f"net{i}",
            "ipProtocols": [protocol],
            "sourceAddresses": ["10.0.0.0/8"],
            "destinationAddresses": [target],
            "destinationPorts": ports,
        }
        for i, (target, protocol, ports) in enumerate(wanted)
    ]


def _names(count: int) -> list[Row]:
    wanted = [*NAMES, *(f"service{i}.contoso.com" for i in range(count - len(NAMES)))]
    return [
        {
            "ruleType": "ApplicationRule",
            "name": f"app{i}",
            "protocols": [{"protocolType": "Https", "port": 443}],
            "sourceAddresses": ["*" if i % 2 else "10.0.0.0/8"],
            "targetFqdns": [name],
        }
        for i, name in enumerate(wanted)
    ]


def _spoke(spoke: int, hub: int) -> Iterator[Resource]:
    group, network = f"spoke{spoke}", f"spoke{spoke}"
    high, low = divmod(spoke, 256)
    prefix = f"10.{high}.{low}.0/24"
    nodes = {
        "addressPrefix": prefix,
        "networkSecurityGroup": {"id": _id(group, "networkSecurityGroups", "nsg")},
        "routeTable": {"id": _id(group, "routeTables", "routes")},
    }
    yield _resource(
        group,
        "virtualNetworks",
        (network,),
        {
            "addressSpace": {"addressPrefixes": [prefix]},
            "subnets": [{"name": "nodes", "properties": nodes}],
            "virtualNetworkPeerings": [_peering(f"hub{hub}", f"hub{hub}")],
        },
    )
    yield _resource(group, "networkSecurityGroups", ("nsg",), {"securityRules": _security_rules()})
    default = {
        "addressPrefix": "0.0.0.0/0",
        "nextHopType": "VirtualAppliance",
        "nextHopIpAddress": _firewall_address(hub),
    }
    yield _resource(
        group,
        "routeTables",
        ("routes",),
        {"disableBgpRoutePropagation": True, "routes": [{"name": "default", "properties": default}]},
    )
    pool = {
        "name": "system",
        "mode": "System",
        "osType": "Linux",
        "vmSize": "Standard_D4s_v5",
        "vnetSubnetID": _id(group, "virtualNetworks/subnets", network, "nodes"),
    }
    yield _resource(
        group,
        "Microsoft.ContainerService/managedClusters",
        (f"aks{spoke}",),
        {
            "dnsPrefix": f"aks{spoke}",
            "fqdn": f"aks{spoke}-1a2b3c4d.hcp.westeurope.azmk8s.io",
            "agentPoolProfiles": [pool],
            "networkProfile": {
                "networkPlugin": "azure",
                "networkPluginMode": "overlay",
                "podCidr": "10.244.0.0/16",
                "outboundType": "userDefinedRouting",
            },
        },
        sku={"name": "Base", "tier": "Standard"},
    )


def _security_rules() -> list[Row]:
    wanted = [
        ("azure", 100, "Allow", "AzureCloud", "443"),
        ("smtp", 200, "Deny", "Internet", "25"),
        ("telnet", 300, "Deny", "*", "23"),
    ]
    return [
        {
            "name": name,
            "properties": {
                "priority": priority,
                "direction": "Outbound",
                "access": access,
                "protocol": "*",
                "sourceAddressPrefix": "*",
                "sourcePortRange": "*",
                "destinationAddressPrefix": target,
                "destinationPortRange": port,
            },
        }
        for name, priority, access, target, port in wanted
    ]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spokes", type=int, nargs="+", default=[250, 1000])
    parser.add_argument("--rules", type=int, default=40)
    given = parser.parse_args()
    gc.set_threshold(200_000, 20, 20)  # as the command does
    for spokes in given.spokes:
        document = fleet(spokes, given.rules)
        before = _megabytes()
        started, worked = time.perf_counter(), time.process_time()
        report = judge([document], Settings(), ServiceTags())
        spent, worked = time.perf_counter() - started, time.process_time() - worked
        verdicts = Counter(str(flow.verdict) for cluster in report.clusters for flow in cluster.flows)
        print(
            f"{spokes:6} clusters, {sum(verdicts.values())} flows, {len(report.findings)} findings: {spent:6.2f} s, "
            f"{worked * 1000 / spokes:5.2f} ms of the processor a cluster, {_megabytes() - before:5.0f} MB more  {dict(verdicts)}"
        )
    return 0


def _megabytes() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1024 * 1024 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    raise SystemExit(main())
