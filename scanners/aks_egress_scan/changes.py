"""Which flows differ between two reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.report import Cluster, Finding, Flow, Report
from aks_egress.records import record

SCHEMA = "aks-egress/diff/v1"

_Key = tuple[str, ...]


@record(frozen=True, slots=True, kw_only=True)
class Change:
    """A flow whose verdict differs; one side is None where the flow is not there."""

    cluster: str
    before: Flow | None
    after: Flow | None

    @property
    def flow(self) -> Flow:
        """The flow as it is known last."""
        flow = self.after or self.before
        assert flow is not None  # noqa: S101 - one of the two is there
        return flow

    @property
    def effect(self) -> str:
        """opens, closes, unsettles, settles, appears, disappears: what the change does."""
        if self.before is None:
            return "appears"
        if self.after is None:
            return "disappears"
        if self.after.verdict is Verdict.UNKNOWN:
            return "unsettles"
        if self.after.verdict.rank > self.before.verdict.rank:
            return "closes"
        return "opens" if self.after.verdict.rank < self.before.verdict.rank else "settles"


def changes(before: Report, after: Report) -> list[Change]:
    """Every flow whose verdict differs, in the order of the later report, what is gone last."""
    old, new = _flows(before), _flows(after)
    found = [
        Change(cluster=key[0], before=old.get(key), after=flow)
        for key, flow in new.items()
        if key not in old or old[key].verdict is not flow.verdict
    ]
    found += [Change(cluster=key[0], before=flow, after=None) for key, flow in old.items() if key not in new]
    return found


def _flows(report: Report) -> dict[_Key, Flow]:
    """Every flow by what it is, free of places."""
    named: dict[_Key, Flow] = {}
    for cluster in report.clusters:
        for flow in cluster.flows:
            for key in _keys(cluster, flow):
                if key not in named:
                    named[key] = flow
                    break
    return named


def _keys(cluster: Cluster, flow: Flow) -> Iterator[_Key]:
    """The flow's identity; where several share it (one subnet in two documents), they are numbered."""
    to = flow.destination
    base = (
        cluster.name,
        flow.requirement,
        to.value,
        to.protocol,
        to.ports,
        flow.source.subnet,
        flow.source.pool,
    )
    yield base
    number = 1
    while True:
        number += 1
        yield (*base, str(number))


def new_findings(before: Report, after: Report) -> tuple[Finding, ...]:
    """The findings that only the later report has; what two documents share counts for each of them."""
    known = Counter(one.fingerprint for one in before.findings)
    found = []
    for one in after.findings:
        known[one.fingerprint] -= 1
        if known[one.fingerprint] < 0:
            found.append(one)
    return tuple(found)
