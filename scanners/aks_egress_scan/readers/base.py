"""What a reader is given, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from aks_egress.arm.resources import Document
from aks_egress.records import field, record


@record(frozen=True, slots=True)
class Source:
    """One input: the path as the user named it (`-` for standard input) and its bytes.

    `sibling` reads another file by a path relative to this one, inside the scanned root only;
    it answers None where there is none.  `listing` names what lies in a folder (given relative to this
    file's), folders with a `/` behind them; None where nobody can list it.
    """

    path: str
    data: bytes
    sibling: Callable[[str], Source | None] = field(default=lambda _: None, compare=False)
    listing: Callable[[str], list[str] | None] = field(default=lambda _: None, compare=False)


@record(frozen=True, slots=True)
class Parameters:
    """What `--param` gave: whole parameter files, and single values that win over them.

    `bicep_cli` is the Bicep CLI to compile with, `auto` for the one that is installed; empty asks for none.
    """

    files: tuple[Source, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    bicep_cli: str = ""


class MalformedError(Exception):
    """The input claims to be of a kind and is broken; carries the place.  The run ends with exit 2."""

    def __init__(self, message: str, path: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message, self.path, self.line, self.column = message, path, line, column


class Reader(Protocol):
    """Turns one dialect into documents."""

    def claims(self, source: Source) -> bool:
        """Is this ours?  Looks at the name and the first few kilobytes only; never raises."""

    def read(self, source: Source, parameters: Parameters) -> list[Document]:
        """The documents in it.

        Raises MalformedError for broken input.  What can be read only in part becomes notices
        and unknowns.
        """
