"""The `configuration` section of a plan: what every attribute was written as.

It shows references and constants, not functions, and leaves out locals and `dynamic` blocks; so what it
does not show is not known, never absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aks_egress.records import record
from aks_egress.values import Step, Value

Names = tuple[str, ...]
"""The calls that lead to a module, outermost first."""

Table = dict[str, Value]
_NOTHING: Final[Table] = {}


def table(value: Value) -> Table:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, dict) else _NOTHING


def rows(value: Value) -> list[Value]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


@record(frozen=True, slots=True)
class Written:
    """What stands in the configuration for one attribute.

    `expressions` may be several where blocks cannot be told apart.  `visible` is whether the section shows
    the place at all; visible and without expressions means: nobody configured it.
    """

    expressions: tuple[Table, ...]
    visible: bool


NOT_SHOWN: Final = Written((), visible=False)
UNCONFIGURED: Final = Written((), visible=True)


@record(frozen=True, slots=True)
class Declared:
    """One resource of the configuration; `single` is whether neither it nor a module around it is repeated."""

    module: Names
    mode: str
    type: str
    name: str
    body: Table
    single: bool


class Configuration:
    """The modules of a plan's configuration and the resources in them."""

    def __init__(self, value: Value) -> None:
        self.root = table(table(value).get("root_module"))
        self.providers = table(table(value).get("provider_config"))
        self._modules: dict[Names, Table] = {(): self.root}
        self._resources: dict[tuple[Names, str, str, str], Table] = {}
        for one in self.declared():
            self._resources[one.module, one.mode, one.type, one.name] = one.body

    @property
    def shown(self) -> bool:
        """Whether the plan has such a section."""
        return bool(self.root)

    def declared(self) -> Iterator[Declared]:
        """Every resource and data source of every module."""
        waiting: list[tuple[Names, Table, bool]] = [((), self.root, True)]
        while waiting:
            names, module, single = waiting.pop()
            for row in rows(module.get("resources")):
                body = table(row)
                mode, kind, name = (str(body.get(part, "")) for part in ("mode", "type", "name"))
                yield Declared(names, mode, kind, name, body, single and not _repeated(body))
            for name, call in table(module.get("module_calls")).items():
                inner = table(table(call).get("module"))
                self._modules[(*names, name)] = inner
                waiting.append(((*names, name), inner, single and not _repeated(table(call))))

    def resource(self, module: Names, mode: str, kind: str, name: str) -> Table | None:
        """A resource as it is declared."""
        return self._resources.get((module, mode, kind, name))

    def call(self, module: Names, name: str) -> Table:
        """A module call as it is declared."""
        return table(table(self._modules.get(module, _NOTHING).get("module_calls")).get(name))

    def outputs(self, module: Names) -> Table:
        """The outputs of a module."""
        return table(self._modules.get(module, _NOTHING).get("outputs"))


def _repeated(body: Table) -> bool:
    return "count_expression" in body or "for_each_expression" in body


def is_expression(node: Value) -> bool:
    """Whether an object is an expression, not a block of them."""
    return isinstance(node, dict) and (isinstance(node.get("references"), list) or "constant_value" in node)


def written(declared: Table | None, path: tuple[Step, ...], value: Value) -> Written:
    """What the attribute at `path` was written as; `value` holds the planned attributes, for counting blocks."""
    if declared is None or not path:
        return NOT_SHOWN
    nodes: list[Value] = [declared.get("expressions") or {}]
    for depth, step in enumerate(path):
        value = _inside(value, step)
        if isinstance(step, int):
            continue
        nodes = [node.get(step) for node in nodes if isinstance(node, dict)]
        nodes = [node for node in nodes if node is not None]
        if not nodes:
            return UNCONFIGURED if depth == len(path) - 1 else NOT_SHOWN
        if all(is_expression(node) for node in nodes):
            return Written(tuple(table(node) for node in nodes), visible=True)
        nodes = _blocks(nodes, value, path[depth + 1 :])
        if not nodes:
            return NOT_SHOWN
    return Written(tuple(table(node) for node in nodes), visible=True)


def _inside(value: Value, step: Step) -> Value:
    if isinstance(step, int):
        return value[step] if isinstance(value, list) and 0 <= step < len(value) else None
    return value.get(step) if isinstance(value, dict) else None


def _blocks(nodes: list[Value], value: Value, rest: tuple[Step, ...]) -> list[Value]:
    """The blocks that may be the one meant: all of the list, where their number agrees with the plan."""
    flat = [row for node in nodes for row in (node if isinstance(node, list) else [node])]
    if isinstance(value, list) and len(value) != len(flat):
        return []
    if len(nodes) == 1 and isinstance(nodes[0], list) and len(flat) == 1:
        return flat
    return flat if rest else []
