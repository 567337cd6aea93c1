"""Terraform plans: what is claimed and refused, and a genuine hub with two spokes."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from tests.unit.terraform_plans import HUB, everything, leads_to, one, plan, read, resource

from aks_egress.arm.graph import Graph
from aks_egress.arm.resources import Document, Kind
from aks_egress.values import Unknown
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.terraform_plan import READER
from aks_egress_scan.readers.terraform_state import READER as STATE

BLUE = 'module.spoke["blue"]'


def hub() -> Document:
    return read((HUB / "plan.json").read_bytes())


def test_plans_are_claimed_by_their_first_lines() -> None:
    genuine = (HUB / "plan.json").read_bytes()
    assert READER.claims(Source("x", genuine))
    assert READER.claims(Source("x", json.dumps(json.loads(genuine), sort_keys=True, indent=2).encode()))
    assert READER.claims(Source("x", genuine.decode().encode("utf-16")))
    assert not STATE.claims(Source("x", genuine))
    assert not READER.claims(Source("x", (HUB / "state.json").read_bytes()))
    assert not READER.claims(
        Source("x", b'{"$schema": "https://x/deploymentTemplate.json#", "resources": []}')
    )
    assert not READER.claims(Source("x", b"[]"))
    assert not READER.claims(Source("x", b""))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"format_version":"1.2","terraform_version":"1.9","resource_changes":[]}', "no `planned_values`"),
        (b'{"format_version":"1.2","planned_values":null}', "no `planned_values`"),
        (b'{"format_version":"1.2","values":{"root_module":{}}}', "a Terraform state, not a plan"),
        (b'{"planned_values":{},"errored":true}', "stopped with an error"),
        (b'{"planned_values":[]}', "is not an object"),
        (b'{"planned_values":{"root_module":{"resources":{}}}}', "is not a list"),
        (b'{"planned_values":{"root_module":{"resources":[7]}}}', "is not an object"),
        (b'{"planned_values":{"root_module":{"resources":[{"type":"x"}]}}}', "is no resource"),
        (b'{"planned_values":{"root_module":{"child_modules":[{}]}}}', "has no address"),
        (b'{"planned_values":{},"resource_changes":{}}', "is not a list"),
        (b'{"@level":"info","@message":"Terraform 1.9.0"}\n{}', "the log of `terraform plan -json`"),
        (b"PK\x03\x04\x14\x00\x08\x00tfplan", "a binary plan file"),
        (b"[]", "not a Terraform plan"),
    ],
)
def test_what_is_no_whole_plan_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(MalformedError, match=words) as caught:
        READER.read(Source("in.json", data), Parameters())
    assert caught.value.path == "in.json"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_plan_cut_off_in_the_middle_is_refused(share: float) -> None:
    data = (HUB / "plan.json").read_bytes()
    with pytest.raises(MalformedError, match=r"cut off|expected"):
        READER.read(Source("in.json", data[: int(len(data) * share)]), Parameters())


def test_the_hub_is_read_whole() -> None:
    document = hub()
    assert document.kind is Kind.TERRAFORM_PLAN
    assert len(document.resources) == 30
    assert document.unread == {}
    assert document.notices == ()
    assert document.deleted == frozenset()


def test_ids_are_composed_with_what_the_plan_knows() -> None:
    cluster = one(hub(), 'azurerm_kubernetes_cluster.aks["blue"]')
    assert str(cluster.id) == (
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-blue"
        "/providers/Microsoft.ContainerService/managedClusters/aks-blue"
    )
    pool = one(hub(), "azurerm_kubernetes_cluster_node_pool.user")
    assert pool.id.parent == cluster.id


def test_a_subnet_is_found_through_module_output_for_each_and_chaining() -> None:
    document = hub()
    for name in ("blue", "green"):
        cluster = one(document, f'azurerm_kubernetes_cluster.aks["{name}"]')
        value = cluster.prop("agentPoolProfiles", 0, "vnetSubnetID")
        assert leads_to(value) == ["snet-nodes"]
        assert isinstance(value, Unknown)
        assert f"vnet-{name}" in value.refers_to[0].id
    pool = one(document, "azurerm_kubernetes_cluster_node_pool.user")
    assert leads_to(pool.prop("vnetSubnetID")) == ["snet-users"]


def test_associations_are_folded_into_their_subnets() -> None:
    document = hub()
    graph = Graph([document])
    for name in ("nodes", "users"):
        subnet = one(document, f'{BLUE}.azurerm_subnet.spoke["{name}"]')
        group = graph.link(subnet.prop("networkSecurityGroup"), document)
        assert group.sole is one(document, f"{BLUE}.azurerm_network_security_group.nodes")
        table = graph.link(subnet.prop("routeTable"), document)
        assert table.sole is one(document, f"{BLUE}.azurerm_route_table.nodes")
        place = subnet.place("properties", "routeTable")
        assert place.pointer != subnet.origin.pointer


def test_a_next_hop_leads_through_the_module_to_the_firewall() -> None:
    table = one(hub(), f"{BLUE}.azurerm_route_table.nodes")
    assert leads_to(table.prop("routes", 0, "properties", "nextHopIpAddress")) == ["fw-hub"]
    assert table.prop("disableBgpRoutePropagation") is True


def test_standalone_rules_belong_to_their_group() -> None:
    document = hub()
    group = one(document, f"{BLUE}.azurerm_network_security_group.nodes")
    rows, gap = Graph([document]).children(group, "Microsoft.Network/networkSecurityGroups/securityRules")
    assert gap is None
    assert sorted(row.name for row in rows) == ["allow-api", "allow-tunnel"]


def test_firewall_policy_inheritance_and_ip_groups_are_joined() -> None:
    document = hub()
    assert leads_to(one(document, "azurerm_firewall.hub").prop("firewallPolicy", "id")) == ["fp-hub"]
    assert leads_to(one(document, "azurerm_firewall_policy.hub").prop("basePolicy", "id")) == ["fp-base"]
    rules = one(document, "azurerm_firewall_policy_rule_collection_group.aks")
    assert rules.id.parent == one(document, "azurerm_firewall_policy.hub").id
    groups = rules.prop("ruleCollections", 0, "rules", 0, "sourceIpGroups")
    assert isinstance(groups, list)
    assert leads_to(groups[0]) == ["ipg-spokes"]


def test_peerings_lead_to_the_far_network() -> None:
    document = hub()
    away = one(document, f"{BLUE}.azurerm_virtual_network_peering.out")
    back = one(document, f"{BLUE}.azurerm_virtual_network_peering.back")
    assert leads_to(away.prop("remoteVirtualNetwork", "id")) == ["vnet-hub"]
    assert leads_to(back.prop("remoteVirtualNetwork", "id")) == ["vnet-blue"]
    assert back.id.parent == one(document, "azurerm_virtual_network.hub").id


def test_every_rule_has_its_own_line() -> None:
    value = json.loads((HUB / "plan.json").read_bytes())
    data = json.dumps(value, indent=1).encode()
    document = read(data)
    rules = one(document, "azurerm_firewall_policy_rule_collection_group.aks")
    lines = data.decode().splitlines()
    for i, name in enumerate(("udp", "aks")):
        origin = rules.place("properties", "ruleCollections", i, "rules", 0)
        line = document.locate(origin)
        assert line is not None
        block = lines[line - 1 : line + 40]
        ends = next(j for j, text in enumerate(block) if text.strip() == f'"name": "{name}",')
        assert block[0].strip() == "{"
        assert "rule" not in "".join(block[1:ends])
    cluster = one(document, 'azurerm_kubernetes_cluster.aks["green"]')
    line = document.locate(cluster.origin)
    assert line is not None
    assert 'aks[\\"green\\"]' in lines[line]


def test_what_is_unknown_says_why_and_what_would_settle_it() -> None:
    found = everything(hub())
    assert found
    assert all(row.why.startswith("`") and row.settle for row in found)


def test_sensitive_values_never_show() -> None:
    hidden = "never-to-be-shown"
    row = resource(
        "azurerm_network_security_group.n",
        {
            "name": "n",
            "tags": {"a": hidden},
            "security_rule": [{"name": "r", "description": hidden, "destination_address_prefix": hidden}],
        },
        sensitive={
            "tags": True,
            "security_rule": [{"description": True, "destination_address_prefix": True}],
        },
    )
    document = read(plan(row))
    (group,) = document.resources
    group.get("properties")
    assert hidden not in repr(group.body)
    value = group.prop("securityRules", 0, "properties", "destinationAddressPrefix")
    assert isinstance(value, Unknown)
    assert "sensitive" in value.why
    assert group.prop("securityRules", 0, "name") == "r"


def test_the_cloud_and_the_subscription_come_from_the_provider() -> None:
    provider = {
        "azurerm": {
            "expressions": {
                "environment": {"constant_value": "china"},
                "subscription_id": {"references": ["var.sub"]},
            }
        }
    }
    value = plan(resource("azurerm_route_table.t", {"name": "t"}), variables={"sub": {"value": "ABC"}})
    value["configuration"]["provider_config"] = provider
    document = read(value)
    assert document.cloud == "china"
    assert document.resources[0].id.scope == "subscriptions/abc/resourcegroups/rg"


def test_without_anything_known_the_scope_stays_open() -> None:
    (table,) = read(plan(resource("azurerm_route_table.t", {"name": "t"}))).resources
    assert table.id.scope == "subscriptions/{subscription}/resourcegroups/rg"


def test_reading_is_deterministic() -> None:
    data = (HUB / "plan.json").read_bytes()
    first, second = (
        repr([(row.id, row.get("properties")) for row in read(data).resources]) for _ in range(2)
    )
    assert first == second


def test_the_order_of_resources_does_not_matter() -> None:
    value: dict[str, Any] = json.loads((HUB / "plan.json").read_bytes())
    turned = copy.deepcopy(value)
    turned["resource_changes"].reverse()
    turned["planned_values"]["root_module"]["resources"].reverse()
    turned["planned_values"]["root_module"]["child_modules"].reverse()

    def shape(document: Document) -> dict[str, object]:
        return {row.id.key: sorted(leads_to_all(row.get("properties"))) for row in document.resources}

    assert shape(read(value)) == shape(read(turned))


def leads_to_all(value: object) -> list[str]:
    if isinstance(value, Unknown):
        return [ref.id for ref in value.refers_to]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [found for item in inside for found in leads_to_all(item)]
