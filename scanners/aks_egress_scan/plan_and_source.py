"""A plan beside the Terraform source that it was made from: which of the two is judged."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence

from aks_egress.arm.resources import Document

_DECLARED = re.compile(
    rb'^[ \t]*(data|resource)\s+"([^"\n]+)"\s+"([^"\n]+)"|^[ \t]*module\s+"([^"\n]+)"', re.MULTILINE
)
_KEY = re.compile(r"\[(?:\"[^\"]*\"|[^\]]*)\]")


def modules_beside(plan: str) -> tuple[str, ...]:
    """The folders whose module a plan may be of: its own, and the one around it."""
    folder = posixpath.dirname(plan)
    around = posixpath.normpath(posixpath.join(folder, ".."))
    return (f"{folder or '.'}/", f"{around}/")


def is_plan_of(documents: Sequence[Document], files: Iterable[bytes]) -> bool:
    """Whether everything that a plan shows is declared in the files of a root module."""
    shown = {name for document in documents for name in _shown(document)}
    return bool(shown) and shown <= {name for data in files for name in _declared(data)}


def _shown(document: Document) -> Iterator[str]:
    """What stands in the root module: `type.name`, `data.type.name` or `module.name`."""
    for resource in document.resources:
        parts = _KEY.sub("", resource.address).split(".")
        if len(parts) > 1:
            yield ".".join(parts[: 3 if parts[0] == "data" else 2])


def _declared(data: bytes) -> Iterator[str]:
    for mode, kind, name, module in _DECLARED.findall(data):
        if module:
            yield f"module.{module.decode('utf-8', 'replace')}"
        else:
            prefix = "data." if mode == b"data" else ""
            yield f"{prefix}{kind.decode('utf-8', 'replace')}.{name.decode('utf-8', 'replace')}"
