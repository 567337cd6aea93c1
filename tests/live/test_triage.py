"""Triage: the real Kubernetes client and the real SDKs, against servers on the loopback interface."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("kubernetes")
pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")
pytest.importorskip("azure.monitor.query")

from tests.live.azure import Azure, running
from tests.live.kubernetes_server import (
    POLICIES,
    SLICES,
    SYSTEM,
    Cluster,
    api_server_at,
    node,
    pod,
    policy,
    serving,
)
from tests.live.test_collect import azure

from aks_egress_scan.cli import run
from aks_egress_scan.live import session as sessions

Json = dict[str, Any]
TIMED_OUT = 'Get "https://10.1.0.4:10250/containerLogs/kube-system/x": dial tcp 10.1.0.4:10250: i/o timeout'


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AKS_EGRESS_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def sound(monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    yield from connected(azure(), monkeypatch)


@pytest.fixture
def blocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    yield from connected(azure("konnectivity"), monkeypatch)


def connected(cloud: Azure, monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    with running(cloud) as session:
        monkeypatch.setattr(sessions, "connect", lambda *_: session)
        yield cloud


def agents(**options: Any) -> list[Json]:
    return [pod(f"konnectivity-agent-{i}", label="konnectivity-agent", **options) for i in ("abc", "def")]


def triaged(cluster: Cluster, tmp_path: Path, *options: str) -> tuple[int, Json]:
    with serving(cluster, tmp_path) as kubeconfig:
        file = tmp_path / "triage.json"
        status = run(
            [
                "triage",
                "--cluster",
                "aks-shop",
                "--quiet",
                "--kubeconfig",
                kubeconfig,
                "--format",
                "json",
                "-o",
                str(file),
                *options,
            ]
        )
        return status, json.loads(file.read_bytes())


def test_everything_is_well(sound: Azure, tmp_path: Path) -> None:
    status, said = triaged(Cluster(*agents()), tmp_path)
    assert (status, said["cause"]) == (0, "neither")


def test_the_network_is_at_fault(blocked: Azure, tmp_path: Path) -> None:
    status, said = triaged(Cluster(*agents(ready=False)), tmp_path)
    assert (status, said["cause"]) == (1, "network")
    assert any("deny-all-out" in one for one in said["evidence"])


def test_the_pods_are_at_fault(sound: Azure, tmp_path: Path) -> None:
    status, said = triaged(Cluster(*agents(ready=False, placed=False)), tmp_path)
    assert (status, said["cause"]) == (1, "pods")
    assert any("Unschedulable" in one for one in said["evidence"])
    assert any("make room" in one for one in said["next"])


def test_both_are_at_fault(blocked: Azure, tmp_path: Path) -> None:
    _, said = triaged(Cluster(*agents(ready=False, waiting="CreateContainerConfigError")), tmp_path)
    assert said["cause"] == "both"


def test_no_tunnel_pods_at_all(sound: Azure, tmp_path: Path) -> None:
    _, said = triaged(Cluster(pod("coredns-1")), tmp_path)
    assert said["cause"] == "pods"
    assert any("no tunnel pod runs" in one for one in said["evidence"])


@pytest.mark.parametrize(
    ("name", "mode", "verdict"),
    [("aks-link-1", "aks-link", "blocked"), ("tunnelfront-1", "tunnelfront", "open")],
)
def test_the_pods_that_run_settle_the_tunnel(
    name: str, mode: str, verdict: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The firewall has no rule for UDP 1194; only an aks-link cluster minds."""
    for _ in connected(azure("aks-link"), monkeypatch):
        _, said = triaged(Cluster(pod(name)), tmp_path)
    tunnel = said["report"]["clusters"][0]["tunnel"]
    assert (tunnel["mode"], tunnel["verdict"]) == (mode, verdict)
    assert "its pods are there, 1 of 1 ready" in tunnel["evidence"]


def test_the_address_of_the_api_server_is_used(blocked: Azure, tmp_path: Path) -> None:
    """The packet that shows the block goes to the very address."""
    cluster = Cluster(*agents())
    cluster.lists[SLICES] = [api_server_at("20.50.2.17")]
    _, said = triaged(cluster, tmp_path)
    assert said["apiServerAddresses"] == ["20.50.2.17"]
    shown = [
        flow["counterexample"]["destination"]
        for flow in said["report"]["clusters"][0]["flows"]
        if flow["role"] == "tunnel" and flow.get("counterexample")
    ]
    assert "20.50.2.17" in shown


def test_a_node_that_notices_blocked_egress_speaks_for_the_network(sound: Azure, tmp_path: Path) -> None:
    cluster = Cluster(*agents())
    cluster.lists["/api/v1/nodes"] = [node("node-7", EgressBlocked="mcr.microsoft.com cannot be reached")]
    _, said = triaged(cluster, tmp_path)
    assert said["cause"] == "network"
    assert "node node-7 itself: EgressBlocked: mcr.microsoft.com cannot be reached" in said["evidence"]


def test_the_error_that_somebody_saw_is_recognised(sound: Azure, tmp_path: Path) -> None:
    _, said = triaged(Cluster(*agents()), tmp_path, "--error", f"Error from server: {TIMED_OUT}")
    assert said["symptoms"]
    assert any("the error you saw" in one for one in said["evidence"])


def test_network_policies_that_select_an_agent_are_named(sound: Azure, tmp_path: Path) -> None:
    cluster = Cluster(*agents())
    cluster.lists[POLICIES] = [
        policy("deny-all", {}),
        policy("agents", {"matchLabels": {"app": "konnectivity-agent"}}),
        policy("others", {"matchLabels": {"app": "web"}}),
        policy("not-those", {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}),
    ]
    _, said = triaged(cluster, tmp_path)
    assert said["pods"][0]["networkPolicies"] == ["agents", "deny-all"]


def test_events_of_a_pod_are_shown(sound: Azure, tmp_path: Path) -> None:
    cluster = Cluster(*agents(ready=False))
    cluster.lists[f"{SYSTEM}/events"] = [
        {
            "metadata": {"name": "e"},
            "involvedObject": {"name": "konnectivity-agent-abc"},
            "type": "Warning",
            "reason": "FailedScheduling",
            "message": "0/3 nodes are available",
        }
    ]
    _, said = triaged(cluster, tmp_path)
    assert said["pods"][0]["events"] == ["FailedScheduling: 0/3 nodes are available"]


def test_logs_come_through_the_api_when_it_gives_them(sound: Azure, tmp_path: Path) -> None:
    cluster = Cluster(*agents())
    cluster.logs["konnectivity-agent-abc"] = "one\ntwo\n"
    _, said = triaged(cluster, tmp_path)
    assert said["logs"] == {
        "source": "Kubernetes API",
        "until": "",
        "lines": ["konnectivity-agent-abc: two", "konnectivity-agent-abc: one"],
    }


@pytest.mark.parametrize("table", ["ContainerLogV2", "ContainerLog"])
def test_logs_come_from_log_analytics_when_kubectl_logs_is_broken(
    table: str, sound: Azure, tmp_path: Path
) -> None:
    """The new table where it is, else the older one."""
    sound.logs[table] = [["2026-01-01T00:00:00Z", "konnectivity-agent-abc", "cannot connect once"]]
    cluster = Cluster(*agents())
    cluster.failing["/log"] = (500, TIMED_OUT)
    _, said = triaged(cluster, tmp_path)
    assert said["logs"]["source"] == f"Log Analytics, table {table}"
    assert said["logs"]["lines"] == ["konnectivity-agent-abc: cannot connect once"]
    assert any("i/o timeout" in one for one in said["notSeen"])
    assert said["symptoms"]


def test_log_analytics_without_lines_says_why(sound: Azure, tmp_path: Path) -> None:
    cluster = Cluster(*agents())
    cluster.failing["/log"] = (500, TIMED_OUT)
    sound.logs["ContainerLogV2"] = []
    _, said = triaged(cluster, tmp_path)
    assert any("container-azm-ms-agentconfig" in one for one in said["notSeen"])


def test_an_api_server_that_does_not_answer_is_undecided(sound: Azure, tmp_path: Path) -> None:
    cluster = Cluster()
    cluster.failing["/"] = (503, "the server is currently unable to handle the request")
    status, said = triaged(cluster, tmp_path)
    assert (status, said["cause"]) == (4, "undecided")


def test_a_refused_list_of_pods_is_not_no_pods(sound: Azure, tmp_path: Path) -> None:
    cluster = Cluster(*agents())
    cluster.failing["/pods"] = (403, 'pods is forbidden: User "me" cannot list resource "pods"')
    _, said = triaged(cluster, tmp_path)
    assert said["cause"] == "undecided"
    assert any("pods is forbidden" in one for one in said["notSeen"])


def test_text_for_people(blocked: Azure, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(Cluster(*agents(ready=False)), tmp_path) as kubeconfig:
        assert run(["triage", "--cluster", "aks-shop", "--quiet", "--kubeconfig", kubeconfig]) == 1
    said = capsys.readouterr().out
    assert said.startswith("aks-shop  NETWORK\n")
    assert "konnectivity-agent-abc on node-0: NOT READY" in said


def test_a_snapshot_and_no_kubernetes_ask_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(Path(__file__).parents[2] / "examples/hub-and-spoke/snapshot/konnectivity.json")
    options = ["--snapshot", file, "--no-kubernetes", "--no-logs"]
    assert run(["triage", "--cluster", "aks-shop", *options]) == 1
    assert "NETWORK" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("address", "why"), [("10.200.0.4", "is in no node subnet"), ("[fd00:1::4]", "only IPv4 is walked")]
)
def test_a_node_that_cannot_be_walked_to_is_a_doubt(address: str, why: str, tmp_path: Path) -> None:
    """Without the Kubernetes API the subnets say whose address it is."""
    file, out = Path(__file__).parents[2] / "examples/hub-and-spoke/snapshot/sound.json", tmp_path / "out"
    options = ["--snapshot", str(file), "--no-kubernetes", "--format", "json", "-o", str(out)]
    assert run(["triage", "--cluster", "aks-shop", *options, "--error", f"dial tcp {address}:10250: x"]) == 4
    assert any(why in one for one in json.loads(out.read_bytes())["evidence"])


def test_a_node_of_the_error_is_walked_to_without_the_kubernetes_api(tmp_path: Path) -> None:
    file, out = Path(__file__).parents[2] / "examples/hub-and-spoke/snapshot/kubelet.json", tmp_path / "out"
    options = ["--snapshot", str(file), "--no-kubernetes", "--format", "json", "-o", str(out)]
    assert (
        run(["triage", "--cluster", "aks-shop", *options, "--error", "dial tcp 10.1.4.9:10250: i/o timeout"])
        == 1
    )
    said = json.loads(out.read_bytes())
    assert said["cause"] == "network"
    assert any("`10.1.4.9`, the node of the error, blocked" in one for one in said["evidence"])


def test_a_cluster_that_is_not_there(sound: Azure, capsys: pytest.CaptureFixture[str]) -> None:
    sound.resources.clear()
    assert run(["triage", "--cluster", "aks-shop", "--quiet", "--no-kubernetes"]) == 3


def test_without_a_kubeconfig_it_says_what_to_do(
    sound: Azure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["triage", "--cluster", "aks-shop", "--quiet", "--kubeconfig", str(tmp_path / "none")]) == 2
    assert "az aks get-credentials" in capsys.readouterr().err


def test_which_cluster_must_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["triage"]) == 2
    assert "--cluster NAME" in capsys.readouterr().err
