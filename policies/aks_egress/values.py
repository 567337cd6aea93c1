"""Values of a definition, where each came from, and why a value is not known.

Every reader hands over plain Python data (`None`, `bool`, `int`, `float`, `str`, `list`, `dict`) in
which any part may be an `Unknown`. Nothing in the project turns an `Unknown` into a default: it is
carried to the verdict, where it is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from aks_egress.records import record, replace

Step = str | int
"""One step into nested data: a property name or a list index."""


@record(frozen=True, slots=True)
class Origin:
    """Where a value stands.

    `path` is the input as the user named it (`-` for standard input). `line` (from 1) is set by
    readers that know it while reading; else `pointer` leads into the JSON text and the reader's
    document turns it into a line when a report asks (`Document.locate`).
    """

    path: str
    line: int | None = None
    pointer: tuple[Step, ...] = ()

    def child(self, *steps: Step) -> Origin:
        """The place of a part of this value.  A known line stays the best answer for its parts."""
        return replace(self, pointer=(*self.pointer, *steps))


NOWHERE = Origin("")


@record(frozen=True, slots=True)
class Reference:
    """A value that will be the property at `path` of the resource `id`; an empty path is its id."""

    id: str
    path: tuple[Step, ...] = ()


@record(frozen=True, slots=True)
class Unknown:
    """A value the input does not settle: why, where, and what would settle it.

    `refers_to` names what the value is going to be, where the dialect says so although the value
    itself comes only with the deployment.  With several entries it is one of them, nobody can say
    which.  `settle` is a short phrase for people: what to give so that the value is known.
    """

    why: str
    origin: Origin = NOWHERE
    refers_to: tuple[Reference, ...] = ()
    settle: str = ""
    made_of: tuple[Reference, ...] = ()


Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"] | Unknown


def get(value: Value, name: str) -> Value:
    """The property `name`, ignoring case as ARM does; `None` where it is missing."""
    if isinstance(value, dict):
        if name in value:
            return value[name]
        wanted = name.casefold()
        for key, item in value.items():
            if key.casefold() == wanted:
                return item
        return None
    return value if isinstance(value, Unknown) else None


def at(value: Value, *path: Step) -> Value:
    """Follow property names and indexes.

    A missing property is `None`; an unknown swallows the rest of the path.
    """
    for step in path:
        if isinstance(value, Unknown):
            return value
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and -len(value) <= step < len(value) else None
        else:
            value = get(value, step)
        if value is None:
            return None
    return value


def unknowns(value: Value) -> Iterator[Unknown]:
    """Every unknown inside `value`, in the order it is written."""
    match value:
        case Unknown():
            yield value
        case dict():
            for item in value.values():
                yield from unknowns(item)
        case list():
            for item in value:
                yield from unknowns(item)


def settle(value: Value, told: Callable[[Unknown], Value]) -> Value:
    """The value with every unknown that `told` has an answer for replaced; the same object where none has."""
    match value:
        case Unknown():
            return told(value) if value.refers_to else value
        case dict():
            changed = {
                key: new
                for key, item in value.items()
                if not isinstance(item, str | bool) and (new := settle(item, told)) is not item
            }
            return {**value, **changed} if changed else value
        case list():
            items_ = [item if isinstance(item, str) else settle(item, told) for item in value]
            return items_ if any(new is not old for new, old in zip(items_, value, strict=True)) else value
    return value


def text(value: Value) -> str | Unknown | None:
    """The value as text: numbers spelled, empty text as absent, an unknown as itself.

    Anything else (a list, an object, a Boolean) is an unknown that says so.
    """
    if value is None or isinstance(value, Unknown):
        return value
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool):
        return Unknown("a true or false stands where text is expected")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    return Unknown("a list or an object stands where text is expected")


def flag(value: Value, default: bool) -> bool | Unknown:
    """The value as a Boolean; absent is the documented `default`, spelled Booleans are read."""
    if value is None or isinstance(value, bool | Unknown):
        return default if value is None else value
    if isinstance(value, str) and value.strip().casefold() in ("true", "false"):
        return value.strip().casefold() == "true"
    return Unknown("something other than true or false stands here")


def items(value: Value) -> list[Value] | Unknown:
    """The value as a list: absent is empty, one item stands for itself, an unknown is itself."""
    if value is None or value == "":
        return []
    if isinstance(value, list | Unknown):
        return value
    return [value]
