"""1,000 security groups of 20 rules as a Terraform plan: a scan beside parsing its JSON, and beside checkov.

Each runs in a process of its own, in turns; the fastest run counts, and the largest memory.
checkov is asked for where it is installed (its pins clash with others, so in an environment of
its own): name its command in CHECKOV, or have it on PATH.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.inputs import nsg_plan
from benchmarks.processes import best, show

PARSE = "import json, sys; json.loads(open(sys.argv[1], 'rb').read())"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=1000)
    parser.add_argument("--rules", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "plan.json"
        plan.write_bytes(nsg_plan(chosen.groups, chosen.rules))
        print(
            f"{chosen.groups} groups of {chosen.rules} rules, {plan.stat().st_size / 1e6:.0f} MB; best of {chosen.runs}"
        )
        floor, memory = best([sys.executable, "-c", PARSE, str(plan)], chosen.runs)
        show("json.loads", floor, memory, floor)
        spent, memory = best([sys.executable, "-m", "aks_egress_scan", "scan", str(plan)], chosen.runs)
        show("aks-egress scan", spent, memory, floor)
        checkov = os.environ.get("CHECKOV") or shutil.which("checkov")
        if checkov is None:
            print("  checkov           not installed here: name it in CHECKOV")
            return 0
        theirs, memory = best(
            [checkov, "--quiet", "--compact", "--framework", "terraform_plan", "-f", str(plan)], 1
        )
        show("checkov", theirs, memory, floor)
        print(f"  checkov takes {theirs / spent:.0f} times as long as the scan")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
