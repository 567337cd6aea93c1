"""`make generate`: everything in the tree that a program writes, written anew."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Run `main` of every module of this folder that has one."""
    for file in sorted(HERE.glob("*.py")):
        if file.name.startswith("_"):
            continue
        made = getattr(import_module(f"tests.generate.{file.stem}"), "main", None)
        if made is not None:
            made()
    return 0


if __name__ == "__main__":
    sys.exit(main())
