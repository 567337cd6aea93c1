"""How far collecting is, on standard error: done, in all, how many a second, and how long it will take."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from threading import Lock

EVERY = 5.0
"""Seconds between two lines where standard error is no terminal."""


class Progress:
    """Tells of work that is done piece by piece; silent when `quiet`."""

    def __init__(self, *, quiet: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._quiet, self._clock = quiet, clock
        self._terminal = sys.stderr.isatty()
        self._lock = Lock()
        self._what, self._began, self._last, self._done, self._first = "", 0.0, 0.0, 0, 0

    def begin(self, what: str, done: int = 0) -> None:
        """A new kind of work; `done` pieces of it were done before."""
        now = self._clock()
        self._what, self._began, self._last, self._first, self._done = what, now, now, done, done

    def step(self, done: int, total: int) -> None:
        """So many pieces are done."""
        with self._lock:
            self._done = max(self._done, done)
            now = self._clock()
            wait = 0.2 if self._terminal else EVERY
            if self._quiet or now - self._last < wait:
                return
            self._last = now
            self._show(self.sentence(total), end="")

    def end(self, said: str) -> None:
        """The work is done."""
        if not self._quiet:
            self._show(said, end="\n")

    def sentence(self, total: int) -> str:
        """`resources: 2000 of 9500, 800 a second, 9 s left`."""
        passed = self._clock() - self._began
        rate = (self._done - self._first) / passed if passed > 0 else 0.0
        left = f", {max(0, total - self._done) / rate:.0f} s left" if rate > 0 and total else ""
        of = f" of {total}" if total else ""
        return f"{self._what}: {self._done}{of}, {rate:.0f} a second{left}"

    def _show(self, text: str, end: str) -> None:
        if self._terminal:
            sys.stderr.write(f"\r\x1b[Kaks-egress: {text}{end}")
        else:
            sys.stderr.write(f"aks-egress: {text}\n")
        sys.stderr.flush()
