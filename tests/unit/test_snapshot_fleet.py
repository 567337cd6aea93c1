"""Snapshots of several clusters: what belongs to one cluster is never another's."""

from __future__ import annotations

import copy
import json
from typing import Any

from tests import builders as b
from tests.unit.test_snapshot_reader import NOW, read, row

from aks_egress.engine import judge
from aks_egress.evaluation.verdicts import Verdict
from aks_egress.packets.tags import ServiceTags
from aks_egress.settings import Settings
from aks_egress_scan.live.snapshot import Snapshot, render

Json = dict[str, Any]
DENY = b.rule("deny-internet", 200, "Deny", "Internet")
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"


def team(*rules: Json) -> list[Json]:
    """A cluster with its scale set, in whose security group AKS is to find these rules."""
    group = b.nsg("aks-nsg", *rules)
    card = {
        "name": "nic",
        "properties": {"networkSecurityGroup": {"id": b.rid("networkSecurityGroups", "aks-nsg")}},
    }
    profile = {"networkProfile": {"networkInterfaceConfigurations": [card]}}
    scale_set = b.resource(
        "Microsoft.Compute/virtualMachineScaleSets",
        "aks-pool0",
        {"virtualMachineProfile": profile},
        tags={"aks-managed-poolName": "pool0"},
    )
    network = b.vnet("net", "10.1.0.0/16", b.subnet("nodes", "10.1.0.0/22"))
    cluster = b.cluster("nodes", outbound="loadBalancer", nodeResourceGroup="net")
    return [row(one) for one in (group, scale_set, network, cluster)]


def elsewhere(rows: list[Json]) -> list[Json]:
    """The same in another subscription."""
    moved: list[Json] = json.loads(json.dumps(rows).replace(SUBSCRIPTION, SUBSCRIPTION[:-1] + "2"))
    return moved


def tunnels(rows: list[Json]) -> list[Verdict]:
    snapshot = Snapshot()
    for one in copy.deepcopy(rows):
        snapshot.add(one, one["type"].casefold())
    document = read(render(snapshot, "1", NOW))
    return [one.tunnel.verdict for one in judge([document], Settings(), ServiceTags()).clusters]


def test_the_group_on_a_pools_interfaces_decides() -> None:
    assert tunnels(team(DENY)) == [Verdict.BLOCKED]
    assert tunnels(team()) == [Verdict.OPEN]


def test_a_node_resource_group_of_that_name_in_another_subscription_is_another() -> None:
    assert tunnels([*team(DENY), *elsewhere(team())]) == [Verdict.BLOCKED, Verdict.OPEN]


# hubs that use the same addresses


def behind_hub(*rules: Json) -> list[Json]:
    """A spoke behind a hub whose firewall has these network rules, always at the same address."""
    hub = b.vnet(
        "hub", "10.9.0.0/16", b.subnet("AzureFirewallSubnet", "10.9.0.0/26"), peerings=[b.peering("net")]
    )
    rows = (
        hub,
        b.firewall(),
        b.policy(),
        b.rules_of("policy/aks", 200, b.collection("web", 100, "Allow", *rules)),
        b.vnet(
            "net",
            "10.1.0.0/16",
            b.subnet("nodes", "10.1.0.0/22", table="t"),
            peerings=[b.peering("hub")],
        ),
        b.table("t", b.route("default", "0.0.0.0/0", "VirtualAppliance", "10.9.0.4")),
        b.cluster("nodes"),
    )
    return [row(one) for one in rows]


OPEN = b.network_rule("https", "TCP", "*", "443")
SHUT = b.network_rule("other", "TCP", "*", "8080")


def test_a_next_hop_is_the_firewall_of_the_hub_that_is_peered() -> None:
    """Development and production use the same addresses, and never meet."""
    assert tunnels(behind_hub(OPEN)) == [Verdict.OPEN]
    assert tunnels(behind_hub(SHUT)) == [Verdict.BLOCKED]
    assert tunnels([*behind_hub(OPEN), *elsewhere(behind_hub(SHUT))]) == [Verdict.OPEN, Verdict.BLOCKED]


def test_what_is_found_names_the_cluster_s_own_firewall() -> None:
    shut = behind_hub(SHUT)
    snapshot = Snapshot()
    for one in [*behind_hub(OPEN), *elsewhere(shut)]:
        snapshot.add(one, one["type"].casefold())
    report = judge([read(render(snapshot, "1", NOW))], Settings(), ServiceTags())
    blocked = [one for one in report.clusters if one.tunnel.verdict is Verdict.BLOCKED]
    assert [one.id.split("/")[2][-1] for one in blocked] == ["2"]
