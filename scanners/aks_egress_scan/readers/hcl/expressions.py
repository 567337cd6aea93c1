"""From tree-sitter's nodes to expressions of ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from aks_egress_scan.readers.hcl import escapes
from aks_egress_scan.readers.hcl.syntax import (
    Attribute,
    Binary,
    Call,
    Conditional,
    For,
    Index,
    Literal,
    Name,
    Node,
    Object,
    Splat,
    SplatItem,
    Tuple,
    Unary,
)
from aks_egress_scan.readers.hcl.templates import heredoc, quoted
from aks_egress_scan.readers.hcl.texts import Text

if TYPE_CHECKING:
    from tree_sitter import Node as Tree


def expression(text: Text, node: Tree) -> Node:
    """The expression of an `expression` node."""
    return _chain(text, node.children, node)


def _chain(text: Text, children: Sequence[Tree], at: Tree) -> Node:
    """A term and what follows it: `term.name[index][*]…`."""
    parts = [child for child in children if child.type != "comment"]
    if not parts:
        raise text.broken("an expression is missing", at)
    if parts[0].type == "(":
        inner = next((child for child in parts if child.type == "expression"), None)
        if inner is None:
            raise text.broken("an expression is missing between the brackets", at)
        first: Node = expression(text, inner)
        rest = parts[[child.type for child in parts].index(")") + 1 :]
    else:
        first, rest = _term(text, parts[0]), parts[1:]
    return _steps(text, first, rest)


def _steps(text: Text, value: Node, steps: Sequence[Tree]) -> Node:
    for step in steps:
        line = text.line(step)
        match step.type:
            case "get_attr":
                value = Attribute(value, text.of(step.named_children[-1]), line)
            case "index":
                value = _index(text, value, step)
            case "splat":
                kind = step.named_children[0]
                each = _steps(text, SplatItem(line), [c for c in kind.named_children if c.type != "comment"])
                value = _splat(value, each, kind.type == "attr_splat")
            case _:
                raise text.broken(f"`{text.of(step)[:40]}` is not expected here", step)
    return value


def _splat(value: Node, each: Node, attributes_only: bool) -> Node:
    """A splat; what an old-style splat (`.*`) is indexed with concerns its result, not its items."""
    if not attributes_only:
        return Splat(value, each, each.line)
    after: list[Index] = []
    path: list[Index | Attribute] = []
    while isinstance(each, Index | Attribute):
        path.append(each)
        each = each.of
    path.reverse()
    split = next((i for i, step in enumerate(path) if isinstance(step, Index)), len(path))
    inner: Node = each
    for step in path[:split]:
        inner = Attribute(inner, step.name, step.line) if isinstance(step, Attribute) else inner
    out: Node = Splat(value, inner, inner.line)
    for step in path[split:]:
        if isinstance(step, Attribute):
            out = Attribute(out, step.name, step.line)
        else:
            out = Index(out, step.key, step.line)
            after.append(step)
    return out


def _index(text: Text, value: Node, step: Tree) -> Node:
    kind = step.named_children[0]
    line = text.line(step)
    if kind.type == "legacy_index":
        out = value
        for digits in text.of(kind).split(".")[1:]:
            out = Index(out, Literal(int(digits), line), line)
        return out
    key = next((child for child in kind.named_children if child.type == "expression"), None)
    if key is None:
        raise text.broken("an index is missing between the brackets", step)
    return Index(value, expression(text, key), line)


def _term(text: Text, node: Tree) -> Node:
    convert = _TERMS.get(node.type)
    if convert is None:
        raise text.broken(f"`{text.of(node)[:40]}` is not an expression", node)
    return convert(text, node)


def _only(text: Text, node: Tree) -> Node:
    """A node that stands around another one."""
    return _term(text, next(child for child in node.named_children if child.type != "comment"))


def _number(text: Text, node: Tree) -> Node:
    digits = text.of(node)
    return Literal(number(digits), text.line(node))


def number(digits: str) -> int | Decimal:
    """A number as written; whole numbers are `int`."""
    if digits.isdecimal() and len(digits) < 1000:
        return int(digits)
    value = Decimal(digits)
    if abs(value.adjusted()) > 1000:
        return Decimal("Infinity")
    return int(value) if value == value.to_integral_value() else value


def _string(text: Text, node: Tree) -> Node:
    raw = text.of(node)[1:-1]
    return Literal(escapes.quoted(raw, lambda why: text.broken(why, node)), text.line(node))


def _function(text: Text, node: Tree) -> Node:
    name = ""
    arguments: list[Node] = []
    expand = False
    for child in node.named_children:
        if child.type == "identifier":
            name = text.of(child)
        elif child.type == "function_arguments":
            for argument in child.children:
                if argument.type == "expression":
                    arguments.append(expression(text, argument))
                elif argument.type == "ellipsis":
                    expand = True
    return Call(name, tuple(arguments), expand, text.line(node))


def _tuple(text: Text, node: Tree) -> Node:
    items = (expression(text, child) for child in node.named_children if child.type == "expression")
    return Tuple(tuple(items), text.line(node))


def _object(text: Text, node: Tree) -> Node:
    entries: list[tuple[Node, Node]] = []
    for child in node.named_children:
        if child.type == "object_elem":
            key, value = [part for part in child.named_children if part.type == "expression"]
            entries.append((_key(text, key), expression(text, value)))
    return Object(tuple(entries), text.line(node))


def _key(text: Text, node: Tree) -> Node:
    """A key: a bare word stands for itself."""
    parts = [child for child in node.children if child.type != "comment"]
    if len(parts) == 1:
        if parts[0].type == "variable_expr":
            return Literal(text.of(parts[0]), text.line(node))
        if parts[0].type == "literal_value" and parts[0].named_children[0].type in ("null_lit", "bool_lit"):
            return Literal(text.of(parts[0]), text.line(node))
    return expression(text, node)


def _for(text: Text, node: Tree) -> Node:
    kind = node.named_children[0]
    names, over = intro(text, next(c for c in kind.named_children if c.type == "for_intro"))
    values = [expression(text, c) for c in kind.named_children if c.type == "expression"]
    guard = next((c for c in kind.named_children if c.type == "for_cond"), None)
    condition = None
    if guard is not None:
        condition = expression(text, next(c for c in guard.named_children if c.type == "expression"))
    grouped = any(c.type == "ellipsis" for c in kind.children)
    key = values[0] if kind.type == "for_object_expr" else None
    return For(names, over, key, values[-1], condition, grouped, text.line(node))


def intro(text: Text, node: Tree) -> tuple[tuple[str, ...], Node]:
    """The variables of a for-expression or directive, and what it goes over."""
    names = tuple(text.of(child) for child in node.named_children if child.type == "identifier")
    over = next((child for child in node.named_children if child.type == "expression"), None)
    if over is None or not names:
        raise text.broken("a for-expression is incomplete", node)
    return names, expression(text, over)


def _conditional(text: Text, node: Tree) -> Node:
    parts = [child for child in node.named_children if child.type == "expression"]
    if len(parts) != 3:
        raise text.broken("a conditional is incomplete", node)
    condition, yes, no = (expression(text, part) for part in parts)
    return Conditional(condition, yes, no, text.line(node))


_OPERATORS: Final = frozenset(
    {"||", "&&", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"},
)


def _binary(text: Text, node: Tree) -> Node:
    children = node.children
    at = next(i for i, child in enumerate(children) if child.type in _OPERATORS and i > 0)
    left, right = _chain(text, children[:at], node), _chain(text, children[at + 1 :], node)
    return Binary(children[at].type, left, right, text.line(node))


def _unary(text: Text, node: Tree) -> Node:
    return Unary(node.children[0].type, _chain(text, node.children[1:], node), text.line(node))


def template(text: Text, node: Tree, *, bare: bool = False) -> Node:
    """The template of a quoted string or a heredoc; `bare` is one that stands alone in its file."""
    if node.type == "quoted_template":
        return quoted(text, node)
    return heredoc(text, node, bare=bare)


_TERMS: Final[dict[str, Callable[[Text, Tree], Node]]] = {
    "literal_value": _only,
    "template_expr": _only,
    "collection_value": _only,
    "operation": _only,
    "numeric_lit": _number,
    "bool_lit": lambda text, node: Literal(text.of(node) == "true", text.line(node)),
    "null_lit": lambda text, node: Literal(None, text.line(node)),
    "string_lit": _string,
    "quoted_template": template,
    "heredoc_template": template,
    "variable_expr": lambda text, node: Name(text.of(node), text.line(node)),
    "function_call": _function,
    "tuple": _tuple,
    "object": _object,
    "for_expr": _for,
    "conditional": _conditional,
    "binary_operation": _binary,
    "unary_operation": _unary,
    "expression": expression,
}
