"""Effective rules and routes of a node's network interface, beside what the resources say."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")

from tests.generate.snapshots import SUBSCRIPTION
from tests.live.azure import Azure, Odd, running
from tests.live.test_collect import CLUSTER, GROUP, NETWORK, azure, judged, picture, tunnel

from aks_egress.evaluation.verdicts import Verdict
from aks_egress_scan.live.collect import Scope, collect

Json = dict[str, Any]
PLACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/MC_shop/providers/Microsoft.Network/networkInterfaces"
NSG = f"{GROUP}/Microsoft.Network/networkSecurityGroups/nsg-system"
MANAGER = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-hub/providers/Microsoft.Network/networkManagers/corp"
)


def with_interfaces(*names: str) -> Azure:
    """The example, with these interfaces of virtual machines in the node resource group."""
    cloud = azure()
    cluster = cloud.resources[CLUSTER.casefold()]["properties"]
    cluster["nodeResourceGroup"] = "MC_shop"
    for pool in cluster["agentPoolProfiles"]:
        pool["type"] = "VirtualMachines"
    kept_by_aks = (
        f"{GROUP.replace('rg-spoke', 'MC_shop')}/Microsoft.Network/networkSecurityGroups/aks-agentpool-1-nsg"
    )
    cloud.resources[kept_by_aks.casefold()] = {
        "id": kept_by_aks,
        "type": "Microsoft.Network/networkSecurityGroups",
        "properties": {"securityRules": []},
    }
    subnet = {"subnet": {"id": f"{NETWORK}/subnets/snet-system"}}
    cloud.children[PLACE.casefold()] = [
        {
            "id": f"{PLACE}/{name}",
            "type": "Microsoft.Network/networkInterfaces",
            "properties": {
                "virtualMachine": {"id": f"{PLACE}/vm"},
                "ipConfigurations": [{"name": "a", "properties": dict(subnet)}],
            },
        }
        for name in names
    ]
    cloud.effective = {"rules": [applied(cloud)], "routes": [OWN]}
    return cloud


def effective(rule: Json) -> Json:
    """A rule as Azure spells an effective one: ranges for ports, prefixes for everything."""
    given = rule["properties"]
    spelled = {"*": "0.0.0.0/0"}
    out = {"name": f"securityRules/{rule['name']}", "protocol": given["protocol"].replace("*", "All")}
    out |= {name: given[name] for name in ("access", "direction", "priority")}
    for end in ("source", "destination"):
        found = given.get(f"{end}AddressPrefixes") or [given[f"{end}AddressPrefix"]]
        out[f"{end}AddressPrefix"] = found[0]
        out[f"{end}AddressPrefixes"] = [spelled.get(one, one) for one in found]
        out[f"expanded{end.capitalize()}AddressPrefix"] = ["20.0.0.0/8"]
    ports = given.get("destinationPortRanges") or [given["destinationPortRange"]]
    out["destinationPortRange"] = _range(ports[0])
    out["destinationPortRanges"] = [_range(one) for one in ports]
    return out


def _range(port: str) -> str:
    return "0-65535" if port == "*" else port if "-" in port else f"{port}-{port}"


def applied(cloud: Azure, *more: Json) -> Json:
    """What Azure says of the security group of the system nodes."""
    rows = cloud.resources[NSG.casefold()]["properties"]["securityRules"]
    default = {"name": "defaultSecurityRules/DenyAllOutBound", "direction": "Outbound", "priority": 65500}
    return {
        "networkSecurityGroup": {"id": NSG},
        "association": {"subnet": {"id": f"{NETWORK}/subnets/snet-system"}},
        "effectiveSecurityRules": [*map(effective, rows), default, *more],
    }


def route(source: str, prefix: str, kind: str, address: str, state: str = "Active") -> Json:
    """One effective route."""
    return {
        "source": source,
        "state": state,
        "addressPrefix": [prefix],
        "nextHopType": kind,
        "nextHopIpAddress": [address],
    }


OWN = route("User", "0.0.0.0/0", "VirtualAppliance", "10.0.0.4")
SYSTEM = route("Default", "10.1.0.0/16", "VnetLocal", "")


def said(cloud: Azure, name: str = "node-0") -> list[str]:
    """The notes of the report about an interface."""
    notes = judged(picture(cloud, effective=True)).notes
    label = f"network interface `{name}`: "
    return [one.split(label)[1] for one in notes if label in one]


AGREE = "Azure's effective rules and routes are those that were judged"


def test_where_both_agree_it_is_said_once() -> None:
    """Azure spells ports and prefixes otherwise, and names its own rules and routes beside."""
    cloud = with_interfaces("node-0", "node-1")
    cloud.effective["routes"].append(SYSTEM)
    assert said(cloud) == [AGREE]


def test_agreement_is_said_of_each_interface() -> None:
    cloud = with_interfaces("node-0", "node-1")
    other = cloud.children[PLACE.casefold()][1]["properties"]["ipConfigurations"][0]["properties"]
    other["subnet"] = {"id": f"{NETWORK}/subnets/snet-user"}
    for subnet in cloud.resources[NETWORK.casefold()]["properties"]["subnets"]:
        subnet["properties"]["networkSecurityGroup"] = {"id": NSG}
    assert (said(cloud, "node-0"), said(cloud, "node-1")) == ([AGREE], [AGREE])


def test_a_rule_that_only_azure_has() -> None:
    cloud = with_interfaces("node-0")
    extra = {
        "name": "securityRules/from-elsewhere",
        "direction": "Outbound",
        "access": "Deny",
        "priority": 150,
    }
    cloud.effective["rules"] = [applied(cloud, extra)]
    assert said(cloud) == [
        "Azure applies rule `from-elsewhere` (outbound deny 150) of `nsg-system`, the group does not list it"
    ]


def test_a_rule_that_azure_does_not_apply() -> None:
    cloud = with_interfaces("node-0")
    gone = cloud.effective["rules"][0]["effectiveSecurityRules"].pop(0)
    (only,) = said(cloud)
    assert only.startswith(f"the group `nsg-system` lists rule `{gone['name'].split('/')[1]}` (")
    assert only.endswith("Azure does not apply it")


def test_a_rule_that_says_something_else() -> None:
    cloud = with_interfaces("node-0")
    rule = cloud.effective["rules"][0]["effectiveSecurityRules"][0]
    rule["access"] = "Deny"
    rule["destinationPortRange"], rule["destinationPortRanges"] = "80-80", ["80-80"]
    (only,) = said(cloud)
    name = rule["name"].split("/")[1]
    assert only.startswith(
        f"Azure applies rule `{name}` of `nsg-system` with access deny, the group says allow; "
    )
    assert "destinationPortRange 80, the group says " in only


def test_a_security_group_that_azure_does_not_apply() -> None:
    cloud = with_interfaces("node-0")
    cloud.effective["rules"] = []
    assert said(cloud) == ["the security group `nsg-system` was judged, Azure does not apply it"]


def test_a_security_group_that_was_not_collected() -> None:
    cloud = with_interfaces("node-0")
    other = {"networkSecurityGroup": {"id": f"{NSG}-other"}, "effectiveSecurityRules": []}
    cloud.effective["rules"].append(other)
    assert said(cloud) == ["Azure applies the security group `nsg-system-other`, which was not collected"]


def test_rules_of_a_network_manager_are_its_own() -> None:
    """They come as a group without an id; those that were collected agree."""
    cloud = with_interfaces("node-0")
    rule = {"name": "securityAdminRules/deny-web", "direction": "Outbound", "access": "Deny", "priority": 10}
    cloud.effective["rules"].append(
        {"association": {"networkManager": {"id": MANAGER}}, "effectiveSecurityRules": [rule]}
    )
    assert said(cloud) == [
        "Azure applies admin rule `deny-web` (outbound deny 10) of network manager `corp`, which was not collected"
    ]
    cloud.admin_rules[NETWORK.casefold()] = [
        {
            "id": f"{MANAGER}/securityAdminConfigurations/c/ruleCollections/rc/rules/deny-web",
            "kind": "Custom",
            "properties": {"access": "Deny", "direction": "Outbound", "priority": 10, "protocol": "Tcp"},
            "ruleCollectionAppliesToGroups": [{"networkGroupId": f"{MANAGER}/networkGroups/all"}],
        }
    ]
    assert said(cloud) == [AGREE]


def test_a_route_that_a_gateway_taught() -> None:
    cloud = with_interfaces("node-0")
    cloud.effective["routes"].append(
        route("VirtualNetworkGateway", "10.20.0.0/16", "VirtualNetworkGateway", "10.9.9.9")
    )
    assert said(cloud) == [
        "route 10.20.0.0/16 to virtualnetworkgateway 10.9.9.9 was learned from a gateway; no resource says so"
    ]


def test_routes_that_only_one_of_both_has() -> None:
    cloud = with_interfaces("node-0")
    cloud.effective["routes"] = [route("User", "10.0.0.0/8", "None", "")]
    assert said(cloud) == [
        "Azure has route 10.0.0.0/8 to none, the table does not list it",
        "the table lists route 0.0.0.0/0 to virtualappliance 10.0.0.4, Azure does not have it",
    ]


def test_a_route_that_azure_does_not_use_is_said() -> None:
    cloud = with_interfaces("node-0")
    cloud.effective["routes"] = [route("User", "0.0.0.0/0", "VirtualAppliance", "10.0.0.4", state="Invalid")]
    assert said(cloud) == ["route 0.0.0.0/0 to virtualappliance 10.0.0.4 is Invalid: Azure does not use it"]


def test_what_may_not_be_asked_is_said_and_changes_no_verdict() -> None:
    cloud = with_interfaces("node-0")
    cloud.refused = ["effectiveNetworkSecurityGroups"]
    snapshot = picture(cloud, effective=True)
    assert "effectiveNetworkSecurityGroups/action" in snapshot.unread[0].permission
    assert tunnel(snapshot) is Verdict.OPEN


def test_scale_sets_alone_say_that_azure_names_none() -> None:
    snapshot = picture(with_interfaces(), effective=True)
    assert "not for scale sets" in snapshot.unread[0].why
    assert tunnel(snapshot) is Verdict.OPEN


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (
            Odd(200, {"status": "Failed", "error": {"code": "VmNotRunning", "message": "It is stopped."}}),
            "shape",
        ),
        (Odd(400, {"error": {"code": "NicNotRunning", "message": "It is stopped."}}), "NicNotRunning"),
        (Odd(200, b'{"value": ['), "only a part of it came"),
    ],
    ids=["failed", "refused", "half"],
)
def test_an_operation_that_fails_is_said(odd: Odd, why: str) -> None:
    cloud = with_interfaces("node-0")
    cloud.odd = lambda path, body: odd if "operationresults" in path else None
    snapshot = picture(cloud, effective=True)
    (one,) = snapshot.unread
    assert why in one.why
    assert snapshot.effective == {}
    assert tunnel(snapshot) is Verdict.OPEN


def test_an_operation_without_end_is_given_up() -> None:
    cloud = with_interfaces("node-0")
    with running(cloud, patience=1) as session:
        again = f"{session.endpoint}/operationresults/rules?api-version=1"
        cloud.odd = lambda path, body: (
            Odd(202, {}, Location=again, Retry_After="0") if "operationresults" in path else None
        )
        snapshot = collect(session, Scope(), effective=True)
        cloud.odd = lambda path, body: None  # lets the SDK's own thread come to an end
    (one,) = snapshot.unread
    assert one.why.endswith("Azure did not work it out within 1 s")
