"""What a plan leaves open stays open over what runs: nothing planned in doubt hides what is there, and nothing loose is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import builders as b
from tests.cases.test_overlay_terraform import (
    DENY,
    GROUP,
    GROUPED,
    RULE,
    cluster,
    deleted,
    hub,
    rule_id,
    security_rule,
    spoke,
)
from tests.overlays import Desk, Json, plan, planned, snapshot, tunnel, why

OTHER = b.SCOPE.replace("/net", "/other")


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def conditional(access: str) -> bytes:
    """A template that redefines the running Deny, if a condition that nobody knows holds."""
    row = b.rule("deny-internet", 200, access, "Internet")
    rule = b.resource("networkSecurityGroups/securityRules", "g/deny-internet", row["properties"])
    rule["condition"] = "[parameters('mend')]"
    return b.template(b.cluster("nodes"), rule, parameters={"mend": {"type": "bool"}}).encode()


def test_a_rule_that_may_be_replaced_still_runs_until_it_is(desk: Desk) -> None:
    there = snapshot(*hub(), *spoke(DENY))
    assert tunnel(desk.scan(conditional("Allow"), context=(there,))) == "unknown"
    assert tunnel(desk.scan(conditional("Deny"), context=(there,))) != "open"
    assert tunnel(desk.scan(conditional("Deny"), context=(snapshot(*hub(), *spoke()),))) == "unknown"


def test_a_policy_that_may_be_replaced_still_runs_until_it_is(desk: Desk) -> None:
    policy = {**b.policy(), "condition": "[parameters('mend')]"}
    given = b.template(b.cluster("nodes"), policy, parameters={"mend": {"type": "bool"}}).encode()
    assert tunnel(desk.scan(given, context=(snapshot(*hub(), *spoke()),))) != "blocked"


def test_a_rule_of_a_group_whose_name_is_not_known_may_be_in_every_group_that_runs(desk: Desk) -> None:
    loose = planned(
        RULE,
        security_rule(network_security_group_name=None),
        unknown={"network_security_group_name": True},
    )
    report = desk.scan(plan(cluster(), loose), context=(snapshot(*hub(), *spoke()),))
    assert tunnel(report) == "unknown", why(report)


def test_an_association_with_a_subnet_that_is_not_known_may_be_with_any(desk: Desk) -> None:
    given: Json = {"subnet_id": None, "network_security_group_id": GROUP}
    loose = planned(GROUPED, given, unknown={"subnet_id": True})
    report = desk.scan(plan(cluster(), loose), context=(snapshot(*hub(), *spoke(DENY, group="")),))
    assert tunnel(report) == "unknown", why(report)


def test_a_group_of_resources_that_is_not_known_may_be_the_one_where_that_name_runs(desk: Desk) -> None:
    loose = planned(RULE, security_rule(resource_group_name=None), unknown={"resource_group_name": True})
    there = snapshot(*hub(), *spoke())
    assert tunnel(desk.scan(plan(cluster(), loose), context=(there,))) == "blocked"
    two = (there, snapshot(b.nsg("g"), scope=OTHER))
    assert tunnel(desk.scan(plan(cluster(), loose), context=two)) == "unknown"


def test_an_allow_for_one_of_two_groups_of_that_name_opens_neither(desk: Desk) -> None:
    values = security_rule("allow-all", "Allow", resource_group_name=None, priority=100)
    loose = planned(RULE, values, unknown={"resource_group_name": True})
    two = (snapshot(*hub(), *spoke(DENY)), snapshot(b.nsg("g"), scope=OTHER))
    assert tunnel(desk.scan(plan(cluster(), loose), context=two)) == "unknown"


def test_a_pool_that_is_deleted_from_a_cluster_that_runs_is_not_judged(desk: Desk) -> None:
    network, _, table = spoke()
    network["properties"]["subnets"].append(b.subnet("more", "10.1.8.0/22", nsg="shut", table="t"))
    there = snapshot(*hub(), network, b.nsg("g"), b.nsg("shut", DENY), table, b.cluster("nodes", "more"))
    known = b.rid("Microsoft.ContainerService/managedClusters/agentPools", "aks", "pool1")
    above = b.rid("Microsoft.ContainerService/managedClusters", "aks")
    gone = deleted(
        "azurerm_kubernetes_cluster_node_pool.more",
        {"id": known, "name": "pool1", "kubernetes_cluster_id": above},
    )
    assert desk.scan(there)["clusters"][0]["verdict"] == "blocked"
    report = desk.scan(there, plan(gone))
    assert {one["from"]["pool"] for one in report["clusters"][0]["flows"]} == {"pool0"}
    assert tunnel(report) == "open"


def test_a_resource_at_another_address_is_the_same_one(desk: Desk) -> None:
    """`moved` blocks change nothing in Azure; nor does taking in what is there already."""
    mine = security_rule(id=rule_id("deny-internet"))
    for more in (
        {"previous_address": "azurerm_network_security_rule.old"},
        {"importing": {"id": mine["id"]}},
    ):
        row = planned(RULE, mine, "no-op", before=mine)
        report = desk.scan(plan(cluster(), {**row, **more}), context=(snapshot(*hub(), *spoke(DENY)),))
        assert tunnel(report) == "blocked"


def test_what_one_address_deletes_and_another_creates_is_there(desk: Desk) -> None:
    mine = security_rule(id=rule_id("deny-internet"))
    gone, new = (
        deleted(RULE, mine),
        planned("azurerm_network_security_rule.two", {**mine, "id": None}, unknown={"id": True}),
    )
    report = desk.scan(plan(cluster(), gone, new), context=(snapshot(*hub(), *spoke(DENY)),))
    assert tunnel(report) == "blocked"


def test_what_is_created_takes_nothing_from_what_runs_under_its_name(desk: Desk) -> None:
    """A policy that is made anew has the rules of the plan alone, whatever runs under that name."""
    mine = {"name": "policy", "location": "eastus", "sku": "Standard"}
    made = planned("azurerm_firewall_policy.policy", mine, unknown={"id": True})
    report = desk.scan(plan(cluster(), made), context=(snapshot(*hub(), *spoke()),))
    assert tunnel(report) == "blocked", why(report)


def test_an_ip_group_that_is_deleted_while_a_rule_uses_it(desk: Desk) -> None:
    rule = b.network_rule("https", "TCP", "*", "443")
    del rule["sourceAddresses"]
    rule["sourceIpGroups"] = [b.rid("ipGroups", "nodes")]
    rows = b.rules_of("policy/aks", 200, b.collection("web", 100, "Allow", rule))
    group = b.resource("ipGroups", "nodes", {"ipAddresses": ["10.1.0.0/16"]})
    there = snapshot(*hub(rows), group, *spoke())
    assert tunnel(desk.scan(plan(cluster()), context=(there,))) == "open"
    gone = deleted("azurerm_ip_group.nodes", {"id": b.rid("ipGroups", "nodes"), "name": "nodes"})
    report = desk.scan(plan(cluster(), gone), context=(there,))
    assert tunnel(report) == "unknown"
