"""What all templates of one deployment share: where parts stand, notices, the resources met so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from aks_egress.arm.resources import Notice
from aks_egress.records import field, record
from aks_egress.values import Origin, Step, Unknown, Value
from aks_egress_scan.readers.base import MalformedError
from aks_egress_scan.readers.expressions.limits import Budget

if TYPE_CHECKING:
    from aks_egress_scan.readers.arm.instances import Instance

Pointer = tuple[Step, ...]

_NOTICE_LIMIT: Final = 100
_RESOURCE_LIMIT: Final = 20_000


class RefusedError(Exception):
    """ARM would refuse the template for this, whatever its parameters are; the place is added on the way out."""


@record(frozen=True, slots=True)
class File:
    """A file that templates stand in.

    `place` turns a pointer into the file's JSON (or into the compiled form of a source) into an origin.
    `sibling` finds another template by a path relative to this one.  `quote` says what the source of a
    compiled form says at a pointer, None where the JSON speaks for itself.
    """

    path: str
    place: Callable[[Pointer], Origin]
    sibling: Callable[[str], Linked | None]
    quote: Callable[[Pointer], str | None] = lambda _: None


@record(frozen=True, slots=True)
class Linked:
    """A template that another one names, with the file it stands in."""

    template: dict[str, Any]
    file: File


@record(slots=True)
class World:
    """One deployment with everything nested in it."""

    path: str
    locate: Callable[[Origin], int | None]
    options: Mapping[str, Value] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    notices: list[Notice] = field(default_factory=list)
    unread: dict[str, Unknown] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    count: int = 0
    resources: int = 0

    def serial(self) -> int:
        """The next of a row of numbers: two values that nobody knows are not the same value."""
        self.count += 1
        return self.count

    def enter(self, instance: Instance) -> None:
        """Make a resource known to all deployments; what is deployed stands before what is only referred to."""
        known = self.instances.get(instance.id.key)
        if known is None or (known.existing and not instance.existing):
            self.instances[instance.id.key] = instance

    def count_resource(self, origin: Origin) -> None:
        """Refuse a deployment that declares absurdly many resources."""
        self.resources += 1
        if self.resources > _RESOURCE_LIMIT:
            raise self.refuse(f"the template declares more than {_RESOURCE_LIMIT:,} resources", origin)

    def refuse(self, message: str, origin: Origin) -> MalformedError:
        """The error for a template that is broken at a place."""
        return MalformedError(message, origin.path or self.path, self.locate(origin))

    def notice(self, code: str, message: str, origin: Origin) -> None:
        """Note something, once; after many the rest is counted out."""
        if len(self.notices) < _NOTICE_LIMIT and not any(
            one.message == message and one.origin == origin for one in self.notices
        ):
            self.notices.append(Notice(code, message, origin))

    def miss(self, kind: str, reason: Unknown) -> None:
        """Note that there may be more resources of a type (`*`: of any) than are found."""
        self.unread.setdefault(kind.casefold(), reason)
        self.notice("unread", reason.why, reason.origin)

    def option(self, name: str) -> Value:
        """What `--param` says of the deployment itself: `resourceGroup().location=westeurope`."""
        return self.options.get(name.casefold())
