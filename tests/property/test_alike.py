"""Clusters that are alike are judged once; nobody can tell from the report.

Fleets are stamped from a few random designs and every copy may be changed in one place, so that many are alike,
many nearly so, and some meet what `likeness` does not describe.
"""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.designs import Design
from tests.property.fleets import configured, copies, pictures, published, snapshot

from aks_egress import engine
from aks_egress.arm.resources import Document, Kind
from aks_egress.evaluation import retelling
from aks_egress.findings.document import as_json
from aks_egress.packets.tags import ServiceTags
from aks_egress.records import replace
from aks_egress.settings import Settings
from aks_egress_scan.readers.base import Parameters, Source
from aks_egress_scan.readers.snapshot import READER


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1 << 32))
def test_a_fleet_is_judged_as_its_clusters_are_one_by_one(seed: int) -> None:
    """Every verdict, path, sentence and finding is the same, whether clusters are compared or not."""
    assert reported(seed, 1) == reported(seed, 1 << 30)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1 << 32))
def test_copies_that_differ_in_one_value_are_judged_as_one_by_one(seed: int) -> None:
    """The same of near misses alone, whichever of two comes first."""
    maker = random.Random(seed)
    data, chosen, tags = copies(maker), configured(maker), published(maker)
    assert judged(data, chosen, 1, tags) == judged(data, chosen, 1 << 30, tags)


def reported(seed: int, fleet_from: int) -> Any:
    """The report on a random fleet, in one document or in two of which the second may be yet to be deployed."""
    maker = random.Random(seed)
    found = pictures(maker)
    chosen, tags, planned = configured(maker), published(maker), maker.random() < 0.5
    documents = [document(data, f"fleet-{i}.json") for i, data in enumerate(found)]
    if planned and len(documents) > 1:
        documents[1] = replace(documents[1], deployed=False, kind=Kind.ARM_TEMPLATE)
    return judged_from(documents, chosen, fleet_from, tags)


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The clusters whose flows are walked to serve as a model for others."""
    names: list[str] = []
    real = retelling.judge_flow_in_parts

    def noting(walk: Any, requirement: Any, start: Any) -> Any:
        names.append(start.cluster.resource.name)
        return real(walk, requirement, start)

    monkeypatch.setattr(retelling, "judge_flow_in_parts", noting)
    monkeypatch.setattr(retelling, "judge_flow", noting)
    return names


@pytest.mark.parametrize("change", ["", "idle"])
def test_stamped_clusters_are_judged_once(walked: list[str], change: str) -> None:
    """Twelve copies of one design need one walk of each flow, not twelve; what concerns no flow tells none apart."""
    design = Design(random.Random(1), plain=True)
    spokes = (row for i in range(12) for row in design.spoke(i, 0, change if i % 2 else ""))
    report = judged(snapshot([*design.hub(0), *spokes]), Settings(), 1)
    assert len(report["clusters"]) == 12
    assert set(walked) == {"aks-0"}


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1 << 32))
def test_nothing_of_the_model_is_told_of_another_cluster(seed: int) -> None:
    """No name, id, address or line of one cluster's own resources stands in what is said of another."""
    maker = random.Random(seed)
    design = Design(maker)
    design.partner_rule, design.partner_hop = None, ""
    # more space of one spoke is a route of the hub's, which every flow through the hub meets
    changes = [design.changed().replace("space", "") if maker.random() < 0.2 else "" for _ in NUMBERS]
    spokes = (row for i, change in zip(NUMBERS, changes, strict=True) for row in design.spoke(i, 0, change))
    data = snapshot([*design.hub(0), *spokes])
    report = judged(data, Settings(), 1)
    homes = [set(OWN.findall(line)) for line in data.decode().splitlines()]
    for i in NUMBERS:
        said = [one for one in report["clusters"] if one["name"] == f"aks-{i}"]
        said += [one for one in report["findings"] if one["cluster"] == f"aks-{i}"]
        assert said
        assert foreign(said, i, homes) == []


NUMBERS = range(3, 9)
OTHERS = {str(i) for i in NUMBERS}
OWN = re.compile(r"\b(?:spoke|vnet|rt|aks|nsg-system|nsg-user|aks-nsg|nat|MC|own)-(\d+)\b")
ADDRESS = re.compile(r"\b10\.(\d+)\.0\.\d+\b")


def foreign(said: Any, number: int, homes: list[set[str]]) -> list[object]:
    """Whatever in a part of a report belongs to clusters of other numbers alone; `homes` are the numbers on each line."""
    if isinstance(said, str):
        found = {*OWN.findall(said), *ADDRESS.findall(said)} - {str(number)}
        return [said] if found & OTHERS else []
    if isinstance(said, list):
        return [one for part in said for one in foreign(part, number, homes)]
    if not isinstance(said, dict):
        return []
    line = said.get("line")
    elsewhere = isinstance(line, int) and homes[line - 1] & OTHERS and str(number) not in homes[line - 1]
    return [*([said] if elsewhere else []), *foreign(list(said.values()), number, homes)]


def judged(data: bytes, chosen: Settings, fleet_from: int, tags: ServiceTags | None = None) -> Any:
    """The report on one picture, clusters being compared from so many on."""
    return judged_from([document(data, "fleet.json")], chosen, fleet_from, tags or ServiceTags())


def document(data: bytes, name: str) -> Document:
    """A picture as a scan reads it."""
    (found,) = READER.read(Source(name, data), Parameters())
    return found


def judged_from(documents: list[Document], chosen: Settings, fleet_from: int, tags: ServiceTags) -> Any:
    """The report on some documents."""
    before, engine.FLEET = engine.FLEET, fleet_from
    try:
        return as_json(engine.judge(documents, chosen, tags))
    finally:
        engine.FLEET = before
