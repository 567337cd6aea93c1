"""Terraform plans laid over a snapshot of what runs: the hub, and often the spoke, are not in the plan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests import builders as b
from tests.overlays import Desk, Json, deleted, plan, planned, snapshot, tunnel, why

DENY = b.rule("deny-internet", 200, "Deny", "Internet")
ALLOW = b.rule("allow-api", 100, "Allow", "AzureCloud.eastus", "443", protocol="Tcp")
NODES = b.subnet_id("net", "nodes")
GROUP = b.rid("networkSecurityGroups", "g")
TABLE = b.rid("routeTables", "t")


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


WEB = b.collection("web", 100, "Allow", b.network_rule("https", "TCP", "*", "443"))
NONE = b.collection("none", 90, "Deny", b.network_rule("all", "Any", "*", "*"))


def hub(*groups: b.Row) -> tuple[b.Row, ...]:
    return (
        b.vnet(
            "hub", "10.9.0.0/16", b.subnet("AzureFirewallSubnet", "10.9.0.0/26"), peerings=[b.peering("net")]
        ),
        b.firewall(),
        b.policy(),
        *(groups or (b.rules_of("policy/aks", 200, WEB),)),
    )


def spoke(*rules: b.Row, hop: str = "10.9.0.4", group: str = "g", table: str = "t") -> tuple[b.Row, ...]:
    return (
        b.vnet(
            "net",
            "10.1.0.0/16",
            b.subnet("nodes", "10.1.0.0/22", nsg=group, table=table),
            peerings=[b.peering("hub")],
        ),
        b.nsg("g", *rules),
        b.table("t", b.route("default", "0.0.0.0/0", "VirtualAppliance", hop)),
    )


CLUSTER: Json = {
    "name": "aks",
    "location": "eastus",
    "dns_prefix": "aks",
    "default_node_pool": [{"name": "system", "vnet_subnet_id": NODES}],
    "network_profile": [{"network_plugin": "azure", "outbound_type": "userDefinedRouting"}],
}


def cluster() -> Json:
    return planned("azurerm_kubernetes_cluster.aks", CLUSTER)


def security_rule(name: str = "deny-internet", access: str = "Deny", **more: object) -> Json:
    return {
        "name": name,
        "network_security_group_name": "g",
        "priority": 200,
        "access": access,
        "direction": "Outbound",
        "protocol": "*",
        "source_port_range": "*",
        "source_address_prefix": "*",
        "destination_address_prefix": "Internet",
        "destination_port_range": "*",
        **more,
    }


def subnet(**more: object) -> Json:
    return {
        "id": NODES,
        "name": "nodes",
        "virtual_network_name": "net",
        "address_prefixes": ["10.1.0.0/22"],
        **more,
    }


def rule_id(name: str) -> str:
    return f"{GROUP}/securityRules/{name}"


GROUPED = "azurerm_subnet_network_security_group_association.nodes"
TABLED = "azurerm_subnet_route_table_association.nodes"
RULE = "azurerm_network_security_rule.one"


def test_a_new_cluster_in_a_network_that_runs(desk: Desk) -> None:
    assert tunnel(desk.scan(plan(cluster()), context=(snapshot(*hub(), *spoke()),))) == "open"
    assert tunnel(desk.scan(plan(cluster()), context=(snapshot(*hub(), *spoke(DENY)),))) == "blocked"


# what a plan gives to a subnet that it does not hold


def test_a_group_given_to_a_subnet_that_runs(desk: Desk) -> None:
    given = planned(GROUPED, {"subnet_id": NODES, "network_security_group_id": GROUP})
    there = snapshot(*hub(), *spoke(DENY, group=""))
    assert tunnel(desk.scan(plan(cluster()), context=(there,))) == "open"
    assert tunnel(desk.scan(plan(cluster(), given), context=(there,))) == "blocked"


def test_a_table_given_to_a_subnet_that_runs(desk: Desk) -> None:
    given = planned(TABLED, {"subnet_id": NODES, "route_table_id": TABLE})
    there = snapshot(*hub(), *spoke(DENY, table=""))
    assert tunnel(desk.scan(plan(cluster(), given), context=(there,))) == "blocked"
    there = snapshot(*hub(), *spoke(table=""))
    assert tunnel(desk.scan(plan(cluster(), given), context=(there,))) == "open"


def test_a_group_taken_from_a_subnet_that_runs(desk: Desk) -> None:
    gone = deleted(GROUPED, {"id": NODES, "subnet_id": NODES, "network_security_group_id": GROUP})
    assert tunnel(desk.scan(plan(cluster(), gone), context=(snapshot(*hub(), *spoke(DENY)),))) == "open"


def test_a_table_taken_from_a_subnet_that_runs(desk: Desk) -> None:
    """Without its table the subnet has no way through the firewall, and AKS refuses user-defined routing."""
    gone = deleted(TABLED, {"id": NODES, "subnet_id": NODES, "route_table_id": TABLE})
    report = desk.scan(plan(cluster(), gone), context=(snapshot(*hub(), *spoke()),))
    assert tunnel(report) != "open"
    assert not any(hop["hop"] == "firewall" for hop in report["clusters"][0]["flows"][0]["path"])


def test_a_planned_subnet_keeps_the_group_that_another_team_gave_it(desk: Desk) -> None:
    """azurerm leaves the associations of a subnet alone that it does not manage."""
    there = snapshot(*hub(), *spoke(DENY))
    for actions in (("no-op",), ("update",)):
        mine = planned("azurerm_subnet.nodes", subnet(), *actions, before=subnet())
        assert tunnel(desk.scan(plan(cluster(), mine), context=(there,))) == "blocked", actions


def test_a_planned_subnet_keeps_the_table_that_another_team_gave_it(desk: Desk) -> None:
    mine = planned("azurerm_subnet.nodes", subnet(), "no-op", before=subnet())
    assert tunnel(desk.scan(plan(cluster(), mine), context=(snapshot(*hub(), *spoke()),))) == "open"


def test_a_planned_subnet_loses_the_group_whose_association_is_deleted(desk: Desk) -> None:
    mine = planned("azurerm_subnet.nodes", subnet(), "no-op", before=subnet())
    gone = deleted(GROUPED, {"id": NODES, "subnet_id": NODES, "network_security_group_id": GROUP})
    assert tunnel(desk.scan(plan(cluster(), mine, gone), context=(snapshot(*hub(), *spoke(DENY)),))) == "open"


# deletions


def test_a_rule_that_is_deleted_lets_through_what_it_denied(desk: Desk) -> None:
    gone = deleted(RULE, security_rule(id=rule_id("deny-internet")))
    assert tunnel(desk.scan(plan(cluster(), gone), context=(snapshot(*hub(), *spoke(DENY)),))) == "open"


def test_an_allow_that_is_deleted_is_no_longer_in_force(desk: Desk) -> None:
    gone = deleted(RULE, security_rule("allow-api", "Allow", id=rule_id("allow-api")))
    there = snapshot(*hub(), *spoke(ALLOW, DENY))
    assert tunnel(desk.scan(plan(cluster()), context=(there,))) != "blocked"
    assert tunnel(desk.scan(plan(cluster(), gone), context=(there,))) == "blocked"


def test_the_old_name_of_a_rule_that_is_replaced_is_gone(desk: Desk) -> None:
    """A new name makes Terraform delete one rule and create another."""
    there = snapshot(
        *hub(),
        *spoke(b.rule("allow-all", 200, "Allow", "Internet"), b.rule("deny-rest", 300, "Deny", "Internet")),
    )
    old = security_rule("allow-all", "Allow", id=rule_id("allow-all"))
    for actions in (("delete", "create"), ("create", "delete")):
        new = planned(
            RULE, security_rule("allow-web", "Allow", destination_port_range="8443"), *actions, before=old
        )
        assert tunnel(desk.scan(plan(cluster(), new), context=(there,))) == "blocked", actions


def test_the_old_name_of_a_replaced_rule_is_gone_from_the_group_in_the_plan_itself(desk: Desk) -> None:
    """The group shows, as computed, what the last refresh found in it."""
    shown = [security_rule("allow-all", "Allow"), security_rule("deny-rest", "Deny", priority=300)]
    mine = {"id": GROUP, "name": "g", "location": "eastus", "security_rule": shown}
    group = planned("azurerm_network_security_group.g", mine, "no-op", before=mine)
    old = security_rule("allow-all", "Allow", id=rule_id("allow-all"))
    new = security_rule("allow-web", "Allow", destination_port_range="8443")
    replaced = planned(RULE, new, "delete", "create", before=old)
    report = desk.scan(plan(cluster(), group, replaced), context=(snapshot(*hub(), *spoke()),))
    assert tunnel(report) == "blocked"


def test_what_was_left_over_from_an_earlier_replacement_goes(desk: Desk) -> None:
    """A deposed object is deleted by the next apply."""
    there = snapshot(
        *hub(),
        *spoke(b.rule("allow-all", 200, "Allow", "Internet"), b.rule("deny-rest", 300, "Deny", "Internet")),
    )
    left = deleted(RULE, security_rule("allow-all", "Allow", id=rule_id("allow-all")))
    made = json.loads(plan(cluster(), left))
    made["resource_changes"][-1]["deposed"] = "12ab34cd"
    assert tunnel(desk.scan(json.dumps(made).encode(), context=(there,))) == "blocked"


GROUP_OF_RULES = "azurerm_firewall_policy_rule_collection_group.aks"


def collections(name: str, **more: object) -> Json:
    rule = {
        "name": "https",
        "protocols": ["TCP"],
        "source_addresses": ["*"],
        "destination_addresses": ["*"],
        "destination_ports": ["8443"],
    }
    return {
        "name": name,
        "firewall_policy_id": b.rid("firewallPolicies", "policy"),
        "priority": 200,
        "network_rule_collection": [{"name": "web", "priority": 100, "action": "Allow", "rule": [rule]}],
        **more,
    }


def test_the_old_name_of_a_replaced_group_of_rules_is_gone(desk: Desk) -> None:
    known = b.rid("firewallPolicies/ruleCollectionGroups", "policy", "aks")
    new = planned(
        GROUP_OF_RULES, collections("other"), "delete", "create", before=collections("aks", id=known)
    )
    assert tunnel(desk.scan(plan(cluster(), new), context=(snapshot(*hub(), *spoke()),))) == "blocked"


def test_a_firewall_that_is_deleted_lets_nothing_through(desk: Desk) -> None:
    gone = deleted("azurerm_firewall.fw", {"id": b.rid("azureFirewalls", "fw"), "name": "fw"})
    report = desk.scan(plan(cluster(), gone), context=(snapshot(*hub(), *spoke()),))
    assert tunnel(report) != "open"


def test_a_peering_that_is_deleted_carries_nothing(desk: Desk) -> None:
    known = b.rid("virtualNetworks/virtualNetworkPeerings", "net", "to-hub")
    gone = deleted(
        "azurerm_virtual_network_peering.hub",
        {
            "id": known,
            "name": "to-hub",
            "virtual_network_name": "net",
            "remote_virtual_network_id": b.rid("virtualNetworks", "hub"),
        },
    )
    report = desk.scan(plan(cluster(), gone), context=(snapshot(*hub(), *spoke()),))
    assert tunnel(report) == "blocked", why(report)


def test_a_resource_group_that_is_deleted_takes_everything_with_it(desk: Desk) -> None:
    gone = deleted("azurerm_resource_group.net", {"id": b.SCOPE, "name": "net"})
    report = desk.scan(plan(cluster(), gone), context=(snapshot(*hub(), *spoke()),))
    assert tunnel(report) == "unknown"
    assert "is deleted by" in why(report)


# clusters that run


def running() -> b.Row:
    return b.cluster("nodes")


def test_a_plan_of_the_hub_is_judged_for_the_clusters_that_run(desk: Desk) -> None:
    """The snapshot is named as what is judged, the plan beside it."""
    closed = planned(GROUP_OF_RULES, collections("aks"), "update", before=collections("aks"))
    there = snapshot(*hub(), *spoke(), running())
    assert tunnel(desk.scan(there)) == "open"
    assert tunnel(desk.scan(there, plan(closed))) == "blocked"


@pytest.mark.parametrize(
    ("address", "before", "verdict"),
    [
        ("azurerm_network_security_group.g", {"id": GROUP, "name": "g"}, "unknown"),
        (
            "azurerm_firewall_policy.policy",
            {"id": b.rid("firewallPolicies", "policy"), "name": "policy"},
            "unknown",
        ),
        ("azurerm_route_table.t", {"id": TABLE, "name": "t"}, "unknown"),
        ("azurerm_subnet.nodes", subnet(), "unknown"),
    ],
)
def test_what_is_deleted_under_a_cluster_that_runs_is_gone(
    desk: Desk, address: str, before: Json, verdict: str
) -> None:
    there = snapshot(*hub(), *spoke(), running())
    report = desk.scan(there, plan(deleted(address, before)))
    assert tunnel(report) == verdict, why(report)


def test_a_pool_that_another_plan_owns_is_judged_with_the_planned_cluster(desk: Desk) -> None:
    network, _, table = spoke()
    rows = network["properties"]["subnets"]
    rows.append(b.subnet("more", "10.1.8.0/22", nsg="shut", table="t"))
    two = b.cluster("nodes", "more")
    there = snapshot(*hub(), network, b.nsg("g"), b.nsg("shut", DENY), table, two)
    mine = CLUSTER | {"id": b.rid("Microsoft.ContainerService/managedClusters", "aks")}
    mine["default_node_pool"] = [{"name": "pool0", "vnet_subnet_id": NODES}]
    report = desk.scan(
        plan(planned("azurerm_kubernetes_cluster.aks", mine, "update", before=mine)), context=(there,)
    )
    assert {one["from"]["pool"] for one in report["clusters"][0]["flows"]} >= {"pool1"}
    assert report["clusters"][0]["verdict"] == "blocked"


# what is not clear


def test_two_snapshots_that_differ_about_the_rules_below_a_planned_policy(desk: Desk) -> None:
    mine = {
        "id": b.rid("firewallPolicies", "policy"),
        "name": "policy",
        "location": "eastus",
        "sku": "Standard",
    }
    policy = planned("azurerm_firewall_policy.policy", mine, "update", before=mine)
    open_, shut = snapshot(*hub(), *spoke()), snapshot(*hub(b.rules_of("policy/aks", 200, NONE)), *spoke())
    assert tunnel(desk.scan(plan(cluster(), policy), context=(open_,))) == "open"
    assert tunnel(desk.scan(plan(cluster(), policy), context=(open_, shut))) == "unknown"
    assert tunnel(desk.scan(plan(cluster(), policy), context=(shut, open_))) == "unknown"


def test_letters_of_an_id_may_be_of_any_case(desk: Desk) -> None:
    gone = deleted(
        RULE, security_rule(id=rule_id("DENY-internet").upper().replace("/SUBSCRIPTIONS/", "/subscriptions/"))
    )
    assert tunnel(desk.scan(plan(cluster(), gone), context=(snapshot(*hub(), *spoke(DENY)),))) == "open"


def test_a_plan_for_another_subscription_changes_nothing_here(desk: Desk) -> None:
    other = rule_id("deny-internet").replace("000000000001", "000000000002")
    gone = deleted(RULE, security_rule(id=other))
    assert tunnel(desk.scan(plan(cluster(), gone), context=(snapshot(*hub(), *spoke(DENY)),))) == "blocked"


def test_a_value_that_is_known_only_after_apply_is_not_taken_from_what_runs(desk: Desk) -> None:
    mine = security_rule(
        "allow-api", "Allow", id=rule_id("allow-api"), destination_port_range=None, priority=100
    )
    after = planned(RULE, mine, "update", before=mine, unknown={"destination_port_range": True})
    there = snapshot(*hub(), *spoke(ALLOW, DENY))
    report = desk.scan(plan(cluster(), after), context=(there,))
    assert tunnel(report) == "unknown"
    assert "`allow-api` (allow) or `deny-internet` (deny)" in why(report)
