"""What Azure says of a node's network interface, and where that differs from what the resources say.

Azure names effective rules and routes for interfaces of running virtual machines, not for those of scale
sets.  So a node of a `VirtualMachines` pool answers, for every pool in its subnet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
NONE_THERE = "no virtual machine's network interface is in its node resource group; Azure names effective rules and routes for those alone, not for scale sets"


def add_effective(session: Session, snapshot: Snapshot, ask: Ask) -> None:
    """Ask for the effective rules and routes of one interface in every subnet of every cluster."""
    clusters = [one for one in snapshot.of(CLUSTERS) if one["properties"].get("nodeResourceGroup")]
    ask("interfaces", [_interfaces(session, one) for one in clusters])
    wanted: dict[str, str] = {}
    for one in snapshot.of(_INTERFACES):
        if one["properties"].get("virtualMachine"):
            for subnet in _subnets(one):
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
    """A security group with the rules that decide, without Azure's expansions."""
    rules = [
        {name: one.get(name) for name in ("name", "access", "priority", "direction")}
        for one in row.get("effectiveSecurityRules") or ()
    ]
    return {"group": (row.get("networkSecurityGroup") or {}).get("id", ""), "rules": rules}


def _route(row: Json) -> Json:
    wanted = ("source", "state", "addressPrefix", "nextHopType", "nextHopIpAddress")
    return {name: row[name] for name in wanted if row.get(name)}


def _subnets(interface: Json) -> Iterator[str]:
    for one in interface["properties"].get("ipConfigurations") or ():
        subnet = (one.get("properties") or {}).get("subnet") or {}
        if isinstance(subnet.get("id"), str):
            yield subnet["id"].casefold()


# compared


def effective_differences(found: Mapping[str, Any], resources: Mapping[str, Any]) -> list[str]:
    """One sentence for each hop on which Azure's answer and the resources differ; `resources` by id, lower case."""
    said = []
    for interface in sorted(found):
        row = resources.get(interface.casefold())
        answer = found[interface]
        if row is None or not isinstance(answer, dict):
            continue
        label = f"network interface `{interface.rsplit('/', 1)[-1]}`"
        said += [f"{label}: {one}" for one in _rule_differences(answer.get("rules") or (), resources)]
        said += [f"{label}: {one}" for one in _route_differences(answer.get("routes") or (), row, resources)]
        if len(said) == 0:
            said.append(f"{label}: Azure's effective rules and routes are those that were judged")
    return said


def _rule_differences(groups: Iterable[Any], resources: Mapping[str, Any]) -> Iterator[str]:
    for group in groups:
        group_id = str(group.get("group", ""))
        name = group_id.rsplit("/", 1)[-1]
        row = resources.get(group_id.casefold())
        if row is None:
            yield f"Azure applies the security group `{name}`, which was not collected"
            continue
        ours = {_spelled(one["name"], one.get("properties")) for one in _at(row, "securityRules")}
        theirs = {
            _spelled(str(one.get("name", "")).removeprefix("securityRules/"), one)
            for one in group.get("rules") or ()
            if not str(one.get("name", "")).startswith("defaultSecurityRules/")
        }
        yield from (
            f"Azure applies rule {one} of `{name}`, the group does not list it"
            for one in sorted(theirs - ours)
        )
        yield from (
            f"the group `{name}` lists rule {one}, Azure does not apply it" for one in sorted(ours - theirs)
        )


def _route_differences(routes: Iterable[Any], interface: Any, resources: Mapping[str, Any]) -> Iterator[str]:
    ours: set[tuple[str, str, str]] = set()
    for subnet in _subnets(interface):
        table = _table(subnet, resources)
        ours |= {_hop(one.get("properties") or {}) for one in _at(table, "routes")} if table else set()
    theirs: set[tuple[str, str, str]] = set()
    for row in routes:
        for prefix in _listed(row.get("addressPrefix")):
            addresses = _listed(row.get("nextHopIpAddress")) or [""]
            hop = (prefix, str(row.get("nextHopType", "")).casefold(), addresses[0])
            source, state = str(row.get("source", "")), str(row.get("state", "Active"))
            if source == "User":
                theirs.add(hop)
            if source == "User" and state != "Active":
                yield f"route {_shown(hop)} is {state}: Azure does not use it"
            if source == "VirtualNetworkGateway" and state == "Active":
                yield f"route {_shown(hop)} was learned from a gateway; no resource says so"
    yield from (f"Azure has route {_shown(one)}, the table does not list it" for one in sorted(theirs - ours))
    yield from (
        f"the table lists route {_shown(one)}, Azure does not have it" for one in sorted(ours - theirs)
    )


def _table(subnet: str, resources: Mapping[str, Any]) -> Any:
    network = resources.get(subnet.rsplit("/", 2)[0])
    for one in _at(network, "subnets") if network else ():
        if str(one.get("name", "")).casefold() == subnet.rsplit("/", 1)[-1]:
            table = (one.get("properties") or {}).get("routeTable") or {}
            return resources.get(str(table.get("id", "")).casefold())
    return None


def _hop(route: Any) -> tuple[str, str, str]:
    return (
        str(route.get("addressPrefix", "")),
        str(route.get("nextHopType", "")).casefold(),
        str(route.get("nextHopIpAddress") or ""),
    )


def _shown(hop: tuple[str, str, str]) -> str:
    prefix, kind, address = hop
    return f"{prefix} to {kind}{f' {address}' if address else ''}"


def _spelled(name: str, rule: Any) -> str:
    said = rule if isinstance(rule, dict) else {}
    parts = (said.get("direction"), said.get("access"), said.get("priority"))
    return f"`{name}` ({' '.join(str(one).casefold() for one in parts)})"


def _at(row: Any, name: str) -> list[Any]:
    found = row["properties"].get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _listed(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)] if value else []
