"""Terraform plans of the examples and of some cases, made by Terraform itself: `make generate` writes them anew.

Needs `terraform` on the PATH and the extra `generate`; the provider is a stand-in, so neither a
network nor a subscription is needed.  Without them nothing is written and a line says so.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
#: root modules with a folder `variants` of variable files
MODULES = ("examples/*/terraform", "tests/cases/terraform")
#: root members that say when, or on which machine, a plan was made
VOLATILE = ("timestamp",)


def main() -> None:
    """Write `terraform/plans/<variant>.json` for every `terraform/variants/<variant>.tfvars`."""
    if shutil.which("terraform") is None:
        print("plans: skipped, terraform is not on the PATH", file=sys.stderr)
        return
    try:
        from tests.generate.azurerm_provider import provider

        with provider() as environment:
            for folder in sorted(found for pattern in MODULES for found in ROOT.glob(pattern)):
                for variant in sorted(folder.glob("variants/*.tfvars")):
                    target = folder / "plans" / f"{variant.stem}.json"
                    target.parent.mkdir(exist_ok=True)
                    _write(target, plan(folder, variant, environment))
    except ImportError as error:
        print(f"plans: skipped, install the extra `generate` ({error.name} is missing)", file=sys.stderr)


def _write(target: Path, made: str) -> None:
    """Write a plan unless it says what the file says: Terraform lists references in no fixed order."""
    known = target.read_text(encoding="utf-8") if target.exists() else ""
    if known and _ordered(json.loads(known)) == _ordered(json.loads(made)):
        return
    target.write_text(made, encoding="utf-8")
    print(f"plans: {target.relative_to(ROOT)}")


def _ordered(value: Any, member: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _ordered(item, name) for name, item in value.items()}
    if isinstance(value, list):
        rows = [_ordered(item) for item in value]
        return sorted(rows, key=json.dumps) if member in ("references", "relevant_attributes") else rows
    return value


def plan(folder: Path, variables: Path | None, environment: dict[str, str]) -> str:
    """The plan of a root module as indented JSON, as `terraform show -json | jq .` prints it."""
    settled = {**os.environ, **environment, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    settled["TF_CLI_CONFIG_FILE"] = os.devnull
    with tempfile.TemporaryDirectory() as work:
        copy = Path(work) / "root"
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("plans", ".terraform*"))
        given = [f"-var-file={variables.resolve()}"] if variables else []
        _terraform(copy, settled, "init", "-input=false", "-no-color")
        _terraform(
            copy, settled, "plan", "-input=false", "-no-color", "-refresh=false", "-out=made.tfplan", *given
        )
        shown = _terraform(copy, settled, "show", "-json", "made.tfplan")
    data = {name: value for name, value in json.loads(shown).items() if name not in VOLATILE}
    _refuse_machine_paths(data, work)
    # the provider's address without the host that Terraform puts before it
    return re.sub(r'"[a-z0-9.-]+\.[a-z]+/(hashicorp/azurerm)"', r'"\1"', json.dumps(data, indent=2)) + "\n"


def _terraform(folder: Path, environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        ["terraform", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"terraform {arguments[0]} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def _refuse_machine_paths(data: Any, work: str) -> None:
    if work in json.dumps(data):
        raise SystemExit("the plan holds a path of this machine")


if __name__ == "__main__":
    main()
