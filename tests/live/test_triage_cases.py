"""Whole triages, from the servers to the sentence: what the walk, the pods, the logs and an error text make together."""

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

CASES = {
    "all is well": Case(
        pods=WELL,
        cause="neither",
        says="neither is at fault",
        told=("a log call goes through to aks-system-0, aks-user-0",),
    ),
    "leg 1 is blocked and the agents are down": Case(
        variant="konnectivity",
        pods=ILL,
        on=(dark(NO_AGENT),),
        cause="network",
        says="the network is at fault: `deny-all-out` of `nsg-system` keeps the konnectivity tunnel from working; pods that are not ready are the consequence",
        told=(
            "rule `deny-all-out`",
            "log calls fail at this moment to every node that was tried",
            "no konnectivity agent is connected",
        ),
        step="mend `deny-all-out` of `nsg-system`",
        never="the pods are at fault",
    ),
    "leg 1 is blocked for new connections while an old tunnel still works": Case(
        variant="konnectivity",
        pods=WELL,
        cause="network",
        says="the network is at fault",
        told=("security rules look at new connections only",),
        step="do not restart the agents before the rule is mended",
    ),
    "leg 2 is blocked for the user pool": Case(
        variant="kubelet",
        pods=WELL,
        on=(dark(TO_USER, "aks-user-0"),),
        error=SAW_USER,
        cause="network",
        says="the network is at fault: `deny-kubelet-from-elsewhere` of `nsg-user` keeps the konnectivity tunnel from reaching some nodes on TCP 10250",
        told=(
            "10.1.4.4 in the error is node aks-user-0 of pool user, which is ready",
            "`10.1.4.4`, the node of the error, aks-user-0, blocked",
            "deny-kubelet-from-elsewhere",
            "log calls fail at this moment to aks-user-0 (all of pool user that was tried)",
            "a log call goes through to aks-system-0",
        ),
        step="mend `deny-kubelet-from-elsewhere` of `nsg-user`",
    ),
    "leg 2 fails for one pool and no rule explains it": Case(
        pods=WELL,
        on=(dark(TO_USER, "aks-user-0"),),
        error=SAW_USER,
        cause="undecided",
        says="nobody can say yet: calls fail to aks-user-0 (all of pool user that was tried), and nothing that could be seen explains it",
        told=("`10.1.4.4`, the node of the error, aks-user-0, open",),
        step="compare the pools that answer",
    ),
    "leg 2 is blocked for the user pool and only the agents' own node was tried": Case(
        variant="kubelet",
        pods=WELL,
        cause="network",
        says="from reaching some nodes on TCP 10250",
        told=("nodes that are cut off were not among them",),
    ),
    "calls get through to the agents' own nodes, and others were not tried": Case(
        pods=WELL,
        on=(without("kube-proxy-b"),),
        cause="undecided",
        says="nobody can say yet: whether calls get from the agents to other nodes could not be tried",
        never="neither is at fault",
    ),
    "the firewall lets nothing through, and yet calls get through": Case(
        variant="aks-link",
        pods=(pod("aks-link-1", label="aks-link", on="aks-system-0"),),
        cause="undecided",
        says="nobody can say yet: the walk finds the aks-link tunnel blocked, yet it carries calls at this moment",
        step="take a fresh picture",
        never="neither is at fault",
    ),
    "API server VNet integration without agents": Case(
        on=(api_at("10.1.8.4"),),
        azure=(*OPEN_TO_API, FLAT),
        cause="neither",
        says="the network lets the API server's direct way to the nodes through, no tunnel pods are needed",
        told=(
            "to `10.1.8.4`, the API server's own address, open",
            "no tunnel pods run, and this cluster needs none",
        ),
    ),
    "API server VNet integration, and its subnet cannot reach the nodes": Case(
        on=(api_at("10.1.8.4"), dark(TO_USER)),
        azure=(integrated, let("to-api", "Outbound", destinationAddressPrefix="10.1.8.0/28"), FLAT),
        error=SAW_USER,
        cause="network",
        says="keeps the API server's direct way to the nodes from reaching the nodes on TCP 10250",
        told=(
            "TCP 10250 from `vnet-spoke/snet-api` to `10.1.4.4`, the node of the error, aks-user-0, blocked",
        ),
    ),
    "API server VNet integration, and nodes cannot reach its address": Case(
        pods=WELL,
        on=(api_at("10.1.8.4"), dark(NO_AGENT)),
        azure=(integrated, let("from-api", "Inbound", sourceAddressPrefix="10.1.8.0/28")),
        cause="network",
        says="`deny-all-out` of `nsg-system` keeps the konnectivity tunnel from working",
        told=("to `10.1.8.4`, the API server's own address, blocked",),
    ),
    "a private API server": Case(
        pods=WELL,
        on=(api_at("10.1.0.200"),),
        azure=(PRIVATE,),
        cause="neither",
        says="neither is at fault",
        told=("the API server's private endpoint has the address 10.1.0.200",),
    ),
    "a private API server that is not where the walk looked": Case(
        pods=WELL,
        on=(api_at("10.7.0.4"), dark(NO_AGENT)),
        azure=(PRIVATE,),
        cause="undecided",
        says="nobody can say yet: the API server's private endpoint is not where the walk took it to be",
        step="--to 10.7.0.4 --port 443",
    ),
    "a private API server whose name the agents cannot resolve": Case(
        pods=ILL,
        on=(api_at("10.1.0.200"), dark(NO_AGENT)),
        azure=(
            PRIVATE,
            logged("dial tcp: lookup aks-1.privatelink.eastus.azmk8s.io on 10.0.0.4:53: no such host"),
        ),
        cause="network",
        says="by the agents' own log, the agents cannot resolve the API server's name",
        told=("EGR601 private-zone-not-linked",),
    ),
    "the API server admits only addresses that are not the nodes'": Case(
        pods=WELL,
        on=(dark(NO_AGENT),),
        azure=(settings(apiServerAccessProfile={"authorizedIPRanges": ["192.0.2.0/24"]}),),
        cause="undecided",
        says="nobody can say yet: authorized-ranges-miss-egress (EGR702) may be why",
        told=("authorizedIPRanges lists 1 ranges",),
        step="to the authorized ranges",
    ),
    "the cluster is stopped": Case(
        pods=(),
        azure=(settings(powerState={"code": "Stopped"}),),
        on=(refused("/"),),
        cause="pods",
        says="the cluster is not running (power state Stopped)",
        step="az aks start",
    ),
    "everything looks well and no call gets through": Case(
        pods=WELL,
        on=(dark(NO_AGENT),),
        cause="undecided",
        says="nobody can say yet: calls fail to every node that was tried",
        step="look at TLS inspection",
        never="neither is at fault",
    ),
    "the error of a moment ago, and all is well now": Case(
        pods=WELL,
        error=SAW_USER,
        cause="neither",
        says="a call gets through now",
        told=("the error you saw",),
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
        cause="pods",
        says="the pods are at fault: an agent cannot be placed on any node; the network lets the tunnel through",
        told=("Unschedulable: 0/3 nodes are available: 3 Insufficient cpu",),
        step="make room for system pods",
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
    "a node finds its own egress blocked": Case(
        pods=WELL,
        on=(nodes(node("aks-system-0", EgressBlocked="mcr.microsoft.com cannot be reached"), USER_NODE),),
        cause="network",
        says="nodes find their own egress blocked, though that check is not about the konnectivity tunnel itself",
    ),
    "TLS inspection, by the agents' log": Case(
        pods=ILL,
        on=(dark(NO_AGENT),),
        azure=(
            logged(
                '"cannot connect once" err="rpc error: code = Unavailable desc = connection error: desc = \\"transport: authentication handshake failed: x509: certificate signed by unknown authority\\""'
            ),
        ),
        cause="network",
        says="by the agents' own log, something opens the agents' TLS on the way to the API server",
        step="exempt the API server's name",
        never="the pods are at fault",
    ),
    "packets of the agents are dropped, by their log": Case(
        pods=ILL,
        on=(dark(NO_AGENT),),
        azure=(logged('"cannot connect once" err="dial tcp 20.1.2.3:443: i/o timeout"'),),
        cause="network",
        says="packets of the agents to the API server are dropped without an answer",
        step="authorized address ranges",
    ),
    "the agents cannot resolve the API server, by their log": Case(
        pods=ILL,
        on=(dark(NO_AGENT),),
        azure=(logged("dial tcp: lookup aks-1.privatelink.eastus.azmk8s.io on 10.0.0.4:53: no such host"),),
        cause="network",
        says="the agents cannot resolve the API server's name",
    ),
    "single lines in a log beside a tunnel that works": Case(
        pods=WELL,
        on=(own_log('"cannot connect once" err="dial tcp 20.1.2.3:443: i/o timeout"'),),
        cause="neither",
        says="neither is at fault",
        told=("yet the tunnel carries calls at this moment",),
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
    "a security group may not be read": Case(
        pods=WELL,
        azure=(hidden("networkSecurityGroups/nsg-system"),),
        cause="undecided",
        says="nobody can say yet: the definitions that could be read do not decide over the konnectivity tunnel",
    ),
    "an error that nobody knows while calls fail": Case(
        pods=WELL,
        on=(dark("something new went wrong"),),
        error="a message from next year",
        cause="undecided",
        says="nobody can say yet",
        told=("the error you gave is none that is known here", "something new went wrong"),
    ),
    "the way from one's own machine": Case(
        pods=WELL,
        error="Unable to connect to the server: dial tcp 20.1.2.3:443: i/o timeout",
        cause="undecided",
        says="the error is about the way from your own machine to the API server, which is not the tunnel",
    ),
    "two tunnels at once, the older one blocked, and no call gets through": Case(
        variant="aks-link",
        pods=(*WELL, pod("aks-link-1", label="aks-link", on="aks-system-0")),
        on=(dark(NO_AGENT),),
        cause="network",
        says="keeps the aks-link tunnel from working",
        told=("pods of aks-link run beside those of konnectivity",),
    ),
    "two tunnels at once, the older one blocked, and calls get through": Case(
        variant="aks-link",
        pods=(*WELL, pod("aks-link-1", label="aks-link", on="aks-system-0")),
        cause="neither",
        says="neither is at fault",
        told=("the walk finds aks-link blocked",),
    ),
    "aks-link alone, its firewall rule gone": Case(
        variant="aks-link",
        pods=(pod("aks-link-1", label="aks-link", on="aks-system-0", ready=False),),
        on=(dark("error dialing backend: dial timeout"),),
        cause="network",
        says="keeps the aks-link tunnel from working",
        told=("UDP 1194",),
    ),
}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AKS_EGRESS_CACHE_DIR", str(tmp_path / "cache"))


@pytest.mark.parametrize("name", CASES)
def test_the_conclusion_is(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    status, said = triaged(case, tmp_path, monkeypatch)
    assert (said["cause"], said["says"]) == (case.cause, said["says"]), said["evidence"]
    assert case.says in said["says"]
    evidence, steps = "\n".join(said["evidence"]), "\n".join(said["next"])
    for one in case.told:
        assert one in evidence
    assert case.step in steps
    assert said["next"]
    assert not case.never or case.never not in f"{said['says']}\n{evidence}"
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
