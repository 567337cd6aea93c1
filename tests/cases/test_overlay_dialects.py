"""Templates, Pulumi previews and states laid over a snapshot, or over one another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests import builders as b
from tests.cases.test_overlay_terraform import (
    ALLOW,
    DENY,
    GROUP,
    NODES,
    NONE,
    RULE,
    cluster,
    hub,
    rule_id,
    security_rule,
    spoke,
    subnet,
)
from tests.overlays import Desk, Json, deleted, plan, planned, snapshot, template, tunnel, why
from tests.unit import pulumi_stacks as p

NETWORKS = "azure-native:network"


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


AKS = b.cluster("nodes")


# ARM: what a template does not mention stays (incremental mode), what it mentions is put there as a whole


def test_a_template_changes_what_it_mentions_alone(desk: Desk) -> None:
    assert tunnel(desk.scan(template(AKS), context=(snapshot(*hub(), *spoke()),))) == "open"
    assert tunnel(desk.scan(template(AKS), context=(snapshot(*hub(), *spoke(DENY)),))) == "blocked"
    mended = template(AKS, b.nsg("g", ALLOW))
    assert tunnel(desk.scan(mended, context=(snapshot(*hub(), *spoke(DENY)),))) == "open"


def test_a_group_without_its_rules_may_lose_those_that_run(desk: Desk) -> None:
    """Azure takes away what a group is deployed without, and nobody deploys a Deny back by accident."""
    bare = b.resource("networkSecurityGroups", "g", {})
    report = desk.scan(template(AKS, bare), context=(snapshot(*hub(), *spoke(DENY)),))
    assert tunnel(report) == "unknown"
    report = desk.scan(template(AKS, bare), context=(snapshot(*hub(), *spoke(ALLOW, DENY)),))
    assert tunnel(report) == "unknown"


def test_a_table_without_its_routes_may_lose_those_that_run(desk: Desk) -> None:
    bare = b.resource("routeTables", "t", {"disableBgpRoutePropagation": True})
    assert tunnel(desk.scan(template(AKS, bare), context=(snapshot(*hub(), *spoke()),))) == "unknown"


def test_a_subnet_that_is_put_there_without_its_group_has_none(desk: Desk) -> None:
    bare = b.subnet("nodes", "10.1.0.0/22", table="t")
    child = b.resource("virtualNetworks/subnets", "net/nodes", bare["properties"])
    there = snapshot(*hub(), *spoke(DENY))
    assert tunnel(desk.scan(template(AKS, child), context=(there,))) == "open"
    whole = b.vnet("net", "10.1.0.0/16", bare, peerings=[b.peering("hub")])
    assert tunnel(desk.scan(template(AKS, whole), context=(there,))) == "open"


def test_a_network_without_its_subnets_and_peerings_keeps_them(desk: Desk) -> None:
    bare = b.resource("virtualNetworks", "net", {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}})
    assert tunnel(desk.scan(template(AKS, bare), context=(snapshot(*hub(), *spoke()),))) == "open"


def test_a_network_with_an_empty_list_of_peerings_loses_them(desk: Desk) -> None:
    alone = b.vnet("net", "10.1.0.0/16", b.subnet("nodes", "10.1.0.0/22", nsg="g", table="t"))
    report = desk.scan(template(AKS, alone), context=(snapshot(*hub(), *spoke()),))
    assert tunnel(report) == "blocked", why(report)


def test_a_policy_keeps_the_groups_of_rules_that_a_template_does_not_mention(desk: Desk) -> None:
    assert tunnel(desk.scan(template(AKS, b.policy()), context=(snapshot(*hub(), *spoke()),))) == "open"
    shut = b.rules_of("policy/first", 100, NONE)
    there = snapshot(*hub(), shut, *spoke())
    assert tunnel(desk.scan(template(AKS, b.policy()), context=(there,))) == "blocked"
    added = template(AKS, b.policy(), shut)
    assert tunnel(desk.scan(added, context=(snapshot(*hub(), *spoke()),))) == "blocked"


def test_one_of_several_that_run_under_the_same_names_is_not_picked(desk: Desk) -> None:
    """A template does not say where it goes, and both groups hold a policy of that name."""
    other = b.SCOPE.replace("/net", "/other")
    shut = snapshot(*hub(b.rules_of("policy/aks", 200, NONE)), scope=other)
    here = snapshot(*hub(), *spoke())
    planned_ = template(AKS, *spoke(), b.firewall(), b.policy())
    report = desk.scan(planned_, context=(here, shut))
    assert tunnel(report) == "unknown", why(report)
    named = ("--param", "resourceGroup().name=net")
    assert tunnel(desk.scan(planned_, context=(here, shut), options=named)) == "open"


def test_a_template_of_an_open_scope_is_not_taken_for_one_of_several_clusters(desk: Desk) -> None:
    """Two spokes of the same names run; a template of one of them leaves both undecided, at worst."""
    other = b.SCOPE.replace("0001/", "0002/")
    two = [snapshot(*hub(), *spoke(), AKS), snapshot(*hub(), *spoke(), AKS, scope=other)]
    report = desk.scan(*two, template(b.nsg("g", DENY)))
    verdicts = {one["tunnel"]["verdict"] for one in report["clusters"]}
    assert len(report["clusters"]) == 2
    assert verdicts == {"unknown"}


def test_a_snapshot_in_the_context_is_not_judged_and_the_command_says_so(desk: Desk) -> None:
    plan_file = desk.put("plan.json", template(b.nsg("g", DENY)))
    there = desk.put("there.json", snapshot(*hub(), *spoke(), AKS))
    status, _ = desk.command("scan", plan_file, "--context", there)
    assert status == 3
    assert "1 cluster in the context is not judged" in desk.said
    status, _ = desk.command("scan", plan_file, there)
    assert status == 1


# Terraform's data sources, networks that list their subnets, azapi, states


def test_a_group_given_to_a_subnet_that_is_looked_up(desk: Desk) -> None:
    looked = planned("data.azurerm_subnet.nodes", subnet(), "no-op")
    given = planned(
        "azurerm_subnet_network_security_group_association.nodes",
        {"subnet_id": NODES, "network_security_group_id": GROUP},
    )
    there = snapshot(*hub(), *spoke(DENY, group=""))
    assert tunnel(desk.scan(plan(cluster(), looked, given), context=(there,))) == "blocked"


def test_a_group_taken_from_a_subnet_that_is_looked_up(desk: Desk) -> None:
    looked = planned(
        "data.azurerm_subnet.nodes",
        subnet(network_security_group_id=GROUP, route_table_id=b.rid("routeTables", "t")),
        "no-op",
    )
    gone = deleted(
        "azurerm_subnet_network_security_group_association.nodes",
        {"id": NODES, "subnet_id": NODES, "network_security_group_id": GROUP},
    )
    there = snapshot(*hub(), *spoke(DENY))
    assert tunnel(desk.scan(plan(cluster(), looked), context=(there,))) == "blocked"
    assert tunnel(desk.scan(plan(cluster(), looked, gone), context=(there,))) == "open"


def test_subnets_that_a_planned_network_lists_keep_their_tables(desk: Desk) -> None:
    """azurerm before version 4 lists subnets with their group, and leaves their table out."""
    row = {"id": NODES, "name": "nodes", "address_prefix": "10.1.0.0/22", "security_group": GROUP}
    mine = {
        "id": b.rid("virtualNetworks", "net"),
        "name": "net",
        "location": "eastus",
        "address_space": ["10.1.0.0/16"],
        "subnet": [row],
    }
    network = planned("azurerm_virtual_network.net", mine, "no-op", before=mine)
    assert tunnel(desk.scan(plan(cluster(), network), context=(snapshot(*hub(), *spoke()),))) == "open"
    there = snapshot(*hub(b.rules_of("policy/aks", 200, NONE)), *spoke())
    assert tunnel(desk.scan(plan(cluster(), network), context=(there,))) == "blocked"


def test_a_part_that_azapi_changes_in_a_resource_that_runs(desk: Desk) -> None:
    update = planned(
        "azapi_update_resource.t",
        {
            "type": "Microsoft.Network/virtualNetworks/subnets@2024-05-01",
            "resource_id": NODES,
            "body": {"properties": {"networkSecurityGroup": {"id": GROUP}}},
        },
    )
    there = snapshot(*hub(), *spoke(DENY, group=""))
    assert tunnel(desk.scan(plan(cluster(), update), context=(there,))) == "blocked"
    gone = deleted("azapi_update_resource.t", {**update["values"], "id": NODES})
    assert tunnel(desk.scan(plan(cluster(), gone), context=(there,))) == "open"


COLLECTION = "azurerm_firewall_network_rule_collection"


def classic_rules(name: str, priority: int, action: str, **more: object) -> Json:
    rule = {
        "name": "all",
        "protocols": ["TCP"],
        "source_addresses": ["*"],
        "destination_addresses": ["*"],
        "destination_ports": ["443"],
    }
    given = {"name": name, "azure_firewall_name": "fw", "priority": priority, "action": action}
    return given | {"rule": [rule]} | more


def classic_hub(*collections: b.Row) -> tuple[b.Row, ...]:
    network, _, *_rest = hub()
    return network, b.firewall(policy="", networkRuleCollections=list(collections))


def classic_collection(name: str, priority: int, action: str) -> b.Row:
    rule = {
        "name": "all",
        "protocols": ["TCP"],
        "sourceAddresses": ["*"],
        "destinationAddresses": ["*"],
        "destinationPorts": ["443"],
    }
    given = {"priority": priority, "action": {"type": action}, "rules": [rule]}
    return {"name": name, "properties": given}


def test_a_classic_rule_collection_joins_those_that_run(desk: Desk) -> None:
    there = snapshot(*classic_hub(classic_collection("web", 200, "Allow")), *spoke())
    first = planned(f"{COLLECTION}.one", classic_rules("none", 100, "Deny"))
    assert tunnel(desk.scan(plan(cluster()), context=(there,))) == "open"
    assert tunnel(desk.scan(plan(cluster(), first), context=(there,))) == "blocked"
    last = planned(f"{COLLECTION}.one", classic_rules("none", 300, "Deny"))
    assert tunnel(desk.scan(plan(cluster(), last), context=(there,))) == "open"


def test_a_classic_rule_collection_that_is_deleted_is_gone(desk: Desk) -> None:
    there = snapshot(*classic_hub(classic_collection("web", 200, "Allow")), *spoke())
    known = f"{b.rid('azureFirewalls', 'fw')}/networkRuleCollections/web"
    gone = deleted(f"{COLLECTION}.one", classic_rules("web", 200, "Allow", id=known))
    assert tunnel(desk.scan(plan(cluster(), gone), context=(there,))) == "blocked"


def test_a_rule_in_a_state_that_the_plan_deletes_is_gone(desk: Desk) -> None:
    """The hub's state is as good a context as a snapshot."""
    allow = security_rule("allow-api", "Allow", id=rule_id("allow-api"), destination_address_prefix="*")
    shut = security_rule(id=rule_id("deny-internet"), priority=300)
    rows = [
        {"address": f"azurerm_network_security_rule.{name}", "mode": "managed", "name": name}
        | {"type": "azurerm_network_security_rule", "values": {"resource_group_name": "net"} | values}
        for name, values in (("allow", allow), ("shut", shut))
    ]
    state = json.dumps(
        {
            "format_version": "1.0",
            "terraform_version": "1.9.0",
            "values": {"root_module": {"resources": rows}},
        }
    ).encode()
    there = snapshot(*hub(), *spoke())
    assert tunnel(desk.scan(plan(cluster()), context=(there, state))) == "open"
    gone = deleted(RULE, allow)
    assert tunnel(desk.scan(plan(cluster(), gone), context=(there, state))) == "blocked"


# Pulumi


def native(kind: str, name: str, known: str, inputs: Json) -> Json:
    return p.native(f"network:{kind}", name, {"resourceGroupName": "net", **inputs}, id=known)


def aks() -> Json:
    pool = {"name": "system", "mode": "System", "vnetSubnetID": NODES}
    inputs = {
        "resourceName": "aks",
        "resourceGroupName": "net",
        "location": "eastus",
        "dnsPrefix": "aks",
        "agentPoolProfiles": [pool],
        "networkProfile": {"networkPlugin": "azure", "outboundType": "userDefinedRouting"},
    }
    return p.native("containerservice:ManagedCluster", "aks", inputs)


def native_rule(name: str, access: str, **more: object) -> Json:
    inputs = {
        "networkSecurityGroupName": "g",
        "securityRuleName": name,
        "priority": 200,
        "access": access,
        "direction": "Outbound",
        "protocol": "*",
        "sourcePortRange": "*",
        "sourceAddressPrefix": "*",
        "destinationAddressPrefix": "Internet",
        "destinationPortRange": "*",
    }
    return native("SecurityRule", "rule", rule_id(name), inputs | more)


def step(op: str, old: Json | None = None, new: Json | None = None) -> Json:
    state = new or old or {}
    found: Json = {"op": op, "urn": state["urn"]}
    return found | ({"oldState": old} if old else {}) | ({"newState": new} if new else {})


def previewed(*steps: Json) -> bytes:
    return p.preview(aks(), steps=steps, summary={"create": 1})


def test_a_preview_that_deletes_a_rule(desk: Desk) -> None:
    there = snapshot(*hub(), *spoke(DENY))
    assert tunnel(desk.scan(previewed(), context=(there,))) == "blocked"
    gone = step("delete", native_rule("deny-internet", "Deny"))
    assert tunnel(desk.scan(previewed(gone), context=(there,))) == "open"


@pytest.mark.parametrize("op", ["discard", "read-discard", "discard-replaced"])
def test_what_a_preview_discards_stays_in_azure(desk: Desk, op: str) -> None:
    """A stack that no longer looks at a resource deletes nothing."""
    seen = {**native_rule("deny-internet", "Deny"), "external": True}
    there = snapshot(*hub(), *spoke(DENY))
    assert tunnel(desk.scan(previewed(step(op, seen)), context=(there,))) == "blocked"


def test_what_is_kept_on_deletion_stays_in_azure(desk: Desk) -> None:
    kept = {**native_rule("deny-internet", "Deny"), "retainOnDelete": True}
    there = snapshot(*hub(), *spoke(DENY))
    assert tunnel(desk.scan(previewed(step("delete", kept)), context=(there,))) == "blocked"


def test_the_old_name_of_what_a_preview_replaces_is_gone(desk: Desk) -> None:
    old = native_rule("allow-all", "Allow")
    new = native_rule("allow-web", "Allow", destinationPortRange="8443")
    del new["id"]
    steps = [step("create-replacement", old, new), step("replace", old, new), step("delete-replaced", old)]
    shut = b.rule("deny-rest", 300, "Deny", "Internet")
    there = snapshot(*hub(), *spoke(b.rule("allow-all", 200, "Allow", "Internet"), shut))
    assert tunnel(desk.scan(previewed(*steps), context=(there,))) == "blocked"


def test_a_subnet_that_a_preview_puts_there_has_what_it_says(desk: Desk) -> None:
    inputs = {
        "virtualNetworkName": "net",
        "subnetName": "nodes",
        "addressPrefix": "10.1.0.0/22",
        "routeTable": {"id": b.rid("routeTables", "t")},
    }
    new = native("Subnet", "nodes", NODES, inputs)
    old = {
        **new,
        "inputs": {**new["inputs"], "networkSecurityGroup": {"id": GROUP}},
        "outputs": {"name": "x"},
    }
    there = snapshot(*hub(), *spoke(DENY))
    assert tunnel(desk.scan(previewed(step("update", old, new)), context=(there,))) == "open"
    assert tunnel(desk.scan(previewed(step("same", old, old)), context=(there,))) == "blocked"


def test_a_group_of_resources_that_a_preview_deletes_takes_them_with_it(desk: Desk) -> None:
    gone = p.native("resources:ResourceGroup", "net", {"resourceGroupName": "net"}, id=b.SCOPE)
    report = desk.scan(previewed(step("delete", gone)), context=(snapshot(*hub(), *spoke()),))
    assert tunnel(report) == "unknown"


def test_an_association_of_the_classic_provider_that_a_preview_deletes(desk: Desk) -> None:
    kind = "network/subnetNetworkSecurityGroupAssociation:SubnetNetworkSecurityGroupAssociation"
    gone = p.classic(kind, "nodes", {"subnetId": NODES, "networkSecurityGroupId": GROUP}, id=NODES)
    there = snapshot(*hub(), *spoke(DENY))
    assert tunnel(desk.scan(previewed(step("delete", gone)), context=(there,))) == "open"
    assert tunnel(desk.scan(previewed(step("same", gone, gone)), context=(there,))) == "blocked"
