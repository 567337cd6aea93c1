"""Resources and modules as expressions refer to them: their ids, names, properties and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aks_egress.records import record, replace
from aks_egress_scan.readers.bicep_lang import syntax
from aks_egress_scan.readers.bicep_lang.nodes import access, call, formatted, literal
from aks_egress_scan.readers.bicep_lang.scopes import Scope
from aks_egress_scan.readers.bicep_lang.syntax import Expression
from aks_egress_scan.readers.bicep_lang.units import Deployed, Unit
from aks_egress_scan.readers.expressions.syntax import Literal, Node

if TYPE_CHECKING:
    from aks_egress_scan.readers.bicep_lang.template import Template


@record(frozen=True, slots=True)
class Target:
    """A resource or module of a file, and which one of a loop; `index` is None for the whole of a loop."""

    unit: Unit
    what: Deployed
    index: Node | None = None

    @property
    def many(self) -> bool:
        """Whether it stands for all instances of a loop."""
        return self.what.loop is not None and self.index is None


@record(frozen=True, slots=True)
class DeploymentScope:
    """Where something is deployed, as far as it says so: `kind` is one of `""` (with its template),
    `resourceGroup`, `subscription`, `managementGroup`, `tenant` and `resource` (`parts`: its id).
    """

    kind: str = ""
    parts: tuple[Node, ...] = ()


class Targets:
    """Answers what expressions ask of resources and modules."""

    def __init__(self, template: Template) -> None:
        self.template = template

    def find(self, expression: Expression, scope: Scope) -> Target | None:
        """The resource or module that an expression names, None where it names something else."""
        match expression:
            case syntax.Name(name):
                known = None if name in scope.names else scope.deployed(name)
                return None if known is None else Target(scope.unit, known)
            case syntax.Index(of, index, _, False, False):
                found = self.find(of, scope)
                if found is None or not found.many:
                    return None
                return Target(found.unit, found.what, self.template.lowering.node(index, scope))
            case syntax.Nested(of, name, at):
                found = self.find(of, scope)
                child = found.what.children.get(name) if found else None
                if found is None or child is None:
                    scope.unit.fail(f"no resource `{name}` is nested there", at)
                return Target(found.unit, child, found.index)
        return None

    def need(self, expression: Expression, scope: Scope) -> Target:
        """The resource or module that an expression has to name; raises MalformedError."""
        found = self.find(expression, scope)
        if found is None:
            scope.unit.fail("a resource or module of this file is expected", expression.at)
        return found

    def inside(self, target: Target) -> Scope:
        """The names that the loop of a target adds for the instance that is meant."""
        loop, scope = target.what.loop, Scope(target.unit, inside=target.what)
        if loop is None or target.index is None:
            return scope
        over = self.template.over(loop, scope)
        names = {loop.item: access(over, target.index)}
        return scope.having(names | ({loop.index: target.index} if loop.index else {}))

    def key(self, target: Target) -> Node:
        """Its key in the template, with the instance of a loop."""
        if target.what.loop is None or target.index is None:
            return literal(target.what.key)
        return formatted([target.what.key + "[", target.index, "]"])

    def reference(self, target: Target, *, full: bool) -> Node:
        """What is known of it when it is deployed."""
        if target.what.foreign:
            why = f"`{target.what.key}` is made by an extension, not by Azure Resource Manager"
            return self.template.missing(why, target.unit, target.what.declaration.at)
        version = literal(target.what.version)
        if target.what.existing:
            return self._existing(target, [version, literal("full")] if full else [version])
        if target.many:
            return call("references", literal(target.what.key), *([version, literal("full")] if full else []))
        return call("reference", self.key(target), *([version, literal("full")] if full else []))

    def _existing(self, target: Target, more: list[Node]) -> Node:
        """What is only referred to is referred to by its id: its name may turn on what is deployed here."""
        if not target.many or target.what.loop is None:
            return call("reference", self.id(target), *more)
        counter = f"{target.what.key}~"
        one = replace(target, index=call("lambdaVariables", literal(counter)))
        numbers = call(
            "range", literal(0), call("length", self.template.over(target.what.loop, Scope(target.unit)))
        )
        return call("map", numbers, call("lambda", literal(counter), call("reference", self.id(one), *more)))

    def whole(self, target: Target) -> Node:
        """A resource or module used as a value."""
        return self.reference(target, full=target.what.is_resource)

    def member(self, target: Target, keys: list[Node], safe: int | None) -> Node:
        """A property of a resource or module, and what is within it."""
        if not keys:
            return self.whole(target)
        first = keys[0].value if isinstance(keys[0], Literal) and isinstance(keys[0].value, str) else None
        if target.many:
            return _follow(self.whole(target), keys, safe)
        if not target.what.is_resource:
            return self._module_member(target, first, keys, safe)
        plain = self._plain_member(target, first)
        if plain is not None:
            return _follow(plain, keys[1:], _less(safe))
        if first == "properties" and safe != 0:
            return _follow(self.reference(target, full=False), keys[1:], _less(safe))
        return _follow(self._maybe(target, self.reference(target, full=True), safe), keys, safe)

    def _plain_member(self, target: Target, name: str | None) -> Node | None:
        """What can be told without deploying."""
        match name:
            case "id":
                return self.id(target)
            case "name":
                return self.own_name(target)
            case "type":
                return literal(target.what.type)
            case "apiVersion":
                return literal(target.what.version)
        return None

    def _module_member(self, target: Target, first: str | None, keys: list[Node], safe: int | None) -> Node:
        if first == "name":
            return self.own_name(target)
        base = self._maybe(target, self.reference(target, full=False), safe)
        if first != "outputs" or len(keys) < 2:
            return _follow(base, keys, safe)
        if safe is not None and safe <= 1:
            return _follow(base, [*keys[:2], literal("value"), *keys[2:]], safe)
        found = access(access(access(base, keys[0]), keys[1]), "value")
        return _follow(found, keys[2:], None if safe is None else safe - 2)

    def _maybe(self, target: Target, found: Node, safe: int | None) -> Node:
        """Safe access to what may not be deployed finds nothing where it is not."""
        condition = target.what.condition
        if safe != 0 or condition is None:
            return found
        return call("if", self.template.lowering.node(condition, self.inside(target)), found, literal(None))

    def own_name(self, target: Target) -> Node:
        """The name as the declaration gives it."""
        name = target.what.body.get("name")
        if name is None:
            if not target.what.is_resource:
                return self._made_up_name(target)
            target.unit.fail(f"the resource `{target.what.key}` has no `name`", target.what.declaration.at)
        return self.template.lowering.node(name, self.inside(target))

    def _made_up_name(self, target: Target) -> Node:
        key = literal(target.what.key)
        unique = call("uniqueString", key, access(call("deployment"), "name"))
        pieces: list[str | Node] = [f"{target.what.key}-"]
        if target.index is not None:
            pieces += [target.index, "-"]
        return formatted([*pieces, unique])

    def parent(self, target: Target) -> Target | None:
        """The resource that this one is a child of, where it says so."""
        if target.what.within is not None:
            return Target(target.unit, target.what.within, target.index if target.what.within.loop else None)
        parent = target.what.body.get("parent") if target.what.is_resource else None
        return None if parent is None else self.need(parent, self.inside(target))

    def names(self, target: Target) -> list[Node]:
        """One name for each segment of the type."""
        parent = self.parent(target)
        own = self.own_name(target)
        if parent is not None:
            return [*self.names(parent), own]
        count = len(target.what.type.split("/")) - 1
        if count <= 1:
            return [own]
        apart = _apart(target.what.body.get("name"), own)
        if len(apart) == count:
            return apart
        return [access(call("split", own, literal("/")), position) for position in range(count)]

    def full_name(self, target: Target) -> Node:
        """The name with those of its parents: `vnet/subnet`."""
        parent = self.parent(target)
        if parent is None:
            return self.own_name(target)
        pieces: list[str | Node] = []
        for name in self.names(target):
            pieces += ["/", name] if pieces else [name]
        return formatted(pieces)

    def id(self, target: Target) -> Node:
        """The id of a resource, from its scope, type and names."""
        if target.what.foreign:
            return self.reference(target, full=True)
        if not target.what.is_resource:
            return access(self.reference(target, full=True), "id")
        if target.many:
            return self.whole(target)
        return self._id_of(self.scope(target), target.what.type, self.names(target), target.unit)

    def _id_of(self, where: DeploymentScope, kind: str, names: Sequence[Node], unit: Unit) -> Node:
        match where.kind or unit.target_scope:
            case "resourceGroup":
                return call("resourceId", *where.parts, literal(kind), *names)
            case "subscription":
                return call("subscriptionResourceId", *where.parts, literal(kind), *names)
            case "managementGroup":
                group = (
                    call("tenantResourceId", literal("Microsoft.Management/managementGroups"), *where.parts)
                    if where.parts
                    else access(call("managementGroup"), "id")
                )
                return call("extensionResourceId", group, literal(kind), *names)
            case "resource":
                return call("extensionResourceId", *where.parts, literal(kind), *names)
        return call("tenantResourceId", literal(kind), *names)

    def scope(self, target: Target) -> DeploymentScope:
        """Where it is deployed; a child is where its parent is."""
        parent = self.parent(target)
        if parent is not None:
            return self.scope(parent)
        said = target.what.body.get("scope")
        return DeploymentScope() if said is None else self._scope_of(said, self.inside(target))

    def _scope_of(self, said: Expression, scope: Scope) -> DeploymentScope:
        known = scope.unit.symbols.get(said.name) if isinstance(said, syntax.Name) else None
        if isinstance(known, syntax.Variable):
            return self._scope_of(known.value, Scope(scope.unit))
        if isinstance(said, syntax.Ternary):
            return self._either_scope(said, scope)
        if isinstance(said, syntax.Call):
            kind = {"resourcegroup": "resourceGroup", "managementgroup": "managementGroup"}.get(
                said.name.casefold(), said.name.casefold()
            )
            if kind in ("resourceGroup", "subscription", "managementGroup", "tenant"):
                return DeploymentScope(
                    kind, tuple(self.template.lowering.node(one, scope) for one in said.arguments)
                )
        target = self.find(said, scope)
        if target is None or not target.what.is_resource:
            scope.unit.fail(
                "`scope` is a resource of this file, or `resourceGroup(…)`, `subscription(…)`, `managementGroup(…)` or `tenant()`",
                said.at,
            )
        return self._resource_scope(target)

    def _either_scope(self, said: syntax.Ternary, scope: Scope) -> DeploymentScope:
        """One of two resource groups or subscriptions, by a condition."""
        then, otherwise = self._scope_of(said.then, scope), self._scope_of(said.otherwise, scope)
        if then.kind != otherwise.kind or then.kind not in ("resourceGroup", "subscription"):
            scope.unit.fail(
                "both sides of a `scope` with `?` are resource groups, or both are subscriptions", said.at
            )
        condition = self.template.lowering.node(said.condition, scope)
        pairs = zip(_spelled_out(then), _spelled_out(otherwise), strict=True)
        return DeploymentScope(then.kind, tuple(call("if", condition, *pair) for pair in pairs))

    def _resource_scope(self, target: Target) -> DeploymentScope:
        match target.what.type.casefold():
            case "microsoft.resources/resourcegroups":
                above = self.scope(target)
                subscription = above.parts if above.kind == "subscription" else ()
                return DeploymentScope("resourceGroup", (*subscription, self.own_name(target)))
            case "microsoft.management/managementgroups":
                return DeploymentScope("managementGroup", (self.own_name(target),))
            case "microsoft.resources/subscriptions":
                return DeploymentScope("subscription", (self.own_name(target),))
        return DeploymentScope("resource", (self.id(target),))


def _spelled_out(where: DeploymentScope) -> tuple[Node, ...]:
    """Subscription and resource group by name, those of the deployment where none are given."""
    subscription = access(call("subscription"), "subscriptionId")
    if where.kind == "subscription":
        return where.parts or (subscription,)
    if len(where.parts) == 2:
        return where.parts
    return (subscription, *(where.parts or (access(call("resourceGroup"), "name"),)))


def _less(safe: int | None) -> int | None:
    return None if safe is None else max(safe - 1, 0)


def _follow(base: Node, keys: Sequence[Node], safe: int | None) -> Node:
    if safe is None or safe >= len(keys):
        for key in keys:
            base = access(base, key)
        return base
    for key in keys[:safe]:
        base = access(base, key)
    return call("tryGet", base, *keys[safe:])


def _apart(written: Expression | None, lowered: Node) -> list[Node]:
    """The names in a name with slashes, where they stand in its text."""
    if not isinstance(written, syntax.String):
        return []
    if isinstance(lowered, Literal):
        return [literal(part) for part in str(lowered.value).split("/")]
    if (
        any("/" in part for part in written.parts if isinstance(part, str))
        and getattr(lowered, "name", "") == "format"
    ):
        return _apart_format(lowered)
    return []


def _apart_format(lowered: Node) -> list[Node]:
    template, *arguments = getattr(lowered, "arguments", (literal(""),))
    out: list[Node] = []
    used = 0
    for piece in str(getattr(template, "value", "")).split("/"):
        pieces: list[str | Node] = []
        rest = piece
        while f"{{{used}}}" in rest and used < len(arguments):
            before, _, rest = rest.partition(f"{{{used}}}")
            pieces += [before.replace("{{", "{").replace("}}", "}"), arguments[used]]
            used += 1
        pieces.append(rest.replace("{{", "{").replace("}}", "}"))
        kept = [one for one in pieces if one != ""]
        out.append(kept[0] if len(kept) == 1 and not isinstance(kept[0], str) else formatted(kept))
    return out
