"""Evaluation of expressions, with what is unknown kept unknown and every failure placed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

from aks_egress.arm.ids import OPEN_RESOURCE_GROUP, OPEN_SUBSCRIPTION
from aks_egress.records import field, record
from aks_egress.values import Origin, Unknown
from aks_egress_scan.readers.hcl import operators, syntax
from aks_egress_scan.readers.hcl.functions.table import CONTROL, Files, function
from aks_egress_scan.readers.hcl.syntax import Node
from aks_egress_scan.readers.hcl.terms import (
    MOST_PARTS,
    BagTerm,
    ExhaustedError,
    ListTerm,
    ProblemError,
    SetTerm,
    Term,
    any_of,
    blurred,
    kind_of,
    pairs,
    part,
)
from aks_egress_scan.readers.hcl.traversal import element, member
from aks_egress_scan.readers.hcl.types import STRING, convert, is_bag, type_of, unified

MAX_STEPS: Final = 500_000
MAX_DEPTH: Final = 600
MAX_TEXT: Final = 4 << 20
_HEAVY: Final = 1_000


@record(slots=True)
class Budget:
    """How much may still be evaluated for one document."""

    steps: int = MAX_STEPS
    depth: int = 0
    _heavy: dict[int, tuple[Term, int]] = field(default_factory=dict)

    def weighed(self, value: Term) -> Term:
        """The value; raises ExhaustedError where it holds too much: lists of one another double with each line."""
        self._weight(value)
        return value

    def _weight(self, value: Term) -> int:
        """How many parts a value holds; what is heavy is kept in mind, since it may hold itself many times."""
        if not isinstance(value, list | dict):
            return 1
        if id(value) in self._heavy:
            return self._heavy[id(value)][1]
        weight = 1 + sum(map(self._weight, value.values() if isinstance(value, dict) else value))
        if weight > MOST_PARTS:
            raise ExhaustedError(f"a value holds more than {MOST_PARTS:,} parts")
        if weight > _HEAVY:
            self._heavy[id(value)] = (value, weight)
        return weight


class Roots(Protocol):
    """Where the root names of expressions lead: `var`, `local`, resources, modules."""

    def root(self, name: str) -> Term:
        """What a root name stands for; raises ProblemError where nothing does."""


@record(slots=True)
class Scope:
    """Where an expression is evaluated: names of for-expressions and `each` in front, the module behind."""

    roots: Roots
    path: str
    budget: Budget
    files: Files
    names: Mapping[str, Term] = field(default_factory=dict)
    item: Term = None

    def inner(self, names: Mapping[str, Term]) -> Scope:
        """This scope with further names."""
        return Scope(self.roots, self.path, self.budget, self.files, {**self.names, **names}, self.item)

    def at(self, path: str) -> Scope:
        """This scope for expressions of another file."""
        return self if path == self.path else Scope(self.roots, path, self.budget, self.files, self.names)


def evaluate(node: Node, scope: Scope) -> Term:
    """The value of an expression; raises ProblemError where Terraform would refuse it."""
    budget = scope.budget
    budget.steps -= 1
    if budget.steps < 0:
        raise ExhaustedError("the configuration takes too long to evaluate")
    budget.depth += 1
    if budget.depth > MAX_DEPTH:
        budget.depth = 0
        raise ExhaustedError("the configuration is nested too deeply to evaluate")
    try:
        return _EVALUATE[type(node)](node, scope)
    finally:
        budget.depth -= 1


def settled(node: Node, scope: Scope) -> Term:
    """The value of an expression; a failure is an unknown that says so and where."""
    try:
        return evaluate(node, scope)
    except ProblemError as problem:
        return Unknown(
            f"the expression cannot be evaluated: {problem}",
            Origin(scope.path, node.line or None),
            settle="mend the expression, or give a plan instead",
        )


def _literal(node: syntax.Literal, _scope: Scope) -> Term:
    return node.value


def _name(node: syntax.Name, scope: Scope) -> Term:
    if node.name in scope.names:
        return scope.names[node.name]
    return scope.roots.root(node.name)


def _wrapped(node: syntax.Wrapped, scope: Scope) -> Term:
    return evaluate(node.of, scope)


def _template(node: syntax.Template, scope: Scope) -> Term:
    return joined([evaluate(one, scope) for one in node.parts])


def joined(parts: list[Term]) -> Term:
    """The parts as one text; with unknowns among them an unknown, or an id of which only the scope is open."""
    out: list[str] = []
    first: Unknown | None = None
    for part_value in parts:
        if part_value is None:
            raise ProblemError("null stands inside a template")
        text = convert(part_value, STRING)
        if isinstance(text, Unknown):
            opened = (
                _OPEN.get(out[-1].rsplit("/", 2)[-2].casefold()) if out and out[-1].endswith("/") else None
            )
            if opened is None and (first is not None or out):
                return blurred(text)
            if opened is None:
                first = text
                continue
            text = opened
        out.append(str(text))
    whole = bounded("".join(out))
    return whole if first is None else _continued(first, whole)


#: what stands before an unknown in an id -> how the open part of a scope is written
_OPEN: Final = {"subscriptions": OPEN_SUBSCRIPTION, "resourcegroups": OPEN_RESOURCE_GROUP}


def _continued(unknown: Unknown, text: str) -> Unknown:
    """An id with a known path behind it is the id of a child: `${azurerm_virtual_network.v.id}/subnets/s`.

    An address with `/32` behind it is still that address.
    """
    last = {one.path[-1:] for one in unknown.refers_to}
    if (text.startswith("/") and last == {("id",)}) or (text == "/32" and last == {("ip_address",)}):
        return part(unknown, text)
    return blurred(unknown)


def bounded(text: str) -> str:
    """The text; raises ExhaustedError where it grows beyond every bound."""
    if len(text) > MAX_TEXT:
        raise ExhaustedError("a text grows beyond every bound")
    return text


def _attribute(node: syntax.Attribute, scope: Scope) -> Term:
    return member(evaluate(node.of, scope), node.name)


def _index(node: syntax.Index, scope: Scope) -> Term:
    return element(evaluate(node.of, scope), evaluate(node.key, scope))


def _splat(node: syntax.Splat, scope: Scope) -> Term:
    value = evaluate(node.of, scope)
    if isinstance(value, Unknown):
        return blurred(value)
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    out: list[Term] = []
    for one in items:
        inner = Scope(scope.roots, scope.path, scope.budget, scope.files, scope.names, one)
        out.append(evaluate(node.each, inner))
    if is_bag(value):
        return BagTerm(out)
    return ListTerm(out) if isinstance(value, ListTerm | SetTerm) else out


def _splat_item(_node: syntax.SplatItem, scope: Scope) -> Term:
    return scope.item


def _call(node: syntax.Call, scope: Scope) -> Term:
    control = CONTROL.get(node.name)
    if control is not None and not node.expand:
        return control([lambda one=one: evaluate(one, scope) for one in node.arguments])  # type: ignore[misc]
    arguments = [evaluate(one, scope) for one in node.arguments]
    if node.expand and arguments:
        last = arguments.pop()
        if isinstance(last, Unknown):
            return blurred(last)
        if not isinstance(last, list):
            raise ProblemError(f"{kind_of(last)} stands before `...`, where a list is expected")
        arguments += last
    if control is not None:
        return control([lambda one=one: one for one in arguments])  # type: ignore[misc]
    name = node.name.removeprefix("core::")
    known = function(name)
    if known is None:
        if "::" in name:
            return Unknown(f"`{name}` is a function of a provider", Origin(scope.path, node.line))
        raise ProblemError(f"there is no function `{name}`")
    return known.call(arguments, scope)


def _unary(node: syntax.Unary, scope: Scope) -> Term:
    return operators.unary(node.operator, evaluate(node.of, scope))


def _binary(node: syntax.Binary, scope: Scope) -> Term:
    return operators.binary(node.operator, evaluate(node.left, scope), evaluate(node.right, scope))


def _conditional(node: syntax.Conditional, scope: Scope) -> Term:
    condition = evaluate(node.condition, scope)
    if isinstance(condition, Unknown):
        options = [settled(node.yes, scope), settled(node.no, scope)]
        return any_of(_alike(options), condition)
    chosen = operators.unary("!", operators.unary("!", condition))
    if chosen:
        return _alike([evaluate(node.yes, scope), settled(node.no, scope)])[0]
    return _alike([evaluate(node.no, scope), settled(node.yes, scope)])[0]


def _alike(values: list[Term]) -> list[Term]:
    """Both results of a conditional as the type they share."""
    first, second = values
    if isinstance(first, Unknown) or isinstance(second, Unknown) or first is None or second is None:
        return values
    kinds = type_of(first), type_of(second)
    if kinds[0] == kinds[1]:
        return values
    shared = unified(kinds)
    if shared is None:
        return values
    try:
        return [convert(first, shared), convert(second, shared)]
    except ProblemError:
        return values


def _tuple(node: syntax.Tuple, scope: Scope) -> Term:
    return scope.budget.weighed([evaluate(one, scope) for one in node.items])


def _object(node: syntax.Object, scope: Scope) -> Term:
    out: dict[str, Term] = {}
    for key_node, value_node in node.entries:
        key = evaluate(key_node, scope)
        if isinstance(key, Unknown):
            return blurred(key)
        name = convert(key, STRING)
        if not isinstance(name, str):
            raise ProblemError("the key of an object must be text")
        out[name] = evaluate(value_node, scope)
    return scope.budget.weighed(out)


def _for(node: syntax.For, scope: Scope) -> Term:
    over = evaluate(node.over, scope)
    steps = _kept(node, over, scope)
    if isinstance(steps, Unknown):
        return steps
    if node.key is None:
        out_list = [evaluate(node.value, inner) for inner in steps]
        return scope.budget.weighed(BagTerm(out_list) if is_bag(over) else out_list)
    out: dict[str, Any] = {}
    for inner in steps:
        key = evaluate(node.key, inner)
        if isinstance(key, Unknown):
            return blurred(key)
        name = convert(key, STRING)
        if not isinstance(name, str):
            raise ProblemError("the key of a for-expression must be text")
        if node.grouped:
            out.setdefault(name, []).append(evaluate(node.value, inner))
        elif name in out:
            raise ProblemError(f"the key `{name}` comes twice in a for-expression")
        else:
            out[name] = evaluate(node.value, inner)
    return scope.budget.weighed(out)


def _kept(node: syntax.For, over: Term, scope: Scope) -> list[Scope] | Unknown:
    """One scope for every item that the condition lets through."""
    out: list[Scope] = []
    steps = _iterated(node.names, over, scope)
    if isinstance(steps, Unknown):
        return blurred(steps)
    for inner in steps:
        if node.condition is not None:
            kept = evaluate(node.condition, inner)
            if isinstance(kept, Unknown):
                return blurred(kept)
            if not operators.unary("!", operators.unary("!", kept)):
                continue
        out.append(inner)
    return out


def _iterated(names: tuple[str, ...], over: Term, scope: Scope) -> Iterator[Scope] | Unknown:
    found = pairs(over)
    if isinstance(found, Unknown):
        return found
    return (
        scope.inner({names[-1]: value} if len(names) == 1 else {names[0]: key, names[-1]: value})
        for key, value in found
    )


def _template_if(node: syntax.TemplateIf, scope: Scope) -> Term:
    condition = evaluate(node.condition, scope)
    if isinstance(condition, Unknown):
        return blurred(condition)
    return evaluate(node.yes if operators.unary("!", condition) is False else node.no, scope)


def _template_for(node: syntax.TemplateFor, scope: Scope) -> Term:
    steps = _iterated(node.names, evaluate(node.over, scope), scope)
    if isinstance(steps, Unknown):
        return blurred(steps)
    out: list[str] = []
    for inner in steps:
        value = evaluate(node.body, inner)
        if isinstance(value, Unknown):
            return blurred(value)
        out.append(str(convert(value, STRING)))
    return bounded("".join(out))


_EVALUATE: Final[dict[type, Callable[[Any, Scope], Term]]] = {
    syntax.Literal: _literal,
    syntax.Name: _name,
    syntax.Wrapped: _wrapped,
    syntax.Template: _template,
    syntax.Attribute: _attribute,
    syntax.Index: _index,
    syntax.Splat: _splat,
    syntax.SplatItem: _splat_item,
    syntax.Call: _call,
    syntax.Unary: _unary,
    syntax.Binary: _binary,
    syntax.Conditional: _conditional,
    syntax.Tuple: _tuple,
    syntax.Object: _object,
    syntax.For: _for,
    syntax.TemplateIf: _template_if,
    syntax.TemplateFor: _template_for,
}
