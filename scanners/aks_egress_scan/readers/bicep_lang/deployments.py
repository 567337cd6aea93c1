"""Resources and modules as members of a template's `resources`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aks_egress_scan.readers.bicep_lang import syntax
from aks_egress_scan.readers.bicep_lang.module_files import ModuleFile, find
from aks_egress_scan.readers.bicep_lang.nodes import call, formatted, literal
from aks_egress_scan.readers.bicep_lang.places import Place
from aks_egress_scan.readers.bicep_lang.scopes import Scope
from aks_egress_scan.readers.bicep_lang.syntax import Expression, Object, Property, Spread
from aks_egress_scan.readers.bicep_lang.targets import Target
from aks_egress_scan.readers.bicep_lang.units import Deployed
from aks_egress_scan.readers.bicep_lang.values import written
from aks_egress_scan.readers.expressions.syntax import Node

if TYPE_CHECKING:
    from aks_egress_scan.readers.bicep_lang.template import Template

_DEPLOYMENT: Final = "Microsoft.Resources/deployments"
_DEPLOYMENT_VERSION: Final = "2022-09-01"
_TAKEN_OUT: Final = frozenset({"name", "parent", "scope", "dependsOn"})


class Deployments:
    """Writes what a file deploys.

    Resources that are only referred to are left out: expressions name them by their ids.
    """

    def __init__(self, template: Template) -> None:
        self.template = template
        self.out: dict[str, Any] = {}

    def all(self) -> dict[str, Any]:
        """Every resource and module of the file, by key."""
        for deployed in self.template.unit.deployed.values():
            self._enter(deployed)
        return self.out

    def _enter(self, deployed: Deployed) -> None:
        unit = self.template.unit
        if (
            deployed.foreign
            and "." not in deployed.type.partition("/")[0]
            and not unit.each(syntax.Extension)
        ):
            said = (
                f"`{deployed.type}` is not a resource type such as 'Microsoft.Network/routeTables@2024-05-01'"
            )
            unit.fail(said, deployed.declaration.at)
        if not deployed.foreign and not deployed.existing:
            written_out, place = self._resource(deployed) if deployed.is_resource else self._module(deployed)
            self.out[deployed.key] = written_out
            self.template.part("resources", deployed.key, place)
        for child in deployed.children.values():
            self._enter(child)

    def _instance(self, deployed: Deployed) -> tuple[Target, Scope, dict[str, Any]]:
        """The one that is meant, the names in its body, and what says how often it is there."""
        unit = self.template.unit
        if deployed.loop is None:
            above = deployed.within
            while above is not None:
                if above.loop is not None:
                    unit.fail("a resource cannot be nested in a loop", deployed.declaration.at)
                above = above.within
            return Target(unit, deployed), Scope(unit, inside=deployed), {}
        index = call("copyIndex", literal(deployed.key))
        target = Target(unit, deployed, index)
        over = self.template.over(deployed.loop, Scope(unit))
        copy: dict[str, Any] = {"name": deployed.key, "count": written(call("length", over))}
        batch = deployed.declaration.decorator("batchSize")
        if batch is not None and batch.arguments:
            size = written(self.template.lowering.node(batch.arguments[0], Scope(unit)))
            copy |= {"mode": "serial", "batchSize": size}
        scope = self.template.targets.inside(target)
        return target, scope.having({}, deployed.key), {"copy": copy}

    def _condition(self, deployed: Deployed, scope: Scope) -> dict[str, Any]:
        """Whether it is there: its own condition and those of the resources it is nested in."""
        found: list[Node] = []
        above: Deployed | None = deployed
        while above is not None:
            if above.condition is not None:
                found.insert(0, self.template.lowering.node(above.condition, scope))
            above = above.within
        if not found:
            return {}
        return {"condition": written(found[0] if len(found) == 1 else call("and", *found))}

    def _resource(self, deployed: Deployed) -> tuple[dict[str, Any], Place]:
        target, scope, copy = self._instance(deployed)
        targets = self.template.targets
        head = copy | self._condition(deployed, scope)
        head |= {"type": deployed.type, "apiVersion": deployed.version}
        head |= self._scope(target) | {"name": written(targets.full_name(target))}
        members = tuple(
            one for one in deployed.body.members if isinstance(one, Spread) or one.key not in _TAKEN_OUT
        )
        body, place = self.template.values.members(members, deployed.body.at, scope, loops=True)
        if "copy" in body:  # a loop over a member of the body itself, where `copy` is the resource's own loop
            body = self._without_copies(members, scope, place)
        return self._placed(deployed, head, body, place, scope)

    def _without_copies(
        self, members: tuple[Property | Spread, ...], scope: Scope, place: Place
    ) -> dict[str, Any]:
        place.parts.pop("copy", None)
        out: dict[str, Any] = {}
        for member in members:
            if isinstance(member, Property) and isinstance(member.key, str):
                loops = not isinstance(member.value, syntax.For)
                out[member.key], found = self.template.values.json(member.value, scope, loops=loops)
                found.stand(scope.unit.text, member.at)
                place.parts[member.key] = found
        return out

    def _placed(
        self, deployed: Deployed, head: dict[str, Any], body: dict[str, Any], place: Place, scope: Scope
    ) -> tuple[dict[str, Any], Place]:
        """The whole resource; its place is that of its declaration, its name's that of `name`."""
        place.stand(scope.unit.text, deployed.declaration.at)
        for member in deployed.body.members:
            if isinstance(member, Property) and member.key in _TAKEN_OUT:
                place.parts[str(member.key)] = self.template.values.place(scope, member.at)
        return head | body, place

    def _scope(self, target: Target) -> dict[str, Any]:
        """Where it is deployed, where that is not where its template is."""
        where = self.template.targets.scope(target)
        names = [written(part) for part in where.parts]
        match where.kind:
            case "resourceGroup" if len(names) == 2:
                return {"subscriptionId": names[0], "resourceGroup": names[1]}
            case "resourceGroup" if names:
                return {"resourceGroup": names[0]}
            case "subscription" if names:
                return {"subscriptionId": names[0]}
            case "managementGroup" if names:
                group = formatted(["Microsoft.Management/managementGroups/", where.parts[0]])
                return {"scope": written(group)}
            case "tenant":
                return {"scope": "/"}
            case "resource":
                return {"scope": names[0]}
        return {}

    def _module(self, deployed: Deployed) -> tuple[dict[str, Any], Place]:
        target, scope, copy = self._instance(deployed)
        head = copy | self._condition(deployed, scope)
        head |= {"type": _DEPLOYMENT, "apiVersion": _DEPLOYMENT_VERSION}
        head |= self._scope(target) | {"name": written(self.template.targets.own_name(target))}
        place = self.template.values.place(scope, deployed.declaration.at)
        properties, inside = self._module_properties(deployed, scope)
        place.parts["properties"] = inside
        return self._placed(deployed, head, {"properties": properties}, place, scope)

    def _module_properties(self, deployed: Deployed, scope: Scope) -> tuple[dict[str, Any], Place]:
        place = self.template.values.place(scope, deployed.declaration.at)
        parameters, place.parts["parameters"] = self._parameters(deployed.body.get("params"), scope, deployed)
        properties: dict[str, Any] = {
            "expressionEvaluationOptions": {"scope": "inner"},
            "mode": "Incremental",
            "parameters": parameters,
        }
        module = find(self.template, deployed)
        if isinstance(module, ModuleFile):
            properties["template"] = module.template
            place.parts["template"] = module.place
        else:
            properties["templateLink"] = module
        return properties, place

    def _parameters(self, given: Expression | None, scope: Scope, deployed: Deployed) -> tuple[Any, Place]:
        place = self.template.values.place(scope, deployed.declaration.at if given is None else given.at)
        if given is None:
            return {}, place
        if not isinstance(given, Object) or any(isinstance(one, Spread) for one in given.members):
            lowered = self.template.lowering.node(given, scope)
            entry = call(
                "lambda",
                literal("value"),
                call("createObject", literal("value"), call("lambdaVariables", literal("value"))),
            )
            return written(call("mapValues", lowered, entry)), place
        out: dict[str, Any] = {}
        for member in given.members:
            if isinstance(member, Property) and isinstance(member.key, str):
                value, inside = self._parameter(member.value, scope)
                inside.stand(scope.unit.text, member.at)
                out[member.key] = value
                place.parts[member.key] = inside
            else:
                scope.unit.fail("the name of a module's parameter is plain text", member.at)
        return out, place

    def _parameter(self, value: Expression, scope: Scope) -> tuple[dict[str, Any], Place]:
        if isinstance(value, syntax.Call) and value.name == "getSecret" and value.on is not None:
            vault = self.template.targets.find(value.on, scope)
            if vault is not None and value.arguments:
                secret = written(self.template.lowering.node(value.arguments[0], scope))
                reference = {
                    "keyVault": {"id": written(self.template.targets.id(vault))},
                    "secretName": secret,
                }
                return {"reference": reference}, self.template.values.place(scope, value.at)
        found, inside = self.template.values.json(value, scope)
        outer = self.template.values.place(scope, value.at)
        outer.parts["value"] = inside
        return {"value": found}, outer
