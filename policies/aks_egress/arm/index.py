"""What one document holds: its resources by id and by name, and the children written inside a parent."""

from __future__ import annotations

from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Document, Resource
from aks_egress.records import field, record
from aks_egress.values import Step, Unknown, Value, get

#: child type -> where a parent's body holds such children
INLINE: dict[str, tuple[Step, ...]] = {
    "microsoft.network/virtualnetworks/subnets": ("properties", "subnets"),
    "microsoft.network/virtualnetworks/virtualnetworkpeerings": ("properties", "virtualNetworkPeerings"),
    "microsoft.network/networksecuritygroups/securityrules": ("properties", "securityRules"),
    "microsoft.network/routetables/routes": ("properties", "routes"),
}


@record(slots=True)
class Index:
    """The resources of one document, by id and by what survives an open scope.

    A fleet is stamped, so thousands have the same names in groups of their own: who asks for an id of a known scope is
    shown only those whose own scope is open (`loose`, `loose_children`).
    """

    document: Document
    by_key: dict[str, list[Resource]] = field(default_factory=dict)
    by_names: dict[tuple[str, ...], list[Resource]] = field(default_factory=dict)
    by_kind: dict[str, list[Resource]] = field(default_factory=dict)
    loose: dict[tuple[str, ...], list[Resource]] = field(default_factory=dict)
    children: dict[tuple[str, ...], list[Resource]] = field(default_factory=dict)
    loose_children: dict[tuple[str, ...], list[Resource]] = field(default_factory=dict)
    children_of: dict[tuple[str, str], list[Resource]] = field(default_factory=dict)
    _adrift: dict[str, Resource | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for resource in self.document.resources:
            names = names_of(resource.id)
            self.by_key.setdefault(resource.id.key, []).append(resource)
            self.by_names.setdefault(names, []).append(resource)
            self.by_kind.setdefault(resource.kind, []).append(resource)
            open_ = "{" in resource.id.scope
            if open_:
                self.loose.setdefault(names, []).append(resource)
            if len(resource.id.names) > 1:
                above = (resource.kind, *names[1:-1])
                self.children.setdefault(above, []).append(resource)
                if open_:
                    self.loose_children.setdefault(above, []).append(resource)
                self.children_of.setdefault((resource.kind, _above(resource.id.key)), []).append(resource)

    def find(self, wanted: ResourceId) -> list[Resource]:
        """The resources of that id; where scopes are open, all that could be it."""
        exact = self.by_key.get(wanted.key)
        if exact is not None:
            return exact
        candidates = self.by_names if "{" in wanted.scope else self.loose
        return [one for one in candidates.get(names_of(wanted), ()) if one.id.could_be(wanted)]

    def below(self, parent: ResourceId, kind: str) -> list[Resource]:
        """The children of a type (lower case) that may be the parent's, in their order."""
        named = (kind, *(name.casefold() for name in parent.names))
        if "{" in parent.scope or named in self.loose_children:
            return [one for one in self.children.get(named, ()) if _may_hold(parent, one.id)]
        return self.children_of.get((kind, parent.key), [])

    def adrift(self, kind: str) -> Resource | None:
        """The first child of a type whose parent is not named and not in the document."""
        if kind not in self._adrift:
            found = ((one, one.id.parent) for one in self.by_kind.get(kind, ()) if not one.existing)
            lost = (one for one, up in found if up and up.open_names and not self.find(up))
            self._adrift[kind] = next(lost, None)
        return self._adrift[kind]


def _above(key: str) -> str:
    """The key of what a child belongs to."""
    return key.rsplit("/", 2)[0]


def _may_hold(parent: ResourceId, child: ResourceId) -> bool:
    above = child.parent
    return above is not None and above.could_be(parent)


def names_of(resource_id: ResourceId) -> tuple[str, ...]:
    """Type and names in lower case: what survives an open scope."""
    return (resource_id.kind, *(name.casefold() for name in resource_id.names))


def rows_of(parent: Resource, kind: str) -> list[Resource] | Unknown:
    """The children of a type that a parent lists, as resources of their own."""
    path = INLINE.get(kind.casefold())
    value = parent.get(*path) if path else None
    if value is None or path is None:
        return []
    if isinstance(value, Unknown):
        return value
    if not isinstance(value, list):
        return Unknown(f"`{path[-1]}` is not a list", parent.place(*path))
    rows: list[Resource] = []
    for i, item in enumerate(value):
        if isinstance(item, Unknown):
            return item
        rows.append(_row(parent, path, i, item))
    return rows


def _row(parent: Resource, path: tuple[Step, ...], i: int, item: Value) -> Resource:
    name = get(item, "name")
    spelled = (
        str(name) if isinstance(name, str | int | float) and str(name).strip() else f"{{{path[-1]}[{i}]}}"
    )
    place = (*path, i)
    deeper = {
        key[len(place) :]: origin
        for key, origin in (parent.places.items() if parent.places else ())
        if key[: len(place)] == place and len(key) > len(place)
    }
    return Resource(
        parent.id.child(str(path[-1]), spelled.replace("/", "_")),
        parent.place(*place),
        item if isinstance(item, dict) else {},
        deeper,
        address=parent.address,
        uncertain=parent.uncertain,
    )
