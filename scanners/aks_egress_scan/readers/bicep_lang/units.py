"""One Bicep file with its symbols, and the files around it."""

from __future__ import annotations

import posixpath
from typing import NoReturn

from aks_egress.records import field, record
from aks_egress_scan.readers.base import MalformedError, Source
from aks_egress_scan.readers.bicep_lang import syntax
from aks_egress_scan.readers.bicep_lang.parser import parse
from aks_egress_scan.readers.bicep_lang.syntax import Condition, Declaration, Expression, File, For, Object
from aks_egress_scan.readers.bicep_lang.tokens import Text

NAMESPACES = frozenset({"az", "sys"})


@record(slots=True, eq=False)
class Deployed:
    """A resource or a module: its key in the template, its body, and what decides whether and how often it is there."""

    declaration: syntax.Resource | syntax.Module
    key: str
    body: Object
    loop: For | None
    condition: Expression | None
    type: str = ""
    version: str = ""
    within: Deployed | None = None
    children: dict[str, Deployed] = field(default_factory=dict)

    @property
    def existing(self) -> bool:
        """Whether it is only referred to."""
        return isinstance(self.declaration, syntax.Resource) and self.declaration.existing

    @property
    def foreign(self) -> bool:
        """Whether it is deployed by an extension, not by Azure Resource Manager."""
        namespace = self.type.partition("/")[0]
        return self.is_resource and ("." not in namespace or namespace.casefold() == "microsoft.graph")

    @property
    def is_resource(self) -> bool:
        """Whether it is a resource, not a module."""
        return isinstance(self.declaration, syntax.Resource)


@record(slots=True, eq=False)
class Unit:
    """One file: what it says, and its symbols by name."""

    source: Source
    text: Text
    file: File
    symbols: dict[str, Declaration] = field(default_factory=dict)
    types: dict[str, syntax.TypeAlias] = field(default_factory=dict)
    deployed: dict[str, Deployed] = field(default_factory=dict)
    outputs: list[syntax.Output] = field(default_factory=list)
    imports: dict[str, tuple[syntax.Import, str]] = field(default_factory=dict)
    wildcards: dict[str, syntax.Import] = field(default_factory=dict)
    target_scope: str = "resourceGroup"
    using: syntax.Using | None = None
    extends: syntax.Using | None = None

    @property
    def path(self) -> str:
        """The path of the file, as people know it."""
        return self.source.path

    def fail(self, message: str, at: int) -> NoReturn:
        """Raise MalformedError for a place in this file."""
        self.text.fail(message, at)

    def line(self, at: int) -> int:
        """The line (from 1) of a place in this file."""
        return self.text.line(at)

    def each(self, kind: type[Declaration]) -> list[Declaration]:
        """The statements of one kind, in their order."""
        return [one for one in self.file if isinstance(one, kind)]


def read_unit(source: Source) -> Unit:
    """Parse a file and enter its symbols; raises MalformedError."""
    try:
        text = source.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = _utf16(source, error)
    file, placed = parse(text, source.path)
    unit = Unit(source, placed, file)
    for statement in file:
        _enter(unit, statement)
    return unit


def _utf16(source: Source, error: UnicodeDecodeError) -> str:
    if source.data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return source.data.decode("utf-16")
        except UnicodeDecodeError:
            pass
    line = source.data.count(b"\n", 0, error.start) + 1
    raise MalformedError("the file is not UTF-8 text", source.path, line) from None


def _enter(unit: Unit, statement: Declaration) -> None:
    match statement:
        case syntax.Ignored():
            pass
        case syntax.Output():
            unit.outputs.append(statement)
        case syntax.TypeAlias():
            unit.types[statement.name] = statement
        case syntax.TargetScope():
            unit.target_scope = _target_scope(unit, statement)
        case syntax.Using():
            if statement.name == "using":
                unit.using = statement
            else:
                unit.extends = statement
        case syntax.Import():
            _enter_import(unit, statement)
        case syntax.Resource() | syntax.Module():
            _enter_symbol(unit, statement)
            unit.deployed[statement.name] = _deployed(unit, statement, None)
        case _:
            _enter_symbol(unit, statement)


def _enter_symbol(unit: Unit, statement: Declaration) -> None:
    if statement.name in unit.symbols and not isinstance(statement, syntax.Extension):
        unit.fail(f"`{statement.name}` is declared twice", statement.at)
    unit.symbols[statement.name] = statement


def _enter_import(unit: Unit, statement: syntax.Import) -> None:
    if statement.wildcard:
        unit.wildcards[statement.name] = statement
    for exported, local, _ in statement.symbols:
        unit.imports[local] = (statement, exported)


_SCOPES = {
    one.casefold(): one
    for one in (
        "resourceGroup",
        "subscription",
        "managementGroup",
        "tenant",
        "local",
        "desiredStateConfiguration",
        "orchestrator",
    )
}


def _target_scope(unit: Unit, statement: syntax.TargetScope) -> str:
    value = statement.value
    said = value.literal if isinstance(value, syntax.String) else None
    scope = _SCOPES.get((said or "").casefold())
    if scope is None:
        unit.fail(
            "`targetScope` is one of 'resourceGroup', 'subscription', 'managementGroup' and 'tenant'",
            statement.at,
        )
    return scope


def _deployed(unit: Unit, statement: syntax.Resource | syntax.Module, within: Deployed | None) -> Deployed:
    loop = statement.body if isinstance(statement.body, For) else None
    inside = loop.body if loop is not None else statement.body
    condition = inside.condition if isinstance(inside, Condition) else None
    body = inside.body if isinstance(inside, Condition) else inside
    if not isinstance(body, Object):
        unit.fail(f"the body of `{statement.name}` is not an object", statement.at)
    key = f"{within.key}::{statement.name}" if within else statement.name
    found = Deployed(statement, key, body, loop, condition, within=within)
    if isinstance(statement, syntax.Resource):
        found.type, found.version = _typed(unit, statement, within)
    for child in body.nested:
        if not found.is_resource or child.name in found.children:
            unit.fail(f"the resource `{child.name}` cannot be declared here", child.at)
        found.children[child.name] = _deployed(unit, child, found)
    return found


def _typed(unit: Unit, statement: syntax.Resource, within: Deployed | None) -> tuple[str, str]:
    said = statement.type.literal
    if not said:
        unit.fail(
            "the type of a resource is plain text, such as 'Microsoft.Network/routeTables@2024-05-01'",
            statement.type.at,
        )
    kind, _, version = said.removeprefix("az:").partition("@")
    if within is not None:
        if not kind.casefold().startswith(within.type.casefold() + "/"):
            kind = f"{within.type}/{kind}"
        version = version or within.version
    parts = kind.split("/")
    if not all(parts):
        unit.fail(f"`{said}` is not a resource type", statement.type.at)
    return kind, version


@record(slots=True)
class Files:
    """The Bicep files of one deployment, each read once."""

    units: dict[str, Unit] = field(default_factory=dict)

    def unit(self, source: Source) -> Unit:
        """The file as a unit; raises MalformedError."""
        if source.path not in self.units:
            self.units[source.path] = read_unit(source)
        return self.units[source.path]

    def near(self, unit: Unit, path: str) -> Unit | None:
        """A file named in another one, None where there is none inside the scanned root."""
        source = unit.source.sibling(path)
        return None if source is None else self.unit(source)


def suffix(path: str) -> str:
    """How a path ends, lower case: `.bicep`."""
    return posixpath.splitext(path.casefold())[1]
