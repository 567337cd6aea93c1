"""Bicep sources as resources: what the language says, at the lines where it says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from aks_egress.arm.resources import Document, Kind, Resource
from aks_egress.values import Origin, Unknown
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.bicep import READER


def source(files: Mapping[str, str], path: str) -> Source:
    """A file among others in one folder."""

    def sibling(name: str) -> Source | None:
        plain = name.removeprefix("./")
        return source(files, plain) if plain in files else None

    return Source(path, files[path].encode(), sibling)


def read(main: str, others: Mapping[str, str] | None = None, **values: str) -> Document:
    files = {"main.bicep": main, **(others or {})}
    (document,) = READER.read(source(files, "main.bicep"), Parameters(values=tuple(values.items())))
    return document


def one(main: str, others: Mapping[str, str] | None = None, **values: str) -> Resource:
    (resource,) = read(main, others, **values).resources
    return resource


def evaluated(expression: str, before: str = "") -> Any:
    """The value of an expression in the body of a resource."""
    text = f"{before}\nresource r 'Microsoft.X/y@2024-01-01' = {{\n  name: 'r'\n  properties: {{\n    v: {expression}\n  }}\n}}\n"
    return next(one for one in read(text).resources if one.name == "r").prop("v")


def refused(main: str, others: Mapping[str, str] | None = None) -> MalformedError:
    with pytest.raises(MalformedError) as caught:
        read(main, others)
    return caught.value


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


NETWORK = """param names string[] = ['a', 'b', 'c']
param location string

resource rt 'Microsoft.Network/routeTables@2024-05-01' = {
  name: 'rt'
  location: location
  properties: {
    routes: [
      {
        name: 'default'
        properties: {
          addressPrefix: '0.0.0.0/0'
          nextHopType: 'None'
        }
      }
    ]
  }
}

resource nsg 'Microsoft.Network/networkSecurityGroups@2024-05-01' = [
  for (name, i) in names: if (i != 1) {
    name: 'nsg-${name}'
    location: location
    properties: {
      securityRules: [
        for (port, j) in [443, 9000]: {
          name: '${name}-${port}'
          properties: {
            priority: 100 + i * 10 + j
            destinationPortRange: string(port)
          }
        }
      ]
    }
  }
]

resource vnet 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: 'vnet'
  location: location
  properties: {
    addressSpace: { addressPrefixes: ['10.0.0.0/16'] }
  }

  resource nodes 'subnets' = {
    name: 'nodes'
    properties: {
      addressPrefix: cidrSubnet(vnet.properties.addressSpace.addressPrefixes[0], 24, 1)
      routeTable: { id: rt.id }
      networkSecurityGroup: { id: nsg[2].id }
    }
  }
}

resource pods 'Microsoft.Network/virtualNetworks/subnets@2024-05-01' = {
  parent: vnet
  name: 'pods'
  properties: {
    addressPrefix: nodes2.properties.addressPrefix
  }
}

resource nodes2 'Microsoft.Network/virtualNetworks/subnets@2024-05-01' existing = {
  name: '${vnet.name}/nodes'
}

output nodes string = vnet::nodes.id
"""


def test_a_network_is_read_with_its_children_loops_and_links() -> None:
    document = read(NETWORK, location="westeurope")
    found = {"/".join(one.id.names): one for one in document.resources}
    assert list(found) == ["rt", "nsg-a", "nsg-c", "vnet", "vnet/nodes", "vnet/pods"]
    nodes = found["vnet/nodes"]
    assert nodes.id.type == "Microsoft.Network/virtualNetworks/subnets"
    assert nodes.prop("addressPrefix") == "10.0.1.0/24"
    assert nodes.prop("routeTable", "id") == str(found["rt"].id)
    assert nodes.prop("networkSecurityGroup", "id") == str(found["nsg-c"].id)
    assert found["vnet/pods"].prop("addressPrefix") == "10.0.1.0/24"
    rules = found["nsg-c"].prop("securityRules")
    assert isinstance(rules, list)
    assert [(rule["name"], rule["properties"]["priority"]) for rule in rules] == [
        ("c-443", 120),
        ("c-9000", 121),
    ]  # type: ignore[call-overload,index]


def test_every_part_stands_at_its_line() -> None:
    document = read(NETWORK, location="westeurope")
    assert document.kind is Kind.BICEP
    found = {one.name: one for one in document.resources}
    lines = NETWORK.splitlines()

    def at(resource: str, *path: str | int) -> str:
        line = document.locate(found[resource].place(*path))
        assert line is not None
        return lines[line - 1].strip()

    assert at("rt") == "resource rt 'Microsoft.Network/routeTables@2024-05-01' = {"
    assert at("rt", "properties", "routes", 0, "properties", "nextHopType") == "nextHopType: 'None'"
    assert (
        at("nsg-c", "properties", "securityRules", 1, "properties", "priority")
        == "priority: 100 + i * 10 + j"
    )
    assert at("nodes", "properties", "routeTable", "id") == "routeTable: { id: rt.id }"
    assert at("pods", "properties", "addressPrefix") == "addressPrefix: nodes2.properties.addressPrefix"


SPOKE = """param name string
param routes object[] = []
param hop string?
resource rt 'Microsoft.Network/routeTables@2024-05-01' = {
  name: name
  properties: {
    routes: map(routes, r => { name: r.name, properties: { nextHopIpAddress: hop } })
  }
}
output id string = rt.id
output names string[] = [for r in routes: r.name]
"""


def test_modules_are_followed_with_parameters_outputs_scopes_and_lines() -> None:
    main = """module spokes 'spoke.bicep' = [for (name, i) in ['one', 'two']: {
  name: 'deploy-${name}'
  scope: resourceGroup('rg-${name}')
  params: {
    name: 'rt-${name}'
    routes: [for r in ['a', 'b']: { name: '${name}-${r}' }]
    hop: '10.0.0.${i}'
  }
}]
resource subnet 'Microsoft.Network/virtualNetworks/subnets@2024-05-01' = {
  name: 'v/s'
  properties: {
    routeTable: { id: spokes[1].outputs.id }
    seen: spokes[0].outputs.names
  }
}
"""
    document = read(main, {"spoke.bicep": SPOKE})
    _, two, subnet = document.resources
    assert str(two.id).endswith("/resourceGroups/rg-two/providers/Microsoft.Network/routeTables/rt-two")
    assert two.prop("routes", 1) == {"name": "two-b", "properties": {"nextHopIpAddress": "10.0.0.1"}}
    assert subnet.prop("routeTable", "id") == str(two.id)
    assert subnet.prop("seen") == ["one-a", "one-b"]
    place = two.place("properties", "routes")
    assert (place.path, document.locate(place)) == ("spoke.bicep", 7)


def test_parts_around_a_spread_keep_their_lines() -> None:
    text = """var more = ['z']
resource r 'M.X/y@1' = {
  name: 'r'
  properties: {
    list: [
      'a'
      { b: 1 }
      ...more
      'c'
    ]
    object: {
      a: 1
      ...{ b: 2 }
      c: 3
    }
  }
}
"""
    document = read(text)
    (resource,) = document.resources
    assert resource.prop("list") == ["a", {"b": 1}, "z", "c"]
    lines = {
        path: document.locate(resource.place("properties", *path))
        for path in (("list", 0), ("list", 1, "b"), ("list", 3), ("object", "a"), ("object", "c"))
    }
    assert lines == {
        ("list", 0): 6,
        ("list", 1, "b"): 7,
        ("list", 3): 5,
        ("object", "a"): 11,
        ("object", "c"): 14,
    }


def test_a_place_in_another_document_is_nowhere_here() -> None:
    document = read(SPOKE, name="rt")
    elsewhere = Origin("other.bicep", None, ("resources", "groups", "properties"))
    assert document.locate(elsewhere) is None


def test_a_condition_keeps_or_drops_a_resource_and_what_is_nested_in_it() -> None:
    text = """param on bool
resource a 'Microsoft.X/y@2024-01-01' = if (on) {
  name: 'a'
  resource b 'z' = if (1 == 1) { name: 'b' }
}
resource c 'Microsoft.X/y@2024-01-01' = {
  name: 'c'
  properties: { seen: a.?properties.size ?? 'none' }
}
"""
    assert [one.name for one in read(text, on="true").resources] == ["a", "b", "c"]
    (lone,) = read(text, on="false").resources
    assert lone.prop("seen") == "none"
    assert all(one.uncertain for one in read(text).resources[:2])


def test_an_index_counts_the_turns_of_a_loop_that_a_condition_left_out() -> None:
    text = """
resource many 'Microsoft.X/y@2024-01-01' = [for i in range(0, 3): if (i > 0) {
  name: 'n${i}'
  properties: { size: i }
}]
resource r 'Microsoft.X/z@2024-01-01' = {
  name: 'r'
  properties: { seen: many[2].properties.size }
}
"""
    found = {one.name: one for one in read(text).resources}
    assert list(found) == ["n1", "n2", "r"]
    assert found["r"].prop("seen") == 2


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


def test_a_parameters_file_gives_values_and_its_base_gives_the_rest() -> None:
    files = {
        "main.bicep": "param a string\nparam b int\nparam c string = 'own'\nparam d string = 'own'\n"
        "resource r 'Microsoft.X/y@1' = {\n  name: 'r'\n  properties: { a: a, b: b, c: c, d: d }\n}\n",
        "base.bicepparam": "using none\nparam a = 'base'\nparam c = 'base'\n",
        "prod.bicepparam": "using './main.bicep'\nextends 'base.bicepparam'\nvar n = 2\n"
        "param b = n + 1\nparam c = '${toUpper('x')}${n}'\nparam d = readEnvironmentVariable('D', 'x')\n",
        "other.bicepparam": "using './else.bicep'\nparam a = 'other'\n",
        "else.bicep": "param a string\n",
        "far.bicepparam": "using 'br:example.azurecr.io/a:1'\nparam a = 'far'\n",
    }
    main, prod, other, far = (
        source(files, name)
        for name in ("main.bicep", "prod.bicepparam", "other.bicepparam", "far.bicepparam")
    )
    (direct,) = READER.read(prod, Parameters())
    (given,) = READER.read(main, Parameters(files=(prod, other, far), values=(("b", "7"),)))
    for document, number in ((direct, 3), (given, 7)):
        (resource,) = document.resources
        assert [resource.prop(name) for name in "abc"] == ["base", number, "X2"]
        assert isinstance(resource.prop("d"), Unknown)


def test_the_parameters_file_of_the_same_name_is_taken_and_said_so() -> None:
    files = {
        "main.bicep": "param a string\nresource r 'Microsoft.X/y@1' = {\n  name: a\n}\n",
        "main.bicepparam": "using 'main.bicep'\nparam a = 'beside'\n",
    }
    (document,) = READER.read(source(files, "main.bicep"), Parameters())
    assert [one.name for one in document.resources] == ["beside"]
    assert [one.code for one in document.notices] == ["parameters-beside"]


def test_secrets_are_never_known() -> None:
    main = """
@secure()
param key string = 'hunter2'
resource kv 'Microsoft.KeyVault/vaults@2023-07-01' existing = { name: 'kv' }
module m 'm.bicep' = {
  name: 'm'
  params: { key: kv.getSecret('k'), list: kv.listSecrets() }
}
resource r 'Microsoft.X/y@1' = {
  name: 'r'
  properties: { key: key }
}
"""
    module = "@secure()\nparam key string\nparam list object\nresource s 'Microsoft.X/y@1' = {\n  name: 's'\n  properties: { k: key, l: list }\n}\n"
    first, second = read(main, {"m.bicep": module}).resources
    assert isinstance(first.prop("k"), Unknown)
    assert isinstance(first.prop("l"), Unknown)
    assert isinstance(second.prop("key"), Unknown)


def test_a_module_that_is_not_at_hand_is_named_and_its_outputs_are_unknown() -> None:
    main = """
module far 'br/public:avm/res/network/route-table:0.4.0' = {
  name: 'far'
}
module gone 'gone.bicep' = {
  name: 'gone'
}
resource r 'Microsoft.X/y@1' = {
  name: 'r'
  properties: { a: far.outputs.resourceId, b: gone.outputs.id }
}
"""
    document = read(main)
    (resource,) = document.resources
    assert isinstance(resource.prop("a"), Unknown)
    assert isinstance(resource.prop("b"), Unknown)
    assert "*" in document.unread
    said = " ".join(one.message for one in document.notices)
    assert "br/public:avm/res/network/route-table:0.4.0" in said
    assert "gone.bicep" in said


def test_a_registry_module_is_read_from_the_local_module_cache(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "br" / "example.azurecr.io" / "team$network$rt" / "1.0.0$"
    folder.mkdir(parents=True)
    compiled = '{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "resources": [\n{"type": "Microsoft.X/y", "apiVersion": "1", "name": "cached"}]}'
    (folder / "main.json").write_text(compiled)
    monkeypatch.setenv("BICEP_CACHE_DIRECTORY", str(tmp_path))
    config = '{"moduleAliases": {"br": {"team": {"registry": "example.azurecr.io", "modulePath": "team/network"}}}}'
    document = read("module m 'br/team:rt:1.0.0' = {\n  name: 'm'\n}\n", {"bicepconfig.json": config})
    (resource,) = document.resources
    assert resource.name == "cached"
    place = resource.origin
    assert (place.path, document.locate(place)) == ("br:example.azurecr.io/team/network/rt:1.0.0", 2)


@pytest.mark.parametrize(
    ("scope", "target", "expected"),
    [
        (
            "resourceGroup('other')",
            "resourceGroup",
            "/subscriptions/{subscription}/resourceGroups/other/providers/",
        ),
        (
            "resourceGroup('s1', 'other')",
            "resourceGroup",
            "/subscriptions/s1/resourceGroups/other/providers/",
        ),
        ("rg", "subscription", "/subscriptions/{subscription}/resourceGroups/made/providers/"),
        ("subscription('s2')", "resourceGroup", "/subscriptions/s2/providers/"),
        ("tenant()", "resourceGroup", "/providers/"),
        (
            "true ? resourceGroup('x') : resourceGroup()",
            "resourceGroup",
            "/subscriptions/{subscription}/resourceGroups/x/providers/",
        ),
    ],
)
def test_a_scope_decides_where_something_is(scope: str, target: str, expected: str) -> None:
    group = (
        "resource rg 'Microsoft.Resources/resourceGroups@2024-03-01' existing = { name: 'made' }\n"
        if scope == "rg"
        else ""
    )
    main = (
        f"targetScope = '{target}'\n{group}"
        f"resource e 'Microsoft.X/y@1' existing = {{\n  name: 'e'\n  scope: {scope}\n}}\n"
        "resource r 'Microsoft.Z/w@1' = {\n  name: 'r'\n  properties: { id: e.id }\n}\n"
    )
    found = one(main).prop("id")
    assert str(found).startswith(expected)
    assert str(found).endswith("Microsoft.X/y/e")


def test_an_extension_resource_has_the_id_of_what_it_extends() -> None:
    main = """
resource a 'Microsoft.X/y@1' = { name: 'a' }
resource lock 'Microsoft.Authorization/locks@2020-05-01' = {
  name: 'keep'
  scope: a
}
resource r 'Microsoft.X/z@1' = {
  name: 'r'
  properties: { lock: lock.id }
}
"""
    found = {one.name: one for one in read(main).resources}
    assert str(found["keep"].id) == f"{found['a'].id}/providers/Microsoft.Authorization/locks/keep"
    assert found["r"].prop("lock") == str(found["keep"].id)


def test_resources_of_extensions_are_not_azure_resources() -> None:
    main = """
extension kubernetes with { kubeConfig: 'x' } as k8s
resource ns 'core/Namespace@v1' = { metadata: { name: 'n' } }
resource r 'Microsoft.X/y@1' = {
  name: 'r'
  properties: { n: ns.metadata.name }
}
"""
    assert isinstance(one(main).prop("n"), Unknown)


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


def test_other_files_are_left_to_others() -> None:
    assert READER.claims(Source("a/main.BICEP", b""))
    assert not READER.claims(Source("main.json", b"{}"))
