"""What Azure says of a node's network interface; `compared` says where that differs from the resources.

Azure names effective rules and routes for interfaces of running virtual machines, not for those of scale
sets.  So a node of a `VirtualMachines` pool answers, for every pool in its subnet.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aks_egress_scan.live.details import Json, Piece, every, guarded, names_of
from aks_egress_scan.live.needed import CLUSTERS
from aks_egress_scan.live.refusals import ODD, NoAnswerError
from aks_egress_scan.live.session import AGAIN

if TYPE_CHECKING:
    from aks_egress_scan.live.collect import Ask
    from aks_egress_scan.live.session import Session
    from aks_egress_scan.live.snapshot import Snapshot

_INTERFACES = "microsoft.network/networkinterfaces"
_RULES = "Microsoft.Network/networkInterfaces/effectiveNetworkSecurityGroups/action"
_ROUTES = "Microsoft.Network/networkInterfaces/effectiveRouteTable/action"
#: what is kept of an effective rule
OF_RULES = (
    "name",
    "access",
    "priority",
    "direction",
    "protocol",
    "sourceAddressPrefix",
    "sourceAddressPrefixes",
    "destinationAddressPrefix",
    "destinationAddressPrefixes",
    "destinationPortRange",
    "destinationPortRanges",
)
NONE_THERE = "no virtual machine's network interface is in its node resource group; Azure names effective rules and routes for those alone, not for scale sets"


def add_effective(session: Session, snapshot: Snapshot, ask: Ask) -> None:
    """Ask for the effective rules and routes of one interface in every subnet of every cluster."""
    clusters = [one for one in snapshot.of(CLUSTERS) if one["properties"].get("nodeResourceGroup")]
    ask("interfaces", [_interfaces(session, one) for one in clusters])
    wanted: dict[str, str] = {}
    for one in snapshot.of(_INTERFACES):
        if one["properties"].get("virtualMachine"):
            for subnet in subnets_of(one):
                wanted.setdefault(subnet, str(one["id"]))
    ask("effective rules and routes", [_effective(session, one) for one in sorted(set(wanted.values()))])


def _interfaces(session: Session, cluster: Json) -> Piece:
    cluster_id, group = str(cluster["id"]), str(cluster["properties"]["nodeResourceGroup"])

    def question() -> Json:
        subscription, _, _ = names_of(cluster_id)
        rows = every(session.network(subscription).network_interfaces.list(group))
        found = [[_INTERFACES, one] for one in rows if one.get("properties", {}).get("virtualMachine")]
        if found:
            return {"resources": found}
        return {"unread": [{"type": f"{_INTERFACES}/effective", "id": cluster_id, "why": NONE_THERE}]}

    asked = guarded(question, cluster_id, "Microsoft.Network/networkInterfaces/read", f"{_INTERFACES}/listed")
    return Piece(f"interfaces {cluster_id.casefold()}", asked)


def _effective(session: Session, interface: str) -> Piece:
    def question() -> Json:
        subscription, group, names = names_of(interface)
        operations = session.network(subscription).network_interfaces
        rules = operations.begin_list_effective_network_security_groups(group, names[0], **AGAIN)
        routes = operations.begin_get_effective_route_table(group, names[0], **AGAIN)
        said = {
            "rules": [_group(one) for one in _worked_out(rules, session.patience)],
            "routes": [_route(one) for one in _worked_out(routes, session.patience)],
        }
        return {"effective": {interface: said}}

    asked = guarded(question, interface, f"{_RULES} and {_ROUTES}", f"{_INTERFACES}/effective")
    return Piece(f"effective {interface.casefold()}", asked)


def _worked_out(poller: Any, patience: float) -> list[Json]:
    """The rows that Azure works out; raises NoAnswerError where that takes too long or gives no rows."""
    answer = poller.result(patience)
    if not poller.done():
        raise NoAnswerError(f"Azure did not work it out within {patience:.0f} s")
    if answer is None or answer.value is None:
        raise NoAnswerError(ODD)
    return [one.as_dict() for one in answer.value]


def _group(row: Json) -> Json:
    """A security group, or a network manager, with its rules, without Azure's expansions."""
    rules = [
        {name: one[name] for name in OF_RULES if one.get(name) not in (None, [])}
        for one in row.get("effectiveSecurityRules") or ()
    ]
    manager = ((row.get("association") or {}).get("networkManager") or {}).get("id", "")
    out = {"group": (row.get("networkSecurityGroup") or {}).get("id", ""), "rules": rules}
    return out | ({"manager": manager} if manager else {})


def _route(row: Json) -> Json:
    wanted = ("source", "state", "addressPrefix", "nextHopType", "nextHopIpAddress")
    return {name: row[name] for name in wanted if row.get(name)}


def subnets_of(interface: Json) -> Iterator[str]:
    for one in interface["properties"].get("ipConfigurations") or ():
        subnet = (one.get("properties") or {}).get("subnet") or {}
        if isinstance(subnet.get("id"), str):
            yield subnet["id"].casefold()
