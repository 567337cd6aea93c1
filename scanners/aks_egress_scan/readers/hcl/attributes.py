"""The attributes of an instance in a plan's form: nested blocks are lists of objects."""

from __future__ import annotations

from aks_egress.values import Origin, Step, Unknown, Value
from aks_egress_scan.readers.hcl import syntax
from aks_egress_scan.readers.hcl.defaults import DEFAULTS
from aks_egress_scan.readers.hcl.evaluator import settled
from aks_egress_scan.readers.hcl.instances import OWN, OWN_BLOCKS, Instance, Nested, View, nested
from aks_egress_scan.readers.hcl.syntax import Node, Setting
from aks_egress_scan.readers.hcl.terms import plain
from aks_egress_scan.readers.mapping.fields import UNSET

Line = tuple[str, int]


class BlockValue(dict[str, Value]):
    """A nested block; what it does not set is the provider's default, or left to the provider."""

    __slots__ = ("defaults",)

    def __init__(self, values: dict[str, Value], defaults: dict[str, Value]) -> None:
        super().__init__(values)
        self.defaults = defaults

    def get(self, key: str, default: Value = None) -> Value:  # type: ignore[override]
        """The value, its default, or the mark of what nobody configured."""
        found = super().get(key)
        return found if found is not None else self.defaults.get(key, UNSET if default is None else default)


class Attributes:
    """The attributes of one instance; `lines` has the file and line of every part that was asked for."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.lines: dict[tuple[Step, ...], Line] = {}
        self._blocks: dict[str, list[Nested]] | None = None

    def get(self, name: str) -> Value:
        """One attribute, None where it is not configured."""
        view = self.instance.view()
        setting = view.body.settings.get(name)
        if setting is not None and name not in OWN:
            return self._setting(view, setting, (name,))
        if self._blocks is None:
            self._blocks = _by_type(view)
        rows = self._blocks.get(name)
        return None if rows is None else self._rows(rows, (name,))

    def names(self) -> list[str]:
        """The names of everything that is configured."""
        body = self.instance.of.block.body
        blocks = {one.labels[0] if one.type == "dynamic" and one.labels else one.type for one in body.blocks}
        return [*(name for name in body.settings if name not in OWN), *sorted(blocks - OWN_BLOCKS)]

    def _setting(self, view: View, setting: Setting, path: tuple[Step, ...]) -> Value:
        self._note(setting.expression, path, setting.path)
        self.lines[path] = (setting.path, setting.line)
        node = setting.expression
        if (
            path == ("body",)
            and isinstance(node, syntax.Call)
            and node.name == "jsonencode"
            and node.arguments
        ):
            node = node.arguments[0]  # one unknown inside must not hide the rest
        return plain(settled(node, view.scope(setting.path)), Origin(setting.path, setting.line))

    def _note(self, node: Node, path: tuple[Step, ...], file: str) -> None:
        """The lines of what is written out inside an expression."""
        if isinstance(node, syntax.Tuple):
            for i, item in enumerate(node.items):
                self.lines[(*path, i)] = (file, item.line)
                self._note(item, (*path, i), file)
        elif isinstance(node, syntax.Object):
            for key, value in node.entries:
                if isinstance(key, syntax.Literal) and isinstance(key.value, str):
                    self.lines[(*path, key.value)] = (file, key.line)
                    self._note(value, (*path, key.value), file)

    def _rows(self, rows: list[Nested], path: tuple[Step, ...]) -> Value:
        self.lines.setdefault(path, (rows[0].file, rows[0].line))
        out: list[Value] = []
        for i, row in enumerate(rows):
            place = (*path, i)
            self.lines[place] = (row.file, row.line)
            if row.unknown is not None:
                out.append(row.unknown)
                continue
            out.append(self._object(View(self.instance, row.body, row.file, place, row.names), place))
        return out[0] if len(out) == 1 and isinstance(out[0], Unknown) else out

    def _object(self, view: View, path: tuple[Step, ...]) -> Value:
        found = BlockValue({}, self._defaults(path))
        for name, setting in view.body.settings.items():
            found[name] = self._setting(view, setting, (*path, name))
        for name, rows in _by_type(view).items():
            found[name] = self._rows(rows, (*path, name))
        return found

    def _defaults(self, path: tuple[Step, ...]) -> dict[str, Value]:
        prefix = ".".join(step for step in path if isinstance(step, str)) + "."
        table = DEFAULTS.get(self.instance.of.type, {})
        return {name.removeprefix(prefix): value for name, value in table.items() if name.startswith(prefix)}


def _by_type(view: View) -> dict[str, list[Nested]]:
    found: dict[str, list[Nested]] = {}
    for one in nested(view):
        found.setdefault(one.type, []).append(one)
    return found
