"""Associations and rule collections that Terraform keeps apart, written into the resource they belong to.

Where nobody can say which resource that is, all of the kind may have it, and say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Kept, Loose, Resource
from aks_egress.records import field, record
from aks_egress.values import Unknown, Value, at, get
from aks_egress_scan.readers.mapping.azurerm import FOLDS, TYPES
from aks_egress_scan.readers.mapping.fields import Field, Path, Spot, Writer, fill
from aks_egress_scan.readers.mapping.kinds import BALANCERS, NATS, NICS, Fold
from aks_egress_scan.readers.terraform.identity import Identities
from aks_egress_scan.readers.terraform.instances import Instance

_NO_STAND_IN: Final = frozenset(one.casefold() for one in (NICS, NATS, BALANCERS))
SETTLE: Final = "a state or a plan made after it was applied"


@record(frozen=True, slots=True)
class _Part:
    """One association with the table that says what it means; `sure` of its owner or not."""

    instance: Instance
    fold: Fold
    sure: bool


@record(slots=True)
class _Owner:
    id: ResourceId
    parts: list[_Part] = field(default_factory=list)
    taken: list[_Part] = field(default_factory=list)


class Folding:
    """Every association of a document, by the resource that it belongs to; `taken` are those that it deletes."""

    def __init__(
        self, instances: Sequence[Instance], identities: Identities, taken: Sequence[Instance] = ()
    ) -> None:
        self._identities = identities
        self._owners: dict[str, _Owner] = {}
        self._anywhere: dict[str, list[_Part]] = {}
        folded = [(one, FOLDS[one.type]) for one in instances if one.type in FOLDS and not one.data]
        kinds = {fold.kind for _, fold in folded}
        self._keys: dict[str, ResourceId] = {}
        self._names: dict[tuple[str, ...], list[ResourceId]] = {}
        for one in self._all(instances, kinds) if folded else ():
            self._keys[one.key] = one
            self._names.setdefault(_names(one), []).append(one)
        for instance, fold in folded:
            self._place(instance, fold)
        for instance in taken:
            if instance.type in FOLDS:
                self._take(instance, FOLDS[instance.type])

    def _all(self, instances: Sequence[Instance], kinds: set[str]) -> Iterator[ResourceId]:
        for one in instances:
            kind = TYPES.get(one.type)
            if kind is not None and kind.kind in kinds:
                known = self._identities.of(one)
                if known is not None:
                    yield known

    def _place(self, instance: Instance, fold: Fold) -> None:
        owners = self._identities.candidates(instance, fold.owner, fold.arm)
        if not owners:
            self._anywhere.setdefault(fold.kind, []).append(_Part(instance, fold, sure=False))
        for owner in owners:
            part = _Part(instance, fold, sure=len(owners) == 1 and instance.uncertain is None)
            same = self._same(owner)
            self._owners.setdefault(same.key, _Owner(same)).parts.append(part)

    def _take(self, instance: Instance, fold: Fold) -> None:
        for owner in self._identities.candidates(instance, fold.owner, fold.arm):
            same = self._same(owner)
            self._owners.setdefault(same.key, _Owner(same)).taken.append(_Part(instance, fold, sure=True))

    def _same(self, owner: ResourceId) -> ResourceId:
        """The id under which the owner is known here, open scopes considered."""
        exact = self._keys.get(owner.key)
        if exact is not None:
            return exact
        near = [one for one in self._names.get(_names(owner), ()) if one.could_be(owner)]
        return near[0] if near else owner

    def has(self, resource_id: ResourceId) -> bool:
        """Whether anything is certain to belong to a resource, or to be taken from it."""
        owner = self._owners.get(resource_id.key)
        return owner is not None and (bool(owner.taken) or any(part.sure for part in owner.parts))

    def into(self, resource_id: ResourceId, body: dict[str, Value], writer: Writer) -> None:
        """Write into a resource's body what belongs to it."""
        owner = self._owners.get(resource_id.key)
        seen: set[tuple[str, ...]] = set()
        for path in self._taken(owner):
            _set(body, path, None)
        for part in owner.parts if owner else ():
            for target in _holders(body, part):
                if part.sure:
                    self._write(target, part, writer, seen)
                else:
                    _may_have(target, part)
        for part in self._anywhere.get(resource_id.kind, ()):
            for target in _holders(body, part):
                _may_have(target, part)

    def _write(self, body: dict[str, Value], part: _Part, writer: Writer, seen: set[tuple[str, ...]]) -> None:
        own = Writer(self._identities.link, part.instance.values, part.instance.address)
        for one in part.fold.fields:
            if not one.more and one.target in seen:
                told: dict[str, Value] = {}
                fill(told, (one,), part.instance.get, Spot(own, (), ()))
                if not _alike(at(body, *one.target), at(told, *one.target)):
                    why = f"`{part.instance.address}` is not the only one that gives it `{one.target[-1]}`"
                    _set(body, one.target, Unknown(why, part.instance.origin))
                continue
            if not one.more:
                seen.add(one.target)
                _set(body, one.target, None)
            fill(body, (one,), part.instance.get, Spot(own, (), ()))
        writer.places.update(own.places)
        for one in part.fold.fields:
            if not one.more:
                writer.places[one.target] = part.instance.origin

    def _taken(self, owner: _Owner | None) -> set[tuple[str, ...]]:
        """The parts of an owner that go with the associations that are deleted."""
        taken = owner.taken if owner is not None else ()
        return {
            one.target for part in taken if not part.fold.each for one in part.fold.fields if not one.more
        }

    def kept(self, resource_id: ResourceId, stated: Callable[[Path], bool]) -> list[Kept]:
        """The parts of a resource that associations give it, where none here does and it states none itself."""
        owner = self._owners.get(resource_id.key) or _Owner(resource_id)
        parts = [*owner.parts, *self._anywhere.get(resource_id.kind, ())]
        given = {one.target for part in parts if not part.fold.each for one in part.fold.fields}
        given |= self._taken(owner)
        found = {
            one.target: Kept(one.target, self._dropped(owner, one) if one.more else ())
            for one in _ASSOCIATED.get(resource_id.kind, ())
            if (one.more or one.target not in given) and not stated(one.target)
        }
        return list(found.values())

    def _dropped(self, owner: _Owner, one: Field) -> tuple[Value, ...]:
        """The rows of a list that go with the associations that are deleted."""
        rows: list[Value] = []
        for part in owner.taken:
            if one in part.fold.fields:
                told: dict[str, Value] = {}
                own = Writer(self._identities.link, part.instance.values, part.instance.address)
                fill(told, (one,), part.instance.get, Spot(own, (), ()))
                row = at(told, *one.target)
                rows += row if isinstance(row, list) else [row]
        return tuple(rows)

    def loose(self) -> list[Loose]:
        """What associations say of owners that nobody knows."""
        return [
            Loose(kind, _may_belong(part), one.target)
            for kind, parts in self._anywhere.items()
            for part in parts
            if not part.fold.each
            for one in part.fold.fields
        ]

    def first(self, resource_id: ResourceId) -> Instance:
        """The first association of an owner."""
        owner = self._owners[resource_id.key]
        return [*owner.parts, *owner.taken][0].instance

    def fields(self, resource_id: ResourceId) -> list[Field]:
        """The fields that the associations of an owner write."""
        return [
            one
            for part in (*self._owners[resource_id.key].parts, *self._owners[resource_id.key].taken)
            for one in part.fold.fields
            if not part.fold.each
        ]

    def orphans(self, known: set[str]) -> list[ResourceId]:
        """Owners that are no resource of the document."""
        return [one.id for key, one in self._owners.items() if key not in known and self.has(one.id)]


#: ARM type -> the fields that associations write into such a resource
_ASSOCIATED: Final[dict[str, list[Field]]] = {}
for _fold in FOLDS.values():
    if not _fold.each:
        _ASSOCIATED.setdefault(_fold.kind, []).extend(_fold.fields)


def _alike(held: Value, told: Value) -> bool:
    """Whether both lead to one resource, known already or one that is yet to be made."""
    held, told = get(held, "id"), get(told, "id")
    if isinstance(held, Unknown) and isinstance(told, Unknown):
        return len(held.refers_to) == 1 and held.refers_to == told.refers_to
    return isinstance(held, str) and isinstance(told, str) and held.casefold() == told.casefold()


def _names(resource_id: ResourceId) -> tuple[str, ...]:
    return (resource_id.kind, *(name.casefold() for name in resource_id.names))


def _holders(body: dict[str, Value], part: _Part) -> Iterator[dict[str, Value]]:
    """The body, or the rows of it that an association speaks of."""
    if not part.fold.each:
        yield body
        return
    properties = body.get("properties")
    rows = properties.get(part.fold.each) if isinstance(properties, dict) else None
    wanted = part.instance.get(part.fold.row) if part.fold.row else None
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and (not isinstance(wanted, str) or row.get("name") == wanted):
            yield row


def _may_have(body: dict[str, Value], part: _Part) -> None:
    for one in part.fold.fields:
        _set(body, one.target, _may_belong(part), one)


def _may_belong(part: _Part) -> Unknown:
    why = f"`{part.instance.address}` may belong here; to which resource it belongs is not known"
    return Unknown(why, part.instance.origin, settle=SETTLE)


def _set(body: dict[str, Value], path: tuple[str, ...], value: Value, only: Field | None = None) -> None:
    """Set the value at a path; for a field that is `only` possible, beside what stands there already."""
    for name in path[:-1]:
        inner = body.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        body = inner
    held = body.get(path[-1])
    if only is not None and only.more and isinstance(held, list):
        body[path[-1]] = [*held, value]
    elif only is not None and held is not None:
        return
    elif value is None:
        body.pop(path[-1], None)
    else:
        body[path[-1]] = value


def stand_ins(
    folding: Folding, identities: Identities, resources: Sequence[Resource], removed: Sequence[ResourceId]
) -> list[Resource]:
    """Resources of which only an association is here: all but that is what others say, else unknown.

    Without them an association with a subnet defined elsewhere would be lost.
    """
    known = {one.id.key for one in resources}
    return [
        _stand_in(folding, identities, orphan)
        for orphan in folding.orphans(known)
        if orphan.kind not in _NO_STAND_IN and not any(one.could_be(orphan) for one in removed)
    ]


def _stand_in(folding: Folding, identities: Identities, resource_id: ResourceId) -> Resource:
    part = folding.first(resource_id)
    writer = Writer(identities.link, part.values, part.address)
    why = f"only `{part.address}` speaks of `{'/'.join(resource_id.names)}` here; its definition is elsewhere"
    kept: list[Kept] = []

    def body() -> dict[str, Value]:
        unknown = Unknown(why, part.origin, settle="its definition, with --context")
        kind = next(one for one in TYPES.values() if one.kind == resource_id.kind)
        names = {one.target[1] for one in kind.fields if one.target[0] == "properties"}
        folded = {one.target[1] for one in folding.fields(resource_id)}
        properties: dict[str, Value] = dict.fromkeys(sorted((names | set(kind.silent)) - folded), unknown)
        written: dict[str, Value] = {"properties": properties}
        folding.into(resource_id, written, writer)
        kept[:] = [Kept(("properties", name)) for name in properties if properties[name] is unknown]
        kept.extend(one for one in folding.kept(resource_id, lambda _path: False) if one.path[1] in folded)
        return written

    return Resource(
        resource_id, part.origin, body, writer.places, address=part.address, kept=kept, stands_in=True
    )
