"""From paths to documents: what is found, what is left out, in which order."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from aks_egress.arm.resources import Role
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.sources import Loaded, load

ARM = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
PARAMETERS = "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#"


def template(*resources: Any) -> str:
    """An ARM template's text."""
    return json.dumps({"$schema": ARM, "contentVersion": "1.0.0.0", "resources": list(resources)})


def linked(name: str) -> dict[str, Any]:
    """A deployment that links a template beside it."""
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": "inner",
        "properties": {"mode": "Incremental", "templateLink": {"relativePath": name}},
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, **files: str) -> None:
    """Files by path, `__` for a folder and `_` for a dot."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def paths(loaded: Loaded) -> list[str]:
    """The documents' paths in their order."""
    return [one.path for one in loaded.documents]


def test_a_folder_is_searched_without_what_is_nobodys_own(folder: Path) -> None:
    """Version control, provider caches and packages are left out."""
    write(folder, **{f"in__{name}__a_json": template() for name in ("sub", "deeper__sub")})
    for name in (".git", ".terraform", ".venv", "node_modules"):
        (folder / "in" / name).mkdir()
        (folder / "in" / name / "a.json").write_text(template(), "utf-8")
    write(folder, in__readme_json='{"not": "ours"}', in__notes_txt=template())
    assert paths(load(["in"])) == ["in/deeper/sub/a.json", "in/sub/a.json"]


def test_order_and_spelling_of_paths_change_nothing(folder: Path) -> None:
    """Each file is one document, however often and in whatever way it is named."""
    write(folder, a_json=template(), b_json=template(), d__c_json=template())
    wanted = ["a.json", "b.json", "d/c.json"]
    assert paths(load(["a.json", "b.json", "d"])) == wanted
    assert paths(load(["d", "./b.json", "d/../a.json", "a.json", "d/c.json"])) == wanted


def test_context_comes_after_what_is_judged_and_never_replaces_it(folder: Path) -> None:
    """A file that is both is judged."""
    write(folder, a_json=template(), b_json=template())
    loaded = load(["b.json"], ["a.json", "b.json"])
    assert [(one.path, one.role) for one in loaded.documents] == [
        ("b.json", Role.SUBJECT),
        ("a.json", Role.CONTEXT),
    ]
    assert paths(load(["b.json"], ["b.json", "a.json"])) == paths(loaded)


def test_a_linked_template_is_judged_where_it_is_linked(folder: Path) -> None:
    """Not once more by itself, whether a folder or both files are named."""
    write(folder, main_json=template(linked("net.json")), net_json=template())
    for named in (["."], ["net.json", "main.json"]):
        loaded = load(named)
        assert paths(loaded) == ["main.json"]
        assert loaded.notes == ["`net.json` is part of `main.json` and judged there"]
    assert paths(load(["net.json"])) == ["net.json"]


def test_templates_that_link_each_other_are_not_both_lost(folder: Path) -> None:
    """A circle has no outermost document, so each stands for itself or is refused."""
    write(folder, a_json=template(linked("b.json")), b_json=template(linked("a.json")))
    loaded = load(["."])
    assert {*paths(loaded), *(one.path for one in loaded.failures)} == {"a.json", "b.json"}


MODULE = 'resource "azurerm_route_table" "t" {\n  name = "t"\n}\n'


def test_a_terraform_folder_is_one_document_with_the_modules_it_calls(folder: Path) -> None:
    """A module that a root calls is judged there; one that nobody calls is a root itself."""
    write(
        folder,
        root__main_tf='module "net" {\n  source = "../modules/net"\n}\n',
        root__z_tf=MODULE,
        modules__net__main_tf=MODULE,
        modules__idle__main_tf=MODULE,
    )
    loaded = load(["."])
    assert paths(loaded) == ["modules/idle", "root"]
    assert loaded.notes == ["`modules/net` is part of `root` and judged there"]
    assert len(loaded.documents[1].resources) == 2
    assert paths(load(["root/z.tf", "root/main.tf"])) == ["root"]


def test_parameter_files_are_no_documents(folder: Path) -> None:
    """Beside a template they are its parameters; alone they are refused with what to do."""
    write(
        folder,
        main_json=template(),
        main_parameters_json=json.dumps({"$schema": PARAMETERS, "parameters": {}}),
    )
    assert paths(load(["."])) == ["main.json"]
    assert paths(load(["main.json", "main.parameters.json"])) == ["main.json"]
    with pytest.raises(UsageFailure, match="holds parameters: name the definition"):
        load(["main.parameters.json"])


def test_what_is_broken_is_a_failure_and_a_document_that_knows_nothing(folder: Path) -> None:
    """So that nothing looked for in it is ever taken to be absent."""
    write(folder, cut_json=template()[:-2], ok_json=template())
    loaded = load(["."])
    assert [one.path for one in loaded.failures] == ["cut.json"]
    broken = next(one for one in loaded.documents if one.path == "cut.json")
    assert broken.resources == ()
    assert "*" in broken.unread
    assert [notice.malformed for notice in broken.notices] == [True]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("none.json", None, "cannot read `none.json`: no such file or directory"),
        ("empty.json", b" \n", "`empty.json` is empty"),
        ("x.json", b"{}", "is JSON, but nothing in it says"),
        ("x.txt", b"hello", "is no definition"),
        ("tfplan", b"PK\x03\x04rest", "terraform show -json tfplan"),
    ],
)
def test_a_named_file_that_cannot_be_judged_is_refused(
    folder: Path, name: str, data: bytes | None, sentence: str
) -> None:
    """A search may pass over it, a person who names it may not."""
    if data is not None:
        (folder / name).write_bytes(data)
    with pytest.raises(UsageFailure) as failure:
        load([name])
    assert sentence in str(failure.value)


def test_everything_that_is_wrong_is_said_at_once(folder: Path) -> None:
    """One sentence for each path."""
    with pytest.raises(UsageFailure) as failure:
        load(["a", "b"], ["c"])
    assert len(str(failure.value).splitlines()) == 3


def test_a_file_over_the_bound_is_refused(folder: Path) -> None:
    """Before it is parsed."""
    (folder / "big.json").write_bytes(template().encode() + b" " * (1 << 20))
    loaded = load(["big.json"], max_size=1)
    assert [one.message for one in loaded.failures] == [
        "larger than 1 MiB: raise `--max-size` if that is meant"
    ]
    assert load(["big.json"], max_size=2).failures == []


def test_neighbours_outside_the_root_are_out_of_reach(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Neither by `..` nor through a link of the file system."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.json").write_text(template(), "utf-8")
    write(folder, main_json=template(linked(f"../{outside.name}/secret.json"), linked("door/secret.json")))
    (folder / "door").symlink_to(outside)
    loaded = load(["main.json"])
    assert paths(loaded) == ["main.json"]
    assert "*" in loaded.documents[0].unread or loaded.documents[0].unread or loaded.documents[0].notices


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_listed_is_no_pass(folder: Path) -> None:
    """What nobody could look into may hold anything."""
    (folder / "in" / "shut").mkdir(parents=True)
    (folder / "in" / "shut").chmod(0)
    assert load(["in"]).failures[0].message.startswith("cannot list the folder")


def test_utf_16_is_read_as_powershell_writes_it(folder: Path) -> None:
    """`>` in Windows PowerShell."""
    (folder / "a.json").write_bytes(b"\xff\xfe" + template().encode("utf-16-le"))
    assert paths(load(["a.json"])) == ["a.json"]
    assert paths(load(["."])) == ["a.json"]
