"""Suppressions and baselines: what is accepted is counted, and nothing else is."""

from __future__ import annotations

import json
from datetime import date

import pytest
from tests.reporters.reports import TUNNEL_FINDING, WARNING, broken, empty, rich

from aks_egress.findings.baseline import baseline_of, fingerprints_in, without_known
from aks_egress.findings.report import Location, Severity
from aks_egress.findings.suppressions import apply
from aks_egress.records import replace
from aks_egress.settings import Suppression
from aks_egress.values import Origin
from aks_egress_scan.exit_status import Exit, status_of

TODAY = date(2026, 6, 18)


def accepted(**members: object) -> Suppression:
    """A suppression of the tunnel finding's rule."""
    return replace(
        Suppression(rules=(TUNNEL_FINDING.rule,), reason="known", source=Origin("c.toml", 3)), **members
    )


@pytest.mark.parametrize(
    ("suppression", "covers"),
    [
        (accepted(), True),
        (accepted(rules=("EGR1",)), True),
        (accepted(rules=("EGR2", "EGR3")), False),
        (accepted(resource="NSG-*"), True),
        (accepted(resource="nsg-[n]odes"), False),
        (accepted(resource="*/networkSecurityGroups/nsg-nodes"), True),
        (accepted(cluster="aks-other"), False),
        (accepted(cluster="AKS-spoke"), True),
        (accepted(requirement="tunnel-*"), True),
        (accepted(requirement="mcr"), False),
        (accepted(until=TODAY), True),
        (accepted(until=date(2026, 6, 17)), False),
        (accepted(path="spoke/main.json", lines=(40, 42)), True),
        (accepted(path="spoke/main.json", lines=(88, 88)), True),
        (accepted(path="spoke/main.json", lines=(1, 2)), False),
        (accepted(path="hub.json"), False),
    ],
)
def test_a_suppression_covers_what_it_names(suppression: Suppression, covers: bool) -> None:
    """Rule and family, names with `*` without case, days to the last, places of the finding or its deciders."""
    report = apply(rich(), [suppression], TODAY)
    assert (TUNNEL_FINDING.fingerprint in {one.fingerprint for one in report.suppressed}) is covers
    assert (TUNNEL_FINDING.fingerprint in {one.fingerprint for one in report.findings}) is not covers


def test_an_expired_suppression_says_so_where_it_would_have_counted() -> None:
    """People wonder why it came back."""
    report = apply(rich(), [accepted(until=date(2026, 1, 31))], TODAY)
    assert report.findings[0].message.endswith("; it was accepted until 2026-01-31 (c.toml:3): known")
    assert report.findings[0].fingerprint == TUNNEL_FINDING.fingerprint


def test_a_suppression_of_nothing_is_named() -> None:
    """So that it is taken out before it hides something new."""
    notes = apply(rich(), [accepted(), accepted(rules=("EGR7",))], TODAY).notes
    assert [note for note in notes if "c.toml:3" in note] == [
        "the suppression of EGR7 (c.toml:3) covers nothing: take it out"
    ]


def test_a_baseline_survives_moved_lines_and_new_words() -> None:
    """It knows findings by rule, cluster, resource and deciding rules."""
    known = fingerprints_in(json.loads(json.dumps(baseline_of(rich()))))
    moved = tuple(
        replace(one, location=Location("elsewhere.json", 999), message="other words", fix="")
        for one in rich().findings
    )
    report = without_known(replace(rich(), findings=moved), known, "b.json")
    assert report.findings == ()
    assert len(report.suppressed) == 4
    assert not any("b.json" in note for note in report.notes)


def test_a_second_finding_of_the_same_kind_counts() -> None:
    """A baseline knows how many there were."""
    known = fingerprints_in(baseline_of(rich()))
    report = without_known(replace(rich(), findings=(TUNNEL_FINDING, TUNNEL_FINDING)), known, "b.json")
    assert len(report.findings) == 1
    assert "2 of the baseline b.json is mended: write it anew with `aks-egress baseline`" in report.notes


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"schema": "other", "findings": []},
        {"schema": "aks-egress/baseline/v1", "findings": [{}]},
    ],
)
def test_what_is_no_baseline_is_refused(data: object) -> None:
    """Taken as empty it would only be strict; taken as anything else it would hide."""
    with pytest.raises(ValueError, match=r"it is|its|it has|entry"):
        fingerprints_in(data)


@pytest.mark.parametrize(
    ("report", "options", "wanted"),
    [
        (rich(), {}, Exit.FINDINGS),
        (rich(), {"fail_on": "never"}, Exit.UNDECIDED),
        (rich(), {"fail_on": "never", "unknown": "warn"}, Exit.SOUND),
        (replace(rich(), findings=(WARNING,)), {"unknown": "pass"}, Exit.SOUND),
        (replace(rich(), findings=(WARNING,)), {"fail_on": "warning"}, Exit.FINDINGS),
        (replace(rich(), findings=(WARNING,)), {}, Exit.UNDECIDED),
        (
            replace(rich(), findings=(replace(WARNING, severity=Severity.NOTE),)),
            {"fail_on": "warning", "unknown": "pass"},
            Exit.SOUND,
        ),
        (rich(), {"broken_input": True}, Exit.BROKEN_INPUT),
        (broken(), {"fail_on": "never", "unknown": "pass"}, Exit.BROKEN_INPUT),
        (empty(), {}, Exit.NOTHING_TO_JUDGE),
        (replace(empty(), findings=(TUNNEL_FINDING,)), {}, Exit.FINDINGS),
    ],
)
def test_of_several_statuses_the_gravest_wins(
    report: object, options: dict[str, object], wanted: Exit
) -> None:
    """2 over 1 over 4 over 3."""
    assert status_of(report, **{"fail_on": "error", "unknown": "fail", **options}) is wanted  # type: ignore[arg-type]
