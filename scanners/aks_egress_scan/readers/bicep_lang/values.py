"""Bicep values as the JSON of a template, each part with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aks_egress_scan.readers.arm.settle import Spliced
from aks_egress_scan.readers.bicep_lang import syntax
from aks_egress_scan.readers.bicep_lang.nodes import access, call, literal, spelled
from aks_egress_scan.readers.bicep_lang.places import Place
from aks_egress_scan.readers.bicep_lang.scopes import Scope
from aks_egress_scan.readers.bicep_lang.syntax import Expression, For, Object, Property, Spread
from aks_egress_scan.readers.expressions.syntax import Literal, Node

if TYPE_CHECKING:
    from aks_egress_scan.readers.bicep_lang.template import Template

Json = Any
"""What a template holds: plain data in which text between brackets is an expression."""


def written(node: Node) -> Json:
    """An expression as a template holds it; a constant stands for itself."""
    if isinstance(node, Literal):
        value = node.value
        return f"[{value}" if isinstance(value, str) and value.startswith("[") else value
    return f"[{spelled(node)}]"


class Values:
    """Writes values into one template."""

    def __init__(self, template: Template) -> None:
        self.template = template

    def json(self, expression: Expression, scope: Scope, *, loops: bool = False) -> tuple[Json, Place]:
        """The value and its place; with `loops`, properties may be made by copy loops."""
        match expression:
            case Object() if _is_plain(expression):
                return self.members(expression.members, expression.at, scope, loops=loops)
            case syntax.Array(items) if not any(isinstance(item, Spread) for item in items):
                return self._array(expression, scope, loops=loops)
            case syntax.Array():
                return self._spliced(expression, scope, loops=loops)
        place = self.place(scope, syntax.start(expression))
        self._outline(expression, scope, place)
        return written(self.template.lowering.node(expression, scope)), place

    def _outline(self, expression: Expression, scope: Scope, place: Place) -> None:
        """Places in an object with `...`: of the members behind the last, which nothing changes."""
        if isinstance(expression, Object):
            for member in reversed(expression.members):
                if isinstance(member, Spread):
                    break
                if isinstance(member.key, str):
                    _, place.parts[member.key] = self.json(member.value, scope)
                    place.parts[member.key].stand(scope.unit.text, member.at)

    def place(self, scope: Scope, at: int) -> Place:
        """The place of a part of the file."""
        return Place(scope.unit.path, scope.unit.line(at), text=scope.unit.text, at=at)

    def _array(self, expression: syntax.Array, scope: Scope, *, loops: bool) -> tuple[Json, Place]:
        place = self.place(scope, expression.at)
        out: list[Json] = []
        for item in expression.items:
            if not isinstance(item, Spread):
                value, place.parts[len(out)] = self.json(item, scope, loops=loops)
                out.append(value)
        return out, place

    def _spliced(self, expression: syntax.Array, scope: Scope, *, loops: bool) -> tuple[Json, Place]:
        """A list with `...` in it."""
        place = self.place(scope, expression.at)
        parts: list[tuple[bool, Json]] = []
        for item in expression.items:
            if isinstance(item, Spread):
                place.parts[len(parts)] = self.place(scope, item.at)
                parts.append((True, written(self.template.lowering.node(item.value, scope))))
            else:
                value, place.parts[len(parts)] = self.json(item, scope, loops=loops)
                parts.append((False, value))
        return Spliced(tuple(parts), written(self.template.lowering.node(expression, scope))), place

    def members(
        self, members: tuple[Property | Spread, ...], at: int, scope: Scope, *, loops: bool
    ) -> tuple[dict[str, Json], Place]:
        """Plain members of an object."""
        place = self.place(scope, at)
        out: dict[str, Json] = {}
        for member in members:
            if isinstance(member, Spread):
                scope.unit.fail("`...` cannot stand here", member.at)
            key = (
                member.key
                if isinstance(member.key, str)
                else written(self.template.lowering.node(member.key, scope))
            )
            if isinstance(member.key, str) and key.startswith("["):
                key = f"[{key}"
            if (
                loops
                and isinstance(member.value, For)
                and isinstance(member.key, str)
                and self._fits(member.key, scope)
            ):
                self._copy(member.key, member.value, scope, out, place)
                continue
            out[key], found = self.json(member.value, scope, loops=loops)
            found.stand(scope.unit.text, member.at)
            place.parts[key] = found
        return out, place

    def _fits(self, name: str, scope: Scope) -> bool:
        """Whether a copy loop of that name can be told from those around it."""
        return name.casefold() not in scope.loops

    def _copy(self, name: str, loop: For, scope: Scope, out: dict[str, Json], place: Place) -> None:
        """A property made by a copy loop."""
        entries = out.setdefault("copy", [])
        over, inner = self.looped(loop, name, scope)
        if isinstance(loop.body, syntax.Condition):
            scope.unit.fail("`if` in a loop is for resources and modules", loop.body.at)
        value, found = self.json(loop.body, inner, loops=True)
        copies = place.parts.setdefault("copy", self.place(scope, loop.at))
        entry = self.place(scope, loop.at)
        entry.parts["input"] = found
        copies.parts[len(entries)] = entry
        place.parts[name] = entry
        entries.append({"name": name, "count": written(call("length", over)), "input": value})

    def looped(self, loop: For, name: str, scope: Scope) -> tuple[Node, Scope]:
        """What a copy loop runs over, and the scope of its body."""
        over = self.template.over(loop, scope)
        index = call("copyIndex", literal(name))
        names: dict[str, Node] = {loop.item: access(over, index)}
        if loop.index is not None:
            names[loop.index] = index
        return over, scope.having(names, name)


def _is_plain(value: Object) -> bool:
    """Whether an object can be written out: nothing is spread into it, and no name means a copy loop."""
    return not value.nested and all(
        isinstance(member, Property) and not (isinstance(member.key, str) and member.key.casefold() == "copy")
        for member in value.members
    )
