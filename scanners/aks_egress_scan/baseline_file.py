"""Baselines on disk."""

from __future__ import annotations

import json
from collections import Counter

from aks_egress.findings.baseline import baseline_of, fingerprints_in
from aks_egress.findings.report import Report
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.files import MIB, reason
from aks_egress_scan.reporters.escaping import json_text

MAX_SIZE = 64 * MIB


def read(path: str) -> Counter[str]:
    """The fingerprints in a baseline file.  Raises UsageFailure where it is missing or broken."""
    try:
        with open(path, "rb") as stream:
            data = stream.read(MAX_SIZE + 1)
        if len(data) > MAX_SIZE:
            raise ValueError(f"it is larger than {MAX_SIZE // MIB} MiB")
        return fingerprints_in(json.loads(data))
    except OSError as error:
        raise UsageFailure(f"cannot read the baseline `{path}`: {reason(error)}") from None
    except (ValueError, RecursionError) as error:
        said = (
            "no JSON"
            if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError)
            else str(error)
        )
        raise UsageFailure(f"`{path}` is no baseline: {said}") from None


def text_of(report: Report) -> str:
    """The baseline of a report as text."""
    return json_text(baseline_of(report))
