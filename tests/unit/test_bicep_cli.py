"""The Bicep CLI, where it is asked for: what it makes is read, at the lines of the source."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from tests.unit.arm_templates import NSG, TABLE, deployment, resource, template

from aks_egress.arm.resources import Document, Kind
from aks_egress_scan.readers.base import MalformedError
from aks_egress_scan.sources import Loaded, load

SOURCE = f"""param ports array = ['22', '443']
resource nsg '{NSG}@2023-11-01' = {{
  name: 'n'
  properties: {{
    securityRules: [for p in ports: {{
      name: 'p-${{p}}'
    }}]
  }}
}}
module routes 'routes.bicep' = {{
  name: 'routes'
}}
"""
ROUTES = (
    f"resource table '{TABLE}@2023-11-01' = {{\n  name: 't'\n  properties: {{\n    routes: []\n  }}\n}}\n"
)
LOOP = {"name": "securityRules", "count": "[length(parameters('ports'))]", "input": {"name": "[format('p-{0}', parameters('ports')[copyIndex('securityRules')])]"}}  # fmt: skip
INNER = template(resource(TABLE, "t", properties={"routes": []}))
#: as the compiler writes it: `routes` first, which nothing in the reader may rely on
COMPILED = template(
    deployment("routes", INNER),
    resource(NSG, "n", properties={"copy": [LOOP]}),
    parameters={"ports": {"type": "array", "defaultValue": ["22", "443"]}},
)


def program(folder: Path, answer: Any = None, stderr: str = "", status: int = 0) -> str:
    """A stand-in for the CLI; it notes its arguments in `asked`."""
    (folder / "answer.json").write_text(json.dumps(answer), "utf-8")
    (folder / "said.txt").write_text(stderr, "utf-8")
    script = folder / "bicep"
    here = f"$(dirname {json.dumps(str(script))})"
    script.write_text(
        f'#!/bin/sh\necho "$@" >> "{here}/asked"\ncat "{here}/said.txt" >&2\ncat "{here}/answer.json"\nexit {status}\n',
        "utf-8",
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return str(script)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with two sources in it."""
    monkeypatch.chdir(tmp_path)
    Path("main.bicep").write_text(SOURCE, "utf-8")
    Path("routes.bicep").write_text(ROUTES, "utf-8")
    Path("cli").mkdir()
    return tmp_path / "cli"


def only(loaded: Loaded) -> Document:
    assert not loaded.failures
    (document,) = loaded.documents
    return document


def lines(document: Document) -> list[tuple[str, str, int | None]]:
    """Name, file and line of the first part of each resource."""
    parts = {TABLE.casefold(): ("routes",), NSG.casefold(): ("securityRules", 1, "name")}
    places = [(one, one.place("properties", *parts[one.kind])) for one in document.resources]
    return [(one.name, place.path, document.locate(place)) for one, place in places]


@pytest.mark.parametrize("symbolic", [False, True], ids=["list", "symbolic names"])
def test_what_the_compiler_makes_is_read_at_the_lines_of_the_source(folder: Path, symbolic: bool) -> None:
    data = dict(COMPILED)
    if symbolic:
        data["resources"] = dict(zip(("routes", "nsg"), COMPILED["resources"], strict=True))
        data["languageVersion"] = "2.0"
    document = only(load(["main.bicep", "routes.bicep"], bicep_cli=program(folder, data)))

    assert document.kind is Kind.BICEP
    assert lines(document) == [("t", "routes.bicep", 4), ("n", "main.bicep", 6)]
    assert (folder / "asked").read_text() == "build --stdout main.bicep\nbuild --stdout routes.bicep\n"


@pytest.mark.parametrize("symbolic", [False, True], ids=["list", "symbolic names"])
def test_a_source_that_only_the_compiler_reads_has_the_lines_of_its_declarations(
    folder: Path, symbolic: bool
) -> None:
    data = {**COMPILED, "resources": [COMPILED["resources"][1]]}
    if symbolic:
        data |= {"resources": {"nsg": COMPILED["resources"][1]}, "languageVersion": "2.0"}
    Path("main.bicep").write_text(f"{SOURCE}\nsomething = new\n", "utf-8")
    document = only(load(["main.bicep"], bicep_cli=program(folder, data)))

    assert lines(document) == [("n", "main.bicep", 2)]


def test_nothing_is_run_unless_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(folder, COMPILED)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    load(["main.bicep"])
    assert not (folder / "asked").exists()

    load(["main.bicep"], bicep_cli="auto")
    assert (folder / "asked").exists()


def test_what_the_compiler_refuses_is_refused_at_its_place(folder: Path) -> None:
    said = (
        f"{folder.parent / 'main.bicep'}(1,7) : Warning no-unused-params: never used. [https://aka.ms/x]\n"
        f'{folder.parent / "routes.bicep"}(3,5) : Error BCP057: The name "x" does not exist. [https://aka.ms/bicep]\n'
    )
    (failure,) = load(["main.bicep"], bicep_cli=program(folder, stderr=said, status=1)).failures

    assert (failure.path, failure.line, failure.column) == ("routes.bicep", 3, 5)
    assert failure.message == 'the Bicep CLI does not compile the file: BCP057: The name "x" does not exist'


@pytest.mark.parametrize(
    ("chosen", "said"),
    [("no/such/bicep", "`no/such/bicep` is no program"), ("auto", "no Bicep CLI is installed")],
)
def test_a_missing_compiler_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, chosen: str, said: str
) -> None:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("HOME", str(folder))
    (failure,) = load(["main.bicep"], bicep_cli=chosen).failures

    assert failure.message.startswith(said)


@pytest.mark.parametrize(("answer", "status"), [([], 0), (None, 1)])
def test_an_answer_that_is_no_template_is_refused(folder: Path, answer: Any, status: int) -> None:
    (failure,) = load(["main.bicep"], bicep_cli=program(folder, answer, status=status)).failures

    assert isinstance(failure, MalformedError)
    assert failure.message.startswith("the Bicep CLI ")
