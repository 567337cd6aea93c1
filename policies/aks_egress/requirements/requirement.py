"""One thing that a cluster must be able to reach, with every placeholder filled in."""

from __future__ import annotations

from aks_egress.records import record
from aks_egress.values import Unknown

Ports = tuple[tuple[int, int], ...]
"""Inclusive port ranges."""

ALL_PORTS: Ports = ((0, 65535),)


@record(frozen=True, slots=True, kw_only=True)
class Requirement:
    """An entry of the catalogue, bound to one cluster; one for each destination.

    `needed` is Unknown where the definition leaves the entry's condition open.  `value` is the
    destination as reports write it.  A placeholder that nothing fills stays in `value`, `name` is
    then the narrowest `*.` pattern that certainly holds the name, and `assumptions` say so.

    `kind` is fqdn, service-tag, ip, subnet or platform.  An `ip` without `addresses` is an address
    inside the network that the definition does not give, so nobody can judge it.  `subnet` leads
    to the part of the network that `towards` names: node (the subnets of all pools), pod (pod
    subnets, the pod range of an overlay, or the node subnets where pods have none of their own),
    api-server (the subnet of API server VNet integration) or private-endpoint (the API server's).

    `sources` are node, pod and api-server.  `agents_only` flows start at the tunnel's agents:
    system pools.  `pools` names the only pools concerned, None means all.  `lies_in` are service
    tags that the address is documented to lie in; of several, each must be reachable.
    `in_fqdn_tag` says whether Azure Firewall's FQDN tag AzureKubernetesService covers the name,
    None where that is not documented.  `mutual_tls` connections survive no TLS inspection.
    `via_proxy` says that the clients go through the cluster's HTTP proxy.  `platform_tag` is the
    one service tag by which a rule can stop a platform address.
    """

    id: str
    title: str
    role: str
    necessity: str
    needed: bool | Unknown
    kind: str
    value: str
    protocol: str
    ports: Ports
    sources: frozenset[str]
    towards: str = ""
    agents_only: bool = False
    pools: tuple[str, ...] | None = None
    lies_in: tuple[str, ...] = ()
    name: str = ""
    layer7: str = ""
    in_fqdn_tag: bool | None = False
    mutual_tls: bool = False
    via_proxy: bool = False
    addresses: tuple[str, ...] = ()
    platform_tag: str = ""
    breaks: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    source: str = ""
