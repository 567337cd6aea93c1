"""Findings that were there before: kept by fingerprint, so that only new ones count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from aks_egress.findings.report import Finding, Report
from aks_egress.records import replace

SCHEMA = "aks-egress/baseline/v1"


def baseline_of(report: Report) -> dict[str, Any]:
    """The findings of a report as a baseline, ready for JSON; what is suppressed is not in it."""
    rows = [
        {"fingerprint": one.fingerprint, "rule": one.rule, "cluster": one.cluster, "resource": one.resource}
        for one in report.findings
    ]
    rows.sort(key=lambda row: (row["rule"], row["cluster"], row["resource"], row["fingerprint"]))
    return {"schema": SCHEMA, "findings": rows}


def fingerprints_in(data: object) -> Counter[str]:
    """The fingerprints of a baseline, and how often each occurs.

    Reads a baseline, and a JSON report too.  Raises ValueError that says what is off.
    """
    if not isinstance(data, Mapping):
        raise ValueError("it is no table")
    if data.get("schema") not in (SCHEMA, "aks-egress/report/v1"):
        raise ValueError(f"its `schema` is not `{SCHEMA}`")
    rows = data.get("findings")
    if not isinstance(rows, list):
        raise ValueError("it has no list `findings`")
    found: Counter[str] = Counter()
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping) or not isinstance(row.get("fingerprint"), str):
            raise ValueError(f"entry {number} of `findings` has no `fingerprint`")
        found[row["fingerprint"]] += 1
    return found


def without_known(report: Report, known: Counter[str], name: str) -> Report:
    """The report with the findings of a baseline moved to `suppressed`; `name` is what to call it."""
    left = Counter(known)
    new: list[Finding] = []
    old: list[Finding] = []
    for finding in report.findings:
        if left[finding.fingerprint] > 0:
            left[finding.fingerprint] -= 1
            old.append(replace(finding, suppressed_by=f"known from the baseline {name}"))
        else:
            new.append(finding)
    gone = sum(left.values())
    notes = (
        (f"{gone} of the baseline {name} is mended: write it anew with `aks-egress baseline`",)
        if gone
        else ()
    )
    return replace(
        report,
        findings=tuple(new),
        suppressed=(*report.suppressed, *old),
        notes=(*report.notes, *notes),
    )
