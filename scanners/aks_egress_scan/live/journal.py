"""What was collected so far, on disk: an interrupted collection goes on where it stopped.

One JSON value a line, each a finished piece of work; half a line (a crash) is left out.  Only
what a snapshot keeps gets in, and only its owner may read the file.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

YOUNG = 3600.0
"""Seconds after which what was collected is too old to go on with."""


class Journal:
    """The finished pieces of one collection; `key` says what is collected, another key starts anew.

    Without a file nothing is kept.
    """

    def __init__(self, file: str = "", key: str = "", *, fresh: bool = False) -> None:
        self._file = Path(file) if file else None
        self._lock = Lock()
        self._pieces: dict[str, Any] = {}
        if self._file is None:
            return
        if not fresh and self._young():
            self._pieces = _read(self._file, key)
        if self._pieces:
            self._append("")  # what follows half a line must not be lost with it
        else:
            self._start(key)

    def __len__(self) -> int:
        return len(self._pieces)

    def __contains__(self, piece: str) -> bool:
        return piece in self._pieces

    def get(self, piece: str) -> Any:
        """What was found; KeyError for a piece that is not done."""
        return self._pieces[piece]

    def keep(self, piece: str, found: Any, *, lasting: bool = True) -> None:
        """A piece is done; one that is not `lasting` (it was refused) is asked for again by the next run."""
        with self._lock:
            self._pieces[piece] = found
            if lasting:
                self._append(json.dumps({"piece": piece, "found": found}))

    def done(self) -> None:
        """Everything is collected: nothing is left to go on with."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)

    def _append(self, line: str) -> None:
        """One more line; a disk that takes no more costs the going on later, not the collection."""
        if self._file is None:
            return
        try:
            with self._file.open("a", encoding="utf-8") as stream:
                stream.write(f"{line}\n")
        except OSError:
            self._file.unlink(missing_ok=True)
            self._file = None

    def _young(self) -> bool:
        assert self._file is not None  # noqa: S101  the caller has looked
        try:
            return time.time() - self._file.stat().st_mtime < YOUNG
        except OSError:
            return False

    def _start(self, key: str) -> None:
        assert self._file is not None  # noqa: S101  the caller has looked
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(json.dumps({"collecting": key}) + "\n")


def _read(file: Path, key: str) -> dict[str, Any]:
    """The pieces of a file that was begun for the same collection, else none."""
    begin, *lines = file.read_bytes().split(b"\n")
    if _json(begin) != {"collecting": key}:
        return {}
    rows = [row for row in map(_json, lines) if isinstance(row, Mapping)]
    return {row["piece"]: row["found"] for row in rows if isinstance(row.get("found"), Mapping)}


def _json(line: bytes) -> Any:
    """The value of a line; None for what was cut off."""
    try:
        return json.loads(line)
    except ValueError:
        return None
