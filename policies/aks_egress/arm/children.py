"""The children of a resource, wherever they are defined: in it, beside it, in other documents, or running."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from aks_egress.arm.index import INLINE
from aks_egress.arm.resources import Document, Kind, Resource
from aks_egress.records import replace
from aks_egress.values import Unknown

if TYPE_CHECKING:
    from aks_egress.arm.graph import Graph

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


class Children:
    """Looks for the children of resources in all documents of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._doubtful: dict[int, Resource] = {}

    def of(self, parent: Resource, kind: str) -> tuple[list[Resource], Unknown | None]:
        """The children of a type: inline ones, and resources of their own in any document.

        A resource of its own replaces the inline child of the same name; a document that holds the
        parent itself keeps its children for it.  The unknown says that there may be more, or others.
        """
        kind, home = kind.casefold(), self.graph.home(parent)
        rows = self.graph.inline(parent, kind)
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
            found = [self._still(child) for child in found if not self.graph.taken_over(child.id)]
        gap = gap or next((one.why for one in self.graph.loose(kind, home) if not one.path), None)
        more, doubt = self._from_others(parent, kind, _certain(found))
        return [*found, *more], gap or doubt

    def _from_others(
        self, parent: Resource, kind: str, taken: set[str]
    ) -> tuple[list[Resource], Unknown | None]:
        """Children that other documents add; where two of them disagree about one, nobody can say which holds."""
        found: dict[str, Resource] = {}
        gap: Unknown | None = None
        if parent.id.open_names:
            return [], None
        for document in self.graph.others(self.graph.home(parent)):
            if document.runs and parent.anew:
                continue
            if any(not one.existing for one in self.graph.held(parent.id, document)):
                continue
            for child, why in self._apart(parent, kind, document):
                if document.runs and self.graph.taken_over(child.id):
                    continue
                gap = gap or why or self._of_several(child)
                seen = found.setdefault(child.name.casefold(), child)
                if seen is not child and not self.graph.same(seen, child):
                    gap = gap or Unknown(
                        f"several documents define `{child.label}`, each in its own way", child.origin
                    )
        running, doubt = self._still_running(parent, kind)
        certain = _certain(found.values())
        every = [*(child for child in running if child.name.casefold() not in certain), *found.values()]
        return [child for child in every if child.name.casefold() not in taken], gap or doubt

    def _of_several(self, child: Resource) -> Unknown | None:
        """Why a child of an open scope may belong to another parent of the same names."""
        above = child.id.parent
        if above is None or not self.graph.several(above):
            return None
        why = f"several resources could be the one that `{child.label}` belongs to"
        return Unknown(
            why, child.origin, settle="give the subscription and resource group of what is planned"
        )

    def _still_running(self, parent: Resource, kind: str) -> tuple[list[Resource], Unknown | None]:
        """The children that run under a resource which a definition mentions without listing them."""
        if self._says_children(parent, kind):
            return [], None
        pictures = [self._children_of(one, kind) for one in self.graph.left_running(parent)]
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
        rows = self.graph.inline(holder, kind)
        apart = [child for child, _ in self._apart(holder, kind, self.graph.home(holder))]
        every = [*(rows if isinstance(rows, list) else []), *apart]
        return [self._still(child) for child in every if not self.graph.taken_over(child.id)]

    def _still(self, child: Resource) -> Resource:
        """A child that runs, in doubt where a definition that is in doubt itself would replace it."""
        planned = next((one.uncertain for one in self.graph.planned(child.id) if one.uncertain), None)
        return child if planned is None else self._in_doubt(child, planned)

    def _alike(self, some: list[Resource], others: list[Resource]) -> bool:
        """Whether two pictures show the same children."""
        named = {one.name.casefold(): one for one in others}
        return len(some) == len(others) and all(
            one.name.casefold() in named and self.graph.same(one, named[one.name.casefold()]) for one in some
        )

    def _perhaps(self, parent: Resource, child: Resource, kind: str) -> Resource:
        """A child that runs; where its parent's definition would take it away by not listing it, a doubtful one."""
        if kind not in _REPLACED or self.graph.home(parent).kind in _LEAVING or parent.stands_in:
            return child
        why = f"`{parent.label}` lists no {_plural(kind)}, and Azure takes away those that a definition does not list"
        told = Unknown(why, parent.origin, settle="list them in the definition, or define each by itself")
        return self._in_doubt(child, told)

    def _in_doubt(self, child: Resource, why: Unknown) -> Resource:
        """A child of which nobody can say whether it will still be there."""
        if id(child) not in self._doubtful:
            self._doubtful[id(child)] = replace(child, uncertain=child.uncertain or why)
            self.graph.adopt(self._doubtful[id(child)], self.graph.home(child))
        return self._doubtful[id(child)]

    def _says_children(self, parent: Resource, kind: str) -> bool:
        """Whether a definition lists its children itself: then what runs beside them goes."""
        path = INLINE.get(kind)
        return self.graph.home(parent).runs or (path is not None and parent.get(*path) is not None)

    def _apart(
        self, parent: Resource, kind: str, document: Document
    ) -> Iterable[tuple[Resource, Unknown | None]]:
        """Children that are resources of their own, and why another parent might be meant."""
        index = self.graph.index(document)
        for child in index.below(parent.id, kind):
            above = child.id.parent
            if above is None or child.existing:
                continue
            several = above.key != parent.id.key and len({one.id.key for one in index.find(above)}) > 1
            why = f"several resources could be the one that `{child.label}` belongs to"
            yield child, Unknown(why, child.origin) if several else None

    def _adrift(self, parent: Resource, kind: str) -> Unknown | None:
        """Why a child beside the parent may be the parent's: the name of what it belongs to is not known."""
        if kind not in _ORDERED or parent.id.open_names:
            return None
        home = self.graph.home(parent)
        places = [home, *(one for one in self.graph.plans if one is not home)]
        lost = (self.graph.index(one).adrift(kind) for one in places)
        child = next((one for one in lost if one is not None), None)
        if child is None:
            return None
        why = f"`{child.label}` may belong to `{parent.label}`: the name of what it belongs to is not known"
        return Unknown(why, child.origin, settle="give the values that its name is made of")


def _certain(children: Iterable[Resource]) -> set[str]:
    """The names of those that are certain to be there."""
    return {child.name.casefold() for child in children if child.uncertain is None}


def _plural(kind: str) -> str:
    """What people call the children of a type."""
    return {"securityrules": "rules"}.get(kind.rsplit("/", 1)[-1], kind.rsplit("/", 1)[-1])
