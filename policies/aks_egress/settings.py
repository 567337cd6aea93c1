"""What people tell the judge beside their definitions: choices, declarations, and what they accept.

Plain data.  The command line reads it from options, the environment and the configuration file;
the Pulumi pack from its own configuration.  Each declared part carries the place it was declared at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aks_egress.records import field, record
from aks_egress.values import NOWHERE, Origin

if TYPE_CHECKING:
    from datetime import date

PortRange = tuple[int, int]
"""The first and the last port of a range, both included."""

ALL_PORTS: tuple[PortRange, ...] = ((0, 65535),)


class DeclarationError(ValueError):
    """A declaration that fits nothing among the inputs; the message says which and why."""


@record(frozen=True, slots=True, kw_only=True)
class Allow:
    """One thing that a declared appliance lets through.

    `destinations` are addresses, CIDR prefixes, service tags or `*`; `names` are host names or
    `*.` patterns that it lets through by name, whatever their address.  `sources` are CIDR
    prefixes, empty for everyone.  `protocols` are TCP, UDP, ICMP or ANY.
    """

    destinations: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ("ANY",)
    ports: tuple[PortRange, ...] = ALL_PORTS


@record(frozen=True, slots=True, kw_only=True)
class Appliance:
    """A firewall that no definition describes, by its address: what it lets through; the rest it drops.

    `inspects_tls` says that it opens TLS, so that client certificates do not survive it.
    """

    address: str
    allows: tuple[Allow, ...] = ()
    name: str = ""
    inspects_tls: bool = False
    source: Origin = NOWHERE


@record(frozen=True, slots=True, kw_only=True)
class NodeSubnet:
    """A subnet to be judged as if AKS nodes ran in it, though no cluster is defined.

    `subnet` is a resource id, `network/subnet`, or a subnet's name that only one subnet has.
    Empty texts mean that nothing was declared; `outbound_type` and `api_access` are then AKS's defaults.
    """

    subnet: str
    name: str = ""
    location: str = ""
    outbound_type: str = ""
    api_access: str = ""
    source: Origin = NOWHERE


@record(frozen=True, slots=True, kw_only=True)
class OwnRequirement:
    """An endpoint that one's own clusters need beside the catalogue's.

    `kind` is fqdn, service-tag or ip; `value` the host name or `*.` pattern, the tag, or the
    address or CIDR prefix.  `lies_in` are service tags that a name's address is known to lie in.
    `start` is where such flows start: node, pod, or both.
    """

    id: str
    kind: str
    value: str
    protocol: str = "TCP"
    ports: tuple[PortRange, ...] = ((443, 443),)
    title: str = ""
    necessity: str = "required"
    lies_in: tuple[str, ...] = ()
    start: tuple[str, ...] = ("node", "pod")
    clusters: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    source: Origin = NOWHERE


@record(frozen=True, slots=True, kw_only=True)
class Suppression:
    """Findings that somebody accepts, and why.

    `rules` are codes (`EGR201`) or families (`EGR2`); `resource`, `cluster` and `requirement`
    narrow it, each a name with `*` for any text, empty for all.  `path` and `line` are set for a
    comment in a definition: it covers the resource or rule it stands at; `inline` is whether it stands in a
    definition, as a comment or a tag.  After the day `until` the findings count again.
    """

    rules: tuple[str, ...]
    reason: str
    until: date | None = None
    resource: str = ""
    cluster: str = ""
    requirement: str = ""
    path: str = ""
    lines: tuple[int, int] | None = None
    inline: bool = False
    source: Origin = NOWHERE


@record(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the engine takes beside documents and service tags.

    `clusters` are the names to judge, empty for all.  `cloud` is public, china, usgov, or empty to
    go by the definitions.  `tunnel` is auto, konnectivity, aks-link or tunnelfront.  `severities`
    maps a rule's code to error, warning, note or off.  `api_server_addresses` maps a cluster's
    name to the address of its API server as nodes reach it, where that is known: its public one, or the one
    in the network of a private API server.
    """

    clusters: tuple[str, ...] = ()
    cloud: str = ""
    tunnel: str = "auto"
    features: tuple[str, ...] = ()
    appliances: tuple[Appliance, ...] = ()
    node_subnets: tuple[NodeSubnet, ...] = ()
    requirements: tuple[OwnRequirement, ...] = ()
    severities: Mapping[str, str] = field(default_factory=dict)
    suppressions: tuple[Suppression, ...] = ()
    api_server_addresses: Mapping[str, str] = field(default_factory=dict)
