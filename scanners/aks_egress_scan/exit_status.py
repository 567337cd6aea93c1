"""Exit statuses, and which of them a report earns."""

from __future__ import annotations

from enum import IntEnum

from aks_egress.findings.report import Report, Severity


class Exit(IntEnum):
    """The exit statuses of every evaluating command."""

    SOUND = 0
    FINDINGS = 1
    BROKEN_INPUT = 2
    NOTHING_TO_JUDGE = 3
    UNDECIDED = 4


def status_of(report: Report, *, fail_on: str, unknown: str, broken_input: bool = False) -> Exit:
    """The status of a report: broken input wins over findings, those over undecided, that over nothing.

    `fail_on` is error, warning or never; `unknown` is fail, warn or pass.
    """
    if broken_input or any(problem.malformed for one in report.inputs for problem in one.problems):
        return Exit.BROKEN_INPUT
    if fail_on != "never" and any(one.severity.rank <= Severity(fail_on).rank for one in report.findings):
        return Exit.FINDINGS
    if unknown == "fail" and report.undecided:
        return Exit.UNDECIDED
    return Exit.SOUND if report.clusters else Exit.NOTHING_TO_JUDGE
