"""Kubeconfigs, sign-in commands and missing extras: each failure is a sentence that says what to do."""

from __future__ import annotations

import base64
import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("kubernetes")
pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")
pytest.importorskip("azure.monitor.query")

from tests.live.azure import Azure, Odd
from tests.live.kubernetes_server import (
    Cluster,
    Json,
    node,
    serving,
)
from tests.live.test_collect import CLUSTER
from tests.live.test_triage_kubernetes import agents, at

from aks_egress_scan.cli import run
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.live import kube
from aks_egress_scan.live.seen import Seen

NODES = "/api/v1/nodes"


# ------------------------------------------------------------------ kubeconfigs


def plugin(tmp_path: Path, program: str) -> Json:
    """A user who signs in with a command."""
    file = tmp_path / "kubelogin"
    file.write_text(f"#!{sys.executable}\n{program}", encoding="utf-8")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": str(file), "args": []}}


def unconnected(config: str, **how: Any) -> str:
    with pytest.raises(UsageFailure) as failed:
        kube.connect(config, **how)
    return str(failed.value)


def test_a_sign_in_command_that_is_not_installed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "kubelogin-of-nobody"}}
    said = unconnected(at(tmp_path, "https://127.0.0.1:9", user))
    assert "signs in with a command that is not installed" in said
    assert "kubelogin-of-nobody" in said
    assert "az aks install-cli" in said
    assert capfd.readouterr().err == ""


def test_a_sign_in_command_that_fails(tmp_path: Path) -> None:
    user = plugin(tmp_path, "import sys; sys.exit('ERROR: AADSTS700082: the refresh token has expired')")
    said = unconnected(at(tmp_path, "https://127.0.0.1:9", user))
    assert "sign-in command failed" in said
    assert "AADSTS700082" in said
    assert "az login" in said


def test_a_sign_in_command_that_never_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for somebody to type a code that nobody sees."""
    monkeypatch.setattr(kube, "SIGN_IN", 1)
    said = unconnected(at(tmp_path, "https://127.0.0.1:9", plugin(tmp_path, "import time; time.sleep(20)")))
    assert "has not come back" in said


def test_a_sign_in_command_that_works(tmp_path: Path) -> None:
    answer = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "kind": "ExecCredential",
        "status": {"token": "t"},
    }
    user = plugin(tmp_path, f"print({json.dumps(json.dumps(answer))})")
    assert kube.connect(at(tmp_path, "https://127.0.0.1:9", user))


@pytest.mark.parametrize(
    "text",
    ["", "- a list", "{", "apiVersion: v1\nclusters: 7\n", "\t\x00", "current-context: c\ncontexts: []\n"],
)
def test_a_kubeconfig_that_is_none(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(text, encoding="utf-8")
    said = unconnected(str(file))
    assert said.startswith("the Kubernetes API cannot be asked: ")
    assert "`--kubeconfig`" in said


def test_a_context_that_is_not_there(tmp_path: Path) -> None:
    said = unconnected(at(tmp_path, "https://127.0.0.1:9"), context="prod")
    assert "prod" in said
    assert "`--kube-context`" in said


def test_pods_of_another_cluster_are_refused_by_its_nodes(
    cloud: Azure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The current context is whatever it was yesterday."""
    there = Cluster(*agents())
    there.lists[NODES] = [node("node-0", group="mc_rg-other_aks-other_eastus")]
    cloud.resources[CLUSTER.casefold()]["properties"]["nodeResourceGroup"] = "MC_rg-spoke_aks-shop_eastus"
    with serving(there, tmp_path) as config:
        assert run(["triage", "--cluster", "aks-shop", "--quiet", "--kubeconfig", config]) == 2
    said = capsys.readouterr().err
    assert "mc_rg-other_aks-other_eastus" in said
    assert "--kube-context" in said


def test_pods_of_another_cluster_are_refused_by_its_host(tmp_path: Path) -> None:
    from aks_egress_scan.live.subject import Subject, same_cluster

    subject = Subject(id="/x", name="aks-shop", hosts=frozenset({"shop.hcp.eastus.azmk8s.io"}))
    same_cluster(subject, Seen(host="https://shop.hcp.eastus.azmk8s.io:443"))
    same_cluster(subject, Seen(host="https://127.0.0.1:6443"))
    with pytest.raises(UsageFailure, match="does not lead to `aks-shop`"):
        same_cluster(subject, Seen(host="https://other.hcp.eastus.azmk8s.io:443"))


def test_nodes_of_the_cluster_are_taken() -> None:
    """The label ends after 63 characters."""
    from aks_egress_scan.live.seen import NodeSeen
    from aks_egress_scan.live.subject import Subject, same_cluster

    group = "MC_" + "rg-spoke" * 9
    there = Seen(nodes=[NodeSeen(name="n", ready=True, group=group.casefold()[:63])])
    same_cluster(Subject(id="/x", name="aks-shop", node_group=group), there)


# ------------------------------------------------------------------ `--aks-credentials`


def credentials(config: bytes, status: int = 200) -> Any:
    """What AKS answers who asks for the user's kubeconfig."""
    answer = {"kubeconfigs": [{"name": "clusterUser", "value": base64.b64encode(config).decode()}]}
    return lambda path, body: Odd(status, answer) if path.endswith("/listclusterusercredential") else None


def test_the_kubeconfig_of_aks_is_used(cloud: Azure, tmp_path: Path) -> None:
    file = tmp_path / "triage.json"
    with serving(Cluster(*agents()), tmp_path) as config:
        cloud.odd = credentials(Path(config).read_bytes())
        options = ["--aks-credentials", "--format", "json", "-o", str(file)]
        assert run(["triage", "--cluster", "aks-shop", "--quiet", *options]) == 0
    assert json.loads(file.read_bytes())["cause"] == "neither"


@pytest.mark.parametrize(
    ("status", "config", "said"),
    [
        (403, b"", "listClusterUserCredential/action"),
        (200, b"", "AKS gives no kubeconfig that can be read"),
        (200, b"{ half", "AKS gives no kubeconfig that can be read"),
        (200, b"- a\n- list", "AKS gives no kubeconfig that can be read"),
        (200, b"kind: Config", "the Kubernetes API cannot be asked"),
    ],
)
def test_a_kubeconfig_that_aks_does_not_give(
    status: int, config: bytes, said: str, cloud: Azure, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.odd = credentials(config, status)
    assert run(["triage", "--cluster", "aks-shop", "--quiet", "--aks-credentials"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ["--aks-credentials", "--snapshot", "fleet.json"],
        ["--aks-credentials", "--kubeconfig", "x"],
        ["--no-kubernetes", "--kubeconfig", "x"],
        ["--no-kubernetes", "--kube-context", "x"],
        ["--no-kubernetes", "--aks-credentials"],
    ],
)
def test_options_that_contradict_each_other(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["triage", "--cluster", "aks-shop", *options]) == 2
    assert options[0] in capsys.readouterr().err


# ------------------------------------------------------------------ what is not installed


@pytest.mark.parametrize(
    ("module", "options", "said"),
    [
        ("kubernetes", ["--kubeconfig", "x"], "pip install 'aks-egress[kubernetes]'"),
        ("kubernetes", ["--aks-credentials"], "pip install 'aks-egress[kubernetes]'"),
        ("azure.monitor.query", ["--no-kubernetes"], "pip install 'aks-egress[live]'"),
    ],
)
def test_a_missing_extra_is_one_sentence(
    module: str,
    options: list[str],
    said: str,
    cloud: Azure,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import importlib.util

    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == module else there(name, *rest)
    )
    assert run(["triage", "--cluster", "aks-shop", "--quiet", *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
