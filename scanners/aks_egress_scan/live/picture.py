"""All that a triage rests on, side by side, and the clues that are read off it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aks_egress.findings.report import Cluster, Flow, Report
from aks_egress.records import field, record
from aks_egress.requirements.errors import Symptom, recognise
from aks_egress_scan.live.seen import LogsSeen, Seen

TUNNEL_DOWN = frozenset({"no-agent", "kubelet-timeout", "kubelet-tls-timeout", "kubelet-http", "tunnel-cut"})
"""Errors that say that a call did not get through the tunnel."""

MOST_LINES = 400
"""Lines of logs that are searched for known errors."""


class Side(StrEnum):
    """Whom a clue speaks against; a doubt against nobody, a note is good to know."""

    NETWORK = "network"
    PODS = "pods"
    DOUBT = "doubt"
    NOTE = "note"


@record(frozen=True, slots=True, kw_only=True)
class Clue:
    """One thing that was found: `says` for people, `headline` the same as a clause, `next` what to do about it.

    A doubt that is only a `question` (why does this fail?) is answered by whatever is at fault.
    """

    side: Side
    says: str
    headline: str = ""
    next: tuple[str, ...] = ()
    question: bool = False


@record(frozen=True, slots=True, kw_only=True)
class Way:
    """One address that the walk was asked about by itself: that of a node."""

    address: str
    what: str
    flows: tuple[Flow, ...] = ()
    why_not: str = ""


@record(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything: what the definitions say, what runs, and what somebody saw.

    `others` are the cluster judged for the further tunnels whose pods run beside the first; `nodes` the
    nodes that the error names; `engine` what enforces network policies, `none` where nothing does, empty where nobody knows.
    """

    report: Report
    seen: Seen = field(default_factory=Seen)
    logs: LogsSeen = field(default_factory=LogsSeen)
    error: str = ""
    nodes: tuple[str, ...] = ()
    ways: tuple[Way, ...] = ()
    others: tuple[Cluster, ...] = ()
    engine: str = ""
    authorized: bool = False
    power: str = ""

    @property
    def cluster(self) -> Cluster:
        """The cluster, judged for the tunnel that is in use."""
        return self.report.clusters[0]

    @property
    def tunnel(self) -> str:
        """How people call what is looked at."""
        mode = self.cluster.tunnel.mode
        return "API server's direct way to the nodes" if mode == "none" else f"{mode} tunnel"

    @property
    def error_symptoms(self) -> list[Symptom]:
        """The known errors in what somebody saw."""
        return recognise(self.error) if self.error else []

    @property
    def call_symptoms(self) -> list[Symptom]:
        """The known errors in what log calls came back with."""
        return distinct(one for call in self.seen.failed for one in recognise(call.said))

    @property
    def log_symptoms(self) -> list[Symptom]:
        """The known errors in the tunnel pods' logs."""
        return recognise("\n".join(self.logs.lines[:MOST_LINES]))

    @property
    def symptoms(self) -> list[Symptom]:
        """All of them, each once: what somebody saw first."""
        return distinct([*self.error_symptoms, *self.call_symptoms, *self.log_symptoms])


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """The address that a text is, None where it is none."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def in_node_subnets(cluster: Cluster, address: IPv4Address | IPv6Address) -> bool | None:
    """Whether a node subnet of the cluster holds an address, None where their ranges are not known."""
    flows = (one for one in cluster.flows if one.requirement == "node-to-node")
    held = [ip_network(prefix, strict=False) for one in flows for prefix in one.source.prefixes]
    return any(address in one for one in held) if held else None


def distinct(symptoms: Iterable[Symptom]) -> list[Symptom]:
    """Each known error once."""
    return list({one.id: one for one in reversed(list(symptoms))}.values())[::-1]
