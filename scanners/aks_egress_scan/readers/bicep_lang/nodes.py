"""Making template expressions: what the compiler would have written between brackets."""

from __future__ import annotations

from typing import Final

from aks_egress_scan.readers.expressions.syntax import Access, Call, Literal, Node

MOST_PIECES: Final = 200_000
"""How many constants, calls and accesses one expression may be written with."""


def literal(value: str | int | bool | None) -> Node:
    """A constant."""
    return Literal(value)


def call(name: str, *arguments: Node) -> Node:
    """A function with its arguments."""
    return Call(name.casefold(), arguments, name)


def access(target: Node, key: str | int | Node, *, safe: bool = False) -> Node:
    """A property or an item."""
    return Access(target, Literal(key) if isinstance(key, str | int) else key, safe)


def formatted(pieces: list[str | Node]) -> Node:
    """Text put together from pieces: `format('a{0}b', …)`, or the text where nothing varies.

    A single piece is `string(…)`, which says the same and keeps what a value refers to.
    """
    pieces = [piece for piece in pieces if piece != ""]
    if len(pieces) == 1 and not isinstance(pieces[0], str | Literal):
        return call("string", pieces[0])
    if all(isinstance(piece, str) for piece in pieces):
        return Literal("".join(str(piece) for piece in pieces))
    template: list[str] = []
    arguments: list[Node] = []
    for piece in pieces:
        if isinstance(piece, str):
            template.append(piece.replace("{", "{{").replace("}", "}}"))
        elif isinstance(piece, Literal) and isinstance(piece.value, str):
            template.append(piece.value.replace("{", "{{").replace("}", "}}"))
        else:
            template.append(f"{{{len(arguments)}}}")
            arguments.append(piece)
    if not arguments:
        return Literal("".join(str(one.value) if isinstance(one, Literal) else str(one) for one in pieces))
    return call("format", Literal("".join(template)), *arguments)


class TooLongError(Exception):
    """An expression says the same so often that it cannot be written out."""


def spelled(node: Node) -> str:
    """The text of an expression, without its outer brackets; raises TooLongError."""
    out: list[str] = []
    _spell(node, out, [MOST_PIECES])
    return "".join(out)


def _spell(node: Node, out: list[str], left: list[int]) -> None:
    left[0] -= 1
    if left[0] < 0:
        raise TooLongError
    match node:
        case Literal(value):
            out.append(_constant(value))
        case Call(_, arguments):
            out.append(f"{node.spelling}(")
            for position, argument in enumerate(arguments):
                if position:
                    out.append(", ")
                _spell(argument, out, left)
            out.append(")")
        case Access(target, key, safe):
            _spell(target, out, left)
            out.append("[?" if safe else "[")
            _spell(key, out, left)
            out.append("]")


def _constant(value: str | float | bool | None) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if value is None or isinstance(value, bool):
        return {None: "null()", True: "true()", False: "false()"}[value]
    return str(value)
