"""Peerings with one side, stopped firewalls, guessed next hops, shared tables of kubenet."""

from __future__ import annotations

from typing import Any

import pytest
from tests import builders as b

from aks_egress.findings.report import Report

ALLOW = b.collection("all", 100, "Allow", b.network_rule("all", "Any", "*", "*"))


def spoke(
    *, out: bool = True, back: bool = True, hop: str = "10.9.0.4", firewall: dict[str, Any] | None = None
) -> Report:
    """A spoke that peers, or not, with the hub of its firewall."""
    made = b.firewall(**({"address": "10.9.0.4"} | (firewall or {})))
    if (firewall or {}).get("address", "") is None:
        del made["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
    return b.judged(
        b.vnet(
            "hub",
            "10.9.0.0/16",
            b.subnet("AzureFirewallSubnet", "10.9.0.0/26"),
            peerings=[b.peering("net")] if back else [],
        ),
        b.vnet(
            "net",
            "10.0.0.0/16",
            b.subnet("nodes", "10.0.0.0/24", table="rt"),
            peerings=[b.peering("hub")] if out else [],
        ),
        b.table("rt", b.route("default", "0.0.0.0/0", "VirtualAppliance", hop)),
        b.policy(),
        made,
        b.rules_of("policy/aks", 200, ALLOW),
        b.cluster("nodes"),
    )


def codes(report: Report) -> set[str]:
    return {one.rule for one in report.findings}


def test_a_peering_with_one_side() -> None:
    (finding,) = b.findings(spoke(back=False), "EGR313")
    assert "`hub`, which is defined here as well, does not peer with `net`" in finding.message


def test_both_sides_or_none_are_no_one_sided_peering() -> None:
    assert "EGR313" not in codes(spoke())
    neither = codes(spoke(out=False, back=False))
    assert "EGR313" not in neither
    assert "EGR311" in neither


def test_a_hub_that_is_only_referred_to_is_not_blamed() -> None:
    """Another team's network: its peerings may exist."""
    report = b.judged(
        b.vnet(
            "net",
            "10.0.0.0/16",
            b.subnet("nodes", "10.0.0.0/24", table="rt"),
            peerings=[b.peering("hub")],
        ),
        b.table("rt", b.route("default", "0.0.0.0/0", "VirtualAppliance", "10.9.0.4")),
        b.cluster("nodes"),
    )
    assert "EGR313" not in codes(report)


def test_a_stopped_firewall_behind_a_written_next_hop() -> None:
    report = spoke(firewall={"ipConfigurations": []})
    assert "EGR404" in codes(report)
    assert "EGR304" not in codes(report), "the same thing twice"


def test_a_stopped_firewall_elsewhere_is_not_blamed() -> None:
    report = spoke(hop="10.0.5.4", firewall={"ipConfigurations": []})
    assert "EGR404" not in codes(report)
    assert "EGR304" in codes(report)


@pytest.mark.parametrize(("hop", "wrong"), [("10.9.0.4", False), ("10.9.0.5", True)])
def test_a_guess_at_the_firewalls_address(hop: str, wrong: bool) -> None:
    report = spoke(hop=hop, firewall={"address": None})
    assert ("EGR314" in codes(report)) is wrong


def test_an_address_that_is_known_is_no_guess() -> None:
    report = spoke(hop="10.9.0.9", firewall={"address": "10.9.0.9"})
    assert "EGR314" not in codes(report)


@pytest.mark.parametrize(
    ("plugin", "second", "shared"),
    [("kubenet", "rt", True), ("kubenet", "rt2", False), ("azure", "rt", False)],
)
def test_tables_of_kubenet_clusters(plugin: str, second: str, shared: bool) -> None:
    profile = {"networkPlugin": plugin, "outboundType": "loadBalancer"}
    report = b.judged(
        b.vnet(
            "net",
            "10.0.0.0/16",
            b.subnet("blue", "10.0.0.0/24", table="rt"),
            b.subnet("green", "10.0.1.0/24", table=second),
        ),
        b.table("rt"),
        b.table("rt2"),
        b.cluster("blue", name="blue", networkProfile=profile),
        b.cluster("green", name="green", networkProfile=profile),
    )
    assert ("EGR315" in codes(report)) is shared
