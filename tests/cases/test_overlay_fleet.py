"""A plan over a fleet of clusters that are all alike: what it changes about one concerns that one alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import builders as b
from tests.cases.test_overlay_terraform import RULE, deleted, hub, security_rule
from tests.overlays import Desk, Json, plan, planned, snapshot

COUNT = 3
NODES = b.subnet_id("net1", "nodes")
TABLE = b.rid("routeTables", "t1")


def fleet() -> bytes:
    """A hub and spokes that differ in names and addresses alone."""
    _, *shared = hub()
    peerings = [b.peering(f"net{i}") for i in range(COUNT)]
    rows = [b.vnet("hub", "10.9.0.0/16", b.subnet("AzureFirewallSubnet", "10.9.0.0/26"), peerings=peerings)]
    rows += shared
    for i in range(COUNT):
        nodes = b.subnet("nodes", f"10.{i + 1}.0.0/22", nsg=f"g{i}", table=f"t{i}")
        rows += [
            b.vnet(f"net{i}", f"10.{i + 1}.0.0/16", nodes, peerings=[b.peering("hub")]),
            b.nsg(f"g{i}"),
            b.table(f"t{i}", b.route("default", "0.0.0.0/0", "VirtualAppliance", "10.9.0.4")),
            b.cluster("nodes", name=f"aks{i}", network=f"net{i}"),
        ]
    return snapshot(*rows)


ROUTE = {
    "name": "default",
    "route_table_name": "t1",
    "address_prefix": "0.0.0.0/0",
    "next_hop_type": "None",
}
TABLED = {"id": NODES, "subnet_id": NODES, "route_table_id": TABLE}
PEERED = {
    "id": b.rid("virtualNetworks/virtualNetworkPeerings", "net1", "to-hub"),
    "name": "to-hub",
    "virtual_network_name": "net1",
    "remote_virtual_network_id": b.rid("virtualNetworks", "hub"),
}
CHANGES = {
    "a rule": (planned(RULE, security_rule(network_security_group_name="g1")), "blocked"),
    "a route": (planned("azurerm_route.default", ROUTE), "blocked"),
    "no table": (deleted("azurerm_subnet_route_table_association.nodes", TABLED), "unknown"),
    "no peering": (deleted("azurerm_virtual_network_peering.hub", PEERED), "blocked"),
    "a table that is still in use": (
        deleted("azurerm_route_table.t", {"id": TABLE, "name": "t1"}),
        "unknown",
    ),
}


@pytest.mark.parametrize(("change", "verdict"), CHANGES.values(), ids=CHANGES)
def test_a_change_to_one_of_many_alike_concerns_that_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Json, verdict: str
) -> None:
    report = Desk(tmp_path, capsys).scan(fleet(), plan(change))
    found = {one["name"]: one["tunnel"]["verdict"] for one in report["clusters"]}
    assert found == {"aks0": "open", "aks1": verdict, "aks2": "open"}
