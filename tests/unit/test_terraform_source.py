"""Root modules as Terraform reads them: files together, variables, modules, instances, places."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("tree_sitter_hcl")

from tests.terraform_folder import NO_PARAMETERS, document_of

from aks_egress.arm.resources import Document, Kind, Resource
from aks_egress.values import Unknown, unknowns
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.hcl import parser
from aks_egress_scan.readers.terraform_source import READER

GROUP = """
resource "azurerm_network_security_group" "%s" {
  name                = "%s"
  location            = "westeurope"
  resource_group_name = "rg"
%s
}
"""


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def read(folder: Path, files: dict[str, str], parameters: Parameters = NO_PARAMETERS) -> Document:
    return document_of(written(folder, files), parameters=parameters)


def by_address(document: Document) -> dict[str, Resource]:
    return {one.address: one for one in document.resources}


def group(name: str, more: str = "") -> str:
    return GROUP % (name, name, more)


def test_all_files_of_a_folder_are_one_document(tmp_path: Path) -> None:
    document = read(tmp_path, {"a.tf": group("one"), "b.tf": group("two"), "deeper/c.tf": group("three")})
    assert document.kind is Kind.TERRAFORM_SOURCE
    assert set(by_address(document)) == {
        "azurerm_network_security_group.one",
        "azurerm_network_security_group.two",
    }


def test_an_override_file_replaces_settings_and_blocks(tmp_path: Path) -> None:
    rule = 'security_rule {\n name = "%s"\n priority = %d\n}\n'
    files = {
        "main.tf": group("one", rule % ("a", 100) + rule % ("b", 110)),
        "main_override.tf": 'resource "azurerm_network_security_group" "one" {\n  location = "eastus"\n'
        + rule % ("c", 120)
        + "}\n",
    }
    (found,) = read(tmp_path, files).resources
    assert found.get("location") == "eastus"
    assert [row["name"] for row in found.prop("securityRules")] == ["c"]  # type: ignore[union-attr,index,call-overload]
    assert found.name == "one"


def test_json_syntax_says_the_same_as_native_syntax(tmp_path: Path) -> None:
    native = read(
        tmp_path / "native",
        {
            "main.tf": 'variable "n" { default = "x" }\n'
            + group(
                "one",
                'security_rule {\n name = "r-${var.n}"\n priority = 100\n}\n'
                'dynamic "security_rule" {\n for_each = ["a"]\n content {\n name = security_rule.value\n }\n }',
            )
        },
    )
    spelled = {
        "variable": {"n": {"default": "x"}},
        "resource": {
            "azurerm_network_security_group": {
                "one": {
                    "//": "a comment",
                    "name": "one",
                    "location": "westeurope",
                    "resource_group_name": "rg",
                    "security_rule": [{"name": "r-${var.n}", "priority": 100}],
                }
            }
        },
    }
    json_form = read(tmp_path / "json", {"main.tf.json": json.dumps(spelled)})
    (a,), (b,) = native.resources, json_form.resources
    assert a.prop("securityRules", 0) == b.prop("securityRules", 0)
    assert a.prop("securityRules", 1, "name") == "a"
    assert a.id == b.id


def test_json_objects_are_blocks_where_the_provider_has_blocks(tmp_path: Path) -> None:
    spelled = {
        "resource": {
            "azurerm_firewall": {
                "fw": {
                    "name": "fw",
                    "resource_group_name": "rg",
                    "location": "westeurope",
                    "ip_configuration": {"name": "ip"},
                }
            },
            "azurerm_route": {
                "out": {
                    "name": "out",
                    "resource_group_name": "rg",
                    "route_table_name": "t",
                    "address_prefix": "0.0.0.0/0",
                    "next_hop_in_ip_address": "${azurerm_firewall.fw.ip_configuration[0].private_ip_address}",
                }
            },
        }
    }
    found = by_address(read(tmp_path, {"main.tf.json": json.dumps(spelled, indent=1)}))
    hop = found["azurerm_route.out"].prop("nextHopIpAddress")
    assert isinstance(hop, Unknown)
    assert [one.id for one in hop.refers_to] == [str(found["azurerm_firewall.fw"].id)]
    address = found["azurerm_firewall.fw"].prop("ipConfigurations", 0, "properties", "privateIPAddress")
    assert isinstance(address, Unknown)


def test_the_spelling_of_version_0_11_is_understood(tmp_path: Path) -> None:
    text = """
variable "names" { type = "list", default = ["a", "b"] }
variable "tags" { type = "map" default = { x = "y" } }
resource "azurerm_subnet" "s" {
  count                = "${length(var.names)}"
  name                 = "${element(var.names, count.index)}"
  resource_group_name  = "${var.tags["x"]}"
  virtual_network_name = "v"
  address_prefix       = "${cidrsubnet("10.0.0.0/16", 8, count.index)}"
}
resource "azurerm_subnet_network_security_group_association" "s" {
  count                     = 2
  subnet_id                 = "${azurerm_subnet.s.*.id[count.index]}"
  network_security_group_id = "${join("", azurerm_network_security_group.one.*.id)}"
}
""".replace('"list", default', '"list"\n default').replace('"map" default', '"map"\n default')
    document = read(tmp_path, {"main.tf": text + group("one")})
    found = by_address(document)
    assert found["azurerm_subnet.s[1]"].prop("addressPrefix") == "10.0.1.0/24"
    assert found["azurerm_subnet.s[1]"].id.scope.endswith("/resourcegroups/y")
    group_id = found["azurerm_subnet.s[0]"].prop("networkSecurityGroup", "id")
    assert isinstance(group_id, Unknown)


def test_later_sources_of_variables_win(tmp_path: Path) -> None:
    files = {
        "main.tf": "".join(f'variable "{name}" {{\n default = "default"\n}}\n' for name in "abcdef")
        + group("one").replace('"westeurope"', '"${var.a}-${var.b}-${var.c}-${var.d}-${var.e}-${var.f}"'),
        "terraform.tfvars": "".join(f'{name} = "tfvars"\n' for name in "bcdef"),
        "terraform.tfvars.json": json.dumps(dict.fromkeys("cdef", "json")),
        "x.auto.tfvars": "".join(f'{name} = "auto"\n' for name in "def"),
    }
    given = Source("prod.tfvars", b'e = "file"\nf = "file"\n')
    document = read(tmp_path, files, Parameters((given,), (("f", "value"),)))
    (found,) = document.resources
    assert found.get("location") == "default-tfvars-json-auto-file-value"


def test_values_on_the_command_line_follow_the_type(tmp_path: Path) -> None:
    text = 'variable "s" { type = string }\nvariable "l" { type = list(string) }\nvariable "u" {}\n' + group(
        "one"
    ).replace('"westeurope"', '"${var.s}-${join("+", var.l)}-${var.u}"')
    given = (("s", "[1]"), ("l", '["a", "b"]'), ("u", "free text"))
    (found,) = read(tmp_path, {"main.tf": text}, Parameters((), given)).resources
    assert found.get("location") == "[1]-a+b-free text"
    with pytest.raises(MalformedError, match="no expression"):
        read(tmp_path, {"main.tf": text}, Parameters((), (("l", "[a"),)))


MODULE = """
variable "names" { type = set(string) }
variable "prefix" {
  type    = string
  default = "n"
}
resource "azurerm_network_security_group" "g" {
  for_each            = var.names
  name                = "${var.prefix}-${each.key}"
  location            = "westeurope"
  resource_group_name = "rg"
}
output "ids" { value = { for k, g in azurerm_network_security_group.g : k => g.id } }
output "folder" { value = path.module }
"""


def test_modules_on_disk_are_instantiated(tmp_path: Path) -> None:
    root = """
module "net" {
  source   = "./modules/net"
  for_each = { x = ["a", "b"], y = ["c"] }
  names    = each.value
  prefix   = each.key
}
resource "azurerm_network_interface_security_group_association" "a" {
  network_interface_id      = azurerm_network_interface.n.id
  network_security_group_id = module.net["x"].ids["b"]
}
resource "azurerm_network_interface" "n" {
  name                = module.net["y"].folder
  location            = "westeurope"
  resource_group_name = "rg"
}
"""
    found = by_address(read(tmp_path, {"main.tf": root, "modules/net/main.tf": MODULE}))
    assert found['module.net["x"].azurerm_network_security_group.g["b"]'].name == "x-b"
    nic = found["azurerm_network_interface.n"]
    assert nic.name == "._modules_net"
    linked = nic.prop("networkSecurityGroup", "id")
    assert isinstance(linked, Unknown)
    assert [one.id for one in linked.refers_to] == [
        str(found['module.net["x"].azurerm_network_security_group.g["b"]'].id)
    ]


def test_modules_that_init_fetched_are_read(tmp_path: Path) -> None:
    index = {"Modules": [{"Key": "", "Dir": "."}, {"Key": "net", "Dir": ".terraform/modules/net/sub"}]}
    files = {
        "main.tf": 'module "net" {\n  source = "Azure/net/azurerm"\n  names = ["a"]\n}\n',
        ".terraform/modules/modules.json": json.dumps(index),
        ".terraform/modules/net/sub/main.tf": MODULE,
    }
    document = read(tmp_path, files)
    assert 'module.net.azurerm_network_security_group.g["a"]' in by_address(document)
    assert not document.unread


def test_a_module_that_is_not_on_disk_may_hold_anything(tmp_path: Path) -> None:
    root = 'module "net" {\n  source = "Azure/net/azurerm"\n}\n' + group("one").replace(
        '"westeurope"', "module.net.location"
    )
    document = read(tmp_path, {"main.tf": root})
    assert "`module.net` (`Azure/net/azurerm`) is not on disk" in document.unread["*"].why
    assert [one.code for one in document.notices] == ["missing-module"]
    location = document.resources[0].get("location")
    assert isinstance(location, Unknown)
    assert "not on disk" in location.why


def test_a_module_that_only_makes_names_hides_nothing(tmp_path: Path) -> None:
    root = 'module "naming" {\n  source = "Azure/naming/azurerm"\n}\n' + group("one").replace(
        '"westeurope"', "module.naming.region"
    )
    document = read(tmp_path, {"main.tf": root})
    assert not document.unread
    assert isinstance(document.resources[0].get("location"), Unknown)


def test_a_verified_module_holds_what_its_name_says(tmp_path: Path) -> None:
    root = 'module "m" {\n  source = "Azure/avm-res-%s/azurerm"\n}\n' + group("one")
    identity = read(tmp_path / "a", {"main.tf": root.replace("%s", "managedidentity-userassignedidentity")})
    assert set(identity.unread) == {"microsoft.network/privateendpoints"}
    network = read(tmp_path / "b", {"main.tf": root.replace("%s", "network-routetable")})
    assert "microsoft.network/routetables" in network.unread
    assert "microsoft.containerservice/managedclusters/agentpools" not in network.unread


def test_version_0_11_named_folders_without_a_dot(tmp_path: Path) -> None:
    root = 'module "net" {\n  source = "modules/net"\n  names = ["a"]\n}\n'
    document = read(tmp_path, {"main.tf": root, "modules/net/main.tf": MODULE})
    assert 'module.net.azurerm_network_security_group.g["a"]' in by_address(document)


def test_instances_of_an_unknown_number_are_uncertain(tmp_path: Path) -> None:
    root = 'variable "n" {}\n' + group("one", "count = var.n") + group("two", "for_each = var.n")
    document = read(tmp_path, {"main.tf": root})
    assert all(one.uncertain is not None for one in document.resources)
    assert "microsoft.network/networksecuritygroups" in document.unread
    module = 'variable "n" {}\nmodule "m" {\n source = "./m"\n count = var.n ? 1 : 0\n}\n'
    nested = read(tmp_path / "nested", {"main.tf": module, "m/main.tf": group("one")})
    assert [one.uncertain is not None for one in nested.resources] == [True]


def test_data_sources_exist_and_say_only_what_they_are_asked_with(tmp_path: Path) -> None:
    text = 'data "azurerm_network_security_group" "g" {\n name = "g"\n resource_group_name = "rg"\n}\n'
    (found,) = read(tmp_path, {"main.tf": text}).resources
    assert found.existing
    assert found.name == "g"
    assert isinstance(found.prop("securityRules"), Unknown)


def test_moved_import_and_check_are_ignored(tmp_path: Path) -> None:
    text = """
moved {
  from = azurerm_network_security_group.old
  to   = azurerm_network_security_group.one
}
import {
  to = azurerm_network_security_group.one
  id = "/x"
}
removed {
  from = azurerm_network_security_group.gone
  lifecycle { destroy = false }
}
check "c" {
  data "http" "x" { url = "https://example.com" }
  assert {
    condition     = data.http.x.status_code == 200
    error_message = "no"
  }
}
"""
    document = read(tmp_path, {"main.tf": text + group("one")})
    assert len(document.resources) == 1
    assert not document.notices


def test_dynamic_blocks_stand_in_their_place_with_their_iterator(tmp_path: Path) -> None:
    body = """
  security_rule {
    name = "first"
  }
  dynamic "security_rule" {
    for_each = { b = 2, a = 1 }
    iterator = rule
    content {
      name     = rule.key
      priority = rule.value + 100
    }
  }
  security_rule {
    name = "last"
  }
"""
    document = read(tmp_path, {"main.tf": group("one", body)})
    rows = document.resources[0].prop("securityRules")
    assert [row["name"] for row in rows] == ["first", "a", "b", "last"]  # type: ignore[union-attr,index,call-overload]
    lines = [document.locate(document.resources[0].place("properties", "securityRules", i)) for i in range(4)]
    assert lines == [7, 10, 10, 18]


def test_unknown_dynamic_blocks_leave_the_others_known(tmp_path: Path) -> None:
    body = (
        'security_rule {\n name = "sure"\n}\ndynamic "security_rule" {\n for_each = var.x\n content {}\n}\n'
    )
    (found,) = read(tmp_path, {"main.tf": 'variable "x" {}\n' + group("one", body)}).resources
    rows = found.prop("securityRules")
    assert isinstance(rows, list)
    assert rows[0]["name"] == "sure"  # type: ignore[index,call-overload]
    assert isinstance(rows[1], Unknown)


def test_providers_tell_subscriptions_and_cloud(tmp_path: Path) -> None:
    text = (
        """
provider "azurerm" {
  features {}
  environment     = "usgovernment"
  subscription_id = "11111111-1111-1111-1111-111111111111"
}
provider "azurerm" {
  alias = "hub"
  features {}
  subscription_id = "22222222-2222-2222-2222-222222222222"
}
module "m" {
  source    = "./m"
  providers = { azurerm = azurerm.hub }
}
"""
        + group("one")
        + group("two", "provider = azurerm.hub")
    )
    document = read(tmp_path, {"main.tf": text, "m/main.tf": group("three")})
    assert document.cloud == "usgov"
    assert {one.name: one.id.scope.split("/")[1] for one in document.resources} == {
        "one": "11111111-1111-1111-1111-111111111111",
        "two": "22222222-2222-2222-2222-222222222222",
        "three": "22222222-2222-2222-2222-222222222222",
    }


@pytest.mark.parametrize(
    ("constraint", "sku"),
    [
        ("", "Standard"),
        ("~> 3.0", "Basic"),
        ("=2.60", "Basic"),
        (">= 3.0, < 4.0.0", "Basic"),
        (">= 3.0, < 4.1", "Standard"),
        (">= 3.0", "Standard"),
        ("4.14.0", "Standard"),
    ],
)
def test_defaults_follow_the_version_of_the_provider(tmp_path: Path, constraint: str, sku: str) -> None:
    wanted = f', version = "{constraint}"' if constraint else ""
    text = f'''
terraform {{
  required_providers {{
    azurerm = {{ source = "hashicorp/azurerm"{wanted} }}
  }}
}}
resource "azurerm_public_ip" "p" {{
  name                = "p"
  resource_group_name = "rg"
  location            = "westeurope"
}}
'''
    (found,) = read(tmp_path, {"main.tf": text}).resources
    assert found.get("sku", "name") == sku
    lock = 'provider "registry.example.org/hashicorp/azurerm" {\n  version = "3.116.0"\n}\n'
    (locked,) = read(tmp_path, {".terraform.lock.hcl": lock}).resources
    assert locked.get("sku", "name") == "Basic"


def test_an_azapi_update_is_laid_over_what_it_changes(tmp_path: Path) -> None:
    text = """
resource "azurerm_subnet" "s" {
  name                 = "s"
  resource_group_name  = "rg"
  virtual_network_name = "v"
  address_prefixes     = ["10.0.0.0/24"]
}
resource "azapi_update_resource" "s" {
  type        = "Microsoft.Network/virtualNetworks/subnets@2023-05-01"
  resource_id = azurerm_subnet.s.id
  body = jsonencode({
    properties = { networkSecurityGroup = { id = azurerm_network_security_group.one.id } }
  })
}
resource "azapi_update_resource" "elsewhere" {
  type        = "Microsoft.Network/virtualNetworks/subnets@2023-05-01"
  resource_id = "/subscriptions/x/resourceGroups/y/providers/Microsoft.Network/virtualNetworks/z/subnets/s"
  body        = { properties = { addressPrefix = "10.1.0.0/24" } }
}
"""
    found = by_address(read(tmp_path, {"main.tf": text + group("one")}))
    subnet = found["azurerm_subnet.s"]
    assert subnet.prop("addressPrefixes") == ["10.0.0.0/24"]
    linked = subnet.prop("networkSecurityGroup", "id")
    assert isinstance(linked, Unknown)
    assert linked.refers_to[0].id.endswith("networkSecurityGroups/one")
    elsewhere = found["azapi_update_resource.elsewhere"]
    assert elsewhere.prop("addressPrefix") == "10.1.0.0/24"
    assert isinstance(elsewhere.prop("routeTable"), Unknown)


def test_a_ring_of_locals_is_an_error_with_its_place(tmp_path: Path) -> None:
    text = "locals {\n  a = local.b\n  b = local.c + 1\n  c = local.a\n}\n" + group("one").replace(
        '"westeurope"', "local.a"
    )
    with pytest.raises(MalformedError, match=r"`local.a` → `local.b` → `local.c` → `local.a`") as caught:
        read(tmp_path, {"main.tf": text})
    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ('resource "a" "b" {\n  x = \n}\n', "broken syntax", 2),
        ('resource "a" "b" {\n  x = 1\n', "is missing", None),
        ("locals {\n  a = 1\n  a = 2\n}\n", "`a` is set twice", 3),
        ('resource "a" "b" {}\nresource "a" "b" {}\n', "`a.b` is defined twice", 2),
        ('resource "a" {}\n', "needs a type and a name", 1),
        (
            'variable "x" {\n  type = nothing\n}\n' + group("one").replace('"westeurope"', "var.x"),
            "no type",
            2,
        ),
        (
            'variable "x" {\n  type = list(object)\n}\n' + group("one").replace('"westeurope"', "var.x"),
            "`object` is no type without what it holds",
            2,
        ),
        (group("one", "count = 1000000"), "`count` is beyond", 6),
        ('module "m" {\n  source = "./"\n}\n', "too many modules", None),
        (group("one", 'security_rule {\n name = "\\ud800"\n}\n'), "is no escape", 7),
    ],
)
def test_broken_source_is_refused_with_its_place(
    tmp_path: Path, text: str, said: str, line: int | None
) -> None:
    with pytest.raises(MalformedError, match=said) as caught:
        read(tmp_path, {"main.tf": text})
    assert line is None or caught.value.line == line


@pytest.mark.parametrize(
    "expression",
    [
        "local.l30",
        'join("", [for a in range(1000) : join("", [for b in range(1000) : "xxxxxxxxxx"])])',
        "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c]]]",
        "[" * 700 + "]" * 700,
        'format("%9999999d", 1)',
        "pow(10, 1000)",
        "setproduct(range(1000), range(1000), range(1000))",
        'replace(join("", local.many), "x", join("", local.many))',
    ],
)
def test_what_grows_beyond_every_bound_ends(tmp_path: Path, expression: str) -> None:
    doubling = "".join(f'  l{i} = "${{local.l{i - 1}}}${{local.l{i - 1}}}"\n' for i in range(1, 31))
    text = f'locals {{\n  l0 = "x"\n  many = [for i in range(1000) : "xxxxxxxxxxxxxxxxxxxxx"]\n{doubling}  v = {expression}\n}}\n'
    files = {"main.tf": text + group("one").replace('"westeurope"', "local.v")}
    try:
        document = read(tmp_path, files)
    except MalformedError:
        return  # refused as a whole, which is an end as well
    assert list(unknowns(document.resources[0].get("location")))


def test_lines_lead_to_attributes_and_blocks(tmp_path: Path) -> None:
    text = 'locals {\n}\n\nresource "azurerm_route_table" "t" {\n  name = "t"\n  resource_group_name = "g"\n  route {\n    name = "a"\n    address_prefix = "0.0.0.0/0"\n  }\n}\n'
    document = read(tmp_path, {"main.tf": text})
    (table,) = document.resources
    assert document.locate(table.origin) == 4
    assert document.locate(table.place("properties", "routes", 0)) == 7
    assert table.place("properties", "routes", 0).path == str(tmp_path / "main.tf")


def test_without_the_extra_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parser._engine.cache_clear()
    monkeypatch.setitem(sys.modules, "tree_sitter_hcl", None)
    with pytest.raises(MalformedError, match=r"install `aks-egress\[terraform\]`"):
        read(tmp_path, {"main.tf": group("one")})


def test_a_file_alone_is_read_where_nobody_can_list_its_folder() -> None:
    (document,) = READER.read(Source("main.tf", group("one").encode()), NO_PARAMETERS)
    assert len(document.resources) == 1
