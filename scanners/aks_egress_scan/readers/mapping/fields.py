"""The vocabulary of the mapping tables, and the writer that turns attributes into an ARM body.

A table says which attribute stands where in ARM; a converter, named in the table, says how its value is
spelled there.  Converters are total: a value of an unexpected shape becomes an unknown that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Protocol

from aks_egress.records import field, record, replace
from aks_egress.values import Origin, Step, Unknown, Value

UNSET: Final = Unknown("it is not configured, and known only after apply")
"""Stands for an attribute that nobody configured: what azurerm or Azure chooses by itself."""

Path = tuple[Step, ...]


class Links(Protocol):
    """Turns references to other resources of the dialect into references to ARM ids."""

    def __call__(self, value: Unknown, kinds: frozenset[str], address: bool) -> Unknown:
        """The unknown, referring to ids of resources of `kinds` (lower case) only; empty: any kind.

        With `address` it stands for a private IP address of such a resource, else for its id.
        """


@record(slots=True)
class Writer:
    """One body in the writing: where its values come from and where its parts stand."""

    links: Links
    origin: Origin
    label: str
    places: dict[Path, Origin] = field(default_factory=dict)

    def explained(self, value: Value, where: Path) -> Value:
        """An unset value with its name and place; anything else as it is."""
        if value is not UNSET:
            return value
        name = ".".join(str(step) for step in where if isinstance(step, str))
        why = f"`{name}` of `{self.label}` is known only after apply"
        return Unknown(why, self.origin.child(*where), settle="a state or a plan made after it was applied")


@record(slots=True)
class Spot:
    """Where a converter writes: the ARM path of the value, and the path of the attribute it comes from.

    `start` is how many rows stand at that ARM path already.
    """

    writer: Writer
    target: Path
    source: Path
    start: int = 0

    def inside(self, target: Path, source: Path) -> Spot:
        """The spot of a part."""
        return Spot(self.writer, (*self.target, *target), (*self.source, *source))

    def odd(self, wanted: str) -> Unknown:
        """The unknown for a value of a shape that nobody expects there."""
        name = ".".join(str(step) for step in self.source if isinstance(step, str))
        why = f"`{name}` of `{self.writer.label}` is not {wanted}"
        return Unknown(why, self.writer.origin.child(*self.source))


Convert = Callable[[Value, Spot], Value]


def plain(value: Value, spot: Spot) -> Value:
    """As it is.  References to other resources' properties lead nowhere in ARM and are dropped."""
    if isinstance(value, Unknown):
        value = spot.writer.explained(value, spot.source)
        return replace(value, refers_to=()) if isinstance(value, Unknown) and value.refers_to else value
    if isinstance(value, list) and any(isinstance(item, Unknown | list) for item in value):
        return [plain(item, spot.inside((), (i,))) for i, item in enumerate(value)]
    return value


@record(frozen=True, slots=True)
class Field:
    """One attribute: its name in the dialect, its path in ARM, and how its value is spelled there.

    `computed` marks what Azure settles when nobody configures it and what nobody may guess
    (addresses, names, ids); other attributes that are not configured are simply absent.
    """

    source: str
    target: tuple[str, ...]
    convert: Convert = plain
    computed: bool = False
    more: bool = False


def at(
    source: str, target: str, convert: Convert = plain, *, computed: bool = False, more: bool = False
) -> Field:
    """A field whose ARM path is written with dots."""
    return Field(source, tuple(target.split(".")), convert, computed, more)


def prop(
    source: str, target: str, convert: Convert = plain, *, computed: bool = False, more: bool = False
) -> Field:
    """A field below `properties`."""
    return Field(source, ("properties", *target.split(".")), convert, computed, more)


@record(frozen=True, slots=True)
class Ref:
    """The id of another resource, of one of these kinds (lower case); `wrapped` as `{"id": …}`."""

    kinds: frozenset[str]
    wrapped: bool = True

    def __call__(self, value: Value, spot: Spot) -> Value:
        """The id, an unknown that leads to it, or nothing."""
        if isinstance(value, Unknown):
            value = spot.writer.explained(value, spot.source)
            if isinstance(value, Unknown) and value.refers_to:
                value = spot.writer.links(value, self.kinds, False)
        return {"id": value} if self.wrapped else value


@record(frozen=True, slots=True)
class Refs:
    """A list of ids of other resources; `name` is the member that holds each, empty for the id itself."""

    kinds: frozenset[str]
    name: str = "id"

    def __call__(self, value: Value, spot: Spot) -> Value:
        """The list; one unknown where it is not known as a whole."""
        one = Ref(self.kinds, wrapped=False)
        if isinstance(value, Unknown):
            item = one(value, spot)
            return [{self.name: item} if self.name else item]
        if not isinstance(value, list):
            return spot.odd("a list")
        found = [one(item, spot.inside((), (i,))) for i, item in enumerate(value)]
        return [{self.name: item} if self.name else item for item in found if not absent(item)]


@record(frozen=True, slots=True)
class Address:
    """A private IP address that may be a firewall's, a NIC's or a load balancer's of the same deployment."""

    kinds: frozenset[str]

    def __call__(self, value: Value, spot: Spot) -> Value:
        """The address, or an unknown that leads to its owner."""
        if isinstance(value, Unknown):
            value = spot.writer.explained(value, spot.source)
            if isinstance(value, Unknown) and value.refers_to:
                return spot.writer.links(value, self.kinds, True)
        return value


@record(frozen=True, slots=True)
class Addresses:
    """A list of private IP addresses, some of which may be a firewall's or another's of the same deployment."""

    kinds: frozenset[str]

    def __call__(self, value: Value, spot: Spot) -> Value:
        """The list; one unknown where it is not known as a whole, for then there may be others in it."""
        if not isinstance(value, list):
            return plain(value, spot)
        one = Address(self.kinds)
        return [one(item, spot.inside((), (i,))) for i, item in enumerate(value)]


@record(frozen=True, slots=True)
class Rows:
    """Repeated blocks as a list of objects; `constants` are members that every object has."""

    fields: tuple[Field, ...]
    constants: tuple[tuple[str, Value], ...] = ()

    def __call__(self, value: Value, spot: Spot) -> Value:
        """One object for each block; a list that is not known is the unknown itself."""
        if isinstance(value, Unknown):
            return spot.writer.explained(value, spot.source)
        if isinstance(value, dict):
            return [self._row(value, spot.inside((spot.start,), ()))]
        if not isinstance(value, list):
            return spot.odd("a list of blocks")
        return [self._row(item, spot.inside((spot.start + i,), (i,))) for i, item in enumerate(value)]

    def _row(self, item: Value, spot: Spot) -> Value:
        spot.writer.places[spot.target] = spot.writer.origin.child(*spot.source)
        if isinstance(item, Unknown):
            return spot.writer.explained(item, spot.source)
        if not isinstance(item, dict):
            return spot.odd("a block")
        return _object(self.fields, self.constants, item, spot)


@record(frozen=True, slots=True)
class One:
    """A block that occurs at most once, as an object; absent where it is not written."""

    fields: tuple[Field, ...]
    constants: tuple[tuple[str, Value], ...] = ()

    def __call__(self, value: Value, spot: Spot) -> Value:
        """The object of the first block."""
        if isinstance(value, list):
            if not value or value[0] is None:
                return {} if value else None
            value, spot = value[0], spot.inside((), (0,))
        if isinstance(value, Unknown):
            return spot.writer.explained(value, spot.source)
        if not isinstance(value, dict):
            return spot.odd("a block")
        return _object(self.fields, self.constants, value, spot)


def _object(
    fields: tuple[Field, ...], constants: Iterable[tuple[str, Value]], block: dict[str, Value], spot: Spot
) -> Value:
    body: dict[str, Value] = {}
    for name, constant in constants:
        _put(body, tuple(name.split(".")), constant)
    fill(body, fields, block.get, spot)
    return body


def fill(body: dict[str, Value], fields: Iterable[Field], get: Callable[[str], Value], spot: Spot) -> None:
    """Write each attribute that is there to its place.

    Of several spellings of one thing the first that is known counts; lists of `more` fields are joined.
    """
    for one in fields:
        value, source = _value(get, one.source)
        if value is None or absent(value) or (value is UNSET and not one.computed):
            continue
        held = _held(body, one.target)
        if not (one.more or held is None or isinstance(held, Unknown)):
            continue
        if one.convert is plain and isinstance(value, str | int) and not one.more:
            _put(body, one.target, value)
            continue
        place = spot.inside(one.target, source)
        place.start = len(held) if one.more and isinstance(held, list) else 0
        written = one.convert(value, place)
        if written is not None:
            _put(body, one.target, _joined(held, written) if one.more else _better(held, written))


def _value(get: Callable[[str], Value], source: str) -> tuple[Value, Path]:
    """The attribute, and its path; `block/name` is a member of the first block of that name."""
    if "/" not in source:
        return get(source), (source,) if source else ()
    outer, _, name = source.partition("/")
    value = get(outer)
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, dict):
        return first.get(name), (outer, 0, name)
    return (first if isinstance(first, Unknown) else None), (outer,)


def absent(value: Value) -> bool:
    """Whether azurerm means that nothing is given: null, empty text, an empty list or map."""
    return value is None or value in ("", [], {})


def _better(held: Value, written: Value) -> Value:
    return held if isinstance(written, Unknown) and held is not None else written


def _joined(held: Value, written: Value) -> Value:
    if held is None:
        return written if isinstance(written, list) else [written]
    before = held if isinstance(held, list) else [held]
    return [*before, *(written if isinstance(written, list) else [written])]


def _held(body: Value, path: tuple[str, ...]) -> Value:
    for name in path:
        if not isinstance(body, dict):
            return body
        body = body.get(name)
    return body


def _put(body: dict[str, Value], path: tuple[str, ...], value: Value) -> None:
    for name in path[:-1]:
        inner = body.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        body = inner
    body[path[-1]] = value
