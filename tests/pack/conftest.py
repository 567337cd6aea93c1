"""What the tests of the pack share: registrations of the example's real program, and one running server."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.pack.engine import Noted
    from tests.pack.server import Server

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "hub-and-spoke" / "pulumi"
MISSING = [one for one in ("pulumi", "pulumi_policy") if importlib.util.find_spec(one) is None]

collect_ignore = [
    "driver.py",
    *(["test_policies.py", "test_mending.py", "test_captured.py"] if MISSING else []),
]


def pytest_report_header() -> list[str]:
    """Say what is left out, and why."""
    return (
        [f"tests/pack: the policy server is not tested, {', '.join(MISSING)} is missing"] if MISSING else []
    )


def stack(variant: str) -> list[Noted]:
    """What the example's program registers in a preview of a variant."""
    from tests.pack.engine import from_preview

    return from_preview(json.loads((PROGRAM / "previews" / f"{variant}.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One policy server, started as the language host starts it."""
    from tests.pack.server import Server

    with Server() as running:
        yield running


def told(diagnostics: list[Any]) -> list[tuple[str, str, str]]:
    """Policy, level and logical name of the resource of every diagnostic."""
    levels = {0: "advisory", 1: "mandatory", 2: "disabled", 3: "remediate"}
    return [
        (one.policyName, levels[one.enforcementLevel], one.urn.rpartition("::")[2]) for one in diagnostics
    ]
