"""What the nodes of a cluster stand on, and nobody showed: their scale sets, the hub of their Virtual WAN.

Whoever may read a cluster need not be allowed to read its node resource group, and nothing in a network names
the hub that connects it.  Azure Resource Graph leaves out, without a word, what may not be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aks_egress.topology.nics import POOL_TAGS
from aks_egress_scan.live.details import CONNECTIONS
from aks_egress_scan.live.needed import (
    CLUSTERS,
    SCALE_SETS,
    is_managed_hub,
    node_networks,
    subscription_of,
)
from aks_egress_scan.live.refusals import grant
from aks_egress_scan.live.snapshot import Snapshot, Unread

Json = dict[str, Any]
NO_HUB = "it is connected to a Virtual WAN hub that was not collected and may teach it any route: name the subscription of the hub as well"
_PERMISSION = "Microsoft.Compute/virtualMachineScaleSets/read"


def unseen_scale_sets(snapshot: Snapshot) -> list[Unread]:
    """One row for each pool that has scale sets, of which none was collected; its id ends in the pool's name."""
    seen = {_place(row) for row in snapshot.of(SCALE_SETS)}
    return [
        _unseen(str(cluster["id"]), group, pool)
        for cluster in snapshot.of(CLUSTERS)
        if isinstance(group := cluster["properties"].get("nodeResourceGroup"), str)
        for pool in _pools(cluster)
        if (subscription_of(str(cluster["id"])), group.casefold(), pool.casefold()) not in seen
    ]


def unseen_hubs(snapshot: Snapshot) -> list[Unread]:
    """One row for each network of nodes that a Virtual WAN hub connects, where no connection was collected."""
    known = {
        str((one["properties"].get("remoteVirtualNetwork") or {}).get("id")).casefold()
        for one in snapshot.of(CONNECTIONS)
    }
    return [
        Unread(kind=CONNECTIONS, id=network, why=NO_HUB)
        for network in node_networks(snapshot)
        if network.casefold() not in known and _at_hub(snapshot.resources.get(network.casefold()))
    ]


def _at_hub(network: Json | None) -> bool:
    """Whether a network is peered with one that Microsoft keeps for a Virtual WAN hub."""
    rows = network["properties"].get("virtualNetworkPeerings") if network else None
    return any(is_managed_hub(one) for one in rows or () if isinstance(one, dict))


def _place(scale_set: Json) -> tuple[str, str, str]:
    """Subscription, resource group and pool of a scale set."""
    parts = str(scale_set["id"]).casefold().strip("/").split("/")
    tags = {name.casefold(): value for name, value in (scale_set.get("tags") or {}).items()}
    pool = next((str(tags[name.casefold()]) for name in POOL_TAGS if name.casefold() in tags), "")
    return parts[1], parts[3], pool.casefold()


def _pools(cluster: Json) -> Iterator[str]:
    """The pools in networks of one's own whose nodes are scale sets."""
    rows = cluster["properties"].get("agentPoolProfiles")
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict) or not isinstance(row.get("vnetSubnetID"), str):
            continue
        kind = str(row.get("type") or "VirtualMachineScaleSets")
        if kind.casefold() == "virtualmachinescalesets" and isinstance(row.get("name"), str):
            yield row["name"]


def _unseen(cluster: str, group: str, pool: str) -> Unread:
    scope = f"/subscriptions/{subscription_of(cluster)}/resourceGroups/{group}"
    return Unread(
        kind=SCALE_SETS,
        id=f"{scope}/providers/Microsoft.Compute/virtualMachineScaleSets/{pool}",
        why=f"no scale set of this pool can be seen in `{group}`, so which security group is on its network interfaces is not known",
        permission=_PERMISSION,
        grant=grant(scope),
    )
