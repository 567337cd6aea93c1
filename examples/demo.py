"""`make demo`: one network, sound and broken, judged from every dialect it is written in.

Runs the real command line on `examples/hub-and-spoke` and compares with its `expected.toml`.  Exits 1
where a verdict is not the expected one or where two dialects disagree.
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
FOLDER = "examples/hub-and-spoke"
RULE = "=" * 100


def main() -> int:
    """Judge every variant, print what came out, and say whether it is what it must be."""
    example = Example(ROOT / FOLDER)
    titles = [one["title"] for one in example.dialects.values()]
    _say(
        f"{FOLDER}: a hub with an Azure Firewall, a spoke with an AKS cluster; written as {' and as '.join(titles)}."
    )
    rows: list[tuple[str, ...]] = []
    wrong: list[str] = []
    seen: set[str] = set()
    for variant, mode in example.cases():
        if variant not in seen:
            _say(f"\n{RULE}\n{variant}: {example.variants[variant]['title']}\n{RULE}\n")
        reports, complaints = _judged(example, variant, mode, shown=variant not in seen)
        seen.add(variant)
        rows.append(_row(example, variant, mode, reports, complaints))
        wrong += [f"{variant}, {mode}: {one}" for one in complaints]
    _say(f"\n{RULE}\nin short\n{RULE}\n")
    _table(
        [("network", "tunnel mode", "tunnel", "cluster", "flows", "all dialects agree", "as expected"), *rows]
    )
    for one in wrong:
        _say(f"NOT AS EXPECTED: {one}")
    return 1 if wrong else 0


def _judged(example: Example, variant: str, mode: str, *, shown: bool) -> tuple[dict[str, Json], list[str]]:
    """The reports of all dialects on a variant, and what is wrong with them; `shown` prints the first as text."""
    reports: dict[str, Json] = {}
    complaints: list[str] = []
    for dialect in example.dialects:
        command = _command(example, dialect, variant, mode)
        report, text = scan(command)
        if shown:
            _say(f"$ aks-egress {' '.join(command)}")
        if shown and not reports:
            _say(f"\n{text}")
        reports[dialect] = report
        complaints += [f"{dialect}: {one}" for one in example.complaints(variant, mode, report)]
    first, *others = reports
    for other in others:
        found = differences(reports[first], reports[other])
        complaints += [f"{first} and {other} disagree: {one}" for one in found]
        if shown and not found:
            _say(f"  the same: {len(verdicts(reports[other]))} flows, each with the same verdict")
    return reports, complaints


def _row(
    example: Example, variant: str, mode: str, reports: dict[str, Json], complaints: list[str]
) -> tuple[str, ...]:
    report = next(iter(reports.values()))
    cluster = next(one for one in report["clusters"] if one["name"] == example.wanted["cluster"])
    agreed = not any("disagree" in one for one in complaints)
    flows = str(len(cluster["flows"]))
    said = (cluster["tunnel"]["verdict"], cluster["verdict"], flows)
    return (variant, mode, *said, "yes" if agreed else "NO", "NO" if complaints else "yes")


def _command(example: Example, dialect: str, variant: str, mode: str) -> list[str]:
    """The arguments that judge a variant as one dialect writes it."""
    parameters = [
        part for path in example.parameters(dialect, variant) for part in ("--param", _relative(path))
    ]
    return ["scan", *map(_relative, example.paths(dialect, variant)), *parameters, "--tunnel", mode]


def scan(command: list[str]) -> tuple[Json, str]:
    """The report of the command line, as JSON and as text; ends the demo where the command itself fails."""
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


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        _say("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
