"""Several documents that each have a cluster of one name: environments beside each other, alternatives of one network."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from aks_egress_scan.__main__ import main

PLANS = Path(__file__).resolve().parents[2] / "examples" / "hub-and-spoke" / "terraform" / "plans"


@pytest.fixture(autouse=True)
def _beside_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two environments, the first sound; nothing of whoever runs the tests."""
    for name, variant in (("dev", "sound"), ("prod", "konnectivity")):
        (tmp_path / name).mkdir()
        shutil.copy(PLANS / f"{variant}.json", tmp_path / name / "plan.json")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AKS_EGRESS_CACHE_DIR", str(tmp_path / "cache"))


def report(capsys: pytest.CaptureFixture[str], form: str) -> str:
    """The report on both, broken as it is."""
    assert main(["scan", ".", "--format", form]) == 1
    return capsys.readouterr().out


def parts(text: str) -> list[str]:
    """What a text says of each cluster."""
    return re.split(r"^(?=aks-shop  )", text, flags=re.MULTILINE)[1:]


def test_what_stops_one_stands_under_that_one(capsys: pytest.CaptureFixture[str]) -> None:
    """The sound environment has nothing to mend."""
    dev, prod = parts(report(capsys, "text"))
    assert "EGR101" not in dev
    assert "EGR101" in prod


def test_json_says_which_document_a_finding_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    """Both clusters have one name and one id."""
    said: dict[str, Any] = json.loads(report(capsys, "json"))
    assert [one["document"] for one in said["clusters"]] == ["dev/plan.json", "prod/plan.json"]
    assert {one["document"] for one in said["findings"] if one["rule"] == "EGR101"} == {"prod/plan.json"}


def test_a_test_report_fails_the_flows_of_that_one_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """The first suite has no failure."""
    failures = re.findall(r'<testsuite name="aks-shop" tests="\d+" failures="(\d+)"', report(capsys, "junit"))
    assert len(failures) == 2
    assert failures[0] == "0"
    assert int(failures[1]) > 0


def test_what_is_wrong_in_both_is_said_of_both(capsys: pytest.CaptureFixture[str]) -> None:
    """Each has its own place to mend."""
    shutil.copy(PLANS / "konnectivity.json", "dev/plan.json")
    assert all("EGR101" in one for one in parts(report(capsys, "text")))
    findings = json.loads(report(capsys, "json"))["findings"]
    places = [one["location"]["path"] for one in findings if one["rule"] == "EGR101"]
    assert places == ["dev/plan.json", "prod/plan.json"]


def test_a_second_one_that_breaks_alike_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    """That the first was broken before excuses nothing."""
    shutil.copytree("prod", "before/prod")
    shutil.copytree("dev", "before/dev")
    shutil.copytree("prod", "after/prod")
    shutil.copytree("prod", "after/dev")
    assert main(["diff", "before", "after", "--format", "json"]) == 1
    brought = json.loads(capsys.readouterr().out)["newFindings"]
    assert [one["document"] for one in brought if one["rule"] == "EGR101"]


def test_a_baseline_of_one_does_not_cover_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    """It counts each."""
    assert main(["baseline", ".", "-o", "known.json"]) == 0
    shutil.copy(PLANS / "konnectivity.json", "dev/plan.json")
    assert main(["scan", ".", "--baseline", "known.json"]) == 1
    capsys.readouterr()
