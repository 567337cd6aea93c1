"""JSON syntax (`.tf.json`, `.tfvars.json`): the same blocks and settings, spelled as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from aks_egress.values import Step, Value
from aks_egress_scan.readers.base import MalformedError
from aks_egress_scan.readers.hcl.parser import parse_expression, parse_template
from aks_egress_scan.readers.hcl.syntax import Block, Body, Literal, Node, Object, Setting, Tuple
from aks_egress_scan.readers.json_text import JsonText
from aks_egress_scan.readers.mapping.fields import Field

#: block type -> how many labels its blocks have
LABELS: Final = {
    "resource": 2,
    "data": 2,
    "ephemeral": 2,
    "variable": 1,
    "output": 1,
    "module": 1,
    "provider": 1,
    "check": 1,
    "locals": 0,
    "terraform": 0,
    "moved": 0,
    "import": 0,
    "removed": 0,
}

#: settings inside blocks that hold names, not templates
_BARE: Final = frozenset({"depends_on", "provider", "providers", "ignore_changes", "replace_triggered_by"})


class JsonFile:
    """One JSON file; lines are looked up where a place is asked for."""

    def __init__(self, path: str, data: bytes) -> None:
        self.text = JsonText(path, data)
        self.path = path

    def line(self, pointer: tuple[Step, ...]) -> int:
        """The line of a part."""
        return self.text.line_of(pointer) or 1

    def broken(self, message: str, pointer: tuple[Step, ...]) -> MalformedError:
        """The complaint about a part."""
        return MalformedError(message, self.path, self.line(pointer))

    def body(self) -> Body:
        """The blocks of a configuration file."""
        value = self.text.value
        out = Body()
        tops = value if isinstance(value, list) else [value]
        for i, top in enumerate(tops):
            pointer: tuple[Step, ...] = (i,) if isinstance(value, list) else ()
            if not isinstance(top, dict):
                raise self.broken("an object of blocks is expected", pointer)
            for kind, inside in top.items():
                if kind in LABELS:
                    self._blocks(out, kind, (), LABELS[kind], inside, (*pointer, kind))
        return out

    def settings(self) -> Body:
        """The settings of a file of variables."""
        if not isinstance(self.text.value, dict):
            raise self.broken("an object of variables is expected", ())
        return self._inside(self.text.value, ())

    def _blocks(
        self,
        out: Body,
        kind: str,
        labels: tuple[str, ...],
        more: int,
        value: Value,
        pointer: tuple[Step, ...],
    ) -> None:
        rows = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for at, row in rows:
            place = pointer if at is None else (*pointer, at)
            if not isinstance(row, dict):
                raise self.broken(f"an object is expected in `{kind}`", place)
            if more:
                for label, inside in row.items():
                    self._blocks(out, kind, (*labels, label), more - 1, inside, (*place, label))
            else:
                out.blocks.append(Block(kind, labels, self._inside(row, place), self.path, self.line(place)))

    def _inside(self, value: dict[str, Value], pointer: tuple[Step, ...]) -> Body:
        """Everything is a setting: only a schema could tell attributes from nested blocks.

        `dynamic` alone is known to be a block; `lifecycle` and comments (`//`) say nothing here.
        """
        body = Body()
        for name, item in value.items():
            place = (*pointer, name)
            if name == "dynamic":
                self._blocks(body, "dynamic", (), 1, item, place)
            elif name != "//":
                body.settings[name] = self._setting(name, item, place)
        for block in body.of_type("dynamic"):
            self._content(block)
        return body

    def _content(self, block: Block) -> None:
        """A dynamic block's `content` is a block, too."""
        content = block.body.settings.pop("content", None)
        if content is not None:
            block.body.blocks.append(Block("content", (), _as_body(content), self.path, content.line))

    def _setting(self, name: str, value: Value, pointer: tuple[Step, ...]) -> Setting:
        bare = name in _BARE
        return Setting(name, self.path, self.line(pointer), lambda: self._node(value, pointer, bare=bare))

    def _node(self, value: Value, pointer: tuple[Step, ...], *, bare: bool = False) -> Node:
        line = self.line(pointer)
        if isinstance(value, str):
            if bare or ("${" not in value and "%{" not in value):
                return Literal(value, line)
            return parse_template(self.path, value, line)
        if isinstance(value, list):
            items = (self._node(item, (*pointer, i), bare=bare) for i, item in enumerate(value))
            return Tuple(tuple(items), line)
        if isinstance(value, dict):
            entries = (
                (self._node(key, (*pointer, key)), self._node(item, (*pointer, key), bare=bare))
                for key, item in value.items()
                if key != "//"
            )
            return Object(tuple(entries), line)
        if isinstance(value, float):
            return parse_expression(self.path, repr(value), line)
        if value is None or isinstance(value, bool | int):
            return Literal(value, line)
        raise self.broken("this is no value", pointer)


def _as_body(setting: Setting) -> Body:
    """An object expression as the settings of a body."""
    return _body_of(setting.expression, setting.path)


def _body_of(node: Node, path: str) -> Body:
    body = Body()
    for key, value in node.entries if isinstance(node, Object) else ():
        if isinstance(key, Literal) and isinstance(key.value, str):
            body.settings[key.value] = Setting(key.value, path, value.line, partial(_same, value))
    return body


def _same(node: Node) -> Node:
    return node


def with_blocks(body: Body, fields: Sequence[Field]) -> None:
    """Make blocks of the settings that the mapping table knows to be blocks of a resource type."""
    for field in fields:
        name = field.source.partition("/")[0]
        inner = getattr(field.convert, "fields", None)
        setting = body.settings.get(name)
        if setting is None or (inner is None and "/" not in field.source):
            continue
        node = setting.expression
        rows = node.items if isinstance(node, Tuple) else (node,)
        if not all(isinstance(row, Object) for row in rows):
            continue
        del body.settings[name]
        for row in rows:
            block = Block(name, (), _body_of(row, setting.path), setting.path, row.line)
            with_blocks(block.body, inner or ())
            body.blocks.append(block)
