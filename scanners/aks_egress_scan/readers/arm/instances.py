"""The resources of a template by name, before anybody looks into them: loops, conditions, children, scopes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

from aks_egress.arm.ids import BadResourceIdError, ResourceId
from aks_egress.records import field, record
from aks_egress.values import Origin, Unknown, Value, at, get
from aks_egress_scan.readers.arm.kinds import DEPLOYMENTS, full_type, kinds_within
from aks_egress_scan.readers.arm.settle import Settler
from aks_egress_scan.readers.arm.target import Target
from aks_egress_scan.readers.arm.template import Template
from aks_egress_scan.readers.arm.world import Pointer
from aks_egress_scan.readers.expressions.evaluate import Context
from aks_egress_scan.readers.expressions.limits import BoundsError
from aks_egress_scan.readers.expressions.unsettled import (
    OpenText,
    Unsettled,
    promised,
    segments,
    spelled,
    unsettled,
)

RESOURCE_GROUPS: Final = "microsoft.resources/resourcegroups"

_NOT_BODY: Final = frozenset(
    {
        "type",
        "name",
        "apiversion",
        "dependson",
        "condition",
        "copy",
        "resources",
        "scope",
        "comments",
        "existing",
    }
)


@record(eq=False)
class Instance:
    """One resource of a template; a loop makes several of one declaration."""

    template: Template
    data: dict[str, Any]
    pointer: Pointer
    context: Context
    id: ResourceId
    symbol: str = ""
    existing: bool = False
    uncertain: Unknown | None = None
    places: dict[Pointer, Origin] = field(default_factory=dict)
    _busy: bool = False

    @property
    def kind(self) -> str:
        """The full type in lower case."""
        return self.id.kind

    @property
    def origin(self) -> Origin:
        """Where it is declared."""
        return self.template.file.place(self.pointer)

    @property
    def api_version(self) -> str:
        """Its API version, where one is written."""
        found = get(self.data, "apiVersion")
        return found if isinstance(found, str) else ""

    @property
    def reference(self) -> Value:
        """Its id as a value: text, or an unknown that refers to it."""
        return promised(self.id, Unsettled(f"the name of `{'/'.join(self.id.names)}` is not known"))

    @cached_property
    def body(self) -> dict[str, Value]:
        """Its members as ARM will get them."""
        settler = Settler(self.template.world, self.template.file, self.places)
        self._busy = True
        made: dict[str, Value] = {}
        for key, node in self.data.items():
            if key.casefold() not in _NOT_BODY:
                made[key] = settler.value(node, (*self.pointer, key), self.context, (key,))
        self._busy = False
        try:
            self.template.budget.weigh(made)
        except BoundsError as problem:
            raise self.template.world.refuse(str(problem), self.origin) from None
        return made

    def declared(self, path: Pointer) -> Value:
        """What it says of itself at a path, None where that comes from Azure or is being computed."""
        if self.existing or self._busy:
            return None
        found = at(self.body, *path)
        if found is None and path[-1:] == ("id",):
            return self._id_of_part(path[:-1])
        return found

    def _id_of_part(self, path: Pointer) -> Value:
        """The id of an inline child such as `subnets[0]`."""
        name = at(self.body, *path, "name")
        if name is None or len(path) < 2 or not isinstance(path[-2], str):
            return None
        found = self.id.child(path[-2], spelled(name).replace("/", "|") or "{}")
        return promised(found, unsettled("name", (name,)))

    @cached_property
    def deployment(self) -> Template | None:
        """The template that a deployment resource brings, None where it cannot be read."""
        from aks_egress_scan.readers.arm.nested import nested_template

        return nested_template(self) if self.kind == DEPLOYMENTS else None


def declarations_of(template: Template) -> list[Declaration]:
    """What a template declares, in the order written."""
    place = (*template.pointer, "resources")
    return [
        Declaration(template, pointer, row, template.context, None, symbol)
        for pointer, symbol, row in _rows(template, get(template.data, "resources"), place)
    ]


def _rows(template: Template, declared: Any, place: Pointer) -> list[tuple[Pointer, str, Any]]:
    """Resources as a list, or as an object by symbolic name."""
    if isinstance(declared, dict):
        return [((*place, key), key, row) for key, row in declared.items()]
    if isinstance(declared, list):
        return [((*place, i), "", row) for i, row in enumerate(declared)]
    if declared is None:
        return []
    raise template.world.refuse(
        "`resources` of a template is a list or an object", template.file.place(place)
    )


@record(slots=True)
class Declaration:
    """A resource as written, to be made once for each turn of its loop."""

    template: Template
    pointer: Pointer
    data: Any
    context: Context
    parent: ResourceId | None
    symbol: str

    def instances(self) -> list[Instance]:
        """It and its children, each after its parent."""
        found: list[Instance] = []
        self.into(found)
        return found

    def into(self, found: list[Instance]) -> None:
        """Add its instances and their children."""
        world = self.template.world
        if not isinstance(self.data, dict):
            raise world.refuse("a resource is an object", self.origin)
        if get(self.data, "import") is not None or get(self.data, "extension") is not None:
            return  # Kubernetes objects and the like: no resource of Azure
        if not isinstance(get(self.data, "type"), str):
            raise world.refuse("a resource has no `type`", self.origin)
        for context in self._turns():
            self._one(context, found)

    @property
    def origin(self) -> Origin:
        return self.template.file.place(self.pointer)

    def value(self, name: str, context: Context) -> Value:
        """A member that says which resource it is."""
        return self.template.settler.value(get(self.data, name), (*self.pointer, name), context)

    def _turns(self) -> Iterator[Context]:
        loop = get(self.data, "copy")
        if not isinstance(loop, dict):
            yield self.context
            return
        count = self.template.settler.count(loop, (*self.pointer, "copy"), self.context)
        if isinstance(count, Unknown):
            reason = f"how many copies are made of a `{self._type()}` is not known: {count.why}"
            self._miss(Unknown(reason, self.origin, settle=count.settle))
            return
        for i in range(count):
            yield self.context.looping("", i).looping(str(get(loop, "name") or ""), i)

    def _type(self) -> str:
        return spelled(self.value("type", self.context))

    def _miss(self, reason: Unknown) -> None:
        """Note that resources of this type, and of those declared within it, may be missing."""
        for kind in sorted(kinds_within(self.data, self.parent.type if self.parent is not None else "")):
            self.template.world.miss(kind, reason)

    def _one(self, context: Context, found: list[Instance]) -> None:
        self.template.world.count_resource(self.origin)
        condition = self.value("condition", context)
        if condition is False or (isinstance(condition, str) and condition.casefold() == "false"):
            return
        doubt = self.template.uncertain
        if isinstance(condition, Unknown | OpenText):
            why = (
                condition.why
                if isinstance(condition, Unknown)
                else "it depends on the scope of the deployment"
            )
            doubt = Unknown(
                f"its condition is not known: {why}", self.origin, settle=getattr(condition, "settle", "")
            )
        own = self._id(context)
        if own is None:
            return
        made = Instance(self.template, self.data, self.pointer, context, own, self.symbol, uncertain=doubt)
        made.existing = get(self.data, "existing") is True
        found.append(made)
        self.template.world.enter(made)
        place = (*self.pointer, "resources")
        for pointer, symbol, row in _rows(self.template, get(self.data, "resources"), place):
            Declaration(self.template, pointer, row, context, own, symbol).into(found)

    def _id(self, context: Context) -> ResourceId | None:
        """Its id; None, and a note, where the name does not say."""
        kind = full_type(
            spelled(self.value("type", context)), self.parent.type if self.parent is not None else ""
        )
        name = self.value("name", context)
        names = segments(spelled(name))
        if self.parent is not None and len(names) < kind.count("/"):
            names = [*self.parent.names, *names]
        try:
            return _composed(self._scope(kind, context), kind, names)
        except (BadResourceIdError, ValueError):
            said = f"the name `{spelled(name)}` does not fit the type `{kind}`"
            why = f"{said}: {name.why}" if isinstance(name, Unknown) else said
            self._miss(Unknown(why, self.origin))
            return None

    def _scope(self, kind: str, context: Context) -> str:
        scope = self.value("scope", context)
        target = self.template.target
        if kind.casefold() == DEPLOYMENTS or (scope is None and get(self.data, "existing") is True):
            # what is only referred to says by the same members where it is
            target = deployment_target(self.template, self.data, self.pointer, context)
        if kind.casefold() == DEPLOYMENTS:
            return target.scope
        if scope is None:
            if self.parent is not None:
                return self.parent.spelling.rsplit("/providers/", 1)[0]
            return target.subscription_scope if kind.casefold() == RESOURCE_GROUPS else target.scope
        text = spelled(scope)
        return text if text.startswith("/") else f"{target.scope}/providers/{text}"


def deployment_target(template: Template, data: dict[str, Any], pointer: Pointer, context: Context) -> Target:
    """Where a deployment resource deploys to."""
    subscription, group, scope = (
        template.settler.value(get(data, name), (*pointer, name), context)
        for name in ("subscriptionId", "resourceGroup", "scope")
    )
    return template.target.nested(subscription, group, scope)


def _composed(scope: str, kind: str, names: list[str]) -> ResourceId:
    """An id from its parts; `A/b/providers/c` with the name `b1/Microsoft.X/c1` is an extension of `b1`."""
    parts = kind.split("/")
    if "providers" in (part.casefold() for part in parts[1:-1]):
        cut = [part.casefold() for part in parts].index("providers", 1)
        holder = ResourceId.of(scope, "/".join(parts[:cut]), *names[: cut - 1])
        namespace = names[cut - 1] if len(names) > cut - 1 else ""
        return ResourceId.of(str(holder), "/".join([namespace, *parts[cut + 1 :]]), *names[cut:])
    if not names:
        raise BadResourceIdError("a resource has a name")
    return ResourceId.of(scope, kind, *names)
