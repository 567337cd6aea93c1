"""Which tunnel the control plane uses to reach the nodes, and why we think so.

Facts: learn.microsoft.com/azure/aks/outbound-rules-control-egress, …/api-server-vnet-integration and
the AKS release notes (konnectivity everywhere since 2022, with an overlay or a network plugin of
one's own also beside API server VNet integration since 2023-06-04).
"""

from __future__ import annotations

from aks_egress.records import record
from aks_egress.requirements.facts import Facts
from aks_egress.values import Unknown

MODES = ("konnectivity", "aks-link", "tunnelfront", "none")


@record(frozen=True, slots=True)
class TunnelMode:
    """`mode` is konnectivity, aks-link, tunnelfront or none; `evidence` says what speaks for it."""

    mode: str
    evidence: str


#: what pods' addresses mean beside API server VNet integration
_BESIDE_INTEGRATION = {
    "overlay": TunnelMode(
        "konnectivity",
        "API server VNet integration with an overlay: konnectivity agents remain, to reach pods",
    ),
    "own": TunnelMode(
        "konnectivity",
        "API server VNet integration without a network plugin of AKS: konnectivity agents remain, to reach pods",
    ),
    "kubenet": TunnelMode(
        "konnectivity",
        "API server VNet integration with kubenet: pods have no address that its subnet can reach, so agents are assumed to remain",
    ),
    "pod-subnet": TunnelMode(
        "none",
        "API server VNet integration, pods in a subnet of their own: the API server reaches nodes and pods directly",
    ),
    "node-subnet": TunnelMode(
        "none",
        "API server VNet integration, pods in the nodes' subnet: the API server reaches nodes and pods directly",
    ),
}


def tunnel_mode(facts: Facts, chosen: str) -> TunnelMode:
    """The tunnel of a cluster: as chosen, else by its API server access and its pods' addresses."""
    if chosen in MODES:
        return TunnelMode(chosen, f"chosen with `--tunnel {chosen}`")
    access = facts.word("api_access")
    if isinstance(access, Unknown):
        return TunnelMode("konnectivity", f"assumed: the API server's access is not known: {access.why}")
    if access == "vnet_integration":
        pods = facts.word("pod_network")
        if isinstance(pods, Unknown):
            return TunnelMode(
                "konnectivity", f"assumed: where pods have their addresses is not known: {pods.why}"
            )
        return _BESIDE_INTEGRATION[pods]
    place = "private endpoint" if access == "private_link" else "public address"
    evidence = f"AKS's tunnel for clusters created or updated since 2022; agents dial the API server's {place} on TCP 443"
    if facts.cloud != "public":
        evidence += "; in this cloud the change began in the middle of 2022, its documentation still lists the older tunnels"
    return TunnelMode("konnectivity", evidence)


def agents_present(facts: Facts) -> bool | Unknown:
    """Whether konnectivity agents run in the cluster; Unknown where that hangs on an open value."""
    if facts.tunnel in MODES:
        return facts.tunnel == "konnectivity"
    access = facts.word("api_access")
    if isinstance(access, Unknown):
        return access
    if access != "vnet_integration":
        return True
    pods = facts.word("pod_network")
    return pods if isinstance(pods, Unknown) else _BESIDE_INTEGRATION[pods].mode == "konnectivity"
