"""The one mending that is safe to make in a preview: a security group of nodes that cuts the tunnel by itself.

It is made for groups that somebody named as those of nodes, and only where it is proved: the group is
judged with a cluster in front of it and an open way behind it, before and after.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Document, Kind, Resource
from aks_egress.engine import judge
from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.report import Cluster
from aks_egress.packets.tags import ServiceTags
from aks_egress.settings import Settings
from aks_egress.values import Origin, Value
from aks_egress_scan.readers.mapping.azure_native import native_type
from aks_egress_scan.readers.pulumi.building import built
from aks_egress_scan.readers.pulumi.registered import Registered, label_of, properties

GROUP = "microsoft.network/networksecuritygroups"
NAME = "allow-aks-tunnel"
_SCOPE = "/subscriptions/{subscription}/resourceGroups/{resource-group}"
_HERE = Origin("mending")

#: tunnel -> protocol and port towards the control plane, as a security group sees them
_LEGS = {"konnectivity": ("Tcp", "443"), "aks-link": ("Udp", "1194"), "tunnelfront": ("Tcp", "9000")}


def mended(
    urn: str, token: str, raw: Mapping[str, Any], prefixes: Mapping[str, str], tunnel: str
) -> dict[str, Any] | None:
    """The inputs of a security group with one rule more that opens the tunnel; None where that is not to be done.

    `prefixes` has the address prefix of the node subnet by the name of its group.  Nothing is done where the
    group is not named there, does not cut the tunnel, or where the rule cannot be proved to open it.
    """
    native = native_type(token)
    name = str(raw.get("networkSecurityGroupName") or urn.rpartition("::")[2])
    rules = raw.get("securityRules")
    if native is None or native.kind != GROUP or not isinstance(rules, list):
        return None
    prefix = next((one for pattern, one in prefixes.items() if fnmatchcase(name, pattern)), "")
    if not prefix or _tunnel(raw, prefix, tunnel) is not Verdict.BLOCKED:
        return None
    mode = tunnel if tunnel in _LEGS else "konnectivity"
    for priority in _free(rules):
        changed = copy.deepcopy(dict(raw))
        changed["securityRules"] = [*changed["securityRules"], _rule(raw, priority, mode)]
        if _tunnel(changed, prefix, tunnel) is Verdict.OPEN:
            return changed
    return None


def _rule(raw: Mapping[str, Any], priority: int, mode: str) -> dict[str, Any]:
    protocol, port = _LEGS[mode]
    location = str(raw.get("location", "")).replace(" ", "").lower()
    return {
        "name": NAME,
        "description": "Added by aks-egress: the tunnel between nodes and API server",
        "priority": priority,
        "direction": "Outbound",
        "access": "Allow",
        "protocol": protocol,
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": f"AzureCloud.{location}",
        "destinationPortRange": port,
    }


def _free(rules: list[Any]) -> Iterator[int]:
    """Priorities to try: the free one just before each outbound Deny, the least intrusive first."""
    taken = {int(one["priority"]) for one in rules if _number(one, "priority")}
    denies = sorted(
        (int(one["priority"]) for one in rules if _number(one, "priority") and _denies(one)), reverse=True
    )
    for deny in denies:
        free = next((one for one in range(deny - 1, 99, -1) if one not in taken), None)
        if free is not None:
            yield free


def _number(rule: Any, key: str) -> bool:
    return isinstance(rule, Mapping) and isinstance(rule.get(key), int | float)


def _denies(rule: Mapping[str, Any]) -> bool:
    return str(rule.get("access")).lower() == "deny" and str(rule.get("direction")).lower() == "outbound"


def _tunnel(raw: Mapping[str, Any], prefix: str, tunnel: str) -> Verdict | None:
    """The verdict on the tunnel's way out through the group, everything else being open."""
    location = raw.get("location")
    if not isinstance(location, str) or not location:
        return None
    report = judge([_document(raw, prefix, location)], Settings(tunnel=tunnel), ServiceTags())
    return _way_out(report.clusters[0]) if report.clusters else None


def _way_out(cluster: Cluster) -> Verdict | None:
    """The worst verdict of the tunnel's flows to the control plane."""
    flows = [
        one.verdict for one in cluster.flows if one.role == "tunnel" and one.destination.kind != "subnet"
    ]
    order = [Verdict.BLOCKED, Verdict.PARTIAL, Verdict.UNKNOWN, Verdict.OPEN]
    return next((one for one in order if one in flows), None)


def _document(raw: Mapping[str, Any], prefix: str, location: str) -> Document:
    """The group on a subnet of a cluster that leaves through a load balancer."""
    urn = "urn:pulumi:x::x::azure-native:network:NetworkSecurityGroup::group"
    given, _ = properties(
        {**raw, "networkSecurityGroupName": "group"}, {}, label=label_of(urn), values=_HERE, depends={}
    )
    one = Registered(
        urn, "azure-native:network:NetworkSecurityGroup", "group", label_of(urn), _HERE, _HERE, given
    )
    group = built([one]).resources[0]
    subnet: dict[str, Value] = {"addressPrefix": prefix, "networkSecurityGroup": {"id": str(group.id)}}
    network: dict[str, Value] = {
        "addressSpace": {"addressPrefixes": [prefix]},
        "subnets": [{"name": "nodes", "properties": subnet}],
    }
    nodes = ResourceId.of(_SCOPE, "Microsoft.Network/virtualNetworks/subnets", "network", "nodes")
    cluster: dict[str, Value] = {
        "networkProfile": {
            "outboundType": "loadBalancer",
            "networkPlugin": "azure",
            "networkPluginMode": "overlay",
        },
        "agentPoolProfiles": [{"name": "nodes", "mode": "System", "vnetSubnetID": str(nodes)}],
    }
    rest = (
        ("Microsoft.Network/virtualNetworks", "network", network),
        ("Microsoft.ContainerService/managedClusters", "cluster", cluster),
    )
    made = [
        Resource(ResourceId.of(_SCOPE, kind, name), _HERE, {"location": location, "properties": body})
        for kind, name, body in rest
    ]
    return Document("mending", Kind.PULUMI_PREVIEW, (group, *made))
