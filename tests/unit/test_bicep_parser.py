"""The grammar of Bicep: what its compiler accepts is accepted, and what is refused is refused at its place."""

from __future__ import annotations

import json

import pytest

from aks_egress_scan.readers.base import MalformedError
from aks_egress_scan.readers.bicep_lang import syntax
from aks_egress_scan.readers.bicep_lang.parser import parse
from aks_egress_scan.readers.bicep_lang.syntax import Expression, Variable


def value(text: str) -> Expression:
    file, _ = parse(f"var x = {text}\n", "main.bicep")
    (statement,) = file
    assert isinstance(statement, Variable)
    return statement.value


def shown(expression: Expression) -> str:  # noqa: C901, PLR0912 - one case a form
    """An expression fully bracketed."""
    match expression:
        case syntax.Literal(found):
            return json.dumps(found)
        case syntax.String(parts):
            return (
                "'"
                + "".join(part if isinstance(part, str) else f"${{{shown(part)}}}" for part in parts)
                + "'"
            )
        case syntax.Name(name):
            return name
        case syntax.Call(name, arguments, _, on):
            return f"{shown(on) + '.' if on else ''}{name}({', '.join(map(shown, arguments))})"
        case syntax.Member(of, name, _, safe):
            return f"{shown(of)}.{'?' if safe else ''}{name}"
        case syntax.Index(of, index, _, safe, from_end):
            return f"{shown(of)}[{'?' if safe else ''}{'^' if from_end else ''}{shown(index)}]"
        case syntax.Nested(of, name):
            return f"{shown(of)}::{name}"
        case syntax.Unary(operator, operand):
            return f"({operator}{shown(operand)})"
        case syntax.Binary(operator, left, right):
            return f"({shown(left)} {operator} {shown(right)})"
        case syntax.Ternary(condition, then, otherwise):
            return f"({shown(condition)} ? {shown(then)} : {shown(otherwise)})"
        case syntax.Array(items):
            return "[" + ", ".join(_item(item) for item in items) + "]"
        case syntax.Object(members):
            return "{" + ", ".join(_member(member) for member in members) + "}"
        case syntax.For(item, index, over, body):
            assert not isinstance(body, syntax.Condition)
            return f"[for {item}{',' + index if index else ''} in {shown(over)}: {shown(body)}]"
        case syntax.Lambda(parameters, body):
            return f"(({', '.join(parameters)}) => {shown(body)})"


def _item(item: Expression | syntax.Spread) -> str:
    return f"...{shown(item.value)}" if isinstance(item, syntax.Spread) else shown(item)


def _member(member: syntax.Property | syntax.Spread) -> str:
    if isinstance(member, syntax.Spread):
        return f"...{shown(member.value)}"
    key = member.key if isinstance(member.key, str) else shown(member.key)
    return f"{key}: {shown(member.value)}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("a ?? b ? 1 : 2", "((a ?? b) ? 1 : 2)"),
        ("a || b && c == d", "(a || (b && (c == d)))"),
        ("!a.b", "(!a.b)"),
        ("-a.b", "(-a.b)"),
        ("a ? b ? 1 : 2 : 3", "(a ? (b ? 1 : 2) : 3)"),
        ("a\n  ? b\n  : c", "(a ? b : c)"),
        ("c ? [1] : [2]", "(c ? [1] : [2])"),
        ("a.?b.c[?0][^1]", "a.?b.c[?0][^1]"),
        ("a!.b!", "a.b"),
        ("v::s.id", "v::s.id"),
        ("az.resourceGroup().location", "az.resourceGroup().location"),
        ("map(a, x => x.b)", "map(a, ((x) => x.b))"),
        ("reduce(a, 0, (p, n) => p + n)", "reduce(a, 0, ((p, n) => (p + n)))"),
        ("[for (x, i) in a: i]", "[for x,i in a: i]"),
        ("[\n  a\n  [1]\n]", "[a, [1]]"),
        ("[\n  a\n  (b)\n]", "[a, b]"),
        ("[\n  a\n  -1\n]", "[a, (-1)]"),
        ("[1, 2]", "[1, 2]"),
        ("{ a: 1, 'b-c': 2\n}", "{a: 1, b-c: 2}"),
        ("{\n  ...a\n  '${b}': 1\n}", "{...a, '${b}': 1}"),
        ("f(\n  a,\n  b\n)", "f(a, b)"),
        ("'it\\'s \\${a} ${b} \\u{1F600}'", "'it's ${a} ${b} \U0001f600'"),
        ("'a${'b${c}d'}e'", "'a${'b${c}d'}e'"),
        ("'''\nplain ${a} 'quoted'\n'''", "'plain ${a} 'quoted'\n'"),
        ("$'''a ${b} $c'''", "'a ${b} $c'"),
        ("$$'''a ${b} $${c}'''", "'a ${b} ${c}'"),
        ("{ resource: 'a', param: 'b' }", "{resource: 'a', param: 'b'}"),
    ],
)  # fmt: skip
def test_an_expression_is_read_as_the_compiler_reads_it(text: str, expected: str) -> None:
    assert shown(value(text)) == expected


def test_a_comment_that_ends_in_a_backslash_ends_with_its_line() -> None:
    file, _ = parse("// kept in C:\\rules\\\nvar x = 1\n", "main.bicep")
    assert [one.name for one in file] == ["x"]


def test_comments_and_pragmas_say_nothing() -> None:
    file, _ = parse("#disable-next-line no-x\n/* a\n b */ var x = 1 // c\n", "main.bicep")
    assert [one.name for one in file] == ["x"]


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("var x = \n", 1, 9, "expected a value, found the end of the line"),
        ("var x = 'abc\n", 1, 9, "not closed on its line"),
        ("var x = '${a'\n", 1, 13, "not closed on its line"),
        ("var x = '''abc\n", 1, 9, "is not closed"),
        ('var x = "abc"\n', 1, 9, "stands between `'`"),
        ("/* open\nvar x = 1\n", 1, 1, "the comment `/*` is not closed"),
        ("\nresource a 'x@1' {\n}\n", 2, 18, "expected `=`"),
        ("resource a 'x@1' = {\n  name: 'a'\n  b c\n}\n", 3, 5, "expected `:`"),
        ("resource a 'x@1' = {\n  name: 'a'\n", 3, 1, "the end of the file"),
        ("var x = 1 var y = 2\n", 1, 11, "expected the end of the line"),
        ("var x = (1, 2)\n", 1, 9, "exactly one value"),
        ("var x = { a: 1\n a: 2 }\n", 2, 2, "stands here twice"),
        ("var x = '\\q'\n", 1, 10, "begins none of the escapes"),
        ("var x = '\\u{D800}'\n", 1, 9, "half a character"),
        ("nonsense\n", 1, 1, "expected a statement"),
        ("var x = 99999999999999999999\n", 1, 9, "too large"),
        ("var x = " + "[" * 500 + "\n", 1, 54, "nest deeper"),
        ("var x = " + "+".join(["a"] * 500) + "\n", 1, 411, "operators stand in one row"),
    ],
)
def test_broken_source_is_refused_at_its_place(text: str, line: int, column: int, said: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse(text, "main.bicep")
    assert said in caught.value.message
    assert (caught.value.path, caught.value.line, caught.value.column) == ("main.bicep", line, column)


def test_every_kind_of_statement_is_read() -> None:
    source = """
targetScope = 'subscription'
metadata about = { a: 1 }
import { a as b, 'c d' as e } from 'other.bicep'
import * as all from 'other.bicep'
extension kubernetes with { kubeConfig: '' } as k8s
type ports = ('80' | '443')[]
type thing = {
  @description('one')
  a: string?
  *: int
}
@secure()
@minLength(3)
param secret string
param list thing[] = []
param union 'a' | 'b' = 'a'
param derived resourceInput<'Microsoft.X/y@2024-01-01'>.properties?
var typed string = 'x'
@export()
func greet(name string, count int) string => '${name}${count}'
resource here 'Microsoft.X/y@2024-01-01' existing = { name: 'a' }
@batchSize(2)
resource many 'Microsoft.X/y@2024-01-01' = [for (n, i) in list: if (i > 0) {
  name: n.a
  resource inner 'z' = { name: 'b' }
}]
module part './part.bicep' =
  if (true) {
    name: 'part'
  }
assert sane = true
output one string = secret
test check 'part.bicep' = {}
"""
    file, _ = parse(source, "main.bicep")
    kinds = [type(one).__name__ for one in file]
    assert kinds == [
        "TargetScope", "Ignored", "Import", "Import", "Extension", "TypeAlias", "TypeAlias", "Parameter", "Parameter",
        "Parameter", "Parameter", "Variable", "Function", "Resource", "Resource", "Module", "Ignored", "Output", "Ignored",
    ]  # fmt: skip


def test_a_parameters_file_is_read() -> None:
    source = "using none\nextends 'base.bicepparam'\nvar a = 1\nparam b = [\n  a\n]\n"
    file, _ = parse(source, "main.bicepparam")
    assert [type(one).__name__ for one in file] == ["Using", "Using", "Variable", "Parameter"]
