"""One Bicep file as the template its compiler would emit, with the place of every part.

Always in the form with symbolic names (languageVersion 2.0).  What a file imports from others
becomes variables and functions of its own, as the compiler does it.
"""

from __future__ import annotations

from typing import Any, Final

from aks_egress.values import Origin, Unknown
from aks_egress_scan.readers.bicep_lang import loading, syntax
from aks_egress_scan.readers.bicep_lang.deployments import Deployments
from aks_egress_scan.readers.bicep_lang.lowering import Lowering
from aks_egress_scan.readers.bicep_lang.nodes import call, literal
from aks_egress_scan.readers.bicep_lang.places import Place
from aks_egress_scan.readers.bicep_lang.scopes import Scope
from aks_egress_scan.readers.bicep_lang.syntax import Expression, For, String, Type
from aks_egress_scan.readers.bicep_lang.targets import Targets
from aks_egress_scan.readers.bicep_lang.type_names import literal_values, parameter_type
from aks_egress_scan.readers.bicep_lang.units import Files, Unit
from aks_egress_scan.readers.bicep_lang.values import Values, written
from aks_egress_scan.readers.expressions.syntax import Node

_SCHEMAS: Final = {
    "subscription": "2018-05-01/subscriptionDeploymentTemplate.json#",
    "managementGroup": "2019-08-01/managementGroupDeploymentTemplate.json#",
    "tenant": "2019-08-01/tenantDeploymentTemplate.json#",
}
#: decorator of a parameter -> the member of a template that says the same
_CONSTRAINTS: Final = {"allowed": "allowedValues"} | {
    name: name for name in ("minLength", "maxLength", "minValue", "maxValue")
}
_SCHEMA_ROOT: Final = "https://schema.management.azure.com/schemas/"


class Template:
    """A template in the making; `modules` holds what was lowered already, by path."""

    def __init__(self, unit: Unit, files: Files, modules: Modules | None = None) -> None:
        self.unit, self.files = unit, files
        self.modules = Modules(files) if modules is None else modules
        self.place = Place(unit.path, 1)
        self.variables: dict[str, Any] = {}
        self.functions: dict[str, dict[str, Any]] = {}
        self.lowering, self.targets, self.values = Lowering(self), Targets(self), Values(self)
        self._prefixes: dict[str, int] = {unit.path: 0}
        self._variables_place = self.place.parts.setdefault("variables", Place(unit.path, 1))
        self._hidden = 0
        self._loops: dict[int, Node] = {}

    def lowered(self) -> dict[str, Any]:
        """The whole template; raises MalformedError."""
        scope = Scope(self.unit)
        parameters = {
            one.name: self._parameter(one, scope)
            for one in self.unit.file
            if isinstance(one, syntax.Parameter)
        }
        for statement in self.unit.file:
            if isinstance(statement, syntax.Variable):
                self._define_variable(self.unit, statement)
            elif isinstance(statement, syntax.Function):
                self._define_function(self.unit, statement)
        resources = Deployments(self).all()
        outputs = {one.name: self._output(one, scope) for one in self.unit.outputs}
        schema = _SCHEMAS.get(self.unit.target_scope, "2019-04-01/deploymentTemplate.json#")
        return {
            "$schema": _SCHEMA_ROOT + schema,
            "languageVersion": "2.0",
            "contentVersion": "1.0.0.0",
            "functions": [
                {"namespace": name, "members": members} for name, members in self.functions.items()
            ],
            "parameters": parameters,
            "variables": self.variables,
            "resources": resources,
            "outputs": outputs,
        }

    def part(self, section: str, name: str, place: Place) -> None:
        """Enter the place of a part."""
        self.place.parts.setdefault(section, Place(self.unit.path, 1)).parts[name] = place

    def _parameter(self, statement: syntax.Parameter, scope: Scope) -> dict[str, Any]:
        kind, nullable = (
            (None, False) if statement.type is None else parameter_type(statement.type, self.unit, self._type)
        )
        out: dict[str, Any] = {}
        if kind is not None:
            out["type"] = kind
        if statement.decorator("secure"):
            out["type"] = "secureObject" if kind == "object" else "secureString"
        if nullable:
            out["nullable"] = True
        place = self.values.place(scope, statement.at)
        literals = None if statement.type is None else literal_values(statement.type, self.unit, self._type)
        if literals is not None:
            out["allowedValues"] = literals
        for decorator, member in _CONSTRAINTS.items():
            said = statement.decorator(decorator)
            if said is not None and said.arguments:
                out[member], _ = self.values.json(said.arguments[0], scope)
        if statement.default is not None:
            out["defaultValue"], place.parts["defaultValue"] = self.values.json(statement.default, scope)
        self.part("parameters", statement.name, place)
        return out

    def _output(self, statement: syntax.Output, scope: Scope) -> dict[str, Any]:
        kind, nullable = parameter_type(statement.type, self.unit, self._type)
        value, place = self.values.json(statement.value, scope)
        place.stand(self.unit.text, statement.at)
        self.part("outputs", statement.name, place)
        out: dict[str, Any] = {} if kind is None else {"type": kind}
        if nullable:
            out["nullable"] = True
        return {**out, "value": value}

    def _type(self, unit: Unit, name: str) -> tuple[Unit, Type] | None:
        """The type that a name stands for."""
        if name in unit.types:
            return unit, unit.types[name].type
        if name in unit.imports:
            statement, exported = unit.imports[name]
            other = self._from(unit, statement)
            return self._type(other, exported) if other is not None and other is not unit else None
        space, _, member = name.partition(".")
        if member and space in unit.wildcards:
            other = self._from(unit, unit.wildcards[space])
            return self._type(other, member) if other is not None and other is not unit else None
        return None

    def _from(self, unit: Unit, statement: syntax.Import) -> Unit | None:
        """The file that an import names, None where it is not at hand."""
        path = statement.path.literal
        if path is None:
            unit.fail("the path of an import is plain text", statement.path.at)
        if path.startswith(("br:", "br/", "ts:", "ts/")) or not path.casefold().endswith(".bicep"):
            return None
        return self.files.near(unit, path)

    def value_of(self, unit: Unit, name: str, at: int) -> Node:
        """A parameter, a variable, or something imported; raises MalformedError for a name of nothing."""
        statement = unit.symbols.get(name)
        if isinstance(statement, syntax.Parameter):
            return self._parameter_value(unit, statement, at)
        if isinstance(statement, syntax.Variable):
            return self.variable(unit, statement)
        if name in unit.imports:
            found, exported = unit.imports[name]
            return self.imported(unit, found, exported, at)
        if isinstance(statement, syntax.Extension):
            return self.missing(f"the extension `{name}` is not Azure Resource Manager", unit, at)
        return unit.fail(f"`{name}` is not declared in this file", at)

    def _parameter_value(self, unit: Unit, statement: syntax.Parameter, at: int) -> Node:
        if unit is not self.unit:
            unit.fail(f"something exported cannot use the parameter `{statement.name}`", at)
        return call("parameters", literal(statement.name))

    def imported(self, unit: Unit, statement: syntax.Import, name: str, at: int) -> Node:
        """Something that another file exports."""
        other = self._from(unit, statement)
        if other is None:
            return self.missing(
                f"`{statement.path.literal}`, which `{name}` comes from, is not among the inputs", unit, at
            )
        found = other.symbols.get(name)
        if not isinstance(found, syntax.Variable):
            unit.fail(f"`{statement.path.literal}` exports no variable `{name}`", at)
        return self.variable(other, found)

    def imported_function(self, unit: Unit, statement: syntax.Import, name: str) -> str | None:
        """The name under which a function of another file is called here, None where the file is not at hand."""
        other = self._from(unit, statement)
        if other is None:
            return None
        found = other.symbols.get(name)
        if not isinstance(found, syntax.Function):
            unit.fail(f"`{statement.path.literal}` exports no function `{name}`", statement.at)
        return self._define_function(other, found)

    def function_named(self, unit: Unit, name: str) -> str | None:
        """The name under which a function of the user is called, None where it is no such function."""
        statement = unit.symbols.get(name)
        if isinstance(statement, syntax.Function):
            return self._define_function(unit, statement)
        if name in unit.imports:
            found, exported = unit.imports[name]
            known = self.imported_function(unit, found, exported)
            return known if known is not None else _ABSENT
        return None

    def _prefix(self, unit: Unit) -> str:
        number = self._prefixes.setdefault(unit.path, len(self._prefixes))
        return f"_{number}." if number else ""

    def variable(self, unit: Unit, statement: syntax.Variable) -> Node:
        """A variable of this or of another file."""
        return call("variables", literal(self._define_variable(unit, statement)))

    def _define_variable(self, unit: Unit, statement: syntax.Variable) -> str:
        plain = f"~{statement.name}" if statement.name.casefold() == "copy" else statement.name
        name = self._prefix(unit) + plain
        if name not in self.variables:
            self.variables[name] = None
            self.variables[name], place = self.values.json(statement.value, Scope(unit))
            place.stand(unit.text, statement.at)
            self._variables_place.parts[name] = place
        return name

    def _define_function(self, unit: Unit, statement: syntax.Function) -> str:
        space = (
            f"_{self._prefixes.setdefault(unit.path, len(self._prefixes))}"
            if unit is not self.unit
            else "__bicep"
        )
        members = self.functions.setdefault(space, {})
        if statement.name not in members:
            members[statement.name] = {}
            names = {name: call("parameters", literal(name)) for name, _ in statement.parameters}
            value = written(self.lowering.node(statement.body, Scope(unit, names)))
            kinds = [(name, parameter_type(kind, unit, self._type)[0]) for name, kind in statement.parameters]
            members[statement.name] = {
                "parameters": [{"name": name} | ({"type": kind} if kind else {}) for name, kind in kinds],
                "output": {"value": value},
            }
        return f"{space}.{statement.name}"

    def missing(self, why: str, unit: Unit, at: int) -> Node:
        """A value that nobody can know here."""
        return self.held(Unknown(why, Origin(unit.path, unit.line(at))))

    def held(self, value: Any) -> Node:
        """A value that is kept in a variable of its own."""
        self._hidden += 1
        name = f"~{self._hidden}"
        self.variables[name] = value
        return call("variables", literal(name))

    def over(self, loop: For, scope: Scope) -> Node:
        """What a loop runs over; a longer computation is done once, in a variable."""
        if id(loop) in self._loops:
            return self._loops[id(loop)]
        node = self.lowering.node(loop.over, scope)
        if scope.names or not isinstance(
            loop.over, syntax.Call | syntax.Array | syntax.Ternary | syntax.Binary
        ):
            return node
        if isinstance(loop.over, syntax.Call) and loop.over.name == "range":
            return node
        self._loops[id(loop)] = self.held(written(node))
        return self._loops[id(loop)]

    def loaded(self, function: str, expression: syntax.Call, scope: Scope) -> Node:
        """What a `load…` function reads."""
        arguments = tuple(self.constant(one, scope.unit) for one in expression.arguments)
        try:
            found = loading.content(function, scope.unit, arguments)
        except loading.NotLoadedError as error:
            return self.missing(str(error), scope.unit, expression.at)
        return self.held(loading.escaped(found))

    def constant(self, expression: Expression, unit: Unit, depth: int = 0) -> str | None:
        """Text that is known while compiling, None where it is not."""
        if isinstance(expression, String) and depth < 16:
            parts = [
                one if isinstance(one, str) else self.constant(one, unit, depth + 1)
                for one in expression.parts
            ]
            return None if None in parts else "".join(str(part) for part in parts)
        statement = unit.symbols.get(expression.name) if isinstance(expression, syntax.Name) else None
        if isinstance(statement, syntax.Variable) and depth < 16:
            return self.constant(statement.value, unit, depth + 1)
        return None


_ABSENT: Final = ""


class Modules:
    """The modules of one deployment, each lowered once."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.done: dict[str, tuple[dict[str, Any], Place]] = {}
        self.open: list[str] = []

    def lowered(self, unit: Unit, asking: Unit, at: int) -> tuple[dict[str, Any], Place]:
        """A module's template and places; raises MalformedError, also for one that contains itself."""
        if unit.path in self.done:
            return self.done[unit.path]
        if unit.path in self.open or unit is asking:
            asking.fail("a module contains itself", at)
        self.open.append(unit.path)
        template = Template(unit, self.files, self)
        self.done[unit.path] = template.lowered(), template.place
        self.open.pop()
        return self.done[unit.path]
