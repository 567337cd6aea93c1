"""The page about the catalogue is what the data says."""

from __future__ import annotations

from pathlib import Path

from tests.generate import catalogue

from aks_egress.requirements.catalogue import load

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_generated_unchanged() -> None:
    """`make generate` writes it anew."""
    assert (ROOT / catalogue.TARGET).read_text("utf-8") == catalogue.render()


def test_the_page_holds_every_entry_and_every_source() -> None:
    page = (ROOT / catalogue.TARGET).read_text("utf-8")
    assert [one.id for one in load().entries if f"| `{one.id}`<br>" not in page] == []
    assert [one.url for one in load().sources.values() if f"({one.url})" not in page] == []


def test_every_table_row_has_the_columns_of_its_head() -> None:
    width = 0
    for line in catalogue.render().splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        columns = line.replace("\\|", "").count("|")
        width = width or columns
        assert columns == width, line
