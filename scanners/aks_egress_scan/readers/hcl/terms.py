"""Values while an expression is evaluated: Terraform tells lists, sets and tuples apart, JSON does not.

A tuple is a plain `list`, an object a plain `dict`; `ListTerm`, `SetTerm` and `MapTerm` are the
collections of one element type. Numbers are `int` or `Decimal`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final, Protocol, TypeAlias, runtime_checkable

from aks_egress.values import NOWHERE, Origin, Reference, Step, Unknown, Value


class ListTerm(list[Any]):
    """A list of one element type."""

    __slots__ = ()


class SetTerm(list[Any]):
    """A set: distinct elements in Terraform's order.  Made by `set_of` alone."""

    __slots__ = ()


class BagTerm(list[Any]):
    """A list made of a set some of whose elements are not known: their order is not known either."""

    __slots__ = ()


class MapTerm(dict[str, Any]):
    """A map of one element type."""

    __slots__ = ()


@runtime_checkable
class Lazy(Protocol):
    """Something with members that are evaluated when asked for: a resource, a module, `var`."""

    def member(self, name: str) -> Term:
        """The member of that name; raises ProblemError where there can be none."""

    def settled(self) -> Term:
        """All of it as a plain term, or an unknown."""


Term: TypeAlias = bool | int | Decimal | str | list[Any] | dict[str, Any] | Unknown | Lazy | None


class ProblemError(Exception):
    """An expression that Terraform would refuse; `try` and `can` catch it."""


class ExhaustedError(Exception):
    """An expression that grows beyond every bound; nothing catches it but the reader."""


def first_unknown(value: Term) -> Unknown | None:
    """The first unknown inside a value, resources included; None where all of it is known."""
    if isinstance(value, Unknown):
        return value
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return next((found for item in value if (found := first_unknown(item)) is not None), None)
    if isinstance(value, None | bool | int | Decimal | str):
        return None
    return first_unknown(value.settled())


def blurred(unknown: Unknown) -> Unknown:
    """What comes of an unknown by computing: no longer what it refers to, but for the same reason."""
    return Unknown(unknown.why, unknown.origin, settle=unknown.settle) if unknown.refers_to else unknown


def part(unknown: Unknown, step: Step) -> Unknown:
    """A part of an unknown: the same part of what it refers to."""
    if not unknown.refers_to:
        return unknown
    refers = tuple(Reference(one.id, (*one.path, step)) for one in unknown.refers_to)
    return Unknown(unknown.why, unknown.origin, refers, unknown.settle)


def any_of(values: Iterable[Term], why: Unknown) -> Term:
    """One of these values, nobody can say which: the value where they agree, else an unknown.

    Only where every one of them is a promise (an unknown that refers to something) does the result
    still say what it may refer to.
    """
    options = list(values)
    if not options:
        return blurred(why)
    if all(isinstance(one, Unknown) and one.refers_to for one in options):
        refers = tuple(
            dict.fromkeys(ref for one in options if isinstance(one, Unknown) for ref in one.refers_to)
        )
        first = options[0]
        assert isinstance(first, Unknown)  # noqa: S101 - narrowed by the line above
        return Unknown(first.why, first.origin, refers, first.settle)
    known = options[0]
    if first_unknown(known) is None and all(same(known, one) for one in options[1:]):
        return known
    return blurred(why)


def same(left: Term, right: Term) -> bool:
    """Whether both are one value of one kind, nothing unknown in them."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return (
            type(left) is type(right)
            and len(left) == len(right)
            and all(same(a, b) for a, b in zip(left, right, strict=True))
        )
    if isinstance(left, dict) and isinstance(right, dict):
        return (
            type(left) is type(right)
            and left.keys() == right.keys()
            and all(same(value, right[key]) for key, value in left.items())
        )
    if isinstance(left, int | Decimal) and isinstance(right, int | Decimal):
        return left == right
    return (isinstance(left, str) and isinstance(right, str) and left == right) or left is None is right


def number_text(value: int | Decimal) -> str:
    """A number as Terraform spells it: never with an exponent."""
    if isinstance(value, int):
        return str(value) if abs(value) < 10**4000 else _too_long()
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _too_long() -> str:
    raise ExhaustedError("a number grows beyond every bound")


def whole(value: Decimal) -> int | Decimal:
    """The number as `int` where it is one."""
    if not value.is_finite():
        raise ProblemError("the number is not finite")
    return int(value) if value == value.to_integral_value() else value


MOST_PARTS: Final = 500_000
"""A value that holds more is refused: lists of one another double with each line."""


def plain(value: Term, origin: Origin = NOWHERE) -> Value:
    """The value as JSON would have it; resources become what refers to them.

    Raises ExhaustedError for a value with more than MOST_PARTS parts.
    """
    left = MOST_PARTS

    def copy(value: Term) -> Value:
        nonlocal left
        left -= 1
        if left < 0:
            raise ExhaustedError(f"a value holds more than {MOST_PARTS:,} parts")
        if value is None or isinstance(value, str | bool | int):
            return value
        if isinstance(value, Unknown):
            return value if value.origin.path or not origin.path else _placed(value, origin)
        if isinstance(value, Decimal):
            return float(value) if value.is_finite() else None
        if isinstance(value, dict):
            return {key: copy(item) for key, item in value.items()}
        if isinstance(value, list):
            return [copy(item) for item in value]
        return copy(value.settled())

    return copy(value)


def _placed(value: Unknown, origin: Origin) -> Unknown:
    return Unknown(value.why, origin, value.refers_to, value.settle)


def pairs(value: Term) -> Iterator[tuple[Term, Term]] | Unknown:
    """Keys and values as a for-expression sees them; an unknown stays one."""
    if isinstance(value, Unknown):
        return value
    if isinstance(value, SetTerm):
        return iter([(item, item) for item in value])
    if isinstance(value, list):
        return iter(list(enumerate(value)))
    if isinstance(value, dict):
        return iter([(key, value[key]) for key in sorted(value)])
    if value is None or isinstance(value, bool | int | Decimal | str):
        raise ProblemError(f"{kind_of(value)} cannot be iterated over")
    return pairs(value.settled())


def kind_of(value: Term) -> str:
    """The kind of a value in people's words."""
    return next((said for kind, said in _KINDS if isinstance(value, kind)), "a resource or module")


_KINDS: Final[tuple[tuple[type, str], ...]] = (
    (type(None), "null"),
    (Unknown, "a value that is not known"),
    (bool, "a Boolean"),
    (int, "a number"),
    (Decimal, "a number"),
    (str, "text"),
    (SetTerm, "a set"),
    (BagTerm, "a list"),
    (ListTerm, "a list"),
    (list, "a tuple"),
    (MapTerm, "a map"),
    (dict, "an object"),
)
