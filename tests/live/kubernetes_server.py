"""A Kubernetes API on the loopback interface, as far as a triage asks it; the real client talks to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

Json = dict[str, Any]
SYSTEM = "/api/v1/namespaces/kube-system"
POLICIES = "/apis/networking.k8s.io/v1/namespaces/kube-system/networkpolicies"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"


class Cluster:
    """What the API shows: `lists` by path, `logs` by pod; `failing` paths (parts of them) answer an error."""

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


def pod(
    name: str,
    *,
    ready: bool = True,
    waiting: str = "",
    restarts: int = 0,
    label: str = "",
    placed: bool = True,
) -> Json:
    """A pod of one container."""
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    unplaced = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    status: Json = {
        "phase": "Running" if placed else "Pending",
        "conditions": [] if placed else [unplaced],
        "containerStatuses": [
            {
                "name": "c",
                "image": "i",
                "imageID": "i",
                "ready": ready,
                "restartCount": restarts,
                "state": state,
            }
        ]
        if placed
        else [],
    }
    metadata = {"name": name, "namespace": "kube-system", "labels": {"app": label} if label else {}}
    spec = {"containers": [{"name": "c"}], **({"nodeName": "node-0"} if placed else {})}
    return {"metadata": metadata, "spec": spec, "status": status}


def node(name: str, **conditions: str) -> Json:
    """A node; `EgressBlocked="message"` is a condition that holds."""
    rows = [{"type": "Ready", "status": "True"}]
    rows += [{"type": kind, "status": "True", "message": said} for kind, said in conditions.items()]
    return {
        "metadata": {"name": name},
        "status": {"conditions": rows, "addresses": [{"type": "InternalIP", "address": "10.1.0.4"}]},
    }


def api_server_at(address: str) -> Json:
    """The endpoint slice of the service `kubernetes`."""
    return {
        "metadata": {"name": "kubernetes"},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address]}],
        "ports": [{"port": 443}],
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cluster: Cluster

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        path = urlparse(self.path).path
        for part, (status, message) in self.cluster.failing.items():
            if part in path:
                self._send(status, json.dumps({"kind": "Status", "message": message, "code": status}))
                return
        if path.endswith("/log"):
            self._send(200, self.cluster.logs.get(path.split("/")[-2], ""), "text/plain")
        elif path in self.cluster.lists:
            self._send(200, json.dumps({"metadata": {}, "items": self.cluster.lists[path]}))
        else:
            self._send(404, json.dumps({"message": f"nothing at {path}"}))

    def _send(self, status: int, text: str, kind: str = "application/json") -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serving(cluster: Cluster, folder: Path) -> Iterator[str]:
    """The server; the path of a kubeconfig for it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"cluster": cluster}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    where = f"http://127.0.0.1:{server.server_port}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": where}}],
        "users": [{"name": "u", "user": {}}],
    }
    file = folder / "kubeconfig"
    file.write_text(json.dumps(config), encoding="utf-8")
    try:
        yield str(file)
    finally:
        server.shutdown()
        server.server_close()
