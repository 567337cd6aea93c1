"""Templates: quoted strings, heredocs and template files, taken apart into text, values and directives.

A template is first one flat row of tokens, on which strip markers and the indentation of `<<-` work as in
Terraform, and then a tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from aks_egress.records import record
from aks_egress_scan.readers.hcl import escapes
from aks_egress_scan.readers.hcl.escapes import Token
from aks_egress_scan.readers.hcl.syntax import Literal, Node, Template, TemplateFor, TemplateIf, Wrapped
from aks_egress_scan.readers.hcl.texts import Text

if TYPE_CHECKING:
    from tree_sitter import Node as Tree

#: nodes that are one sequence, from `${` or `%{` to its `}`
_SEQUENCES: Final = frozenset(
    {
        "template_interpolation",
        "template_if_intro",
        "template_else_intro",
        "template_if_end",
        "template_for_start",
        "template_for_end",
    }
)
_AROUND: Final = frozenset({"template_directive", "template_if", "template_for"})


def quoted(text: Text, node: Tree) -> Node:
    """The template of a quoted string."""
    row = _Row(text, by_line=False)
    tokens = row.tokens(node.children[1:-1], node.start_byte + 1, node.end_byte - 1)
    return _built(text, tokens, text.line(node), raw=False)


def heredoc(text: Text, node: Tree, *, bare: bool) -> Node:
    """The template of a heredoc; `bare` is one that stands alone in its file, up to its last line break."""
    start = text.source.index(b"\n", node.start_byte) + 1
    end = text.source.rindex(b"\n", 0, node.children[-1].start_byte) + 1
    row = _Row(text, by_line=not bare)
    tokens = row.tokens(node.children[2:-1], start, max(start, end - 1 if bare else end))
    if not bare and text.of(node.children[0]).endswith("-"):
        escapes.flush(tokens)
    return _built(text, tokens, text.line(node), raw=True)


@record(slots=True)
class _Row:
    """The flat row of tokens; literal text is what lies between sequences."""

    text: Text
    by_line: bool

    def tokens(self, children: Sequence[Tree], start: int, end: int) -> list[Token]:
        """Literals and sequences in order, strip markers applied."""
        out: list[Token] = []
        strip = False
        for node in _sequences(children):
            if node.start_byte < start:
                continue
            out += self._literals(start, node.start_byte, strip)
            strip = self.text.source[node.end_byte - 2 : node.end_byte - 1] == b"~"
            if self.text.source[node.start_byte + 2 : node.start_byte + 3] == b"~":
                escapes.strip_right(out)
            out.append(Token(node=node))
            start = node.end_byte
        return out + self._literals(start, end, strip)

    def _literals(self, start: int, end: int, strip: bool) -> list[Token]:
        raw = self.text.source[start:end].decode("utf-8", "replace")
        lines = escapes.LINES.findall(raw) if self.by_line else [raw]
        tokens = [Token(text=line) for line in lines if line]
        if strip and tokens:
            tokens[0].text = tokens[0].text.lstrip()
        return tokens


def _sequences(children: Sequence[Tree]) -> Iterator[Tree]:
    for child in children:
        if child.type in _SEQUENCES:
            yield child
        elif child.type in _AROUND:
            yield from _sequences(child.children)


def _built(text: Text, tokens: list[Token], line: int, *, raw: bool) -> Node:
    """The row as a tree."""
    parts = _Builder(text, tokens, raw).parts()
    if not parts:
        return Literal("", line)
    if len(parts) == 1:
        only = parts[0]
        return only if isinstance(only, Literal | TemplateIf | TemplateFor) else Wrapped(only, line)
    return Template(tuple(parts), line)


class _Builder:
    """Reads tokens from the front; directives take in what stands up to their end."""

    def __init__(self, text: Text, tokens: list[Token], raw: bool) -> None:
        self.text, self.tokens, self.raw, self.at = text, tokens, raw, 0

    def parts(self) -> list[Node]:
        """Everything up to the end, or up to what ends the directive around it."""
        out: list[Node] = []
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            node = token.node
            if node is not None and node.type in (
                "template_else_intro",
                "template_if_end",
                "template_for_end",
            ):
                break
            self.at += 1
            out.append(Literal(self._literal(token.text), 0) if node is None else self._part(node))
        return escapes.joined(out)

    def _literal(self, raw: str) -> str:
        if self.raw:
            return escapes.plain(raw)
        return escapes.quoted(raw, self._broken)

    def _broken(self, why: str) -> Exception:
        node = next((one.node for one in self.tokens if one.node is not None), None)
        return self.text.broken(why, node) if node is not None else self.text.broken_at(why, 1)

    def _part(self, node: Tree) -> Node:
        from aks_egress_scan.readers.hcl.expressions import expression, intro

        line = self.text.line(node)
        if node.type == "template_for_start":
            names, over = intro(self.text, node)
            body = Template(tuple(self.parts()), line)
            self._skip()
            return TemplateFor(names, over, body, line)
        inner = next((child for child in node.named_children if child.type == "expression"), None)
        if inner is None:
            raise self.text.broken("an interpolation is empty", node)
        value = expression(self.text, inner)
        if node.type != "template_if_intro":
            return value
        yes = Template(tuple(self.parts()), line)
        no = Template((), line)
        if self._skip() == "template_else_intro":
            no = Template(tuple(self.parts()), line)
            self._skip()
        return TemplateIf(value, yes, no, line)

    def _skip(self) -> str:
        """Step over what ends a part of a directive, and say what it was."""
        node = self.tokens[self.at].node if self.at < len(self.tokens) else None
        self.at += 1
        return "" if node is None else node.type
