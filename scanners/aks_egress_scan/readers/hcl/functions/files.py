"""Functions of files and paths."""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Callable
from typing import Final

from aks_egress.values import Unknown
from aks_egress_scan.readers.hcl.functions.encoding import digest
from aks_egress_scan.readers.hcl.functions.function import Calling, Function
from aks_egress_scan.readers.hcl.terms import ProblemError, SetTerm, Term

MAX_BYTES: Final = 4 << 20


def bytes_of(calling: Calling, path: str) -> bytes:
    """The bytes of a file; raises ProblemError where there is none within what is scanned."""
    data = calling.files.read(path)
    if data is None:
        raise ProblemError(f"there is no file `{path}` within the scanned folder")
    if len(data) > MAX_BYTES:
        raise ProblemError(f"the file `{path}` is too large")
    return data


def text_of(calling: Calling, path: str) -> str:
    """The text of a file; raises ProblemError."""
    try:
        return bytes_of(calling, path).decode("utf-8")
    except UnicodeDecodeError:
        raise ProblemError(f"the file `{path}` is not text in UTF-8") from None


def _exists(calling: Calling, path: str) -> Term:
    if calling.files.read(path) is not None:
        return True
    return (
        False
        if calling.files.names(posixpath.dirname(path) or ".") is not None
        else Unknown(f"nobody can say whether the file `{path}` is there")
    )


def _fileset(calling: Calling, folder: str, pattern: str) -> Term:
    names = calling.files.names(folder)
    if names is None:
        return Unknown(f"the files in `{folder}` cannot be listed")
    wanted = _glob(pattern)
    return SetTerm(sorted(name for name in names if wanted.fullmatch(name)))


def _glob(pattern: str) -> re.Pattern[str]:
    out: list[str] = []
    for piece in re.split(r"(\*\*/|\*\*|\*|\?|\{[^{}]*\}|\[[^\]]*\])", pattern):
        if piece == "**/":
            out.append("(?:.*/)?")
        elif piece == "**":
            out.append(".*")
        elif piece == "*":
            out.append("[^/]*")
        elif piece == "?":
            out.append("[^/]")
        elif piece.startswith("{"):
            out.append("(?:" + "|".join(_glob(one).pattern for one in piece[1:-1].split(",")) + ")")
        elif piece.startswith("["):
            out.append("[" + re.escape(piece[1:-1]).replace(r"\-", "-").replace(r"\^", "^", 1) + "]")
        else:
            out.append(re.escape(piece))
    try:
        return re.compile("".join(out))
    except re.error:
        raise ProblemError("the pattern of files is broken") from None


def _hashed(name: str, *, as_base64: bool = False) -> Callable[[Calling, str], str]:
    compute = digest(name, as_base64=as_base64)
    return lambda calling, path: compute(bytes_of(calling, path))


def _machine(path: str) -> Term:
    return path if path.startswith("/") else Unknown(f"where `{path}` lies depends on the machine")


def _home(path: str) -> Term:
    return path if not path.startswith("~") else Unknown("the home folder depends on the machine")


FUNCTIONS: Final = (
    Function("abspath", _machine, ("string",)),
    Function(
        "basename", lambda path: posixpath.basename(path.rstrip("/")) or ("/" if path else "."), ("string",)
    ),
    Function("dirname", lambda path: posixpath.normpath(posixpath.dirname(path) or "."), ("string",)),
    Function("file", text_of, ("string",), scoped=True),
    Function(
        "filebase64",
        lambda calling, path: base64.b64encode(bytes_of(calling, path)).decode("ascii"),
        ("string",),
        scoped=True,
    ),
    Function("filebase64sha256", _hashed("sha256", as_base64=True), ("string",), scoped=True),
    Function("filebase64sha512", _hashed("sha512", as_base64=True), ("string",), scoped=True),
    Function("fileexists", _exists, ("string",), scoped=True),
    Function("filemd5", _hashed("md5"), ("string",), scoped=True),
    Function("fileset", _fileset, ("string", "string"), scoped=True),
    Function("filesha1", _hashed("sha1"), ("string",), scoped=True),
    Function("filesha256", _hashed("sha256"), ("string",), scoped=True),
    Function("filesha512", _hashed("sha512"), ("string",), scoped=True),
    Function("pathexpand", _home, ("string",)),
)
