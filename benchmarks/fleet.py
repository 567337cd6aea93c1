"""A fleet, live: 1,000 clusters in 100 subscriptions behind 50 hubs, collected from a server on the loopback interface.

Collecting goes through the real SDK clients over HTTP; what is printed is how many requests it took, of which kind,
and how long.  The snapshot that comes out is then read and judged, as `aks-egress scan fleet.json` does; seconds
and the process's peak memory.  `--clusters 10000 --no-collect` judges a larger fleet without collecting it first.

Each cluster has a spoke of its own (network, two security groups, route table) and the scale sets, NIC group, load
balancer and address that AKS makes beside it.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from aks_egress.engine import judge
from aks_egress.packets.tags import ServiceTags
from aks_egress.settings import Settings
from aks_egress_scan.live.snapshot import Snapshot, render
from aks_egress_scan.readers.base import Parameters, Source
from aks_egress_scan.readers.snapshot import READER

Row = dict[str, Any]
HUBS_OF = 20
"""Spokes behind one hub."""
CLUSTERS_OF = 10
"""Clusters in one subscription."""
NETWORK = "Microsoft.Network"
TAKEN = datetime(2026, 6, 18, tzinfo=UTC)


def main() -> int:
    """Make the fleet, collect it, judge it, and print what that took."""
    options = _options()
    rows = list(fleet(options.clusters))
    hubs = max(1, options.clusters // HUBS_OF)
    print(f"{options.clusters} clusters behind {hubs} hubs: {len(rows)} resources")
    data = render(snapshot_of(rows), "0") if options.no_collect else collected(rows, options.latency)
    del rows
    print(f"snapshot         {len(data) / 1e6:8.1f} MB")
    judged(data, options.sample)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clusters", type=int, default=1000)
    parser.add_argument("--no-collect", action="store_true", help="judge only")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that every answer takes")
    parser.add_argument("--sample", type=int, default=0, help="judge only so many of the clusters")
    return parser.parse_args()


def collected(rows: list[Row], latency: float) -> bytes:
    """The snapshot's bytes, through the SDKs."""
    from tests.live.azure import Azure, running

    from aks_egress_scan.live.collect import Scope, collect
    from aks_egress_scan.live.progress import Progress

    azure = Azure(rows)
    azure.dependencies = [
        {
            "category": "images",
            "endpoints": [{"domainName": "mcr.microsoft.com", "endpointDetails": [{"port": 443}]}],
        }
    ]
    if latency:
        azure.slow = {"/": latency}
    with running(azure) as session, _timed("collected"):
        snapshot = collect(session, Scope(), progress=Progress())
    kinds = Counter(azure.kinds)
    print(f"requests         {sum(kinds.values()):8}")
    for kind, count in kinds.most_common():
        print(f"  {count:8}  {kind}")
    print(f"not read         {len(snapshot.unread):8}")
    return render(snapshot, "0", TAKEN)


def judged(data: bytes, sample: int) -> None:
    """Read and judge the snapshot."""
    with _timed("read"):
        (document,) = READER.read(Source("fleet.json", data), Parameters())
    wanted = tuple(f"aks-{i}" for i in range(sample))
    with _timed("judged"):
        report = judge([document], Settings(clusters=wanted), ServiceTags())
    said = Counter(str(one.verdict) for one in report.clusters)
    flows = sum(len(one.flows) for one in report.clusters)
    print(f"verdicts         {dict(said)}, {flows} flows, {len(report.findings)} findings")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory      {peak:8.0f} MB")


@contextmanager
def _timed(what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    print(f"{what:<16} {time.perf_counter() - began:8.2f} s")


# the fleet


def snapshot_of(rows: list[Row]) -> Snapshot:
    """What collecting would find."""
    snapshot = Snapshot()
    for one in rows:
        snapshot.add(one, one["type"].casefold())
    return snapshot


def fleet(clusters: int) -> Iterator[Row]:
    """Hubs, then spokes with a cluster each."""
    hubs = max(1, clusters // HUBS_OF)
    for hub in range(hubs):
        yield from _hub(hub, range(hub, clusters, hubs))
    for i in range(clusters):
        yield from _spoke(i, i % hubs)


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
    yield from (address, policy, group)
    yield _row(
        place,
        "azureFirewalls",
        ("fw",),
        {
            "sku": {"name": "AZFW_VNet", "tier": "Standard"},
            "firewallPolicy": {"id": policy["id"]},
            "ipConfigurations": [{"name": "a", "properties": configuration}],
        },
    )


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


def _group(place: tuple[int, str], name: str, *, broken: bool) -> Row:
    rules = [
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


def _spoke(i: int, hub: int) -> Iterator[Row]:
    place = _spoke_place(i)
    first, second, third = 10 + i // 4096 % 90, i // 16 % 256, i % 16 * 16
    space = f"{first}.{second}.{third}.0"
    groups = [_group(place, f"nsg-{name}-{i}", broken=i % 50 == 0) for name in ("system", "user")]
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
                "addressPrefix": f"{first}.{second}.{third + offset}.0/22",
                "networkSecurityGroup": {"id": group["id"]},
                "routeTable": {"id": table["id"]},
            },
        }
        for name, group, offset in zip(("snet-system", "snet-user"), groups, (0, 4), strict=True)
    ]
    network = _row(
        place,
        "virtualNetworks",
        (f"vnet-spoke-{i}",),
        {
            "addressSpace": {"addressPrefixes": [f"{space}/20"]},
            "subnets": subnets,
            "virtualNetworkPeerings": [_peering(_network(_hub_place(hub), "vnet-hub"))],
        },
    )
    yield from (*groups, table, network)
    yield from _cluster(i, network["id"])


def _cluster(i: int, network: str) -> Iterator[Row]:
    place, managed = _spoke_place(i), (_spoke_place(i)[0], f"MC_spoke_{i}")
    pools = [("system", "System"), ("user", "User")]
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
            "agentPoolProfiles": [
                {
                    "name": name,
                    "mode": mode,
                    "osType": "Linux",
                    "osSKU": "Ubuntu",
                    "vmSize": "Standard_D4s_v5",
                    "count": 3,
                    "vnetSubnetID": f"{network}/subnets/snet-{name}",
                }
                for name, mode in pools
            ],
        },
        sku={"name": "Base", "tier": "Standard"},
    )
    group = _row(managed, "networkSecurityGroups", (f"aks-agentpool-{i}-nsg",), {"securityRules": []})
    yield group
    for name, _ in pools:
        configuration = {
            "name": f"aks-{name}",
            "properties": {
                "primary": True,
                "networkSecurityGroup": {"id": group["id"]},
                "ipConfigurations": [
                    {"name": "a", "properties": {"subnet": {"id": f"{network}/subnets/snet-{name}"}}}
                ],
            },
        }
        profile = {"networkProfile": {"networkInterfaceConfigurations": [configuration]}}
        yield _row(
            managed,
            "Microsoft.Compute/virtualMachineScaleSets",
            (f"aks-{name}-{i}-vmss",),
            {"virtualMachineProfile": profile},
            tags={"aks-managed-poolName": name},
        )
    yield _row(
        managed,
        "loadBalancers",
        ("kubernetes-internal",),
        {"frontendIPConfigurations": []},
        sku={"name": "Standard"},
    )


if __name__ == "__main__":
    sys.exit(main())
