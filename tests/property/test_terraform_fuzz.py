"""The Terraform readers never raise anything but a refusal, whatever they are given."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aks_egress.arm.graph import Graph
from aks_egress.arm.resources import Document
from aks_egress.values import unknowns
from aks_egress_scan.readers.base import MalformedError, Parameters, Reader, Source
from aks_egress_scan.readers.mapping.azurerm import FOLDS, TYPES
from aks_egress_scan.readers.terraform_plan import READER as PLAN
from aks_egress_scan.readers.terraform_state import READER as STATE

HUB = Path(__file__).parent.parent / "unit" / "data" / "terraform-hub"
GENUINE = {
    name: json.loads((HUB / name).read_bytes()) for name in ("plan.json", "state.json", "terraform.tfstate")
}
READERS: dict[str, Reader] = {"plan.json": PLAN, "state.json": STATE, "terraform.tfstate": STATE}
ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    "",
    "x",
    [],
    {},
    [None],
    [[]],
    {"a": None},
    "a/b",
    "[0]",
    ["x"],
    [True],
    {"references": [7]},
]


def whole(document: Document) -> None:
    """Ask for everything that is lazy."""
    graph = Graph([document])
    for resource in document.resources:
        resource.get("properties")
        resource.place("properties", "x", 0)
        assert isinstance(resource.body, dict)
        for one in unknowns(resource.body):
            assert one.why
            document.locate(one.origin)
        for name in ("networkSecurityGroup", "routeTable", "subnet", "firewallPolicy"):
            graph.link(resource.prop(name), document)
        graph.children(resource, f"{resource.id.type}/securityRules")


def tried(reader: Reader, data: bytes) -> bool:
    """Read and look at everything; whether it was not refused."""
    source = Source("in.json", data)
    reader.claims(source)
    try:
        documents = reader.read(source, Parameters())
    except MalformedError:
        return False
    for document in documents:
        whole(document)
    return True


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inside for found in places(item, (*path, key)))]


def mutated(value: Any, dice: random.Random) -> Any:
    """A copy with a few parts replaced, removed, doubled or swapped."""
    value = copy.deepcopy(value)
    for _ in range(dice.randint(1, 4)):
        everywhere = places(value)
        path = dice.choice(everywhere[1:] or everywhere)
        if not path:
            return dice.choice(ODD)
        holder = value
        for step in path[:-1]:
            holder = holder[step]
        match dice.randrange(4):
            case 0:
                holder[path[-1]] = copy.deepcopy(dice.choice(ODD))
            case 1:
                del holder[path[-1]]
            case 2:
                holder[path[-1]] = [holder[path[-1]], copy.deepcopy(holder[path[-1]])]
            case _:
                source = value
                for step in dice.choice(everywhere):
                    source = source[step] if (isinstance(source, dict) and step in source) else source
                holder[path[-1]] = copy.deepcopy(source) if len(places(source)) < 400 else None
    return value


@pytest.mark.parametrize("name", sorted(GENUINE))
@pytest.mark.parametrize("seed", range(40))
def test_mutations_of_genuine_files_are_read_or_refused(name: str, seed: int) -> None:
    dice = random.Random(f"{name}-{seed}")
    for _ in range(3):
        tried(READERS[name], json.dumps(mutated(GENUINE[name], dice)).encode())


@pytest.mark.parametrize("name", sorted(GENUINE))
def test_truncated_genuine_files_are_refused(name: str) -> None:
    data = json.dumps(GENUINE[name]).encode()
    for share in range(1, 40):
        assert not tried(READERS[name], data[: len(data) * share // 40])


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_random_bytes_are_refused(data: bytes) -> None:
    for reader in (PLAN, STATE):
        tried(reader, data)


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 70000), st.text(max_size=8), st.sampled_from(ODD)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def instances(draw: st.DrawFn) -> dict[str, Any]:
    """A resource of a mapped type with attributes, masks and expressions of any shape."""
    kind = draw(st.sampled_from(sorted({**TYPES, **FOLDS})))
    table = TYPES.get(kind) or FOLDS[kind]
    names = sorted(
        {one.source.split("/")[0] for one in table.fields if one.source}
        | {"name", "id", "resource_group_name"}
    )
    some = st.dictionaries(st.sampled_from(names), VALUES, max_size=5)
    masks = st.one_of(
        st.booleans(), st.dictionaries(st.sampled_from(names), st.one_of(st.just(True), VALUES), max_size=4)
    )
    references = st.lists(
        st.sampled_from(
            [
                "a.b",
                f"{kind}.x.id",
                f"{kind}.x",
                "each.value.id",
                "var.v",
                "module.m.o",
                "local.l",
                "",
                "data.a",
                "count.index",
            ]
        ),
        max_size=4,
    )
    expression = st.fixed_dictionaries({"references": references})
    return {
        "type": kind,
        "values": draw(some),
        "unknown": draw(masks),
        "sensitive": draw(masks),
        "expressions": draw(
            st.dictionaries(
                st.sampled_from(names),
                st.one_of(expression, VALUES, st.lists(expression, max_size=2)),
                max_size=4,
            )
        ),
        "for_each_expression": draw(st.one_of(expression, VALUES)),
        "index": draw(st.one_of(st.none(), st.integers(0, 2), st.text(max_size=4))),
        "actions": draw(
            st.sampled_from([["create"], ["delete"], ["update"], ["no-op"], ["forget"], [], ["read"]])
        ),
    }


@given(st.lists(instances(), max_size=4), st.booleans())
@settings(max_examples=250, deadline=None)
def test_attributes_of_any_shape_are_read(rows: list[dict[str, Any]], complete: bool) -> None:
    planned, changes, declared = [], [], []
    for row in rows:
        common = {
            "address": f"{row['type']}.x",
            "mode": "managed",
            "type": row["type"],
            "name": "x",
            "index": row["index"],
        }
        planned.append({**common, "values": row["values"], "sensitive_values": row["sensitive"]})
        change = {
            "actions": row["actions"],
            "before": row["values"],
            "after": row["values"],
            "after_unknown": row["unknown"],
        }
        changes.append({**common, "change": change})
        declared.append(
            {**common, "expressions": row["expressions"], "for_each_expression": row["for_each_expression"]}
        )
    value = {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": planned}},
        "resource_changes": changes,
        "configuration": {"root_module": {"resources": declared}},
        "complete": complete,
    }
    assert tried(PLAN, json.dumps(value).encode())


@pytest.mark.parametrize("name", sorted(GENUINE))
def test_the_genuine_files_are_read(name: str) -> None:
    assert tried(READERS[name], json.dumps(GENUINE[name]).encode())
