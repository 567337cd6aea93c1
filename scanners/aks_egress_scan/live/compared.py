"""Azure's effective rules and routes of a node's network interface, beside the resources that were judged.

Every difference is a sentence: a rule or a route that only one of the two has, one that says something else,
a security group that is not applied, a route that a gateway taught.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aks_egress.topology.security import ADMIN_RULES
from aks_egress_scan.live.effective import subnets_of
from aks_egress_scan.live.snapshot import kind_of

Resources = Mapping[str, Any]
"""Resources by their id, lower case."""
Hop = tuple[str, str, str]

_OF_AZURE = "defaultSecurityRules/"
_EVERYTHING = frozenset({"*", "any", "all", "0.0.0.0/0", "::/0", "0-65535"})
_GROUPS = ("sourceApplicationSecurityGroups", "destinationApplicationSecurityGroups")
_ADMIN = ADMIN_RULES.casefold()


def effective_differences(found: Mapping[str, Any], resources: Resources) -> list[str]:
    """One sentence for each hop on which Azure's answer and the resources differ, or one that there is none."""
    out = []
    for interface in sorted(found):
        row, answer = resources.get(interface.casefold()), found[interface]
        if row is None or not isinstance(answer, dict):
            continue
        differ = [
            *_group_differences(answer.get("rules") or (), row, resources),
            *_route_differences(answer.get("routes") or (), row, resources),
        ]
        label = f"network interface `{interface.rsplit('/', 1)[-1]}`"
        agree = "Azure's effective rules and routes are those that were judged"
        out += [f"{label}: {one}" for one in differ or [agree]]
    return out


# rules


def _group_differences(groups: Iterable[Any], interface: Any, resources: Resources) -> Iterator[str]:
    applied = set()
    for group in groups:
        if group.get("manager"):
            yield from _admin_differences(group, resources)
            continue
        group_id = str(group.get("group", ""))
        applied.add(group_id.casefold())
        row = resources.get(group_id.casefold())
        if row is None:
            yield f"Azure applies the security group `{_name(group_id)}`, which was not collected"
        else:
            yield from _rule_differences(_name(group_id), group, row)
    for named in _named_groups(interface, resources):
        if named.casefold() not in applied:
            yield f"the security group `{_name(named)}` was judged, Azure does not apply it"


def _named_groups(interface: Any, resources: Resources) -> Iterator[str]:
    """The security groups of the interface and of its subnets."""
    holders = [interface["properties"]]
    holders += [_subnet(one, resources) for one in subnets_of(interface)]
    found = [str((one.get("networkSecurityGroup") or {}).get("id", "")) for one in holders]
    yield from dict.fromkeys(one for one in found if one)


def _rule_differences(group: str, answer: Any, row: Any) -> Iterator[str]:
    ours = {str(one["name"]): one.get("properties") or {} for one in _at(row, "securityRules")}
    theirs = {
        _name(str(one.get("name", ""))): one
        for one in answer.get("rules") or ()
        if not str(one.get("name", "")).startswith(_OF_AZURE)
    }
    for name in sorted(theirs.keys() - ours.keys()):
        yield f"Azure applies rule {_spelled(name, theirs[name])} of `{group}`, the group does not list it"
    for name in sorted(ours.keys() - theirs.keys()):
        yield f"the group `{group}` lists rule {_spelled(name, ours[name])}, Azure does not apply it"
    for name in sorted(ours.keys() & theirs.keys()):
        differ = _differing(ours[name], theirs[name])
        if differ:
            yield f"Azure applies rule `{name}` of `{group}` with {differ}"


def _differing(ours: Any, theirs: Any) -> str:
    """What Azure applies of a rule and what the group says instead; empty where both say the same."""
    fields = ["direction", "access", "priority", "protocol", "destinationPortRange"]
    if not any(ours.get(name) for name in _GROUPS):  # Azure names the members' addresses instead
        fields += ["sourceAddressPrefix", "destinationAddressPrefix"]
    told = []
    for field in fields:
        applied = _values(theirs, field)
        written = _values(ours, field)
        if applied and applied != written:
            told.append(f"{field} {_joined(applied)}, the group says {_joined(written)}")
    return "; ".join(told)


def _values(rule: Any, field: str) -> frozenset[str]:
    """The entries of a field in its singular and its plural form, as Azure compares them."""
    plural = field + ("es" if field.endswith("Prefix") else "s")
    entries = [*_listed(rule.get(field)), *_listed(rule.get(plural))]
    return frozenset(map(_entry, entries))


def _entry(text: str) -> str:
    folded = text.strip().casefold()
    low, _, high = folded.partition("-")
    folded = low if low == high else folded  # one port is spelled `443-443`
    return "*" if folded in _EVERYTHING else folded.removesuffix("/32")


def _admin_differences(answer: Any, resources: Resources) -> Iterator[str]:
    """Rules of a network manager that are in effect and were not collected."""
    known = {_name(key) for key in resources if kind_of(key) == _ADMIN}
    for one in answer.get("rules") or ():
        name = _name(str(one.get("name", "")))
        if name.casefold() not in known:
            manager = _name(str(answer["manager"]))
            yield f"Azure applies admin rule {_spelled(name, one)} of network manager `{manager}`, which was not collected"


# routes


def _route_differences(routes: Iterable[Any], interface: Any, resources: Resources) -> Iterator[str]:
    ours = {_hop(one.get("properties") or {}) for one in _own_routes(interface, resources)}
    theirs: set[Hop] = set()
    for row in routes:
        source, state = str(row.get("source", "")), str(row.get("state", "Active"))
        for hop in _hops(row):
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


def _own_routes(interface: Any, resources: Resources) -> Iterator[Any]:
    """The routes of the tables of the interface's subnets."""
    for subnet in subnets_of(interface):
        table_id = str((_subnet(subnet, resources).get("routeTable") or {}).get("id", ""))
        table = resources.get(table_id.casefold())
        yield from _at(table, "routes") if table else ()


def _hops(route: Any) -> Iterator[Hop]:
    """An effective route names several prefixes at once."""
    addresses = "+".join(_listed(route.get("nextHopIpAddress")))
    for prefix in _listed(route.get("addressPrefix")):
        yield prefix.casefold(), str(route.get("nextHopType", "")).casefold(), addresses


def _hop(route: Any) -> Hop:
    several = _listed((route.get("nextHop") or {}).get("nextHopIpAddresses"))
    return (
        str(route.get("addressPrefix", "")).casefold(),
        str(route.get("nextHopType", "")).casefold(),
        str(route.get("nextHopIpAddress") or "+".join(several)),
    )


def _shown(hop: Hop) -> str:
    prefix, kind, address = hop
    return f"{prefix} to {kind}{f' {address}' if address else ''}"


# both


def _subnet(subnet: str, resources: Resources) -> Any:
    """The properties of a subnet, empty where its network was not collected."""
    network = resources.get(subnet.casefold().rsplit("/", 2)[0])
    for one in _at(network, "subnets") if network else ():
        if str(one.get("name", "")).casefold() == _name(subnet).casefold():
            return one.get("properties") or {}
    return {}


def _name(resource_id: str) -> str:
    return resource_id.rsplit("/", 1)[-1]


def _spelled(name: str, rule: Any) -> str:
    parts = (rule.get("direction"), rule.get("access"), rule.get("priority"))
    return f"`{name}` ({' '.join(str(one).casefold() for one in parts if one is not None)})"


def _joined(values: Iterable[str]) -> str:
    return ", ".join(sorted(values)) or "nothing"


def _at(row: Any, name: str) -> list[Any]:
    found = row["properties"].get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _listed(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)] if value else []
