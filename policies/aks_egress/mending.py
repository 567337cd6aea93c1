"""Documents and settings in, repairs out: what to change, and the report on the documents once that is done."""

from __future__ import annotations

from collections.abc import Sequence

from aks_egress.arm.resources import Document, Role
from aks_egress.engine import judge, walked
from aks_egress.findings.fixes import Judged, Repair, repairs
from aks_egress.findings.report import Report
from aks_egress.packets.tags import ServiceTags
from aks_egress.settings import Settings


def mend(documents: Sequence[Document], settings: Settings, tags: ServiceTags) -> tuple[list[Repair], Report]:
    """What opens the blocked flows, and the report on the documents with all of it done.

    Raises DeclarationError and UnknownFeatureError for settings that fit nothing.
    """

    def again(changed: Sequence[Document]) -> Judged:
        walk, clusters = walked(changed, settings, tags)
        return walk.hops.topology, clusters

    documents = sorted(documents, key=lambda one: (one.role is Role.CONTEXT, one.path))
    found, mended = repairs(documents, again)
    return found, judge(mended, settings, tags)
