"""Definitions that are yet to be deployed, laid over a picture of what runs."""

from __future__ import annotations

from tests import builders as b

from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Document, Role
from aks_egress.engine import judge
from aks_egress.evaluation.verdicts import Verdict
from aks_egress.records import replace
from aks_egress.settings import Settings

HUB = (
    b.vnet("hub", "10.9.0.0/16", b.subnet("AzureFirewallSubnet", "10.9.0.0/26"), peerings=[b.peering("net")]),
    b.firewall(),
    b.policy(),
    b.rules_of(
        "policy/aks",
        200,
        b.collection("web", 100, "Allow", b.network_rule("https", "TCP", "*", "443")),
    ),
)


def spoke(*rules: b.Row, hop: str = "10.9.0.4") -> tuple[b.Row, ...]:
    return (
        b.vnet(
            "net",
            "10.1.0.0/16",
            b.subnet("nodes", "10.1.0.0/22", nsg="g", table="t"),
            peerings=[b.peering("hub")],
        ),
        b.nsg("g", *rules),
        b.table("t", b.route("default", "0.0.0.0/0", "VirtualAppliance", hop)),
        b.cluster("nodes"),
    )


def running(*rows: b.Row) -> Document:
    document = b.document(*rows, path="snapshot.json", role=Role.CONTEXT)
    document.deployed = True
    return document


def tunnel(*documents: Document) -> Verdict:
    (cluster,) = judge(documents, Settings(), b.NO_TAGS).clusters
    return cluster.tunnel.verdict


DENY = b.rule("deny-internet", 200, "Deny", "Internet")


def test_a_planned_spoke_is_judged_with_the_hub_that_runs() -> None:
    assert tunnel(b.document(*spoke()), running(*HUB)) is Verdict.OPEN


def test_what_is_planned_wins_over_what_runs() -> None:
    assert tunnel(b.document(*spoke()), running(*HUB, *spoke(DENY))) is Verdict.OPEN
    assert tunnel(b.document(*spoke(DENY)), running(*HUB, *spoke())) is Verdict.BLOCKED


def test_a_running_firewall_uses_the_policy_that_is_planned() -> None:
    closed = (
        b.policy(),
        b.rules_of(
            "policy/aks", 200, b.collection("none", 100, "Deny", b.network_rule("all", "Any", "*", "*"))
        ),
    )
    assert tunnel(b.document(*spoke(), *closed), running(*HUB)) is Verdict.BLOCKED


def test_what_the_plan_deletes_is_gone() -> None:
    plan = b.document(*spoke())
    plan.deleted = frozenset(
        {ResourceId.parse(b.rid("firewallPolicies/ruleCollectionGroups", "policy", "aks"))}
    )
    assert tunnel(plan, running(*HUB)) is Verdict.BLOCKED


def test_a_planned_rule_of_its_own_joins_the_rules_that_run() -> None:
    """A plan that adds one rule to a group it does not hold."""
    network, _, table, cluster = spoke()
    extra = b.resource("networkSecurityGroups/securityRules", "g/deny-internet", DENY["properties"])
    assert tunnel(b.document(network, table, cluster, extra), running(*HUB, b.nsg("g"))) is Verdict.BLOCKED


def test_a_planned_rule_replaces_the_running_one_of_its_name() -> None:
    network, _, table, cluster = spoke()
    mended = b.resource(
        "networkSecurityGroups/securityRules", "g/deny-internet", DENY["properties"] | {"access": "Allow"}
    )
    assert (
        tunnel(b.document(network, table, cluster, mended), running(*HUB, b.nsg("g", DENY))) is Verdict.OPEN
    )


def test_a_network_that_lists_no_subnets_keeps_those_that_run() -> None:
    """Terraform plans a network without its subnets; other teams own these."""
    network, group, table, cluster = spoke()
    bare = {**network, "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}}
    assert tunnel(b.document(bare, group, table, cluster), running(*HUB, network)) is Verdict.OPEN


def test_a_group_that_lists_its_rules_drops_those_that_run() -> None:
    assert (
        tunnel(b.document(*spoke(b.rule("other", 300, "Allow"))), running(*HUB, *spoke(DENY))) is Verdict.OPEN
    )


def test_two_pictures_that_disagree_are_not_decided() -> None:
    other = replace(running(*HUB[:-1], b.rules_of("policy/aks", 200)), path="other.json")
    assert tunnel(b.document(*spoke()), running(*HUB), other) is Verdict.UNKNOWN
