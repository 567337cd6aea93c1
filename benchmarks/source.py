"""A root module of ten files as Terraform source: a scan beside `checkov -d` on the same folder.

The module is the example's own, with three files more.  Each runs in a process of its own; the
fastest run counts.  checkov as in benchmarks/plan.py: name its command in CHECKOV.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULE = ROOT / "examples/hub-and-spoke/terraform"
MORE = {
    "outputs.tf": 'output "hub" {\n  value = azurerm_virtual_network.hub.id\n}\n',
    "moved.tf": "locals {\n  benchmark = true\n}\n",
    "storage.tf": (
        'resource "azurerm_storage_account" "logs" {\n  name = "stlogs"\n  resource_group_name = "rg"\n  location = "eastus"\n'
        '  account_tier = "Standard"\n  account_replication_type = "LRS"\n}\n'
    ),
}
RUNS = 5


def main() -> int:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        module = Path(folder) / "module"
        module.mkdir()
        for one in MODULE.glob("*.tf"):
            shutil.copy(one, module)
        for name, text in MORE.items():
            (module / name).write_text(text, encoding="utf-8")
        values = next(iter(sorted((MODULE / "variants").glob("sound*"))))
        shutil.copy(values, module / "terraform.tfvars")
        print(f"{len(list(module.glob('*.tf')))} files; best of {RUNS}")
        ours = _best([sys.executable, "-m", "aks_egress_scan", "scan", str(module)], RUNS, (0, 1, 4))
        print(f"  aks-egress scan  {ours:7.2f} s")
        checkov = os.environ.get("CHECKOV") or shutil.which("checkov")
        if checkov is None:
            print("  checkov          not installed here: name it in CHECKOV")
            return 0
        theirs = _best(
            [checkov, "--quiet", "--compact", "--framework", "terraform", "-d", str(module)], 2, (0, 1)
        )
        print(f"  checkov -d       {theirs:7.2f} s, {theirs / ours:.0f} times as long")
    return 0


def _best(command: list[str], runs: int, fine: tuple[int, ...]) -> float:
    best = float("inf")
    for _ in range(runs):
        started = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        best = min(best, time.perf_counter() - started)
        if done.returncode not in fine:
            raise SystemExit(f"{command[0]} ended with {done.returncode}: {done.stderr.decode()[-400:]}")
    return best


if __name__ == "__main__":
    raise SystemExit(main())
