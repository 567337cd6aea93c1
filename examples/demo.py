"""`make demo`: one network, sound and broken, judged from every dialect it is written in.

Runs the real command line on `examples/hub-and-spoke`.  Exits 1 where a verdict is not the expected
one or where two dialects disagree.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from expectations import Example, Json, differences, verdicts

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path("examples/hub-and-spoke")


def main() -> int:
    """Judge every variant, print what came out, and say whether it is what it must be."""
    example = Example(ROOT / FOLDER)
    _say(f"{FOLDER}: a hub with Azure Firewall, a spoke with AKS, written as " + _listed(example))
    wrong = 0
    for variant, mode in example.cases():
        wrong += _shown(example, variant, mode)
    _say("")
    _say("everything is as expected" if not wrong else f"{wrong} things are not as expected")
    return 1 if wrong else 0


def _listed(example: Example) -> str:
    return " and as ".join(one["title"] for one in example.dialects.values())


def _shown(example: Example, variant: str, mode: str) -> int:
    """Print one variant in one tunnel mode; how many things are wrong with it."""
    _say(f"\n{'=' * 100}\n{variant}: {example.variants[variant]['title']}\ntunnel mode: {mode}\n{'=' * 100}")
    reports: dict[str, Json] = {}
    complaints: list[str] = []
    for dialect in example.dialects:
        first = not reports
        report, text = scan(example, dialect, variant, mode)
        reports[dialect] = report
        if first:
            _say(text)
        complaints += [f"{dialect}: {one}" for one in example.complaints(variant, mode, report)]
    first_name, first_report = next(iter(reports.items()))
    for dialect, report in reports.items():
        if dialect == first_name:
            continue
        found = differences(first_report, report)
        complaints += [f"{first_name} and {dialect} disagree on {one}" for one in found]
        if not found:
            titles = [example.dialects[one]["title"] for one in (first_name, dialect)]
            _say(f"{titles[0]} and {titles[1]} agree on all {len(verdicts(report))} flows")
    for one in complaints:
        _say(f"NOT AS EXPECTED: {one}")
    return len(complaints)


def scan(example: Example, dialect: str, variant: str, mode: str) -> tuple[Json, str]:
    """The report of the command line, as JSON and as text; ends the demo where the command itself fails."""
    paths = [_relative(path) for path in example.paths(dialect, variant)]
    parameters = [
        part for path in example.parameters(dialect, variant) for part in ("--param", _relative(path))
    ]
    command = ["scan", *paths, *parameters, "--tunnel", mode]
    _say(f"$ aks-egress {' '.join(command)}\n")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        outputs = ["--format", "text", "--format", "json", "-o", str(file)]
        done = subprocess.run(
            [sys.executable, "-m", "aks_egress_scan", *command, *outputs],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 1, 4) or not file.exists():
            raise SystemExit(f"aks-egress ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
        return json.loads(file.read_text(encoding="utf-8")), done.stdout


def _relative(path: str) -> str:
    return str(Path(path).relative_to(ROOT))


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
