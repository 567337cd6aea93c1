"""The text that a syntax tree was made of: what a node says, and where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aks_egress.records import record
from aks_egress_scan.readers.base import MalformedError

if TYPE_CHECKING:
    from tree_sitter import Node as Tree


@record(frozen=True, slots=True)
class Text:
    """The bytes that a tree was made of; `offset` is added to its lines."""

    path: str
    source: bytes
    offset: int = 0

    def of(self, node: Tree) -> str:
        """The text of a node."""
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def line(self, node: Tree) -> int:
        """The line of a node, from 1."""
        return max(node.start_point.row + 1 + self.offset, 1)

    def broken(self, message: str, node: Tree) -> MalformedError:
        """The complaint about a node."""
        return MalformedError(message, self.path, self.line(node), node.start_point.column + 1)

    def broken_at(self, message: str, line: int) -> MalformedError:
        """The complaint about a line."""
        return MalformedError(message, self.path, line + self.offset)
