"""What every check is given, what it answers, and how it is registered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TypeVar

from aks_egress.arm.resources import Document, Resource
from aks_egress.evaluation.demand import Decider
from aks_egress.evaluation.flows import JudgedCluster
from aks_egress.evaluation.hops import Hops
from aks_egress.findings.assemble import report_hop
from aks_egress.findings.places import Places
from aks_egress.findings.report import Finding, Location, Severity
from aks_egress.records import field, record
from aks_egress.settings import Settings
from aks_egress.topology.model import Topology
from aks_egress.values import Origin

T = TypeVar("T")


@record(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of ours: a code that is never reused, a slug, how much it matters, and its page."""

    code: str
    name: str
    severity: Severity
    title: str

    @property
    def page(self) -> str:
        """The rule's page as Markdown."""
        from pathlib import Path  # noqa: PLC0415  a scan reads no pages

        return (Path(__file__).parent / "pages" / f"{self.code}.md").read_text(encoding="utf-8")

    @property
    def help(self) -> str:
        """How to read the page."""
        return f"aks-egress explain {self.code}"


@record(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything that was read and judged."""

    documents: tuple[Document, ...]
    topology: Topology
    hops: Hops
    clusters: tuple[JudgedCluster, ...]
    settings: Settings
    places: Places
    #: a cluster's name -> the documents that have one of that name, filled when first asked
    _homes: dict[str, list[Document]] = field(default_factory=dict, repr=False)
    #: what several checks ask for, by what it is and the cluster it is of; see `once`
    _known: dict[tuple[str, int], object] = field(default_factory=dict, repr=False)

    def once(self, what: str, cluster: JudgedCluster | None, find: Callable[[], T]) -> T:
        """What `find` answers, worked out for one cluster (or, with None, for all) when it is first asked for."""
        key = what, id(cluster)
        if key not in self._known:
            self._known[key] = find()
        return self._known[key]  # type: ignore[return-value]

    def finding(  # noqa: PLR0913  a finding has as many parts as people need
        self,
        rule: Rule,
        message: str,
        *,
        resource: Resource | None = None,
        label: str = "",
        origin: Origin | None = None,
        cluster: str = "",
        judged: JudgedCluster | None = None,
        severity: Severity | None = None,
        requirements: Iterable[str] = (),
        breaks: Iterable[str] = (),
        fix: str = "",
        deciders: Iterable[Decider] = (),
        counterexample: Mapping[str, str | int] | None = None,
        key: Iterable[str] = (),
    ) -> Finding:
        """A finding of a rule at a resource, or at a place that belongs to none."""
        place = origin or (resource.origin if resource is not None else None)
        return Finding(
            rule=rule.code,
            name=rule.name,
            severity=severity or rule.severity,
            cluster=cluster,
            requirements=tuple(dict.fromkeys(requirements)),
            resource=label or (resource.label if resource is not None else ""),
            location=(self.places.of(place) if place is not None else None) or Location(""),
            message=message,
            breaks=tuple(dict.fromkeys(breaks)),
            fix=fix,
            help=rule.help,
            resource_id=str(resource.id) if resource is not None else "",
            deciders=tuple(report_hop(decider, self.places) for decider in deciders),
            counterexample=dict(counterexample) if counterexample is not None else None,
            key=tuple(key),
            document=self._document(cluster, judged, resource),
        )

    def _document(self, cluster: str, judged: JudgedCluster | None, resource: Resource | None) -> str:
        """The document whose cluster is meant, where several have one of that name; empty where all may be.

        It is the judged cluster's, else the resource's: a hub that they share concerns each of them.
        """
        if not self._homes:
            for one in self.clusters:
                if one.cluster is not None:
                    self._homes.setdefault(one.name, []).append(one.cluster.document)
        found = self._homes.get(cluster, [])
        if len(found) < 2:
            return ""
        home = judged.cluster.document if judged is not None and judged.cluster is not None else None
        if home is None and resource is not None:
            with suppress(KeyError):  # a resource that stands in no document
                home = self.topology.graph.home(resource)
        return home.path if home is not None and any(one is home for one in found) else ""


Check = Callable[[Context], Iterator[Finding]]

RULES: dict[str, Rule] = {}
CHECKS: list[tuple[tuple[Rule, ...], Check]] = []


def rule(code: str, name: str, severity: Severity, title: str) -> Rule:
    """Register a rule."""
    if code in RULES:
        raise ValueError(f"rule {code} is registered twice")
    made = RULES[code] = Rule(code=code, name=name, severity=severity, title=title)
    return made


def check(*rules: Rule) -> Callable[[Check], Check]:
    """Register a function that looks for violations of some rules."""

    def register(function: Check) -> Check:
        CHECKS.append((rules, function))
        return function

    return register
