"""Which line of which file each part of a lowered template comes from."""

from __future__ import annotations

from collections.abc import Callable

from aks_egress.records import field, record
from aks_egress.values import Origin, Step


@record(slots=True)
class Place:
    """The place of one part of a template, and of the parts within it.

    A part without a place of its own stands where the nearest part around it does.  A module's
    places are shared by every use of it.  `lookup` answers for everything below, where it is set.
    """

    path: str
    line: int | None
    parts: dict[Step, Place] = field(default_factory=dict)
    lookup: Callable[[tuple[Step, ...]], Origin] | None = None

    def origin(self, pointer: tuple[Step, ...]) -> Origin:
        """The place of the part at `pointer`."""
        here = self
        for position, step in enumerate(pointer):
            if here.lookup is not None:
                return here.lookup(pointer[position:])
            found = here.parts.get(step)
            if found is None:
                break
            here = found
        return here.lookup(()) if here.lookup is not None else Origin(here.path, here.line)
