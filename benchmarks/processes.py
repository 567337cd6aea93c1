"""Commands run in a process of their own: how long the fastest took, and the largest memory."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def best(command: list[str], runs: int) -> tuple[float, int]:
    """The fastest run in seconds, and the largest memory in kilobytes."""
    fastest, memory = float("inf"), 0
    for _ in range(runs):
        started = time.perf_counter()
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            _, _, used = os.wait4(process.pid, 0)
            process.returncode = 0  # waited for here, for its memory
        fastest = min(fastest, time.perf_counter() - started)
        memory = max(memory, _kilobytes(used))
    return fastest, memory


def show(name: str, seconds: float, memory: int, floor: float) -> None:
    """One line: seconds, as a multiple of the floor, and memory."""
    print(f"  {name:<16} {seconds:7.2f} s  {seconds / floor:5.1f} x  {memory / 1024:5.0f} MB")


def _kilobytes(used: resource.struct_rusage) -> int:
    return used.ru_maxrss // (1024 if sys.platform == "darwin" else 1)
