"""Effective rules and routes of a node's network interface, beside what the resources say."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")

from tests.generate.snapshots import SUBSCRIPTION
from tests.live.azure import Azure
from tests.live.test_collect import CLUSTER, GROUP, NETWORK, azure, judged, picture, tunnel

from aks_egress.evaluation.verdicts import Verdict

Json = dict[str, Any]
PLACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/MC_shop/providers/Microsoft.Network/networkInterfaces"


def with_interfaces(*names: str) -> Azure:
    """The example, with these interfaces of virtual machines in the node resource group."""
    cloud = azure()
    cluster = cloud.resources[CLUSTER.casefold()]["properties"]
    cluster["nodeResourceGroup"] = "MC_shop"
    for pool in cluster["agentPoolProfiles"]:
        pool["type"] = "VirtualMachines"
    subnet = {"subnet": {"id": f"{NETWORK}/subnets/snet-system"}}
    cloud.children[PLACE.casefold()] = [
        {
            "id": f"{PLACE}/{name}",
            "type": "Microsoft.Network/networkInterfaces",
            "properties": {
                "virtualMachine": {"id": f"{PLACE}/vm"},
                "ipConfigurations": [{"name": "a", "properties": subnet}],
            },
        }
        for name in names
    ]
    return cloud


def group(*rules: Json) -> Json:
    """What Azure says of the security group of the system nodes."""
    named = {"id": f"{GROUP}/Microsoft.Network/networkSecurityGroups/nsg-system"}
    return {"networkSecurityGroup": named, "effectiveSecurityRules": list(rules)}


def route(source: str, prefix: str, kind: str, address: str, state: str = "Active") -> Json:
    """One effective route."""
    return {
        "source": source,
        "state": state,
        "addressPrefix": [prefix],
        "nextHopType": kind,
        "nextHopIpAddress": [address],
    }


def said(cloud: Azure) -> list[str]:
    """The notes of the report about the interface."""
    notes = judged(picture(cloud, effective=True)).notes
    return [one for one in notes if "network interface `node-0`" in one]


def test_they_are_compared_hop_by_hop() -> None:
    cloud = with_interfaces("node-0")
    extra = {
        "name": "securityRules/from-elsewhere",
        "direction": "Outbound",
        "access": "Deny",
        "priority": 150,
    }
    learned = route("VirtualNetworkGateway", "10.20.0.0/16", "VirtualNetworkGateway", "10.9.9.9")
    own = route("User", "0.0.0.0/0", "VirtualAppliance", "10.0.0.4")
    cloud.effective = {"rules": [group(extra)], "routes": [learned, own]}
    found = said(cloud)
    assert any("rule `from-elsewhere` (outbound deny 150)" in one for one in found)
    assert any("10.20.0.0/16" in one and "learned from a gateway" in one for one in found)
    assert not any("0.0.0.0/0" in one for one in found)


def test_a_route_that_azure_does_not_use_is_said() -> None:
    cloud = with_interfaces("node-0")
    own = route("User", "0.0.0.0/0", "VirtualAppliance", "10.0.0.4", state="Invalid")
    cloud.effective = {"rules": [], "routes": [own]}
    assert any("is Invalid: Azure does not use it" in one for one in said(cloud))


def test_where_both_agree_it_is_said_once() -> None:
    cloud = with_interfaces("node-0", "node-1")
    own = route("User", "0.0.0.0/0", "VirtualAppliance", "10.0.0.4")
    cloud.effective = {"rules": [], "routes": [own]}
    (only,) = said(cloud)
    assert only.endswith("are those that were judged")


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
