"""All documents of one run as one graph: who refers to whom, within a document first.

A reference is followed in its own document, then in the others.  What several others hold is one
resource only where they agree; else nobody can say which is meant, and the link lists them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from aks_egress.arm.children import Children
from aks_egress.arm.ids import ResourceId, parse_id
from aks_egress.arm.index import INLINE, Index, rows_of
from aks_egress.arm.overlay import Gone, agreed, laid
from aks_egress.arm.resources import Document, Kept, Loose, Resource, Role
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
        self._children = Children(self)
        for document in documents:
            for one in document.resources:
                one.settle = self._settled
        self._gone = Gone(documents)
        self._twins: dict[int, bool] = {}
        self.plans = [document for document in documents if not document.runs]
        self._loose: dict[str, list[tuple[Loose, Document]]] = {}
        for document in documents:
            for loose in document.loose:
                self._loose.setdefault(loose.kind, []).append((loose, document))
        there = [document for document in documents if document.runs and self.plans]
        self._superseded = {
            id(one) for document in there for one in document.resources if self.taken_over(one.id)
        }

    def taken_over(self, wanted: ResourceId) -> bool:
        """Whether a definition that is yet to be deployed deletes what runs under an id, or defines it."""
        return self._gone.by(wanted) is not None or any(
            self._sole(one) and one.uncertain is None for one in self.planned(wanted)
        )

    def loose(self, kind: str, home: Document) -> Iterable[Loose]:
        """What other documents hold that may belong to any resource, or be its child, of a type."""
        return (one for one, document in self._loose.get(kind, ()) if document is not home)

    def several(self, wanted: ResourceId) -> bool:
        """Whether an id of an open scope may name any of several resources."""
        if "{" not in wanted.scope:
            return False
        found = {one.id.key for document in self.documents for one in self.held(wanted, document)}
        return len({key for key in found if "{" not in key}) > 1

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
            for document in self.others(home)
            if document.runs
            for one in self.held(resource.id, document)
            if not one.existing
        ]

    def planned(self, wanted: ResourceId) -> list[Resource]:
        """What definitions that are yet to be deployed hold under an id."""
        return [one for document in self.plans for one in self.held(wanted, document) if not one.existing]

    def _settled(self, resource: Resource, body: Mapping[str, Value]) -> Mapping[str, Value]:
        """A body in which values that are promised to be another resource's are that resource's."""
        settled = settle(dict(body), partial(self._told, self.home(resource)))
        whole: Mapping[str, Value] = settled if isinstance(settled, dict) else body
        for kept in resource.kept:
            whole = self._completed(resource, whole, kept)
        return self._loosened(resource, whole)

    def _loosened(self, resource: Resource, body: Mapping[str, Value]) -> Mapping[str, Value]:
        """A body in which what may belong to any resource of the type may be."""
        for one in self.loose(resource.kind, self.home(resource)) if self._loose else ():
            if one.path:
                body, _ = laid(body, Kept(one.path), one.why)
        return body

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
        above = self.held(wanted.parent, home) if resource.stands_in and wanted.parent else []
        rows = [self.inline(one, wanted.kind) for one in above]
        listed = [one for some in rows if isinstance(some, list) for one in some if one.id.could_be(wanted)]
        if listed:
            return listed
        found = [
            (document, one)
            for document in self.others(home)
            for one in self.held(wanted, document)
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

    def index(self, document: Document) -> Index:
        """What a document holds, for looking up."""
        return self._indexes[id(document)]

    def adopt(self, resource: Resource, document: Document) -> None:
        """Take in a resource that was made of another one, as part of a document."""
        self._home[id(resource)] = document

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
        own = self.held(wanted, near)
        found = self._over(wanted, own) if near.runs else self._own(wanted, near, own)
        found = found or self._elsewhere(wanted, near)
        if not found:
            return self._lost(wanted, near, own[0] if own else None, origin)
        doubt = next((one.uncertain for one in found if one.uncertain is not None), None)
        return Link(tuple(self._distinct_bodies(found)), doubt, origin)

    def _over(self, wanted: ResourceId, own: list[Resource]) -> list[Resource]:
        """What is planned in place of what runs; beside it where another one that runs may be meant."""
        planned = _whole_ones(self.planned(wanted))
        return planned if all(map(self._sole, planned)) else [*planned, *own]

    def _own(self, wanted: ResourceId, near: Document, own: list[Resource]) -> list[Resource]:
        """What a definition says itself, unless it only adds to what another one defines."""
        found = [one for one in own if not one.existing]
        if not found or wanted.open_names or not all(one.stands_in for one in found):
            return found
        others = [one for one in self.planned(wanted) if not one.stands_in and self.home(one) is not near]
        return others or found

    def _elsewhere(self, wanted: ResourceId, near: Document) -> list[Resource]:
        """What the other documents hold under an id: what is yet to be deployed wins over what runs."""
        if wanted.open_names:
            return []
        places = [near, *self.others(near)] if near.runs else self.others(near)
        found = [
            (document, one) for document in places for one in self.held(wanted, document) if not one.existing
        ]
        planned = _whole_ones([one for document, one in found if not document.runs])
        gone = not planned and self._gone.by(wanted) is not None
        return planned or ([] if gone else _whole_ones([one for _, one in found]))

    def others(self, near: Document) -> list[Document]:
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

    def held(self, wanted: ResourceId, document: Document) -> list[Resource]:
        """What a document holds under an id, inline children included."""
        found = self._indexes[id(document)].find(wanted)
        if found or wanted.parent is None or wanted.kind not in INLINE:
            return found
        rows = [self.inline(holder, wanted.kind) for holder in self.held(wanted.parent, document)]
        name = wanted.name.casefold()
        return [one for some in rows if isinstance(some, list) for one in some if one.name.casefold() == name]

    def children(self, parent: Resource, kind: str) -> tuple[list[Resource], Unknown | None]:
        """The children of a type, and why there may be more, or others; see `Children`."""
        return self._children.of(parent, kind)

    def _distinct_bodies(self, found: list[Resource]) -> list[Resource]:
        """Those that differ; what is the same everywhere is one."""
        out: list[Resource] = []
        for one in found:
            if not any(self.same(one, seen) for seen in out):
                out.append(one)
        return out

    def same(self, one: Resource, other: Resource) -> bool:
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
                self.adopt(row, self.home(parent))
                row.settle = self._loosened if self._loose else None
        return self._inline[key]


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
