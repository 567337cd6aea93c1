"""Security groups as filters where something of them is not known, damaged, or twice there."""

from __future__ import annotations

from typing import Any

from tests import builders as b

from aks_egress.evaluation.demand import Demand
from aks_egress.evaluation.filters import Filter
from aks_egress.evaluation.hops import Hops
from aks_egress.packets.addresses import parse
from aks_egress.packets.boxes import EPHEMERAL, TCP, Box
from aks_egress.packets.intervals import IntervalSet
from aks_egress.packets.tags import ServiceTags
from aks_egress.topology.model import Topology
from aks_egress.values import NOWHERE, Unknown

LOST = Unknown("known only after deployment")


def _filter(*rules: b.Row, **properties: Any) -> Filter:
    group = b.nsg("nsg", *rules)
    group["properties"] |= properties
    topology = Topology(
        [b.document(b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/22", nsg="nsg")), group)],
        ServiceTags(),
    )
    subnet = topology.subnets.at(
        b.subnet_id("net", "nodes"), topology.graph.documents[0], NOWHERE, "node subnet"
    )
    found = Hops(topology).security_groups(subnet, subnet.nsg, "subnet-nsg").options[0]
    assert found is not None
    return found


def _box(port: int = 443) -> Box:
    return Box(
        parse("10.0.0.0/22"), parse("20.1.2.3"), IntervalSet.single(TCP), EPHEMERAL, IntervalSet.single(port)
    )


def _said(*rules: b.Row, port: int = 443, **properties: Any) -> set[str]:
    """Names of those that could decide about TCP to a public address."""
    box = _box(port)
    pieces = _filter(*rules, **properties).decide(Demand(boxes=(box,)), "outbound", [box])
    return {one.name for piece in pieces for one in piece.deciders}


def _changed(row: b.Row, **properties: Any) -> b.Row:
    row["properties"] |= properties
    return row


def test_a_rule_whose_priority_alone_is_not_known_stands_before_the_defaults() -> None:
    """It decides what no other rule matches, and may decide the rest."""
    alone = _changed(b.rule("lost", 100, "Deny"), priority=LOST)
    assert _said(alone) == {"lost"}
    assert _said(alone, b.rule("allow", 200, "Allow")) == {"lost", "allow"}


def test_a_rule_without_a_priority_is_not_placed_anywhere() -> None:
    """Azure refuses it: it may decide, and what comes after it as well."""
    assert _said(_changed(b.rule("lost", 100, "Allow"), priority=None)) == {"lost", "AllowInternetOutBound"}


def test_two_rules_of_one_priority_leave_open_which_comes_first() -> None:
    """Each is named once."""
    rules = b.rule("a", 100, "Allow"), b.rule("b", 100, "Deny", port="443")
    assert _said(*rules) == {"a", "b"}
    assert _said(*rules, port=80) == {"a"}


def test_a_direction_that_is_not_known_makes_a_rule_a_maybe() -> None:
    """In both directions."""
    assert _said(_changed(b.rule("lost", 100, "Deny"), direction=LOST)) == {"lost", "AllowInternetOutBound"}


def test_rules_that_are_not_known_may_decide_anything() -> None:
    """The whole list is unknown: the defaults are not the answer."""
    assert _said(securityRules=LOST) == {"rules that are not known", "AllowInternetOutBound"}


def test_a_deny_that_azure_refuses_does_not_vanish() -> None:
    """Whatever is damaged, and a damaged Allow above it opens nothing."""
    for damage in (
        {"destinationPortRange": "80,443"},
        {"destinationPortRange": ""},
        {"destinationAddressPrefix": "AzureKubernetesService"},
        {"destinationAddressPrefix": ""},
        {"sourceAddressPrefix": "10.0.0.1/8"},
        {"protocol": "https"},
    ):
        deny = _changed(b.rule("deny", 200, "Deny"), **damage)
        assert "deny" in _said(deny), damage
        allow = _changed(b.rule("allow", 100, "Allow"), **damage)
        assert "allow" not in _said(allow), damage


def test_a_number_out_of_bounds_damages_nothing_else() -> None:
    """The rule keeps its addresses: a Deny of one prefix does not become one of all."""
    assert _said(b.rule("deny", 50, "Deny", to="30.0.0.0/8")) == {"AllowInternetOutBound"}


def test_an_unknown_tag_is_a_maybe_on_both_sides() -> None:
    """Without data a tag that nobody knows neither opens nor shuts."""
    for access in ("Allow", "Deny"):
        assert _said(b.rule("tag", 100, access, to="NewService"), b.rule("last", 200, "Deny")) == {
            "tag",
            "last",
        }


def test_what_was_asked_before_changes_no_answer() -> None:
    """Clauses are made when packets first come near them, and kept."""
    rules = (
        b.rule("web", 100, "Allow", port="443"),
        b.rule("shut", 200, "Deny", port="1-1023"),
        b.rule("rest", 300, "Allow"),
    )
    once = _filter(*rules)
    for port in (443, 80, 9000, 443, 80):
        box = _box(port)
        pieces = once.decide(Demand(boxes=(box,)), "outbound", [box])
        assert {one.name for piece in pieces for one in piece.deciders} == _said(*rules, port=port)
    assert once.decide(Demand(boxes=()), "outbound", []) == []
