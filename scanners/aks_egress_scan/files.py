"""The files of a run: found, bounded, read once, and followed to their neighbours.

Paths are kept as the user named them, with `/` between folders; the order never depends on the
order of naming or of the file system.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator

from aks_egress.records import field, record
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.readers.base import MalformedError, Source

MIB = 1 << 20
DEFAULT_MAX_SIZE = 256

#: files up to this many bytes are kept for a second reading
KEPT = MIB

#: what stands in every comment and tag that accepts a finding
MARK = b"aks-egress"

SKIPPED = frozenset(
    {".git", ".hg", ".svn", ".terraform", "node_modules", ".venv", "venv", "__pycache__", ".tox"}
)


@record(slots=True)
class Files:
    """Reads files for one run; `max_size` in MiB.

    `texts` has the bytes of every file that speaks of us, by the path that people know it by.
    `followed` has, for every file that was read as a neighbour, the files that asked for it.
    """

    max_size: int = DEFAULT_MAX_SIZE
    followed: dict[str, set[str]] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    _read: dict[str, bytes] = field(default_factory=dict)

    def named(self, path: str, root: str) -> Source:
        """A file that somebody named; raises UsageFailure where it cannot be read."""
        if path == "-":
            return Source("-", self._bounded(standard_input(self.max_size * MIB + 1), "-"))
        try:
            return self._source(path, root)
        except OSError as error:
            raise UsageFailure(f"cannot read `{path}`: {reason(error)}") from None

    def found(self, path: str, root: str) -> Source:
        """A file that a search found; what cannot be read is as bad as what is malformed."""
        try:
            return self._source(path, root)
        except OSError as error:
            raise MalformedError(f"cannot be read: {reason(error)}", path) from None

    def head(self, path: str, size: int) -> bytes:
        """The beginning of a file, empty where it cannot be read."""
        try:
            with open(path, "rb") as stream:
                return stream.read(size)
        except OSError:
            return b""

    def _source(self, path: str, root: str) -> Source:
        data = self._bytes(path)
        if MARK in data:
            self.texts[path] = data
        return Source(
            path,
            data,
            lambda name: self._sibling(path, name, root),
            lambda folder: _listing(path, folder, root),
        )

    def _bytes(self, path: str) -> bytes:
        key = os.path.realpath(path)
        if key in self._read:
            return self._read[key]
        with open(path, "rb") as stream:
            data = self._bounded(stream.read(self.max_size * MIB + 1), path)
        if len(data) <= KEPT:
            self._read[key] = data
        return data

    def _bounded(self, data: bytes, path: str) -> bytes:
        if len(data) > self.max_size * MIB:
            raise MalformedError(
                f"larger than {self.max_size} MiB: raise `--max-size` if that is meant", path
            )
        return data

    def _sibling(self, path: str, name: str, root: str) -> Source | None:
        """The file `name` seen from the folder of `path`, None outside the root and where there is none."""
        if not name or "\0" in name:
            return None
        target = _beside(path, name)
        if not _within(target, root) or not os.path.isfile(target):
            return None
        try:
            source = self._source(target, root)
        except (OSError, MalformedError):
            return None
        self.followed.setdefault(target, set()).add(path)
        return source


def standard_input(size: int) -> bytes:
    """At most `size` bytes of standard input; raises UsageFailure where there is none to read."""
    if sys.stdin is None:
        raise UsageFailure("cannot read standard input: it is closed")
    try:
        return sys.stdin.buffer.read(size)
    except OSError as error:
        raise UsageFailure(f"cannot read standard input: {reason(error)}") from None


def _beside(path: str, name: str) -> str:
    return tidy(os.path.join(os.path.dirname(path), name.replace("\\", "/")))


def _within(path: str, root: str) -> bool:
    """Whether a path really lies in the root, whatever links lead to it."""
    real = os.path.realpath(path)
    return real == root or real.startswith(os.path.join(root, ""))


def _listing(path: str, folder: str, root: str) -> list[str] | None:
    """The names in a folder beside `path`, folders with a `/` behind them; None where nobody can list it."""
    target = _beside(path, folder)
    if "\0" in folder or not _within(target, root):
        return None
    try:
        with os.scandir(target) as found:
            return sorted(f"{one.name}/" if one.is_dir() else one.name for one in found)
    except OSError:
        return None


def tidy(path: str) -> str:
    """A path in one spelling: no `./`, no `a/../`, `/` between folders."""
    return path if path == "-" else os.path.normpath(path).replace(os.sep, "/")


def root_of(path: str) -> str:
    """The real folder that an input's neighbours may lie in.

    It is the working directory where the input lies in it (and it is not the whole disk), else the
    input's own folder.
    """
    real = os.path.realpath(path)
    here = os.path.realpath(os.curdir)
    if here != os.path.dirname(here) and (real == here or real.startswith(os.path.join(here, ""))):
        return here
    return real if os.path.isdir(real) else os.path.dirname(real)


def walk(folder: str, suffixes: tuple[str, ...]) -> Iterator[str]:
    """The regular files below a folder that have one of the suffixes, in the order of their paths.

    Raises MalformedError where a folder cannot be listed: what nobody could look into is no pass.
    """

    def refused(error: OSError) -> None:
        raise MalformedError(f"cannot list the folder: {reason(error)}", tidy(str(error.filename)))

    for place, folders, names in os.walk(folder, onerror=refused):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in sorted(names):
            path = os.path.join(place, name)
            if name.casefold().endswith(suffixes) and _is_regular(path):
                yield tidy(path)


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return True  # a dangling link or a refusal: reading it says why


def reason(error: OSError) -> str:
    """Why the system refused, in its own words and lower case."""
    said = error.strerror or type(error).__name__
    return said[:1].lower() + said[1:]
