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

_OF_SUBNET = ("networkSecurityGroup", "routeTable", "natGateway")
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
    reached = {one.casefold() for one in (*near, *far)}
    for firewall in snapshot.of(FIREWALLS):
        if any(_network(one) in reached for one in _subnets_of(firewall)) or _at(firewall, "virtualHub"):
            yield from _ids(_at(firewall, "firewallPolicy"))
    for policy in snapshot.of(POLICIES):
        yield from _ids(_at(policy, "basePolicy"))
        yield from _ids(_at(policy, "ruleCollectionGroups"))
    for group in snapshot.of(GROUPS):
        for collection in _at(group, "ruleCollections") or ():
            for rule in collection.get("rules") or ():
                yield from rule.get("sourceIpGroups") or ()
                yield from rule.get("destinationIpGroups") or ()


def _networks_of(cluster: Json) -> Iterator[str]:
    properties = cluster["properties"]
    rows = properties.get("agentPoolProfiles") or ()
    subnets = [row.get(name) for row in rows for name in ("vnetSubnetID", "podSubnetID")]
    subnets.append((properties.get("apiServerAccessProfile") or {}).get("subnetId"))
    for subnet in subnets:
        if isinstance(subnet, str) and kind_of(subnet) == SUBNETS:
            yield subnet.rsplit("/", 2)[0]


def _around(snapshot: Snapshot, network: str) -> Iterator[str]:
    """What the subnets of a network name, and the networks it is peered with."""
    row = snapshot.resources.get(network.casefold())
    if row is None:
        return
    for subnet in _at(row, "subnets") or ():
        for name in _OF_SUBNET:
            yield from _ids((subnet.get("properties") or {}).get(name))
    for peering in _at(row, "virtualNetworkPeerings") or ():
        for remote in _ids((peering.get("properties") or {}).get("remoteVirtualNetwork")):
            if not remote.rsplit("/", 1)[-1].casefold().startswith(_MANAGED_HUB):
                yield remote


def _subnets_of(firewall: Json) -> Iterator[str]:
    for row in _at(firewall, "ipConfigurations") or ():
        yield from _ids((row.get("properties") or {}).get("subnet"))


def _network(subnet: str) -> str:
    return subnet.casefold().rsplit("/", 2)[0]


def _at(row: Json, name: str) -> Any:
    return row["properties"].get(name)


def _ids(value: Any) -> Iterator[str]:
    """The id of a reference, or those of a list of them."""
    for one in value if isinstance(value, list) else [value]:
        found = one.get("id") if isinstance(one, dict) else None
        if isinstance(found, str) and kind_of(found):
            yield found
