"""One value of one definition changed: the nearest miss there is."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

from tests.property.traits import Row

SIDES = ("*", "Internet", "VirtualNetwork", "AzureCloud", "AzureCloud.westeurope", "Storage", "20.0.0.0/8", "10.0.0.0/8", "10.0.0.0/33",
         "AzureLoadBalancer", "AzurePlatformDNS", "168.63.129.16", "10.244.0.0/16", "")  # fmt: skip
PORTS = ("*", "443", "80", "9000", "1194", "10250", "53", "999999")
OTHERS: Mapping[str, tuple[Any, ...]] = {
    # security rules
    "access": ("Allow", "Deny"),
    "direction": ("Outbound", "Inbound"),
    "priority": (100, 145, 200, 205, 210, 220, 4000),
    "protocol": ("*", "Tcp", "Udp", "Icmp"),
    "sourceAddressPrefix": SIDES,
    "destinationAddressPrefix": SIDES,
    "sourcePortRange": ("*", "2000-3000"),
    "destinationPortRange": PORTS,
    # routes and subnets
    "addressPrefix": ("0.0.0.0/0", "0.0.0.0/1", "20.0.0.0/8", "20.50.0.1/32", "40.0.0.0/8", "10.0.0.0/8", "10.99.0.0/25", "AzureCloud"),
    "nextHopType": ("VirtualAppliance", "None", "Internet", "VnetLocal"),
    "nextHopIpAddress": ("172.16.0.4", "172.16.1.4", "172.16.2.4", ""),
    "dnsServers": ([], ["172.16.0.4"], ["8.8.8.8"]),
    "networkSecurityGroup": (None,),
    "routeTable": (None,),
    # clusters and their pools
    "outboundType": ("loadBalancer", "userDefinedRouting", "none", "block"),
    "mode": ("System", "User"),
    "podCidr": ("10.244.0.0/16", "10.128.0.0/16"),
    "enablePrivateCluster": (True, False),
    "vnetSubnetID": (None,),
    "enableNodePublicIP": (True, False),
    # firewalls
    "enableProxy": (True, False),
    "tier": ("Basic", "Standard", "Premium"),
    "type": ("Allow", "Deny"),
    "collection": ("net", "more"),
    "ipProtocols": (["TCP"], ["UDP"], ["Any"], ["ICMP"]),
    "sourceAddresses": (["*"], ["10.0.0.0/8"], ["10.0.0.0/14"], ["192.168.0.0/16"]),
    "destinationAddresses": (["*"], ["AzureCloud"], ["20.0.0.0/8"], ["192.168.0.0/16"]),
    "destinationPorts": (["*"], ["443"], ["1194"], ["9000"]),
    "targetFqdns": (["*"], ["mcr.microsoft.com"], ["*.hcp.westeurope.azmk8s.io"], ["MCR.microsoft.com.", "*.azure.com"]),
    "fqdnTags": (["AzureKubernetesService"], ["WindowsUpdate"], []),
    "port": (443, 80, 9000),
    "protocolType": ("Https", "Http"),
    "terminateTLS": (True, False),
    "privateRanges": (["0.0.0.0/0"], ["20.0.0.0/8"]),
    "publicIPAddress": (None,),
}  # fmt: skip
_NAMED = ("securityRules", "routes", "rules", "ruleCollections")


def tweaked(maker: random.Random, rows: list[Row], i: int) -> None:
    """Change one value of what decides over packets: to another one, or to none."""
    places = list(_places(rows, ""))
    # a kind of value first: most rows hold many of a few kinds
    kinds = sorted({key for _, key, _ in places})
    wanted = maker.choice(kinds)
    holder, key, others = maker.choice([one for one in places if one[1] == wanted])
    other = maker.choice(others)
    if other is None:
        holder.pop(key)
    else:
        holder[key] = other


def _places(value: Any, within: str) -> Iterator[tuple[Row, str, tuple[Any, ...]]]:
    """Every member that may be changed, with what it may become."""
    if isinstance(value, list):
        for one in value:
            if isinstance(one, dict) and within in _NAMED and "name" in one:
                yield one, "name", ("a", "rule-0", "rule-1", "default", "net", "names")
            yield from _places(one, within)
    elif isinstance(value, dict):
        for key, deeper in value.items():
            plain = key != "type" or within == "action"
            if key in OTHERS and plain:
                yield value, key, OTHERS[key]
            yield from _places(deeper, key)
        if within == "ruleCollections" or "ruleType" in value:
            yield value, "terminateTLS", OTHERS["terminateTLS"]
