"""The five addresses that Azure keeps in every subnet have no host (Microsoft: virtual-networks-faq)."""

from __future__ import annotations

import pytest
from tests import builders as b

from aks_egress.findings.report import Report

ASKED = b.wants("20.42.0.9")


def judged(*rules: b.Row, to: str = ASKED.value, prefixes: tuple[str, ...] = ("10.0.0.0/24",)) -> Report:
    nodes = b.subnet("nodes", prefixes[0], nsg="nsg")
    nodes["properties"]["addressPrefixes"] = list(prefixes)
    rows = [
        b.vnet("net", "10.0.0.0/16", nodes),
        b.nsg("nsg", *rules),
        b.cluster("nodes", outbound="loadBalancer"),
    ]
    return b.judged(*rows, asks=[ASKED, b.wants(to)] if to != ASKED.value else [ASKED])


def deny(*source: str, to: str = "Internet", direction: str = "Outbound") -> b.Row:
    return b.rule(
        "deny", 100, "Deny", to=to, source=source[0] if len(source) == 1 else source, direction=direction
    )


@pytest.mark.parametrize(
    "source",
    [("10.0.0.0/30",), ("10.0.0.255",), ("10.0.0.3", "10.0.0.255"), ("10.0.0.1",)],
    ids=", ".join,
)
def test_a_deny_of_addresses_that_no_node_has_shuts_nobody_out(source: tuple[str, ...]) -> None:
    assert b.flow(judged(deny(*source)), ASKED.value).verdict == "open"


@pytest.mark.parametrize("source", ["10.0.0.4", "10.0.0.254", "10.0.0.0/29"])
def test_the_next_address_is_a_nodes(source: str) -> None:
    assert b.flow(judged(deny(source)), ASKED.value).verdict == "partial"


def test_nodes_do_not_dial_such_addresses_either() -> None:
    between = judged(deny("*", to="10.0.0.0/30", direction="Inbound"))
    inward = [one for one in b.sole(between).flows if one.requirement == "node-to-node"]
    assert [one.verdict for one in inward] == ["open"]
    shut = [
        one
        for one in b.sole(judged(deny("*", to="10.0.0.0/29", direction="Inbound"))).flows
        if one.requirement == "node-to-node"
    ]
    assert [one.verdict for one in shut] == ["partial"]


def test_each_prefix_of_a_subnet_has_its_own() -> None:
    two = ("10.0.0.0/24", "10.0.1.0/24")
    assert b.flow(judged(deny("10.0.1.0/30", "10.0.0.255"), prefixes=two), ASKED.value).verdict == "open"
    assert b.flow(judged(deny("10.0.1.4"), prefixes=two), ASKED.value).verdict == "partial"


def test_such_an_address_counts_where_it_is_asked_for_itself() -> None:
    report = judged(deny("*", to="10.0.0.1"), to="10.0.0.1")
    assert b.flow(report, "10.0.0.1").verdict == "blocked"


def test_a_subnet_of_nothing_else_is_judged_all_the_same() -> None:
    report = judged(deny("10.0.0.0/32"), prefixes=("10.0.0.0/31",))
    assert b.flow(report, ASKED.value).verdict == "partial"
