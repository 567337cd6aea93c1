"""Every dialect laid over snapshots of the same network in another variant: what is planned decides.

The snapshots are those of the example, so a variant's definitions open, close and delete what the others run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from examples.expectations import differences, verdicts
from tests.overlays import TAKEN
from tests.rosetta.test_dialects_agree import CASES, report

from aks_egress.engine import judge
from aks_egress.findings.document import as_json
from aks_egress.packets.tags import ServiceTags
from aks_egress.settings import Settings
from aks_egress_scan.cli import run
from aks_egress_scan.live.snapshot import Snapshot, render
from aks_egress_scan.sources import load

EXAMPLE = CASES[0][0]
SNAPSHOTS = EXAMPLE.folder / "snapshot"
VARIANTS = tuple(EXAMPLE.variants)
PLANNED = tuple(one for one in EXAMPLE.dialects if one != "snapshot")


def others(variant: str) -> set[str]:
    """What runs before a variant is deployed: the sound network, the next variant, and that variant itself."""
    following = VARIANTS[(VARIANTS.index(variant) + 1) % len(VARIANTS)]
    return {"sound", variant, following}


OVERLAYS = [
    (dialect, variant, mode, there)
    for dialect in PLANNED
    for _, variant, mode in CASES
    for there in sorted(others(variant))
]


def over(
    paths: Sequence[str], parameters: Sequence[str], context: Sequence[str], mode: str
) -> dict[str, Any]:
    loaded = load(paths, context=context, parameters=parameters)
    assert not loaded.failures, [str(one) for one in loaded.failures]
    return as_json(judge(loaded.documents, Settings(tunnel=mode), ServiceTags()))


@pytest.mark.parametrize(("dialect", "variant", "mode", "there"), OVERLAYS)
def test_a_variant_over_what_runs_gets_the_verdicts_of_the_variant(
    dialect: str, variant: str, mode: str, there: str
) -> None:
    found = over(
        EXAMPLE.paths(dialect, variant),
        EXAMPLE.parameters(dialect, variant),
        [str(SNAPSHOTS / f"{there}.json")],
        mode,
    )
    assert EXAMPLE.complaints(variant, mode, found) == []
    assert differences(report(EXAMPLE, dialect, variant, mode), found) == []


def mixed(hub: str, spoke: str) -> bytes:
    """The snapshot of one variant's hub and another one's spoke."""
    whole = {name: json.loads((SNAPSHOTS / f"{name}.json").read_bytes()) for name in (hub, spoke)}
    rows = [one for one in whole[hub]["resources"] if "/rg-hub/" in one["id"]]
    rows += [one for one in whole[spoke]["resources"] if "/rg-spoke/" in one["id"]]
    assert len(rows) == len(whole[hub]["resources"])
    return render(Snapshot(resources={one["id"].casefold(): one for one in rows}), "0.1.0", TAKEN)


#: hubs that differ, and spokes that differ
PAIRS = [
    (hub, spoke)
    for hub in ("sound", "aks-link", "tunnelfront")
    for spoke in ("sound", "konnectivity", "kubelet")
    if hub != spoke
]


@pytest.mark.parametrize("dialect", ["arm", "bicep"])
@pytest.mark.parametrize(("hub", "spoke"), PAIRS)
@pytest.mark.parametrize("mode", ["konnectivity", "aks-link", "tunnelfront"])
def test_one_half_over_the_other_that_runs_is_judged_as_both_running(
    tmp_path: Path, dialect: str, hub: str, spoke: str, mode: str
) -> None:
    """A spoke's template over the hub that another team runs, and a hub's over the spokes that hang on it."""
    both = tmp_path / "both.json"
    both.write_bytes(mixed(hub, spoke))
    expected = verdicts(over([str(both)], [], [], mode))
    assert len(expected) > 20
    files, given = EXAMPLE.paths(dialect, spoke), EXAMPLE.parameters(dialect, spoke)
    there = str(SNAPSHOTS / f"{hub}.json")
    assert verdicts(over(files[1:], given[1:], [there], mode)) == expected
    files, given = EXAMPLE.paths(dialect, hub), EXAMPLE.parameters(dialect, hub)
    there = str(SNAPSHOTS / f"{spoke}.json")
    assert verdicts(over([*files[:1], there], given[:1], [], mode)) == expected


@pytest.mark.parametrize(
    ("planned", "there", "status"),
    [("konnectivity", "sound", 1), ("sound", "konnectivity", 0), ("sound", "sound", 0)],
)
def test_the_command_opens_and_closes_what_runs(
    planned: str, there: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, running = EXAMPLE.folder / "terraform" / "plans" / f"{planned}.json", SNAPSHOTS / f"{there}.json"
    assert run(["scan", str(plan), "--context", str(running), "--tunnel", "konnectivity"]) == status
    assert "it shows what ran at 2026-06-18T12:00:00Z" in " ".join(capsys.readouterr().out.split())
