"""A place in a list of tokens, and what every part of the parser asks of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

from aks_egress_scan.readers.bicep_lang.tokens import END, NAME, NEWLINE, NUMBER, TEXT, Text, Token, tokenize

MOST_LEVELS = 90
"""How deep expressions may nest; real files stay under twenty."""

T = TypeVar("T")

_SPOKEN = {
    NEWLINE: "the end of the line",
    END: "the end of the file",
    NAME: "a name",
    NUMBER: "a number",
    TEXT: "text",
}


class Stream:
    """The tokens of one file, read from the front."""

    def __init__(self, source: Text) -> None:
        self.source = source
        self.tokens = tokenize(source)
        self.position = 0
        self._depth = 0

    @property
    def here(self) -> Token:
        """The next token."""
        return self.tokens[self.position]

    @property
    def kind(self) -> str:
        """The kind of the next token."""
        return self.tokens[self.position].kind

    def ahead(self, *, past_newlines: bool = True) -> Token:
        """The token after the next one; or the next one that is no newline, where that is one."""
        position = self.position
        if not past_newlines:
            return self.tokens[min(position + 1, len(self.tokens) - 1)]
        while self.tokens[position].kind == NEWLINE:
            position += 1
        return self.tokens[position]

    def read(self) -> Token:
        """The next token, which is then behind."""
        token = self.tokens[self.position]
        if token.kind != END:
            self.position += 1
        return token

    def take(self, kind: str) -> bool:
        """Read the next token where it is of this kind."""
        if self.kind != kind:
            return False
        self.position += 1
        return True

    def expect(self, kind: str, why: str = "") -> Token:
        """Read a token of this kind, or refuse the file."""
        if self.kind != kind:
            self.refuse(_SPOKEN.get(kind, f"`{kind}`"), why)
        return self.read()

    def word(self, text: str) -> bool:
        """Whether the next token is this name."""
        return self.here.kind == NAME and self.here.text == text

    def take_word(self, text: str) -> bool:
        """Read the next token where it is this name."""
        if not self.word(text):
            return False
        self.position += 1
        return True

    def refuse(self, wanted: str, why: str = "") -> NoReturn:
        """Raise MalformedError: something else was wanted here."""
        token = self.here
        found = _SPOKEN[token.kind] if token.kind in (NEWLINE, END) else f"`{token.text or token.kind}`"
        self.source.fail(f"expected {wanted}{f' {why}' if why else ''}, found {found[:80]}", token.offset)

    def newlines(self) -> None:
        """Read any newlines."""
        while self.kind == NEWLINE:
            self.position += 1

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One level of nesting, of which there may only be so many."""
        self._depth += 1
        if self._depth > MOST_LEVELS:
            self.source.fail(f"expressions nest deeper than {MOST_LEVELS} levels here", self.here.offset)
        try:
            yield
        finally:
            self._depth -= 1

    def members(self, close: str, read: Callable[[], T]) -> list[T]:
        """What stands up to `close`: one on each line, or with commas between them."""
        out: list[T] = []
        self.newlines()
        while self.kind != close:
            out.append(read())
            if self.kind not in (close, NEWLINE, ","):
                self.refuse(f"a new line, `,` or `{close}`")
            self.take(",")
            self.newlines()
        self.read()
        return out

    def arguments(self, close: str, read: Callable[[], T]) -> list[T]:
        """What stands up to `close` with commas between, over as many lines as liked."""
        out: list[T] = []
        self.newlines()
        while self.kind != close:
            out.append(read())
            self.newlines()
            if self.kind != close:
                self.expect(",", f"or `{close}`")
                self.newlines()
        self.read()
        return out
