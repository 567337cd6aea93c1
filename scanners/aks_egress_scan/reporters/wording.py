"""What every report for people says in the same words: packets, counts, places, groups of flows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.report import Cluster, Finding, Flow, Hop, Report, Severity
from aks_egress.records import record

VERDICTS = (Verdict.BLOCKED, Verdict.PARTIAL, Verdict.UNKNOWN, Verdict.OPEN)


def counted(count: int, one: str, many: str = "") -> str:
    """`1 finding`, `2 findings`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def flow_counts(flows: Iterable[Flow]) -> str:
    """`19 flows: 12 open, 7 blocked`."""
    rows = list(flows)
    parts = [
        f"{count} {verdict}" for verdict in VERDICTS if (count := sum(one.verdict is verdict for one in rows))
    ]
    return f"{counted(len(rows), 'flow')}: {', '.join(parts)}" if parts else "no flows"


def finding_counts(report: Report) -> str:
    """`2 errors, 1 warning`."""
    parts = [counted(count, str(severity)) for severity in Severity if (count := report.count(severity))]
    return ", ".join(parts) or "no findings"


def packet(example: dict[str, str | int] | None) -> str:
    """`TCP 10.0.0.4 -> 20.1.2.3 port 443`; empty where there is none."""
    if not example:
        return ""
    port = f" port {example['port']}" if example.get("port") not in (None, "") else ""
    return f"{example.get('protocol', '')} {example.get('source', '')} -> {example.get('destination', '')}{port}".strip()


def destination(flow: Flow) -> str:
    """`TCP 443 to mcr.microsoft.com`."""
    to = flow.destination
    ports = "" if to.protocol == "ICMP" else " all ports" if to.ports == "*" else f" {to.ports}"
    return f"{'any protocol' if to.protocol == 'ANY' else to.protocol}{ports} to {to.value}"


_HOPS = {
    "admin-rule": "admin rule",
    "nic-nsg": "security group of the NIC",
    "subnet-nsg": "security group",
    "target-subnet-nsg": "security group of the target",
    "route": "route",
    "firewall": "firewall",
    "outbound": "outbound method",
    "peering": "peering",
    "private-endpoint": "private endpoint",
    "platform": "platform",
    "appliance": "appliance",
    "dns": "name resolution",
}


def hop_title(hop: Hop) -> str:
    """``route `default` of `rt-spoke```."""
    what = _HOPS.get(hop.hop, hop.hop)
    if hop.rule and hop.resource and hop.rule != hop.resource:
        return f"{what} `{hop.rule}` of `{hop.resource}`"
    return f"{what} `{hop.rule or hop.resource}`" if hop.rule or hop.resource else what


def says_undecided(finding: Finding) -> bool:
    """Whether a finding says only that flows are undecided."""
    return finding.name.endswith("-undecided")


@record(frozen=True, slots=True)
class Open:
    """Flows that are undecided for one reason, and what would settle them."""

    reason: str
    settle: str
    flows: tuple[Flow, ...]

    @property
    def required(self) -> bool:
        """Whether a required flow is among them."""
        return any(one.necessity == "required" for one in self.flows)


def undecided(cluster: Cluster, spoken_of: Iterable[Finding] = ()) -> list[Open]:
    """The undecided flows of a cluster by reason, without those that some findings are about.

    Groups with required flows come first.
    """
    known = {name for one in spoken_of if says_undecided(one) for name in one.requirements}
    groups: dict[tuple[str, str], list[Flow]] = {}
    for flow in cluster.flows:
        if flow.verdict is Verdict.UNKNOWN and flow.requirement not in known:
            groups.setdefault((flow.reason, flow.settle), []).append(flow)
    found = [Open(reason, settle, tuple(flows)) for (reason, settle), flows in groups.items()]
    return sorted(found, key=lambda one: not one.required)


def about_inputs(report: Report) -> list[str]:
    """What the inputs are that the report rests on: when a picture was taken, what is laid over it."""
    leads = tuple(f"`{one.path}`: " for one in report.inputs)
    return [note for note in report.notes if note.startswith(leads)]


def few(texts: Sequence[str], most: int = 4) -> str:
    """The first few of some texts, and how many more there are."""
    distinct = list(dict.fromkeys(texts))
    shown = ", ".join(distinct[:most])
    return f"{shown} and {len(distinct) - most} more" if len(distinct) > most else shown


def tunnel_words(cluster: Cluster) -> str:
    """`the konnectivity tunnel is blocked`."""
    if cluster.tunnel.mode == "none":
        return (
            "no tunnel is needed"
            if cluster.tunnel.verdict is Verdict.OPEN
            else f"the way to the kubelets is {_said(cluster.tunnel.verdict)}"
        )
    return f"the {cluster.tunnel.mode} tunnel is {_said(cluster.tunnel.verdict)}"


def _said(verdict: Verdict) -> str:
    return {
        Verdict.OPEN: "open",
        Verdict.BLOCKED: "blocked",
        Verdict.PARTIAL: "partly blocked",
        Verdict.UNKNOWN: "undecided",
    }[verdict]
