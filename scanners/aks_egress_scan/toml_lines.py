"""The line of every key of a TOML text, which the standard parser does not tell.

The text has been parsed before, so it is known to be TOML: this only follows headers, keys and
brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Path = tuple[str | int, ...]

_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"""+|\'\'\'.*?\'\'\'+|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*|\n|[\[\]{},=.]|[^\s"\'#\[\]{},=.]+',
    re.DOTALL,
)


def lines_of(text: str) -> dict[tuple[str | int, ...], int]:
    """Every key's path (list items by index) and its line, from 1."""
    return _Reading(text).lines


class _Reading:
    """One pass over the tokens."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}
        self._tokens = list(_tokens(text))
        self._at = 0
        self._table: Path = ()
        while self._at < len(self._tokens):
            self._statement()

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _next(self) -> tuple[str, int]:
        self._at += 1
        return self._tokens[self._at - 1]

    def _statement(self) -> None:
        match self._peek():
            case "\n":
                self._next()
            case "[":
                self._header()
            case _:
                self._pair(self._table)

    def _header(self) -> None:
        line = self._next()[1]
        several = self._peek() == "["
        if several:
            self._next()
        path = self._resolved(self._key(), line)
        while self._peek() == "]":
            self._next()
        if several:
            index = self._counts[path] = self._counts.get(path, -1) + 1
            self.lines.setdefault(path, line)
            path = (*path, index)
        self.lines.setdefault(path, line)
        self._table = path

    def _resolved(self, keys: list[str], line: int) -> Path:
        """A header's path, with the newest item of each list of tables on the way."""
        path: Path = ()
        for step, key in enumerate(keys):
            path = (*path, key)
            self.lines.setdefault(path, line)
            if path in self._counts and step < len(keys) - 1:
                path = (*path, self._counts[path])
        return path

    def _key(self) -> list[str]:
        keys = [_plain(self._next()[0])]
        while self._peek() == ".":
            self._next()
            keys.append(_plain(self._next()[0]))
        return keys

    def _pair(self, table: Path) -> None:
        line = self._tokens[self._at][1]
        path = table
        for key in self._key():
            path = (*path, key)
            self.lines.setdefault(path, line)
        if self._peek() == "=":
            self._next()
        self._value(path)

    def _value(self, path: Path) -> None:
        if self._peek() == "[":
            self._list(path)
        elif self._peek() == "{":
            self._inline(path)
        else:
            while self._peek() not in ("\n", ",", "]", "}", ""):
                self._next()

    def _list(self, path: Path) -> None:
        self._next()
        index = 0
        while self._peek() not in ("]", ""):
            if self._peek() in ("\n", ","):
                self._next()
                continue
            self.lines[(*path, index)] = self._tokens[self._at][1]
            self._value((*path, index))
            index += 1
        if self._peek():
            self._next()

    def _inline(self, path: Path) -> None:
        self._next()
        while self._peek() not in ("}", ""):
            if self._peek() in ("\n", ","):
                self._next()
                continue
            self._pair(path)
        if self._peek():
            self._next()


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    line = 1
    end = 0
    for found in _TOKEN.finditer(text):
        line += text.count("\n", end, found.start())
        token, end = found[0], found.start()
        if not token.startswith("#"):
            yield token, line


def _plain(token: str) -> str:
    return token[1:-1] if token[:1] in ("'", '"') else token
