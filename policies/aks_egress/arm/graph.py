"""All documents of one run as one graph: who refers to whom, within a document first.

A reference is followed in its own document, then in the others.  What several others hold is one
resource only where they agree; else nobody can say which is meant, and the link lists them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from aks_egress.arm.ids import ResourceId, parse_id
from aks_egress.arm.resources import Document, Resource, Role
from aks_egress.records import field, record, replace
from aks_egress.values import NOWHERE, Origin, Step, Unknown, Value, get, settle


@record(frozen=True, slots=True)
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


@record(slots=True)
class _Index:
    """The resources of one document, by id and by what survives an open scope."""

    document: Document
    by_key: dict[str, list[Resource]] = field(default_factory=dict)
    by_names: dict[tuple[str, ...], list[Resource]] = field(default_factory=dict)
    by_kind: dict[str, list[Resource]] = field(default_factory=dict)
    children: dict[tuple[str, ...], list[Resource]] = field(default_factory=dict)
    _adrift: dict[str, Resource | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for resource in self.document.resources:
            names = _names(resource.id)
            self.by_key.setdefault(resource.id.key, []).append(resource)
            self.by_names.setdefault(names, []).append(resource)
            self.by_kind.setdefault(resource.kind, []).append(resource)
            if len(resource.id.names) > 1:
                self.children.setdefault((resource.kind, *names[1:-1]), []).append(resource)

    def find(self, wanted: ResourceId) -> list[Resource]:
        """The resources of that id; where scopes are open, all that could be it."""
        exact = self.by_key.get(wanted.key)
        if exact is not None:
            return exact
        return [one for one in self.by_names.get(_names(wanted), ()) if one.id.could_be(wanted)]

    def adrift(self, kind: str) -> Resource | None:
        """The first child of a type whose parent is not named and not in the document."""
        if kind not in self._adrift:
            found = ((one, one.id.parent) for one in self.by_kind.get(kind, ()) if not one.existing)
            lost = (one for one, up in found if up and up.open_names and not self.find(up))
            self._adrift[kind] = next(lost, None)
        return self._adrift[kind]


def _names(resource_id: ResourceId) -> tuple[str, ...]:
    return (resource_id.kind, *(name.casefold() for name in resource_id.names))


class Graph:
    """The resources of all documents and the links between them."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = tuple(documents)
        self._indexes = {id(document): _Index(document) for document in documents}
        self._home = {id(one): document for document in documents for one in document.resources}
        self._inline: dict[tuple[int, str], list[Resource] | Unknown] = {}
        for document in documents:
            for one in document.resources:
                one.settle = self._settled
        self._gone = [one for document in documents if not document.deployed for one in document.deleted]
        self._superseded = {
            id(one)
            for document in documents
            if document.deployed
            for one in document.resources
            if self._is_gone(one.id) or self._planned(one.id)
        }

    def _is_gone(self, wanted: ResourceId) -> bool:
        """Whether a definition that is yet to be deployed deletes the resource, or its parent."""
        if not self._gone:
            return False
        above = wanted.parent
        return any(one.could_be(wanted) for one in self._gone) or (above is not None and self._is_gone(above))

    def _planned(self, wanted: ResourceId) -> list[Resource]:
        """What definitions that are yet to be deployed hold under an id."""
        return [
            one
            for document in self.documents
            if not document.deployed
            for one in self._in(wanted, document)
            if not one.existing
        ]

    def _settled(self, resource: Resource, body: Mapping[str, Value]) -> Mapping[str, Value]:
        """A body in which values that are promised to be another resource's are that resource's."""
        settled = settle(dict(body), partial(self._told, self.home(resource)))
        return settled if isinstance(settled, dict) else body

    def _told(self, near: Document, promised: Unknown) -> Value:
        """What another resource says, where exactly one is meant and it says it; else the promise itself."""
        if len(promised.refers_to) != 1 or promised.refers_to[0].path in ((), ("id",)):
            return promised
        wanted, path = parse_id(promised.refers_to[0].id), promised.refers_to[0].path
        found = self.find(wanted, near).sole if wanted is not None else None
        # `reference()` leaves `properties` out unless it is asked for the full resource
        said = None if found is None else found.get(*path)
        said = found.prop(*path) if said is None and found is not None else said
        if isinstance(said, Unknown) and not said.refers_to:
            return replace(said, refers_to=promised.refers_to)
        return promised if said is None else said

    def home(self, resource: Resource) -> Document:
        """The document that a resource came in."""
        return self._home[id(resource)]

    def of_kind(self, kind: str, document: Document | None = None) -> list[Resource]:
        """All resources of a type (any case), of one document or of all, in their order."""
        places = self._indexes.values() if document is None else [self._indexes[id(document)]]
        found = (one for index in places for one in index.by_kind.get(kind.casefold(), ()))
        return [one for one in found if id(one) not in self._superseded]

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
        own = self._in(wanted, near)
        found = self._planned(wanted) if near.deployed else [one for one in own if not one.existing]
        found = found or self._elsewhere(wanted, near)
        if not found:
            return self._lost(wanted, near, own[0] if own else None, origin)
        doubt = next((one.uncertain for one in found if one.uncertain is not None), None)
        return Link(tuple(self._distinct_bodies(found)), doubt, origin)

    def _elsewhere(self, wanted: ResourceId, near: Document) -> list[Resource]:
        """What the other documents hold under an id: what is yet to be deployed wins over what runs."""
        if self._is_gone(wanted) or wanted.open_names:
            return []
        places = [near, *self._others(near)] if near.deployed else self._others(near)
        found = [
            (document, one) for document in places for one in self._in(wanted, document) if not one.existing
        ]
        planned = [one for document, one in found if not document.deployed]
        return planned or [one for _, one in found]

    def _others(self, near: Document) -> list[Document]:
        """The other documents in the order they are asked: what is deployed together first."""
        return [one for role in Role for one in self.documents if one is not near and one.role is role]

    def _lost(self, wanted: ResourceId, near: Document, known: Resource | None, origin: Origin) -> Link:
        if known is not None and isinstance(known.get("properties"), dict):
            return Link((known,), None, origin)  # a data source or an `existing` with a body of its own
        gap = self._gap(wanted, near)
        if gap is not None and known is None:
            return Link((), gap, origin)
        why = f"`{'/'.join(wanted.names)}` ({wanted.type}) is not among the inputs"
        return Link(
            (), Unknown(why, origin, settle="name its definition as well, or give it with --context"), origin
        )

    def _gap(self, wanted: ResourceId, near: Document) -> Unknown | None:
        """Why a resource may be there although nothing shows it: refused by itself, or with its type."""
        refused = (one.unread[wanted.key] for one in self.documents if wanted.key in one.unread)
        return near.unread.get(wanted.kind) or near.unread.get("*") or next(refused, None)

    def _in(self, wanted: ResourceId, document: Document) -> list[Resource]:
        """What a document holds under an id, inline children included."""
        found = self._indexes[id(document)].find(wanted)
        if found or wanted.parent is None or wanted.kind not in _INLINE:
            return found
        rows = [self.inline(holder, wanted.kind) for holder in self._in(wanted.parent, document)]
        name = wanted.name.casefold()
        return [one for some in rows if isinstance(some, list) for one in some if one.name.casefold() == name]

    def children(self, parent: Resource, kind: str) -> tuple[list[Resource], Unknown | None]:
        """The children of a type: inline ones, and resources of their own in any document.

        A resource of its own replaces the inline child of the same name; a document that holds the
        parent itself keeps its children for it.  The unknown says that there may be more, or others.
        """
        kind, home = kind.casefold(), self.home(parent)
        rows = self.inline(parent, kind)
        gap = rows if isinstance(rows, Unknown) else home.unread.get(kind) or home.unread.get("*")
        own = list(self._apart(parent, kind, home))
        gap = gap or next((why for _, why in own if why is not None), None)
        gap = gap or self._adrift(parent, kind)
        replaced = {child.name.casefold() for child, _ in own if child.uncertain is None}
        found = [
            row for row in ([] if isinstance(rows, Unknown) else rows) if row.name.casefold() not in replaced
        ]
        found += [child for child, _ in own]
        if home.deployed:
            found = [child for child in found if not self._is_gone(child.id) and not self._planned(child.id)]
        more, doubt = self._from_others(parent, kind, {child.name.casefold() for child in found})
        return [*found, *more], gap or doubt

    def _from_others(
        self, parent: Resource, kind: str, taken: set[str]
    ) -> tuple[list[Resource], Unknown | None]:
        """Children that other documents add; where two of them disagree about one, nobody can say which holds."""
        found: dict[str, Resource] = {}
        gap: Unknown | None = None
        if parent.id.open_names:
            return [], None
        for document in self._others(self.home(parent)):
            holders = [one for one in self._in(parent.id, document) if not one.existing]
            if holders and document.deployed and not self._says_children(parent, kind):
                for child in self._deployed_children(holders[0], kind):
                    found.setdefault(child.name.casefold(), child)
            if holders:
                continue
            for child, why in self._apart(parent, kind, document):
                gap = gap or why
                seen = found.setdefault(child.name.casefold(), child)
                if seen is not child and not self._same(seen, child):
                    gap = gap or Unknown(
                        f"several documents define `{child.label}`, each in its own way", child.origin
                    )
        return [child for name, child in found.items() if name not in taken], gap

    def _says_children(self, parent: Resource, kind: str) -> bool:
        """Whether a definition lists its children itself: then what runs beside them goes."""
        path = _INLINE.get(kind)
        return self.home(parent).deployed or (path is not None and parent.get(*path) is not None)

    def _deployed_children(self, parent: Resource, kind: str) -> list[Resource]:
        """The children that run under a resource which a definition mentions without listing them."""
        rows = self.inline(parent, kind)
        apart = [child for child, _ in self._apart(parent, kind, self.home(parent))]
        every = [*(rows if isinstance(rows, list) else []), *apart]
        return [child for child in every if not self._is_gone(child.id)]

    def _apart(
        self, parent: Resource, kind: str, document: Document
    ) -> Iterable[tuple[Resource, Unknown | None]]:
        """Children that are resources of their own, and why another parent might be meant."""
        key = (kind, *(name.casefold() for name in parent.id.names))
        index = self._indexes[id(document)]
        for child in index.children.get(key, ()):
            above = child.id.parent
            if above is None or not above.could_be(parent.id) or child.existing:
                continue
            several = above.key != parent.id.key and len({one.id.key for one in index.find(above)}) > 1
            why = f"several resources could be the one that `{child.label}` belongs to"
            yield child, Unknown(why, child.origin) if several else None

    def _adrift(self, parent: Resource, kind: str) -> Unknown | None:
        """Why a child beside the parent may be the parent's: the name of what it belongs to is not known."""
        child = self._indexes[id(self.home(parent))].adrift(kind) if kind in _ORDERED else None
        if child is None or parent.id.open_names:
            return None
        why = f"`{child.label}` may belong to `{parent.label}`: the name of what it belongs to is not known"
        return Unknown(why, child.origin, settle="give the values that its name is made of")

    def _distinct_bodies(self, found: list[Resource]) -> list[Resource]:
        """Those that differ; what is the same everywhere is one."""
        out: list[Resource] = []
        for one in found:
            if not any(self._same(one, seen) for seen in out):
                out.append(one)
        return out

    def _same(self, one: Resource, other: Resource) -> bool:
        """Whether two resources say the same, their children included."""
        return one is other or (
            one.get("properties") == other.get("properties") and self._below(one) == self._below(other)
        )

    def _below(self, resource: Resource) -> dict[str, Value]:
        """The properties of everything under a resource in its own document."""
        stem = resource.id.key + "/"
        return {
            one.id.key.removeprefix(stem): one.get("properties")
            for one in self.home(resource).resources
            if one.id.key.startswith(stem)
        }

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


#: children that change what their siblings do, so that one whose parent is not known leaves every parent open
_ORDERED = (
    "microsoft.network/networksecuritygroups/securityrules",
    "microsoft.network/routetables/routes",
    "microsoft.network/firewallpolicies/rulecollectiongroups",
    "microsoft.containerservice/managedclusters/agentpools",
)


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
