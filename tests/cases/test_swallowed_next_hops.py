"""A route that drops everything to the next hop of another one: nobody documents which of them Azure follows."""

from __future__ import annotations

import pytest
from tests import builders as b

from aks_egress.findings.report import Flow
from aks_egress.settings import Allow, Appliance

ASKED = b.wants("20.42.0.9")
ALL = b.collection("all", 100, "Allow", b.network_rule("all", "Any", "*", "*"))


def leaving(*more: b.Row, hop: str = "10.9.0.4", hub: bool = True, **settings: object) -> Flow:
    rows = [
        b.vnet(
            "net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", table="rt"), peerings=[b.peering("hub")]
        ),
        b.table("rt", b.route("all", "0.0.0.0/0", "VirtualAppliance", hop), *more),
        b.cluster("nodes"),
    ]
    if hub:
        firewalls = b.subnet("AzureFirewallSubnet", "10.9.0.0/26")
        rows += [b.vnet("hub", "10.9.0.0/16", firewalls, peerings=[b.peering("net")])]
        rows += [b.firewall(), b.policy(), b.rules_of("policy/group", 200, ALL)]
    return b.flow(b.judged(*rows, asks=[ASKED], **settings), ASKED.value)


@pytest.mark.parametrize("prefix", ["10.9.0.0/16", "10.9.0.4/32", "10.9.0.0/26"])
def test_a_next_hop_that_another_route_drops_everything_to_is_undecided(prefix: str) -> None:
    found = leaving(b.route("dropped", prefix, "None"))
    assert found.verdict == "unknown"
    assert "route `dropped` drops what goes to that address" in found.reason
    assert "narrow route `dropped`" in found.settle


@pytest.mark.parametrize(
    ("prefix", "to"),
    [
        ("10.8.0.0/16", "None"),
        ("10.0.0.0/8", "None"),
        ("10.9.0.128/25", "None"),
        ("10.9.0.0/16", "VnetLocal"),
    ],
)
def test_routes_that_leave_the_next_hop_alone_change_nothing(prefix: str, to: str) -> None:
    """The peering's own route is longer than one for 10.0.0.0/8."""
    assert leaving().verdict == "open"
    assert leaving(b.route("other", prefix, to)).verdict == "open"


def test_a_longer_route_to_the_next_hop_wins_over_the_one_that_drops() -> None:
    kept = b.route("kept", "10.9.0.0/26", "VnetLocal")
    assert leaving(b.route("dropped", "10.9.0.0/16", "None"), kept).verdict == "open"


def test_a_declared_appliance_is_no_more_certain_to_be_reached() -> None:
    declared = Appliance(address="10.7.0.4", name="ours", allows=(Allow(destinations=("*",)),))
    assert leaving(hop="10.7.0.4", hub=False, appliances=(declared,)).verdict == "open"
    dropped = b.route("dropped", "10.7.0.0/16", "None")
    assert leaving(dropped, hop="10.7.0.4", hub=False, appliances=(declared,)).verdict == "unknown"
