"""Bicep sources as resources, at the lines where they are declared."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.bicep_sources import one, read

from aks_egress.arm.resources import Kind
from aks_egress.values import Origin, Unknown
from aks_egress_scan.readers.base import Source
from aks_egress_scan.readers.bicep import READER

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
        for path in (
            ("list", 0),
            ("list", 1, "b"),
            ("list", 2),
            ("list", 3),
            ("object", "a"),
            ("object", "c"),
        )
    }
    assert lines == {
        ("list", 0): 6,
        ("list", 1, "b"): 7,
        ("list", 2): 8,
        ("list", 3): 9,
        ("object", "a"): 11,
        ("object", "c"): 14,
    }


def test_a_spread_of_what_is_not_known_leaves_the_list_unknown() -> None:
    resource = one(
        "param more array\nresource r 'M.X/y@1' = {\n  name: 'r'\n  properties: { l: [1, ...more] }\n}\n"
    )
    assert isinstance(resource.prop("l"), Unknown)


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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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


def test_other_files_are_left_to_others() -> None:
    assert READER.claims(Source("a/main.BICEP", b""))
    assert not READER.claims(Source("main.json", b"{}"))


@pytest.mark.parametrize(
    "declared",
    [
        "resource d 'Microsoft.ContainerService/managedClusters/providers/diagnosticSettings@1' = {\n  name: '${aks.name}/Microsoft.Insights/default'\n}",
        "resource d 'Microsoft.ContainerService/managedClusters/providers/diagnosticSettings@1' = {\n  parent: aks\n  name: 'Microsoft.Insights/default'\n}",
        "resource d 'Microsoft.Insights/diagnosticSettings@1' = {\n  scope: aks\n  name: 'default'\n}",
    ],
)
def test_an_extension_has_one_id_however_its_type_is_written(declared: str) -> None:
    text = f"resource aks 'Microsoft.ContainerService/managedClusters@1' = {{\n  name: 'aks'\n}}\n{declared}\noutput o string = d.id\n"
    document = read(text)
    wanted = "/managedClusters/aks/providers/Microsoft.Insights/diagnosticSettings/default"
    assert str(document.resources[1].id).endswith(wanted)
    assert not document.notices
    assert not document.unread
