"""What is yet to be deployed, laid over what runs: what is gone, and how parts that others decide come in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aks_egress.arm.ids import ResourceId
from aks_egress.arm.index import names_of
from aks_egress.arm.resources import Document, Kept
from aks_egress.values import Origin, Step, Unknown, Value, at, get


class Gone:
    """What definitions that are yet to be deployed delete, and which of them does."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._by_key: dict[str, Document] = {}
        self._by_names: dict[tuple[str, ...], list[tuple[ResourceId, Document]]] = {}
        self._groups: list[tuple[list[str], Document]] = []
        for document in documents:
            if not document.runs:
                for one in document.deleted:
                    self._by_key[one.key] = document
                    self._by_names.setdefault(names_of(one), []).append((one, document))
                self._groups += [(_parts(one), document) for one in sorted(document.deleted_groups)]
        self._open = any("{" in key for key in self._by_key)

    def by(self, wanted: ResourceId) -> Document | None:
        """The definition that deletes a resource, what it is a child of, or the group it lies in."""
        found = self._known(wanted) if self._by_key else None
        if found is None and self._groups:
            scope = wanted.scope.split("/")
            found = next((document for group, document in self._groups if _within(scope, group)), None)
        return found

    def _known(self, wanted: ResourceId) -> Document | None:
        """By ids: looked up where none of them is open, for there may be very many."""
        key = wanted.key
        for _ in wanted.names:
            if key in self._by_key:
                return self._by_key[key]
            key = key.rsplit("/", 2)[0]
        above: ResourceId | None = wanted if self._open or "{" in wanted.scope else None
        while above is not None:
            for one, document in self._by_names.get(names_of(above), ()):
                if one.could_be(above):
                    return document
            above = above.parent
        return None

    def why(self, wanted: ResourceId) -> Unknown | None:
        """That a resource is deleted, as the reason why a reference to it leads nowhere."""
        document = self.by(wanted)
        if document is None:
            return None
        said = f"`{'/'.join(wanted.names)}` ({wanted.type}) is deleted by `{document.path}`"
        return Unknown(
            said, Origin(document.path), settle="change what refers to it as well, or leave it where it is"
        )


def _parts(scope: str) -> list[str]:
    return [part.casefold() for part in scope.split("/") if part]


def _within(scope: list[str], group: list[str]) -> bool:
    return len(scope) >= len(group) and all(
        mine == theirs or mine.startswith("{") for mine, theirs in zip(scope, group, strict=False)
    )


def laid(body: Mapping[str, Value], kept: Kept, said: Value) -> tuple[dict[str, Value], dict[int, int]]:
    """The body with a part as others say it; of a list also which row came from which.

    Rows that the body has itself stay, and those of the others come behind them.
    """
    held = at(dict(body), *kept.path)
    if not isinstance(said, list):
        said = [*held, said] if isinstance(held, list) and isinstance(said, Unknown) else said
        return _with(dict(body), kept.path, said), {}
    own = held if isinstance(held, list) else []
    taken = {_name(row) for row in [*own, *kept.dropped]}
    more = [i for i, row in enumerate(said) if isinstance(row, Unknown) or _name(row) not in taken]
    rows = [*own, *(said[i] for i in more)]
    return _with(dict(body), kept.path, rows), {len(own) + place: i for place, i in enumerate(more)}


def agreed(values: Sequence[Value], why: Unknown) -> Value:
    """The one value that all of them are; where they differ, the reason given."""
    first = _plain(values[0])
    return values[0] if all(_plain(one) == first for one in values[1:]) else why


def _plain(value: Value) -> object:
    """A value for comparing: references by their id in lower case, empty as absent."""
    spelled = get(value, "id") if isinstance(value, dict) else None
    if isinstance(spelled, str):
        return spelled.casefold()
    return None if value in ("", [], {}) else value


def _name(row: Value) -> object:
    """What tells a row of a list from the others: its name, its id, or itself."""
    found = (get(row, "name") or get(row, "id")) if isinstance(row, dict) else row
    return found.casefold() if isinstance(found, str) else repr(found)


def _with(value: dict[str, Value], path: Sequence[Step], said: Value) -> dict[str, Value]:
    """A copy with another value at a path; None takes away what stands there."""
    step, rest = path[0], path[1:]
    key = next((one for one in value if one.casefold() == str(step).casefold()), str(step))
    if not rest:
        kept = {name: item for name, item in value.items() if name != key}
        return kept if said is None else {**kept, key: said}
    inner = value.get(key)
    if isinstance(inner, list) and isinstance(rest[0], int):
        row = inner[rest[0]]
        changed = _with(row, rest[1:], said) if isinstance(row, dict) else row
        return {**value, key: [*inner[: rest[0]], changed, *inner[rest[0] + 1 :]]}
    if isinstance(inner, Unknown):
        return value
    return {**value, key: _with(inner if isinstance(inner, dict) else {}, rest, said)}
