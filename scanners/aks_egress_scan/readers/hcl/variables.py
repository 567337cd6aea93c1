"""Input variables: their types, their defaults, and what files and command line give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from aks_egress.records import record
from aks_egress.values import Origin, Unknown
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.hcl.disk import Disk
from aks_egress_scan.readers.hcl.json_syntax import JsonFile
from aks_egress_scan.readers.hcl.parser import parse, parse_expression
from aks_egress_scan.readers.hcl.syntax import Block, Body, Call, Literal, Name, Node, Object, Tuple
from aks_egress_scan.readers.hcl.terms import ProblemError, Term
from aks_egress_scan.readers.hcl.types import (
    ANY,
    BOOL,
    NUMBER,
    STRING,
    Collection,
    ObjectType,
    Primitive,
    TupleType,
    Type,
    convert,
)

Evaluate = Callable[[Node, str], Term]
"""Evaluates an expression of a file in a scope without any names."""


@record(frozen=True, slots=True)
class Given:
    """A value from a file or the command line: an expression, or text whose reading depends on the type."""

    path: str
    node: Node | None = None
    text: str = ""


@record(frozen=True, slots=True)
class Variable:
    """What a `variable` block declares."""

    name: str
    type: Type
    default: Node | None
    nullable: bool
    hidden: str
    origin: Origin
    path: str


def declared(name: str, block: Block, evaluate: Evaluate) -> Variable:
    """The declaration in a block."""
    settings = block.body.settings
    kind: Type = ANY
    if "type" in settings:
        kind = type_constraint(settings["type"].expression, block.path, evaluate)
    hidden = next((word for word in ("sensitive", "ephemeral") if _is_true(settings.get(word), evaluate)), "")
    nullable = settings.get("nullable")
    refuses = nullable is not None and evaluate(nullable.expression, nullable.path) is False
    default = settings["default"].expression if "default" in settings else None
    return Variable(name, kind, default, not refuses, hidden, Origin(block.path, block.line), block.path)


def _is_true(setting: object, evaluate: Evaluate) -> bool:
    from aks_egress_scan.readers.hcl.syntax import Setting

    return isinstance(setting, Setting) and evaluate(setting.expression, setting.path) is True


def value_of(variable: Variable, given: Term | None, evaluate: Evaluate, *, is_given: bool) -> Term:
    """The value of a variable: what is given, else the default, as the declared type."""
    if variable.hidden:
        return Unknown(f"the variable `{variable.name}` is marked as {variable.hidden}", variable.origin)
    if is_given and not (given is None and not variable.nullable and variable.default is not None):
        return _converted(variable, given)
    if variable.default is None:
        return Unknown(
            f"the variable `{variable.name}` has no value",
            variable.origin,
            settle=f"give it with `--param {variable.name}=VALUE` or a `.tfvars` file",
        )
    return _converted(variable, evaluate(variable.default, variable.path))


def _converted(variable: Variable, value: Term) -> Term:
    try:
        return convert(value, variable.type)
    except ProblemError as problem:
        why = f"the value of the variable `{variable.name}` does not fit its type: {problem}"
        return Unknown(why, variable.origin, settle="mend the value")


_PRIMITIVE: Final[dict[str, Type]] = {"string": STRING, "number": NUMBER, "bool": BOOL, "any": ANY}
_LEGACY: Final[dict[str, Type]] = {
    "list": Collection("list", ANY),
    "map": Collection("map", ANY),
    "set": Collection("set", ANY),
}


def type_constraint(node: Node, path: str, evaluate: Evaluate) -> Type:
    """The type that a `type` setting names; raises MalformedError."""
    match node:
        case Name(name=name) | Literal(value=str(name)) if name in _PRIMITIVE or name in _LEGACY:
            return _PRIMITIVE.get(name) or _LEGACY[name]
        case Literal(value=str(text)):
            return type_constraint(parse_expression(path, text, node.line), path, evaluate)
        case Call(name=("list" | "set" | "map") as name, arguments=(inner,)):
            return Collection(name, type_constraint(inner, path, evaluate))
        case Call(name="tuple", arguments=(Tuple(items=items),)):
            return TupleType(tuple(type_constraint(one, path, evaluate) for one in items))
        case Call(name="object", arguments=(Object(entries=entries),)):
            return _object(entries, path, evaluate)
        case Name(name=("object" | "tuple") as name):
            raise MalformedError(
                f"`{name}` is no type without what it holds, as in {_HELD[name]}", path, node.line
            )
        case _:
            raise MalformedError("this is no type", path, node.line)


_HELD: Final = {"object": "`object({ name = string })`", "tuple": "`tuple([string])`"}


def _object(entries: tuple[tuple[Node, Node], ...], path: str, evaluate: Evaluate) -> ObjectType:
    attributes: dict[str, Type] = {}
    optional: set[str] = set()
    defaults: dict[str, Term] = {}
    for key, value in entries:
        if not isinstance(key, Literal) or not isinstance(key.value, str):
            raise MalformedError("an attribute of an object type needs a plain name", path, key.line)
        name, kind = key.value, value
        if isinstance(value, Call) and value.name == "optional" and 1 <= len(value.arguments) <= 2:
            kind = value.arguments[0]
            optional.add(name)
        attributes[name] = type_constraint(kind, path, evaluate)
        if name in optional and isinstance(value, Call) and len(value.arguments) == 2:
            defaults[name] = evaluate(value.arguments[1], path)
    return ObjectType(attributes, frozenset(optional), defaults)


def given_values(disk: Disk, parameters: Parameters) -> dict[str, Given]:
    """What is given to the root module, later sources winning: files beside it, `--param` files, values."""
    found: dict[str, Given] = {}
    names = disk.files(".") or ["terraform.tfvars", "terraform.tfvars.json"]
    automatic = sorted(name for name in names if name.endswith((".auto.tfvars", ".auto.tfvars.json")))
    for name in ("terraform.tfvars", "terraform.tfvars.json", *automatic):
        source = disk.source(name) if name in names else None
        if source is not None:
            found |= _file(source)
    for source in parameters.files:
        if source.path.endswith((".tfvars", ".tfvars.json", ".hcl")):
            found |= _file(source)
    for name, text in parameters.values:
        found[name] = Given("--param", text=text)
    return found


def _file(source: Source) -> Mapping[str, Given]:
    body: Body
    if source.path.endswith(".json"):
        body = JsonFile(source.path, source.data).settings()
    else:
        body = parse(source.path, source.data)
    if body.blocks:
        block = body.blocks[0]
        raise MalformedError("a file of variables holds no blocks", block.path, block.line)
    return {name: Given(one.path, one.expression) for name, one in body.settings.items()}


def term_of(given: Given, variable: Variable, evaluate: Evaluate) -> Term:
    """The term that was given; text on the command line is text where the type is, else an expression."""
    if given.node is not None:
        return evaluate(given.node, given.path)
    literal = isinstance(variable.type, Primitive) and variable.type != ANY
    if literal or (variable.type == ANY and not given.text.lstrip().startswith(("[", "{", '"'))):
        return given.text
    try:
        return evaluate(parse_expression(given.path, given.text), given.path)
    except MalformedError:
        message = f"the value of `{variable.name}` is no expression of Terraform's language"
        raise MalformedError(message, f"--param {variable.name}") from None
