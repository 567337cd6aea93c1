"""Resources and data sources: their instances, what other expressions see of them, and their attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from aks_egress.values import Origin, Reference, Step, Unknown, Value
from aks_egress_scan.readers.base import MalformedError
from aks_egress_scan.readers.hcl import expansion
from aks_egress_scan.readers.hcl.evaluator import Scope, settled
from aks_egress_scan.readers.hcl.expansion import Expansion, Key
from aks_egress_scan.readers.hcl.syntax import Block, Body
from aks_egress_scan.readers.hcl.terms import ProblemError, Term, first_unknown, pairs, plain

MAX_BLOCKS: Final = 20_000

_OWN_BLOCKS: Final = frozenset({"lifecycle", "provisioner", "connection", "dynamic", "timeouts"})
_OWN: Final = frozenset({"count", "for_each", "provider", "depends_on"})

Guard = Callable[[str, str, Callable[[], Term], Origin], Term]
Line = tuple[str, int]


@dataclass(frozen=True, slots=True)
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


@dataclass(slots=True, eq=False)
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


@dataclass(slots=True, eq=False)
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
        if setting is not None and not (self.path == () and name in _OWN):
            key = "".join(f".{step}" for step in (*self.path, name))
            origin = Origin(setting.path, setting.line)
            found = self.instance.of.module.guarded(
                self.instance.address,
                key[1:],
                lambda: settled(setting.expression, self._scope(setting.path)),
                origin,
            )
            return self.instance.after_apply((*self.path, name)) if found is None else found
        views = self._nested(name)
        if views is not None:
            return views
        return self.instance.after_apply((*self.path, name))

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
        return found

    def _scope(self, path: str) -> Scope:
        scope = self.instance.scope(path)
        return scope.inner(self.names) if self.names else scope

    def settled(self) -> Term:
        """A reference to all of it."""
        return self.instance.after_apply(self.path)

    def scope(self, path: str) -> Scope:
        """Where the expressions of this body are evaluated."""
        return self._scope(path)


@dataclass(frozen=True, slots=True)
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
        elif block.type not in _OWN_BLOCKS:
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


class Attributes:
    """The attributes of an instance in a plan's form (blocks are lists of objects), and their lines."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.lines: dict[tuple[Step, ...], Line] = {}
        self._names: dict[str, list[Nested]] | None = None

    def get(self, name: str) -> Value:
        """One attribute, None where it is not configured."""
        view = self.instance.view()
        setting = view.body.settings.get(name)
        if setting is not None and name not in _OWN:
            self.lines[(name,)] = (setting.path, setting.line)
            return self._plain(
                settled(setting.expression, view.scope(setting.path)), Origin(setting.path, setting.line)
            )
        if self._names is None:
            self._names = {}
            for one in nested(view):
                self._names.setdefault(one.type, []).append(one)
        rows = self._names.get(name)
        return None if rows is None else self._rows(view, rows, (name,))

    def names(self) -> list[str]:
        """The names of everything that is configured."""
        blocks = {
            one.labels[0] if one.type == "dynamic" and one.labels else one.type
            for one in self.instance.of.block.body.blocks
        }
        own = (name for name in self.instance.of.block.body.settings if name not in _OWN)
        return [*own, *sorted(blocks - _OWN_BLOCKS)]

    def _rows(self, view: View, rows: list[Nested], path: tuple[Step, ...]) -> Value:
        self.lines.setdefault(path, (rows[0].file, rows[0].line))
        out: list[Value] = []
        for i, row in enumerate(rows):
            place = (*path, i)
            self.lines[place] = (row.file, row.line)
            if row.unknown is not None:
                out.append(row.unknown)
                continue
            out.append(self._object(View(self.instance, row.body, row.file, place, row.names), place))
        if len(out) == 1 and isinstance(out[0], Unknown):
            return out[0]
        return out

    def _object(self, view: View, path: tuple[Step, ...]) -> Value:
        found: dict[str, Value] = {}
        for name, setting in view.body.settings.items():
            place = (*path, name)
            self.lines[place] = (setting.path, setting.line)
            value = settled(setting.expression, view.scope(setting.path))
            found[name] = self._plain(value, Origin(setting.path, setting.line))
        groups: dict[str, list[Nested]] = {}
        for one in nested(view):
            groups.setdefault(one.type, []).append(one)
        for name, rows in groups.items():
            found[name] = self._rows(view, rows, (*path, name))
        return found

    @staticmethod
    def _plain(value: Term, origin: Origin) -> Value:
        return plain(value, origin)


__all__ = ["Attributes", "Instance", "Managed", "Managing", "Nested", "View", "first_unknown", "nested"]
