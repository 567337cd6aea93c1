"""Plan and source of one configuration say the same, except where one of them knows more.

A plan names references without their instance keys, so it cannot always say which subnet an association
is for; source can.

Plans come from Terraform itself: those of the examples are at hand, those of `tests/tf_roots` are made
here where Terraform and the stand-in for the provider are installed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("tree_sitter_hcl")

from tests.terraform_folder import NO_PARAMETERS, document_of

from aks_egress.arm.resources import Document
from aks_egress.values import Unknown, Value
from aks_egress_scan.readers import terraform_plan
from aks_egress_scan.readers.base import Parameters, Source

HERE = Path(__file__).parents[2]
VARIANTS = sorted(
    [
        *HERE.glob("examples/*/terraform/variants/*.tfvars"),
        *HERE.glob("tests/cases/terraform/variants/*.tfvars"),
    ]
)
ROOTS = sorted(path for path in (HERE / "tests/tf_roots").iterdir() if path.is_dir())


def _differences(plan: Value, source: Value, path: tuple[object, ...] = ()) -> Iterator[str]:
    """Where the two differ; lists are compared without their order, which sets do not keep."""
    if isinstance(plan, Unknown) and "may belong here" in plan.why:
        return
    if isinstance(plan, Unknown) and isinstance(source, Unknown):
        if _promised(plan) != _promised(source):
            yield f"{path}: the plan promises {_promised(plan)}, the source {_promised(source)}"
    elif isinstance(plan, dict) and isinstance(source, dict):
        for name in sorted({*plan, *source}):
            yield from _differences(plan.get(name), source.get(name), (*path, name))
    elif isinstance(plan, list) and isinstance(source, list) and len(plan) == len(source):
        for i, (a, b) in enumerate(zip(sorted(plan, key=_order), sorted(source, key=_order), strict=True)):
            yield from _differences(a, b, (*path, i))
    elif str(plan) != str(source):  # a plan has the schema's types: `443` may be text in it
        yield f"{path}: the plan says {plan!r}, the source {source!r}"


def _promised(value: Unknown) -> set[tuple[str, tuple[object, ...]]]:
    return {(one.id.casefold(), one.path) for one in value.refers_to}


def _order(value: Value) -> str:
    return str(value.get("name", value)) if isinstance(value, dict) else str(value)


def _disagreements(plan: Document, source: Document) -> list[str]:
    told = {one.address: one for one in plan.resources}
    found = {one.address: one for one in source.resources}
    out = [f"{address}: only the plan has it" for address in told.keys() - found.keys()]
    out += [f"{address}: only the source has it" for address in found.keys() - told.keys()]
    for address in sorted(told.keys() & found.keys()):
        a, b = told[address], found[address]
        a.get()
        b.get()
        if a.id != b.id:
            out.append(f"{address}: {a.id} in the plan, {b.id} in the source")
        out += [f"{address} {one}" for one in _differences(a.body, b.body)]  # type: ignore[arg-type]
    return out + sorted(plan.unread.keys() ^ source.unread.keys())


def _plan(path: str, data: bytes) -> Document:
    (document,) = terraform_plan.READER.read(Source(path, data), NO_PARAMETERS)
    return document


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda path: f"{path.parents[2].name}-{path.stem}")
def test_the_examples_agree(variant: Path) -> None:
    folder = variant.parents[1]
    plan = folder / "plans" / f"{variant.stem}.json"
    given = Parameters((Source(str(variant), variant.read_bytes()),))
    source = document_of(folder, parameters=given)
    assert len(source.resources) >= 5
    assert _disagreements(_plan(str(plan), plan.read_bytes()), source) == []


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """Terraform's environment with the stand-in for the provider."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    for module in ("tf.gen", "grpc", "msgpack"):
        pytest.importorskip(module)
    from tests.generate.azurerm_provider import provider

    with provider() as settings:
        yield settings


@pytest.mark.parametrize("folder", ROOTS, ids=lambda path: path.name)
def test_genuine_plans_agree(folder: Path, environment: dict[str, str]) -> None:
    from tests.generate.plans import plan

    source = document_of(folder)
    assert len(source.resources) >= 2
    assert _disagreements(_plan("plan.json", plan(folder, None, environment).encode()), source) == []
