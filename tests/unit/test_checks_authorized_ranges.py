"""EGR702: whether the authorized ranges of a public API server hold the nodes' own way out."""

from __future__ import annotations

from typing import Any

import pytest
from tests import builders as b
from tests import pictures as p

from aks_egress.findings.report import Finding, Severity
from aks_egress.values import Unknown

PIP = b.rid("publicIPAddresses", "pip")


def limited(*ranges: Any) -> b.Row:
    return {"apiServerAccessProfile": {"authorizedIPRanges": list(ranges)}}


def spoke(*ranges: Any, hop: str = "VirtualAppliance", address: str | None = "10.9.0.4") -> list[b.Row]:
    nodes = b.subnet("nodes", "10.0.0.0/24", table="rt")
    return [
        b.vnet("net", "10.0.0.0/16", nodes, peerings=[b.peering("hub")]),
        b.table("rt", b.route("all", "0.0.0.0/0", hop, address)),
        b.cluster("nodes", **limited(*ranges)),
    ]


def hub(**firewall: Any) -> list[b.Row]:
    network = b.vnet(
        "hub", "10.9.0.0/16", b.subnet("AzureFirewallSubnet", "10.9.0.0/26"), peerings=[b.peering("net")]
    )
    return [network, b.firewall(**firewall), b.policy()]


def public_address(value: str = "20.50.1.1") -> b.Row:
    return b.resource("publicIPAddresses", "pip", {"ipAddress": value})


def found(*rows: b.Row) -> list[Finding]:
    return b.findings(b.judged(*rows), "EGR702")


def test_ranges_without_the_firewalls_address_lock_the_nodes_out() -> None:
    (one,) = found(*spoke("203.0.113.0/24"), *hub(), public_address())
    assert one.severity is Severity.WARNING
    assert "`pip` of firewall `fw`" in one.message
    assert found(*spoke("203.0.113.0/24", "20.50.1.0/24"), *hub(), public_address()) == []


def test_a_public_address_that_is_not_among_the_inputs_leaves_it_undecided() -> None:
    (one,) = found(*spoke("203.0.113.0/24"), *hub())
    assert one.severity is Severity.NOTE
    assert "is not decided" in one.message
    assert "firewall `fw`" in one.message
    assert "not among the inputs" in one.message


def test_so_does_an_appliance_that_nobody_describes() -> None:
    (one,) = found(*spoke("203.0.113.0/24"))
    assert one.severity is Severity.NOTE
    assert "what lies behind route `all`" in one.message
    (one,) = found(*spoke("203.0.113.0/24", hop="VirtualNetworkGateway", address=None))
    assert one.severity is Severity.NOTE


def test_a_firewall_that_names_no_public_address_is_undecided() -> None:
    rows = hub()
    rows[1]["properties"]["ipConfigurations"][0]["properties"].pop("publicIPAddress")
    (one,) = found(*spoke("203.0.113.0/24"), *rows)
    assert "names no public address" in one.message


def test_ranges_that_are_not_known_leave_it_undecided() -> None:
    lost = Unknown("known only after apply")
    for ranges in (limited("203.0.113.0/24", lost), {"apiServerAccessProfile": {"authorizedIPRanges": lost}}):
        rows = spoke()[:2]
        (one,) = found(*rows, b.cluster("nodes", **ranges), *hub(), public_address())
        assert one.severity is Severity.NOTE
        assert "known only after apply" in one.message


@pytest.mark.parametrize("ranges", [(), ("0.0.0.0/0",)])
def test_nobody_is_locked_out_by_no_ranges_or_by_all_addresses(ranges: tuple[str, ...]) -> None:
    assert found(*spoke(*ranges), *hub()) == []


def gateway(**members: Any) -> list[b.Row]:
    nodes = b.subnet("nodes", "10.0.0.0/24", nat="nat")
    return [b.vnet("net", "10.0.0.0/16", nodes), b.resource("natGateways", "nat", members)]


def test_the_addresses_of_a_nat_gateway_are_looked_at() -> None:
    chosen = b.cluster("nodes", outbound="userAssignedNATGateway", **limited("203.0.113.0/24"))
    rows = gateway(publicIpAddresses=[{"id": PIP}])
    assert [one.severity for one in found(*rows, chosen, public_address())] == [Severity.WARNING]
    assert [one.severity for one in found(*rows, chosen)] == [Severity.NOTE]


def test_so_are_its_prefixes() -> None:
    rows = gateway(publicIpPrefixes=[{"id": b.rid("publicIPPrefixes", "range")}])
    prefix = b.resource("publicIPPrefixes", "range", {"ipPrefix": "20.50.2.0/30"})
    for listed, wanted in (("20.50.2.0/30", []), ("20.50.2.0/31", [Severity.WARNING])):
        chosen = b.cluster("nodes", outbound="userAssignedNATGateway", **limited(listed))
        assert [one.severity for one in found(*rows, prefix, chosen)] == wanted


def test_a_firewall_of_a_hub_says_its_addresses_itself() -> None:
    rows = spoke("20.50.3.3/32", "203.0.113.0/24")
    given = {
        "hubIPAddresses": {
            "privateIPAddress": "10.9.0.4",
            "publicIPs": {"addresses": [{"address": "20.50.3.3"}]},
        }
    }
    secured = b.resource("azureFirewalls", "fw", {"sku": {"name": "AZFW_Hub", "tier": "Standard"}, **given})
    assert found(*rows, secured) == []
    rows = spoke("203.0.113.0/24")
    (one,) = found(*rows, secured)
    assert "20.50.3.3 of firewall `fw`" in one.message


def test_a_load_balancers_address_is_listed_by_aks_itself() -> None:
    rows = [b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24"))]
    assert found(*rows, b.cluster("nodes", outbound="loadBalancer", **limited("203.0.113.0/24"))) == []


def test_a_picture_decides_with_the_address_that_runs() -> None:
    rows = [*spoke("203.0.113.0/24"), *hub(), public_address()]
    assert [one.severity for one in b.findings(p.judged(*rows), "EGR702")] == [Severity.WARNING]
