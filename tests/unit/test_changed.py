"""What a change is part of, and which of a plan and its source is judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.test_sources import linked, template, write

from aks_egress.arm.resources import Role
from aks_egress_scan.__main__ import main
from aks_egress_scan.sources import Loaded, load

CLUSTER = {
    "type": "Microsoft.ContainerService/managedClusters",
    "apiVersion": "2024-05-01",
    "name": "aks",
    "location": "eastus",
    "properties": {},
}
NETWORK = {
    "type": "Microsoft.Network/virtualNetworks",
    "apiVersion": "2024-05-01",
    "name": "hub",
    "location": "eastus",
    "properties": {},
}
SOURCE = 'resource "azurerm_kubernetes_cluster" "c" {\n  name = "c"\n}\nresource "azurerm_route_table" "t" {\n  name = "t"\n}\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AKS_EGRESS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


def judged(loaded: Loaded) -> list[str]:
    """The documents that are judged, not merely context."""
    return [one.path for one in loaded.documents if one.role is Role.SUBJECT]


def plan(*names: str) -> str:
    """A plan that shows clusters and route tables by these addresses."""
    rows = [
        {
            "address": name,
            "mode": "managed",
            "type": name.split(".")[-2],
            "name": name.split(".")[-1].split("[")[0],
            "values": {"name": "x"},
        }
        for name in names
    ]
    return json.dumps({"format_version": "1.2", "planned_values": {"root_module": {"resources": rows}}})


def test_only_what_a_file_is_part_of_is_judged(folder: Path) -> None:
    """A template that links it, a module that calls it, a root that takes its variables."""
    write(
        folder,
        a__main_json=template(CLUSTER, linked("net.json")),
        a__net_json=template(),
        b__main_json=template(CLUSTER),
        c__main_tf='module "net" {\n  source = "../net"\n}\n' + SOURCE,
        net__main_tf='variable "x" {\n  default = 1\n}\n',
        d__main_tf=SOURCE,
    )
    assert judged(load(["."], changed=["a/net.json"])) == ["a/main.json"]
    assert judged(load(["."], changed=["./b/main.json", "d/gone.tf"])) == ["b/main.json", "d"]
    assert judged(load(["."], changed=["net/main.tf"])) == ["c"]
    assert judged(load(["."], changed=["d/terraform.tfvars"])) == ["d"]
    assert judged(load(["."], changed=[str(folder / "b/main.json")])) == ["b/main.json"]
    loaded = load(["."], changed=["readme.md"])
    assert judged(loaded) == []
    assert loaded.touched == []
    assert len(loaded.documents) == 4


def test_a_hub_concerns_every_cluster_of_the_tree(folder: Path) -> None:
    """It has none of its own, and nobody can tell beforehand whose traffic it carries."""
    write(folder, hub_json=template(NETWORK), a_json=template(CLUSTER), b_json=template(CLUSTER))
    assert judged(load(["."], changed=["hub.json"])) == ["a.json", "b.json", "hub.json"]
    assert judged(load(["."], changed=["a.json"])) == ["a.json"]


def test_a_parameter_file_that_was_named_changes_everything(folder: Path) -> None:
    """`--param` speaks to all templates."""
    write(folder, a_json=template(CLUSTER), b_json=template(CLUSTER), values_json='{"x": {"value": 1}}')
    assert judged(load(["."], (), ["values.json"], changed=["values.json"])) == ["a.json", "b.json"]


def test_the_exit_status_speaks_of_what_changed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to judge is sound; what is broken never is; no files are wrong usage."""
    write(folder, hub_json=template(NETWORK))
    assert main(["scan", "--changed", "hub.json"]) == 0
    assert main(["scan", "--changed", "notes.md"]) == 0
    assert "part of no definition" in capsys.readouterr().err
    assert main(["scan", "--changed"]) == 2
    write(folder, cut_json=template()[:-3])
    assert main(["scan", "--changed", "cut.json"]) == 2
    assert main(["scan", "--changed", "notes.md"]) == 2


@pytest.mark.parametrize("place", ["plan.json", "plans/dev.json"])
def test_a_plan_beside_its_source_is_judged_once(folder: Path, place: str) -> None:
    """In the folder of the root module, or one below."""
    write(folder, root__main_tf=SOURCE)
    write(folder, **{f"root/{place}": plan("azurerm_kubernetes_cluster.c", "azurerm_route_table.t[0]")})
    loaded = load(["."])
    assert judged(loaded) == [f"root/{place}"]
    assert loaded.notes == [f"`root` is judged by its plan `root/{place}`"]
    assert judged(load([f"root/{place}", "root/main.tf"])) == [f"root/{place}"]


def test_a_plan_that_was_made_before_a_change_is_not_judged(folder: Path) -> None:
    """The source changed and the plan did not; where both did, the plan knows more."""
    write(folder, main_tf=SOURCE, plan_json=plan("azurerm_kubernetes_cluster.c"))
    loaded = load(["."], changed=["main.tf"])
    assert judged(loaded) == ["main.tf"]
    assert "`plan.json` was planned before this change" in loaded.notes[0]
    assert judged(load(["."], changed=["main.tf", "plan.json"])) == ["plan.json"]


def test_a_plan_of_something_else_replaces_nothing(folder: Path) -> None:
    """It shows what the source does not declare, or nothing at all."""
    write(folder, main_tf=SOURCE)
    for other in (plan("azurerm_kubernetes_cluster.other"), plan("module.net.azurerm_route_table.t"), plan()):
        write(folder, plan_json=other)
        assert len(judged(load(["."]))) == 2


def test_context_never_replaces_what_is_judged(folder: Path) -> None:
    """A plan that only completes the picture leaves its source to be judged."""
    write(folder, main_tf=SOURCE, plan_json=plan("azurerm_kubernetes_cluster.c"))
    assert len(load(["main.tf"], ["plan.json"]).documents) == 2
