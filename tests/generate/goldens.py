"""The reports that tests compare with, as the reporters write them: `make generate` writes them anew."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.reporters.reports import REPORTS

from aks_egress_scan.reporters import REPORTERS
from aks_egress_scan.reporters import render as rendered
from aks_egress_scan.reporters.style import Style

GOLDEN = Path(__file__).resolve().parents[1] / "reporters" / "golden"
_SUFFIX = {
    "text": "txt",
    "walk": "txt",
    "json": "json",
    "sarif": "sarif",
    "junit": "xml",
    "markdown": "md",
    "github": "txt",
    "html": "html",
}


@cache
def render() -> dict[str, str]:
    """Every golden file below `tests/reporters/golden`, and its text."""
    return dict(_files())


def _files() -> Iterator[tuple[str, str]]:
    for name, report in REPORTS.items():
        for form in REPORTERS:
            yield f"{name}.{form}.{_SUFFIX[form]}", rendered(report(), form)
    yield (
        "rich.colour.txt",
        rendered(REPORTS["rich"](), "text", Style(colour=True, width=80, suppressed=True)),
    )


def main() -> None:
    """Write the golden files, and remove those that nothing writes any more."""
    GOLDEN.mkdir(parents=True, exist_ok=True)
    wanted = render()
    for old in GOLDEN.iterdir():
        if old.name not in wanted:
            old.unlink()
    for name, text in wanted.items():
        (GOLDEN / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
