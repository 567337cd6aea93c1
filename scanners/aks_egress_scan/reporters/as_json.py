"""The report as JSON, schema `aks-egress/report/v1`; ASCII alone, so that no name can act on a terminal."""

from __future__ import annotations

from aks_egress.findings.document import as_json
from aks_egress.findings.report import Report
from aks_egress_scan.reporters.escaping import json_text


def render(report: Report) -> str:
    """The report as JSON text."""
    return json_text(as_json(report))
