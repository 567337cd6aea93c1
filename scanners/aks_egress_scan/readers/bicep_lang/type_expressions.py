"""The type expressions of Bicep."""

from __future__ import annotations

from aks_egress_scan.readers.bicep_lang.expressions import ExpressionParser
from aks_egress_scan.readers.bicep_lang.syntax import Call, Type
from aks_egress_scan.readers.bicep_lang.tokens import END, HEAD, NAME, NEWLINE, TEXT

_LITERALS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class TypeParser(ExpressionParser):
    """Reads types."""

    def type(self) -> Type:
        """`a | b`, or what binds tighter."""
        with self.deeper():
            at = self.here.offset
            if self._at_union():
                members = []
            else:
                first = self._type_suffixed()
                if not self._at_union():
                    return first
                members = [first]
            while self._at_union():
                self.newlines()
                self.read()
                members.append(self._type_suffixed())
            return Type("union", at, parts=tuple(members))

    def _at_union(self) -> bool:
        return self.ahead().kind == "|"

    def _type_suffixed(self) -> Type:
        at = self.here.offset
        if self.kind in ("-", "!", "+"):
            self.read()
            return Type("negative", at, parts=(self._type_reached(),))
        current = self._type_reached()
        while self.kind in ("?", "!"):
            current = Type("nullable" if self.read().kind == "?" else "sure", at, parts=(current,))
        return current

    def _type_reached(self) -> Type:
        """A type with `[]`, `.name`, `[*]` behind it."""
        current = self._type_primary()
        while self.kind in ("[", "."):
            at = self.here.offset
            if self.read().kind == "[":
                current = self._type_bracket(current, at)
            elif self.take("*"):
                current = Type("part", at, "*", parts=(current,))
            else:
                current = self._type_dotted(current)
        return current

    def _type_bracket(self, of: Type, at: int) -> Type:
        if self.take("]"):
            return Type("array", at, parts=(of,))
        if not self.take("*"):
            self.expression()
        self.expect("]")
        return Type("part", at, "[]", parts=(of,))

    def _type_dotted(self, of: Type) -> Type:
        name = self.expect(NAME)
        if self.take("<"):
            return Type("generic", of.at, name.text, parts=tuple(self.arguments(">", self.type)))
        if of.form == "name":
            return Type("name", of.at, f"{of.text}.{name.text}")
        return Type("part", name.offset, name.text, parts=(of,))

    def _type_primary(self) -> Type:
        token = self.here
        match token.kind:
            case "number":
                return Type("literal", token.offset, value=self._number())
            case "text" | "head":
                return Type("literal", token.offset, value=self.string().literal)
            case "{":
                return self._object_type()
            case "[":
                self.read()
                return Type("tuple", token.offset, members=tuple(self.members("]", self._tuple_member)))
            case "(":
                self.read()
                inside = self.type()
                self.expect(")")
                return inside
            case "name":
                return self._type_name()
            case _:
                return self.refuse("a type")

    def _type_name(self) -> Type:
        token = self.read()
        if token.text in _LITERALS:
            return Type("literal", token.offset, value=_LITERALS[token.text])
        if self.take("<"):
            return Type("generic", token.offset, token.text, parts=tuple(self.arguments(">", self.type)))
        if token.text == "resource" and self.kind in (TEXT, HEAD):
            self.string()
        return Type("name", token.offset, token.text)

    def _object_type(self) -> Type:
        opening = self.read()
        return Type("object", opening.offset, members=tuple(self.members("}", self._object_member)))

    def _object_member(self) -> tuple[str, Type, tuple[Call, ...]]:
        decorators = self.decorators()
        if self.take("*"):
            name = "*"
        elif self.kind in (TEXT, HEAD):
            name = self.string().literal or ""
        else:
            name = self.expect(NAME, "of a property").text
        self.expect(":", "behind the name of a property")
        return name, self.type(), decorators

    def _tuple_member(self) -> tuple[str, Type, tuple[Call, ...]]:
        decorators = self.decorators()
        return "", self.type(), decorators

    def decorators(self) -> tuple[Call, ...]:
        """`@name(…)`, `@sys.name(…)`, each on a line of its own."""
        out: list[Call] = []
        while self.take("@"):
            call = self.member()
            if not isinstance(call, Call):
                self.source.fail("a decorator is a call: `@name()`", self.here.offset)
            out.append(call)
            if self.kind not in (NEWLINE, END):
                self.refuse("the end of the line", "behind a decorator")
            self.newlines()
        return tuple(out)
