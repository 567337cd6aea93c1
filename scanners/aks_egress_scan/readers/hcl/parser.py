"""Native syntax (`.tf`, `.tfvars`): tree-sitter's tree made ours, and its errors said with a place."""

from __future__ import annotations

import codecs
import re
from functools import cache
from typing import TYPE_CHECKING, Final

from aks_egress_scan.readers.base import MalformedError
from aks_egress_scan.readers.hcl.expressions import expression, template
from aks_egress_scan.readers.hcl.syntax import Block, Body, Node, Setting
from aks_egress_scan.readers.hcl.texts import Text

if TYPE_CHECKING:
    from tree_sitter import Node as Tree
    from tree_sitter import Parser

MAX_BYTES: Final = 8 << 20
"""A larger file is no configuration that anybody wrote."""

_HEREDOC: Final = "AKS_EGRESS_TEMPLATE_END"


def parse(path: str, data: bytes) -> Body:
    """The blocks and settings of a file; raises MalformedError with line and column."""
    source = _decoded(path, data)
    root, source = _tree(path, source)
    text = Text(path, source)
    body = Body()
    for child in root.named_children:
        if child.type == "body":
            body = _body(text, child, 0)
        elif child.type != "comment":
            raise MalformedError(
                "an object stands where blocks and settings are expected", path, child.start_point.row + 1
            )
    return body


def parse_template(path: str, text: str, line: int = 1) -> Node:
    """The template in a file or in JSON text, where no backslash means anything."""
    end = _HEREDOC
    while end in text:
        end += "_"
    source = f"t = <<{end}\n{text}\n{end}\n".encode("utf-8", "replace")
    root = _parser(path).parse(source).root_node
    found = _first(root, "heredoc_template")
    if root.has_error or found is None or found.end_byte < len(source) - 1:
        raise MalformedError("the template is broken: every `${` and `%{` needs its end", path, line)
    return template(Text(path, source, line - 2), found, bare=True)


def parse_expression(path: str, text: str, line: int = 1) -> Node:
    """The expression in a text (a value of `--param`); raises MalformedError."""
    body = parse(path, f"v = {text}\n".encode("utf-8", "replace"))
    if list(body.settings) != ["v"] or body.blocks:
        raise MalformedError("this is not an expression", path, line)
    return body.settings["v"].expression


@cache
def _engine() -> Parser:
    import tree_sitter
    import tree_sitter_hcl

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))


def _parser(path: str) -> Parser:
    try:
        return _engine()
    except ImportError:
        message = "reading Terraform source needs a parser: install `aks-egress[terraform]`, or name the JSON of `terraform show -json`"
        raise MalformedError(message, path) from None


def _decoded(path: str, data: bytes) -> bytes:
    data = data.removeprefix(codecs.BOM_UTF8)
    if len(data) > MAX_BYTES:
        raise MalformedError(f"larger than {MAX_BYTES >> 20} MiB, which is no Terraform source", path)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(
            "this is not text in UTF-8", path, data.count(b"\n", 0, error.start) + 1
        ) from None
    if b"\0" in data:
        raise MalformedError("a zero byte stands in the text", path, data.count(b"\n", 0, data.index(0)) + 1)
    return data


_EXPONENT: Final = re.compile(rb"\d+(?=[eE][-+]?\d)")


def _tree(path: str, source: bytes) -> tuple[Tree, bytes]:
    """The tree of a text, and the text it is of; raises MalformedError.

    The grammar does not know `1e3`, so such a number is spelled `1.0e3` where it is what breaks the syntax.
    """
    for _ in range(100):
        root = _parser(path).parse(source).root_node
        if not root.has_error:
            return root, source
        node = _broken(root)
        line = source.rfind(b"\n", 0, node.start_byte) + 1
        found = next((one for one in _EXPONENT.finditer(source, line) if one.end() >= node.start_byte), None)
        if found is None or found.start() > node.end_byte:
            break
        source = source[: found.end()] + b".0" + source[found.end() :]
    raise _error(path, source, root)


def _broken(root: Tree) -> Tree:
    """The deepest first error of a tree."""
    node = root
    while not (node.is_error or node.is_missing):
        broken = next((child for child in node.children if child.has_error or child.is_missing), None)
        if broken is None:
            break
        node = broken
    return node


def _error(path: str, source: bytes, root: Tree) -> MalformedError:
    """What stands at the deepest first error of the tree."""
    node = _broken(root)
    line, column = node.start_point.row + 1, node.start_point.column + 1
    shown = source[node.start_byte : node.end_byte].split(b"\n")[0][:40].decode("utf-8", "replace").strip()
    if node.is_missing:
        what = {"quoted_template_end": "the closing quote", "block_end": "`}`"}.get(
            node.type, f"`{node.type}`"
        )
        return MalformedError(f"broken syntax: {what} is missing", path, line, column)
    return MalformedError(f"broken syntax{f' at `{shown}`' if shown else ''}", path, line, column)


def _first(node: Tree, kind: str) -> Tree | None:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one.type == kind:
            return one
        waiting.extend(reversed(one.children))
    return None


_MAX_DEPTH: Final = 100


def _body(text: Text, node: Tree, depth: int) -> Body:
    if depth > _MAX_DEPTH:
        raise MalformedError(
            f"blocks are nested deeper than {_MAX_DEPTH} levels", text.path, node.start_point.row + 1
        )
    body = Body()
    for child in node.named_children:
        if child.type == "attribute":
            _add_setting(text, body, child)
        elif child.type == "block":
            body.blocks.append(_block(text, child, depth))
    return body


def _add_setting(text: Text, body: Body, node: Tree) -> None:
    children = node.named_children
    name, line = text.of(children[0]), text.line(node)
    if name in body.settings:
        raise MalformedError(f"`{name}` is set twice in one block", text.path, line)
    value = next(child for child in children if child.type == "expression")
    body.settings[name] = Setting(name, text.path, line, lambda: expression(text, value))


def _block(text: Text, node: Tree, depth: int) -> Block:
    kind = ""
    labels: list[str] = []
    body: Tree | None = None
    for child in node.named_children:
        if child.type == "body":
            body = child
        elif child.type == "identifier" and not kind:
            kind = text.of(child)
        elif child.type == "identifier":
            labels.append(text.of(child))
        elif child.type == "string_lit":
            labels.append(text.of(child)[1:-1])
    inside = Body() if body is None else _body(text, body, depth + 1)
    return Block(kind, tuple(labels), inside, text.path, text.line(node))
