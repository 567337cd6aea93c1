"""Suppressions written beside what they accept."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.unit.test_cli import EXAMPLE, scan_of

from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Document, Kind, Resource
from aks_egress.values import Origin
from aks_egress_scan.__main__ import main
from aks_egress_scan.inline import suppressions_in

HCL = """\
resource "azurerm_network_security_group" "a" {
  name = "a" # aks-egress: ignore EGR501, the name is fine

  # aks-egress: ignore EGR201, EGR101 until 2027-01-31, the proxy { does it

  // another comment
  security_rule {
    name     = "deny}" /* a brace in a string and a comment } */
    priority = 100
  }

  security_rule { # aks-egress: ignore EGR5, old
    name = "b"
  }
}
# aks-egress: ignore EGR9, the last line
"""


def found(
    text: str, path: str = "main.tf"
) -> tuple[list[tuple[tuple[str, ...], tuple[int, int] | None]], list[str]]:
    """What the comments of a text accept, by rules and lines, and what was said."""
    said: list[str] = []
    rows = suppressions_in({path: text.encode()}, [], said.append)
    return [(one.rules, one.lines) for one in rows], said


def test_a_comment_covers_the_block_that_it_stands_at() -> None:
    """Before it, at its opening line, or inside it."""
    assert found(HCL)[0] == [
        (("EGR501",), (1, 15)),
        (("EGR201", "EGR101"), (7, 10)),
        (("EGR5",), (12, 14)),
        (("EGR9",), (16, 16)),
    ]


def test_day_and_reason_are_read() -> None:
    """The reason may hold anything."""
    one = suppressions_in({"main.tf": HCL.encode()}, [], print)[1]
    assert (one.until, one.reason, one.source.line) == (date(2027, 1, 31), "the proxy { does it", 4)


@pytest.mark.parametrize(
    "text",
    [
        "# aks-egress: ignore EGR201\n",
        "# aks-egress: ignore EGR201 until tomorrow, x\n",
        "# aks-egress: ignore EGR201 until 2027-02-31, x\n",
        "# aks-egress: ignore, everything\n",
        "# aks-egress: ignore tunnel-blocked, x\n",
        "# aks-egress: ignroe EGR201, x\n",
    ],
)
def test_what_cannot_be_read_accepts_nothing_and_is_spoken_of(text: str) -> None:
    """No rule, no reason or no day: people must hear that it does not count."""
    accepted, said = found(text)
    assert accepted == []
    assert said[0].startswith("main.tf:1: this accepts nothing: ")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"description": "# aks-egress: ignore EGR201, x"}', "a.json"),
        ("name = 'see // aks-egress: ignore EGR201, x'\n", "a.bicep"),
        ("# aks-egress: ignore EGR201, x\n", "notes.md"),
        ("the docs of aks-egress: ignore EGR201, x\n", "a.tf"),
    ],
)
def test_text_that_is_no_comment_accepts_nothing(text: str, path: str) -> None:
    """Strings, other files, prose."""
    assert found(text, path) == ([], [])


def test_a_tag_covers_its_resource() -> None:
    """Where a dialect has no comments, in every dialect."""
    identity = ResourceId.of("/subscriptions/s/resourceGroups/g", "Microsoft.Network/routeTables", "rt[1]")
    tags = {"aks-egress": "ignore EGR301 until 2027-01-31, on purpose"}
    document = Document(
        "plan.json", Kind.TERRAFORM_PLAN, (Resource(identity, Origin("plan.json", 7), {"tags": tags}),)
    )
    one = suppressions_in({"plan.json": json.dumps(tags).encode()}, [document], print)[0]
    assert (one.rules, one.resource, one.until, one.source) == (
        ("EGR301",),
        str(identity),
        date(2027, 1, 31),
        Origin("plan.json", 7),
    )


def test_an_accepted_finding_is_counted_but_fails_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until its last day, and never with `--no-suppressions`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AKS_EGRESS_CACHE_DIR", str(tmp_path))
    arguments = [
        one.replace(str(EXAMPLE / "spoke.json"), "spoke.json")
        for one in scan_of("konnectivity", "--unknown", "pass")
    ]
    lines = (EXAMPLE / "spoke.json").read_text("utf-8").splitlines()
    (tmp_path / "spoke.json").write_text("\n".join(lines), "utf-8")
    assert main([*arguments, "--format", "json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    place = next(one["location"]["line"] for one in findings if one["rule"] == "EGR101")
    start = max(number for number in range(place) if lines[number].rstrip().endswith("{"))

    def accepted_until(day: date) -> None:
        comment = f"// aks-egress: ignore EGR1, EGR2 until {day.isoformat()}, known"
        (tmp_path / "spoke.json").write_text("\n".join([*lines[:start], comment, *lines[start:]]), "utf-8")

    accepted_until(date.today() + timedelta(days=1))
    assert main(arguments) == 0
    accepted = [one for one in findings if one["rule"].startswith(("EGR1", "EGR2"))]
    assert f"{len(accepted)} suppressed" in " ".join(capsys.readouterr().out.split())
    assert main([*arguments, "--no-suppressions"]) == 1
    accepted_until(date.today() - timedelta(days=1))
    capsys.readouterr()
    assert main(arguments) == 1
    assert "it was accepted until" in capsys.readouterr().out


def test_definitions_on_a_single_line_are_looked_through_in_one_pass() -> None:
    """A plan as Terraform prints it has no line breaks, and may name us in a tag."""
    row = '{"aks-egress":"x","id":"/a/b//c#d"},' * 30_000
    assert found(f"[{row}0]", "plan.json") == ([], [])


def test_marks_without_number_on_one_line_are_no_comments() -> None:
    """Nothing but a program writes such a line."""
    assert found('"# aks-egress: ignore EGR101, x' * 30_000, "plan.json") == ([], [])


@pytest.mark.parametrize("lead", ['"a": "say \\"hi ', '"a": "it', "x = 'a\\'b "])
def test_a_mark_inside_a_string_accepts_nothing(lead: str) -> None:
    """An escaped quote does not end a string."""
    assert found(f"{lead}# aks-egress: ignore EGR101, hidden") == ([], [])


def test_an_apostrophe_between_double_quotes_opens_no_string() -> None:
    """The comment behind it counts."""
    assert found('a = "it\'s" # aks-egress: ignore EGR101, known') == ([(("EGR101",), (1, 1))], [])
