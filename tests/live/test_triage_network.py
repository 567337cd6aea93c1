"""Whole triages whose question is the network: the legs of the tunnel, its kinds, what stands past rules and routes."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("kubernetes")
pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")
pytest.importorskip("azure.monitor.query")

from tests.live.kubernetes_server import node, pod
from tests.live.triage import (
    FLAT,
    ILL,
    NO_AGENT,
    OPEN_TO_API,
    PRIVATE,
    SAW_USER,
    TO_USER,
    USER_NODE,
    WELL,
    Case,
    api_at,
    concluded,
    dark,
    hidden,
    integrated,
    let,
    logged,
    nodes,
    own_log,
    settings,
    without,
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
        never="no security group, route or firewall rule",
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
        on=(without("kube-proxy-b"),),
        cause="network",
        says="from reaching some nodes on TCP 10250",
        told=("nodes that are cut off were not among them",),
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
            "the API server's own end in the network has the address 10.1.8.4, and the walk goes there",
            "no tunnel pods run, and this cluster needs none",
        ),
    ),
    "the walk finds the node of the error cut off, and a call gets through to it": Case(
        variant="kubelet",
        pods=WELL,
        error=SAW_USER,
        cause="undecided",
        says="nobody can say yet: the walk finds the konnectivity tunnel blocked in part, yet it carries calls at this moment",
        step="take a fresh picture",
    ),
    "API server VNet integration, its subnet shut by the rules, and calls get through": Case(
        pods=WELL,
        on=(api_at("10.1.8.4"),),
        azure=(integrated, let("to-api", "Outbound", destinationAddressPrefix="10.1.8.0/28")),
        error=SAW_USER,
        cause="undecided",
        says="nobody can say yet: ",
        never="the network is at fault",
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
        told=("has the address 10.1.8.4, and the walk goes there",),
    ),
    "API server VNet integration at an address outside its subnet": Case(
        pods=WELL,
        on=(api_at("10.1.9.4"), dark(NO_AGENT)),
        azure=(*OPEN_TO_API, FLAT),
        cause="undecided",
        says="nobody can say yet: the API server's own end in the network is not where the walk took it to be",
        step="--to 10.1.9.4 --port 443",
    ),
    "a private API server": Case(
        pods=WELL,
        on=(api_at("10.1.0.200"),),
        azure=(PRIVATE,),
        cause="neither",
        says="neither is at fault",
        told=("the API server's private endpoint has the address 10.1.0.200, and the walk goes there",),
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
    "a security group may not be read": Case(
        pods=WELL,
        azure=(hidden("networkSecurityGroups/nsg-system"),),
        cause="undecided",
        says="nobody can say yet: the definitions that could be read do not decide over the konnectivity tunnel",
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
def test_what_the_network_has_to_do_with_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    concluded(CASES[name], tmp_path, monkeypatch)
