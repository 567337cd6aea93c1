"""The report: what was read, what was judged, what is to be done.  Reporters only spell it.

The members follow the report schema `aks-egress/report/v1`; `aks_egress.findings.document` turns
a report into that JSON.  Everything is in its final order: the same inputs give the same report.
"""

from __future__ import annotations

from enum import StrEnum

from aks_egress.evaluation.verdicts import Verdict
from aks_egress.records import field, record


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for error, 2 for note."""
        return list(Severity).index(self)


@record(frozen=True, slots=True)
class Location:
    """A place in an input, as the user named it; `line` counts from 1, None where it is not known."""

    path: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


@record(frozen=True, slots=True, kw_only=True)
class Hop:
    """One decision on the path of a flow.

    `hop` is admin-rule, nic-nsg, subnet-nsg, route, firewall, outbound, peering, private-endpoint,
    platform, target-subnet-nsg, appliance or dns.  `resource` is how people know the resource,
    `rule` the deciding rule, route or rule collection.  `decision` is allow, deny, drop, forward
    or unknown.  `packets` says which part of the flow this is about, empty for all of it.
    """

    hop: str
    resource: str
    rule: str
    decision: str
    reason: str
    location: Location | None = None
    resource_id: str = ""
    packets: str = ""


@record(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a flow starts."""

    pool: str
    subnet: str
    prefixes: tuple[str, ...]


@record(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a flow goes: kind is fqdn, service-tag, ip, subnet or platform; ports are spelled `443,4443`."""

    kind: str
    value: str
    protocol: str
    ports: str


@record(frozen=True, slots=True, kw_only=True)
class Flow:
    """One requirement seen from one source subnet, and its verdict.

    `reason` is one sentence that says why the verdict is what it is, `settle` what would settle an
    unknown, `breaks` what stops working.  `doubts` are conservative readings of under-documented
    behaviour that the verdict rests on, `assumptions` declared or defaulted facts.
    """

    requirement: str
    title: str
    role: str
    necessity: str
    source: Source
    destination: Destination
    verdict: Verdict
    path: tuple[Hop, ...]
    reason: str = ""
    settle: str = ""
    counterexample: dict[str, str | int] | None = None
    breaks: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class Tunnel:
    """A cluster's tunnel: konnectivity, aks-link, tunnelfront or none, why that, and its verdict."""

    mode: str
    evidence: str
    verdict: Verdict


@record(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One cluster and all flows it needs.

    `facts` are what was bound from its definition, (name, value, where that comes from), with
    assumed defaults saying so.  A node subnet that is declared without a cluster (from the
    configuration) is a cluster too, named for the subnet.
    """

    id: str
    name: str
    location: str
    cloud: str
    outbound_type: str
    api_access: str
    tunnel: Tunnel
    verdict: Verdict
    flows: tuple[Flow, ...]
    facts: tuple[tuple[str, str, str], ...] = ()
    place: Location | None = None
    #: the path of the document that it came in: several may hold a cluster of one name
    document: str = ""


@record(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something a person must act on.

    `rule` is ours (`EGR101`), `name` its slug; `resource` is at fault, at `location`; `deciders`
    are the Azure rules, routes or firewall rules that decided, with their places.  `message` says
    what is wrong, `breaks` what stops working, `fix` what to change, `help` where the rule's page is.
    """

    rule: str
    name: str
    severity: Severity
    cluster: str
    requirements: tuple[str, ...]
    resource: str
    location: Location
    message: str
    breaks: tuple[str, ...] = ()
    fix: str = ""
    help: str = ""
    resource_id: str = ""
    deciders: tuple[Hop, ...] = ()
    counterexample: dict[str, str | int] | None = None
    suppressed_by: str = ""
    #: whether it is accepted beside the definition at fault, and not in a configuration
    suppressed_in_source: bool = False
    #: the path of the document whose cluster it is about, where several have one of that name
    document: str = ""
    #: what identifies the finding beside its rule, cluster and resource, free of lines and wording
    key: tuple[str, ...] = ()

    def concerns(self, cluster: Cluster) -> bool:
        """Whether it is about this cluster, and not about one of the same name in another document."""
        return bool(cluster.name) and (
            self.cluster in (cluster.name, cluster.id) and self.document in ("", cluster.document)
        )

    @property
    def fingerprint(self) -> str:
        """Stable across edits that move lines or reword messages, so that a baseline survives them."""
        import hashlib  # noqa: PLC0415 - start-up: a sound network needs none

        parts = (
            self.rule,
            self.cluster.casefold(),
            (self.resource_id or self.resource).casefold(),
            *self.key,
        )
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:20]


@record(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something about an input that people must hear of; a malformed input makes the run exit 2."""

    message: str
    line: int | None = None
    code: str = ""
    path: str = ""
    malformed: bool = False


@record(frozen=True, slots=True, kw_only=True)
class Input:
    """One document that was read."""

    path: str
    kind: str
    role: str
    resources: int
    problems: tuple[Problem, ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class Tool:
    """What judged, with which catalogue and which service-tag data."""

    version: str
    catalogue_date: str
    catalogue_digest: str
    tags_source: str = "none"
    tags_change_number: int | None = None


@record(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything."""

    tool: Tool
    inputs: tuple[Input, ...]
    clusters: tuple[Cluster, ...]
    findings: tuple[Finding, ...]
    suppressed: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def count(self, severity: Severity) -> int:
        """How many findings of that severity there are."""
        return sum(finding.severity is severity for finding in self.findings)

    def flows(self, verdict: Verdict) -> int:
        """How many flows have that verdict."""
        return sum(flow.verdict is verdict for cluster in self.clusters for flow in cluster.flows)

    @property
    def undecided(self) -> bool:
        """Whether a required flow is unknown."""
        return any(
            flow.verdict is Verdict.UNKNOWN and flow.necessity == "required"
            for cluster in self.clusters
            for flow in cluster.flows
        )


class OnClusters:
    """Which findings are on which clusters of a report, looked up by name: a fleet has thousands of both."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._findings: dict[str, list[Finding]] = {}
        self._clusters: dict[str, list[Cluster]] = {}
        for finding in report.findings:
            self._findings.setdefault(finding.cluster, []).append(finding)
        for cluster in report.clusters:
            for named in dict.fromkeys((cluster.name, cluster.id)):
                self._clusters.setdefault(named, []).append(cluster)

    def findings(self, cluster: Cluster) -> list[Finding]:
        """The findings on a cluster, by its name before those by its id."""
        named = dict.fromkeys((cluster.name, cluster.id))
        return [one for name in named for one in self._findings.get(name, ()) if one.concerns(cluster)]

    def clusters(self, finding: Finding) -> list[Cluster]:
        """The clusters that a finding is on."""
        return [one for one in self._clusters.get(finding.cluster, ()) if finding.concerns(one)]

    def others(self) -> list[Finding]:
        """The findings on no cluster of the report."""
        return [one for one in self._report.findings if not self.clusters(one)]
