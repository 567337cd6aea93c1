"""The report as JSON, schema `aks-egress/report/v1`; ASCII alone, so that no name can act on a terminal."""

from __future__ import annotations

import json

from aks_egress.findings.document import as_json
from aks_egress.findings.report import Report


def render(report: Report) -> str:
    """The report as JSON text."""
    return json.dumps(as_json(report), indent=2) + "\n"
