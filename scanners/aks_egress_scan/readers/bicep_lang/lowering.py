"""Bicep expressions as template expressions, as the compiler writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aks_egress_scan.readers.bicep_lang import loading, syntax
from aks_egress_scan.readers.bicep_lang.nodes import access, call, formatted, literal
from aks_egress_scan.readers.bicep_lang.scopes import Scope
from aks_egress_scan.readers.bicep_lang.syntax import Expression, Spread
from aks_egress_scan.readers.bicep_lang.targets import Target
from aks_egress_scan.readers.bicep_lang.units import NAMESPACES
from aks_egress_scan.readers.expressions.syntax import Literal, Node

if TYPE_CHECKING:
    from aks_egress_scan.readers.bicep_lang.template import Template

MOST_NODES: Final = 200_000
"""How many expressions may be lowered for one file; names of resources are lowered for each use of them."""

_OPERATORS: Final = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "%": "mod",
    "<": "less",
    "<=": "lessOrEquals",
    ">": "greater",
    ">=": "greaterOrEquals",
    "==": "equals",
    "&&": "and",
    "||": "or",
    "??": "coalesce",
}


class Lowering:
    """Lowers the expressions of one template."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self._lambdas = 0
        self._left = MOST_NODES

    def node(self, expression: Expression, scope: Scope) -> Node:  # noqa: C901, PLR0912 - one case a form
        """The template expression; raises MalformedError for what Bicep refuses."""
        self._left -= 1
        if self._left < 0:
            scope.unit.fail(f"the file asks for more than {MOST_NODES:,} expressions", expression.at)
        match expression:
            case syntax.Literal(value):
                return literal(value)
            case syntax.String(parts):
                return formatted(
                    [part if isinstance(part, str) else self.node(part, scope) for part in parts]
                )
            case syntax.Name():
                return self._name(expression, scope)
            case syntax.Call():
                return self._call(expression, scope)
            case syntax.Member() | syntax.Index():
                return self._reached(expression, scope)
            case syntax.Nested():
                return self.template.targets.whole(self.template.targets.need(expression, scope))
            case syntax.Unary(operator, operand):
                return self._unary(operator, operand, scope)
            case syntax.Binary():
                return self._binary(expression, scope)
            case syntax.Ternary(condition, then, otherwise):
                return call("if", *(self.node(one, scope) for one in (condition, then, otherwise)))
            case syntax.Object():
                return self.object(expression, scope)
            case syntax.Array():
                return self._array(expression, scope)
            case syntax.For():
                return self._for(expression, scope)
            case syntax.Lambda(parameters, body):
                names = {name: call("lambdaVariables", literal(name)) for name in parameters}
                return call("lambda", *map(literal, parameters), self.node(body, scope.having(names)))

    def _name(self, expression: syntax.Name, scope: Scope) -> Node:
        local = scope.names.get(expression.name)
        if local is not None:
            return local
        target = self.template.targets.find(expression, scope)
        if target is not None:
            return self.template.targets.whole(target)
        return self.template.value_of(scope.unit, expression.name, expression.at)

    def _unary(self, operator: str, operand: Expression, scope: Scope) -> Node:
        lowered = self.node(operand, scope)
        if operator == "!":
            return call("not", lowered)
        if isinstance(lowered, Literal) and isinstance(lowered.value, int):
            return literal(-lowered.value)
        return call("sub", literal(0), lowered)

    def _binary(self, expression: syntax.Binary, scope: Scope) -> Node:
        left, right = self.node(expression.left, scope), self.node(expression.right, scope)
        match expression.operator:
            case "!=":
                return call("not", call("equals", left, right))
            case "=~":
                return call("equals", call("toLower", left), call("toLower", right))
            case "!~":
                return call("not", call("equals", call("toLower", left), call("toLower", right)))
        return call(_OPERATORS[expression.operator], left, right)

    def _array(self, expression: syntax.Array, scope: Scope) -> Node:
        if not any(isinstance(item, Spread) for item in expression.items):
            return call(
                "createArray",
                *(self.node(item, scope) for item in expression.items if not isinstance(item, Spread)),
            )
        runs: list[Node] = []
        row: list[Node] = []
        for item in expression.items:
            if isinstance(item, Spread):
                runs += [call("createArray", *row)] if row else []
                row = []
                runs.append(self.node(item.value, scope))
            else:
                row.append(self.node(item, scope))
        runs += [call("createArray", *row)] if row else []
        return call("flatten", call("createArray", *runs))

    def object(self, expression: syntax.Object, scope: Scope) -> Node:
        """An object as one expression."""
        if expression.nested:
            scope.unit.fail("a resource cannot be declared inside a value", expression.nested[0].at)
        runs: list[Node] = []
        row: list[Node] = []
        spread = False
        for member in expression.members:
            if isinstance(member, Spread):
                spread = True
                runs += [call("createObject", *row)] if row else []
                row = []
                runs.append(self.node(member.value, scope))
            else:
                key = literal(member.key) if isinstance(member.key, str) else self.node(member.key, scope)
                row += [key, self.node(member.value, scope)]
        if not spread:
            return call("createObject", *row)
        runs += [call("createObject", *row)] if row else []
        return call("shallowMerge", call("createArray", *runs))

    def _for(self, loop: syntax.For, scope: Scope) -> Node:
        """A loop where a template has no copy loop: `map` over its items."""
        if isinstance(loop.body, syntax.Condition):
            scope.unit.fail("`if` in a loop is for resources and modules", loop.body.at)
        over = self.node(loop.over, scope)
        if loop.index is None:
            names = {loop.item: call("lambdaVariables", literal(loop.item))}
            return call(
                "map", over, call("lambda", literal(loop.item), self.node(loop.body, scope.having(names)))
            )
        self._lambdas += 1
        counter = f"{loop.index}~{self._lambdas}"
        index = call("lambdaVariables", literal(counter))
        body = self.node(loop.body, scope.having({loop.item: access(over, index), loop.index: index}))
        numbers = call("range", literal(0), call("length", over))
        return call("map", numbers, call("lambda", literal(counter), body))

    def _reached(self, expression: syntax.Member | syntax.Index, scope: Scope) -> Node:
        target = self.template.targets.find(expression, scope)
        if target is not None:
            return self.template.targets.whole(target)
        base, keys, safe = self._chain(expression, scope)
        if isinstance(base, Target):
            return self.template.targets.member(base, keys, safe)
        if safe is None:
            for key in keys:
                base = access(base, key)
            return base
        for key in keys[:safe]:
            base = access(base, key)
        return call("tryGet", base, *keys[safe:])

    def _chain(self, expression: Expression, scope: Scope) -> tuple[Node | Target, list[Node], int | None]:
        """What is reached into, the steps, and from which of them on it is safe to find nothing.

        A safe step makes the steps behind it safe as well, as far as no further safe step follows.
        """
        if not isinstance(expression, syntax.Member | syntax.Index):
            return self.node(expression, scope), [], None
        target = self.template.targets.find(expression, scope)
        if target is not None:
            return target, [], None
        imported = self._imported(expression, scope)
        if imported is not None:
            return imported, [], None
        found = self.template.targets.find(expression.of, scope)
        base, keys, safe = (found, [], None) if found is not None else self._chain(expression.of, scope)
        if isinstance(expression, syntax.Index) and expression.from_end:
            return self._from_end(expression, base, keys, safe, scope), [], None
        if expression.safe and safe is not None and not isinstance(base, Target):
            base, keys, safe = self._folded(base, keys, safe), [], None
        key = (
            literal(expression.name)
            if isinstance(expression, syntax.Member)
            else self.node(expression.index, scope)
        )
        if expression.safe and safe is None:
            safe = len(keys)
        return base, [*keys, key], safe

    def _folded(self, base: Node, keys: list[Node], safe: int) -> Node:
        for key in keys[:safe]:
            base = access(base, key)
        return call("tryGet", base, *keys[safe:])

    def _from_end(
        self, expression: syntax.Index, base: Node | Target, keys: list[Node], safe: int | None, scope: Scope
    ) -> Node:
        if isinstance(base, Target):
            of = self.template.targets.member(base, keys, safe)
        else:
            of = self._folded(base, keys, len(keys) if safe is None else safe) if safe is not None else base
            for key in keys if safe is None else ():
                of = access(of, key)
        name = "tryIndexFromEnd" if expression.safe else "indexFromEnd"
        return call(name, of, self.node(expression.index, scope))

    def _imported(self, expression: syntax.Member | syntax.Index, scope: Scope) -> Node | None:
        """`module.name` of an `import * as module`."""
        if isinstance(expression, syntax.Member) and isinstance(expression.of, syntax.Name):
            found = scope.unit.wildcards.get(expression.of.name)
            if found is not None and expression.of.name not in scope.names:
                return self.template.imported(scope.unit, found, expression.name, expression.at)
        return None

    def _call(self, expression: syntax.Call, scope: Scope) -> Node:
        on = expression.on
        if isinstance(on, syntax.Name) and on.name not in scope.names:
            if on.name in scope.unit.wildcards:
                statement = scope.unit.wildcards[on.name]
                return self._user_function(
                    self.template.imported_function(scope.unit, statement, expression.name), expression, scope
                )
            if on.name in NAMESPACES and on.name not in scope.unit.symbols:
                on = None
        if on is not None:
            return self._method(expression, on, scope)
        own = self.template.function_named(scope.unit, expression.name) if expression.on is None else None
        if own is not None:
            return self._user_function(own, expression, scope)
        return self._built_in(expression, scope)

    def _user_function(self, name: str | None, expression: syntax.Call, scope: Scope) -> Node:
        if name is None:
            why = f"the function `{expression.name}` comes from a file that is not among the inputs"
            return self.template.missing(why, scope.unit, expression.at)
        return call(name, *(self.node(one, scope) for one in expression.arguments))

    def _method(self, expression: syntax.Call, on: Expression, scope: Scope) -> Node:
        """A function of a resource, such as `vault.getSecret('x')` or `store.listKeys()`."""
        target = self.template.targets.find(on, scope)
        if target is None or not target.what.is_resource:
            why = f"`{expression.name}` is a function of something that is not a resource of this file"
            return self.template.missing(why, scope.unit, expression.at)
        if expression.name.casefold() == "getsecret":
            return self.template.missing("a secret is read at deployment", scope.unit, expression.at)
        arguments = [self.node(one, scope) for one in expression.arguments]
        version = [literal(target.what.version)] if not arguments else []
        return call(expression.name, self.template.targets.id(target), *version, *arguments)

    def _built_in(self, expression: syntax.Call, scope: Scope) -> Node:
        name = expression.name.casefold()
        if name == "any" and len(expression.arguments) == 1:
            return self.node(expression.arguments[0], scope)
        if name == "nameof" and len(expression.arguments) == 1:
            return literal(_last_name(expression.arguments[0]))
        if name in loading.FUNCTIONS:
            return self.template.loaded(name, expression, scope)
        if name in _OUTSIDE:
            return self.template.missing(_OUTSIDE[name], scope.unit, expression.at)
        return call(expression.name, *(self.node(one, scope) for one in expression.arguments))


_OUTSIDE: Final = {
    "readenvironmentvariable": "an environment variable of whoever deploys is not known here",
    "externalinput": "an input of the deployment tool is not known here",
    "readcliarg": "an argument of the deployment command is not known here",
    "getsecret": "a secret is read at deployment",
}


def _last_name(expression: Expression) -> str:
    match expression:
        case syntax.Name(name) | syntax.Member(_, name) | syntax.Nested(_, name):
            return name
        case syntax.Index(_, syntax.String() as index) if index.literal is not None:
            return index.literal
        case syntax.Index(of):
            return _last_name(of)
    return ""
