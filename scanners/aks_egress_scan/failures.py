"""What ends a run with a sentence for people and exit 2."""

from __future__ import annotations


class UsageFailure(Exception):  # noqa: N818 - a failure of use is no error of the program
    """Wrong usage, a missing or unreadable file, broken configuration: one sentence that says what to do."""


class NothingToJudge(Exception):  # noqa: N818 - an answer about the input
    """There is no cluster and no declared node subnet among the inputs; the run ends with exit 3."""
