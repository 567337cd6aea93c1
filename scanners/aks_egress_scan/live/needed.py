"""Which resources the walks of the collected clusters need, and which of these are not there yet.

Azure Resource Graph leaves out, without a word, what the caller may not read.  So every reference that
leads nowhere is asked for by itself, and a refusal becomes a reason instead of a silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aks_egress_scan.live.snapshot import Snapshot, kind_of

Json = dict[str, Any]
_NETWORK = "microsoft.network"
NETWORKS = f"{_NETWORK}/virtualnetworks"
SUBNETS = f"{NETWORKS}/subnets"
FIREWALLS = f"{_NETWORK}/azurefirewalls"
POLICIES = f"{_NETWORK}/firewallpolicies"
GROUPS = f"{POLICIES}/rulecollectiongroups"
CLUSTERS = "microsoft.containerservice/managedclusters"
SCALE_SETS = "microsoft.compute/virtualmachinescalesets"

_OF_SUBNET = ("networkSecurityGroup", "routeTable", "natGateway")
#: its route table decides over everything that the firewall lets through
_FIREWALL_SUBNET = "azurefirewallsubnet"
#: networks that Microsoft keeps for Virtual WAN hubs: nobody can read them
_MANAGED_HUB = "hv_"


def missing(snapshot: Snapshot) -> list[str]:
    """The ids that are needed and not collected, each once, in the order of need."""
    found = dict.fromkeys(one for one in _needed(snapshot) if one.casefold() not in snapshot.resources)
    folded = {one.casefold(): one for one in reversed(found)}
    refused = {one.id.casefold() for one in snapshot.unread}
    return [one for one in found if folded[one.casefold()] == one and one.casefold() not in refused]


def node_networks(snapshot: Snapshot) -> list[str]:
    """The virtual networks in which nodes, pods or API servers of the clusters live."""
    return sorted(dict.fromkeys(one for row in snapshot.of(CLUSTERS) for one in _networks_of(row)))


def subscription_of(resource_id: str) -> str:
    """The subscription in an id, lower case; empty where there is none."""
    parts = resource_id.strip("/").casefold().split("/")
    return parts[1] if len(parts) > 1 and parts[0] == "subscriptions" else ""


def _needed(snapshot: Snapshot) -> Iterator[str]:
    near = node_networks(snapshot)
    yield from near
    far = dict.fromkeys(one for network in near for one in _around(snapshot, network))
    yield from far
    for network in far:
        yield from _of_subnets(snapshot, network, _FIREWALL_SUBNET)
    yield from _groups_of_interfaces(snapshot)
    reached = {one.casefold() for one in (*near, *far)}
    for firewall in snapshot.of(FIREWALLS):
        if any(_network(one) in reached for one in _subnets_of(firewall)) or _at(firewall, "virtualHub"):
            yield from _ids(_at(firewall, "firewallPolicy"))
            for member in ("networkRuleCollections", "applicationRuleCollections"):
                for collection in _rows(_at(firewall, member)):
                    yield from _ip_groups(collection.get("properties"))
    for policy in snapshot.of(POLICIES):
        yield from _ids(_at(policy, "basePolicy"))
        yield from _ids(_at(policy, "ruleCollectionGroups"))
    for group in snapshot.of(GROUPS):
        for collection in _rows(_at(group, "ruleCollections")):
            yield from _ip_groups(collection)


def _ip_groups(collection: Any) -> Iterator[str]:
    """The IP groups that the rules of a collection name."""
    for rule in _rows(_member(collection, "rules")):
        for name in ("sourceIpGroups", "destinationIpGroups"):
            named = rule.get(name)
            yield from (one for one in named if isinstance(one, str)) if isinstance(named, list) else ()


def _groups_of_interfaces(snapshot: Snapshot) -> Iterator[str]:
    """The security groups on the network interfaces of nodes' scale sets."""
    path = ("virtualMachineProfile", "networkProfile", "networkInterfaceConfigurations")
    for scale_set in snapshot.of(SCALE_SETS):
        found: Any = scale_set["properties"]
        for name in path:
            found = _member(found, name)
        for row in _rows(found):
            yield from _ids(_member(row.get("properties"), "networkSecurityGroup"))


def _networks_of(cluster: Json) -> Iterator[str]:
    properties = cluster["properties"]
    rows = _rows(properties.get("agentPoolProfiles"))
    subnets = [row.get(name) for row in rows for name in ("vnetSubnetID", "podSubnetID")]
    subnets.append(_member(properties.get("apiServerAccessProfile"), "subnetId"))
    for subnet in subnets:
        if isinstance(subnet, str) and kind_of(subnet) == SUBNETS:
            yield subnet.rsplit("/", 2)[0]


def _around(snapshot: Snapshot, network: str) -> Iterator[str]:
    """What the subnets of a network name, and the networks it is peered with."""
    row = snapshot.resources.get(network.casefold())
    if row is None:
        return
    yield from _of_subnets(snapshot, network)
    for peering in _rows(_at(row, "virtualNetworkPeerings")):
        if not is_managed_hub(peering):
            yield from _ids(_member(peering.get("properties"), "remoteVirtualNetwork"))


def _of_subnets(snapshot: Snapshot, network: str, only: str = "") -> Iterator[str]:
    """What the subnets of a network name, or the one of that name."""
    row = snapshot.resources.get(network.casefold())
    for subnet in _rows(_at(row, "subnets")) if row else ():
        if not only or str(subnet.get("name")).casefold() == only:
            for name in _OF_SUBNET:
                yield from _ids(_member(subnet.get("properties"), name))


def is_managed_hub(peering: Json) -> bool:
    """Whether a peering leads to a network that Microsoft keeps for a Virtual WAN hub."""
    remote = _ids(_member(peering.get("properties"), "remoteVirtualNetwork"))
    return any(one.rsplit("/", 1)[-1].casefold().startswith(_MANAGED_HUB) for one in remote)


def _subnets_of(firewall: Json) -> Iterator[str]:
    for row in _rows(_at(firewall, "ipConfigurations")):
        yield from _ids(_member(row.get("properties"), "subnet"))


def _network(subnet: str) -> str:
    return subnet.casefold().rsplit("/", 2)[0]


def _at(row: Json, name: str) -> Any:
    return row["properties"].get(name)


def _member(value: Any, name: str) -> Any:
    """A member of what should be an object; None where it is something else."""
    return value.get(name) if isinstance(value, dict) else None


def _rows(value: Any) -> list[Json]:
    """The objects of what should be a list of them."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _ids(value: Any) -> Iterator[str]:
    """The id of a reference, or those of a list of them."""
    for one in value if isinstance(value, list) else [value]:
        found = _member(one, "id")
        if isinstance(found, str) and kind_of(found):
            yield found
