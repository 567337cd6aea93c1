"""Resource ids: equality without case, as Azure compares them, and scopes that may be open.

A template does not say which subscription or resource group it will be deployed to.  Such a part
of an id is written `{subscription}` or `{resource-group}` (braces occur in no real id) and could
be any; `could_be` compares with that in mind, and two documents join through it.
"""

from __future__ import annotations

from functools import lru_cache
from sys import intern
from typing import Self

from aks_egress.records import field, record

OPEN_SUBSCRIPTION = "{subscription}"
OPEN_RESOURCE_GROUP = "{resource-group}"


class BadResourceIdError(ValueError):
    """The text is not an Azure resource id."""


@record(frozen=True, slots=True)
class ResourceId:
    """An Azure resource id, split at its last provider.

    `scope` is what stands before `/providers/` (lower-case), `type` the full resource type
    (`Microsoft.Network/virtualNetworks/subnets`) and `names` one name for each type segment.
    """

    key: str
    spelling: str = field(compare=False)
    scope: str = field(compare=False)
    type: str = field(compare=False)
    names: tuple[str, ...] = field(compare=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `/subscriptions/…/providers/Namespace/type/name[/type/name…]`; raise BadResourceIdError."""
        found = _read(text)
        if found is None:
            raise BadResourceIdError(f"not an Azure resource id: `{text}`")
        return cls(*found)

    @classmethod
    def of(cls, scope: str, kind: str, *names: str) -> Self:
        """Compose an id from its scope, full type and one name for each type segment."""
        namespace, *segments = kind.split("/")
        pairs = "/".join(f"{segment}/{name}" for segment, name in zip(segments, names, strict=True))
        return cls.parse(f"{scope.rstrip('/')}/providers/{namespace}/{pairs}")

    @property
    def name(self) -> str:
        """The last name."""
        return self.names[-1]

    @property
    def kind(self) -> str:
        """The full type in lower case, for comparing."""
        return self.type.casefold()

    @property
    def open_names(self) -> bool:
        """Whether a name in it is not known (`{name}`): it is the same name within its own document only."""
        return any("{" in name for name in self.names)

    @property
    def parent(self) -> ResourceId | None:
        """The id one level up, or None for a top-level resource."""
        if len(self.names) < 2:
            return None
        return ResourceId.parse(self.spelling.rsplit("/", 2)[0])

    def child(self, kind: str, name: str) -> ResourceId:
        """The id of a child resource."""
        if not _one_part(kind) or not _one_part(name):
            return ResourceId.parse(f"{self.spelling}/{kind}/{name}")
        return ResourceId(
            f"{self.key}/{kind.casefold()}/{name.casefold()}",
            f"{self.spelling}/{kind}/{name}",
            self.scope,
            intern(f"{self.type}/{kind}"),
            (*self.names, name),
        )

    def could_be(self, other: ResourceId) -> bool:
        """Whether both may name one resource, open parts of the scope matching anything."""
        if self.kind != other.kind or [n.casefold() for n in self.names] != [
            n.casefold() for n in other.names
        ]:
            return False
        mine, theirs = self.scope.split("/"), other.scope.split("/")
        if len(mine) != len(theirs):
            return False
        return all(
            a == b or a.startswith("{") or b.startswith("{") for a, b in zip(mine, theirs, strict=True)
        )

    def __str__(self) -> str:
        return self.spelling


def _one_part(text: str) -> bool:
    """Whether a text is one part of an id as it stands."""
    return bool(text) and "/" not in text and text == text.strip()


@lru_cache(maxsize=1 << 14)
def _read(text: str) -> tuple[str, str, str, str, tuple[str, ...]] | None:
    """The members of an id, one object for all that name the same resource; None where it is not an id."""
    parts = [part for part in text.strip().split("/") if part]
    folded = [part.casefold() for part in parts]
    if "providers" not in folded:
        return None
    split = len(folded) - 1 - folded[::-1].index("providers")
    tail = parts[split + 1 :]
    if len(tail) < 3 or len(tail) % 2 == 0:
        return None
    scope, kind = intern("/".join(folded[:split])), intern("/".join([tail[0], *tail[1::2]]))
    return "/" + "/".join(folded), "/" + "/".join(parts), scope, kind, tuple(tail[2::2])


def parse_id(text: object) -> ResourceId | None:
    """The id in `text`, or None where it is not text or not an id."""
    if not isinstance(text, str):
        return None
    found = _read(text)
    return None if found is None else ResourceId(*found)
