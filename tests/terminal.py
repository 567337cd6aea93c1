"""The command line as people call it, run in this process: files in, exit status and JSON report out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aks_egress_scan import cli


def scan(folder: Path, files: Mapping[str, str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """`aks-egress scan` on a folder of the files, with the arguments; the exit status and the report."""
    held = folder / "given"
    for name, text in files.items():
        path = held / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    out = folder / "report.json"
    status = cli.run(["scan", str(held), "--format", "json", "-o", str(out), *arguments])
    return status, json.loads(out.read_text(encoding="utf-8"))


def verdicts(report: Mapping[str, Any]) -> set[str]:
    """The verdicts of the clusters."""
    return {cluster["verdict"] for cluster in report["clusters"]}
