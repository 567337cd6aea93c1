"""A report on what is planned, laid over what runs, says what came from where and how old it is."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests import builders as b
from tests.cases.test_overlay_terraform import DENY, RULE, cluster, hub, security_rule, spoke
from tests.overlays import TAKEN, Desk, flow, plan, planned, snapshot, template

DENIED = planned(RULE, security_rule("deny-web", priority=150))


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    clock(monkeypatch, TAKEN)
    return Desk(tmp_path, capsys)


def clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(now.timestamp())))


def made(days: int) -> dict[str, str]:
    return {"timestamp": (TAKEN + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")}


def notes(desk: Desk, subject: bytes) -> str:
    return " / ".join(desk.scan(subject, context=(snapshot(*hub(), *spoke()),))["notes"])


def test_each_hop_names_the_file_that_it_came_from(desk: Desk) -> None:
    report = desk.scan(plan(cluster(), DENIED), context=(snapshot(*hub(), *spoke(DENY)),))
    places = {hop["rule"]: Path(hop["location"]["path"]).name for hop in flow(report)["path"]}
    assert places["deny-web"] == "subject0.json"
    assert places["default"] == "context0.json"


def test_a_part_that_another_team_decides_is_placed_where_it_is_decided(desk: Desk) -> None:
    """The subnet is in the plan, its group's rule and its table's route are what runs."""
    there = snapshot(*hub(), *spoke(DENY))
    report = desk.scan(plan(cluster()), context=(there,))
    places = {
        Path(hop["location"]["path"]).name for hop in flow(report)["path"] if hop["hop"] == "subnet-nsg"
    }
    assert places == {"context0.json"}


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json", "sarif", "junit", "github"])
def test_every_format_for_people_says_when_the_picture_was_taken(desk: Desk, form: str) -> None:
    words = ["scan", desk.put("p.json", plan(cluster(), DENIED))]
    words += ["--context", desk.put("s.json", snapshot(*hub(), *spoke()))]
    _, out = desk.command(*words, "--format", form)
    said = " ".join(out.split())
    assert "it shows what ran at 2026-06-18T12:00:00Z" in said
    assert "is laid over it" in said


def test_a_picture_that_is_much_older_than_the_plan_is_spoken_of(desk: Desk) -> None:
    assert "older" not in notes(desk, plan(cluster(), **made(1)))
    assert "it is 9 days older than" in notes(desk, plan(cluster(), **made(9)))


def test_a_plan_from_before_the_picture_is_spoken_of(desk: Desk) -> None:
    assert "before it" not in notes(desk, plan(cluster(), **made(0)))
    assert "was made 2 days before it" in notes(desk, plan(cluster(), **made(-2)))


@pytest.mark.parametrize("odd", ["yesterday", 7, None, "2026-13-45T00:00:00Z"])
def test_a_plan_without_a_sensible_time_is_judged_all_the_same(desk: Desk, odd: object) -> None:
    assert "is laid over it" in notes(desk, plan(cluster(), timestamp=odd))


def test_the_age_of_a_picture_is_said_aside_and_changes_no_report(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same inputs give the same bytes, today and in a month."""
    words = ["scan", desk.put("p.json", plan(cluster())), "--format", "json"]
    words += ["--context", desk.put("s.json", snapshot(*hub(), *spoke()))]
    first = desk.command(*words)
    assert "ago" not in desk.said
    clock(monkeypatch, TAKEN + timedelta(days=30))
    assert desk.command(*words) == first
    assert "was made 30 days ago" in desk.said


def test_what_a_dialect_leaves_unsaid_about_deletions_is_said(desk: Desk, tmp_path: Path) -> None:
    assert "incremental mode" in notes(desk, template(b.cluster("nodes")))
    assert "incremental mode" not in notes(desk, plan(cluster()))
    source = tmp_path / "module"
    source.mkdir()
    (source / "main.tf").write_text(
        'resource "azurerm_route_table" "t" {\n  name = "t"\n}\n', encoding="utf-8"
    )
    there = desk.put("s.json", snapshot(*hub(), *spoke(), b.cluster("nodes")))
    _, out = desk.command("scan", there, str(source), "--format", "json")
    assert any("source does not say what it no longer holds" in one for one in json.loads(out)["notes"])


def test_a_picture_alone_is_laid_under_nothing(desk: Desk) -> None:
    report = desk.scan(snapshot(*hub(), *spoke(), b.cluster("nodes")))
    assert not any("laid over" in one for one in report["notes"])
