"""The Kubernetes API on good and bad days, asked by the real client: each question may fail, and all of them end."""

from __future__ import annotations

import base64
import json
import ssl
import stat
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("kubernetes")
pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")
pytest.importorskip("azure.monitor.query")

from tests.live.azure import Azure, Odd, running
from tests.live.kubernetes_server import (
    POLICIES,
    SLICES,
    SYSTEM,
    Cluster,
    Json,
    api_server_at,
    kubeconfig,
    node,
    pod,
    policy,
    serving,
    warning,
)
from tests.live.test_collect import CLUSTER, azure

from aks_egress_scan.cli import run
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.live import kube
from aks_egress_scan.live import session as sessions
from aks_egress_scan.live.seen import Seen

NODES = "/api/v1/nodes"
PODS = f"{SYSTEM}/pods"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AKS_EGRESS_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    """The sound example."""
    there = azure()
    with running(there) as session:
        monkeypatch.setattr(sessions, "connect", lambda *_: session)
        yield there


def agents(**how: Any) -> list[Json]:
    return [pod(f"konnectivity-agent-{one}", label="konnectivity-agent", **how) for one in ("abc", "def")]


def looked(there: Cluster, tmp_path: Path, **how: Any) -> Seen:
    """What is seen of a cluster, calls included."""
    with serving(there, tmp_path) as config:
        api = kube.connect(config, **how)
        seen = kube.look(api)
        kube.pod_logs(api, seen)
        return seen


def at(tmp_path: Path, where: str, user: Json | None = None, **cluster: Any) -> str:
    """A kubeconfig that leads somewhere."""
    file = tmp_path / "config"
    file.write_text(json.dumps(kubeconfig(where, user, **cluster)), encoding="utf-8")
    return str(file)


# ------------------------------------------------------------------ lists


def test_every_page_of_every_list_is_read(tmp_path: Path) -> None:
    there = Cluster(*agents(), pod("coredns-1"), pod("kube-proxy-1"))
    there.lists[NODES] = [node("node-0"), node("node-1"), node("node-2")]
    there.lists[f"{SYSTEM}/events"] = [warning("konnectivity-agent-def", f"No{n}", "x") for n in range(5)]
    there.lists[POLICIES] = [policy("a", {}), policy("b", {})]
    there.page = 1
    seen = looked(there, tmp_path)
    assert [one.name for one in seen.pods] == [
        "konnectivity-agent-abc",
        "konnectivity-agent-def",
        "coredns-1",
    ]
    assert [one.name for one in seen.others] == ["kube-proxy-1"]
    assert len(seen.nodes) == 3
    assert len(seen.pods[1].events) == 5
    assert seen.pods[0].policies == ("a", "b")
    assert seen.failures == []


@pytest.mark.parametrize(
    ("part", "what"),
    [
        ("/pods", "pods"),
        ("/nodes", "nodes"),
        ("/events", "events"),
        ("/networkpolicies", "network policies"),
        ("/endpointslices", "the API server's address"),
    ],
)
def test_one_list_that_is_refused_is_named_and_the_others_are_read(
    part: str, what: str, tmp_path: Path
) -> None:
    there = Cluster(*agents())
    there.lists[SLICES] = [api_server_at("20.50.2.17")]
    there.failing[part] = (403, 'x is forbidden: User "me" cannot list resource "x"')
    seen = looked(there, tmp_path)
    assert seen.failures == [f'{what}: HTTP 403: x is forbidden: User "me" cannot list resource "x"']
    assert seen.listed is (what != "pods")
    assert bool(seen.nodes) is (what != "nodes")
    assert bool(seen.api_addresses) is (what != "the API server's address")


def test_one_reason_for_all_lists_is_told_once(tmp_path: Path) -> None:
    there = Cluster()
    there.failing["/"] = (401, "Unauthorized")
    (failure,) = looked(there, tmp_path).failures
    assert failure.startswith(
        "pods, nodes, events, network policies, the API server's address: HTTP 401: Unauthorized"
    )
    assert "out of date" in failure


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("text/html", b"<html>Sign in to the proxy</html>"),
        ("application/json", b"{}"),
        ("application/json", b"[]"),
        ("application/json", b'"hello"'),
        ("application/json", b'{"kind": "PodList", "items": [{"meta'),
        ("application/json", b'{"kind": "Status", "items": null}'),
        ("application/octet-stream", b"\x00\xff"),
        (
            "application/json",
            b'{"kind": "PodList", "items": [{"metadata": {"name": "konnectivity-agent-a"}}]}',
        ),
        ("application/json", b'{"kind": "PodList", "items": ["pod"]}'),
        ("application/json", b'{"kind": "PodList", "items": 7}'),
    ],
)
def test_an_answer_that_is_no_list_of_pods_is_not_no_pods(
    kind: str, data: bytes, cloud: Azure, tmp_path: Path
) -> None:
    """A proxy's page, half an answer, a row without its parts: the tunnel's pods are not absent but unseen."""
    there = Cluster()
    there.raw["/pods"] = kind, data
    seen = looked(there, tmp_path)
    assert not seen.listed
    assert any(one.startswith("pods") for one in seen.failures)
    status, said = triaged(there, tmp_path)
    assert (status, said["cause"]) == (4, "undecided")


def test_an_empty_list_may_be_null(tmp_path: Path) -> None:
    """As servers of old write it."""
    there = Cluster()
    there.raw["/pods"] = "application/json", b'{"kind": "PodList", "metadata": {}, "items": null}'
    seen = looked(there, tmp_path)
    assert (seen.listed, seen.pods) == (True, [])


def test_an_endpoint_slice_without_endpoints_is_no_failure(tmp_path: Path) -> None:
    there = Cluster()
    there.lists[SLICES] = [{**api_server_at("20.50.2.17"), "endpoints": None}]
    seen = looked(there, tmp_path)
    assert (seen.api_addresses, seen.failures) == ([], [])


# ------------------------------------------------------------------ ends in time


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less patience than people have."""
    for name, seconds in (("TIMEOUT", 1), ("ALL", 2), ("CALLS", 6)):
        monkeypatch.setattr(kube, name, seconds)


@pytest.mark.usefixtures("hasty")
def test_an_api_server_that_says_nothing_is_given_up(cloud: Azure, tmp_path: Path) -> None:
    there = Cluster(*agents())
    there.silent["/"] = 30.0
    began = time.monotonic()
    status, said = triaged(there, tmp_path)
    assert time.monotonic() - began < 10
    assert (status, said["cause"]) == (4, "undecided")
    assert any("no answer within the time" in one or "no whole answer" in one for one in said["notSeen"])
    assert not said["calls"]


@pytest.mark.usefixtures("hasty")
def test_an_answer_that_drips_is_given_up(tmp_path: Path) -> None:
    """Each byte comes in time, the whole of it never."""
    there = Cluster(*agents())
    there.dripping.append("/pods")
    began = time.monotonic()
    seen = looked(there, tmp_path)
    assert time.monotonic() - began < 5
    assert "pods: no whole answer within 2 s" in seen.failures
    assert seen.nodes


@pytest.mark.usefixtures("hasty")
def test_a_log_call_that_hangs_while_lists_are_answered_has_failed(tmp_path: Path) -> None:
    there = Cluster(*agents())
    there.silent["/log"] = 20.0
    seen = looked(there, tmp_path)
    assert [one.outcome for one in seen.calls] == ["failed", "failed"]


# ------------------------------------------------------------------ the way there


def failure(config: str) -> str:
    seen = kube.look(kube.connect(config))
    assert not seen.listed
    return seen.failures[0]


def test_a_port_where_nobody_listens(tmp_path: Path) -> None:
    assert "no connection from this machine: " in failure(at(tmp_path, "http://127.0.0.1:9"))


def test_a_name_that_does_not_resolve(tmp_path: Path) -> None:
    said = failure(at(tmp_path, "https://aks-1.privatelink.eastus.azmk8s.invalid:443"))
    assert "its name does not resolve from this machine" in said


def test_a_server_that_speaks_no_tls(tmp_path: Path) -> None:
    with serving(Cluster(), tmp_path) as plain:
        where = json.loads(Path(plain).read_text())["clusters"][0]["cluster"]["server"]
        assert "TLS fails between this machine and it" in failure(
            at(tmp_path, where.replace("http:", "https:"))
        )


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    """As TLS inspection shows it."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        said = failure(at(tmp_path, f"https://127.0.0.1:{server.server_port}"))
    finally:
        server.shutdown()
        server.server_close()
    assert "TLS fails between this machine and it" in said
    assert "certificate verify failed" in said


def certificate(folder: Path) -> Path:
    """A certificate of its own making, with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "inspection")]), datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    plain = serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = folder / "certificate.pem"
    file.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(pem) + key.private_bytes(pem, pkcs8, plain))
    return file


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


def triaged(there: Cluster, tmp_path: Path, *options: str) -> tuple[int, Json]:
    file = tmp_path / "triage.json"
    with serving(there, tmp_path) as config:
        told = ["--kubeconfig", config, "--format", "json", "-o", str(file), *options]
        status = run(["triage", "--cluster", "aks-shop", "--quiet", *told])
    return status, json.loads(file.read_bytes())


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
    parts = path.split("?")[0].strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    namespace = rest[1] if rest[0] == "namespaces" else ""
    named = rest[2:] if namespace else rest
    return (namespace, group, "/".join(named[::2]), "get" if len(named) > 1 else "list")
