"""The literal text of templates: escapes, strip markers, and the indentation of `<<-` heredocs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from aks_egress.records import record
from aks_egress_scan.readers.hcl.syntax import Literal, Node

if TYPE_CHECKING:
    from tree_sitter import Node as Tree

_SIMPLE: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_ESCAPES: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.|\Z)|\$\$\{|%%\{", re.DOTALL)
LINES: Final = re.compile(r"[^\n]*\n|[^\n]+")
_DOUBLED: Final = re.compile(r"\$\$\{|%%\{")


@record(slots=True)
class Token:
    """Literal text (of one line, within a heredoc), or the node of an interpolation or directive."""

    text: str = ""
    node: Tree | None = None


def quoted(raw: str, broken: Callable[[str], Exception]) -> str:
    """The text of a quoted literal."""
    if "\\" not in raw and "{" not in raw:
        return raw

    def settle(found: re.Match[str]) -> str:
        code = found[1]
        if code is None:
            return found[0][1:]
        if code in _SIMPLE:
            return _SIMPLE[code]
        point = int(code[1:], 16) if code[:1] in ("u", "U") and len(code) > 1 else -1
        if not 0 <= point <= 0x10FFFF or 0xD800 <= point <= 0xDFFF:
            raise broken(f"`\\{code}` is no escape: write `\\\\` for a backslash")
        return chr(point)

    return _ESCAPES.sub(settle, raw)


def plain(raw: str) -> str:
    """The text of a literal in which backslashes mean nothing."""
    return _DOUBLED.sub(lambda found: found[0][1:], raw) if "{" in raw else raw


def strip_right(tokens: list[Token]) -> None:
    """Take the white space off the end of the last literal."""
    if tokens and tokens[-1].node is None:
        tokens[-1].text = tokens[-1].text.rstrip()


def flush(tokens: list[Token]) -> None:
    """Take the smallest indentation of all lines off every line."""
    starts: list[Token] = []
    smallest: int | None = None
    at_start = True
    for token in tokens:
        if token.node is not None:
            if at_start:
                smallest = 0
            at_start = False
            continue
        if at_start:
            if token.text.endswith("\n") and not token.text.strip():
                continue  # a blank line neither counts nor moves
            starts.append(token)
            width = len(token.text) - len(token.text.lstrip(" \t"))
            smallest = width if smallest is None else min(smallest, width)
        at_start = token.text.endswith("\n")
    for token in starts:
        token.text = token.text[smallest or 0 :]


def joined(parts: list[Node]) -> list[Node]:
    """Neighbouring literals made one, empty ones left out."""
    out: list[Node] = []
    for part in parts:
        if isinstance(part, Literal) and isinstance(part.value, str) and part.line == 0:
            last = out[-1] if out else None
            if not part.value:
                continue
            if isinstance(last, Literal) and last.line == 0 and isinstance(last.value, str):
                out[-1] = Literal(last.value + part.value, 0)
                continue
        out.append(part)
    return out
