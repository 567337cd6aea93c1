"""Terraform's types: constraints, the type of a value, conversion, and the type that several values share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from aks_egress.records import field, record
from aks_egress.values import Unknown
from aks_egress_scan.readers.hcl.terms import (
    BagTerm,
    Lazy,
    ListTerm,
    MapTerm,
    ProblemError,
    SetTerm,
    Term,
    first_unknown,
    kind_of,
    number_text,
    same,
    whole,
)


@record(frozen=True, slots=True)
class Primitive:
    """`string`, `number`, `bool`; `any` stands for a type that is not settled."""

    name: str


STRING: Final = Primitive("string")
NUMBER: Final = Primitive("number")
BOOL: Final = Primitive("bool")
ANY: Final = Primitive("any")


@record(frozen=True, slots=True)
class Collection:
    """`list(…)`, `set(…)`, `map(…)`."""

    name: str
    element: Type


@record(frozen=True, slots=True)
class ObjectType:
    """`object({…})`; `optional` attributes may be missing, and `defaults` stand for some of them."""

    attributes: Mapping[str, Type]
    optional: frozenset[str] = frozenset()
    defaults: Mapping[str, Term] = field(default_factory=dict)


@record(frozen=True, slots=True)
class TupleType:
    """`tuple([…])`."""

    elements: tuple[Type, ...]


Type = Primitive | Collection | ObjectType | TupleType


def type_of(value: Term) -> Type:
    """The type of a value; what is null or unknown could be any."""
    match value:
        case bool():
            return BOOL
        case int() | Decimal():
            return NUMBER
        case str():
            return STRING
        case ListTerm() | SetTerm():
            name = "list" if isinstance(value, ListTerm) else "set"
            return Collection(name, unified(map(type_of, value)) or ANY)
        case MapTerm():
            return Collection("map", unified(map(type_of, value.values())) or ANY)
        case list():
            return TupleType(tuple(map(type_of, value)))
        case dict():
            return ObjectType({key: type_of(item) for key, item in value.items()})
        case _:
            return ANY


def unified(types: Iterable[Type]) -> Type | None:
    """The type that all of these convert to; None where there is none."""
    found: Type = ANY
    for one in types:
        together = _both(found, one)
        if together is None:
            return None
        found = together
    return found


def _both(left: Type, right: Type) -> Type | None:
    if right in (left, ANY):
        return left
    if left == ANY:
        return right
    if isinstance(left, Primitive) and isinstance(right, Primitive):
        return STRING if STRING in (left, right) else None
    if isinstance(left, Primitive) or isinstance(right, Primitive):
        return None
    if _is_mapping(left) != _is_mapping(right):
        return None
    return _mappings(left, right) if _is_mapping(left) else _sequences(left, right)


def _is_mapping(one: Type) -> bool:
    return isinstance(one, ObjectType) or (isinstance(one, Collection) and one.name == "map")


def _mappings(left: Type, right: Type) -> Type | None:
    if (
        isinstance(left, ObjectType)
        and isinstance(right, ObjectType)
        and left.attributes.keys() == right.attributes.keys()
    ):
        together = {key: _both(one, right.attributes[key]) for key, one in left.attributes.items()}
        if None not in together.values():
            return ObjectType({key: one for key, one in together.items() if one is not None})
        return None
    element = unified((*_elements(left), *_elements(right)))
    return None if element is None else Collection("map", element)


def _sequences(left: Type, right: Type) -> Type | None:
    if (
        isinstance(left, TupleType)
        and isinstance(right, TupleType)
        and len(left.elements) == len(right.elements)
    ):
        together = [_both(a, b) for a, b in zip(left.elements, right.elements, strict=True)]
        if None in together:
            return None
        return TupleType(tuple(one for one in together if one is not None))
    element = unified((*_elements(left), *_elements(right)))
    if element is None:
        return None
    names = {one.name for one in (left, right) if isinstance(one, Collection)}
    return Collection("set" if names == {"set"} else "list", element)


def _elements(one: Type) -> Sequence[Type]:
    match one:
        case Collection():
            return (one.element,)
        case TupleType():
            return one.elements
        case ObjectType():
            return tuple(one.attributes.values())
        case _:
            return ()


def convert(value: Term, wanted: Type) -> Term:
    """The value as the wanted type; raises ProblemError where Terraform would refuse it.

    Null and unknown are of every type.  Attributes that an object type does not name are dropped.
    """
    if value is None or isinstance(value, Unknown):
        return value
    match wanted:
        case Primitive(name="any"):
            return value
        case Primitive():
            return _primitive(value, wanted)
        case Collection(name="map"):
            return _map(value, wanted)
        case Collection():
            return _sequence(value, wanted)
        case ObjectType():
            return _object(value, wanted)
        case TupleType():
            items = _settled(value)
            if isinstance(items, Unknown):
                return items
            if not isinstance(items, list) or len(items) != len(wanted.elements):
                raise ProblemError(f"{kind_of(items)} does not fit a tuple of {len(wanted.elements)}")
            return [convert(item, one) for item, one in zip(items, wanted.elements, strict=True)]


def _settled(value: Term) -> Term:
    """A resource or module as a plain term."""
    if value is None or isinstance(value, bool | int | Decimal | str | list | dict | Unknown):
        return value
    return value.settled()


def _primitive(value: Term, wanted: Primitive) -> Term:
    if not isinstance(value, bool | int | Decimal | str):
        settled = _settled(value)
        if isinstance(settled, Unknown):
            return settled
        raise ProblemError(f"{kind_of(value)} stands where {_said(wanted)} is expected")
    if wanted == STRING:
        if isinstance(value, bool):
            return "true" if value else "false"
        return value if isinstance(value, str) else number_text(value)
    if wanted == BOOL:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value in ("true", "false", "1", "0"):
            return value in ("true", "1")
    elif isinstance(value, str):
        return _number(value)
    elif not isinstance(value, bool):
        return value
    raise ProblemError(f"{kind_of(value)} stands where {_said(wanted)} is expected")


def _number(text: str) -> int | Decimal:
    try:
        if not text.isascii() or text.strip() != text or "_" in text or len(text) > 4000:
            raise ProblemError("the text is not a number")
        value = Decimal(text)
        if not value.is_finite() or abs(value.adjusted()) > 4000:
            raise ProblemError("the text is not a number")
        return whole(value)
    except InvalidOperation:
        raise ProblemError("the text is not a number") from None


def _said(wanted: Primitive) -> str:
    return {"string": "text", "number": "a number", "bool": "a Boolean"}[wanted.name]


def _map(value: Term, wanted: Collection) -> Term:
    value = _settled(value)
    if isinstance(value, Unknown):
        return value
    if not isinstance(value, dict):
        raise ProblemError(f"{kind_of(value)} stands where a map is expected")
    element = wanted.element if wanted.element != ANY else _shared(value.values())
    return MapTerm({key: convert(item, element) for key, item in value.items()})


def _sequence(value: Term, wanted: Collection) -> Term:
    value = _settled(value)
    if isinstance(value, Unknown):
        return value
    if not isinstance(value, list):
        raise ProblemError(f"{kind_of(value)} stands where a {wanted.name} is expected")
    element = wanted.element if wanted.element != ANY else _shared(value)
    items = [convert(item, element) for item in value]
    if isinstance(value, SetTerm | BagTerm) and wanted.name == "list" and is_bag(value):
        return BagTerm(items)
    return set_of(items) if wanted.name == "set" else ListTerm(items)


def _shared(items: Iterable[Term]) -> Type:
    found = unified(map(type_of, items))
    if found is None:
        raise ProblemError("the elements have no type in common")
    return found


def _object(value: Term, wanted: ObjectType) -> Term:
    if isinstance(value, Lazy):
        return {name: convert(value.member(name), kind) for name, kind in wanted.attributes.items()}
    if isinstance(value, Unknown):
        return value
    if not isinstance(value, dict):
        raise ProblemError(f"{kind_of(value)} stands where an object is expected")
    out: dict[str, Term] = {}
    for name, kind in wanted.attributes.items():
        if name not in value and name not in wanted.optional:
            raise ProblemError(f"the attribute `{name}` is missing")
        given = value.get(name)
        if given is None and name in wanted.defaults:
            given = wanted.defaults[name]
        out[name] = convert(given, kind)
    return out


def is_bag(value: Term) -> bool:
    """Whether the order of a list made of this is not known."""
    if isinstance(value, BagTerm):
        return True
    return isinstance(value, SetTerm) and len(value) > 1 and first_unknown(value) is not None


def set_of(items: Iterable[Term]) -> SetTerm:
    """The distinct items in Terraform's order; what is not known stands at the end."""
    given = list(items)
    found = [one for one in given if first_unknown(one) is None]
    unknown = [one for one in given if first_unknown(one) is not None]
    if all(isinstance(one, str) for one in found):
        return SetTerm([*sorted(set(found), key=lambda one: str(one).encode("utf-8", "replace")), *unknown])
    distinct: list[Term] = []
    for one in found:
        if not any(same(one, other) for other in distinct):
            distinct.append(one)
    if all(isinstance(one, int | Decimal) and not isinstance(one, bool) for one in distinct):
        distinct.sort(key=lambda one: one)  # type: ignore[arg-type,return-value]
    return SetTerm([*distinct, *unknown])


def spelled(one: Type) -> str:
    """The type as Terraform writes it."""
    match one:
        case Primitive():
            return "dynamic" if one.name == "any" else one.name
        case Collection():
            return f"{one.name}({spelled(one.element)})"
        case TupleType():
            return "tuple([" + ", ".join(map(spelled, one.elements)) + "])"
        case ObjectType():
            rows = (f"{key}: {spelled(one.attributes[key])}" for key in sorted(one.attributes))
            return "object({" + ", ".join(rows) + "})"
