"""The Kubernetes API on good and bad days, asked by the real client: each question may fail, and all of them end."""

from __future__ import annotations

import json
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("kubernetes")
pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")
pytest.importorskip("azure.monitor.query")

from tests.live.azure import Azure
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

from aks_egress_scan.cli import run
from aks_egress_scan.live import kube
from aks_egress_scan.live.seen import Seen

NODES = "/api/v1/nodes"


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


def triaged(there: Cluster, tmp_path: Path, *options: str) -> tuple[int, Json]:
    file = tmp_path / "triage.json"
    with serving(there, tmp_path) as config:
        told = ["--kubeconfig", config, "--format", "json", "-o", str(file), *options]
        status = run(["triage", "--cluster", "aks-shop", "--quiet", *told])
    return status, json.loads(file.read_bytes())
