"""One network written in several dialects gets one answer, and the one that was written down.

Every dialect is read by its real reader and judged by the real engine, as `aks-egress scan` does.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from examples.expectations import Example, differences, verdicts

from aks_egress.engine import judge
from aks_egress.findings.document import as_json
from aks_egress.packets.tags import ServiceTags
from aks_egress.settings import Settings
from aks_egress_scan.sources import load

EXAMPLES = [
    Example(file.parent) for file in sorted(Path(__file__).parents[2].glob("examples/*/expected.toml"))
]
CASES = [(one, variant, mode) for one in EXAMPLES for variant, mode in one.cases()]
IDS = [f"{one.folder.name}-{variant}-{mode}" for one, variant, mode in CASES]
BY_DIALECT = [(one, dialect, variant, mode) for one, variant, mode in CASES for dialect in one.dialects]


@cache
def report(example: Example, dialect: str, variant: str, mode: str) -> dict[str, Any]:
    """The report on a variant as one dialect writes it."""
    loaded = load(example.paths(dialect, variant), parameters=example.parameters(dialect, variant))
    assert not loaded.failures, [str(one) for one in loaded.failures]
    return as_json(judge(loaded.documents, Settings(tunnel=mode), ServiceTags()))


def test_there_are_examples_with_several_dialects() -> None:
    assert any(len(one.dialects) >= 2 and len(one.variants) >= 4 for one in EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.folder.name)
def test_every_dialect_folder_is_judged(example: Example) -> None:
    """A folder beside the others that `expected.toml` does not name would never be looked at."""
    folders = {one.name for one in example.folder.iterdir() if one.is_dir()}
    named = {path.split("/")[0] for one in example.dialects.values() for path in one["paths"]}
    assert folders == named


@pytest.mark.parametrize(
    ("example", "dialect", "variant", "mode"),
    BY_DIALECT,
    ids=[f"{one.folder.name}-{variant}-{mode}-{dialect}" for one, dialect, variant, mode in BY_DIALECT],
)
def test_each_dialect_gets_the_expected_verdicts(
    example: Example, dialect: str, variant: str, mode: str
) -> None:
    assert example.complaints(variant, mode, report(example, dialect, variant, mode)) == []


@pytest.mark.parametrize(("example", "variant", "mode"), CASES, ids=IDS)
def test_dialects_agree_flow_by_flow(example: Example, variant: str, mode: str) -> None:
    first, *others = example.dialects
    mine = report(example, first, variant, mode)
    assert len(verdicts(mine)) > 20, "a report without flows agrees with everything"
    for other in others:
        assert differences(mine, report(example, other, variant, mode)) == [], other


@pytest.mark.parametrize(("example", "variant", "mode"), CASES, ids=IDS)
def test_dialects_blame_the_same_rules(example: Example, variant: str, mode: str) -> None:
    """Findings agree too: which rule of ours, for which requirements, decided by which rule of Azure's."""
    found = [blamed(report(example, dialect, variant, mode)) for dialect in example.dialects]
    assert all(one == found[0] for one in found)


def blamed(told: dict[str, Any]) -> set[tuple[str, ...]]:
    return {
        (
            one["rule"],
            one["severity"],
            *sorted(one["requirements"]),
            *sorted(hop["rule"] for hop in one.get("deciders", ())),
        )
        for one in told["findings"]
        if one["severity"] == "error"
    }
