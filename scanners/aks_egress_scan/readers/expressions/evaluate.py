"""The evaluator: a tree of an expression and where it stands, to a value.

Functions of the table see values alone; those that ask the template (`parameters`, `reference`, `copyIndex`,
…) are answered by the scope.  `if`, `and`, `or`, `coalesce` and lambdas evaluate only what they need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol, cast

from aks_egress.records import field, record, replace
from aks_egress.values import Unknown, Value
from aks_egress_scan.readers.expressions.functions import function
from aks_egress_scan.readers.expressions.functions.arrays import looked_up
from aks_egress_scan.readers.expressions.limits import Budget
from aks_egress_scan.readers.expressions.signatures import Function, FunctionProblemError, call
from aks_egress_scan.readers.expressions.syntax import Access, Call, Literal, Node
from aks_egress_scan.readers.expressions.unsettled import (
    Choice,
    OpenText,
    Runtime,
    Unsettled,
    choice,
    digest,
    spelled,
    unsettled,
)


@record(frozen=True, slots=True)
class Asked:
    """A function that the scope answers: the numbers of arguments it takes, and who answers."""

    least: int
    most: int | None
    answer: Callable[[Context, Sequence[Value]], Value]


class Scope(Protocol):
    """What surrounds an expression: a template with its parameters and variables."""

    @property
    def budget(self) -> Budget:
        """The steps left for the whole document."""

    def asked(self, name: str) -> Asked | None:
        """The function of the scope by its lower-case name."""


@record(frozen=True, slots=True)
class Context:
    """Where an expression stands: its template, the copy loops around it, lambda variables and, within a
    user function, the arguments that hide the template's parameters.

    In a nested template of outer scope, `escaped` is where an expression behind `[[` is evaluated: there.
    """

    scope: Scope
    copies: Mapping[str, int] = field(default_factory=dict)
    variables: Mapping[str, Value] = field(default_factory=dict)
    arguments: Mapping[str, Value] | None = None
    escaped: Context | None = None

    def looping(self, name: str, index: int) -> Context:
        """The same place within one more copy loop; the empty name is the resource's own."""
        return replace(self, copies={**self.copies, name.casefold(): index})

    def around(self, inner: Context) -> Context:
        """This place, with what is escaped left to `inner`."""
        return replace(self, escaped=inner if self.escaped is None else self.escaped.around(inner))


def evaluate(node: Node, context: Context) -> Value:
    """The value of an expression; raises FunctionProblemError where ARM would refuse to evaluate it."""
    context.scope.budget.spend()
    match node:
        case Literal(value):
            return value
        case Access(target, key, safe):
            return accessed(evaluate(target, context), evaluate(key, context), safe=safe)
        case Call(name, arguments):
            return _called(name, arguments, node.spelling, context)


def _called(name: str, arguments: tuple[Node, ...], spelling: str, context: Context) -> Value:
    if name in _FORMS:
        return _FORMS[name](arguments, context)
    values = [evaluate(argument, context) for argument in arguments]
    known = function(name)
    if known is not None:
        return _from_table(known, values, context)
    if any(map(callable, values)):
        raise FunctionProblemError(f"`{spelling}` takes no lambda")
    asked = context.scope.asked(name)
    if asked is None:
        raise FunctionProblemError(f"the function `{spelling}` is not known")
    if len(values) < asked.least or (asked.most is not None and len(values) > asked.most):
        raise FunctionProblemError(
            f"`{spelling}` does not take {len(values)} argument{'s' * (len(values) != 1)}"
        )
    return asked.answer(context, values)


def _from_table(known: Function, values: list[Value], context: Context) -> Value:
    budget = context.scope.budget
    if known.costly:
        budget.weigh(values)
    found = call(known, values)
    if isinstance(found, str):
        budget.check_text(found)
    elif isinstance(found, list | dict):
        budget.spend(len(found))
    return found


def accessed(value: Value, key: Value, *, safe: bool) -> Value:
    """A property or an item.  What will be known at run time only is followed by name."""
    if isinstance(key, Unknown):
        return unsettled("property", (value, key))
    if isinstance(value, Runtime) and isinstance(key, str | int):
        return value.step(key)
    if isinstance(value, Choice):
        return choice(value, *(_either(option, key) for option in value.options))
    if isinstance(value, Unknown):
        text = f"{spelled(value).strip('{}')}.{spelled(key)}".replace("/", "|")
        return Unsettled(value.why, value.origin, settle=value.settle, spelling=f"{{{text}}}")
    if isinstance(value, OpenText):
        return unsettled("property", (value, key))
    return looked_up(value, key, safe=safe)


def _either(option: Value, key: Value) -> Value:
    """The part of one option; an option that has no such part is not the one that will be asked."""
    try:
        return accessed(option, key, safe=False)
    except FunctionProblemError as error:
        return Unsettled(str(error), spelling="{}")


@record(frozen=True, slots=True)
class Lambda:
    """`lambda('x', …)`: called with as many values as it has names."""

    names: tuple[str, ...]
    body: Node
    context: Context

    def __repr__(self) -> str:
        around = (
            sorted(self.context.copies.items()),
            {k: spelled(v) for k, v in self.context.variables.items()},
        )
        return f"lambda {digest(f'{self.names} {self.body} {around}')}"

    def __call__(self, *values: Value) -> Value:
        """The value of the body with its variables set."""
        own = dict(zip(self.names, values, strict=False))
        return evaluate(self.body, replace(self.context, variables={**self.context.variables, **own}))


def _lambda(arguments: tuple[Node, ...], context: Context) -> Value:
    *heads, body = arguments or (Literal(None),)
    names = [head.value for head in heads if isinstance(head, Literal) and isinstance(head.value, str)]
    if len(names) != len(heads) or not arguments:
        raise FunctionProblemError("`lambda` takes the names of its variables and an expression")
    return cast("Value", Lambda(tuple(name.casefold() for name in names), body, context))


def _lambda_variables(arguments: tuple[Node, ...], context: Context) -> Value:
    name = arguments[0].value if len(arguments) == 1 and isinstance(arguments[0], Literal) else None
    if not isinstance(name, str) or name.casefold() not in context.variables:
        raise FunctionProblemError("`lambdaVariables` takes the name of a variable of the lambda around it")
    return context.variables[name.casefold()]


def _if(arguments: tuple[Node, ...], context: Context) -> Value:
    if len(arguments) != 3:
        raise FunctionProblemError("`if` takes a condition and two values")
    condition = evaluate(arguments[0], context)
    if isinstance(condition, Unknown | OpenText):
        options = [_attempt(argument, context) for argument in arguments[1:]]
        return choice(condition, *options)
    return evaluate(arguments[1 if _truth("if", condition) else 2], context)


def _attempt(node: Node, context: Context) -> Value:
    """A branch that may not be taken: what is wrong with it is part of the value."""
    try:
        return evaluate(node, context)
    except FunctionProblemError as error:
        return Unsettled(str(error), spelling="{}")


def _truth(name: str, value: Value) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.casefold() in ("true", "false"):
        return value.casefold() == "true"
    raise FunctionProblemError(f"`{name}` takes true or false")


def _and(arguments: tuple[Node, ...], context: Context) -> Value:
    return _junction("and", False, arguments, context)


def _or(arguments: tuple[Node, ...], context: Context) -> Value:
    return _junction("or", True, arguments, context)


def _junction(name: str, decisive: bool, arguments: tuple[Node, ...], context: Context) -> Value:
    """One decisive argument decides, whatever the others are."""
    if not arguments:
        raise FunctionProblemError(f"`{name}` takes at least one argument")
    open_ones: list[Value] = []
    for argument in arguments:
        value = _attempt(argument, context) if open_ones else evaluate(argument, context)
        if isinstance(value, Unknown | OpenText):
            open_ones.append(value)
        elif _truth(name, value) is decisive:
            return decisive
    return unsettled(name, open_ones) if open_ones else not decisive


def _coalesce(arguments: tuple[Node, ...], context: Context) -> Value:
    open_ones: list[Value] = []
    for argument in arguments:
        value = evaluate(argument, context)
        if isinstance(value, Unknown):
            open_ones.append(value)
        elif value is not None:
            return choice(open_ones[0], *open_ones, value) if open_ones else value
    return choice(open_ones[0], *open_ones) if open_ones else None


_FORMS: Final[Mapping[str, Callable[[tuple[Node, ...], Context], Value]]] = {
    "if": _if,
    "and": _and,
    "or": _or,
    "coalesce": _coalesce,
    "lambda": _lambda,
    "lambdavariables": _lambda_variables,
}
