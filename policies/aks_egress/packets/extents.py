"""What a rule covers when parts of it are not known: at least this, at most that."""

from __future__ import annotations

from collections.abc import Iterable

from aks_egress.packets.intervals import EMPTY, IntervalSet, union
from aks_egress.records import record


@record(frozen=True, slots=True)
class Extent:
    """A set known from below and from above: `sure` is in it, nothing outside `possible` is."""

    sure: IntervalSet
    possible: IntervalSet

    @classmethod
    def exactly(cls, members: IntervalSet) -> Extent:
        """A set that is known."""
        return cls(members, members)

    @classmethod
    def within(cls, members: IntervalSet) -> Extent:
        """A set of which only the outer limit is known."""
        return cls(EMPTY, members)

    @property
    def known(self) -> bool:
        """Whether nothing is open."""
        return self.sure == self.possible

    def __or__(self, other: Extent) -> Extent:
        return Extent(self.sure | other.sure, self.possible | other.possible)

    def __and__(self, other: Extent) -> Extent:
        return Extent(self.sure & other.sure, self.possible & other.possible)


NOTHING = Extent.exactly(EMPTY)


def joined(extents: Iterable[Extent]) -> Extent:
    """The union of several."""
    every = list(extents)
    if len(every) == 1:
        return every[0]
    return Extent(union(one.sure for one in every), union(one.possible for one in every))
