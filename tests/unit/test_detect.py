"""Which dialect an input is of, also where its first bytes do not tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aks_egress.arm.resources import Kind
from aks_egress_scan.detect import HEAD, claimant
from aks_egress_scan.readers.base import Source
from aks_egress_scan.sources import load

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "hub-and-spoke"
PLAN = json.loads((EXAMPLE / "terraform" / "plans" / "sound.json").read_text("utf-8"))
SNAPSHOT = json.loads((EXAMPLE / "snapshot" / "sound.json").read_text("utf-8"))
TEMPLATE = json.loads((EXAMPLE / "arm" / "hub.json").read_text("utf-8"))
STACK = {
    "version": 3,
    "deployment": {"resources": [{"urn": "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"}]},
}
LONG = "x" * HEAD


def told(value: Any, name: str = "some.json") -> Kind | None:
    """The dialect of a value's text."""
    return told_of(json.dumps(value).encode(), name)


def told_of(data: bytes, name: str = "some.json") -> Kind | None:
    """The dialect of a text."""
    found = claimant(Source(name, data))
    return found[0].kind if found else None


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (PLAN, Kind.TERRAFORM_PLAN),
        (SNAPSHOT, Kind.SNAPSHOT),
        (TEMPLATE, Kind.ARM_TEMPLATE),
        (STACK, Kind.PULUMI_STACK),
    ],
    ids=["plan", "snapshot", "template", "stack"],
)
@pytest.mark.parametrize("filler", ["", LONG], ids=["short", "long"])
def test_the_order_of_members_changes_nothing(value: dict[str, Any], kind: Kind, filler: str) -> None:
    """Sorted, backwards, or with something long before everything that tells."""
    assert told(dict(sorted(value.items()))) is kind
    assert told({"a": filler, **dict(sorted(value.items()))}) is kind
    assert told({"a": filler, **dict(sorted(value.items(), reverse=True))}) is kind


def test_a_sorted_plan_that_speaks_of_deployments_is_no_stack() -> None:
    """Its configuration stands first and may hold the words of every other dialect."""
    configuration = {"root_module": {"variables": {"deployment": {}, "urn:pulumi:": {"description": LONG}}}}
    plan = {"configuration": configuration, **{k: v for k, v in PLAN.items() if k != "configuration"}}
    assert told(plan) is Kind.TERRAFORM_PLAN
    assert told_of(b"\xff\xfe" + json.dumps(plan).encode("utf-16-le")) is Kind.TERRAFORM_PLAN


def test_words_of_a_dialect_make_no_definition() -> None:
    """A list of settings that mentions a plan is still none."""
    assert told({"name": "notes", "text": '"planned_values"', "more": LONG}) is None
    assert told({"name": LONG, "keywords": ["planned_values", "deploymentTemplate.json"]}) is None


def test_a_long_definition_that_is_cut_is_a_failure_in_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never passed over, although its beginning tells nothing."""
    monkeypatch.chdir(tmp_path)
    text = json.dumps({"a": LONG, **dict(sorted(PLAN.items()))})
    Path("whole.json").write_text(text, "utf-8")
    Path("cut.json").write_text(text[:-2], "utf-8")
    loaded = load(["."])
    assert [one.path for one in loaded.failures] == ["cut.json"]
    assert [(one.path, one.kind) for one in loaded.documents if one.resources] == [
        ("whole.json", Kind.TERRAFORM_PLAN)
    ]
