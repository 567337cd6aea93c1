"""One resource as the Pulumi engine knows it, whichever document or call it came in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aks_egress.records import field, record
from aks_egress.values import Origin, Unknown, Value
from aks_egress_scan.readers.pulumi.values import Spot, completed, settled

Properties = dict[str, Value]


@record(slots=True, eq=False)
class Registered:
    """A registered resource.

    `label` is how people know it (`azure-native:network:RouteTable::spoke`).  `props` are its properties by
    Pulumi's names: inputs, completed by outputs that are known; unknown ones refer to URNs.  `origin` is where
    the resource stands, `values` where its properties do.  An `external` resource is read, not managed.
    `depends` are the URNs that the resource as a whole depends on.  With `anew` it will be created.
    """

    urn: str
    type: str
    name: str
    label: str
    origin: Origin
    values: Origin
    props: Properties = field(default_factory=dict)
    id: str = ""
    parent: str = ""
    provider: str = ""
    external: bool = False
    depends: tuple[str, ...] = ()
    uncertain: Unknown | None = None
    anew: bool = False


def labels(urns: Iterable[str]) -> dict[str, str]:
    """How people know each resource: type and name, or the whole URN where two share those."""
    short: dict[str, list[str]] = {}
    for urn in urns:
        short.setdefault(label_of(urn), []).append(urn)
    return {urn: label if len(same) == 1 else urn for label, same in short.items() for urn in same}


def label_of(urn: str) -> str:
    """`type::name` of a URN; the type without those of the components around it."""
    parts = urn.split("::", 3)
    return f"{parts[2].rpartition('$')[2]}::{parts[3]}" if len(parts) == 4 else urn


def name_of(urn: str) -> str:
    """The logical name in a URN."""
    return urn.split("::", 3)[-1]


#: lists that a parent shows although each row may be a resource of its own
CHILD_LISTS = ("securityRules", "routes", "subnets", "virtualNetworkPeerings")
_CHILD_NAMES = ("securityRuleName", "routeName", "subnetName", "virtualNetworkPeeringName", "name")


def properties(
    inputs: Mapping[str, object],
    outputs: Mapping[str, object],
    *,
    label: str,
    values: Origin,
    depends: Mapping[str, tuple[str, ...]],
    otherwise: tuple[str, ...] = (),
) -> tuple[Properties, Properties]:
    """Inputs and outputs as plain data.

    `depends` are the URNs that each input depends on; where it is empty, `otherwise` holds for all of them.
    """
    spots = {name: Spot(label, values, urns) for name, urns in depends.items()}
    plain = Spot(label, values, () if depends else otherwise)
    given = {name: settled(item, spots.get(name, plain), (name,)) for name, item in inputs.items()}
    bare = Spot(label, values)
    shown = {name: settled(item, bare, (name,)) for name, item in outputs.items()}
    return given, shown


def joined(given: Properties, shown: Properties, children: frozenset[str], label: str) -> Properties:
    """Inputs completed by outputs.

    Rows that only the outputs show are either resources of their own (`children` has their names, lower
    case), or rows that nobody here manages any more or yet: then the list is unknown.
    """
    apart = {name: shown[name] for name in CHILD_LISTS if name in shown and given.get(name) is None}
    rest = {name: item for name, item in shown.items() if name not in apart}
    whole = completed(given, rest)
    props = whole if isinstance(whole, dict) else given
    for name, rows in apart.items():
        strangers = _strangers(rows, children)
        if strangers:
            why = f"`{label}` shows `{name}` that no definition in the stack gives it: {', '.join(strangers)}"
            props[name] = Unknown(why, settle="`pulumi refresh`, then an export or a preview")
    return props


def _strangers(rows: Value, children: frozenset[str]) -> list[str]:
    found = []
    for row in rows if isinstance(rows, list) else ():
        name = row.get("name") if isinstance(row, dict) else None
        if isinstance(name, str) and name.casefold() not in children:
            found.append(f"`{name}`")
    return found


def child_names(every: Iterable[Mapping[str, Value]]) -> frozenset[str]:
    """The names under which resources may show up as rows of their parents."""
    return frozenset(
        value.casefold()
        for props in every
        for name in _CHILD_NAMES
        if isinstance(value := props.get(name), str)
    )
