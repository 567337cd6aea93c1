"""A route for one's own public address beside the default route takes nothing from any endpoint (R18)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests import builders as b
from tests.unit import terraform_plans as plans

from aks_egress.arm.resources import Document
from aks_egress.engine import judge
from aks_egress.evaluation.verdicts import Verdict
from aks_egress.settings import Settings
from aks_egress.topology.model import Topology
from aks_egress.topology.routing import route_table
from aks_egress_scan.readers.arm_template import READER
from aks_egress_scan.readers.base import Parameters, Source


def network(*routes: b.Row, pip: dict[str, str] | None = None) -> tuple[b.Row, ...]:
    everything = b.collection("all", 100, "Allow", b.network_rule("any", "Any", "*", "*"))
    return (
        b.vnet(
            "hub", "10.9.0.0/16", b.subnet("AzureFirewallSubnet", "10.9.0.0/26"), peerings=[b.peering("net")]
        ),
        b.vnet(
            "net", "10.1.0.0/16", b.subnet("nodes", "10.1.0.0/22", table="t"), peerings=[b.peering("hub")]
        ),
        b.table("t", b.route("default", "0.0.0.0/0", "VirtualAppliance", "10.9.0.4"), *routes),
        b.resource("publicIPAddresses", "pip", pip or {}),
        b.firewall(),
        b.policy(),
        b.rules_of("policy/aks", 200, everything),
        b.cluster("nodes"),
    )


OWN = b.route("own", "20.50.1.1/32", "Internet")


def test_the_address_of_a_public_ip_among_the_inputs_is_left_out_for_certain() -> None:
    found = b.flow(b.judged(*network(OWN, pip={"ipAddress": "20.50.1.1"})), "mcr.microsoft.com")
    assert (found.verdict, found.assumptions) == (Verdict.OPEN, ())


def test_an_address_that_nobody_holds_is_taken_to_be_ones_own_and_that_is_said() -> None:
    found = b.flow(b.judged(*network(OWN)), "mcr.microsoft.com")
    assert found.verdict is Verdict.OPEN
    assert any("20.50.1.1" in one for one in found.assumptions)


def test_a_whole_range_led_to_the_internet_is_no_address_of_ones_own() -> None:
    found = b.flow(b.judged(*network(b.route("wide", "20.50.0.0/16", "Internet"))), "mcr.microsoft.com")
    assert found.verdict is not Verdict.OPEN


def test_an_address_that_is_not_given_yet_leaves_nothing_undecided() -> None:
    """The prefix is put together from what `reference()` will say of the public IP."""
    address = "[concat(reference(resourceId('Microsoft.Network/publicIPAddresses', 'pip')).ipAddress, '/32')]"
    text = b.template(*network(b.route("own", address, "Internet")))
    assert (
        "reference("
        in json.loads(text)["resources"][2]["properties"]["routes"][1]["properties"]["addressPrefix"]
    )
    report = judge(READER.read(Source("t.json", text.encode()), Parameters()), Settings(), b.NO_TAGS)
    assert b.flow(report, "mcr.microsoft.com").verdict is Verdict.OPEN
    assert b.sole(report).verdict is Verdict.OPEN


SOURCE = """
resource "azurerm_public_ip" "fw" {
  count               = 2
  name                = "pip${count.index}"
  resource_group_name = "rg"
  location            = "eastus"
}
resource "azurerm_public_ip_prefix" "out" {
  name                = "out"
  resource_group_name = "rg"
  location            = "eastus"
}
resource "azurerm_route_table" "t" {
  name                = "t"
  resource_group_name = "rg"
  location            = "eastus"
  route {
    name           = "own"
    address_prefix = "${azurerm_public_ip.fw[0].ip_address}/32"
    next_hop_type  = "Internet"
  }
  dynamic "route" {
    for_each = azurerm_public_ip.fw.*.ip_address
    content {
      name           = "own${route.key}"
      address_prefix = "${route.value}/32"
      next_hop_type  = "Internet"
    }
  }
  route {
    name           = "prefix"
    address_prefix = azurerm_public_ip_prefix.out.ip_prefix
    next_hop_type  = "Internet"
  }
  route {
    name           = "wider"
    address_prefix = "${azurerm_public_ip.fw[0].ip_address}/16"
    next_hop_type  = "Internet"
  }
}
"""


def _own(document: Document) -> dict[str, bool]:
    graph = Topology([document], b.NO_TAGS).graph
    table = route_table(graph, graph.of_kind("Microsoft.Network/routeTables")[0])
    return {one.name: one.own_address for one in table.routes}


def test_an_address_that_azure_gives_out_is_ones_own_in_terraform_source(tmp_path: Path) -> None:
    pytest.importorskip("tree_sitter_hcl")
    from tests.terraform_folder import document_of

    (tmp_path / "main.tf").write_text(SOURCE, "utf-8")
    expected = {"own": True, "own0": True, "own1": True, "prefix": True, "wider": False}
    assert _own(document_of(tmp_path)) == expected


@pytest.mark.parametrize("kind", ["azurerm_public_ip", "azurerm_nat_gateway"])
def test_an_address_that_azure_gives_out_is_ones_own_in_a_plan(kind: str) -> None:
    """A plan names what the prefix is made of; only a public IP makes it an address."""
    own = {"name": {"constant_value": "own"}, "address_prefix": plans.refs(f"{kind}.fw.ip_address")}
    rows = [{"name": "own", "next_hop_type": "Internet", "next_hop_in_ip_address": ""}]
    table = plans.resource(
        "azurerm_route_table.t",
        {"name": "t", "route": rows},
        {"route": [{"address_prefix": True}]},
        {"route": [own]},
    )
    address = plans.resource(f"{kind}.fw", {"name": "fw"}, {"ip_address": True})
    assert _own(plans.read(plans.plan(table, address))) == {"own": kind == "azurerm_public_ip"}
