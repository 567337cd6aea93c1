"""Writing reports: each format to its file or to standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence

from aks_egress.findings.report import Report
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.files import reason
from aks_egress_scan.options import Choices, Output
from aks_egress_scan.reporters import STYLED, pieces
from aks_egress_scan.reporters.style import Style


def write(report: Report, outputs: Sequence[Output], choices: Choices) -> None:
    """Write every report; files first, so that a closed standard output costs none of them."""
    for one in sorted(outputs, key=lambda output: output.file == "-"):
        style = Style()
        if one.format in STYLED:
            style = style_for(one.file, choices)
        write_pieces(pieces(report, one.format, style), one.file)


def write_text(text: str, file: str) -> None:
    """Write a text to a file as UTF-8, or to standard output (`-`) as it can show it."""
    write_pieces((text,), file)


def write_pieces(text: Iterable[str], file: str) -> None:
    """Write a text that comes bit by bit."""
    if file == "-":
        if sys.stdout is None:
            raise UsageFailure("cannot write to standard output: it is closed")
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            sys.stdout.writelines(text)
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except (OSError, ValueError) as error:
            said = reason(error) if isinstance(error, OSError) else "it is closed"
            raise UsageFailure(f"cannot write to standard output: {said}") from None
        return
    try:
        with open(file, "w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(text)
    except OSError as error:
        raise UsageFailure(f"cannot write `{file}`: {reason(error)}") from None


def style_for(file: str, choices: Choices) -> Style:
    """Colour and width of a text report, by where it goes."""
    wish = choices.one("color", "auto")
    terminal = file == "-" and sys.stdout is not None and sys.stdout.isatty()
    colour = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    if wish != "auto":
        colour = wish == "always"
    width = 100
    if terminal:
        import shutil

        width = max(60, min(120, shutil.get_terminal_size((100, 24)).columns))
    return Style(colour=colour, width=width, suppressed=choices.flag("show-suppressed"))
