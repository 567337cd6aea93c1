"""Which pools run on scale sets that nobody showed: the security groups on their network interfaces are not known.

Whoever may read a cluster need not be allowed to read its node resource group, and Azure Resource Graph
leaves out, without a word, what may not be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aks_egress.topology.nics import POOL_TAGS
from aks_egress_scan.live.needed import CLUSTERS, SCALE_SETS, subscription_of
from aks_egress_scan.live.refusals import grant
from aks_egress_scan.live.snapshot import Snapshot, Unread

Json = dict[str, Any]
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
