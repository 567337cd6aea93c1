"""All documents of one run as one graph: who refers to whom, within a document first.

A reference is followed in its own document, then in the others.  What several others hold is one
resource only where they agree; else nobody can say which is meant, and the link lists them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from aks_egress.arm.ids import ResourceId, parse_id
from aks_egress.arm.resources import Document, Resource, Role
from aks_egress.values import NOWHERE, Origin, Step, Unknown, Value, get


@dataclass(frozen=True, slots=True)
class Link:
    """What a reference leads to: any of `options` (None: nothing is attached), or the unknown.

    One option and no `unknown` is certainty.
    """

    options: tuple[Resource | None, ...]
    unknown: Unknown | None = None
    origin: Origin = NOWHERE

    @property
    def sole(self) -> Resource | None:
        """The resource, where it is certain that there is one and which."""
        return self.options[0] if len(self.options) == 1 and self.unknown is None else None

    @property
    def absent(self) -> bool:
        """Whether it is certain that nothing is attached."""
        return self.options == (None,) and self.unknown is None

    @property
    def resources(self) -> list[Resource]:
        """Every resource it may lead to."""
        return [option for option in self.options if option is not None]


ABSENT = Link((None,))


@dataclass(slots=True)
class _Index:
    """The resources of one document, by id and by what survives an open scope."""

    document: Document
    by_key: dict[str, Resource] = field(default_factory=dict)
    by_names: dict[tuple[str, ...], list[Resource]] = field(default_factory=dict)
    by_kind: dict[str, list[Resource]] = field(default_factory=dict)
    children: dict[tuple[str, ...], list[Resource]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for resource in self.document.resources:
            names = _names(resource.id)
            self.by_key[resource.id.key] = resource
            self.by_names.setdefault(names, []).append(resource)
            self.by_kind.setdefault(resource.kind, []).append(resource)
            if len(resource.id.names) > 1:
                self.children.setdefault((resource.kind, *names[1:-1]), []).append(resource)

    def find(self, wanted: ResourceId) -> Resource | None:
        """The resource of that id; where scopes are open, the one that could be it."""
        exact = self.by_key.get(wanted.key)
        if exact is not None:
            return exact
        near = [one for one in self.by_names.get(_names(wanted), ()) if one.id.could_be(wanted)]
        return near[0] if near else None


def _names(resource_id: ResourceId) -> tuple[str, ...]:
    return (resource_id.kind, *(name.casefold() for name in resource_id.names))


class Graph:
    """The resources of all documents and the links between them."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = tuple(documents)
        self._indexes = {id(document): _Index(document) for document in documents}
        self._home = {id(one): document for document in documents for one in document.resources}
        self._inline: dict[tuple[int, str], list[Resource] | Unknown] = {}

    def home(self, resource: Resource) -> Document:
        """The document that a resource came in."""
        return self._home[id(resource)]

    def of_kind(self, kind: str, document: Document | None = None) -> list[Resource]:
        """All resources of a type (any case), of one document or of all, in their order."""
        places = self._indexes.values() if document is None else [self._indexes[id(document)]]
        return [one for index in places for one in index.by_kind.get(kind.casefold(), ())]

    def link(self, value: Value, near: Document, origin: Origin = NOWHERE) -> Link:
        """Follow a reference: an id as text, an object with an `id`, or an unknown that says what it will be."""
        if isinstance(value, dict):
            value = get(value, "id")
        if value is None or value == "":
            return Link((None,), origin=origin)
        if isinstance(value, Unknown):
            return self._promised(value, near, origin)
        wanted = parse_id(value)
        if wanted is None:
            return Link((), Unknown("the reference is not a resource id", origin), origin)
        return self.find(wanted, near, origin)

    def _promised(self, value: Unknown, near: Document, origin: Origin) -> Link:
        """The link of an id that is known only after apply, through what it refers to."""
        wanted = [parse_id(ref.id) for ref in value.refers_to if ref.path in ((), ("id",))]
        if not wanted or len(wanted) != len(value.refers_to) or None in wanted:
            return Link((), value, origin)
        links = [self.find(one, near, origin) for one in wanted if one is not None]
        lost = next((link.unknown for link in links if link.unknown is not None), None)
        return Link(tuple(_distinct(option for link in links for option in link.options)), lost, origin)

    def find(self, wanted: ResourceId, near: Document, origin: Origin = NOWHERE) -> Link:
        """The resource of an id, as seen from a document."""
        found = self._in(wanted, near)
        if found is not None and not found.existing:
            return Link((found,), found.uncertain, origin)
        others = [
            one
            for document in self._others(near)
            if (one := self._in(wanted, document)) is not None and not one.existing
        ]
        if not others:
            return self._lost(wanted, near, found, origin)
        return Link(tuple(_distinct_bodies(others)), None, origin)

    def _others(self, near: Document) -> list[Document]:
        """The other documents in the order they are asked: what is deployed together first."""
        return [one for role in Role for one in self.documents if one is not near and one.role is role]

    def _lost(self, wanted: ResourceId, near: Document, known: Resource | None, origin: Origin) -> Link:
        if known is not None and isinstance(known.get("properties"), dict):
            return Link((known,), None, origin)  # a data source or an `existing` with a body of its own
        gap = near.unread.get(wanted.kind) or near.unread.get("*")
        if gap is not None and known is None:
            return Link((), gap, origin)
        why = f"`{'/'.join(wanted.names)}` ({wanted.type}) is not among the inputs"
        return Link(
            (), Unknown(why, origin, settle="name its definition as well, or give it with --context"), origin
        )

    def _in(self, wanted: ResourceId, document: Document) -> Resource | None:
        found = self._indexes[id(document)].find(wanted)
        if found is not None or wanted.parent is None:
            return found
        inline = _INLINE.get(wanted.kind)
        holder = self._in(wanted.parent, document) if inline else None
        if holder is None:
            return None
        rows = self.inline(holder, wanted.kind)
        return (
            next((one for one in rows if one.name.casefold() == wanted.name.casefold()), None)
            if isinstance(rows, list)
            else None
        )

    def children(self, parent: Resource, kind: str) -> tuple[list[Resource], Unknown | None]:
        """The children of a type: inline ones, and resources of their own in any document.

        A resource of its own replaces the inline child of the same name.  The unknown says that
        there may be more, or others.
        """
        kind = kind.casefold()
        rows = self.inline(parent, kind)
        gap = rows if isinstance(rows, Unknown) else None
        found = {} if isinstance(rows, Unknown) else {row.name.casefold(): row for row in rows}
        for document in (self.home(parent), *self._others(self.home(parent))):
            for child in self._apart(parent, kind, document):
                if child.name.casefold() not in found or document is self.home(parent):
                    found[child.name.casefold()] = child
        unread = self.home(parent).unread
        gap = gap or unread.get(kind)
        return list(found.values()), gap

    def _apart(self, parent: Resource, kind: str, document: Document) -> Iterable[Resource]:
        key = (kind, *(name.casefold() for name in parent.id.names))
        for child in self._indexes[id(document)].children.get(key, ()):
            above = child.id.parent
            if above is not None and above.could_be(parent.id) and not child.existing:
                yield child

    def inline(self, parent: Resource, kind: str) -> list[Resource] | Unknown:
        """The children written inside their parent, as resources of their own."""
        key = id(parent), kind.casefold()
        if key not in self._inline:
            rows = _rows(parent, kind)
            self._inline[key] = rows
            for row in rows if isinstance(rows, list) else ():
                self._home[id(row)] = self.home(parent)
        return self._inline[key]


#: child type -> where a parent's body holds such children
_INLINE: dict[str, tuple[Step, ...]] = {
    "microsoft.network/virtualnetworks/subnets": ("properties", "subnets"),
    "microsoft.network/virtualnetworks/virtualnetworkpeerings": ("properties", "virtualNetworkPeerings"),
    "microsoft.network/networksecuritygroups/securityrules": ("properties", "securityRules"),
    "microsoft.network/routetables/routes": ("properties", "routes"),
}


def _rows(parent: Resource, kind: str) -> list[Resource] | Unknown:
    path = _INLINE.get(kind.casefold())
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
        for key, origin in parent.places.items()
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


def _distinct(options: Iterable[Resource | None]) -> list[Resource | None]:
    out: list[Resource | None] = []
    for option in options:
        if not any(option is seen for seen in out):
            out.append(option)
    return out


def _distinct_bodies(found: list[Resource]) -> list[Resource]:
    """Those that differ; what is the same in every document is one."""
    out: list[Resource] = []
    for one in found:
        if not any(one.get("properties") == seen.get("properties") for seen in out):
            out.append(one)
    return out
