"""All documents of one run as one graph: who refers to whom, within a document first.

A reference is followed in its own document, then in the others.  What several others hold is one
resource only where they agree; else nobody can say which is meant, and the link lists them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from aks_egress.arm.ids import ResourceId, parse_id
from aks_egress.arm.index import INLINE, Index, rows_of
from aks_egress.arm.overlay import Gone, agreed, laid
from aks_egress.arm.resources import Document, Kept, Kind, Resource, Role
from aks_egress.records import record, replace
from aks_egress.values import NOWHERE, Origin, Step, Unknown, Value, at, get, settle


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


class Graph:
    """The resources of all documents and the links between them."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = tuple(documents)
        self._indexes = {id(document): Index(document) for document in documents}
        self._home = {id(one): document for document in documents for one in document.resources}
        self._inline: dict[tuple[int, str], list[Resource] | Unknown] = {}
        self._doubtful: dict[tuple[int, int], Resource] = {}
        for document in documents:
            for one in document.resources:
                one.settle = self._settled
        self._gone = Gone(documents)
        self._twins: dict[int, bool] = {}
        self._plans = [document for document in documents if not document.runs]
        there = [document for document in documents if document.runs and self._plans]
        self._superseded = {
            id(one) for document in there for one in document.resources if self.taken_over(one.id)
        }

    def taken_over(self, wanted: ResourceId) -> bool:
        """Whether a definition that is yet to be deployed deletes what runs under an id, or defines it."""
        return self._gone.by(wanted) is not None or any(map(self._sole, self._planned(wanted)))

    def _sole(self, planned: Resource) -> bool:
        """Whether it is certain which resource that runs a planned one is: its scope may be open."""
        if id(planned) not in self._twins:
            keys = {one.id.key for _, one in self._running(planned)}
            self._twins[id(planned)] = planned.id.key in keys or len(keys) < 2
        return self._twins[id(planned)]

    def _running(self, resource: Resource) -> list[tuple[Document, Resource]]:
        """What runs under the id of a resource of another document."""
        home = self.home(resource)
        return [
            (document, one)
            for document in self._others(home)
            if document.runs
            for one in self._in(resource.id, document)
            if not one.existing
        ]

    def _planned(self, wanted: ResourceId) -> list[Resource]:
        """What definitions that are yet to be deployed hold under an id."""
        return [one for document in self._plans for one in self._in(wanted, document) if not one.existing]

    def _settled(self, resource: Resource, body: Mapping[str, Value]) -> Mapping[str, Value]:
        """A body in which values that are promised to be another resource's are that resource's."""
        settled = settle(dict(body), partial(self._told, self.home(resource)))
        whole: Mapping[str, Value] = settled if isinstance(settled, dict) else body
        for kept in resource.kept:
            whole = self._completed(resource, whole, kept)
        return whole

    def _completed(self, resource: Resource, body: Mapping[str, Value], kept: Kept) -> Mapping[str, Value]:
        """A body with one part as others say it; as it is where nobody does."""
        wanted, path = resource.id, kept.path
        if len(path) > 3 and isinstance(path[2], int):  # of a child that the body lists
            name = at(dict(body), *path[:3], "name")
            if not isinstance(name, str):
                return body
            wanted, path = wanted.child(str(path[1]), name.replace("/", "_")), path[3:]
        found = self._sayers(resource, wanted, path)
        if not found:
            return body
        why = f"what there is and what is planned differ about `{path[-1]}` of `{resource.label}`"
        said = agreed([one.get(*path) for one in found], Unknown(why, resource.origin))
        whole, rows = laid(body, kept, said)
        own = {(*kept.path, new): found[0].place(*path, old) for new, old in rows.items()}
        resource.places = {**resource.places, **(own or {kept.path: found[0].place(*path)})}
        return whole

    def _sayers(self, resource: Resource, wanted: ResourceId, path: tuple[Step, ...]) -> list[Resource]:
        """Those who decide over a part that a definition leaves to others: definitions, else what runs."""
        home = self.home(resource)
        above = self._in(wanted.parent, home) if resource.stands_in and wanted.parent else []
        rows = [self.inline(one, wanted.kind) for one in above]
        listed = [one for some in rows if isinstance(some, list) for one in some if one.id.could_be(wanted)]
        if listed:
            return listed
        found = [
            (document, one)
            for document in self._others(home)
            for one in self._in(wanted, document)
            if _says(one, path)
        ]
        planned = [one for document, one in found if not document.runs]
        if planned or resource.anew or wanted.open_names:
            return planned
        return [one for _, one in found if self._gone.by(one.id) is None]

    def left_running(self, resource: Resource) -> list[Resource]:
        """What runs that a resource will be laid over; empty where it will be made anew or runs itself."""
        if resource.anew or self.home(resource).runs or resource.id.open_names:
            return []
        return [one for _, one in self._running(resource) if self._gone.by(one.id) is None]

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
        found = self._over(wanted, own) if near.runs else self._own(wanted, near, own)
        found = found or self._elsewhere(wanted, near)
        if not found:
            return self._lost(wanted, near, own[0] if own else None, origin)
        doubt = next((one.uncertain for one in found if one.uncertain is not None), None)
        return Link(tuple(self._distinct_bodies(found)), doubt, origin)

    def _over(self, wanted: ResourceId, own: list[Resource]) -> list[Resource]:
        """What is planned in place of what runs; beside it where another one that runs may be meant."""
        planned = _whole_ones(self._planned(wanted))
        return planned if all(map(self._sole, planned)) else [*planned, *own]

    def _own(self, wanted: ResourceId, near: Document, own: list[Resource]) -> list[Resource]:
        """What a definition says itself, unless it only adds to what another one defines."""
        found = [one for one in own if not one.existing]
        if not all(one.stands_in for one in found):
            return found
        others = [one for one in self._planned(wanted) if not one.stands_in and self.home(one) is not near]
        return others or found

    def _elsewhere(self, wanted: ResourceId, near: Document) -> list[Resource]:
        """What the other documents hold under an id: what is yet to be deployed wins over what runs."""
        if wanted.open_names:
            return []
        places = [near, *self._others(near)] if near.runs else self._others(near)
        found = [
            (document, one) for document in places for one in self._in(wanted, document) if not one.existing
        ]
        planned = _whole_ones([one for document, one in found if not document.runs])
        gone = not planned and self._gone.by(wanted) is not None
        return planned or ([] if gone else _whole_ones([one for _, one in found]))

    def _others(self, near: Document) -> list[Document]:
        """The other documents in the order they are asked: what is deployed together first."""
        return [one for role in Role for one in self.documents if one is not near and one.role is role]

    def _lost(self, wanted: ResourceId, near: Document, known: Resource | None, origin: Origin) -> Link:
        gone = self._gone.why(wanted)
        if gone is not None:
            return Link((), replace(gone, origin=gone.origin if origin is NOWHERE else origin), origin)
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
        if found or wanted.parent is None or wanted.kind not in INLINE:
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
        if home.runs:
            found = [child for child in found if not self.taken_over(child.id)]
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
            if document.runs and parent.anew:
                continue
            if any(not one.existing for one in self._in(parent.id, document)):
                continue
            for child, why in self._apart(parent, kind, document):
                if document.runs and self.taken_over(child.id):
                    continue
                gap = gap or why
                seen = found.setdefault(child.name.casefold(), child)
                if seen is not child and not self._same(seen, child):
                    gap = gap or Unknown(
                        f"several documents define `{child.label}`, each in its own way", child.origin
                    )
        running, doubt = self._still_running(parent, kind)
        found = {**{child.name.casefold(): child for child in running}, **found}
        return [child for name, child in found.items() if name not in taken], gap or doubt

    def _still_running(self, parent: Resource, kind: str) -> tuple[list[Resource], Unknown | None]:
        """The children that run under a resource which a definition mentions without listing them."""
        if self._says_children(parent, kind):
            return [], None
        pictures = [self._children_of(one, kind) for one in self.left_running(parent)]
        if not pictures:
            return [], None
        first, *others = pictures
        if not all(self._alike(first, one) for one in others):
            why = f"several pictures of what runs differ about what is part of `{parent.label}`"
            settle = (
                "name only the one that holds, or give the subscription and resource group of what is planned"
            )
            return first, Unknown(why, parent.origin, settle=settle)
        return [self._perhaps(parent, child, kind) for child in first], None

    def _children_of(self, holder: Resource, kind: str) -> list[Resource]:
        """The children that one picture shows, without those that are deleted or defined anew."""
        rows = self.inline(holder, kind)
        apart = [child for child, _ in self._apart(holder, kind, self.home(holder))]
        every = [*(rows if isinstance(rows, list) else []), *apart]
        return [child for child in every if not self.taken_over(child.id)]

    def _alike(self, some: list[Resource], others: list[Resource]) -> bool:
        """Whether two pictures show the same children."""
        named = {one.name.casefold(): one for one in others}
        return len(some) == len(others) and all(
            one.name.casefold() in named and self._same(one, named[one.name.casefold()]) for one in some
        )

    def _perhaps(self, parent: Resource, child: Resource, kind: str) -> Resource:
        """A child that runs; where its parent's definition would take it away by not listing it, a doubtful one."""
        if kind not in _REPLACED or self.home(parent).kind in _LEAVING or parent.stands_in:
            return child
        key = id(parent), id(child)
        if key not in self._doubtful:
            why = f"`{parent.label}` lists no {_plural(kind)}, and Azure takes away those that a definition does not list"
            told = Unknown(why, parent.origin, settle="list them in the definition, or define each by itself")
            self._doubtful[key] = replace(child, uncertain=child.uncertain or told)
            self._home[id(self._doubtful[key])] = self.home(child)
        return self._doubtful[key]

    def _says_children(self, parent: Resource, kind: str) -> bool:
        """Whether a definition lists its children itself: then what runs beside them goes."""
        path = INLINE.get(kind)
        return self.home(parent).runs or (path is not None and parent.get(*path) is not None)

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
            rows = rows_of(parent, kind)
            self._inline[key] = rows
            for row in rows if isinstance(rows, list) else ():
                self._home[id(row)] = self.home(parent)
        return self._inline[key]


#: children that change what their siblings do, so that one whose parent is not known leaves every parent open
_ORDERED = (
    "microsoft.network/networksecuritygroups/securityrules",
    "microsoft.network/routetables/routes",
    "microsoft.network/firewallpolicies/rulecollectiongroups",
    "microsoft.containerservice/managedclusters/agentpools",
)


#: children that Azure takes away from a parent that is deployed without a list of them (a network's subnets
#: stay since API version 2023-09-01, and before that Azure refuses while they are in use)
_REPLACED = _ORDERED[:2]

#: dialects that leave alone what a definition does not list
_LEAVING = (Kind.TERRAFORM_PLAN, Kind.TERRAFORM_SOURCE)


def _plural(kind: str) -> str:
    """What people call the children of a type."""
    return {"securityrules": "rules"}.get(kind.rsplit("/", 1)[-1], kind.rsplit("/", 1)[-1])


def _says(resource: Resource, path: tuple[Step, ...]) -> bool:
    """Whether a definition says a part itself."""
    resource.get("properties")  # what is kept is known once the body has been read
    return not resource.existing and all(one.path != path for one in resource.kept)


def _whole_ones(found: list[Resource]) -> list[Resource]:
    """Definitions before those that only add to one."""
    return [one for one in found if not one.stands_in] or found


def _distinct(options: Iterable[Resource | None]) -> list[Resource | None]:
    out: list[Resource | None] = []
    for option in options:
        if not any(option is seen for seen in out):
            out.append(option)
    return out
