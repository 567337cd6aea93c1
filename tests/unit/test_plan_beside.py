"""Findings from a plan stand where people edit: in the source beside it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from aks_egress_scan.__main__ import main

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "hub-and-spoke" / "terraform"
ALLOWED = "allow-https-out"
DENIED = "deny-all-out"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example's source and, as Terraform prints it on one line, a plan of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AKS_EGRESS_CACHE_DIR", str(tmp_path / "cache"))
    for file in EXAMPLE.glob("*.tf"):
        (tmp_path / file.name).write_text(file.read_text("utf-8"), "utf-8")
    plan = json.loads((EXAMPLE / "plans" / "konnectivity.json").read_text("utf-8"))
    (tmp_path / "plan.json").write_text(json.dumps(plan), "utf-8")
    return tmp_path


def findings(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    """What a scan of the plan finds."""
    capsys.readouterr()
    main(["scan", "plan.json", "--format", "json", *arguments])
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["findings"]
    return found


def tunnel(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The place of the finding about the tunnel."""
    place: dict[str, Any] = next(one["location"] for one in rows if one["rule"] == "EGR101")
    return place


def line_of_rule(folder: Path, name: str) -> int:
    """The line that the block of a security rule begins at."""
    lines = (folder / "security.tf").read_text("utf-8").splitlines()
    at = next(number for number, line in enumerate(lines) if f'"{name}"' in line)
    return max(number for number in range(at) if lines[number].strip() == "security_rule {") + 1


def test_a_finding_stands_at_the_block_of_the_rule(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Found by its name: a plan sorts rules as it likes, and moved lines change nothing."""
    assert tunnel(findings(capsys)) == {"path": "security.tf", "line": line_of_rule(folder, DENIED)}
    text = (folder / "security.tf").read_text("utf-8")
    (folder / "security.tf").write_text(f"# one\n# two\n{text}", "utf-8")
    assert tunnel(findings(capsys)) == {"path": "security.tf", "line": line_of_rule(folder, DENIED)}


def test_the_source_may_lie_around_the_folder_of_plans(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in `plans/dev.json`."""
    (folder / "plans").mkdir()
    (folder / "plan.json").rename(folder / "plans" / "dev.json")
    main(["scan", "plans/dev.json", "--format", "json"])
    assert tunnel(json.loads(capsys.readouterr().out)["findings"])["path"] == "security.tf"


def test_what_the_source_does_not_have_stays_in_the_plan(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rule that was renamed since stands at its resource; source of something else says nothing."""
    text = (folder / "security.tf").read_text("utf-8")
    (folder / "security.tf").write_text(text.replace(DENIED, "renamed"), "utf-8")
    place = tunnel(findings(capsys))
    assert place["path"] == "security.tf"
    assert place["line"] < line_of_rule(folder, ALLOWED)
    (folder / "security.tf").write_text(text.replace('"nodes"', '"others"'), "utf-8")
    assert tunnel(findings(capsys))["path"] == "plan.json"
    (folder / "security.tf").write_text("resource {", "utf-8")
    assert tunnel(findings(capsys))["path"] == "plan.json"


def test_without_the_parser_places_stay_in_the_plan(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The base install has none, and reads plans all the same."""
    from aks_egress_scan.readers.hcl import parser

    parser._engine.cache_clear()
    monkeypatch.setitem(sys.modules, "tree_sitter", None)
    assert tunnel(findings(capsys)) == {"path": "plan.json", "line": 1}


def test_a_comment_in_the_source_accepts_a_finding_of_the_plan(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And SARIF says that it stands in the source."""
    lines = (folder / "security.tf").read_text("utf-8").splitlines()
    comment = "# aks-egress: ignore EGR101, the tunnel is not used here"
    lines.insert(line_of_rule(folder, DENIED) - 1, comment)
    (folder / "security.tf").write_text("\n".join(lines), "utf-8")
    assert "EGR101" not in {one["rule"] for one in findings(capsys)}
    main(["scan", "plan.json", "--format", "sarif"])
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    accepted = [one for one in results if one["ruleId"] == "EGR101"]
    assert [one["suppressions"][0]["kind"] for one in accepted] == ["inSource"]
    assert all("suppressions" not in one for one in results if one["ruleId"] != "EGR101")


def test_an_acceptance_of_the_configuration_is_external(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stands elsewhere."""
    (folder / "aks-egress.toml").write_text('[[suppress]]\nrule = "EGR101"\nreason = "known"\n', "utf-8")
    main(["scan", "plan.json", "--format", "sarif"])
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    accepted = next(one for one in results if one["ruleId"] == "EGR101")
    assert accepted["suppressions"][0]["kind"] == "external"
