"""What is read off pods, nodes and network policies, which log calls are tried, and what that takes."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("kubernetes")
pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")
pytest.importorskip("azure.monitor.query")

from tests.live.kubernetes_server import (
    POLICIES,
    Cluster,
    Json,
    node,
    pod,
    policy,
)
from tests.live.test_triage_kubernetes import agents, looked

NODES = "/api/v1/nodes"


# ------------------------------------------------------------------ pods and nodes


@pytest.mark.parametrize(
    ("one", "part"),
    [
        (pod("konnectivity-agent-1"), "konnectivity"),
        (
            pod("konnectivity-agent-1", labels={"app": "konnectivity-agent", "component": "tunnel"}),
            "konnectivity",
        ),
        (pod("renamed-1", label="konnectivity-agent"), "konnectivity"),
        (pod("konnectivity-agent-autoscaler-1", labels={"component": "tunnel"}), ""),
        (pod("aks-link-1"), "aks-link"),
        (pod("x-1", label="aks-link"), "aks-link"),
        (pod("tunnelfront-1", labels={"component": "tunnel"}), "tunnelfront"),
        (pod("x-1", labels={"component": "tunnel"}), "tunnelfront"),
        (pod("coredns-1"), "coredns"),
        (pod("coredns-autoscaler-1"), ""),
        (pod("metrics-server-1"), "metrics-server"),
        (pod("web-1", label="web"), ""),
    ],
)
def test_which_part_a_pod_is(one: Json, part: str, tmp_path: Path) -> None:
    seen = looked(Cluster(one), tmp_path)
    assert [(found.part, found.name) for found in (*seen.pods, *seen.others)] == [
        (part, one["metadata"]["name"])
    ]


def test_which_how_many_where_ready_and_how_often_they_restarted(tmp_path: Path) -> None:
    there = Cluster(
        pod("konnectivity-agent-a", on="node-1", restarts=3),
        pod("konnectivity-agent-b", ready=False, placed=False, unplaced="0/3 nodes are available"),
        pod("aks-link-1", ready=False, waiting="CrashLoopBackOff", ended="OOMKilled", on="node-0"),
    )
    seen = looked(there, tmp_path)
    a, b, link = seen.pods
    assert (a.node, a.ready, a.restarts) == ("node-1", True, 3)
    assert (b.node, b.ready, b.phase, b.reasons) == ("", False, "Pending", ("Unschedulable",))
    assert b.events == ("Unschedulable: 0/3 nodes are available",)
    assert link.reasons == ("CrashLoopBackOff", "OOMKilled")
    assert seen.tunnels == ["konnectivity", "aks-link"]


def test_a_tunnel_with_a_ready_pod_is_the_one_in_use(tmp_path: Path) -> None:
    there = Cluster(pod("konnectivity-agent-a", ready=False), pod("aks-link-1"))
    assert looked(there, tmp_path).tunnels == ["aks-link", "konnectivity"]


AGENT = {"app": "konnectivity-agent"}
EXPRESSIONS = {
    "In": ({"key": "app", "operator": "In", "values": ["konnectivity-agent", "x"]}, True),
    "NotIn": ({"key": "app", "operator": "NotIn", "values": ["konnectivity-agent"]}, False),
    "NotIn another": ({"key": "app", "operator": "NotIn", "values": ["web"]}, True),
    "NotIn of no such label": ({"key": "tier", "operator": "NotIn", "values": ["web"]}, True),
    "Exists": ({"key": "app", "operator": "Exists"}, True),
    "Exists not": ({"key": "tier", "operator": "Exists"}, False),
    "DoesNotExist": ({"key": "app", "operator": "DoesNotExist"}, False),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_a_policy_selects_by_expressions(name: str, tmp_path: Path) -> None:
    expression, selected = EXPRESSIONS[name]
    there = Cluster(*agents())
    there.lists[POLICIES] = [policy("one", {"matchExpressions": [expression]})]
    assert (looked(there, tmp_path).pods[0].policies == ("one",)) is selected


@pytest.mark.parametrize(
    ("policies", "cut_off", "narrowed"),
    [
        ([policy("deny", {})], True, False),
        ([policy("deny", {"matchLabels": AGENT})], True, False),
        ([policy("deny", {}, types=("Ingress",))], False, False),
        ([policy("deny", {}, types=())], False, False),
        ([policy("deny", {}, types=("Ingress", "Egress"))], True, False),
        ([policy("deny", {}), policy("all", {}, {})], False, False),
        ([policy("deny", {}), policy("dns", {}, {"ports": [{"port": 53}]})], False, True),
        ([policy("dns", {}, {"ports": [{"port": 53}]}, types=())], False, True),
    ],
)
def test_what_policies_together_let_out(
    policies: list[Json], cut_off: bool, narrowed: bool, tmp_path: Path
) -> None:
    there = Cluster(*agents())
    there.lists[POLICIES] = policies
    one = looked(there, tmp_path).pods[0]
    assert (one.cut_off, one.narrowed) == (cut_off, narrowed)


def test_policies_say_nothing_over_pods_in_their_node_s_network(tmp_path: Path) -> None:
    one = pod("konnectivity-agent-a")
    one["spec"]["hostNetwork"] = True
    there = Cluster(one)
    there.lists[POLICIES] = [policy("deny", {})]
    assert not looked(there, tmp_path).pods[0].cut_off


def test_a_condition_that_a_lost_node_cannot_tell_is_no_blocked_egress(tmp_path: Path) -> None:
    lost = node("node-0", ready=False)
    lost["status"]["conditions"].append({"type": "EgressBlocked", "status": "Unknown"})
    lost["status"]["conditions"].append({"type": "MemoryPressure", "status": "False"})
    there = Cluster(*agents())
    there.lists[NODES] = [lost]
    (seen,) = looked(there, tmp_path).nodes
    assert (seen.ready, seen.blocked) == (False, "")
    assert [one.split(":")[0] for one in seen.problems] == [
        "EgressBlocked (not known at present)",
        "Ready (not known at present)",
    ]


# ------------------------------------------------------------------ log calls


def test_calls_go_to_the_agents_and_to_one_pod_of_every_other_pool(tmp_path: Path) -> None:
    there = Cluster(*agents(on="s-0"), pod("kube-proxy-1", on="u-0"), pod("kube-proxy-2", on="u-1"))
    there.lists[NODES] = [node("s-0", pool="system"), node("u-0", pool="user"), node("u-1", pool="user")]
    seen = looked(there, tmp_path)
    assert [one.pod for one in seen.calls] == [
        "konnectivity-agent-abc",
        "konnectivity-agent-def",
        "kube-proxy-1",
    ]
    asked = [one for one in there.asked if "/log" in one]
    assert all("container=c" in one for one in asked)
    assert [("tailLines=1" in one and "tailLines=200" not in one) for one in sorted(asked)] == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(500, "failed"), (502, "failed"), (503, "failed"), (400, "untold"), (403, "untold"), (404, "untold")],
)
def test_what_a_failing_call_says_of_the_tunnel(status: int, outcome: str, tmp_path: Path) -> None:
    """A refusal comes from the API server itself, on this side of the tunnel."""
    there = Cluster(*agents())
    there.failing["/log"] = (status, "so it is")
    assert {one.outcome for one in looked(there, tmp_path).calls} == {outcome}


# ------------------------------------------------------------------ permissions


def test_the_roles_of_the_page_hold_what_is_asked_and_no_more(tmp_path: Path) -> None:
    import re

    import yaml

    page = (Path(__file__).parents[2] / "docs/permissions.md").read_text("utf-8")
    fence = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert fence is not None
    granted = {
        (role["metadata"].get("namespace", ""), group, resource, verb)
        for role in yaml.safe_load_all(fence[1])
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    there = Cluster(*agents())
    looked(there, tmp_path)
    assert {permission(one) for one in there.asked} == granted


def permission(path: str) -> tuple[str, str, str, str]:
    """Namespace, group, resource and verb of a request."""
    parts = path.split("?", maxsplit=1)[0].strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    namespace = rest[1] if rest[0] == "namespaces" else ""
    named = rest[2:] if namespace else rest
    return (namespace, group, "/".join(named[::2]), "get" if len(named) > 1 else "list")
