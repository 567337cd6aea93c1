"""What is known of admin rules where asking for those in effect was refused.

Asking takes an action that Reader rights do not hold.  Azure Resource Graph names, to readers, every
network over which admin rules are in effect; where it names none, none is assumed, and that is said once.
"""

from __future__ import annotations

from aks_egress.topology.security import ADMIN_RULES
from aks_egress_scan.live.needed import subscription_of
from aks_egress_scan.live.queries import IN_EFFECT
from aks_egress_scan.live.snapshot import Snapshot, Unread

_RULES = ADMIN_RULES.casefold()


def settle_admin_rules(snapshot: Snapshot) -> None:
    """Keep the refusals for networks that have admin rules; tell of the others once for each subscription."""
    if any(one.kind == IN_EFFECT and one.everything for one in snapshot.unread):
        return
    assumed: dict[str, list[Unread]] = {}
    for one in snapshot.unread:
        under = f"{one.id.casefold()}/providers/{IN_EFFECT}/"
        if one.kind == _RULES and one.grant and not any(key.startswith(under) for key in snapshot.resources):
            assumed.setdefault(subscription_of(one.id), []).append(one)
    gone = {id(one) for several in assumed.values() for one in several}
    snapshot.unread = [one for one in snapshot.unread if id(one) not in gone]
    snapshot.unread += [_told(subscription, several) for subscription, several in assumed.items()]


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
