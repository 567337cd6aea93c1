"""From origins to places: the line of a value, found when a report asks for it."""

from __future__ import annotations

from collections.abc import Sequence

from aks_egress.arm.resources import Document
from aks_egress.findings.report import Location
from aks_egress.values import Origin


class Places:
    """Turns origins of the documents of one run into locations.

    `written` off leaves places where the documents have them, without asking for the files that those were made
    from: nobody needs to read these where there is nothing to act on.
    """

    def __init__(self, documents: Sequence[Document], *, written: bool = True) -> None:
        self._written = written
        self._by_path: dict[str, list[Document]] = {}
        for document in documents:
            self._by_path.setdefault(document.path, []).append(document)
        self._every = tuple(documents)

    def of(self, origin: Origin) -> Location | None:
        """The location of an origin, None for one that lies nowhere."""
        if not origin.path:
            return None
        for document in self._by_path.get(origin.path, ()) if self._written else ():
            written = document.written(origin)
            if written is not None:
                return Location(written.path, written.line)
        return Location(origin.path, self._line(origin))

    def _line(self, origin: Origin) -> int | None:
        if origin.line is not None:
            return origin.line
        # a module's or a linked template's origin names another file than its document
        for document in self._by_path.get(origin.path, ()) or self._every:
            line = document.locate(origin)
            if line is not None:
                return line
        return None
