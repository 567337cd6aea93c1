"""One judgement of a stack for all policies, made when the first of them asks."""

from __future__ import annotations

import json
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aks_egress.arm.ids import parse_id
from aks_egress.arm.resources import Document, Kind, Role
from aks_egress.engine import judge
from aks_egress.findings.report import Cluster, Finding, Report
from aks_egress.records import field, record, replace
from aks_egress.requirements.facts import UnknownFeatureError
from aks_egress.settings import DeclarationError
from aks_egress_pulumi.collecting import Collected, registered
from aks_egress_pulumi.configuration import ConfigurationError, Configured, configured, merged, whole
from aks_egress_scan.readers.pulumi.building import Stack, built


@record(slots=True)
class Judgement:
    """What came of judging a stack: a report, or why there is none.

    `trouble` is for people; `internal` says that it is a fault of ours, not of the configuration.
    """

    report: Report | None = None
    configured: Configured = field(default_factory=Configured)
    urns: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""
    internal: bool = False

    def urn_of(self, resource_id: str) -> str:
        """The URN of a resource, or of the nearest one above it; empty for one of no URN."""
        found = parse_id(resource_id)
        while found is not None:
            if found.key in self.urns:
                return self.urns[found.key]
            found = found.parent
        return ""

    def at_fault(self, finding: Finding) -> str:
        """The URN to report a finding on: the resource at fault, who decided, else the cluster."""
        for resource_id in (finding.resource_id, *(hop.resource_id for hop in finding.deciders)):
            if resource_id and (urn := self.urn_of(resource_id)):
                return urn
        return self.cluster_urn(finding.cluster)

    def cluster_urn(self, name: str) -> str:
        """The URN of a cluster."""
        rows: Sequence[Cluster] = self.report.clusters if self.report is not None else ()
        return next((self.urn_of(one.id) for one in rows if name and name in (one.name, one.id)), "")


class Session:
    """Everything that the policies of one run share."""

    def __init__(self, pack: Path, label: str = "stack") -> None:
        self.collected = Collected()
        self.shared: Mapping[str, Any] = {}
        self._pack, self._label = pack, label
        self._judged: dict[tuple[int, str], Judgement] = {}
        self._configured: dict[str, Configured] = {}
        self._lock = threading.RLock()

    def judgement(self, own: Mapping[str, Any]) -> Judgement:
        """The judgement of a stack under the settings of a policy; never raises."""
        given = merged(self.shared, whole(own))
        text = json.dumps(given, sort_keys=True)
        key = (self.collected.count, text)
        with self._lock:
            if key not in self._judged:
                if len(self._judged) > 16:
                    self._judged.clear()
                self._judged[key] = self._made(given, text)
            return self._judged[key]

    def _made(self, given: Mapping[str, Any], text: str) -> Judgement:
        try:
            if self.collected.failure is not None:
                raise self.collected.failure
            if text not in self._configured:
                self._configured[text] = configured(given, self._pack)
            return self._judge(self._configured[text])
        except (ConfigurationError, DeclarationError, UnknownFeatureError) as error:
            return Judgement(trouble=f"the configuration is wrong: {error}")
        except Exception as error:  # noqa: BLE001  whatever it is, it must neither end the preview nor pass
            return Judgement(trouble=f"an internal error: {logged(error)}", internal=True)

    def _judge(self, with_: Configured) -> Judgement:
        stack = built(registered(self.collected))
        # documents remember what was looked up in them, so each run gets its own
        context = [replace(one) for one in with_.context]
        report = judge([_document(stack, self._label), *context], with_.settings, with_.tags)
        return Judgement(
            report=_without_accepted(report, with_),
            configured=with_,
            urns=stack.urns,
        )


def logged(error: Exception) -> str:
    """What went wrong and where, after its course was written to standard error.

    Without the error's own words: they may quote a value.
    """
    frames = traceback.extract_tb(error.__traceback__)
    said = f"{type(error).__name__} in {Path(frames[-1].filename).name}:{frames[-1].lineno}"
    sys.stderr.write("".join([*traceback.format_list(frames), f"{said}\n"]))
    return said


def _document(stack: Stack, label: str) -> Document:
    return Document(
        label,
        Kind.PULUMI_PREVIEW,
        tuple(stack.resources),
        tuple(stack.notices),
        role=Role.SUBJECT,
        unread=stack.unread,
        cloud=stack.cloud,
    )


def _without_accepted(report: Report, with_: Configured) -> Report:
    if not with_.settings.suppressions:
        return report
    from datetime import date

    from aks_egress.findings.suppressions import apply

    return apply(report, list(with_.settings.suppressions), date.today())
