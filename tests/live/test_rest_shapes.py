"""Answers in the shapes of Azure's public REST examples, in our words: what is kept of each, and how it is understood."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")

from tests import builders as b
from tests.live.azure import Azure
from tests.live.test_collect import judged, picture, tunnel
from tests.live.test_what_is_read import DENY, INSIDE, WEB, admin_rule, azure, behind, rules, secured, spoke

from aks_egress.evaluation.verdicts import Verdict
from aks_egress_scan.live.dependencies import differences

Json = dict[str, Any]
NETWORK = b.rid("virtualNetworks", "net")
MANAGER = f"{b.SCOPE}/providers/Microsoft.Network/networkManagers/m"
COLLECTION = f"{MANAGER}/securityAdminConfigurations/c/ruleCollections"


def answered(row: Json, **members: Any) -> Json:
    """A resource with what Azure adds to each: tags, etags and provisioning states everywhere."""
    out = _dressed(copy.deepcopy(row))
    return {**out, "etag": 'W/"1"', "tags": {"owner": "team"}, "zones": [], **members}


def _dressed(value: Any) -> Any:
    if isinstance(value, list):
        return [_dressed(one) for one in value]
    if not isinstance(value, dict):
        return value
    out = {name: _dressed(one) for name, one in value.items()}
    if isinstance(out.get("properties"), dict):
        out["properties"] = {"provisioningState": "Succeeded", **out["properties"]}
        out["etag"] = 'W/"1"'
    return out


def one_by_one(*rows: Json) -> Azure:
    """Resource Graph shows the clusters alone; everything else is asked for by itself."""
    cloud = azure(*map(answered, rows))
    cloud.hidden = {key for key in cloud.resources if "managedclusters" not in key}
    return cloud


# security groups: rules of one's own, and beside them Azure's


def default_rules() -> list[Json]:
    given = [("AllowVnetOutBound", 65000, "Allow"), ("DenyAllOutBound", 65500, "Deny")]
    return [b.rule(name, priority, access) for name, priority, access in given]


def test_default_rules_of_a_group_are_azures_and_not_kept() -> None:
    group = b.nsg("g")
    group["properties"] |= {
        "defaultSecurityRules": default_rules(),
        "subnets": [{"id": f"{NETWORK}/subnets/nodes"}],
        "networkInterfaces": [],
    }
    for cloud in (azure(*spoke(answered(group), nsg="g")), one_by_one(*spoke(group, nsg="g"))):
        snapshot = picture(cloud)
        kept = snapshot.resources[b.rid("networkSecurityGroups", "g").casefold()]
        assert kept["properties"] == {"securityRules": []}
        assert tunnel(snapshot) is Verdict.OPEN


# a firewall with rules of its own, a policy with a parent


def classic() -> Json:
    rule = {
        "name": "L4",
        "description": "to be left out",
        "protocols": ["TCP"],
        "sourceAddresses": ["10.1.0.0-10.1.3.255"],
        "destinationAddresses": ["*"],
        "destinationPorts": ["443-444"],
    }
    collection = {
        "name": "own",
        "id": f"{b.rid('azureFirewalls', 'fw')}/networkRuleCollections/own",
        "properties": {"priority": 112, "action": {"type": "Allow"}, "rules": [rule]},
    }
    nat = {
        "name": "in",
        "properties": {
            "priority": 100,
            "action": {"type": "Dnat"},
            "rules": [{"name": "web", "protocols": ["TCP"], "destinationAddresses": ["20.1.1.1"]}],
        },
    }
    return b.firewall(
        policy="",
        networkRuleCollections=[collection],
        natRuleCollections=[nat],
        applicationRuleCollections=[],
        ipGroups=[],
        additionalProperties={"Network.DNS.EnableProxy": "true", "key1": "secret"},
        threatIntelMode="Alert",
        autoscaleConfiguration={"minCapacity": 2},
    )


def test_a_firewall_with_rules_of_its_own_decides_by_them() -> None:
    for cloud in (azure(*behind(firewall=answered(classic()))),):
        snapshot = picture(cloud)
        assert tunnel(snapshot) is Verdict.OPEN
        kept = snapshot.resources[b.rid("azureFirewalls", "fw").casefold()]["properties"]
        assert kept["additionalProperties"] == {"Network.DNS.EnableProxy": "true"}
        assert "description" not in json.dumps(kept)


def test_a_policy_asked_for_by_itself_brings_its_groups_and_its_parents() -> None:
    """Each group is asked for by the id that its policy names."""
    parent = b.policy("parent", ruleCollectionGroups=[_group("parent")], childPolicies=[{"id": "x"}])
    child = b.policy(
        "policy",
        basePolicy={"id": b.rid("firewallPolicies", "parent")},
        ruleCollectionGroups=[_group("policy")],
        firewalls=[{"id": b.rid("azureFirewalls", "fw")}],
        explicitProxy={
            "enableExplicitProxy": False,
            "pacFile": "https://x.file.core.windows.net/?sig=SECRET",
        },
        transportSecurity={"certificateAuthority": {"name": "ca", "keyVaultSecretId": "https://kv/SECRET"}},
        insights={"isEnabled": True},
    )
    rows = behind(child, parent, rules("policy"), rules("parent", WEB))
    cloud = one_by_one(*rows)
    cloud.hidden -= {key for key in cloud.hidden if "/azurefirewalls/" in key}
    snapshot = picture(cloud)
    assert snapshot.unread == []
    assert tunnel(snapshot) is Verdict.OPEN
    assert "SECRET" not in json.dumps(list(snapshot.resources.values()))


def _group(policy: str) -> Json:
    return {"id": b.rid("firewallPolicies/ruleCollectionGroups", policy, "aks")}


# the hub of a Virtual WAN


def test_children_of_a_hub_are_what_they_are_whatever_their_ids_say() -> None:
    """Azure's own example spells the type of a connection in another way."""
    cloud = secured()
    (path,) = [one for one in cloud.children if one.endswith("/hubvirtualnetworkconnections")]
    (row,) = cloud.children[path]
    row["id"] = row["id"].replace("hubVirtualNetworkConnections", "virtualHubVnetConnections")
    row["properties"]["routingConfiguration"] = {"vnetRoutes": {"staticRoutes": []}}
    snapshot = picture(cloud)
    assert snapshot.unread == []
    assert tunnel(snapshot) is Verdict.BLOCKED


def test_a_row_whose_id_is_of_another_type_is_a_gap() -> None:
    """It would be overlooked: its type is read off its id."""
    cloud = azure(*spoke(b.nsg("g", INSIDE, DENY), nsg="g"))
    row = cloud.resources.pop(b.rid("networkSecurityGroups", "g").casefold())
    row["id"] = row["id"].replace("networkSecurityGroups", "somethingElse")
    cloud.resources[row["id"].casefold()] = row
    cloud.gone = ["/networkSecurityGroups/"]
    snapshot = picture(cloud)
    assert any("its id is not one of a resource of type" in one.why for one in snapshot.unread)
    assert tunnel(snapshot) is Verdict.UNKNOWN


# admin rules in effect


def in_effect(*found: Json) -> Azure:
    """Two networks of clusters; each names the rules in effect over it."""
    cloud = azure(*spoke(b.nsg("g", INSIDE, DENY), nsg="g"))
    cloud.admin_rules[NETWORK.casefold()] = list(found)
    return cloud


@pytest.mark.parametrize("groups", [None, [], [{"networkGroupId": "/not/an/id"}], [{}]], ids=str)
def test_a_rule_in_effect_applies_whatever_groups_it_names(groups: Any) -> None:
    """Azure was asked for this network, and named the rule."""
    rule = admin_rule("a", "AlwaysAllow", 10) | {
        "configurationDescription": "left out",
        "kind": "Default",
        "ruleCollectionAppliesToGroups": groups,
        "ruleGroups": [
            {"id": f"{MANAGER}/networkGroups/all", "properties": {"memberType": "VirtualNetwork"}}
        ],
    }
    assert tunnel(picture(in_effect(rule))) is Verdict.OPEN


@pytest.mark.parametrize("rule_id", [None, 5, "", f"{MANAGER}/other/x", f"{COLLECTION}/rc"], ids=str)
def test_a_rule_in_effect_that_cannot_be_placed_decides_nothing(rule_id: Any) -> None:
    """Left out, it could not deny."""
    rule = admin_rule("a", "Deny", 10) | {"id": rule_id}
    cloud = azure(*spoke())
    cloud.admin_rules[NETWORK.casefold()] = [rule]
    assert tunnel(picture(cloud)) is Verdict.UNKNOWN


def two_networks() -> Azure:
    """Two clusters in two networks, whose security groups let nothing out."""
    first = spoke(b.nsg("g", INSIDE, DENY), nsg="g")
    other = b.vnet("other", "10.2.0.0/16", b.subnet("nodes", "10.2.0.0/22", nsg="g"))
    return azure(*first, other, b.cluster("nodes", name="two", network="other", outbound="loadBalancer"))


def tunnels(cloud: Azure) -> dict[str, Verdict]:
    return {one.name: one.tunnel.verdict for one in judged(picture(cloud)).clusters}


def test_a_rule_in_effect_over_one_network_is_not_in_effect_over_another() -> None:
    """Both share a collection that names both groups; the other collection applies to one of them only."""
    cloud = two_networks()
    both = [{"networkGroupId": f"{MANAGER}/networkGroups/{name}"} for name in ("one", "two")]
    shared = admin_rule("shared", "Allow", 50) | {"ruleCollectionAppliesToGroups": both}
    alone = admin_rule("alone", "AlwaysAllow", 10) | {
        "id": f"{COLLECTION}/second/rules/alone",
        "ruleCollectionAppliesToGroups": both[1:],
    }
    cloud.admin_rules[NETWORK.casefold()] = [shared]
    cloud.admin_rules[b.rid("virtualNetworks", "other").casefold()] = [shared, alone]
    assert tunnels(cloud) == {"aks": Verdict.BLOCKED, "two": Verdict.OPEN}


def test_a_collection_that_each_network_names_its_own_group_of_applies_to_both() -> None:
    cloud = two_networks()
    for name in ("net", "other"):
        group = [{"networkGroupId": f"{MANAGER}/networkGroups/{name}"}]
        rule = admin_rule("out", "AlwaysAllow", 10) | {"ruleCollectionAppliesToGroups": group}
        cloud.admin_rules[b.rid("virtualNetworks", name).casefold()] = [rule]
    assert tunnels(cloud) == {"aks": Verdict.OPEN, "two": Verdict.OPEN}


# the endpoints that a cluster itself says it needs


def endpoints(*found: tuple[str, int]) -> list[Json]:
    return [
        {
            "category": "any",
            "endpoints": [
                {
                    "domainName": host,
                    "endpointDetails": [{"port": port, "protocol": "Https", "description": "x"}],
                }
            ],
        }
        for host, port in found
    ]


@pytest.mark.parametrize("host", ["*.azmk8s.io", "aks-1234.hcp.westeurope.azmk8s.io"])
@pytest.mark.parametrize("port", [443, 9000, 1194])
def test_the_tunnels_that_clusters_name_by_the_api_server_are_known(host: str, port: int) -> None:
    """The catalogue has them by address, Azure's list by name."""
    said = differences({"c": endpoints((host, port))}, "public")
    assert [one for one in said if "does not know" in one] == []


def test_another_port_of_the_api_server_is_not_known() -> None:
    said = differences({"c": endpoints(("*.azmk8s.io", 8443))}, "public")
    assert any("`*.azmk8s.io:8443`" in one for one in said)


def test_endpoints_are_kept_without_what_is_not_compared() -> None:
    cloud = azure(*spoke())
    cloud.dependencies = endpoints(("mcr.microsoft.com", 443), ("packages.microsoft.com", 443))
    cloud.page = 1
    (found,) = picture(cloud).dependencies.values()
    assert [one["endpoints"][0]["domainName"] for one in found] == [
        "mcr.microsoft.com",
        "packages.microsoft.com",
    ]
    assert found[0]["endpoints"][0]["endpointDetails"] == [{"port": 443, "protocol": "Https"}]


# a cluster


def test_a_cluster_as_azure_answers_it_keeps_no_keys() -> None:
    rows = spoke()
    rows[1]["properties"] |= {
        "currentKubernetesVersion": "1.31.1",
        "fqdn": "dns-abcd1234.hcp.eastus.azmk8s.io",
        "linuxProfile": {"adminUsername": "azureuser", "ssh": {"publicKeys": [{"keyData": "SECRET"}]}},
        "servicePrincipalProfile": {"clientId": "SECRET"},
        "identityProfile": {"kubeletidentity": {"clientId": "SECRET"}},
        "aadProfile": {"adminGroupObjectIDs": ["SECRET"]},
    }
    snapshot = picture(azure(*map(answered, rows)))
    said = json.dumps(snapshot.of("microsoft.containerservice/managedclusters"))
    assert "SECRET" not in said
    assert "team" not in said
    assert "dns-abcd1234.hcp.eastus.azmk8s.io" in said


# Resource Graph


def test_rows_without_properties_are_rows() -> None:
    """Some types have none; Resource Graph says null."""
    cloud = azure(*spoke())
    group = b.resource("applicationSecurityGroups", "g", {}) | {
        "id": b.rid("applicationSecurityGroups", "g"),
        "properties": None,
        "sku": None,
        "kind": "",
        "plan": None,
        "tags": None,
    }
    cloud.resources[group["id"].casefold()] = group
    snapshot = picture(cloud)
    assert snapshot.resources[group["id"].casefold()]["properties"] == {}
    assert tunnel(snapshot) is Verdict.OPEN
