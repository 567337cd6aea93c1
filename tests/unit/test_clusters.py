"""Clusters: pools, inline and apart, and the subnets they live in."""

from __future__ import annotations

from typing import Any

from tests import builders as b

from aks_egress.arm.resources import Role
from aks_egress.packets.tags import ServiceTags
from aks_egress.topology.clusters import Cluster
from aks_egress.topology.model import Topology
from aks_egress.values import Unknown

LOST = Unknown("known only after deployment")
NET = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/22"), b.subnet("pods", "10.0.8.0/22"))


def _read(row: b.Row, *more: b.Row) -> Cluster:
    return Topology([b.document(NET, row, *more)], ServiceTags()).clusters()[0]


def _pooled(*pools: Any, **properties: Any) -> b.Row:
    return b.cluster("nodes", agentPoolProfiles=list(pools), **properties)


def test_pools_share_the_subnet_they_share() -> None:
    """Two pools in one subnet are one source of flows."""
    found = _read(_pooled(b.pool("a", "net", "nodes"), b.pool("b", "net", "NODES", mode="User")))
    assert [pool.name for pool in found.pools] == ["a", "b"]
    assert found.pools[0].subnet is found.pools[1].subnet
    assert len(found.subnets()) == 1
    assert [pool.name for pool in found.system_pools] == ["a"]


def test_pods_may_have_a_subnet_of_their_own() -> None:
    """`podSubnetID`."""
    found = _read(_pooled(b.pool("a", "net", "nodes", podSubnetID=b.subnet_id("net", "pods"))))
    assert found.pools[0].pod_subnet is not None
    assert found.pools[0].pod_subnet.label == "net/pods"


def test_a_pool_of_its_own_replaces_the_inline_one() -> None:
    """And adds to the others."""
    child = b.resource(
        "Microsoft.ContainerService/managedClusters/agentPools",
        "aks/B",
        {"mode": "User", "vnetSubnetID": b.subnet_id("net", "pods")},
    )
    found = _read(_pooled(b.pool("a", "net", "nodes"), b.pool("b", "net", "nodes")), child)
    assert [(pool.name, pool.subnet.name) for pool in found.pools] == [("a", "nodes"), ("B", "pods")]


def test_pools_whose_names_are_not_known_are_all_kept() -> None:
    """None hides another."""
    rows = [b.pool("", "net", name) | {"name": LOST} for name in ("nodes", "pods")]
    assert [pool.subnet.name for pool in _read(_pooled(*rows)).pools] == ["nodes", "pods"]


def test_pools_that_are_not_known_stand_as_a_pool_that_is_not_known() -> None:
    """A cluster is never judged by the pools one happens to see."""
    for pools in (LOST, [b.pool("a", "net", "nodes"), LOST], []):
        row = b.cluster("nodes", agentPoolProfiles=pools)
        found = _read(row)
        assert found.pools_gap is not None
        assert found.pools[-1].subnet.unknown is not None


def test_a_pool_whose_mode_is_not_known_may_run_the_agents() -> None:
    """It is not left out of the tunnel's flows."""
    found = _read(_pooled(b.pool("a", "net", "nodes"), b.pool("b", "net", "pods", mode=LOST)))
    assert [pool.name for pool in found.system_pools] == ["a", "b"]


def test_a_pool_without_a_subnet_lives_where_aks_makes_one() -> None:
    """One managed subnet for all such pools of a cluster."""
    rows = [{"name": name, "mode": "System"} for name in ("a", "b")]
    found = _read(_pooled(*rows))
    assert all(pool.subnet.managed for pool in found.pools)
    assert found.pools[0].subnet is found.pools[1].subnet


def test_a_subnet_that_is_not_known_is_not_a_managed_one() -> None:
    """An id known after apply is a subnet of one's own."""
    found = _read(_pooled(b.pool("a", "net", "nodes", vnetSubnetID=LOST)))
    assert not found.pools[0].subnet.managed
    assert found.pools[0].subnet.unknown is LOST


def test_the_outbound_type_is_load_balancer_unless_said_otherwise() -> None:
    """Unknown stays unknown."""
    assert _read(b.cluster("nodes", networkProfile={})).outbound_type == "loadBalancer"
    assert _read(b.cluster("nodes", outbound="userDefinedRouting")).outbound_type == "userDefinedRouting"
    assert _read(b.cluster("nodes", networkProfile=LOST)).outbound_type is LOST


def test_application_security_groups_of_the_nodes() -> None:
    """None where one of them is not known."""
    groups = {"applicationSecurityGroups": b.groups("web")}
    found = _read(_pooled(b.pool("a", "net", "nodes", networkProfile=groups)))
    assert found.pools[0].groups is not None
    assert len(found.pools[0].groups) == 1
    lost = _read(_pooled(b.pool("a", "net", "nodes", networkProfile={"applicationSecurityGroups": [LOST]})))
    assert lost.pools[0].groups is None


def test_only_the_clusters_of_judged_documents_are_found() -> None:
    """Context completes the picture without being judged."""

    documents = [
        b.document(NET, b.cluster("nodes")),
        b.document(b.cluster("nodes", name="other"), role=Role.CONTEXT),
    ]
    assert [one.resource.name for one in Topology(documents, ServiceTags()).clusters()] == ["aks"]


def test_a_pool_without_a_subnet_lives_beside_the_first() -> None:
    """Inline or apart; the cluster's own subnet is no subnet that AKS makes."""
    bare = b.pool("b", "net", "nodes", mode="User")
    del bare["vnetSubnetID"]
    child = b.resource("Microsoft.ContainerService/managedClusters/agentPools", "aks/c", {"mode": "User"})
    found = _read(_pooled(b.pool("a", "net", "nodes"), bare), child)
    assert [pool.subnet.label for pool in found.pools] == ["net/nodes"] * 3
    assert len(found.subnets()) == 1
