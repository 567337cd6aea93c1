"""Whole triages whose question is the cluster itself: pods, nodes, policies, helpers, and what could not be seen."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("kubernetes")
pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")
pytest.importorskip("azure.monitor.query")

from tests.live.kubernetes_server import node, pod, policy
from tests.live.triage import (
    CUT_OFF,
    ENFORCED,
    ILL,
    NO_AGENT,
    SAW_USER,
    SYSTEM_NODE,
    TO_USER,
    USER_NODE,
    WEBHOOK,
    WELL,
    Case,
    agents,
    concluded,
    dark,
    nodes,
    policies,
    refused,
    settings,
    without,
)

TWO_FAMILIES = node("aks-user-0", address="10.1.4.4", pool="user")
TWO_FAMILIES["status"]["addresses"].insert(0, {"type": "InternalIP", "address": "fd00:1::4"})

CASES = {
    "calls get through to the agents' own nodes, and others were not tried": Case(
        pods=WELL,
        on=(without("kube-proxy-b"),),
        cause="undecided",
        says="nobody can say yet: whether calls get from the agents to other nodes could not be tried",
        never="neither is at fault",
    ),
    "the cluster is stopped": Case(
        pods=(),
        azure=(settings(powerState={"code": "Stopped"}),),
        on=(refused("/"),),
        cause="pods",
        says="the cluster is not running (power state Stopped)",
        step="az aks start",
    ),
    "the error names a node by its IPv6 address": Case(
        pods=WELL,
        on=(nodes(SYSTEM_NODE, TWO_FAMILIES),),
        error="dial tcp [FD00:1::4]:10250: i/o timeout",
        cause="neither",
        says="neither is at fault",
        told=(
            "fd00:1::4 in the error is node aks-user-0",
            "to `10.1.4.4`, the node of the error, aks-user-0, open",
        ),
    ),
    "the error names a node by its name": Case(
        pods=WELL,
        on=(dark(TO_USER, "aks-user-0"),),
        error='Get "https://AKS-user-0:10250/containerLogs/shop/web/c": i/o timeout',
        cause="undecided",
        says="nobody can say yet: calls fail to aks-user-0",
        told=("aks-user-0 in the error is node aks-user-0 of pool user",),
    ),
    "the error names a node that nobody knows": Case(
        pods=WELL,
        error="dial tcp 10.9.9.9:10250: i/o timeout",
        cause="undecided",
        says="nobody can say yet: the error names 10.9.9.9, which is no node of this cluster",
        told=("the error names 10.9.9.9, and no node of this cluster is called or addressed so",),
    ),
    "the node in the error is lost": Case(
        pods=WELL,
        on=(
            nodes(SYSTEM_NODE, node("aks-user-0", address="10.1.4.4", pool="user", ready=False)),
            dark(TO_USER, "aks-user-0"),
        ),
        error=SAW_USER,
        cause="pods",
        says="node aks-user-0, to which the call went, is itself not ready",
        told=("Kubelet stopped posting node status",),
        step="kubectl describe node aks-user-0",
    ),
    "the system pool is full": Case(
        pods=tuple(
            agents(placed=False, ready=False, unplaced="0/3 nodes are available: 3 Insufficient cpu.")
        ),
        on=(dark(NO_AGENT),),
        cause="pods",
        says="the pods are at fault: an agent cannot be placed on any node; the network lets the tunnel through",
        told=("Unschedulable: 0/3 nodes are available: 3 Insufficient cpu",),
        step="make room for system pods",
        never="no security group, route or firewall rule",
    ),
    "one of two agents has no place": Case(
        pods=(agents()[0], agents(placed=False, ready=False, unplaced="0/3 nodes")[1]),
        cause="pods",
        says="one of its agents cannot be placed on any node",
        told=("1 of 2 pods of konnectivity are ready",),
    ),
    "no node is ready, so agents have no place": Case(
        pods=tuple(agents(placed=False, ready=False, unplaced="0/2 nodes are available: untolerated taint")),
        on=(nodes(node("aks-system-0", ready=False)),),
        cause="undecided",
        says="nobody can say yet: no node is ready",
        never="the pods are at fault",
    ),
    "agents on a lost node only claim to be ready": Case(
        pods=WELL,
        on=(nodes(node("aks-system-0", pool="system", ready=False), USER_NODE), dark(NO_AGENT)),
        cause="undecided",
        says="nobody can say yet: its agents have no node that is ready",
        told=("1 of 2 nodes are not ready", "its node is not ready"),
        never="neither is at fault",
    ),
    "agents run out of memory": Case(
        pods=tuple(agents(restarts=9, ended="OOMKilled")),
        error=SAW_USER,
        cause="pods",
        says="its agents run out of memory and restart",
        step="add system nodes",
    ),
    "a network policy lets nothing out of kube-system": Case(
        pods=ILL,
        on=(policies(CUT_OFF), dark(NO_AGENT)),
        azure=(ENFORCED,),
        cause="pods",
        says="a network policy inside the cluster lets nothing out of its agents",
        told=("`default-deny`",),
        step="allow egress for pods with the label app=konnectivity-agent",
    ),
    "a network policy that another one opens again": Case(
        pods=WELL,
        on=(
            policies(
                CUT_OFF,
                policy(
                    "konnectivity-agent",
                    {
                        "matchExpressions": [
                            {"key": "app", "operator": "In", "values": ["konnectivity-agent"]}
                        ]
                    },
                    {},
                ),
            ),
        ),
        azure=(ENFORCED,),
        cause="neither",
        says="neither is at fault",
        never="let nothing out",
    ),
    "a network policy that nothing enforces": Case(
        pods=WELL,
        on=(policies(CUT_OFF), dark(NO_AGENT)),
        cause="undecided",
        says="nobody can say yet",
        told=("yet nothing enforces them in this cluster",),
        never="the pods are at fault",
    ),
    "CoreDNS is down": Case(
        pods=(*WELL, pod("coredns-1", ready=False, waiting="CrashLoopBackOff"), pod("coredns-autoscaler-1")),
        cause="pods",
        says="CoreDNS is not ready",
        step="mend CoreDNS first",
    ),
    "one of two CoreDNS pods is down": Case(
        pods=(*WELL, pod("coredns-1", ready=False), pod("coredns-2")),
        cause="neither",
        says="neither is at fault",
    ),
    "only kubectl top fails": Case(
        pods=(*WELL, pod("metrics-server-1", ready=False, waiting="CrashLoopBackOff")),
        error="error: Metrics API not available",
        cause="pods",
        says="metrics-server is not ready; the tunnel has no part in that",
    ),
    "a webhook fails and the tunnel works": Case(
        pods=WELL,
        error=WEBHOOK,
        cause="undecided",
        says="nobody can say yet: the error is about a webhook, whose own pods were not looked at",
        step="kubectl get endpoints,pods -n shop",
    ),
    "agents crash and nothing says why": Case(
        pods=tuple(agents(ready=False, waiting="CrashLoopBackOff", restarts=40)),
        on=(dark(NO_AGENT),),
        cause="undecided",
        says="nobody can say yet: its pods run and are not ready, and no log of theirs could be read",
        step="kubectl logs -n kube-system konnectivity-agent-abc --previous",
    ),
    "images do not come while the registry is blocked": Case(
        variant="konnectivity",
        pods=tuple(agents(ready=False, waiting="ImagePullBackOff")),
        cause="network",
        says="the network is at fault",
        told=("the walk finds the way to Microsoft's registry blocked",),
        never="the pods are at fault",
    ),
    "images do not come though the registry is open": Case(
        pods=tuple(agents(ready=False, waiting="ErrImagePull")),
        cause="pods",
        says="an agent's image does not come, though the way to the registry is open",
    ),
    "remainders of pods do not count": Case(
        pods=(
            *WELL,
            pod(
                "konnectivity-agent-old",
                label="konnectivity-agent",
                ready=False,
                phase="Failed",
                reason="Evicted",
            ),
            pod(
                "konnectivity-agent-autoscaler-1",
                ready=False,
                waiting="CrashLoopBackOff",
                labels={"component": "tunnel"},
            ),
        ),
        cause="neither",
        says="neither is at fault",
        told=("2 of 2 pods of konnectivity are ready",),
    ),
    "the pods may not be listed": Case(
        pods=WELL,
        on=(refused("/pods"),),
        cause="undecided",
        says="nobody can say yet: its pods could not be looked at",
        step="Azure Kubernetes Service RBAC Reader",
    ),
    "logs may not be read, so nothing was tried": Case(
        pods=WELL,
        on=(refused("/log"),),
        cause="undecided",
        says="nobody can say yet: whether a call gets through could not be tried",
        never="neither is at fault",
    ),
    "an error that nobody knows while calls fail": Case(
        pods=WELL,
        on=(dark("something new went wrong"),),
        error="a message from next year",
        cause="undecided",
        says="nobody can say yet",
        told=("the error you gave is none that is known here", "something new went wrong"),
    ),
}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AKS_EGRESS_CACHE_DIR", str(tmp_path / "cache"))


@pytest.mark.parametrize("name", CASES)
def test_what_the_cluster_has_to_do_with_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    concluded(CASES[name], tmp_path, monkeypatch)
