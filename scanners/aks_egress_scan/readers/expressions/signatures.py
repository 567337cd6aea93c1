"""Template functions as a table: name, overloads with their argument types, and what evaluates them.

A signature is written as Microsoft's reference writes it: `string, int, int?` (the last may be left out),
`array...` (one or more), `string|array`.  An unknown argument fits every type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from aks_egress.records import field, record
from aks_egress.values import Unknown, Value
from aks_egress_scan.readers.expressions.unsettled import OpenText, Unsettled, settled, unsettled

Apply = Callable[..., Value]


class FunctionProblemError(Exception):
    """A function cannot answer: unknown name, wrong arguments, an index out of range."""


@record(frozen=True, slots=True)
class Overload:
    """One way to call a function: argument types, how many may be left out, whether the last repeats."""

    types: tuple[frozenset[str], ...]
    optional: int
    repeats: bool
    apply: Apply

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many arguments."""
        least = len(self.types) - self.optional
        return count >= least and (self.repeats or count <= len(self.types))

    def fits(self, arguments: Sequence[Value]) -> bool:
        """Whether number and types of the arguments fit."""
        if not self.takes(len(arguments)):
            return False
        wanted = [self.types[min(i, len(self.types) - 1)] for i in range(len(arguments))]
        return all(_is(argument, types) for argument, types in zip(arguments, wanted, strict=True))


@record(slots=True)
class Function:
    """A function of the table.

    `partial`: it sees to unknown arguments itself.  `whole`: it looks inside lists and objects, so nothing
    in them may be unknown either.  `costly`: its time grows with what its arguments hold.
    """

    name: str
    overloads: list[Overload] = field(default_factory=list)
    partial: bool = False
    whole: bool = False
    costly: bool = False


TABLE: Final[dict[str, Function]] = {}


def define(
    name: str, *signatures: str, partial: bool = False, whole: bool = False, costly: bool = False
) -> Callable[[Apply], Apply]:
    """Enter an evaluator into the table under one or more signatures."""

    def enter(apply: Apply) -> Apply:
        function = TABLE.setdefault(name.casefold(), Function(name))
        function.partial |= partial
        function.whole |= whole
        function.costly |= costly or whole
        function.overloads += [_overload(text, apply) for text in signatures]
        return apply

    return enter


def call(function: Function, arguments: Sequence[Value]) -> Value:
    """The answer of a function; raises FunctionProblemError."""
    chosen = next((one for one in function.overloads if one.fits(arguments)), None)
    if chosen is None:
        raise FunctionProblemError(_misfit(function, arguments))
    if not function.partial:
        open_ones = not all(map(settled, arguments)) if function.whole else any(map(_is_open, arguments))
        if open_ones:
            return unsettled(function.name, arguments)
    return chosen.apply(*arguments)


def _is_open(value: Value) -> bool:
    return isinstance(value, Unknown | OpenText)


def named(arguments: Sequence[Value]) -> Unsettled | None:
    """The first argument that is unknown, as the reason for an answer."""
    return unsettled("", arguments) if any(isinstance(one, Unknown) for one in arguments) else None


_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "string": str,
    "int": int,
    "number": (int, float),
    "bool": bool,
    "array": list,
    "object": dict,
    "null": type(None),
    "any": object,
}


def _overload(text: str, apply: Apply) -> Overload:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    optional = sum(part.endswith("?") for part in parts)
    repeats = bool(parts) and parts[-1].endswith("...")
    types = tuple(frozenset(part.rstrip(".?").split("|")) for part in parts)
    if any(name not in _TYPES and name != "lambda" for names in types for name in names):
        raise ValueError(f"no such type in the signature `{text}`")
    return Overload(types, optional, repeats, apply)


def _is(value: Any, types: frozenset[str]) -> bool:
    if callable(value):
        return "lambda" in types
    if isinstance(value, Unknown) or "any" in types:
        return True
    if isinstance(value, bool):
        return "bool" in types
    if isinstance(value, int) and not types.isdisjoint({"int", "number"}):
        return True
    return any(isinstance(value, _TYPES[name]) for name in types if name not in ("int", "bool", "lambda"))


def type_name(value: object) -> str:
    """The template language's name of a value's type."""
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"
    return "lambda" if callable(value) else "unknown"


def _misfit(function: Function, arguments: Sequence[Value]) -> str:
    if not any(one.takes(len(arguments)) for one in function.overloads):
        return f"`{function.name}` does not take {len(arguments)} argument{'s' * (len(arguments) != 1)}"
    given = ", ".join(map(type_name, arguments))
    return f"`{function.name}` does not take arguments of the types ({given})"
