"""Bicep text as tokens.

Newlines separate members, items and statements, so they are tokens.  A string with `${…}` holes is
one token for each piece of text, the tokens of the holes between them.  The rules are those of the
compiler's own lexer.
"""

from __future__ import annotations

import bisect
import re
from typing import NamedTuple, NoReturn

from aks_egress_scan.readers.base import MalformedError

NEWLINE, NAME, NUMBER, TEXT, HEAD, MIDDLE, TAIL, END = (
    "newline",
    "name",
    "number",
    "text",
    "head",
    "middle",
    "tail",
    "end",
)

_TOKEN = re.compile(
    r"""(?P<space>[ \t]+|//[^\r\n]*|/\*.*?\*/)
      | (?P<newline>[\r\n]+)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>[0-9]+)
      | (?P<multi>\$*''')
      | (?P<quote>')
      | (?P<pragma>\#(?:disable-next-line|disable-diagnostics|restore-diagnostics)[^\r\n]*)
      | (?P<operator>\.\.\.|\?\?|::|!=|!~|<=|>=|==|=~|=>|&&|\|\||[{}()\[\]@,.?:;+\-%*/^!<>=|])""",
    re.DOTALL | re.VERBOSE,
)
_PLAIN = re.compile(r"[^'\\$\r\n]+")
_UNICODE = re.compile(r"\\u\{([0-9a-fA-F]+)\}")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", "$": "$"}


class Token(NamedTuple):
    """One token: its kind (an operator is its own kind), its text or value, and where it starts."""

    kind: str
    text: str
    offset: int


class Text:
    """The text of one file, which knows its lines."""

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.path = path
        self._starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]

    def line(self, offset: int) -> int:
        """The line (from 1) of a place in the text."""
        return bisect.bisect_right(self._starts, offset)

    def fail(self, message: str, offset: int) -> NoReturn:
        """Raise MalformedError for a place in the text."""
        line = self.line(offset)
        raise MalformedError(message, self.path, line, offset - self._starts[line - 1] + 1)


class _Hole(NamedTuple):
    """An open `${`: how its string is written, and how many braces are open inside it."""

    dollars: int | None
    offset: int
    braces: int


def tokenize(source: Text) -> list[Token]:
    """The tokens of a file, closed by one of kind `END`; raises MalformedError."""
    return _Lexer(source).run()


class _Lexer:
    def __init__(self, source: Text) -> None:
        self.source, self.text, self.at = source, source.text, 0
        self.tokens: list[Token] = []
        self.holes: list[_Hole] = []

    def run(self) -> list[Token]:
        while self.at < len(self.text):
            self._next()
        if self.holes:
            self.source.fail("`${` is not closed", self.holes[-1].offset)
        self._add(END, "", self.at)
        return self.tokens

    def _add(self, kind: str, text: str, offset: int) -> None:
        self.tokens.append(Token(kind, text, offset))

    def _next(self) -> None:
        start = self.at
        match = _TOKEN.match(self.text, start)
        if match is None or (self.text.startswith("/*", start) and match.lastgroup != "space"):
            self._refuse(start)
        group = match.lastgroup
        self.at = match.end()
        if group == "newline":
            self._newline(start)
        elif group == "multi":
            self._multi(match.group().count("$"), start, first=True)
        elif group == "quote":
            self._single(start, first=True)
        elif group == "operator":
            self._operator(match.group(), start)
        elif group == "pragma":
            if self.text[:start].rpartition("\n")[2].strip(" \t"):
                self._refuse(start)
        elif group != "space":
            self._add(str(group), match.group(), start)

    def _refuse(self, start: int) -> NoReturn:
        if self.text.startswith("/*", start):
            self.source.fail("the comment `/*` is not closed", start)
        if self.text[start] == '"':
            self.source.fail("text in Bicep stands between `'`, not `\"`", start)
        self.source.fail(
            f"`{self.text[start]}` means nothing in Bicep here".replace("`\x00`", "a null character"), start
        )

    def _newline(self, start: int) -> None:
        if self.holes and self.holes[-1].dollars is None:
            self.source.fail("the text that begins here is not closed on its line", self.holes[-1].offset)
        self._add(NEWLINE, "\n", start)

    def _operator(self, text: str, start: int) -> None:
        if self.holes and text in "{}":
            hole = self.holes[-1]
            if text == "}" and not hole.braces:
                self.holes.pop()
                if hole.dollars is None:
                    self._single(hole.offset, first=False)
                else:
                    self._multi(hole.dollars, hole.offset, first=False)
                return
            self.holes[-1] = hole._replace(braces=hole.braces + (1 if text == "{" else -1))
        self._add(text, text, start)

    def _piece(self, value: str, offset: int, dollars: int | None, *, first: bool, hole: bool) -> None:
        if hole:
            self.holes.append(_Hole(dollars, offset, 0))
            self._add(HEAD if first else MIDDLE, value, offset)
        else:
            self._add(TEXT if first else TAIL, value, offset)

    def _single(self, opened: int, *, first: bool) -> None:
        """The rest of a piece of `'…'`, up to its end or to the next hole."""
        out: list[str] = []
        while True:
            char = self.text[self.at : self.at + 1]
            if not char or char in "\r\n":
                self.source.fail("the text that begins here is not closed on its line", opened)
            if char == "'":
                self.at += 1
                return self._piece(self._joined(out, opened), opened, None, first=first, hole=False)
            if self.text.startswith("${", self.at):
                self.at += 2
                return self._piece(self._joined(out, opened), opened, None, first=first, hole=True)
            out.append(self._character(char))

    def _joined(self, pieces: list[str], opened: int) -> str:
        """The pieces as one text, in which two escapes may make one character."""
        text = "".join(pieces)
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.source.fail("the text that begins here holds half a character", opened)

    def _character(self, char: str) -> str:
        if char == "\\":
            return self._escape()
        plain = _PLAIN.match(self.text, self.at)
        self.at = plain.end() if plain else self.at + 1
        return plain.group() if plain else char

    def _escape(self) -> str:
        start = self.at
        after = self.text[start + 1 : start + 2]
        if after in _ESCAPES and after:
            self.at += 2
            return _ESCAPES[after]
        code = _UNICODE.match(self.text, start)
        if code is None or len(code[1]) > 8 or int(code[1], 16) > 0x10FFFF:
            self.source.fail(
                "`\\` begins none of the escapes of Bicep: `\\\\ \\' \\n \\r \\t \\$ \\u{…}`", start
            )
        self.at = code.end()
        return chr(int(code[1], 16))

    def _multi(self, dollars: int, opened: int, *, first: bool) -> None:
        """The rest of a piece of `'''…'''`, up to its end or, where it has any, to the next hole."""
        start = self.at
        ends = re.compile(r"'{3,}" + (r"|\$+\{" if dollars else ""))
        while (end := ends.search(self.text, self.at)) is not None:
            self.at = end.end()
            if end.group()[0] == "'":
                value = self.text[start : end.end() - 3]
                self._piece(_unindented(value, first), opened, dollars, first=first, hole=False)
                return
            if end.group().count("$") >= dollars:
                value = self.text[start : end.end() - dollars - 1]
                self._piece(_unindented(value, first), opened, dollars, first=first, hole=True)
                return
        self.source.fail("the text that begins with `'''` here is not closed", opened)


def _unindented(value: str, first: bool) -> str:
    """Without the line break right behind the opening quotes."""
    return value.removeprefix("\r\n" if value.startswith("\r") else "\n") if first else value
