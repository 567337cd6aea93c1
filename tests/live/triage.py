"""Shapes for whole triages: what runs, what is broken, what somebody saw; and the run over both servers."""

from __future__ import annotations

import json
from collections.abc import Callable
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
    Json,
    api_server_at,
    node,
    pod,
    policy,
    serving,
)
from tests.live.test_collect import CLUSTER, GROUP, NETWORK, azure

from aks_egress.records import record
from aks_egress_scan.cli import run
from aks_egress_scan.live import session as sessions

NODES = "/api/v1/nodes"
SYSTEM_NODE = node("aks-system-0", address="10.1.0.4", pool="system")
USER_NODE = node("aks-user-0", address="10.1.4.4", pool="user")
TO_USER = 'Get "https://10.1.4.4:10250/containerLogs/shop/web/c": dial tcp 10.1.4.4:10250: i/o timeout'
SAW_USER = f"Error from server: {TO_USER}"
NO_AGENT = "error dialing backend: No agent available"
WEBHOOK = 'Internal error occurred: failed calling webhook "check.shop.io": Post "https://check.shop.svc:443/v?timeout=10s": context deadline exceeded'


def agents(**how: Any) -> list[Json]:
    """Two konnectivity agents on the system pool."""
    how = {"on": "aks-system-0", **how}
    return [pod(f"konnectivity-agent-{one}", label="konnectivity-agent", **how) for one in ("abc", "def")]


def cluster(*pods: Json) -> Cluster:
    """A node in each pool, the pods, and one of each node's own."""
    own = [pod("kube-proxy-a", on="aks-system-0"), pod("kube-proxy-b", on="aks-user-0")]
    there = Cluster(*pods, *own)
    there.lists[NODES] = [SYSTEM_NODE, USER_NODE]
    return there


def dark(said: str, *nodes: str) -> Callable[[Cluster], None]:
    """Nodes to which log calls fail with these words; all of them where none is named."""
    return lambda there: there.dark.update(dict.fromkeys(nodes or ("aks-system-0", "aks-user-0"), said))


def logged(*lines: str) -> Callable[[Azure], None]:
    """Lines of an agent in Log Analytics."""
    rows = [["2026-01-01T00:00:00Z", "konnectivity-agent-abc", line] for line in lines]
    return lambda cloud: cloud.logs.update({"ContainerLogV2": rows})


def own_log(line: str) -> Callable[[Cluster], None]:
    """A line that the API gives of an agent."""
    return lambda there: there.logs.update({"konnectivity-agent-abc": line})


def nodes(*there: Json) -> Callable[[Cluster], None]:
    """Other nodes."""
    return lambda cluster_: cluster_.lists.update({NODES: list(there)})


def policies(*there: Json) -> Callable[[Cluster], None]:
    """Network policies in kube-system."""
    return lambda cluster_: cluster_.lists.update({POLICIES: list(there)})


def refused(*parts: str) -> Callable[[Cluster], None]:
    """What the API server forbids."""
    return lambda there: there.failing.update(dict.fromkeys(parts, (403, 'pods is forbidden: User "me"')))


def settings(**properties: Any) -> Callable[[Azure], None]:
    """Other properties of the cluster's definition."""
    return lambda cloud: cloud.resources[CLUSTER.casefold()]["properties"].update(properties)


def without(name: str) -> Callable[[Cluster], None]:
    """A pod fewer."""

    def take(there: Cluster) -> None:
        rows = there.lists[f"{SYSTEM}/pods"]
        rows[:] = [one for one in rows if one["metadata"]["name"] != name]

    return take


def api_at(address: str) -> Callable[[Cluster], None]:
    """Where the API server says that it is."""
    return lambda there: there.lists.update({SLICES: [api_server_at(address)]})


def integrated(cloud: Azure) -> None:
    """API server VNet integration, with rules that let its subnet and the nodes reach each other."""
    subnet = f"{NETWORK}/subnets/snet-api"
    range_ = {"id": subnet, "name": "snet-api", "properties": {"addressPrefix": "10.1.8.0/28"}}
    cloud.resources[NETWORK.casefold()]["properties"]["subnets"].append(range_)
    settings(apiServerAccessProfile={"enableVnetIntegration": True, "subnetId": subnet})(cloud)


def let(name: str, direction: str, **way: str) -> Callable[[Azure], None]:
    """One more rule of every security group, before all others."""
    rule = {"priority": 100, "access": "Allow", "protocol": "*", "direction": direction, **way}
    rule = {"sourcePortRange": "*", "sourceAddressPrefix": "*", "destinationAddressPrefix": "*", **rule}
    rule = {"destinationPortRange": "*", **rule}

    def add(cloud: Azure) -> None:
        for one in cloud.resources.values():
            if one["type"].casefold() == "microsoft.network/networksecuritygroups":
                one["properties"]["securityRules"].append({"name": name, "properties": dict(rule)})

    return add


OPEN_TO_API = (
    integrated,
    let("to-api", "Outbound", destinationAddressPrefix="10.1.8.0/28"),
    let("from-api", "Inbound", sourceAddressPrefix="10.1.8.0/28"),
)
FLAT = settings(networkProfile={"networkPlugin": "azure", "outboundType": "userDefinedRouting"})
PRIVATE = settings(apiServerAccessProfile={"enablePrivateCluster": True})


def hidden(kind: str) -> Callable[[Azure], None]:
    """A resource of the spoke that may not be read."""

    def hide(cloud: Azure) -> None:
        cloud.hidden.add(f"{GROUP}/Microsoft.Network/{kind}".casefold())
        cloud.refused.append(kind)

    return hide


@record(frozen=True, kw_only=True)
class Case:
    """One triage: the example's variant, pods, what else is so in Kubernetes and in Azure, the error given; then cause, sentence, and what must be told."""

    variant: str = "sound"
    pods: tuple[Json, ...] = ()
    on: tuple[Callable[[Cluster], None], ...] = ()
    azure: tuple[Callable[[Azure], None], ...] = ()
    error: str = ""
    cause: str
    says: str
    told: tuple[str, ...] = ()
    step: str = ""
    never: str = ""


WELL = tuple(agents())
ILL = tuple(agents(ready=False))
CUT_OFF = policy("default-deny", {})
ENFORCED = settings(
    networkProfile={
        "networkPlugin": "azure",
        "networkPluginMode": "overlay",
        "networkPolicy": "calico",
        "podCidr": "10.244.0.0/16",
        "outboundType": "userDefinedRouting",
    }
)


def concluded(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The triage ends as the case says."""
    status, said = triaged(case, tmp_path, monkeypatch)
    assert (said["cause"], said["says"]) == (case.cause, said["says"]), said["evidence"]
    assert case.says in said["says"]
    evidence, steps = "\n".join(said["evidence"]), "\n".join(said["next"])
    for one in case.told:
        assert one in evidence
    assert case.step in steps
    assert said["next"]
    assert not case.never or case.never not in f"{said['says']}\n{evidence}\n{steps}"
    assert status == {"neither": 0, "undecided": 4}.get(case.cause, 1)


def triaged(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, Json]:
    """The whole command over both servers."""
    cloud, there = azure(case.variant), cluster(*case.pods)
    for shape in case.on:
        shape(there)
    for change in case.azure:
        change(cloud)
    file = tmp_path / "triage.json"
    with running(cloud) as session, serving(there, tmp_path) as kubeconfig:
        monkeypatch.setattr(sessions, "connect", lambda *_: session)
        options = ["--kubeconfig", kubeconfig, "--error", case.error, "--format", "json", "-o", str(file)]
        status = run(["triage", "--cluster", "aks-shop", "--quiet", *options])
    return status, json.loads(file.read_bytes())
