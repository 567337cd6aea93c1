"""What will be: deletions, replacements, what is left alone, what is left out; and what is written elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.terraform_plans import leads_to, one, plan, read, refs, resource

from aks_egress.arm.graph import Graph
from aks_egress.values import Unknown

PREFIX = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.Network"
GROUP_ID = f"{PREFIX}/networkSecurityGroups/n"
SUBNET_ID = f"{PREFIX}/virtualNetworks/v/subnets/s"
RULES = "Microsoft.Network/networkSecurityGroups/securityRules"


def group(**more: Any) -> dict[str, Any]:
    rows = [{"name": "old", "priority": 100}, {"name": "kept", "priority": 200}]
    values = {"name": "n", "id": GROUP_ID, "security_rule": rows}
    return resource("azurerm_network_security_group.n", values, actions=("no-op",), **more)


def rule(name: str, **more: Any) -> dict[str, Any]:
    values = {
        "name": name,
        "network_security_group_name": "n",
        "id": f"{GROUP_ID}/securityRules/{name}",
        "priority": 300,
    }
    return resource(f"azurerm_network_security_rule.{name}", values, **more)


def test_a_deleted_rule_is_gone_although_its_group_still_shows_it() -> None:
    gone = rule("old", actions=("delete",))
    gone["before"] = gone["values"]
    document = read(plan(group(), gone))
    assert [str(one) for one in document.deleted] == [f"{GROUP_ID}/securityRules/old"]
    rows, _ = Graph([document]).children(one(document, "azurerm_network_security_group.n"), RULES)
    assert [row.name for row in rows] == ["kept"]


def test_a_changed_rule_wins_over_what_its_group_shows() -> None:
    document = read(plan(group(), rule("old", actions=("update",))))
    rows, _ = Graph([document]).children(one(document, "azurerm_network_security_group.n"), RULES)
    assert {row.name: row.prop("priority") for row in rows} == {"old": 300, "kept": 200}


def test_a_replaced_resource_is_as_it_will_be() -> None:
    before = {"name": "old-name", "id": f"{PREFIX}/routeTables/old-name"}
    table = resource(
        "azurerm_route_table.t", {"name": "t"}, {"id": True}, actions=("delete", "create"), before=before
    )
    document = read(plan(table))
    assert [row.name for row in document.resources] == ["t"]
    assert [one.name for one in document.deleted] == ["old-name"]
    table["before"] = {"name": "t", "id": f"{PREFIX}/routeTables/t", "resource_group_name": "rg"}
    assert read(plan(table)).deleted == frozenset()


def test_what_terraform_forgets_stays() -> None:
    table = resource(
        "azurerm_route_table.t",
        {},
        actions=("forget",),
        before={"name": "t", "id": f"{PREFIX}/routeTables/t"},
    )
    assert [row.name for row in read(plan(table)).resources] == ["t"]


def test_what_the_plan_does_not_touch_is_as_it_was() -> None:
    prior = {
        "values": {
            "root_module": {
                "resources": [
                    {
                        "address": f"azurerm_route_table.{name}",
                        "mode": "managed",
                        "type": "azurerm_route_table",
                        "name": name,
                        "values": {"name": name},
                    }
                    for name in ("t", "u")
                ]
            }
        }
    }
    gone = resource(
        "azurerm_route_table.u", actions=("delete",), before={"name": "u", "id": f"{PREFIX}/routeTables/u"}
    )
    document = read(plan(gone, prior_state=prior))
    assert [row.name for row in document.resources] == ["t"]


def test_drift_is_not_what_will_be() -> None:
    value = plan(
        group(), resource_drift=[{"address": "azurerm_route_table.x", "type": "azurerm_route_table"}]
    )
    assert [row.address for row in read(value).resources] == ["azurerm_network_security_group.n"]


def test_a_deposed_object_is_not_the_resource() -> None:
    value = plan(group())
    deposed = {
        **value["resource_changes"][0],
        "deposed": "abc",
        "change": {"actions": ["delete"], "before": {}},
    }
    value["resource_changes"].append(deposed)
    document = read(value)
    assert document.deleted == frozenset()
    assert len(document.resources) == 1


def data(kind: str, name: str, values: dict[str, Any]) -> dict[str, Any]:
    """A prior state with one data source."""
    row = {"address": f"data.{kind}.{name}", "mode": "data", "type": kind, "name": name, "values": values}
    return {"values": {"root_module": {"resources": [row]}}}


def test_a_data_source_exists_and_shows_its_body() -> None:
    values = {
        "id": SUBNET_ID,
        "name": "s",
        "address_prefixes": ["10.0.0.0/24"],
        "network_security_group_id": GROUP_ID,
    }
    document = read(plan(prior_state=data("azurerm_subnet", "s", values)))
    (subnet,) = document.resources
    assert subnet.existing
    assert subnet.prop("networkSecurityGroup", "id") == GROUP_ID
    assert isinstance(subnet.prop("natGateway"), Unknown)
    assert subnet.prop("routeTable") is None


@pytest.mark.parametrize(
    ("kind", "silent"),
    [("azurerm_virtual_network", "subnets"), ("azurerm_firewall", "networkRuleCollections")],
)
def test_what_a_data_source_does_not_show_is_unknown(kind: str, silent: str) -> None:
    document = read(plan(prior_state=data(kind, "x", {"name": "x", "resource_group_name": "rg"})))
    assert isinstance(document.resources[0].prop(silent), Unknown)


def test_a_policy_that_is_looked_up_has_rules_that_nobody_sees() -> None:
    document = read(
        plan(prior_state=data("azurerm_firewall_policy", "p", {"name": "p", "resource_group_name": "rg"}))
    )
    (policy,) = document.resources
    link = Graph([document]).find(policy.id, document)
    assert link.sole is None
    assert link.unknown is not None


def test_an_association_with_a_data_source_counts() -> None:
    values = {"id": SUBNET_ID, "name": "s", "network_security_group_id": ""}
    link = resource(
        "azurerm_subnet_network_security_group_association.l",
        {"subnet_id": SUBNET_ID, "network_security_group_id": GROUP_ID},
    )
    document = read(plan(link, prior_state=data("azurerm_subnet", "s", values)))
    (subnet,) = document.resources
    assert subnet.prop("networkSecurityGroup", "id") == GROUP_ID
    assert not subnet.existing


def test_an_association_with_a_subnet_defined_elsewhere_stands_for_it() -> None:
    link = resource(
        "azurerm_subnet_network_security_group_association.l",
        {"subnet_id": SUBNET_ID, "network_security_group_id": GROUP_ID},
    )
    (subnet,) = read(plan(link)).resources
    assert str(subnet.id) == SUBNET_ID
    assert subnet.prop("networkSecurityGroup", "id") == GROUP_ID
    for name in ("routeTable", "natGateway", "addressPrefixes", "defaultOutboundAccess"):
        assert isinstance(subnet.prop(name), Unknown), name


def test_an_association_that_nobody_can_place_may_be_anywhere() -> None:
    subnets = [
        resource(f"azurerm_subnet.{name}", {"name": name, "virtual_network_name": "v"}, {"id": True})
        for name in ("a", "b")
    ]
    link = resource(
        "azurerm_subnet_network_security_group_association.l",
        {"network_security_group_id": GROUP_ID},
        {"subnet_id": True},
        {"subnet_id": refs("local.subnet")},
    )
    document = read(plan(*subnets, link))
    for name in ("a", "b"):
        assert isinstance(one(document, f"azurerm_subnet.{name}").prop("networkSecurityGroup"), Unknown)


def test_a_group_without_rules_of_its_own_is_empty_only_while_it_is_made() -> None:
    made = resource("azurerm_network_security_group.n", {"name": "n"}, {"id": True, "security_rule": True})
    assert read(plan(made)).resources[0].prop("securityRules") is None
    changed = resource(
        "azurerm_network_security_group.n", {"name": "n"}, {"security_rule": True}, actions=("update",)
    )
    assert isinstance(read(plan(changed)).resources[0].prop("securityRules"), Unknown)
    written = resource(
        "azurerm_network_security_group.n",
        {"name": "n"},
        {"security_rule": True},
        {"security_rule": refs("local.rules")},
    )
    assert isinstance(read(plan(written)).resources[0].prop("securityRules"), Unknown)


def test_a_plan_limited_to_targets_says_what_it_leaves_out() -> None:
    subnet = resource("azurerm_subnet.s", {"name": "s", "virtual_network_name": "v"}, {"id": True})
    value = plan(subnet, complete=False)
    value["configuration"]["root_module"]["resources"].append(
        {
            "mode": "managed",
            "type": "azurerm_subnet_network_security_group_association",
            "name": "l",
            "expressions": {
                "subnet_id": refs("azurerm_subnet.s.id"),
                "network_security_group_id": refs("var.group"),
            },
        }
    )
    document = read(value)
    assert "*" in document.unread
    assert [notice.code for notice in document.notices] == ["partial-plan"]
    assert isinstance(one(document, "azurerm_subnet.s").prop("networkSecurityGroup"), Unknown)


def test_deferred_changes_are_uncertain() -> None:
    deferred = {
        "reason": "provider_config_unknown",
        "resource_change": {
            "address": "azurerm_route_table.t",
            "mode": "managed",
            "type": "azurerm_route_table",
            "name": "t",
            "change": {"actions": ["create"], "after": {"name": "t"}, "after_unknown": {"route": True}},
        },
    }
    (table,) = read(plan(deferred_changes=[deferred])).resources
    assert table.uncertain is not None
    assert isinstance(table.prop("routes"), Unknown)


def test_write_only_ids_are_taken_from_the_configuration() -> None:
    known = resource("azurerm_network_security_group.n", {"name": "n", "id": GROUP_ID}, actions=("no-op",))
    subnet = resource(
        "azurerm_subnet.s",
        {"name": "s", "virtual_network_name": "v", "network_security_group_id_wo_version": 1},
        {"id": True},
        {"network_security_group_id_wo": refs("azurerm_network_security_group.n.id")},
    )
    document = read(plan(known, subnet))
    assert leads_to(one(document, "azurerm_subnet.s").prop("networkSecurityGroup", "id")) == ["n"]


def test_a_plan_without_changes_section_still_joins() -> None:
    subnet = resource("azurerm_subnet.s", {"name": "s", "virtual_network_name": "v"}, {"id": True})
    link = resource(
        "azurerm_subnet_network_security_group_association.l",
        {},
        {},
        {"subnet_id": refs("azurerm_subnet.s.id"), "network_security_group_id": {"constant_value": GROUP_ID}},
    )
    value = plan(subnet, link)
    del value["resource_changes"]
    document = read(value)
    assert one(document, "azurerm_subnet.s").prop("networkSecurityGroup", "id") == GROUP_ID
