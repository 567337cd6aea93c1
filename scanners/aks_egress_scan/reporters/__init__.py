"""Reports as text, JSON, SARIF and so on: each a pure function of the report, imported when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module

from aks_egress.findings.report import Report
from aks_egress_scan.reporters.style import Style

#: format -> module below this package; each has `render(report) -> str`; `walk` is the text of `query`
REPORTERS: Mapping[str, str] = {
    "text": "text",
    "json": "as_json",
    "sarif": "sarif",
    "junit": "junit",
    "markdown": "markdown",
    "github": "github",
    "html": "html",
    "walk": "walk",
}
#: formats for people, which take a style
STYLED = ("text", "walk")


def pieces(report: Report, name: str, style: Style | None = None) -> Iterable[str]:
    """The report in a format, bit by bit where the format can."""
    module = import_module(f"aks_egress_scan.reporters.{REPORTERS[name]}")
    made: Callable[[Report], Iterable[str]] | None = getattr(module, "pieces", None)
    return (render(report, name, style),) if made is None else made(report)


def render(report: Report, name: str, style: Style | None = None) -> str:
    """The report in a format, ending in a line break."""
    module = import_module(f"aks_egress_scan.reporters.{REPORTERS[name]}")
    if name in STYLED:
        text: str = module.render(report, style or Style())
        return text
    pure: Callable[[Report], str] = module.render
    return pure(report)
