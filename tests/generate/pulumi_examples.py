"""Previews and exports of the Pulumi example, from the registrations of its real program.

Needs the extras `pulumi` and `pulumi-example`; without them nothing is written and a line says so.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Write `pulumi/previews/<stack>.json` and `pulumi/exports/<stack>.json` for every stack."""
    try:
        from tests.pack import shapes
        from tests.pack.engine import capture, preview_json, stack_config, stack_export
        from tests.pack.sdk_shapes import declared

        _write(shapes.FILE, declared())
    except ImportError as error:
        print(
            f"pulumi: skipped, install the extra `pulumi-example` ({error.name} is missing)", file=sys.stderr
        )
        return
    for program in sorted(ROOT.glob("examples/*/pulumi")):
        for file in sorted(program.glob("config/Pulumi.*.yaml")):
            stack, config = file.name.split(".")[1], stack_config(file)
            coming = capture(program, config, stack=stack)
            _write(program / "previews" / f"{stack}.json", preview_json(coming))
            there = capture(program, config, stack=stack, dry_run=False)
            _write(program / "exports" / f"{stack}.json", stack_export(there, stack))


def _write(target: Path, value: dict[str, Any]) -> None:
    made = json.dumps(value, indent=1, sort_keys=True) + "\n"
    if target.exists() and target.read_text(encoding="utf-8") == made:
        return
    target.parent.mkdir(exist_ok=True)
    target.write_text(made, encoding="utf-8")
    print(f"pulumi: {target.relative_to(ROOT)}")
