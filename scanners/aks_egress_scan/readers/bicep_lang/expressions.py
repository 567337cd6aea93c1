"""The expressions of Bicep, parsed by precedence as its compiler does."""

from __future__ import annotations

from aks_egress_scan.readers.bicep_lang.stream import Stream
from aks_egress_scan.readers.bicep_lang.syntax import (
    Array,
    Binary,
    Call,
    Condition,
    Expression,
    For,
    Index,
    Lambda,
    Literal,
    Member,
    Name,
    Nested,
    Object,
    Property,
    Resource,
    Spread,
    String,
    Ternary,
    Unary,
)
from aks_egress_scan.readers.bicep_lang.tokens import HEAD, MIDDLE, NAME, NEWLINE, NUMBER, TAIL, TEXT

_PRECEDENCE = {
    **dict.fromkeys(("%", "*", "/"), 100),
    **dict.fromkeys(("+", "-"), 90),
    **dict.fromkeys((">", ">=", "<", "<="), 80),
    **dict.fromkeys(("==", "!=", "=~", "!~"), 70),
    "&&": 50,
    "||": 40,
    "??": 30,
}
_MOST_LINKS = 200
"""How many operators or members may follow one another at one level."""

_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class ExpressionParser(Stream):
    """Reads expressions."""

    def expression(self) -> Expression:
        """`c ? a : b`, or what binds tighter."""
        with self.deeper():
            first = self.binary(0)
            if self.ahead().kind != "?":
                return first
            self.newlines()
            at = self.read().offset
            then = self.expression()
            self.newlines()
            self.expect(":", "and the other value of `?`")
            return Ternary(first, then, self.expression(), at)

    def binary(self, precedence: int) -> Expression:
        """Operators that bind tighter than `precedence`."""
        left = self.unary()
        links = 0
        while (binds := _PRECEDENCE.get(self.kind, -1)) > precedence:
            operator = self.read()
            links = self._link(links)
            with self.deeper():
                left = Binary(operator.kind, left, self.binary(binds), operator.offset)
        return left

    def _link(self, links: int) -> int:
        if links >= _MOST_LINKS:
            self.source.fail(f"more than {_MOST_LINKS} operators stand in one row here", self.here.offset)
        return links + 1

    def unary(self) -> Expression:
        """`!x`, `-x`, or what binds tighter."""
        if self.kind not in ("!", "-", "+"):
            return self.member()
        operator = self.read()
        operand = self.member()
        return operand if operator.kind == "+" else Unary(operator.kind, operand, operator.offset)

    def member(self) -> Expression:
        """`x`, with `.name`, `[i]`, `::name`, `!` behind it."""
        current = self.primary()
        links = 0
        while self.kind in ("[", ".", "::", "!"):
            links = self._link(links)
            token = self.read()
            match token.kind:
                case "[":
                    current = self._index(current, token.offset)
                case ".":
                    current = self._dot(current)
                case "::":
                    current = Nested(current, self.expect(NAME).text, token.offset)
        return current

    def _index(self, of: Expression, at: int) -> Expression:
        safe, from_end = self.take("?"), self.take("^")
        index = self.expression()
        self.expect("]")
        return Index(of, index, at, safe, from_end)

    def _dot(self, of: Expression) -> Expression:
        safe = self.take("?")
        name = self.expect(NAME, "of the property behind `.`")
        if self.take("("):
            return Call(name.text, tuple(self.arguments(")", self.expression)), name.offset, of)
        return Member(of, name.text, name.offset, safe)

    def primary(self) -> Expression:
        """A literal, a name, a call, something in brackets."""
        token = self.here
        match token.kind:
            case "name":
                return self._named()
            case "text" | "head":
                return self.string()
            case "number":
                return Literal(self._number(), token.offset)
            case "(":
                return self._parenthesis()
            case "{":
                return self.object()
            case "[":
                return self.array()
            case _:
                return self.refuse("a value")

    def _number(self) -> int:
        token = self.expect(NUMBER)
        if len(token.text) > 19:
            self.source.fail("the number is too large", token.offset)
        return int(token.text)

    def _named(self) -> Expression:
        token = self.read()
        if token.text in _WORDS:
            return Literal(_WORDS[token.text], token.offset)
        if self.take("("):
            return Call(token.text, tuple(self.arguments(")", self.expression)), token.offset)
        if self.take("=>"):
            return self._lambda((token.text,), token.offset)
        return Name(token.text, token.offset)

    def _lambda(self, parameters: tuple[str, ...], at: int) -> Lambda:
        self.newlines()
        return Lambda(parameters, self.expression(), at)

    def _parenthesis(self) -> Expression:
        opening = self.read()
        inside = self.arguments(")", self.expression)
        if self.take("=>"):
            names = tuple(one.name for one in inside if isinstance(one, Name))
            if len(names) < len(inside):
                self.source.fail("only names may stand between the brackets before `=>`", opening.offset)
            return self._lambda(names, opening.offset)
        if len(inside) != 1:
            self.source.fail("exactly one value may stand between brackets", opening.offset)
        return inside[0]

    def string(self) -> String:
        """Text with its holes."""
        token = self.here
        if token.kind == TEXT:
            return String((self.read().text,), token.offset)
        if token.kind != HEAD:
            self.refuse("text between `'`")
        parts: list[str | Expression] = [self.read().text]
        while True:
            self.newlines()
            parts.append(self.expression())
            self.newlines()
            if self.kind not in (MIDDLE, TAIL):
                self.refuse("`}` behind the expression in the text")
            piece = self.read()
            parts.append(piece.text)
            if piece.kind == TAIL:
                return String(tuple(parts), token.offset)

    def array(self) -> Array | For:
        """`[…]` or `[for …]`."""
        opening = self.expect("[")
        if self.ahead().kind == NAME and self.ahead().text == "for":
            self.newlines()
            return self._for(opening.offset)
        with self.deeper():
            return Array(tuple(self.members("]", self._item)), opening.offset)

    def _item(self) -> Expression | Spread:
        token = self.here
        return Spread(self.expression(), token.offset) if self.take("...") else self.expression()

    def _for(self, at: int, *, bodies: bool = False) -> For:
        """A loop behind its `[`; with `bodies` it is one of resources or modules, which may have `if`."""
        self.read()
        item, index = self._loop_names()
        if not self.take_word("in"):
            self.refuse("`in`")
        over = self.expression()
        self.expect(":", "before the body of the loop")
        body = self.body() if bodies else self.expression()
        self.newlines()
        self.expect("]", "behind the body of the loop")
        return For(item, index, over, body, at)

    def _loop_names(self) -> tuple[str, str | None]:
        if not self.take("("):
            return self.expect(NAME, "for the item of the loop").text, None
        item = self.expect(NAME, "for the item of the loop").text
        self.expect(",")
        index = self.expect(NAME, "for the index of the loop").text
        self.expect(")")
        return item, index

    def body(self) -> Object | Condition:
        """The body of a resource or module in a loop."""
        if self.word("if"):
            return self.condition()
        return self.object(resources=True)

    def condition(self) -> Condition:
        """`if (…) {…}`."""
        at = self.read().offset
        self.expect("(", "behind `if`")
        self.newlines()
        condition = self.expression()
        self.newlines()
        self.expect(")", "behind the condition")
        return Condition(condition, self.object(resources=True), at)

    def object(self, *, resources: bool = False) -> Object:
        """`{…}`; with `resources`, resources may be nested in it."""
        opening = self.expect("{")
        with self.deeper():
            members = self.members("}", lambda: self._member_or_resource(resources))
        nested = tuple(one for one in members if isinstance(one, Resource))
        plain = tuple(one for one in members if not isinstance(one, Resource))
        self._distinct(plain)
        return Object(plain, opening.offset, nested)

    def _distinct(self, members: tuple[Property | Spread, ...]) -> None:
        seen: set[str] = set()
        for one in members:
            if isinstance(one, Property) and isinstance(one.key, str):
                if one.key in seen:
                    self.source.fail(f"the property `{one.key}` stands here twice", one.at)
                seen.add(one.key)

    def _member_or_resource(self, resources: bool) -> Property | Spread | Resource:
        token = self.here
        if resources and (
            token.kind == "@" or (self.word("resource") and self.ahead(past_newlines=False).kind == NAME)
        ):
            return self.nested_resource()
        if self.take("..."):
            return Spread(self.expression(), token.offset)
        if token.kind == NAME:
            key: str | String = self.read().text
        elif token.kind in (TEXT, HEAD):
            written = self.string()
            key = written if written.literal is None else written.literal
        else:
            self.refuse("the name of a property")
        self.expect(":", "behind the name of a property")
        return Property(key, self.expression(), token.offset)

    def nested_resource(self) -> Resource:
        """A resource inside the body of its parent."""
        raise NotImplementedError

    def line_end(self) -> None:
        """A statement ends with its line."""
        if self.kind not in (NEWLINE, "end"):
            self.refuse("the end of the line", "behind the statement")
        self.newlines()
