"""Which line of which file each part of a lowered template comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aks_egress.records import field, record
from aks_egress.values import Origin, Step
from aks_egress_scan.readers.bicep_lang.tokens import Text

_LONGEST: Final = 100


@record(slots=True)
class Place:
    """The place of one part of a template, and of the parts within it.

    A part without a place of its own stands where the nearest part around it does.  A module's
    places are shared by every use of it.  `lookup` answers for everything below, where it is set.
    """

    path: str
    line: int | None
    parts: dict[Step, Place] = field(default_factory=dict)
    lookup: Callable[[tuple[Step, ...]], Origin] | None = None
    text: Text | None = None
    at: int = 0

    def stand(self, text: Text, at: int) -> None:
        """Be at another place of the file."""
        self.line, self.text, self.at = text.line(at), text, at

    def origin(self, pointer: tuple[Step, ...]) -> Origin:
        """The place of the part at `pointer`."""
        here, rest = self._nearest(pointer)
        return here.lookup(rest) if here.lookup is not None else Origin(here.path, here.line)

    def quote(self, pointer: tuple[Step, ...]) -> str | None:
        """What the file says at `pointer`, None where nobody can say."""
        here, _ = self._nearest(pointer)
        return None if here.text is None or here.lookup is not None else excerpt(here.text.text, here.at)

    def _nearest(self, pointer: tuple[Step, ...]) -> tuple[Place, tuple[Step, ...]]:
        """The part at `pointer`, or the nearest around it, with the steps that are left."""
        here = self
        for position, step in enumerate(pointer):
            found = here.parts.get(step)
            if found is None or here.lookup is not None:
                return here, pointer[position:]
            here = found
        return here, ()


def excerpt(text: str, at: int) -> str:
    """What begins at a place and ends with it: at the end of its line, or where a bracket around it closes."""
    depth, quoted = 0, False
    for end in range(at, min(len(text), at + _LONGEST)):
        char = text[end]
        if char == "'" and text[end - 1 : end] != "\\":
            quoted = not quoted
        elif not quoted:
            depth += (char in "([{") - (char in ")]}")
        ends = char == "\n" or (not quoted and (depth < 0 or (char == "," and not depth)))
        if ends or text.startswith(" //", end):
            return text[at:end].strip() + (" …" if depth > 0 else "")
    return text[at : at + _LONGEST].strip() + (" …" if at + _LONGEST < len(text) else "")
