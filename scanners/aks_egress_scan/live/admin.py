"""What is known of admin rules where asking for those in effect was refused, or gave what cannot be.

Asking takes an action that Reader rights do not hold.  Azure Resource Graph names, to readers, every
network over which admin rules are in effect; where it names none, none is assumed, and that is said once.
"""

from __future__ import annotations

from collections.abc import Iterator

from aks_egress.topology.security import ADMIN_RULES
from aks_egress_scan.live.needed import node_networks, subscription_of
from aks_egress_scan.live.queries import IN_EFFECT
from aks_egress_scan.live.snapshot import Snapshot, Unread

_RULES = ADMIN_RULES.casefold()
_MEMBERS = "microsoft.network/networkmanagers/networkgroups/staticmembers"


def settle_admin_rules(snapshot: Snapshot) -> None:
    """Keep the refusals for networks that have admin rules; tell of the others once for each subscription."""
    if any(one.kind == IN_EFFECT and one.everything for one in snapshot.unread):
        return
    governed = _governed(snapshot)
    snapshot.unread += _contradictions(snapshot, governed)
    assumed: dict[str, list[Unread]] = {}
    for one in snapshot.unread:
        if one.kind == _RULES and one.grant and one.id.casefold() not in governed:
            assumed.setdefault(subscription_of(one.id), []).append(one)
    gone = {id(one) for several in assumed.values() for one in several}
    snapshot.unread = [one for one in snapshot.unread if id(one) not in gone]
    snapshot.unread += [_told(subscription, several) for subscription, several in assumed.items()]


def _governed(snapshot: Snapshot) -> set[str]:
    """The networks over which Resource Graph says that admin rules are in effect, lower case."""
    word = f"/providers/{IN_EFFECT}/"
    return {key.partition(word)[0] for key in snapshot.resources if word in key}


def _contradictions(snapshot: Snapshot, governed: set[str]) -> Iterator[Unread]:
    """Networks over which Resource Graph says that rules are in effect, and that named none when they were asked."""
    told = {one.id.casefold() for one in snapshot.unread if one.kind == _RULES}
    told |= {str(one["properties"].get("resourceId")).casefold() for one in snapshot.of(_MEMBERS)}
    for network in node_networks(snapshot):
        if network.casefold() in governed - told:
            why = "Azure Resource Graph says that admin rules are in effect over it, and it named none itself"
            yield Unread(kind=_RULES, id=network, why=why)


def _told(subscription: str, refused: list[Unread]) -> Unread:
    count = len(refused)
    networks = "1 network" if count == 1 else f"{count} networks"
    return Unread(
        kind=IN_EFFECT,
        id=f"/subscriptions/{subscription}",
        why=f"which admin rules are in effect over {networks} was refused; Azure Resource Graph names none there, so none is assumed",
        permission=refused[0].permission,
        grant=refused[0].grant,
    )
