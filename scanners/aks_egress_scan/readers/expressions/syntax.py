"""The grammar of template expressions: `[concat(parameters('a'), '-b')]` into a small tree.

Microsoft: "Syntax and expressions in ARM templates". Text is an expression where it begins with `[`
and ends with `]`; `[[` stands for a bracket.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from aks_egress.records import record

MAX_DEPTH: Final = 80
"""Calls and accesses within each other beyond this are refused."""


class SyntaxProblemError(Exception):
    """The text is no expression; `column` counts from 1 within the text."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.message, self.column = message, column


@record(frozen=True, slots=True)
class Literal:
    """A number, a text, `true`, `false` or `null`."""

    value: str | int | float | bool | None


@record(frozen=True, slots=True)
class Call:
    """A function with its arguments; `name` is lower-case, with its namespace where it has one."""

    name: str
    arguments: tuple[Node, ...]
    spelling: str


@record(frozen=True, slots=True)
class Access:
    """A property (`.name`, `['name']`) or an item (`[0]`); `safe` answers null where there is none."""

    target: Node
    key: Node
    safe: bool


Node = Literal | Call | Access


def is_expression(text: str) -> bool:
    """Whether ARM evaluates this text."""
    return text[:1] == "[" and text[:2] != "[[" and text[-1:] == "]"


def literal(text: str) -> str:
    """Text that is no expression, with its escaped first bracket undone."""
    return text[1:] if text[:2] == "[[" else text


@lru_cache(maxsize=8192)
def parse(text: str) -> Node:
    """The tree of an expression with its outer brackets; raises SyntaxProblemError."""
    return _Parser(text).whole()


_TOKEN: Final = re.compile(
    r"(?P<space>\s++)|(?P<text>'(?:[^']|'')*+')|(?P<number>[+-]?\d++(?:\.\d++)?(?:[eE][+-]?\d++)?)"
    r"|(?P<name>[A-Za-z_$][\w$]*+)|(?P<mark>\.\?|\[\?|[().,\[\]!])"
)


@record(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at, end = 1, len(text) - 1
    while at < end:
        match = _TOKEN.match(text, at, end)
        if match is None:
            said = "a text is not closed" if text[at] == "'" else f"`{text[at]}` does not belong here"
            raise SyntaxProblemError(said, at + 1)
        if match.lastgroup != "space":
            found.append(_Token(str(match.lastgroup), match[0], at))
        at = match.end()
    found.append(_Token("end", "", end))
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.index = 0
        self.depth = 0

    @property
    def here(self) -> _Token:
        return self.tokens[self.index]

    def take(self, mark: str) -> bool:
        """Step over a mark, if it stands here."""
        if self.here.kind == "mark" and self.here.text == mark:
            self.index += 1
            return True
        return False

    def need(self, mark: str) -> None:
        if not self.take(mark):
            raise self.problem(f"`{mark}` is missing")

    def problem(self, said: str) -> SyntaxProblemError:
        found = f", `{self.here.text}` stands here" if self.here.text else ", the expression ends here"
        return SyntaxProblemError(said + found, self.here.at + 1)

    def whole(self) -> Node:
        node = self.expression()
        if self.here.kind != "end":
            raise self.problem("the end is expected")
        return node

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.problem(f"more than {MAX_DEPTH} calls stand within each other")
        node = self.accesses(self.primary())
        self.depth -= 1
        return node

    def primary(self) -> Node:
        token = self.here
        self.index += 1
        match token.kind:
            case "text":
                return Literal(token.text[1:-1].replace("''", "'"))
            case "number":
                return Literal(_number(token))
            case "name":
                return self.named(token)
        self.index -= 1
        raise self.problem("a value is expected")

    def named(self, token: _Token) -> Node:
        name = token.text
        if self.here.text == "." and self.tokens[self.index + 1].kind == "name":
            name = f"{name}.{self.tokens[self.index + 1].text}"
            self.index += 2
        if self.take("("):
            return Call(name.casefold(), self.arguments(), name)
        word = name.casefold()
        if word in _WORDS:
            return Literal(_WORDS[word])
        raise self.problem(f"`(` is missing after `{name}`")

    def arguments(self) -> tuple[Node, ...]:
        found: list[Node] = []
        if self.take(")"):
            return ()
        found.append(self.expression())
        while self.take(","):
            found.append(self.expression())
        self.need(")")
        return tuple(found)

    def accesses(self, node: Node) -> Node:
        length = 0
        while self.here.kind == "mark" and self.here.text in (".", ".?", "[", "[?", "!"):
            mark = self.here.text
            self.index += 1
            length += 1
            if length > MAX_DEPTH:
                raise self.problem(f"more than {MAX_DEPTH} accesses follow each other")
            if mark in (".", ".?"):
                node = Access(node, Literal(self.property()), mark == ".?")
            elif mark != "!":
                node = Access(node, self.expression(), mark == "[?")
                self.need("]")
        return node

    def property(self) -> str:
        token = self.here
        if token.kind != "name":
            raise self.problem("a property name is expected")
        self.index += 1
        return token.text


_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}


def _number(token: _Token) -> int | float:
    digits = token.text
    if len(digits) > 40:
        raise SyntaxProblemError("a number is beyond all range", token.at + 1)
    if digits.lstrip("+-").isdecimal():
        return int(digits)
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise SyntaxProblemError("a number is beyond all range", token.at + 1)
    return value
