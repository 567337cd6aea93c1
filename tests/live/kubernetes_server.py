"""A Kubernetes API on the loopback interface, as far as a triage asks it; the real client talks to it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

Json = dict[str, Any]
SYSTEM = "/api/v1/namespaces/kube-system"
POLICIES = "/apis/networking.k8s.io/v1/namespaces/kube-system/networkpolicies"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"


class Cluster:
    """What the API shows: `lists` by path, `logs` by pod.

    `failing` paths (parts of them) answer an error, `raw` ones any bytes of any type, `silent` ones nothing for so
    many seconds, `dripping` ones a byte now and then.  `page` is how many rows a page has.  A node in `dark`
    answers no log call, with the words of the API server.  `asked` are the paths that were asked for.
    """

    def __init__(self, *pods: Json) -> None:
        self.lists: dict[str, list[Json]] = {
            f"{SYSTEM}/pods": list(pods),
            f"{SYSTEM}/events": [],
            "/api/v1/nodes": [node("node-0")],
            POLICIES: [],
            SLICES: [],
        }
        self.logs: dict[str, str] = {}
        self.failing: dict[str, tuple[int, str]] = {}
        self.raw: dict[str, tuple[str, bytes]] = {}
        self.silent: dict[str, float] = {}
        self.dripping: list[str] = []
        self.dark: dict[str, str] = {}
        self.page = 500
        self.asked: list[str] = []

    def node_of(self, pod: str) -> str:
        """The node that a pod is on."""
        there = {one["metadata"]["name"]: one["spec"] for one in self.lists[f"{SYSTEM}/pods"]}
        return str(there.get(pod, {}).get("nodeName", ""))


def pod(
    name: str,
    *,
    ready: bool = True,
    waiting: str = "",
    ended: str = "",
    restarts: int = 0,
    label: str = "",
    labels: Json | None = None,
    placed: bool = True,
    unplaced: str = "",
    on: str = "node-0",
    **status: Any,
) -> Json:
    """A pod of one container; `ended` is why it ended last, `unplaced` what the scheduler says."""
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    container: Json = {"name": "c", "image": "i", "imageID": "i", "ready": ready, "restartCount": restarts}
    container["state"] = state
    if ended:
        container["lastState"] = {"terminated": {"exitCode": 137, "reason": ended}}
    scheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": unplaced}
    seen: Json = {
        "phase": "Running" if placed else "Pending",
        "conditions": [{"type": "Ready", "status": str(ready)}, *([] if placed else [scheduled])],
        "containerStatuses": [container] if placed else [],
    }
    all_labels = {**({"app": label} if label else {}), **(labels or {})}
    metadata = {"name": name, "namespace": "kube-system", "labels": all_labels}
    spec = {"containers": [{"name": "c"}], **({"nodeName": on} if placed else {})}
    return {"metadata": metadata, "spec": spec, "status": {**seen, **status}}


def node(
    name: str,
    *,
    ready: bool = True,
    address: str = "10.1.0.4",
    pool: str = "",
    group: str = "",
    **conditions: str,
) -> Json:
    """A node; `EgressBlocked="message"` is a condition that holds."""
    lost = {"status": "Unknown", "message": "Kubelet stopped posting node status."}
    rows: list[Json] = [{"type": "Ready", **({"status": "True"} if ready else lost)}]
    rows += [{"type": kind, "status": "True", "message": said} for kind, said in conditions.items()]
    labels = {"kubernetes.azure.com/agentpool": pool, "kubernetes.azure.com/cluster": group}
    return {
        "metadata": {"name": name, "labels": {key: value for key, value in labels.items() if value}},
        "status": {"conditions": rows, "addresses": [{"type": "InternalIP", "address": address}]},
    }


def policy(name: str, selector: Json, *egress: Json, types: tuple[str, ...] = ("Egress",)) -> Json:
    """A network policy with these rules for what leaves."""
    spec: Json = {"podSelector": selector, "egress": list(egress)}
    return {"metadata": {"name": name}, "spec": {**spec, **({"policyTypes": list(types)} if types else {})}}


def warning(pod_name: str, reason: str, message: str) -> Json:
    """A warning about a pod."""
    about = {"metadata": {"name": "e"}, "involvedObject": {"name": pod_name}}
    return {**about, "type": "Warning", "reason": reason, "message": message}


def api_server_at(address: str) -> Json:
    """The endpoint slice of the service `kubernetes`."""
    return {
        "metadata": {"name": "kubernetes"},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address]}],
        "ports": [{"port": 443}],
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Who asked may have gone away meanwhile."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cluster: Cluster

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        url = urlparse(self.path)
        path, cluster = url.path, self.cluster
        cluster.asked.append(self.path)
        time.sleep(next((wait for part, wait in cluster.silent.items() if part in path), 0))
        raw = next((given for part, given in cluster.raw.items() if part in path), None)
        failing = next((given for part, given in cluster.failing.items() if part in path), None)
        if any(part in path for part in cluster.dripping):
            self._drip()
        elif raw is not None:
            self._send(200, raw[1], raw[0])
        elif failing is not None:
            self._fail(*failing)
        elif path.endswith("/log"):
            self._log(path.split("/")[-2])
        elif path in cluster.lists:
            self._list(path, parse_qs(url.query))
        else:
            self._fail(404, f"nothing at {path}")

    def _log(self, name: str) -> None:
        dark = self.cluster.dark.get(self.cluster.node_of(name))
        if dark is not None:
            self._fail(500, dark)
        else:
            self._send(200, self.cluster.logs.get(name, "").encode(), "text/plain")

    def _list(self, path: str, query: dict[str, list[str]]) -> None:
        rows, first = self.cluster.lists[path], int(query.get("continue", ["0"])[0])
        page = min(self.cluster.page, int(query.get("limit", ["500"])[0]))
        more = {"continue": str(first + page)} if first + page < len(rows) else {}
        answer = {
            "kind": f"{path.rsplit('/', 1)[-1]}List",
            "metadata": more,
            "items": rows[first : first + page],
        }
        self._send(200, json.dumps(answer).encode())

    def _fail(self, status: int, message: str) -> None:
        said = {"kind": "Status", "status": "Failure", "message": message, "code": status}
        self._send(status, json.dumps(said).encode())

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(1000):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.05)

    def _send(self, status: int, data: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serving(cluster: Cluster, folder: Path) -> Iterator[str]:
    """The server; the path of a kubeconfig for it."""
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"cluster": cluster}))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    file = folder / "kubeconfig"
    file.write_text(json.dumps(kubeconfig(f"http://127.0.0.1:{server.server_port}")), encoding="utf-8")
    try:
        yield str(file)
    finally:
        server.shutdown()
        server.server_close()


def kubeconfig(where: str, user: Json | None = None, **cluster: Any) -> Json:
    """A kubeconfig for one API server."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": where, **cluster}}],
        "users": [{"name": "u", "user": user or {}}],
    }
