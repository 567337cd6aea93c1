"""The part of docs/live.md that the program prints."""

from __future__ import annotations

from tests.generate import _live
from tests.generate.readme import ROOT, filled, printed

TARGET = "docs/live.md"


def render() -> str:
    """The guide with what the program prints today."""
    text = (ROOT / TARGET).read_text(encoding="utf-8")
    return filled(text, {"refused": _live.refused(printed)})
