"""Expressions come to what `terraform console` says, a few hundred of them in one process."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

pytest.importorskip("tree_sitter_hcl")
pytest.importorskip("yaml")

from tests.terraform_folder import module_of

from aks_egress.values import Unknown
from aks_egress_scan.readers.hcl.evaluator import settled
from aks_egress_scan.readers.hcl.functions.table import FAMILIES, names
from aks_egress_scan.readers.hcl.parser import parse_expression

ROOT = Path(__file__).parent.parent / "hcl_root"
LINES = (ROOT / "expressions.txt").read_text("utf-8").splitlines()
EXPRESSIONS = [line for line in LINES if line and not line.startswith("#")]
FAILED = "@@error"


def _asked(expression: str) -> str:
    return f'try(jsonencode([{expression}]), "{FAILED}")'


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What Terraform answers."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    folder = tmp_path_factory.mktemp("console") / "root"
    shutil.copytree(ROOT, folder)
    cases = "\n".join(f"    {_asked(one)}," for one in EXPRESSIONS)
    (folder / "cases.tf").write_text(f"locals {{\n  cases = [\n{cases}\n  ]\n}}\n", "utf-8")
    run = subprocess.run(
        ["terraform", "console", "-no-color"],
        cwd=folder,
        input="base64encode(jsonencode(local.cases))\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"},
    )
    assert run.returncode == 0, run.stderr
    answers: list[str] = json.loads(base64.b64decode(run.stdout.strip().strip('"')))
    return dict(zip(EXPRESSIONS, answers, strict=True))


def _ours() -> dict[str, str]:
    module = module_of(ROOT)
    scope = module.scope("expressions.txt")
    out: dict[str, str] = {}
    for one in EXPRESSIONS:
        value = settled(parse_expression("expressions.txt", _asked(one)), scope)
        out[one] = value.why if isinstance(value, Unknown) else str(value)
    return out


def test_every_expression_comes_to_what_terraform_says(said: dict[str, str]) -> None:
    """One list of all that differ, so that a failure shows the pattern."""
    ours = _ours()
    differing = {one: (ours[one], theirs) for one in EXPRESSIONS if ours[one] != (theirs := said[one])}
    assert differing == {}


def test_the_list_is_long_enough_to_mean_something() -> None:
    """A few hundred, and every function of the table that is pure occurs."""
    text = "\n".join(EXPRESSIONS)
    absent = sorted(name for name in names() if not re.search(rf"\b{name}\(", text))
    assert len(EXPRESSIONS) > 300
    assert absent == sorted(_UNTESTED)


#: not pure, not known to version 1.11, or not part of any expression
_UNTESTED = {
    "abspath",
    "base64gzip",
    "bcrypt",
    "ephemeralasnull",
    "issensitive",
    "list",
    "map",
    "pathexpand",
    "plantimestamp",
    "rsadecrypt",
    "sensitive",
    "timestamp",
    "type",
    "uuid",
}


def test_the_table_lists_what_its_families_hold() -> None:
    for family, listed in FAMILIES.items():
        module = import_module(f"aks_egress_scan.readers.hcl.functions.{family}")
        assert [one.name for one in module.FUNCTIONS] == listed.split()
