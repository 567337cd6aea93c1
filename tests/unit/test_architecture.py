"""Imports point one way, the second definition knows nothing of the first, and starting is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
POLICIES, SCANNERS, PACK = TOP / "policies", TOP / "scanners", TOP / "pulumi_pack"

#: room -> the rooms of the package that it may import; `records` is the project's own plain data class
MAY = {
    "__init__": set(),
    "records": set(),
    "values": {"records"},
    "packets": {"records"},
    "arm": {"records", "values"},
    "settings": {"records", "values"},
    "topology": {"records", "values", "packets", "arm"},
    "requirements": {"records", "values", "packets", "arm", "topology", "settings"},
    "evaluation": {"records", "values", "packets", "arm", "topology", "settings", "requirements"},
    "findings": {"records", "values", "packets", "arm", "topology", "settings", "requirements", "evaluation"},
    "checks": {
        "records",
        "values",
        "packets",
        "arm",
        "topology",
        "settings",
        "requirements",
        "evaluation",
        "findings",
    },
}

#: what nobody who asks for a version or scans a small file should wait for
HEAVY = (
    "azure",
    "checkov",
    "jsonschema",
    "yaml",
    "requests",
    "urllib.request",
    "http.client",
    "ssl",
    "asyncio",
    "xml",
    "multiprocessing",
    "z3",
    "pulumi",
    "hypothesis",
)


def _imports(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py")) if folder.is_dir() else []


def _room(path: Path) -> str:
    return path.relative_to(POLICIES / "aks_egress").parts[0].removesuffix(".py")


def _rooms(path: Path) -> set[str]:
    """The rooms of the package that a file imports from."""
    parts = [name.split(".") for name in _imports(path)]
    return {one[1] for one in parts if one[0] == "aks_egress" and len(one) > 1}


@pytest.mark.parametrize(
    "path", _files(POLICIES / "aks_egress"), ids=lambda path: str(path.relative_to(POLICIES))
)
def test_rooms_import_only_what_lies_below_them(path: Path) -> None:
    """The engine, and who mends with it, may import every room; every other room only those its row names."""
    room = _room(path)
    if room in ("engine", "mending"):
        return
    assert room in MAY, f"`{room}` is a new room: say here what it may import"
    beyond = _rooms(path) - MAY[room] - {room} - {name for name in _rooms(path) if name.startswith("_")}
    assert not beyond, f"{path.name} imports {sorted(beyond)}"


def test_the_rows_have_no_cycle() -> None:
    """A room that may import another is never imported by it."""
    for room, below in MAY.items():
        for other in below:
            assert room not in MAY[other], f"`{room}` and `{other}` import each other"


@pytest.mark.parametrize("path", _files(POLICIES), ids=lambda path: str(path.relative_to(POLICIES)))
def test_policies_know_no_reader_and_open_nothing_but_their_own_data(path: Path) -> None:
    """No scanner, no pack, no network, no process, no printing."""
    names = set(_imports(path))
    tops = {name.split(".")[0] for name in names}
    assert not tops & {"aks_egress_scan", "aks_egress_pulumi", "subprocess", "http", "requests", "azure"}
    assert "urllib.request" not in names
    calls = [
        node.func.id
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    allowed = (
        {"exec"} if path.name == "records.py" else set()
    )  # it writes `__init__` methods, from field names alone
    assert not ({"print", "open", "input", "eval", "exec"} - allowed) & set(calls)


@pytest.mark.parametrize("path", _files(SCANNERS), ids=lambda path: str(path.relative_to(SCANNERS)))
def test_scanners_do_not_know_the_pack(path: Path) -> None:
    """The pack uses the readers, never the other way."""
    assert not any(name.startswith("aks_egress_pulumi") for name in _imports(path))


@pytest.mark.parametrize("path", _files(TOP / "tests" / "spec"), ids=lambda path: path.name)
def test_the_second_definition_shares_no_code_with_the_engine(path: Path) -> None:
    """It stands on the standard library and on itself."""
    ours = {
        name for name in _imports(path) if name.split(".")[0] in ("aks_egress", "aks_egress_scan", "tests")
    }
    assert all(name.startswith("tests.spec") for name in ours), sorted(ours)


@pytest.mark.parametrize("module", ["aks_egress.engine", "aks_egress_scan.__main__"])
def test_starting_loads_nothing_heavy(module: str) -> None:
    """A fresh interpreter says what came along."""
    script = (
        f"import sys\nbefore = set(sys.modules)\nimport {module}\nprint(' '.join(set(sys.modules) - before))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    found = [name for name in loaded if any(name == one or name.startswith(f"{one}.") for one in HEAVY)]
    assert found == []
    assert module in loaded


def test_a_version_is_told_without_an_engine() -> None:
    """`--version` needs neither the engine nor a reader."""
    script = (
        "import sys\nfrom aks_egress_scan.__main__ import main\n"
        "code = main(['--version'])\n"
        "sys.stderr.write(' '.join(name for name in sys.modules if name.startswith('aks_egress')))\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not {"aks_egress.engine", "aks_egress.topology.model"} & set(done.stderr.split())
