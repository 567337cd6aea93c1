"""All benchmarks, one after the other: start-up, one flow, a large plan, a fleet, the policy pack."""

from __future__ import annotations

import runpy
import sys

MODULES = ("start", "flow", "source", "plan", "fleet", "pack")

for name in MODULES:
    print(f"\n== {name}")
    sys.argv = [f"benchmarks.{name}"]
    try:
        runpy.run_module(f"benchmarks.{name}", run_name="__main__")
    except SystemExit as status:
        if status.code:
            raise
