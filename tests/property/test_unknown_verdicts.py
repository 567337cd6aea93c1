"""The unknown law end to end: lose any value of a hub and a spoke, and no flow goes from open to blocked or back."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from tests import builders as b
from tests.property.seeds import seeds
from tests.property.worlds import Row

from aks_egress.findings.report import Report
from aks_egress.values import Unknown

LOST = Unknown("known only after deployment")
NAMES = ("mcr.microsoft.com", "*.data.mcr.microsoft.com", "management.azure.com", "login.microsoftonline.com")


def _network(*, sound: bool) -> list[Row]:
    """A spoke whose default route leads to a firewall in the hub; unsound, the groups and rules shut some of it."""
    rules = [
        b.rule("web", 100, "Allow", to="Internet", port="443"),
        b.rule("rest", 200, "Deny", to="Internet"),
    ]
    allowed = b.collection(
        "tunnel", 100, "Allow", b.network_rule("api", "TCP", "AzureCloud.eastus", ["443", "9000"])
    )
    names = b.collection("names", 200, "Allow", b.application_rule("aks", *NAMES))
    return [
        b.vnet(
            "net",
            "10.0.0.0/16",
            b.subnet("nodes", "10.0.0.0/22", nsg="nsg", table="table"),
            peerings=[b.peering("hub")],
        ),
        b.vnet(
            "hub", "10.9.0.0/16", b.subnet("AzureFirewallSubnet", "10.9.0.0/26"), peerings=[b.peering("net")]
        ),
        b.nsg("nsg", *([] if sound else rules)),
        b.table("table", b.route("all", "0.0.0.0/0", "VirtualAppliance", "10.9.0.4")),
        b.firewall(),
        b.policy(proxy=True),
        b.rules_of("policy/group", 200, allowed, names)
        if not sound
        else b.rules_of("policy/group", 200, _everything()),
        b.cluster("nodes"),
    ]


def _direct() -> list[Row]:
    """A spoke that leaves by a NAT gateway; its pods have a subnet and a group of their own."""
    gateway = b.resource(
        "natGateways", "nat", {"publicIpAddresses": [{"id": b.rid("publicIPAddresses", "pip")}]}
    )
    shut = b.rule("shut", 300, "Deny", to="AzureCloud", port=["9000", "1194"], protocol="*")
    pool = b.pool("p", "net", "nodes", podSubnetID=b.subnet_id("net", "pods"))
    return [
        b.vnet(
            "net",
            "10.0.0.0/16",
            b.subnet("nodes", "10.0.0.0/22", nsg="nsg", nat="nat"),
            b.subnet("pods", "10.0.8.0/22", nsg="pods", nat="nat"),
        ),
        b.nsg("nsg", b.rule("web", 100, "Allow", to="Internet", port="443"), shut),
        b.nsg("pods", b.rule("in", 100, "Deny", direction="Inbound", port="10250")),
        gateway,
        b.resource("publicIPAddresses", "pip", {}),
        b.cluster("nodes", outbound="userAssignedNATGateway", agentPoolProfiles=[pool]),
    ]


def _everything() -> Row:
    return b.collection("all", 100, "Allow", b.network_rule("all", "Any", "*", "*"))


def _places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in ("name", "type", "apiVersion", "location"):
                yield (*here, key)
                yield from _places(item, (*here, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield (*here, i)
            yield from _places(item, (*here, i))


def _without(rows: list[Row], place: tuple[Any, ...]) -> list[Row]:
    changed: Any = copy.deepcopy(rows)
    holder = changed
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = LOST
    return list(changed)


def _verdicts(report: Report) -> dict[tuple[str, str, str, str], str]:
    """The verdict of every flow, by its requirement and its ends."""
    return {
        (one.requirement, one.destination.value, one.destination.ports, one.source.subnet): str(one.verdict)
        for cluster in report.clusters
        for one in cluster.flows
    }


NETWORKS = {"sound": _network(sound=True), "shut": _network(sound=False), "direct": _direct()}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("seed", seeds(4))
def test_no_flow_flips_when_a_value_is_lost(seed: int, name: str) -> None:
    """Open may become unknown and so may blocked; neither becomes the other."""
    rows = NETWORKS[name]
    before = _verdicts(b.judged(*rows))
    assert {"open", "blocked"} & set(before.values())
    places = [place for place in _places(rows) if len(place) > 2 and place[1] == "properties"]
    Random(seed).shuffle(places)
    for place in places[:10]:
        after = _verdicts(b.judged(*_without(rows, place)))
        for flow in before.keys() & after.keys():
            pair = {before[flow], after[flow]}
            assert not pair >= {"open", "blocked"}, f"{place}: {flow} {before[flow]} -> {after[flow]}"
            assert not pair >= {"open", "partial"}, f"{place}: {flow} {before[flow]} -> {after[flow]}"
