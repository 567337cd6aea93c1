"""When a report says that admin rules were not among the inputs: where nobody asked Azure for them."""

from __future__ import annotations

from typing import Any

from tests import builders as b
from tests import pictures as p

from aks_egress.findings.report import Report
from aks_egress.settings import NodeSubnet

NETWORK = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24"), b.subnet("more", "10.0.1.0/24"))
OTHER = b.vnet("other", "10.1.0.0/16", b.subnet("nodes", "10.1.0.0/24"))
RUNS = (NETWORK, OTHER, p.cluster("nodes"))


def unsaid(report: Report) -> bool:
    """Whether the report does not doubt that there are no admin rules."""
    return not any("no Virtual Network Manager admin rules" in one for one in report.notes)


def laid(*planned: b.Row, rows: tuple[b.Row, ...] = RUNS, **more: Any) -> Report:
    return p.judged(*rows, planned=planned, **more)


def test_a_picture_was_asked_for_the_rules_over_its_own_clusters() -> None:
    assert unsaid(p.judged(*RUNS))


def test_a_definition_laid_over_that_picture_rests_on_it() -> None:
    assert unsaid(laid(b.cluster("nodes")))
    assert unsaid(laid(b.cluster("more", name="second")))
    assert unsaid(laid(NETWORK, b.cluster("nodes")))


def test_a_cluster_in_a_network_where_none_ran_was_not_asked_about() -> None:
    assert not unsaid(laid(b.cluster("nodes", network="other", name="second")))
    assert not unsaid(laid(b.cluster("nodes", network="other")))
    assert not unsaid(laid(b.cluster("nodes"), rows=(NETWORK, OTHER)))


def test_definitions_alone_say_nothing_of_admin_rules() -> None:
    assert not unsaid(b.judged(NETWORK, b.cluster("nodes")))


def test_a_declared_subnet_beside_a_cluster_that_runs_rests_on_the_picture() -> None:
    assert unsaid(p.judged(*RUNS, node_subnets=(NodeSubnet(subnet="net/more"),)))
    assert not unsaid(p.judged(*RUNS, node_subnets=(NodeSubnet(subnet="other/nodes"),)))
