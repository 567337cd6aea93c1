"""What Bicep says means what its compiler makes of it, and what it cannot make anything of is refused."""

from __future__ import annotations

import pytest
from tests.unit.bicep_sources import evaluated, one, read, refused

from aks_egress.values import Unknown


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("-5 % 3", -2),
        ("'a' =~ 'A'", True),
        ("'a' !~ 'b'", True),
        ("!(1 > 2) && 2 >= 2", True),
        ("null ?? 'b'", "b"),
        ("true ? 'a' : 'b'", "a"),
        ("'x${1}-${'y'}{}'", "x1-y{}"),
        ("'[not an expression]'", "[not an expression]"),
        ("[for i in range(0, 3): i * i]", [0, 1, 4]),
        ("[for (x, i) in ['a', 'b']: '${i}${x}']", ["0a", "1b"]),
        ("[for (x, i) in ['a', 'b']: [for (y, j) in ['c']: '${i}${x}${j}${y}']]", [["0a0c"], ["1b0c"]]),
        ("[1, ...[2, 3], 4]", [1, 2, 3, 4]),
        ("{ a: 1, ...{ a: 2, b: 3 }}", {"a": 2, "b": 3}),
        ("{ '${'k'}1': 2 }", {"k1": 2}),
        ("{ a: { b: 1 } }.a.b", 1),
        ("{ a: null }.a.?b.c", None),
        ("{ a: 1 }.?z", None),
        ("['a', 'b'][?7]", None),
        ("['a', 'b'][^1]", "b"),
        ("map([1, 2], x => x + 1)", [2, 3]),
        ("filter([1, 2, 3], (x, i) => i > 0)", [2, 3]),
        ("toObject(['a'], k => k, k => '${k}!')", {"a": "a!"}),
        ("sort([2, 1], (a, b) => a < b)", [1, 2]),
        ("sys.length(az.split('a,b', ','))", 2),
        ("any('x')", "x"),
        ("nameof(r)", "r"),
        ("{ copy: [{ name: 'n', count: 1, input: 2 }] }", {"copy": [{"name": "n", "count": 1, "input": 2}]}),
        ("cidrSubnet('10.0.0.0/16', 24, 2)", "10.0.2.0/24"),
        ("'''\na ${b}\n'''", "a ${b}\n"),
    ],
)
def test_an_expression_has_the_value_that_the_compiled_template_gives_it(
    expression: str, expected: object
) -> None:
    assert evaluated(expression) == expected


def test_functions_and_types_of_the_user_are_followed() -> None:
    before = """
type prefix = { cidr: string, note: string? }
func subnet(of prefix, n int) string => cidrSubnet(of.cidr, 24, n)
func twice(of prefix) string => '${subnet(of, 0)} ${subnet(of, 1)}'
param space prefix = { cidr: '10.1.0.0/16' }
"""
    assert evaluated("twice(space)", before) == "10.1.0.0/24 10.1.1.0/24"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("v: substring('a', 5, 1)", "v: substring('a', 5, 1)"),
        ("v: [substring('a', 5, 1), 2]", "substring('a', 5, 1)"),
        ("v: contains({ a: substring(", "v: contains({ a: substring( …"),
        ("v: 'x${substring('a', 5, 1)}' // why", "v: 'x${substring('a', 5, 1)}'"),
    ],
)
def test_what_cannot_be_evaluated_is_quoted_as_it_is_written(line: str, said: str) -> None:
    more = "\n'a', 5, 1) }, 'x')" if line.endswith("(") else ""
    text = f"resource r 'M.X/y@1' = {{\n  name: 'r'\n  properties: {{\n    {line}{more}\n  }}\n}}\n"
    (notice,) = read(text).notices
    assert notice.message.startswith(f"`{said}` cannot be evaluated: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "".join(
                f"resource r{i} 'M.X/y@1' = {{\n name: '${{r{i - 1}.name}}${{r{i - 1}.name}}'\n}}\n"
                for i in range(1, 40)
            ),
            "more than",
        ),
        (
            "".join(
                f"resource r{i} 'M.X/y@1' = if (r{i - 1}.?properties.a && r{i - 1}.?properties.b) {{\n name: 'a'\n}}\n"
                for i in range(1, 30)
            ),
            "beyond",
        ),
        (
            "resource a 'M.X/y/z@1' = {\n name: 'a'\n parent: b\n}\nresource b 'M.X/y/z@1' = {\n name: 'b'\n parent: a\n}\n",
            "too deeply",
        ),
    ],
)
def test_a_file_that_would_exhaust_the_machine_is_refused(text: str, said: str) -> None:
    first = "param c bool\nresource r0 'M.X/y@1' = if (c) {\n name: 'a'\n}\n"
    assert said in refused(first + text).message


def test_types_that_name_each_other_end() -> None:
    names = "".join(f"type t{i} = t{i + 1} | t{i + 1}\n" for i in range(40))
    assert (
        one(f"{names}type t40 = 'a'\nparam p t0 = 'a'\nresource r 'M.X/y@1' = {{\n name: p\n}}\n").name == "a"
    )


def test_what_exports_and_imports_share_is_one_thing() -> None:
    shared = """
var base = '10.0'
@export()
var ports = { tunnel: 9000, space: '${base}.0.0/16' }
func inner(a string) string => '${a}/${base}'
@export()
func outer(a string) string => inner(a)
@export()
type rule = { port: int }
"""
    main = """
import { ports as known, outer, rule } from 'shared.bicep'
import * as all from 'shared.bicep'
param given rule = { port: known.tunnel }
var base = 'mine'
resource r 'Microsoft.X/y@2024-01-01' = {
  name: 'r'
  properties: {
    a: known.space
    b: all.ports.tunnel
    c: outer(base)
    d: all.outer('x')
    e: given.port
  }
}
"""
    body = one(main, {"shared.bicep": shared}).get("properties")
    assert body == {"a": "10.0.0.0/16", "b": 9000, "c": "mine/10.0", "d": "x/10.0", "e": 9000}


def test_files_beside_the_source_are_loaded() -> None:
    main = """
var folder = 'data'
var rules = loadJsonContent('${folder}/rules.json')
resource r 'Microsoft.X/y@2024-01-01' = {
  name: 'r'
  properties: {
    a: rules[0].name
    b: loadTextContent('data/note.txt')
    c: loadFileAsBase64('data/note.txt')
    d: loadJsonContent('data/rules.json', '$[1].ports')
    e: loadTextContent('../outside.txt')
  }
}
"""
    others = {"data/rules.json": '[{"name": "[x]"}, {"ports": [1, 2]}]', "data/note.txt": "[hello]"}
    resource = one(main, others)
    assert resource.prop("a") == "[x]"
    assert resource.prop("b") == "[hello]"
    assert resource.prop("c") == "W2hlbGxvXQ=="
    assert resource.prop("d") == [1, 2]
    outside = resource.prop("e")
    assert isinstance(outside, Unknown)
    assert outside.why == "the file `../outside.txt` is not among the inputs"
    assert outside.origin.line == 11


def test_yaml_is_loaded_where_it_can_be() -> None:
    pytest.importorskip("yaml")
    main = "var y = loadYamlContent('a.yaml')\nresource r 'Microsoft.X/y@1' = {\n name: 'r'\n properties: { p: y.ports[1] }\n}\n"
    assert one(main, {"a.yaml": "ports:\n  - 443\n  - 9000\n"}).prop("p") == 9000
    assert "YAML" in refused(main, {"a.yaml": "a: [\n"}).message


@pytest.mark.parametrize(
    ("main", "line", "said"),
    [
        ("resource r 'Microsoft.X/y@1' = {\n  name: nobody\n}\n", 2, "`nobody` is not declared"),
        ("resource r 'Microsoft.X/y@1' = {\n  properties: {}\n}\n", 1, "has no `name`"),
        ("param a string\nparam a string\n", 2, "declared twice"),
        ("resource r 'Microsoft.X/y@1' = {\n  name: 'r'\n  scope: 'x'\n}\n", 3, "`scope` is"),
        ("resource r 'Microsoft.X/y@1' = {\n  name: 'r'\n  parent: 'x'\n}\n", 3, "is expected"),
        ("resource r 'Microsoft.X/${'y'}@1' = {\n  name: 'r'\n}\n", 1, "plain text"),
        ("module m 'main.bicep' = {\n  name: 'm'\n}\n", 1, "contains itself"),
        ("var a = b\nvar b = a\nresource r 'Microsoft.X/y@1' = {\n  name: a\n}\n", None, "depends on itself"),
        ("resource r 'routeTables@2024-05-01' = {\n  name: 'r'\n}\n", 1, "is not a resource type"),
        ("targetScope = 'planet'\n", 1, "`targetScope` is one of"),
        ("import { x } from 'empty.bicep'\nvar y = x\n", 2, "exports no variable `x`"),
    ],
)
def test_source_that_cannot_be_compiled_is_refused_at_its_line(
    main: str, line: int | None, said: str
) -> None:
    error = refused(main, {"empty.bicep": "var z = 1\n"})
    assert said in error.message
    if line is not None:
        assert (error.path, error.line) == ("main.bicep", line)


def test_a_broken_module_is_refused_in_its_own_file() -> None:
    error = refused("\nmodule m 'm.bicep' = {\n  name: 'm'\n}\n", {"m.bicep": "\n\nresource\n"})
    assert (error.path, error.line) == ("m.bicep", 3)
