"""What is unknown stays unknown, says why, and still says what it will be where Terraform says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("tree_sitter_hcl")

from tests.terraform_folder import module_of

from aks_egress.values import Reference, Unknown
from aks_egress_scan.readers.hcl.evaluator import settled
from aks_egress_scan.readers.hcl.parser import parse_expression
from aks_egress_scan.readers.hcl.terms import Term

Evaluate = Callable[[str], Term]

CONFIGURATION = """
variable "open" {}
variable "hidden" {
  default   = "s3cret"
  sensitive = true
}
variable "typed" {
  type    = object({ name = string, ports = optional(list(number), [443]) })
  default = { name = 7 }
}
variable "wrong" {
  type    = number
  default = "many"
}
resource "azurerm_virtual_network" "net" {
  name          = "net"
  address_space = ["10.0.0.0/16", var.open]
}
resource "azurerm_subnet" "many" {
  count = 2
  name  = "subnet-${count.index}"
}
resource "azurerm_subnet" "keyed" {
  for_each = { a = 1, b = 2 }
  name     = "subnet-${each.key}"
}
resource "azurerm_subnet" "some" {
  count = var.open
  name  = "some"
}
resource "azurerm_subnet" "alone" {
  count = 1
  name  = "alone"
}
resource "azurerm_public_ip" "out" {
  name = "out"
}
resource "random_string" "suffix" {}
resource "azurerm_firewall" "fw" {
  name = "fw-${random_string.suffix.result}"
  ip_configuration {
    name = "ip"
  }
}
resource "azurerm_resource_group" "rg" {
  name = "rg"
}
resource "azurerm_virtual_network" "inline" {
  name = "inline"
  subnet {
    name = "a"
  }
  subnet {
    name = "b"
  }
}
data "azurerm_subscription" "now" {}
data "azurerm_client_config" "now" {}
data "azurerm_subnet" "old" {
  name = "old"
}
"""


@pytest.fixture
def value(tmp_path: Path) -> Evaluate:
    (tmp_path / "main.tf").write_text(CONFIGURATION, "utf-8")
    module = module_of(tmp_path)

    def evaluated(expression: str) -> Term:
        return settled(parse_expression("test", expression), module.scope("test"))

    return evaluated


@pytest.mark.parametrize(
    ("expression", "address", "path"),
    [
        ("azurerm_virtual_network.net.id", "azurerm_virtual_network.net", ("id",)),
        ("azurerm_subnet.many[1].id", "azurerm_subnet.many[1]", ("id",)),
        ("azurerm_subnet.many.*.id[0]", "azurerm_subnet.many[0]", ("id",)),
        ('azurerm_subnet.keyed["b"].id', 'azurerm_subnet.keyed["b"]', ("id",)),
        ("values(azurerm_subnet.keyed)[0].id", 'azurerm_subnet.keyed["a"]', ("id",)),
        ("{ for k, s in azurerm_subnet.keyed : k => s.id }.b", 'azurerm_subnet.keyed["b"]', ("id",)),
        ("azurerm_subnet.some[0].id", "azurerm_subnet.some[0]", ("id",)),
        (
            "azurerm_firewall.fw.ip_configuration[0].private_ip_address",
            "azurerm_firewall.fw",
            ("ip_configuration", 0, "private_ip_address"),
        ),
        (
            "azurerm_firewall.fw.virtual_hub[0].private_ip_address",
            "azurerm_firewall.fw",
            ("virtual_hub", 0, "private_ip_address"),
        ),
        (
            'one([for s in azurerm_virtual_network.inline.subnet : s.id if s.name == "b"])',
            "azurerm_virtual_network.inline",
            ("subnet", 1, "id"),
        ),
        ("azurerm_firewall.fw.name", "azurerm_firewall.fw", ("name",)),
        ("data.azurerm_subnet.old.id", "data.azurerm_subnet.old", ("id",)),
        ('"${azurerm_public_ip.out.ip_address}/32"', "azurerm_public_ip.out", ("ip_address", "/32")),
        ("azurerm_subnet.alone.id", "azurerm_subnet.alone[0]", ("id",)),
        (
            '"${azurerm_virtual_network.net.id}/subnets/nodes"',
            "azurerm_virtual_network.net",
            ("id", "/subnets/nodes"),
        ),
        ("try(azurerm_subnet.many[7].id, azurerm_subnet.many[0].id)", "azurerm_subnet.many[0]", ("id",)),
        ("coalesce(null, azurerm_virtual_network.net.id)", "azurerm_virtual_network.net", ("id",)),
        ("element(azurerm_subnet.many[*].id, 3)", "azurerm_subnet.many[1]", ("id",)),
        ("concat([1], azurerm_subnet.many[*].id)[2]", "azurerm_subnet.many[1]", ("id",)),
        ("flatten([[azurerm_virtual_network.net.id]])[0]", "azurerm_virtual_network.net", ("id",)),
        ("one([azurerm_virtual_network.net.id])", "azurerm_virtual_network.net", ("id",)),
        ('lookup({ a = azurerm_virtual_network.net.id }, "a", null)', "azurerm_virtual_network.net", ("id",)),
    ],
)
def test_a_promise_keeps_what_it_promises(
    value: Evaluate, expression: str, address: str, path: tuple[object, ...]
) -> None:
    found = value(expression)
    assert isinstance(found, Unknown)
    assert found.refers_to == (Reference(address, path),)


@pytest.mark.parametrize(
    "expression",
    [
        "azurerm_virtual_network.inline.subnet.*.id[0]",
        "tolist(azurerm_virtual_network.inline.subnet)[0].id",
        "element(tolist(azurerm_virtual_network.inline.subnet)[*].id, 1)",
        "[for s in azurerm_virtual_network.inline.subnet : s.id][0]",
        "tolist(toset([azurerm_subnet.many[0].id, azurerm_subnet.many[1].id]))[0]",
    ],
)
def test_a_set_has_no_order_so_any_of_its_elements_may_be_meant(value: Evaluate, expression: str) -> None:
    found = value(expression)
    assert isinstance(found, Unknown)
    assert len(found.refers_to) in (0, 2)


@pytest.mark.parametrize(
    "expression",
    [
        "var.open",
        'upper("${var.open}")',
        "var.open ? 1 : 2",
        "[for x in var.open : x]",
        "length(var.open)",
        "length(azurerm_subnet.some)",
        'join(",", [var.open, "a"])',
        "var.open == 1",
        "contains([var.open], 1)",
        "merge({ a = 1 }, var.open)",
        "azurerm_subnet.some[*].id",
        "upper(azurerm_virtual_network.net.id)",
        "max(1, var.open)",
        "timestamp()",
        "uuid()",
        "terraform.workspace",
        'provider::azurerm::normalise_resource_id("x")',
        "sort([var.open])",
        "cidrsubnet(var.open, 8, 1)",
        "jsonencode({ a = var.open })",
        'templatestring("%{ if x }a%{ endif }", { x = var.open })',
        "!var.open",
        "-var.open",
        "distinct([var.open, 1])",
        'replace(var.open, "a", "b")',
        'regex("^(a+)+$", "' + "a" * 40 + 'b")',
    ],
)
def test_what_comes_of_an_unknown_is_unknown_and_promises_nothing(value: Evaluate, expression: str) -> None:
    found = value(expression)
    assert isinstance(found, Unknown)
    assert found.why
    assert found.refers_to == ()


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("var.open && false", False),
        ("var.open || true", True),
        ("length([var.open, 1])", 2),
        ('contains(["a", var.open], "a")', True),
        ("anytrue([var.open, true])", True),
        ("alltrue([var.open, false])", False),
        ("keys({ a = var.open })[0]", "a"),
        ("var.open ? 3 : 3", 3),
        ("{ a = var.open } == { b = 1 }", False),
        ("length(azurerm_subnet.many)", 2),
        ("azurerm_virtual_network.net.name", "net"),
        ("azurerm_virtual_network.net.address_space[0]", "10.0.0.0/16"),
        ("azurerm_subnet.many[1].name", "subnet-1"),
        ('join(",", azurerm_subnet.many[*].name)', "subnet-0,subnet-1"),
        ("azurerm_firewall.fw.ip_configuration[0].name", "ip"),
        ("var.typed.name", "7"),
        ("var.typed.ports[0]", 443),
        (
            '"/subscriptions/${data.azurerm_client_config.now.subscription_id}/resourceGroups/${var.open}/x"',
            "/subscriptions/{subscription}/resourceGroups/{resource-group}/x",
        ),
        ('"${azurerm_resource_group.rg.id}/x"', "/subscriptions/{subscription}/resourceGroups/rg/x"),
        ("data.azurerm_subscription.now.id", "/subscriptions/{subscription}"),
        ("can(var.nothing)", False),
        ("try(var.nothing, 1)", 1),
    ],
)
def test_what_does_not_turn_on_the_unknown_is_known(value: Evaluate, expression: str, wanted: object) -> None:
    assert value(expression) == wanted


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("var.hidden", "marked as sensitive"),
        ('sensitive("x")', "marked as sensitive"),
        ("var.open", "has no value"),
        ("var.wrong", "does not fit its type"),
        ("local.none", "there is no local `none`"),
        ("azurerm_nothing.x.id", "there is no `azurerm_nothing`"),
        ("nothing(1)", "there is no function `nothing`"),
        ("1 / 0", "division by zero"),
        ("{ a = 1 }.b", "has no `b`"),
        ("[1][4]", "there is no element [4]"),
    ],
)
def test_an_unknown_says_why_and_where(value: Evaluate, expression: str, why: str) -> None:
    found = value(expression)
    assert isinstance(found, Unknown)
    assert why in found.why
    assert found.origin.path or "sensitive" in why
    assert "s3cret" not in repr(found)
