"""Functions of lists, sets and maps.  Most of them keep unknowns that are elements."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

from aks_egress.values import Unknown
from aks_egress_scan.readers.hcl.functions.function import Function
from aks_egress_scan.readers.hcl.operators import equals
from aks_egress_scan.readers.hcl.terms import (
    BagTerm,
    ExhaustedError,
    ListTerm,
    MapTerm,
    ProblemError,
    SetTerm,
    Term,
    any_of,
    blurred,
    first_unknown,
    kind_of,
)
from aks_egress_scan.readers.hcl.types import ANY, STRING, Collection, convert, set_of, type_of, unified

MAX_ITEMS: Final = 100_000


def settled(value: Term) -> Term:
    """A resource or module as the plain term of all it is."""
    if value is None or isinstance(value, bool | int | Decimal | str | list | dict | Unknown):
        return value
    return value.settled()


def _sequence(value: Term, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise ProblemError(f"`{name}` does not take {kind_of(value)}")
    return value


def _mapping(value: Term, name: str) -> dict[str, Any]:
    value = settled(value)
    if not isinstance(value, dict):
        raise ProblemError(f"`{name}` does not take {kind_of(value)}")
    return value


def bounded(count: int) -> None:
    """Raises ExhaustedError for a collection beyond every bound."""
    if count > MAX_ITEMS:
        raise ExhaustedError("a list grows beyond every bound")


def _length(value: Term) -> Term:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, SetTerm):
        unknown = first_unknown(value)
        return len(value) if unknown is None else blurred(unknown)
    value = settled(value)
    if isinstance(value, Unknown):
        return blurred(value)
    if not isinstance(value, list | dict):
        raise ProblemError(f"`length` does not take {kind_of(value)}")
    return len(value)


def _concat(*lists: Term) -> Term:
    found = [_sequence(one, "concat") for one in lists]
    bounded(sum(map(len, found)))
    items = list(itertools.chain.from_iterable(found))
    if all(isinstance(one, ListTerm | SetTerm) for one in found) and unified(map(type_of, found)) is not None:
        return convert(items, Collection("list", ANY))
    return items


def _merge(*maps: Term) -> Term:
    found = [_mapping(one, "merge") for one in maps if one is not None]
    unknown = next((one for one in map(settled, maps) if isinstance(one, Unknown)), None)
    if unknown is not None:
        return blurred(unknown)
    out: dict[str, Any] = {}
    for one in found:
        out.update(one)
    bounded(len(out))
    if found and all(isinstance(one, MapTerm) for one in found):
        shared = unified(map(type_of, found))
        return MapTerm(out) if shared is None else convert(MapTerm(out), shared)
    return out


def _lookup(where: Term, key: str, *default: Term) -> Term:
    found = _mapping(where, "lookup")
    if key in found:
        value: Term = found[key]
        return value
    if not default:
        raise ProblemError(f"there is no `{key}` to look up")
    return default[0]


def _element(value: Term, at: int) -> Term:
    found = _sequence(value, "element")
    if isinstance(value, SetTerm) or not found:
        raise ProblemError("`element` takes a list that is not empty")
    if not isinstance(at, int) or at < 0:
        raise ProblemError("`element` takes an index from 0 on")
    if isinstance(value, BagTerm) and (lost := first_unknown(value)) is not None:
        return any_of(value, lost)
    item: Term = found[at % len(found)]
    return item


def _flatten(value: Term) -> Term:
    out: list[Term] = []

    def take(items: list[Any]) -> Unknown | None:
        for item in items:
            if isinstance(item, Unknown):
                return item
            if isinstance(item, list):
                lost = take(item)
                if lost is not None:
                    return lost
            else:
                out.append(item)
        bounded(len(out))
        return None

    lost = take(_sequence(value, "flatten"))
    return out if lost is None else blurred(lost)


def _flatten_known(value: Term) -> Term:
    """`flatten`, where an unknown promise (an id) is surely no list."""
    found = _sequence(value, "flatten")
    if any(isinstance(item, Unknown) and not _is_promise(item) for item in found):
        return _flatten(value)
    rows = [item if isinstance(item, list) else [item] for item in found]
    flat = list(itertools.chain.from_iterable(rows))
    if any(isinstance(item, Unknown) and not _is_promise(item) for item in flat):
        return _flatten(value)
    if any(isinstance(item, list) for item in flat):
        return _flatten_known(flat)
    bounded(len(flat))
    return flat


def _is_promise(value: Unknown) -> bool:
    return bool(value.refers_to) and all(
        one.path and one.path[-1] in ("id", "name") for one in value.refers_to
    )


def _coalesce(*values: Term) -> Term:
    kinds = unified(map(type_of, values))
    for value in values:
        if isinstance(value, Unknown):
            return value if _is_promise(value) else blurred(value)
        if value is not None and value != "":
            return value if kinds is None or first_unknown(value) else convert(value, kinds)
    raise ProblemError("`coalesce` finds nothing but null and empty text")


def _coalescelist(*values: Term) -> Term:
    for value in values:
        if isinstance(value, Unknown):
            return blurred(value)
        if value is not None and _sequence(value, "coalescelist"):
            return value
    raise ProblemError("`coalescelist` finds nothing but empty lists")


def _compact(items: list[str | None]) -> ListTerm:
    return ListTerm(item for item in items if item)


def _contains(items: Term, wanted: Term) -> Term:
    found = _sequence(items, "contains")
    if isinstance(wanted, str) and all(isinstance(one, str) for one in found):
        return wanted in found
    if isinstance(items, ListTerm | SetTerm) and found:
        kinds = unified((*map(type_of, found), type_of(wanted)))
        if kinds is not None and kinds == unified(map(type_of, found)):
            wanted = convert(wanted, kinds)
    answers = [equals(item, wanted) for item in found]
    if any(one is True for one in answers):
        return True
    return next((one for one in answers if isinstance(one, Unknown)), False)


def _distinct(items: Term) -> Term:
    out: list[Term] = []
    for item in _sequence(items, "distinct"):
        if not any(equals(item, one) is True for one in out):
            out.append(item)
    return ListTerm(out)


def _index(items: Term, wanted: Term) -> int:
    for at, item in enumerate(_sequence(items, "index")):
        if equals(item, wanted) is True:
            return at
    raise ProblemError("`index` does not find the value")


def _keys(value: Term) -> Term:
    found = sorted(_mapping(value, "keys"), key=lambda one: one.encode("utf-8", "replace"))
    return ListTerm(found) if isinstance(value, MapTerm) else list(found)


def _values(value: Term) -> Term:
    found = _mapping(value, "values")
    items = [found[key] for key in sorted(found, key=lambda one: one.encode("utf-8", "replace"))]
    return ListTerm(items) if isinstance(value, MapTerm) else items


def _one(value: Term) -> Term:
    if isinstance(value, SetTerm) and len(value) > 1 and (lost := first_unknown(value)) is not None:
        return blurred(lost)
    found = _sequence(value, "one")
    if len(found) > 1:
        raise ProblemError("`one` takes a list of at most one element")
    item: Term = found[0] if found else None
    return item


def _reverse(value: Term) -> Term:
    found = _sequence(value, "reverse")[::-1]
    return ListTerm(found) if isinstance(value, ListTerm | SetTerm) else list(found)


def _slice(value: Term, start: int, end: int) -> Term:
    found = _sequence(value, "slice")
    if isinstance(value, SetTerm) or not 0 <= start <= end <= len(found):
        raise ProblemError("`slice` takes indexes within the list")
    return ListTerm(found[start:end]) if isinstance(value, ListTerm) else list(found[start:end])


def _chunklist(items: list[Any], size: int) -> Term:
    if not isinstance(size, int) or size < 0:
        raise ProblemError("`chunklist` takes a size of 0 or more")
    step = size or max(1, len(items))
    return ListTerm(ListTerm(items[at : at + step]) for at in range(0, len(items), step))


def _zipmap(keys: Term, values: Term) -> Term:
    names = convert(keys, Collection("list", STRING))
    if isinstance(names, Unknown) or (lost := first_unknown(names)) is not None:
        return blurred(names if isinstance(names, Unknown) else lost)  # type: ignore[arg-type]
    items = _sequence(values, "zipmap")
    if not isinstance(names, list) or len(names) != len(items):
        raise ProblemError("the lists of `zipmap` have different lengths")
    found = dict(zip(names, items, strict=True))
    return MapTerm(found) if isinstance(values, ListTerm) else found


def _range(*bounds: int | Decimal) -> ListTerm:
    start: int | Decimal = 0 if len(bounds) == 1 else bounds[0]
    end = bounds[-1] if len(bounds) < 3 else bounds[1]
    step: int | Decimal = bounds[2] if len(bounds) == 3 else (1 if start <= end else -1)
    if step == 0 or (end - start) * step < 0:
        if start == end:
            return ListTerm()
        raise ProblemError("`range` takes a step that leads towards the end")
    if Decimal(end - start) / Decimal(step) > 1024:
        raise ProblemError("`range` makes at most 1024 numbers")
    out: ListTerm = ListTerm()
    at = start
    while at < end if step > 0 else at > end:
        out.append(at)
        at += step
    return out


def _setproduct(*sets: Term) -> Term:
    found = [_sequence(one, "setproduct") for one in sets]
    total = 1
    for one in found:
        total *= len(one)
    bounded(total)
    rows = [list(row) for row in itertools.product(*found)]
    if all(isinstance(one, SetTerm) for one in sets):
        return SetTerm(rows)
    return ListTerm(rows) if all(isinstance(one, ListTerm | SetTerm) for one in sets) else rows


def _combined(choose: Callable[[list[Any], list[Any]], Iterable[Any]]) -> Callable[..., Term]:
    def combine(first: list[Any], *others: list[Any]) -> Term:
        out = first
        for other in others:
            kinds = unified((*map(type_of, out), *map(type_of, other))) or ANY
            out = list(choose([convert(one, kinds) for one in out], [convert(one, kinds) for one in other]))
        return set_of(out)

    return combine


def _inside(value: Term, items: list[Any]) -> bool:
    return any(equals(value, one) is True for one in items)


def _matchkeys(values: list[Any], keys: list[Any], wanted: list[Any]) -> Term:
    if len(values) != len(keys):
        raise ProblemError("the lists of `matchkeys` have different lengths")
    return ListTerm(value for value, key in zip(values, keys, strict=True) if _inside(key, wanted))


def _transpose(value: dict[str, list[str]]) -> Term:
    out: dict[str, list[str]] = {}
    for key in sorted(value):
        for item in value[key]:
            out.setdefault(str(convert(item, STRING)), []).append(key)
    return MapTerm({key: ListTerm(sorted(out[key])) for key in sorted(out)})


def _every(items: Term) -> Term:
    return _decided(items, deciding=False)


def _some(items: Term) -> Term:
    return _decided(items, deciding=True)


def _decided(items: Term, *, deciding: bool) -> Term:
    words = {True: (True, "true"), False: (False, "false", None)}
    found = _sequence(items, "alltrue")
    if any((one in words[deciding] and not isinstance(one, int)) or one is deciding for one in found):
        return deciding
    unknown = first_unknown(found)
    return not deciding if unknown is None else blurred(unknown)


def _collection(name: str) -> Callable[[Term], Term]:
    def make(value: Term) -> Term:
        return convert(value, Collection(name, ANY))

    return make


def _legacy_map(*items: Term) -> Term:
    if len(items) % 2:
        raise ProblemError("`map` takes keys and values in turn")
    return convert({str(items[i]): items[i + 1] for i in range(0, len(items), 2)}, Collection("map", ANY))


def _picked(values: Term, at: Term) -> Term:
    """`element` of an index that is not known: any of them."""
    if isinstance(at, Unknown):
        return any_of(values if isinstance(values, list) else (), at)
    found = convert(at, type_of(0))
    if isinstance(values, Unknown):
        return blurred(values)
    if not isinstance(found, int):
        raise ProblemError("`element` takes a whole number")
    return _element(values, found)


FUNCTIONS: Final = (
    Function("alltrue", _every, ("any",), keeps=True),
    Function("anytrue", _some, ("any",), keeps=True),
    Function("chunklist", _chunklist, ("list", "number"), keeps=True),
    Function("coalesce", _coalesce, ("any", "any..."), whole=True, nullable=True),
    Function("coalescelist", _coalescelist, ("any", "any..."), whole=True, nullable=True),
    Function("compact", _compact, ("strings",)),
    Function("concat", _concat, ("any", "any..."), keeps=True),
    Function("contains", _contains, ("any", "any"), keeps=True, nullable=True),
    Function("distinct", _distinct, ("list",)),
    Function("element", _picked, ("any", "any"), whole=True),
    Function("flatten", _flatten_known, ("any",), keeps=True),
    Function("index", _index, ("any", "any")),
    Function("keys", _keys, ("any",), keeps=True),
    Function("length", _length, ("any",), keeps=True),
    Function("list", lambda *items: convert(list(items), Collection("list", ANY)), ("any...",), keeps=True),
    Function("lookup", _lookup, ("any", "string", "any..."), keeps=True, nullable=True),
    Function("map", _legacy_map, ("any...",), keeps=True),
    Function("matchkeys", _matchkeys, ("list", "list", "list")),
    Function("merge", _merge, ("any...",), keeps=True, nullable=True),
    Function("one", _one, ("any",), keeps=True),
    Function("range", _range, ("number", "number?", "number?")),
    Function("reverse", _reverse, ("any",), keeps=True),
    Function("setintersection", _combined(lambda a, b: [x for x in a if _inside(x, b)]), ("set", "set...")),
    Function("setproduct", _setproduct, ("any", "any..."), keeps=True),
    Function("setsubtract", _combined(lambda a, b: [x for x in a if not _inside(x, b)]), ("set", "set")),
    Function("setunion", _combined(lambda a, b: [*a, *b]), ("set", "set..."), keeps=True),
    Function("slice", _slice, ("any", "number", "number"), keeps=True),
    Function("tolist", _collection("list"), ("any",), keeps=True, nullable=True),
    Function("tomap", _collection("map"), ("any",), keeps=True, nullable=True),
    Function("toset", _collection("set"), ("any",), keeps=True, nullable=True),
    Function("transpose", _transpose, ("map",)),
    Function("values", _values, ("any",), keeps=True),
    Function("zipmap", _zipmap, ("any", "any"), keeps=True),
)
