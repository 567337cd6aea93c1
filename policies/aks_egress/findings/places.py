"""From origins to places: the line of a value, found when a report asks for it."""

from __future__ import annotations

from collections.abc import Sequence

from aks_egress.arm.resources import Document
from aks_egress.findings.report import Location
from aks_egress.values import Origin


class Places:
    """Turns origins of the documents of one run into locations."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._by_path: dict[str, list[Document]] = {}
        for document in documents:
            self._by_path.setdefault(document.path, []).append(document)
        self._every = tuple(documents)

    def of(self, origin: Origin) -> Location | None:
        """The location of an origin, None for one that lies nowhere."""
        if not origin.path:
            return None
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
