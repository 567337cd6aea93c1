"""The statements of Bicep and of its parameters files."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from aks_egress_scan.readers.bicep_lang.syntax import (
    Call,
    Condition,
    Declaration,
    Extension,
    File,
    For,
    Function,
    Ignored,
    Import,
    Module,
    Object,
    Output,
    Parameter,
    Resource,
    String,
    TargetScope,
    Type,
    TypeAlias,
    Using,
    Variable,
)
from aks_egress_scan.readers.bicep_lang.tokens import END, HEAD, NAME, TEXT, Text
from aks_egress_scan.readers.bicep_lang.type_expressions import TypeParser


def parse(text: str, path: str) -> tuple[File, Text]:
    """What a `.bicep` or `.bicepparam` file says, and its text; raises MalformedError."""
    source = Text(text.removeprefix("\ufeff"), path)
    return _Parser(source, parameters=path.casefold().endswith(".bicepparam")).file(), source


class _Head(NamedTuple):
    """How a statement begins: its word, where that stands, and the decorators before it."""

    word: str
    at: int
    decorators: tuple[Call, ...]


class _Parser(TypeParser):
    def __init__(self, source: Text, *, parameters: bool) -> None:
        super().__init__(source)
        self._statements: dict[str, Callable[[_Head], Declaration]] = {
            "param": self._assignment if parameters else self._parameter,
            "var": self._variable,
            "import": self._import,
            "extension": self._extension,
            "provider": self._extension,
            "type": self._type_alias,
            "func": self._function,
            "metadata": self._skipped,
            "assert": self._skipped,
        }
        self._statements |= (
            {"using": self._using, "extends": self._using, "extensionConfig": self._extension_config}
            if parameters
            else {
                "resource": self._resource,
                "module": self._module,
                "output": self._output,
                "targetScope": self._target_scope,
                "test": self._test,
            }
        )

    def file(self) -> File:
        statements: list[Declaration] = []
        self.newlines()
        while self.kind != END:
            statements.append(self._statement())
            self.line_end()
        return File(tuple(statements))

    def _statement(self) -> Declaration:
        decorators = self.decorators()
        token = self.here
        read = self._statements.get(token.text) if token.kind == NAME else None
        if read is None:
            self.refuse("a statement such as `param`, `var`, `resource`, `module` or `output`")
        self.read()
        return read(_Head(token.text, token.offset, decorators))

    def _symbol(self, of: str) -> str:
        return self.expect(NAME, f"of the {of}").text

    def _assignment(self, head: _Head) -> Declaration:
        name = self._symbol("parameter")
        self.expect("=")
        return Parameter(
            name=name, at=head.at, decorators=head.decorators, type=None, default=self.expression()
        )

    def _parameter(self, head: _Head) -> Declaration:
        name = self._symbol("parameter")
        kind = self.type()
        default = self.expression() if self.take("=") else None
        return Parameter(name=name, at=head.at, decorators=head.decorators, type=kind, default=default)

    def _variable(self, head: _Head) -> Declaration:
        name = self._symbol("variable")
        if self.kind != "=":
            self.type()
        self.expect("=")
        return Variable(name=name, at=head.at, decorators=head.decorators, value=self.expression())

    def _output(self, head: _Head) -> Declaration:
        name = self._symbol("output")
        kind = self.type()
        self.expect("=")
        return Output(name=name, at=head.at, decorators=head.decorators, type=kind, value=self.expression())

    def _type_alias(self, head: _Head) -> Declaration:
        name = self._symbol("type")
        self.expect("=")
        return TypeAlias(name=name, at=head.at, decorators=head.decorators, type=self.type())

    def _function(self, head: _Head) -> Declaration:
        name = self._symbol("function")
        self.expect("(")
        parameters = tuple(self.arguments(")", self._typed_name))
        returns = self.type()
        self.expect("=>")
        self.newlines()
        return Function(
            name=name,
            at=head.at,
            decorators=head.decorators,
            parameters=parameters,
            returns=returns,
            body=self.expression(),
        )

    def _typed_name(self) -> tuple[str, Type]:
        return self.expect(NAME, "of a parameter of the function").text, self.type()

    def nested_resource(self) -> Resource:
        decorators = self.decorators()
        at = self.here.offset
        if not self.take_word("resource"):
            self.refuse("`resource`", "behind a decorator")
        return self._resource(_Head("resource", at, decorators))

    def _resource(self, head: _Head) -> Resource:
        name = self._symbol("resource")
        kind = self.string()
        existing = self.take_word("existing")
        return Resource(
            name=name, at=head.at, decorators=head.decorators, type=kind, existing=existing, body=self._body()
        )

    def _module(self, head: _Head) -> Module:
        name = self._symbol("module")
        path = self.string()
        return Module(name=name, at=head.at, decorators=head.decorators, path=path, body=self._body())

    def _body(self) -> Object | Condition | For:
        self.expect("=")
        token = self.ahead()
        if token.kind == NAME and token.text == "if":
            self.newlines()
            return self.condition()
        if self.kind == "[":
            at = self.read().offset
            self.newlines()
            if not self.word("for"):
                self.refuse("`for`")
            return self._for(at, bodies=True)
        if self.kind != "{":
            self.refuse("`{`, `if` or `[for`")
        return self.object(resources=True)

    def _target_scope(self, head: _Head) -> Declaration:
        self.expect("=")
        return TargetScope(name=head.word, at=head.at, decorators=head.decorators, value=self.expression())

    def _import(self, head: _Head) -> Declaration:
        if self.kind in (TEXT, HEAD):
            return self._extension(head)
        wildcard = self.take("*")
        symbols: tuple[tuple[str, str, int], ...] = ()
        name = ""
        if wildcard:
            if not self.take_word("as"):
                self.refuse("`as`")
            name = self._symbol("import")
        else:
            self.expect("{", "or `*`")
            symbols = tuple(self.members("}", self._imported))
        if not self.take_word("from"):
            self.refuse("`from`")
        return Import(
            name=name,
            at=head.at,
            decorators=head.decorators,
            path=self.string(),
            symbols=symbols,
            wildcard=wildcard,
        )

    def _imported(self) -> tuple[str, str, int]:
        token = self.here
        exported = (
            self.string().literal if token.kind == TEXT else self.expect(NAME, "of something exported").text
        )
        local = self.expect(NAME).text if self.take_word("as") else exported
        return exported or "", local or "", token.offset

    def _extension(self, head: _Head) -> Declaration:
        alias = self.read().text if self.kind == NAME else _extension_name(self.string())
        if self.take_word("with"):
            self.object()
        if self.take_word("as"):
            alias = self._symbol("extension")
        return Extension(name=alias, at=head.at, decorators=head.decorators)

    def _extension_config(self, head: _Head) -> Declaration:
        alias = self._symbol("extension")
        if not self.take_word("with"):
            self.refuse("`with`")
        self.object()
        return Ignored(name=alias, at=head.at, decorators=head.decorators)

    def _using(self, head: _Head) -> Declaration:
        path = None if head.word == "using" and self.take_word("none") else self.string()
        if self.take_word("with"):
            self.object()
        return Using(name=head.word, at=head.at, decorators=head.decorators, path=path)

    def _test(self, head: _Head) -> Declaration:
        name = self._symbol("test")
        self.string()
        self.expect("=")
        self.object()
        return Ignored(name=name, at=head.at, decorators=head.decorators)

    def _skipped(self, head: _Head) -> Declaration:
        name = self._symbol(head.word)
        self.expect("=")
        self.expression()
        return Ignored(name=name, at=head.at, decorators=head.decorators)


def _extension_name(written: String) -> str:
    """`kubernetes` of `'kubernetes@1.0.0'`, `br:…/microsoftgraph/v1.0:0.1.8`: what it is known by without `as`."""
    text = written.literal or ""
    return text.partition("@")[0].rpartition("/")[2].partition(":")[0]
