"""The Bicep CLI, for those who ask for it with `--bicep-cli`: it compiles, and its JSON is what is read.

Nothing here runs by itself, and no configuration file can ask for it: a repository that is scanned must
not choose what is executed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final, NoReturn

from aks_egress_scan.readers.base import MalformedError, Source
from aks_egress_scan.readers.json_text import load

#: seconds; restoring modules from a registry takes its time
_PATIENCE: Final = 300
_PROBLEM: Final = re.compile(
    r"^(?P<path>.+)\((?P<line>\d+),(?P<column>\d+)\) : Error (?P<said>.+)$", re.MULTILINE
)
_MORE: Final = re.compile(r"\s*\[https?://[^\]]*\]\s*$")
_OPTION: Final = "--bicep-cli"


def compiled(chosen: str, source: Source) -> dict[str, Any]:
    """The template that the CLI makes of a file; raises MalformedError with the place it names."""
    if source.path == "-" or not Path(source.path).is_file():
        raise MalformedError(f"`{_OPTION}` compiles files: name the file instead", source.path)
    done = _run([_program(chosen), "build", "--stdout", source.path], source)
    if done.returncode:
        _refuse(done.stderr.decode("utf-8", "replace"), source)
    found = load(Source(source.path, done.stdout))
    if not isinstance(found.value, dict):
        raise MalformedError("the Bicep CLI answered with something that is no template", source.path)
    return found.value


def _program(chosen: str) -> str:
    """The executable; `auto` is the one on the path, else the one that the Azure CLI installed."""
    known = Path("~/.azure/bin/bicep").expanduser()
    found = shutil.which("bicep") or (str(known) if known.is_file() else None)
    found = found if chosen == "auto" else shutil.which(chosen)
    if found is None:
        wanted = "no Bicep CLI is installed" if chosen == "auto" else f"`{chosen}` is no program"
        raise MalformedError(f"{wanted}: give its path, or leave `{_OPTION}` out", _OPTION)
    return found


def _run(command: list[str], source: Source) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=_PATIENCE)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise MalformedError(f"the Bicep CLI took longer than {_PATIENCE} seconds", source.path) from None
    except OSError as error:
        said = (error.strerror or "").casefold()
        raise MalformedError(f"the Bicep CLI cannot be run: {said}", _OPTION) from None


def _refuse(said: str, source: Source) -> NoReturn:
    found = _PROBLEM.search(said)
    if found is None:
        raise MalformedError("the Bicep CLI does not compile the file, and does not say why", source.path)
    where = os.path.relpath(found["path"], Path(source.path).resolve().parent)
    path = os.path.normpath(Path(source.path).parent / where).replace(os.sep, "/")
    message = _MORE.sub("", found["said"]).rstrip(".")
    raise MalformedError(
        f"the Bicep CLI does not compile the file: {message}", path, int(found["line"]), int(found["column"])
    )
