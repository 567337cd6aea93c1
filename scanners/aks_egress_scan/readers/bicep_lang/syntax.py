"""What a Bicep file says, as data.  `at` is where a part begins in the text of its file."""

from __future__ import annotations

from collections.abc import Iterator

from aks_egress.records import field, record


@record(frozen=True, slots=True, eq=False)
class Literal:
    """A number, `true`, `false` or `null`."""

    value: int | bool | None
    at: int


@record(frozen=True, slots=True, eq=False)
class String:
    """Text with holes: pieces of text and expressions by turns, text first and last."""

    parts: tuple[str | Expression, ...]
    at: int

    @property
    def literal(self) -> str | None:
        """The text, where there are no holes."""
        only = self.parts[0]
        return only if len(self.parts) == 1 and isinstance(only, str) else None


@record(frozen=True, slots=True, eq=False)
class Name:
    """A symbol."""

    name: str
    at: int


@record(frozen=True, slots=True, eq=False)
class Call:
    """`f(…)`, or `x.f(…)` where `on` is set."""

    name: str
    arguments: tuple[Expression, ...]
    at: int
    on: Expression | None = None


@record(frozen=True, slots=True, eq=False)
class Member:
    """`x.name`, `x.?name`."""

    of: Expression
    name: str
    at: int
    safe: bool = False


@record(frozen=True, slots=True, eq=False)
class Index:
    """`x[i]`, `x[?i]`, `x[^i]`."""

    of: Expression
    index: Expression
    at: int
    safe: bool = False
    from_end: bool = False


@record(frozen=True, slots=True, eq=False)
class Nested:
    """`parent::child`."""

    of: Expression
    name: str
    at: int


@record(frozen=True, slots=True, eq=False)
class Unary:
    """`!x`, `-x`."""

    operator: str
    operand: Expression
    at: int


@record(frozen=True, slots=True, eq=False)
class Binary:
    """`a + b` and its like."""

    operator: str
    left: Expression
    right: Expression
    at: int


@record(frozen=True, slots=True, eq=False)
class Ternary:
    """`c ? a : b`."""

    condition: Expression
    then: Expression
    otherwise: Expression
    at: int


@record(frozen=True, slots=True, eq=False)
class Property:
    """`key: value`; a key with holes is a String."""

    key: str | String
    value: Expression
    at: int


@record(frozen=True, slots=True, eq=False)
class Spread:
    """`...x`."""

    value: Expression
    at: int


@record(frozen=True, slots=True, eq=False)
class Object:
    """`{…}`; resources nested in a resource's body stand apart."""

    members: tuple[Property | Spread, ...]
    at: int
    nested: tuple[Resource, ...] = ()

    def get(self, name: str) -> Expression | None:
        """The value of a property with that very name."""
        return next(
            (one.value for one in self.members if isinstance(one, Property) and one.key == name), None
        )


@record(frozen=True, slots=True, eq=False)
class Array:
    """`[…]`."""

    items: tuple[Expression | Spread, ...]
    at: int


@record(frozen=True, slots=True, eq=False)
class Condition:
    """`if (…) {…}`: the body of a resource or module that may not be there."""

    condition: Expression
    body: Object
    at: int


def start(expression: Expression) -> int:
    """Where the first sign of an expression stands; `at` of an operator is where the operator does."""
    while True:
        match expression:
            case Binary(_, first) | Ternary(first) | Member(first) | Index(first) | Nested(first):
                expression = first
            case Call(on=first) if first is not None:
                expression = first
            case _:
                return expression.at


@record(frozen=True, slots=True, eq=False)
class For:
    """`[for item in list: body]`, `[for (item, index) in list: body]`."""

    item: str
    index: str | None
    over: Expression
    body: Expression | Condition
    at: int


@record(frozen=True, slots=True, eq=False)
class Lambda:
    """`(a, b) => body`."""

    parameters: tuple[str, ...]
    body: Expression
    at: int


Expression = (
    Literal
    | String
    | Name
    | Call
    | Member
    | Index
    | Nested
    | Unary
    | Binary
    | Ternary
    | Object
    | Array
    | For
    | Lambda
)


@record(frozen=True, slots=True, eq=False)
class Type:
    """A type expression.

    `form` is one of `name` (a path of names in `text`), `literal` (`value`), `object`, `tuple`,
    `array` (of its one part), `union`, `nullable`, `sure` (`T!`), `generic` (`text<…>`), `part`
    (a property or an item of its one part; `text` is the property's name, or `*`) and `negative`.
    """

    form: str
    at: int
    text: str = ""
    value: str | int | bool | None = None
    parts: tuple[Type, ...] = ()
    members: tuple[tuple[str, Type, tuple[Call, ...]], ...] = ()


@record(frozen=True, slots=True, eq=False, kw_only=True)
class Declaration:
    """One statement with its decorators."""

    name: str
    at: int
    decorators: tuple[Call, ...] = ()

    def decorator(self, name: str) -> Call | None:
        """The decorator of that name."""
        return next((one for one in self.decorators if one.name == name), None)


@record(frozen=True, slots=True, eq=False, kw_only=True)
class Parameter(Declaration):
    """`param name type = default`; in a parameters file `param name = value`, without a type."""

    type: Type | None
    default: Expression | None


@record(frozen=True, slots=True, eq=False, kw_only=True)
class Variable(Declaration):
    """`var name = value`."""

    value: Expression


@record(frozen=True, slots=True, eq=False, kw_only=True)
class Output(Declaration):
    """`output name type = value`."""

    type: Type
    value: Expression


@record(frozen=True, slots=True, eq=False, kw_only=True)
class Resource(Declaration):
    """`resource name 'type@version' = …`."""

    type: String
    existing: bool
    body: Object | Condition | For


@record(frozen=True, slots=True, eq=False, kw_only=True)
class Module(Declaration):
    """`module name 'path' = …`."""

    path: String
    body: Object | Condition | For


@record(frozen=True, slots=True, eq=False, kw_only=True)
class Function(Declaration):
    """`func name(a type) type => body`."""

    parameters: tuple[tuple[str, Type], ...]
    returns: Type
    body: Expression


@record(frozen=True, slots=True, eq=False, kw_only=True)
class TypeAlias(Declaration):
    """`type name = …`."""

    type: Type


@record(frozen=True, slots=True, eq=False, kw_only=True)
class Import(Declaration):
    """`import {a as b} from 'path'`: pairs of (exported name, local name); `import * as name`: `wildcard`."""

    path: String
    symbols: tuple[tuple[str, str, int], ...] = ()
    wildcard: bool = False


@record(frozen=True, slots=True, eq=False, kw_only=True)
class TargetScope(Declaration):
    """`targetScope = '…'`."""

    value: Expression


@record(frozen=True, slots=True, eq=False, kw_only=True)
class Extension(Declaration):
    """`extension name as alias`, and its older spellings; `name` is the alias."""


@record(frozen=True, slots=True, eq=False, kw_only=True)
class Using(Declaration):
    """`using 'path'` (None: `using none`), and `extends 'path'` with that name."""

    path: String | None


@record(frozen=True, slots=True, eq=False, kw_only=True)
class Ignored(Declaration):
    """A statement that deploys nothing and names nothing: metadata, assert, test, extension configuration."""


@record(frozen=True, slots=True)
class File:
    """A file: its statements in their order."""

    statements: tuple[Declaration, ...] = field(default_factory=tuple)

    def __iter__(self) -> Iterator[Declaration]:
        return iter(self.statements)
