"""Which types of resources a declaration can bring, told without evaluating it: for what cannot be counted or placed."""

from __future__ import annotations

from typing import Any, Final

from aks_egress.values import get

DEPLOYMENTS: Final = "microsoft.resources/deployments"
ANY: Final = frozenset({"*"})


def full_type(kind: str, parent: str) -> str:
    """The type with its parent's before it, unless it is written in full."""
    kind = "/".join(part for part in kind.split("/") if part)
    if not parent or ("." in kind.split("/", maxsplit=1)[0] and "/" in kind):
        return kind
    return f"{parent}/{kind}"


def kinds_within(declared: Any, parent: str = "") -> frozenset[str]:
    """The lower-case types of a resource as written and of all that it holds; `*` where that is not written."""
    kind = get(declared, "type")
    if not isinstance(kind, str) or kind[:1] == "[":
        return ANY
    own = full_type(kind, parent)
    if own.casefold() == DEPLOYMENTS:
        return _of_template(get(get(declared, "properties"), "template"))
    return frozenset({own.casefold()}).union(
        *(kinds_within(row, own) for row in _rows(get(declared, "resources")))
    )


def _of_template(template: Any) -> frozenset[str]:
    if not isinstance(template, dict) or isinstance(get(template, "resources"), str):
        return ANY
    found: frozenset[str] = frozenset()
    return found.union(*(kinds_within(row) for row in _rows(get(template, "resources"))))


def _rows(resources: Any) -> list[Any]:
    if isinstance(resources, dict):
        return list(resources.values())
    return resources if isinstance(resources, list) else []
