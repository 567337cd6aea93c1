"""The syntax tree of Terraform's language: blocks and attributes outside, expressions inside.

Both spellings, native (`.tf`) and JSON (`.tf.json`), come to this form. Every node knows its line
(from 1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Protocol

from aks_egress.records import field, record


class Node(Protocol):
    """An expression."""

    line: int


@record(slots=True, eq=False)
class Literal:
    """A value that is written out: null, a Boolean, a number, text."""

    value: bool | int | Decimal | str | None
    line: int


@record(slots=True, eq=False)
class Template:
    """Text with interpolations; `parts` are literals and expressions, joined as text."""

    parts: tuple[Node, ...]
    line: int


@record(slots=True, eq=False)
class Wrapped:
    """A template that is one interpolation alone: the value of the expression, whatever its type."""

    of: Node
    line: int


@record(slots=True, eq=False)
class Name:
    """A root name: `var`, `local`, a resource type, a variable of a for-expression."""

    name: str
    line: int


@record(slots=True, eq=False)
class Attribute:
    """`of.name`."""

    of: Node
    name: str
    line: int


@record(slots=True, eq=False)
class Index:
    """`of[key]`."""

    of: Node
    key: Node
    line: int


@record(slots=True, eq=False)
class Splat:
    """`of[*]…`: `each` is evaluated for every item, which it names through a `SplatItem`."""

    of: Node
    each: Node
    line: int


@record(slots=True, eq=False)
class SplatItem:
    """The item that the nearest enclosing splat is at."""

    line: int


@record(slots=True, eq=False)
class Call:
    """A function call; with `expand` the last argument is a list of further arguments."""

    name: str
    arguments: tuple[Node, ...]
    expand: bool
    line: int


@record(slots=True, eq=False)
class Unary:
    """`-of` or `!of`."""

    operator: str
    of: Node
    line: int


@record(slots=True, eq=False)
class Binary:
    """`left operator right`."""

    operator: str
    left: Node
    right: Node
    line: int


@record(slots=True, eq=False)
class Conditional:
    """`condition ? yes : no`."""

    condition: Node
    yes: Node
    no: Node
    line: int


@record(slots=True, eq=False)
class Tuple:
    """`[a, b]`."""

    items: tuple[Node, ...]
    line: int


@record(slots=True, eq=False)
class Object:
    """`{ key = value }`; a bare word as key is a literal."""

    entries: tuple[tuple[Node, Node], ...]
    line: int


@record(slots=True, eq=False)
class For:
    """A for-expression: with `key` an object, else a list; `grouped` is the trailing `...`."""

    names: tuple[str, ...]
    over: Node
    key: Node | None
    value: Node
    condition: Node | None
    grouped: bool
    line: int


@record(slots=True, eq=False)
class TemplateIf:
    """`%{ if }…%{ else }…%{ endif }`."""

    condition: Node
    yes: Node
    no: Node
    line: int


@record(slots=True, eq=False)
class TemplateFor:
    """`%{ for }…%{ endfor }`."""

    names: tuple[str, ...]
    over: Node
    body: Node
    line: int


@record(slots=True, eq=False)
class Setting:
    """An attribute of a body: a name and an expression, which is converted when first asked for."""

    name: str
    path: str
    line: int
    _convert: Callable[[], Node]
    _node: Node | None = None

    @property
    def expression(self) -> Node:
        """The expression."""
        if self._node is None:
            self._node = self._convert()
        return self._node


@record(slots=True, eq=False)
class Block:
    """A block: its type, its labels, its body, and where it begins."""

    type: str
    labels: tuple[str, ...]
    body: Body
    path: str
    line: int


@record(slots=True, eq=False)
class Body:
    """What stands between braces: settings by name, and blocks in their order."""

    settings: dict[str, Setting] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)

    def of_type(self, *types: str) -> Iterator[Block]:
        """The blocks of these types, in order."""
        return (block for block in self.blocks if block.type in types)
