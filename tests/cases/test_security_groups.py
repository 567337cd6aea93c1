"""Worked examples TN1 to TN15: what network security groups let out.

Sources: Microsoft's pages network-security-group-how-it-works, diagnose-vm-network-traffic-filtering,
application-security-groups, what-is-ip-address-168-63-129-16; reports azure-docs#22178; weekly tag data.
"""

from __future__ import annotations

import pytest
from tests import builders as b

from aks_egress.evaluation.demand import Demand
from aks_egress.evaluation.hops import Hops
from aks_egress.packets.addresses import parse
from aks_egress.packets.boxes import Box
from aks_egress.packets.intervals import IntervalSet
from aks_egress.packets.tags import ServiceTags
from aks_egress.topology.model import Topology

WEB = "13.107.21.200"
#: a few true members of the weekly data: MCR's anycast range lies in AzureFrontDoor.FirstParty alone
TAGS = ServiceTags(
    members={
        "azurecloud": ["20.0.0.0/11", "13.64.0.0/11"],
        "azurecloud.eastus": ["20.42.0.0/17"],
        "azurefrontdoor.firstparty": ["150.171.69.0/24", "204.79.197.0/24"],
        "microsoftcontainerregistry": ["20.49.99.0/24"],
    },
    source="file",
)


def network(*rules: b.Row, default_route: bool = False) -> tuple[b.Row, ...]:
    """One network with one group on its node subnet; outbound through a load balancer or an appliance."""
    routes = [b.route("default", "0.0.0.0/0", "VirtualAppliance", "10.1.0.4")] if default_route else []
    return (
        b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", nsg="nsg1", table="rt")),
        b.nsg("nsg1", *rules),
        b.table("rt", *routes),
        b.cluster("nodes", outbound="userDefinedRouting" if default_route else "loadBalancer"),
    )


def decided(
    rows: tuple[b.Row, ...], direction: str, source: str, target: str, port: int, **demand: object
) -> str:
    """The rule of `nsg1` that decides over one TCP packet of subnet `nodes`."""
    topology = Topology([b.document(*rows)], ServiceTags())
    subnet = topology.clusters()[0].pools[0].subnet
    choice = Hops(topology).security_groups(subnet, subnet.nsg, "subnet-nsg")
    packet = Box(
        parse(source),
        parse(target),
        IntervalSet.single(6),
        IntervalSet.single(60000),
        IntervalSet.single(port),
    )
    group = choice.options[0]
    assert group is not None
    pieces = group.decide(Demand(boxes=(packet,), **demand), direction, [packet])  # type: ignore[arg-type]
    (decider,) = {one for piece in pieces for one in piece.deciders}
    return decider.name


def test_tn1_default_rules_let_out_to_the_internet() -> None:
    found = b.flow(b.judged(*network(), asks=[b.wants(WEB, 80)]), WEB, ports="80")
    assert b.deciders(found, "subnet-nsg") == [("AllowInternetOutBound", "allow")]
    assert found.verdict == "open"


def test_tn2_a_private_address_outside_the_network_is_neither_network_nor_internet() -> None:
    found = b.flow(b.judged(*network(), asks=[b.wants("172.31.0.100", 80)]), "172.31.0.100", ports="80")
    assert ("DenyAllOutBound", "deny") in b.deciders(found, "subnet-nsg")
    assert found.verdict == "blocked"


def test_tn3_default_rules_let_nobody_in_from_elsewhere() -> None:
    assert decided(network(), "inbound", "172.31.0.100", "10.0.0.4", 80) == "DenyAllInBound"
    assert decided(network(), "inbound", "10.0.3.7", "10.0.0.4", 80) == "AllowVnetInBound"


def test_tn4_the_group_of_the_nic_is_asked_first_and_its_deny_is_final() -> None:
    rows = (
        *network(),
        b.nsg("nsg2", b.rule("deny-http", 100, "Deny", "Internet", "80", protocol="Tcp")),
        b.scale_set("pool0", "nsg2"),
    )
    found = b.flow(b.judged(*rows, asks=[b.wants(WEB, 80)]), WEB, ports="80")
    assert found.verdict == "blocked"
    assert b.blockers(found) == [("nic-nsg", "deny-http")]


def test_tn5_without_a_group_on_the_nic_the_subnets_group_decides() -> None:
    found = b.flow(b.judged(*network(), asks=[b.wants(WEB, 80)]), WEB, ports="80")
    assert b.hops(found, "nic-nsg") == []
    assert b.deciders(found, "subnet-nsg") == [("AllowInternetOutBound", "allow")]


def test_tn6_without_any_group_everything_may_leave() -> None:
    rows = (
        b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24")),
        b.cluster("nodes", outbound="loadBalancer"),
    )
    found = b.flow(b.judged(*rows, asks=[b.wants(WEB, 80), b.wants(WEB, 9999, "UDP")]), WEB, ports="80")
    assert found.verdict == "open"
    assert b.hops(found, "subnet-nsg", "nic-nsg") == []


def test_tn7_a_deny_also_stops_traffic_within_the_subnet() -> None:
    rows = network(
        b.rule("deny-out", 100, "Deny"),
        b.rule("deny-in", 100, "Deny", direction="Inbound"),
    )
    found = b.flow(b.judged(*rows, asks=[b.wants("10.0.0.9", 80)]), "10.0.0.9", ports="80")
    assert found.verdict == "blocked"
    assert b.blockers(found) == [("subnet-nsg", "deny-out"), ("target-subnet-nsg", "deny-in")]


def asg_rules(port: str) -> list[b.Row]:
    """The documented three rules between web, logic and database servers."""
    everyone = {"direction": "Inbound", "protocol": "Tcp"}
    rows = [
        b.rule("web", 100, "Allow", port="80", source="Internet", **everyone),
        b.rule("logic-to-db", 110, "Allow", port=port, **everyone),
        b.rule("any-to-db", 120, "Deny", port=port, **everyone),
    ]
    for row, source, target in zip(rows, ("", "logic", ""), ("web", "db", "db"), strict=True):
        del row["properties"]["destinationAddressPrefix"]
        row["properties"]["destinationApplicationSecurityGroups"] = b.groups(target)
        if source:
            del row["properties"]["sourceAddressPrefix"]
            row["properties"]["sourceApplicationSecurityGroups"] = b.groups(source)
    return rows


@pytest.mark.parametrize(("source", "rule"), [("logic", "logic-to-db"), ("web", "any-to-db")])
def test_tn8_a_rule_for_application_security_groups_concerns_their_members_alone(
    source: str, rule: str
) -> None:
    from aks_egress.arm.ids import ResourceId

    members = {
        name: frozenset({ResourceId.parse(b.rid("applicationSecurityGroups", name))})
        for name in (source, "db")
    }
    rows = network(*asg_rules("1433"))
    asked = {"source_groups": members[source], "target_groups": members["db"]}
    assert decided(rows, "inbound", "10.0.0.5", "10.0.0.6", 1433, **asked) == rule


def test_tn8_pools_in_application_security_groups_are_told_apart() -> None:
    pools = [
        b.pool(
            name,
            "net",
            "nodes",
            networkProfile={"applicationSecurityGroups": [one["id"] for one in b.groups(name)]},
        )
        for name in ("web", "logic", "db")
    ]
    rows = (
        b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", nsg="nsg1")),
        b.nsg("nsg1", *asg_rules("10250")),
        b.cluster(outbound="loadBalancer", agentPoolProfiles=pools),
    )
    report = b.judged(*rows)
    legs = {
        one.source.pool: one.verdict
        for one in b.sole(report).flows
        if one.role == "tunnel" and one.destination.ports == "10250"
    }
    assert legs["logic"] == "open"
    assert legs["web"] in ("blocked", "partial")


def platform(report: object, port: str) -> list[str]:
    """Verdicts of the flows to platform addresses on a port."""
    cluster = b.sole(report)  # type: ignore[arg-type]
    return [
        one.verdict
        for one in cluster.flows
        if one.destination.kind == "platform" and one.destination.ports == port
    ]


def test_tn9_a_wide_deny_does_not_touch_platform_addresses() -> None:
    report = b.judged(*network(b.rule("deny-all", 4096, "Deny")))
    assert set(platform(report, "53")) == {"open"}
    assert set(platform(report, "80")) == {"open"}


def test_tn10_a_deny_of_the_platform_tag_does() -> None:
    report = b.judged(*network(b.rule("deny-dns", 100, "Deny", "AzurePlatformDNS")))
    assert set(platform(report, "53")) == {"blocked"}
    assert set(platform(report, "80")) == {"open"}
    assert [one.rule for one in b.findings(report, "EGR8")] == ["EGR801"]


def tagged(*rules: b.Row) -> tuple[b.Row, ...]:
    return network(*rules, default_route=True)


def test_tn11_allow_virtual_network_lets_out_to_the_internet_through_tag_expansion() -> None:
    rows = tagged(
        b.rule("allow-vnet", 100, "Allow", "VirtualNetwork", source="VirtualNetwork"),
        b.rule("deny-internet", 200, "Deny", "Internet"),
    )
    report = b.judged(*rows, asks=[b.wants("20.1.2.3")])
    found = b.flow(report, "20.1.2.3")
    assert b.blockers(found) == []
    assert b.deciders(found, "subnet-nsg") == [("allow-vnet", "allow")]
    assert any("U1" in doubt for doubt in found.doubts)
    assert b.findings(report, "EGR5"), "allowed only through tag expansion is worth a warning"


def test_tn12_deny_virtual_network_blocks_the_internet_too() -> None:
    rows = tagged(b.rule("deny-vnet", 100, "Deny", "VirtualNetwork", source="VirtualNetwork"))
    found = b.flow(b.judged(*rows, asks=[b.wants("20.1.2.3")]), "20.1.2.3")
    assert found.verdict == "blocked"
    assert b.blockers(found) == [("subnet-nsg", "deny-vnet")]


def test_tn13_a_group_sees_the_address_dialled_and_not_the_firewalls() -> None:
    rows = tagged(
        b.rule("allow-firewall", 100, "Allow", "10.1.0.4/32", "443", protocol="Tcp"),
        b.rule("deny-internet", 200, "Deny", "Internet"),
    )
    found = b.flow(b.judged(*rows, asks=[b.wants("20.1.2.3")]), "20.1.2.3")
    assert found.verdict == "blocked"
    assert b.blockers(found) == [("subnet-nsg", "deny-internet")]


MCR_ANYCAST = "150.171.69.10"


def test_tn14_azure_cloud_does_not_hold_the_container_registrys_anycast_range() -> None:
    rows = network(
        b.rule("allow-azure", 100, "Allow", "AzureCloud", "443", protocol="Tcp"),
        b.rule("deny-internet", 200, "Deny", "Internet"),
    )
    report = b.judged(*rows, asks=[b.wants(MCR_ANYCAST)], tags=TAGS)
    assert b.blockers(b.flow(report, MCR_ANYCAST)) == [("subnet-nsg", "deny-internet")]
    without_data = b.flow(b.judged(*rows), "mcr.microsoft.com")
    assert without_data.verdict in ("blocked", "partial"), "the tags' names alone tell"


def test_tn15_the_registrys_two_tags_together_hold_it() -> None:
    rows = network(
        b.rule("allow-registry", 100, "Allow", "MicrosoftContainerRegistry", "443", protocol="Tcp"),
        b.rule("allow-front-door", 110, "Allow", "AzureFrontDoor.FirstParty", "443", protocol="Tcp"),
        b.rule("deny-internet", 200, "Deny", "Internet"),
    )
    report = b.judged(*rows, asks=[b.wants(MCR_ANYCAST)], tags=TAGS)
    assert b.flow(report, MCR_ANYCAST).verdict == "open"
    assert b.flow(b.judged(*rows), "mcr.microsoft.com").verdict == "open"
