"""Resources and data sources: their instances, what other expressions see of them, and their attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from aks_egress.arm.ids import OPEN_SUBSCRIPTION
from aks_egress.records import field, record
from aks_egress.values import Origin, Reference, Step, Unknown
from aks_egress_scan.readers.base import MalformedError
from aks_egress_scan.readers.hcl import expansion
from aks_egress_scan.readers.hcl.evaluator import Scope, settled
from aks_egress_scan.readers.hcl.expansion import Expansion, Key
from aks_egress_scan.readers.hcl.syntax import Block, Body
from aks_egress_scan.readers.hcl.terms import ProblemError, SetTerm, Term, pairs

MAX_BLOCKS: Final = 20_000

OWN_BLOCKS: Final = frozenset({"lifecycle", "provisioner", "connection", "dynamic", "timeouts"})
OWN: Final = frozenset({"count", "for_each", "provider", "depends_on"})

#: nested blocks that the provider keeps as a set, so that their order means nothing
_SETS: Final = frozenset(
    {
        ("azurerm_virtual_network", "subnet"),
        ("azurerm_network_security_group", "security_rule"),
        ("azurerm_route_table", "route"),
    }
)

Guard = Callable[[str, str, Callable[[], Term], Origin], Term]


@record(frozen=True, slots=True)
class Managing:
    """What instances need of their module: scopes, the prefix of addresses, the guard against rings."""

    scope: Callable[[str, Mapping[str, Term]], Scope]
    prefix: str
    guarded: Guard


class Managed:
    """The instances of one `resource` or `data` block."""

    def __init__(self, module: Managing, key: tuple[str, str, str], block: Block) -> None:
        self.module, self.block = module, block
        self.mode, self.type, self.name = key
        mode = "data." if self.mode == "data" else ""
        self.address = f"{module.prefix}{mode}{self.type}.{self.name}"
        self._expanded: Expansion | None = None
        self._instances: dict[Key, Instance] = {}

    @property
    def expanded(self) -> Expansion:
        """Its keys."""
        if self._expanded is None:
            self._expanded = expansion.expand(self.block, self.module.scope(self.block.path, {}))
        return self._expanded

    def instance(self, key: Key) -> Instance:
        """One instance."""
        if key not in self._instances:
            self._instances[key] = Instance(self, key, self.expanded.names[key])
        return self._instances[key]

    def instances(self) -> list[Instance]:
        """All instances."""
        return [self.instance(key) for key in self.expanded.names]

    def value(self) -> Term:
        """What a reference to the block stands for."""
        return self.expanded.shaped(self.instance)


@record(slots=True, eq=False)
class Instance:
    """One instance, as expressions see it: what is configured is known, the rest is known after apply."""

    of: Managed
    key: Key
    names: Mapping[str, Term]

    @property
    def address(self) -> str:
        """Its address in the configuration."""
        return self.of.address + expansion.spelled(self.key)

    @property
    def uncertain(self) -> Unknown | None:
        """Why nobody can say whether it will be there."""
        return self.of.expanded.uncertain

    def view(self) -> View:
        """The whole of it."""
        return View(self, self.of.block.body, self.of.block.path, ())

    def member(self, name: str) -> Term:
        """One attribute, as references see it."""
        return self.view().member(name)

    def settled(self) -> Term:
        """A reference to all of it."""
        return self.after_apply(())

    def after_apply(self, path: tuple[Step, ...]) -> Unknown:
        """What only the deployment (or, of a data source, the lookup) will tell."""
        spelled = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
        data = self.of.mode == "data"
        why = (
            f"`{self.address}{spelled}` is {'looked up when planning' if data else 'known only after apply'}"
        )
        settle = "a plan" if data else "a plan or a state made after it was applied"
        origin = Origin(self.of.block.path, self.of.block.line)
        return Unknown(why, origin, (Reference(self.address, path),), settle)

    def scope(self, path: str) -> Scope:
        """Where its expressions are evaluated."""
        return self.of.module.scope(path, self.names)


@record(slots=True, eq=False)
class View:
    """A body of an instance: the whole block, or a nested one at `path`."""

    instance: Instance
    body: Body
    file: str
    path: tuple[Step, ...]
    names: Mapping[str, Term] = field(default_factory=dict)

    def member(self, name: str) -> Term:
        """One attribute: configured, a nested block, or known after apply."""
        setting = self.body.settings.get(name)
        if setting is not None and not (self.path == () and name in OWN):
            key = "".join(f".{step}" for step in (*self.path, name))
            origin = Origin(setting.path, setting.line)
            found = self.instance.of.module.guarded(
                self.instance.address,
                key[1:],
                lambda: settled(setting.expression, self._scope(setting.path)),
                origin,
            )
            return self.instance.after_apply((*self.path, name)) if found is None else self._own(found, name)
        views = self._nested(name)
        if views is not None:
            return views
        scope = self._scope_id() if self.path == () and name == "id" else None
        return self.instance.after_apply((*self.path, name)) if scope is None else scope

    def _own(self, found: Term, name: str) -> Term:
        """A configured value; where it is not known, it is at least the value of this very attribute."""
        if not isinstance(found, Unknown) or (found.refers_to and name != "name"):
            return found
        refers = (Reference(self.instance.address, (*self.path, name)),)
        return Unknown(found.why, found.origin, refers, found.settle)

    def _scope_id(self) -> str | None:
        """The id of a subscription or resource group, as far as a configuration tells it."""
        kind = self.instance.of.type
        if kind == "azurerm_subscription":
            given = self.member("subscription_id")
            return f"/subscriptions/{given if isinstance(given, str) else OPEN_SUBSCRIPTION}"
        if kind == "azurerm_resource_group":
            name = self.member("name")
            if isinstance(name, str):
                return f"/subscriptions/{OPEN_SUBSCRIPTION}/resourceGroups/{name}"
        return None

    def _nested(self, name: str) -> Term:
        """Nested blocks of a type; None where there are none."""
        if not any(block.type == name or block.labels[:1] == (name,) for block in self.body.blocks):
            return None
        found: list[Term] = []
        for one in nested(self):
            if one.type != name:
                continue
            if one.unknown is not None:
                return Unknown(one.unknown.why, one.unknown.origin, settle=one.unknown.settle)
            found.append(View(self.instance, one.body, one.file, (*self.path, name, len(found)), one.names))
        return SetTerm(found) if (self.instance.of.type, name) in _SETS and len(found) > 1 else found

    def _scope(self, path: str) -> Scope:
        scope = self.instance.scope(path)
        return scope.inner(self.names) if self.names else scope

    def settled(self) -> Term:
        """A reference to all of it."""
        return self.instance.after_apply(self.path)

    def scope(self, path: str) -> Scope:
        """Where the expressions of this body are evaluated."""
        return self._scope(path)


@record(frozen=True, slots=True)
class Nested:
    """A nested block in its place, dynamic ones unrolled; or, with `unknown`, any number of them."""

    type: str
    body: Body
    file: str
    line: int
    names: Mapping[str, Term]
    unknown: Unknown | None = None


def nested(view: View) -> Iterator[Nested]:
    """The nested blocks of a body in their order."""
    for block in view.body.blocks:
        if block.type == "dynamic":
            yield from _unrolled(view, block)
        elif block.type not in OWN_BLOCKS:
            yield Nested(block.type, block.body, block.path, block.line, view.names)


def _unrolled(view: View, block: Block) -> Iterator[Nested]:
    """What a dynamic block comes to."""
    settings = block.body.settings
    content = next(block.body.of_type("content"), None)
    if not block.labels or "for_each" not in settings or content is None:
        raise MalformedError("a dynamic block needs a name, `for_each` and `content`", block.path, block.line)
    kind = block.labels[0]
    over = settled(settings["for_each"].expression, view.scope(block.path))
    iterator = _iterator(block) or kind
    try:
        rows = pairs(over)
    except ProblemError as problem:
        rows = Unknown(f"`for_each` cannot be evaluated: {problem}", Origin(block.path, block.line))
    if isinstance(rows, Unknown):
        why = Unknown(f"the blocks `{kind}` are not known: {rows.why}", rows.origin, settle=rows.settle)
        yield Nested(kind, content.body, block.path, block.line, view.names, why)
        return
    for count, (key, value) in enumerate(rows):
        if count > MAX_BLOCKS:
            raise MalformedError(
                f"more than {MAX_BLOCKS} blocks come of one dynamic block", block.path, block.line
            )
        names = {**view.names, iterator: {"key": key, "value": value}}
        yield Nested(kind, content.body, content.path, block.line, names)


def _iterator(block: Block) -> str:
    setting = block.body.settings.get("iterator")
    name = (
        getattr(setting.expression, "name", None) or getattr(setting.expression, "value", "")
        if setting
        else ""
    )
    return str(name)
