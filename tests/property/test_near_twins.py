"""Two clusters that differ in one thing alone, which at first sight decides nothing: each is judged for itself.

Every one of these pairs was once taken for alike, or would be if one part of the description were left out.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from tests.property.designs import Design
from tests.property.fleets import snapshot
from tests.property.test_alike import judged
from tests.property.traits import Row

from aks_egress.evaluation import likeness
from aks_egress.evaluation.appliances import Appliances
from aks_egress.evaluation.hops import Hops
from aks_egress.evaluation.walk import Walk
from aks_egress.packets.tags import ServiceTags
from aks_egress.records import replace
from aks_egress.requirements.own import own_requirements
from aks_egress.settings import OwnRequirement, Settings
from aks_egress.topology.model import Topology

Change = Callable[[list[Row], int], None]


def twins(
    change: Change,
    other: Change,
    chosen: Settings | None = None,
    tags: ServiceTags | None = None,
    **designed: Any,
) -> None:
    """Assert that clusters changed in two ways are judged as they are by themselves, whichever comes first."""
    for first, second in ((change, other), (other, change)):
        design = Design(random.Random(1), plain=True)
        for name, value in designed.items():
            setattr(design, name, value)
        rows = list(design.hub(0))
        for i, changing in enumerate((first, second)):
            own = list(design.spoke(i, 0))
            changing(own, i)
            rows += own
        data = snapshot(rows)
        settings = chosen or Settings()
        assert judged(data, settings, 1, tags) == judged(data, settings, 1 << 30, tags)


def one(rows: list[Row], kind: str) -> Any:
    """The properties of the first row of a type."""
    return next(row for row in rows if row["type"].casefold().endswith(f"/{kind}".casefold()))["properties"]


def rule(name: str, **properties: Any) -> Row:
    """A security rule that denies everything outbound, but for what is said."""
    base = {"priority": 300, "direction": "Outbound", "access": "Deny", "protocol": "*", "sourceAddressPrefix": "*",
            "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "*"}  # fmt: skip
    return {"name": name, "properties": base | properties}


def route(name: str, prefix: str, hop: str, address: str = "") -> Row:
    """A route."""
    said = {"addressPrefix": prefix, "nextHopType": hop} | ({"nextHopIpAddress": address} if address else {})
    return {"name": name, "properties": said}


ANYTHING = {"ruleType": "NetworkRule", "name": "any", "ipProtocols": ["Any"], "sourceAddresses": ["*"],
            "destinationAddresses": ["*"], "destinationPorts": ["*"]}  # fmt: skip


def with_database(*, guarded: bool) -> Change:
    """A network with public addresses of its own; where guarded, with a subnet there whose group denies everything."""

    def change(rows: list[Row], i: int) -> None:
        network = one(rows, "virtualNetworks")
        network["addressSpace"]["addressPrefixes"].append("20.60.0.0/24")
        if not guarded:
            return
        group = dict(next(row for row in rows if row["type"].endswith("/networkSecurityGroups")))
        group["id"] = group["id"] + "-db"
        group["properties"] = {"securityRules": [rule("deny-all", direction="Inbound")]}
        rows.append(group)
        properties = {"addressPrefix": "20.60.0.0/26", "networkSecurityGroup": {"id": group["id"]}}
        network["subnets"].append({"name": "db", "properties": properties})

    return change


def test_an_address_of_a_subnet_is_judged_by_that_subnets_own_group() -> None:
    """An endpoint in public space of one's own lies in a subnet of one cluster's network and in another's of the other."""
    asked = OwnRequirement(id="db", kind="ip", value="20.60.0.10")
    twins(with_database(guarded=True), with_database(guarded=False), Settings(requirements=(asked,)))


def routed(*routes: Row) -> Change:
    """A cluster whose table holds these routes as well."""

    def change(rows: list[Row], i: int) -> None:
        one(rows, "routeTables")["routes"] += routes

    return change


def test_a_route_without_next_hop_is_told_from_one_that_has_it() -> None:
    """Two routes to an appliance, of which one names no address: which of them leads to the firewall."""
    hop = "VirtualAppliance"
    asked = tuple(
        OwnRequirement(id=f"r{i}", kind="ip", value=value) for i, value in enumerate(("20.1.2.3", "40.1.2.3"))
    )
    twins(
        routed(route("a", "20.0.0.0/8", hop, "172.16.0.4"), route("b", "40.0.0.0/8", hop)),
        routed(route("a", "20.0.0.0/8", hop), route("b", "40.0.0.0/8", hop, "172.16.0.4")),
        Settings(requirements=asked),
    )


def test_an_address_of_a_cluster_is_nothing_of_its_twins() -> None:
    """Both need the addresses of the first one's subnet: to that one they are its own, to the other somebody else's."""
    asked = OwnRequirement(id="own", kind="ip", value="10.0.0.0/25")
    twins(unchanged, unchanged, Settings(requirements=(asked,)))


def unchanged(rows: list[Row], i: int) -> None:
    """A cluster as its design has it."""


def two_subnets(*, one_label: bool) -> Change:
    """A second subnet with a pool; the groups of both allow kubelets, and have one name in two resource groups or not."""

    def change(rows: list[Row], i: int) -> None:
        groups = [row for row in rows if row["type"].endswith("/networkSecurityGroups")]
        network, cluster = one(rows, "virtualNetworks"), one(rows, "managedClusters")
        first = network["subnets"][0]["properties"]
        own: Row = {
            **groups[0],
            "properties": {
                "securityRules": [
                    rule("kubelets", direction="Inbound", access="Allow", destinationPortRange="10250")
                ]
            },
        }
        rows[:] = [row for row in rows if row not in groups]
        prefix = own["id"].rsplit("/", 1)[0]
        ids = [f"{prefix}/nsg-a", prefix.replace("spoke-", "other-") + f"/nsg-{'a' if one_label else 'b'}"]
        rows += [{**own, "id": one_id} for one_id in ids]
        network["subnets"] = [
            {"name": f"snet-{n}", "properties": {**first, "addressPrefix": f"10.{i}.0.{n * 128}/25", "networkSecurityGroup": {"id": one_id}}}
            for n, one_id in enumerate(ids)
        ]  # fmt: skip
        pool = cluster["agentPoolProfiles"][0]
        home = pool["vnetSubnetID"].rsplit("/", 1)[0]
        cluster["agentPoolProfiles"] = [
            {**pool, "name": f"pool{n}", "vnetSubnetID": f"{home}/snet-{n}"} for n in range(2)
        ]

    return change


def test_groups_of_one_name_are_shown_as_one_where_they_have_one_name_alone() -> None:
    """A path shows what has one name and says the same once; which clusters that holds for is part of what they are."""
    twins(two_subnets(one_label=True), two_subnets(one_label=False))


def test_routes_of_one_name_are_shown_as_one_where_they_have_one_name_alone() -> None:
    """The same of two routes that tie."""

    def to_firewall(name: str) -> Row:
        return route(name, "20.0.0.0/8", "VirtualAppliance", "172.16.0.4")

    twins(
        routed(to_firewall("a"), to_firewall("a")),
        routed(to_firewall("a"), to_firewall("b")),
        firewall_rules=[ANYTHING],
    )


def test_pods_with_the_addresses_of_a_subnet_are_those_of_that_cluster_alone() -> None:
    """Pods whose range is the first one's subnet: packets from the one are not retold as packets from the other."""

    def change(rows: list[Row], i: int) -> None:
        one(rows, "managedClusters")["networkProfile"]["podCidr"] = "10.0.0.0/25"
        one(rows, "virtualNetworks")["addressSpace"]["addressPrefixes"] = ["10.0.0.0/15"]
        one(rows, "networkSecurityGroups")["securityRules"] = [rule("no", destinationPortRange="443")]

    twins(change, change)


@pytest.mark.parametrize("dot", ["", "."])
def test_a_name_is_read_as_it_is_whatever_dot_ends_it(dot: str) -> None:
    """A firewall that names one cluster's API server lets no other one through."""

    def change(rows: list[Row], i: int) -> None:
        one(rows, "managedClusters")["fqdn"] = f"aks-{i}-a1.hcp.westeurope.azmk8s.io{dot}"

    named = ["aks-0-a1.hcp.westeurope.azmk8s.io"]
    twins(change, change, firewall_rules=[], names=named, tagged=False)
    twins(change, change, firewall_rules=[], names=["aks-1-a1.hcp.westeurope.azmk8s.io"], tagged=False)


@pytest.mark.parametrize("kept", [0, 1])
def test_a_required_name_tells_clusters_apart_however_many_there_are(
    monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    """Descriptions of requirements are kept up to a number; beyond it they say no less."""
    monkeypatch.setattr(likeness, "_MOST_KEPT", kept)
    (known,) = own_requirements([OwnRequirement(id="host", kind="fqdn", value="a.contoso.com")], "")
    described = likeness.Likeness(Walk(Hops(Topology([], ServiceTags())), Appliances((), ServiceTags())))
    first, second = (
        described._requirement(replace(known, name=name)) for name in ("a.contoso.com", "b.contoso.com")
    )
    assert first != second


EVERYTHING = [rule("out", access="Allow"), rule("in", access="Allow", direction="Inbound")]


def standing(spaces: list[str], *prefixes: str, rules: list[Row] | None = None) -> Change:
    """A cluster whose network has these spaces and whose nodes have one of these prefixes, by its number."""

    def change(rows: list[Row], i: int) -> None:
        network = one(rows, "virtualNetworks")
        network["addressSpace"]["addressPrefixes"] = spaces
        network["subnets"][0]["properties"]["addressPrefix"] = prefixes[i]
        one(rows, "networkSecurityGroups")["securityRules"] = rules or []
        one(rows, "routeTables")["routes"] = [route("default", "0.0.0.0/0", "Internet")]

    return change


def both(spaces: list[str], *prefixes: str, rules: list[Row] | None = None, **more: Any) -> None:
    """Assert it of two clusters that stand so, in either order."""
    for ordered in (prefixes, prefixes[::-1]):
        change = standing(spaces, *ordered, rules=rules)
        twins(change, change, outbound="loadBalancer", **more)


def test_a_tag_may_hold_the_addresses_of_one_cluster_alone() -> None:
    """Nodes with public addresses of one's own, one cluster's among those of a service by the published data."""
    data = ServiceTags(members={"azurecloud": ["20.60.0.0/16"]}, source="file")
    no = rule("no", destinationAddressPrefix="AzureCloud", destinationPortRange="10250")
    both(["20.60.0.0/15"], "20.60.0.0/25", "20.61.0.0/25", rules=[no], tags=data)
    inwards = rule("no", direction="Inbound", sourceAddressPrefix="AzureCloud", destinationPortRange="10250")
    both(["20.60.0.0/15"], "20.60.0.0/25", "20.61.0.0/25", rules=[inwards], tags=data)


def test_nodes_with_public_addresses_are_not_as_those_with_private_ones() -> None:
    """Subnets outside their networks' spaces, which Azure refuses: what a route leads to the Internet arrives or not."""
    both(["10.9.0.0/24"], "20.60.0.0/25", "10.8.0.0/25", rules=EVERYTHING)


def test_nodes_without_ipv4_addresses_are_judged_by_themselves() -> None:
    """A subnet of IPv6 alone has no place among the addresses that are compared."""
    both(["10.9.0.0/24"], "fd00::/64", "10.8.0.0/25", rules=EVERYTHING)


def test_subnets_that_overlap_are_judged_by_themselves() -> None:
    """Two subnets of one prefix, which Azure refuses, are one place in what a path says of them."""

    def change(prefixes: tuple[str, str]) -> Change:
        def changed(rows: list[Row], i: int) -> None:
            two_subnets(one_label=False)(rows, i)
            network = one(rows, "virtualNetworks")
            network["addressSpace"]["addressPrefixes"] = ["10.0.0.0/15"]
            for subnet, prefix in zip(network["subnets"], prefixes, strict=True):
                subnet["properties"]["addressPrefix"] = prefix

        return changed

    twins(change(("10.0.0.0/25", "10.0.0.0/25")), change(("10.1.0.0/25", "10.1.0.128/25")))


@pytest.mark.parametrize(("port", "tunnel"), [("9000", "tunnelfront"), ("1194", "aks-link"), ("123", "auto")])
def test_a_rule_for_a_port_that_is_needed_tells_clusters_apart(port: str, tunnel: str) -> None:
    """One of two denies a port of the tunnel or of the clock, and nothing else."""

    def change(rows: list[Row], i: int) -> None:
        no = rule("no", destinationAddressPrefix="Internet", destinationPortRange=port)
        one(rows, "networkSecurityGroups")["securityRules"] = [no]

    twins(change, unchanged, Settings(tunnel=tunnel), firewall_rules=[ANYTHING])
