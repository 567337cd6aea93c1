"""What an unknown value of a plan leads to, and when it must not lead anywhere."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.terraform_plans import leads_to, one, plan, read, refs, resource

NETWORK = resource("azurerm_virtual_network.v", {"name": "v"}, {"id": True})
BY_KEY = "azurerm_subnet.s"


def subnets(*keys: str) -> list[dict[str, Any]]:
    rows = [
        resource(
            f'azurerm_subnet.s["{key}"]',
            {"name": f"s-{key}", "virtual_network_name": "v"},
            {"id": True},
            for_each_expression={},
        )
        for key in keys
    ]
    return [NETWORK, *rows]


def subnet(name: str, **more: Any) -> dict[str, Any]:
    values = {"name": name, "virtual_network_name": "v"}
    return resource(f"azurerm_subnet.{name}", values, {"id": True}, **more)


def pool(expression: dict[str, Any], key: str = "", **more: Any) -> dict[str, Any]:
    address = "azurerm_kubernetes_cluster_node_pool.p" + (f'["{key}"]' if key else "")
    values = {"name": "p", "kubernetes_cluster_id": CLUSTER}
    return resource(address, values, {"vnet_subnet_id": True}, {"vnet_subnet_id": expression}, **more)


CLUSTER = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/c"


def where(value: dict[str, Any], address: str = "azurerm_kubernetes_cluster_node_pool.p") -> list[str]:
    return leads_to(one(read(value), address).prop("vnetSubnetID"))


def test_a_plain_reference() -> None:
    assert where(plan(NETWORK, subnet("a"), pool(refs("azurerm_subnet.a.id")))) == ["a"]


def test_either_of_two() -> None:
    either = refs("var.which", "azurerm_subnet.a.id", "azurerm_subnet.b.id")
    assert where(plan(NETWORK, subnet("a"), subnet("b"), pool(either))) == ["a", "b"]


def test_a_known_candidate_is_not_the_unknown_one() -> None:
    known = {"name": "b", "virtual_network_name": "v", "id": "/subscriptions/1/x"}
    row = resource("azurerm_subnet.b", known)
    either = refs("azurerm_subnet.a.id", "azurerm_subnet.b.id")
    assert where(plan(NETWORK, subnet("a"), row, pool(either))) == ["a"]


@pytest.mark.parametrize("hidden", ["azurerm_subnet.elsewhere.id", "module.gone.subnet_id"])
def test_a_way_that_leads_nowhere_makes_the_whole_answer_unknown(hidden: str) -> None:
    assert where(plan(NETWORK, subnet("a"), pool(refs("azurerm_subnet.a.id", hidden)))) == []


def test_a_local_is_made_of_what_its_module_can_see() -> None:
    """A plan does not show locals, but what is unknown in one comes from something unknown in sight."""
    hidden = pool(refs("local.subnets"))
    known = resource(
        "azurerm_subnet.k", {"name": "k", "virtual_network_name": "w", "id": "/x"}, actions=("no-op",)
    )
    assert where(plan(NETWORK, subnet("a"), known, hidden)) == ["a"]
    assert where(plan(NETWORK, subnet("a"), subnet("b"), hidden)) == ["a", "b"]
    assert where(plan(NETWORK, *(subnet(f"s{i}") for i in range(9)), hidden)) == []


@pytest.mark.parametrize(
    "kind", ["terraform_data", "azurerm_resource_group_template_deployment", "other_thing"]
)
def test_a_local_may_be_made_of_something_that_holds_anything(kind: str) -> None:
    odd = resource(f"{kind}.x", {}, {"output": True})
    assert where(plan(NETWORK, subnet("a"), odd, pool(refs("local.subnets")))) == []
    random = resource("random_string.x", {}, {"result": True})
    assert where(plan(NETWORK, subnet("a"), random, pool(refs("local.subnets")))) == ["a"]


def test_a_dynamic_block_is_made_of_what_its_module_is_given() -> None:
    """The module `Azure/aks` writes its node pool so: nothing of it shows in the configuration."""
    cluster = {
        "address": "module.aks.azurerm_kubernetes_cluster.c",
        "mode": "managed",
        "type": "azurerm_kubernetes_cluster",
        "name": "c",
    }
    values = {"name": "c", "resource_group_name": "rg", "default_node_pool": [{"name": "p"}]}
    value = plan(NETWORK, subnet("a"), subnet("b"))
    child = {"address": "module.aks", "resources": [{**cluster, "values": values}]}
    value["planned_values"]["root_module"]["child_modules"] = [child]
    change = {
        "actions": ["create"],
        "after": values,
        "after_unknown": {"default_node_pool": [{"vnet_subnet_id": True}]},
    }
    value["resource_changes"].append({**cluster, "change": change})
    value["configuration"]["root_module"]["module_calls"] = {
        "aks": {
            "expressions": {"subnet": refs("azurerm_subnet.b.id"), "other": {"constant_value": 1}},
            "module": {"resources": [{**cluster, "expressions": {"name": {"constant_value": "c"}}}]},
        }
    }
    found = one(read(value), "module.aks.azurerm_kubernetes_cluster.c")
    assert leads_to(found.prop("agentPoolProfiles", 0, "vnetSubnetID")) == ["b"]


def test_a_module_without_resources_gives_out_what_it_is_given() -> None:
    value = plan(NETWORK, subnet("a"), subnet("b"), pool(refs("module.m.id")))
    value["configuration"]["root_module"]["module_calls"] = {
        "m": {
            "expressions": {"id": refs("azurerm_subnet.b.id")},
            "module": {"outputs": {"id": {"expression": refs("local.id")}}},
        }
    }
    assert where(value) == ["b"]


def test_an_id_in_a_local_may_be_put_together_from_its_network() -> None:
    """Where only the network is in sight, every subnet of it is possible."""
    value = plan(subnet("a"), subnet("b"), NETWORK)
    pool_values = {"name": "p", "kubernetes_cluster_id": CLUSTER}
    row = {"address": "module.m.azurerm_kubernetes_cluster_node_pool.p", "mode": "managed"}
    row.update({"type": "azurerm_kubernetes_cluster_node_pool", "name": "p"})
    value["planned_values"]["root_module"]["child_modules"] = [
        {"address": "module.m", "resources": [{**row, "values": pool_values}]}
    ]
    change = {"actions": ["create"], "after": pool_values, "after_unknown": {"vnet_subnet_id": True}}
    value["resource_changes"].append({**row, "change": change})
    value["configuration"]["root_module"]["module_calls"] = {
        "m": {
            "expressions": {"network": refs("azurerm_virtual_network.v.id")},
            "module": {"resources": [{**row, "expressions": {"vnet_subnet_id": refs("local.id")}}]},
        }
    }
    assert where(value, "module.m.azurerm_kubernetes_cluster_node_pool.p") == ["a", "b"]


def test_an_id_of_another_kind_is_no_subnet() -> None:
    group = resource("azurerm_network_security_group.n", {"name": "n"}, {"id": True})
    mixed = refs("azurerm_subnet.a.id", "azurerm_network_security_group.n.id")
    assert where(plan(NETWORK, group, subnet("a"), pool(mixed))) == []


def test_an_id_put_together_from_its_network_is_not_guessed() -> None:
    assert where(plan(NETWORK, subnet("a"), pool(refs("azurerm_virtual_network.v.id")))) == []


def test_a_constant_key() -> None:
    value = plan(
        *subnets("x", "y"),
        pool({"references": ['azurerm_subnet.s["y"].id', 'azurerm_subnet.s["y"]', BY_KEY]}),
    )
    assert where(value) == ["s-y"]


def test_a_key_that_is_not_known_may_be_any() -> None:
    value = plan(*subnets("x", "y"), pool({"references": [BY_KEY, "var.key"]}))
    assert where(value) == ["s-x", "s-y"]


def test_each_key_pairs_instances() -> None:
    rows = [pool({"references": [BY_KEY, "each.key"]}, key, for_each_expression={}) for key in ("x", "y")]
    value = plan(*subnets("x", "y", "z"), *rows)
    assert where(value, 'azurerm_kubernetes_cluster_node_pool.p["y"]') == ["s-y"]


def test_part_of_each_value_does_not_pair() -> None:
    """`azurerm_subnet.s[each.value.subnet]`: the key of the pool says nothing about that of the subnet."""
    rows = [
        pool(
            {"references": [BY_KEY, "each.value.subnet", "each.value"]},
            key,
            for_each_expression=refs("var.pools"),
        )
        for key in ("x", "y")
    ]
    value = plan(*subnets("x", "y"), *rows)
    assert where(value, 'azurerm_kubernetes_cluster_node_pool.p["y"]') == ["s-x", "s-y"]


def test_for_each_over_a_resource_pairs_its_values() -> None:
    rows = [
        pool({"references": ["each.value.id", "each.value"]}, key, for_each_expression=refs(BY_KEY))
        for key in ("x", "y")
    ]
    value = plan(*subnets("x", "y"), *rows)
    assert where(value, 'azurerm_kubernetes_cluster_node_pool.p["x"]') == ["s-x"]


def test_for_each_over_a_map_that_picks_subnets_does_not_pair() -> None:
    """`{ for k, v in var.pools : k => azurerm_subnet.s[v] }` may turn keys around."""
    rows = [
        pool(
            {"references": ["each.value.id", "each.value"]},
            key,
            for_each_expression=refs(BY_KEY, "var.pools"),
        )
        for key in ("x", "y")
    ]
    value = plan(*subnets("x", "y"), *rows)
    assert where(value, 'azurerm_kubernetes_cluster_node_pool.p["x"]') == ["s-x", "s-y"]


def counted(kind: str, name: str, count: int, values: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [
        resource(f"{kind}.{name}[{i}]", {**values, "name": f"{name}-{i}"}, count_expression={}, **more)
        for i in range(count)
    ]


@pytest.mark.parametrize(("made", "wanted"), [(2, ["s-1"]), (3, ["s-0", "s-1", "s-2"])])
def test_count_index_pairs_only_equal_counts(made: int, wanted: list[str]) -> None:
    """With more subnets than pools the index may be shifted."""
    rows = counted("azurerm_subnet", "s", made, {"virtual_network_name": "v"}, unknown={"id": True})
    pools = counted(
        "azurerm_kubernetes_cluster_node_pool",
        "p",
        2,
        {"kubernetes_cluster_id": CLUSTER},
        unknown={"vnet_subnet_id": True},
        expressions={"vnet_subnet_id": {"references": ["azurerm_subnet.s", "count.index"]}},
    )
    value = plan(NETWORK, *rows, *pools)
    assert where(value, "azurerm_kubernetes_cluster_node_pool.p[1]") == wanted


def test_an_association_shares_the_id_of_its_subnet() -> None:
    link = resource(
        "azurerm_subnet_route_table_association.l",
        {"route_table_id": "/subscriptions/1/resourceGroups/rg/providers/Microsoft.Network/routeTables/t"},
        {"id": True, "subnet_id": True},
        {"subnet_id": refs("azurerm_subnet.a.id")},
    )
    for attribute in ("id", "subnet_id"):
        value = plan(
            NETWORK, subnet("a"), link, pool(refs(f"azurerm_subnet_route_table_association.l.{attribute}"))
        )
        assert where(value) == ["a"]


def test_inline_subnets_of_a_network() -> None:
    rows = [{"name": "one"}, {"name": "two"}]
    network = resource(
        "azurerm_virtual_network.v", {"name": "v", "subnet": rows}, {"id": True, "subnet": [{"id": True}] * 2}
    )
    assert where(plan(network, pool(refs("azurerm_virtual_network.v.subnet")))) == ["one", "two"]


def test_names_that_are_unknown_lead_to_the_parent() -> None:
    group = resource("azurerm_network_security_group.n", {}, {"id": True, "name": True})
    rule = resource(
        "azurerm_network_security_rule.r",
        {"name": "r"},
        {"network_security_group_name": True},
        {"network_security_group_name": refs("azurerm_network_security_group.n.name")},
    )
    document = read(plan(group, rule))
    parent = one(document, "azurerm_network_security_rule.r").id.parent
    assert parent == one(document, "azurerm_network_security_group.n").id


def test_a_rule_of_a_group_that_nobody_can_name_may_be_in_any() -> None:
    group = resource("azurerm_network_security_group.n", {"name": "n"}, {"id": True})
    rule = resource(
        "azurerm_network_security_rule.r",
        {"name": "r"},
        {"network_security_group_name": True},
        {"network_security_group_name": refs("local.name")},
    )
    document = read(plan(group, rule))
    assert list(document.unread) == ["microsoft.network/networksecuritygroups/securityrules"]
    assert [notice.code for notice in document.notices] == ["unplaced-resource"]


FIREWALL = resource(
    "azurerm_firewall.f",
    {"name": "f", "ip_configuration": [{"name": "c"}]},
    {"id": True, "ip_configuration": [{"private_ip_address": True}]},
)


def hop(expression: dict[str, Any], *rows: dict[str, Any]) -> list[str]:
    route = resource(
        "azurerm_route.r",
        {"name": "r", "route_table_name": "t", "next_hop_type": "VirtualAppliance"},
        {"next_hop_in_ip_address": True},
        {"next_hop_in_ip_address": expression},
    )
    return leads_to(one(read(plan(FIREWALL, *rows, route)), "azurerm_route.r").prop("nextHopIpAddress"))


def test_a_next_hop_is_a_firewall_a_nic_or_nobody() -> None:
    assert hop(
        {"references": ["azurerm_firewall.f.ip_configuration[0].private_ip_address", "azurerm_firewall.f"]}
    ) == ["f"]
    nic = resource("azurerm_network_interface.n", {"name": "n"}, {"id": True, "private_ip_address": True})
    assert hop(refs("azurerm_network_interface.n.private_ip_address"), nic) == ["n"]
    public = resource("azurerm_public_ip.p", {"name": "p"}, {"id": True, "ip_address": True})
    assert hop(refs("azurerm_public_ip.p.ip_address"), public) == []
    assert hop(refs("azurerm_firewall.f.id")) == []


def test_a_machine_s_address_is_that_of_its_nic() -> None:
    nic = resource("azurerm_network_interface.n", {"name": "n"}, {"id": True})
    machine = resource(
        "azurerm_linux_virtual_machine.m",
        {"name": "m"},
        {"id": True, "private_ip_address": True, "network_interface_ids": [True]},
        {"network_interface_ids": refs("azurerm_network_interface.n.id")},
    )
    assert hop(refs("azurerm_linux_virtual_machine.m.private_ip_address"), nic, machine) == ["n"]


def test_references_that_run_in_circles_end() -> None:
    first = resource(
        "azurerm_subnet_route_table_association.a",
        {},
        {"subnet_id": True, "route_table_id": True},
        {"subnet_id": refs("azurerm_subnet_route_table_association.b.subnet_id")},
    )
    second = resource(
        "azurerm_subnet_route_table_association.b",
        {},
        {"subnet_id": True, "route_table_id": True},
        {"subnet_id": refs("azurerm_subnet_route_table_association.a.subnet_id")},
    )
    document = read(plan(NETWORK, subnet("a"), first, second))
    found = one(document, "azurerm_subnet.a").prop("routeTable")
    assert found is not None
    assert leads_to(found) == []
