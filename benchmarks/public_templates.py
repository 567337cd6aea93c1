"""Every ARM template below some folders, read: how many, how fast, what is refused, what stays unknown and why.

    python -m benchmarks.public_templates FOLDER...

Made for checkouts of public repositories, so that a cause that meets often can be found and mended.
"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from pathlib import Path

from aks_egress.arm.resources import Document
from aks_egress.values import unknowns
from aks_egress_scan.readers.arm_template import READER
from aks_egress_scan.readers.base import MalformedError, Parameters, Source

CONCERNS = re.compile(rb"Microsoft\.(?:Network|ContainerService)/", re.IGNORECASE)
KINDS = ("microsoft.network/", "microsoft.containerservice/")
NAMED = re.compile(r"`[^`]*`")


def main(folders: list[str]) -> int:
    """Read them all and print what came out; 1 where something else than a refusal was raised."""
    totals: Counter[str] = Counter()
    causes: Counter[tuple[str, str]] = Counter()
    times: list[tuple[float, Path]] = []
    for root in map(Path, folders):
        for path in sorted(root.rglob("*.json")):
            source = _source(path, root.resolve())
            if source is not None and CONCERNS.search(source.data) and READER.claims(source):
                started = time.perf_counter()
                _count(source, totals, causes)
                times.append((time.perf_counter() - started, path))
    _show(totals, causes, times)
    return 1 if totals["crashed"] else 0


def _source(path: Path, root: Path) -> Source | None:
    def sibling(name: str) -> Source | None:
        target = (path.parent / name.replace("\\", "/")).resolve()
        return _source(target, root) if target.is_relative_to(root) else None

    return Source(str(path), path.read_bytes(), sibling) if path.is_file() else None


def _count(source: Source, totals: Counter[str], causes: Counter[tuple[str, str]]) -> None:
    totals["templates"] += 1
    try:
        documents = READER.read(source, Parameters())
    except MalformedError as refused:
        totals["refused"] += 1
        causes["refused", NAMED.sub("`…`", refused.message)] += 1
    except Exception as crash:  # noqa: BLE001 - what this counts
        totals["crashed"] += 1
        print(f"{source.path}: {type(crash).__name__}: {crash}")
    else:
        for document in documents:
            _count_document(document, totals, causes)


def _count_document(document: Document, totals: Counter[str], causes: Counter[tuple[str, str]]) -> None:
    for notice in document.notices:
        causes["notice", NAMED.sub("`…`", notice.message)] += 1
    for resource in document.resources:
        totals["resources"] += 1
        body = resource.get("properties"), resource.get("location")
        for unknown in unknowns(list(body)) if resource.kind.startswith(KINDS) else ():
            totals["unknown values"] += 1
            causes["unknown", NAMED.sub("`…`", unknown.why)] += 1


def _show(totals: Counter[str], causes: Counter[tuple[str, str]], times: list[tuple[float, Path]]) -> None:
    for name, count in totals.items():
        print(f"{count:7} {name}")
    print(f"{sum(spent for spent, _ in times):7.2f} s in all; the slowest:")
    for spent, path in sorted(times, reverse=True)[:3]:
        print(f"{spent:7.2f} s {path}")
    for kind in ("refused", "notice", "unknown"):
        print(f"\n{kind}, by cause")
        for (found, cause), count in causes.most_common():
            if found == kind:
                print(f"{count:7} {cause[:160]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
