"""`make generate`: everything in the tree that a program writes, written anew.

A module of this folder either has a `TARGET`, a file, and `render()`, its text, or a `main()` that
writes its files itself.  Digests come first, since pages quote them.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def main() -> int:
    """Run every module that generates something; 1 where one of them failed."""
    failed = 0
    for file in sorted(HERE.glob("*.py"), key=lambda one: ("digest" not in one.stem, one.stem)):
        if file.name.startswith("_"):
            continue
        try:
            _run(import_module(f"tests.generate.{file.stem}"))
        except (OSError, ImportError) as error:
            print(f"{file.stem}: {error}", file=sys.stderr)
            failed = 1
    return failed


def _run(module: ModuleType) -> None:
    if hasattr(module, "TARGET"):
        _write(ROOT / module.TARGET, module.render())
    elif hasattr(module, "main"):
        module.main()


def _write(target: Path, text: str) -> None:
    if target.exists() and target.read_text(encoding="utf-8") == text:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8", newline="\n")
    print(f"written: {target.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
