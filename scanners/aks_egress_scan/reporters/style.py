"""How the text report looks: colour, width and what is left out."""

from __future__ import annotations

from aks_egress.records import record

_CODES = {"red": "31", "yellow": "33", "green": "32", "cyan": "36", "bold": "1", "dim": "2"}


@record(frozen=True, slots=True, kw_only=True)
class Style:
    """Whether to colour, how many columns there are, whether suppressed findings are listed."""

    colour: bool = False
    width: int = 100
    suppressed: bool = False

    def paint(self, text: str, *names: str) -> str:
        """The text in a colour, or as it is."""
        if not self.colour or not text:
            return text
        return f"\033[{';'.join(_CODES[name] for name in names)}m{text}\033[0m"
