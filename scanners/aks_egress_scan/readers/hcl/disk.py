"""The files of a configuration, by their paths from the root module's folder."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Final

from aks_egress_scan.readers.base import Source

MAX_FILES: Final = 10_000
MAX_DEPTH: Final = 12


class Disk:
    """Reads files around the root module, never beyond what is scanned.

    What a folder holds is known only where the source can list it.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._listing: Callable[[str], list[str] | None] = source.listing
        self._found: dict[str, Source | None] = {}
        self._names: dict[str, list[str] | None] = {}
        name = posixpath.basename(source.path)
        self._found[name] = source
        self.folder = posixpath.dirname(source.path)

    def source(self, path: str) -> Source | None:
        """The file at a path, None where there is none within reach."""
        key = posixpath.normpath(path)
        if key not in self._found:
            outside = key.startswith("/") or key in ("", ".", "..")
            self._found[key] = None if outside else self._source.sibling(key)
        return self._found[key]

    def read(self, path: str) -> bytes | None:
        """The bytes of a file."""
        found = self.source(path)
        return None if found is None else found.data

    def names(self, folder: str) -> list[str] | None:
        """The paths of all files below a folder, relative to it, in order."""
        found = self._entries(folder)
        if found is None:
            return None
        out: list[str] = []
        waiting = [(name, 1) for name in found]
        while waiting and len(out) < MAX_FILES:
            name, depth = waiting.pop()
            if not name.endswith("/"):
                out.append(name)
            elif depth < MAX_DEPTH and name not in (".git/", ".terraform/"):
                inside = self._entries(posixpath.join(folder, name)) or []
                waiting += [(name + one, depth + 1) for one in inside]
        return sorted(out)

    def files(self, folder: str) -> list[str] | None:
        """The names of the files in a folder itself."""
        found = self._entries(folder)
        return None if found is None else [name for name in found if not name.endswith("/")]

    def _entries(self, folder: str) -> list[str] | None:
        key = posixpath.normpath(folder or ".")
        if key not in self._names:
            found = None if key.startswith("/") else self._listing(key)
            self._names[key] = None if found is None else sorted(found)
        return self._names[key]

    def spelled(self, path: str) -> str:
        """A path from the root module's folder as the user would write it."""
        joined = posixpath.join(self.folder, path) if self.folder else path
        return posixpath.normpath(joined)
