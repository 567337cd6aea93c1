"""Sets of whole numbers, kept as sorted, disjoint, non-touching intervals.

One canonical form for each set, so `==` means "the same set".  Addresses, ports and protocol
numbers are all such sets; every operation is linear in the intervals it has to look at.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache

Span = tuple[int, int]
"""First and last member, both included."""


class IntervalSet:
    """An immutable set of integers."""

    __slots__ = ("_hash", "spans")

    def __init__(self, spans: tuple[Span, ...]) -> None:
        """Trust `spans` to be canonical; use `IntervalSet.of` for anything else."""
        self.spans = spans
        self._hash: int | None = None

    @classmethod
    def of(cls, spans: Iterable[Span]) -> IntervalSet:
        """The set of all members of `spans`, in any order, overlapping or not."""
        merged: list[Span] = []
        for low, high in sorted(spans):
            if merged and low <= merged[-1][1] + 1:
                if high > merged[-1][1]:
                    merged[-1] = (merged[-1][0], high)
            else:
                merged.append((low, high))
        return cls(tuple(merged)) if merged else EMPTY

    @classmethod
    def single(cls, low: int, high: int | None = None) -> IntervalSet:
        """One interval, or one number."""
        return cls(((low, low if high is None else high),))

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IntervalSet) and (self is other or self.spans == other.spans)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self.spans)
        return self._hash

    def __contains__(self, number: int) -> bool:
        spans = self.spans
        i = bisect_left(spans, (number + 1,)) - 1
        return i >= 0 and spans[i][1] >= number

    def touches(self, low: int, high: int) -> bool:
        """Whether any member lies between two numbers, both included."""
        spans = self.spans
        i = bisect_left(spans, (high + 1,)) - 1
        return i >= 0 and spans[i][1] >= low

    def __and__(self, other: IntervalSet) -> IntervalSet:
        if self is other:
            return self
        a, b = self.spans, other.spans
        if not a or not b or a[-1][1] < b[0][0] or b[-1][1] < a[0][0]:
            return EMPTY
        # one interval around the other set: the answer is that set, not a copy
        if len(a) == 1 and a[0][0] <= b[0][0] and b[-1][1] <= a[0][1]:
            return other
        if len(b) == 1 and b[0][0] <= a[0][0] and a[-1][1] <= b[0][1]:
            return self
        if len(a) == 1 and len(b) == 1:
            return IntervalSet(((max(a[0][0], b[0][0]), min(a[0][1], b[0][1])),))
        if len(a) + len(b) <= SHORT:
            return _shared(self, other)
        if len(a) > len(b):
            a, b = b, a
        return _wrap(_clipped(a, b) if len(a) * 8 < len(b) else _met(a, b))

    def __or__(self, other: IntervalSet) -> IntervalSet:
        if self is other or not other.spans:
            return self
        return IntervalSet.of((*self.spans, *other.spans)) if self.spans else other

    def __sub__(self, other: IntervalSet) -> IntervalSet:
        if self is other or not self.spans:
            return EMPTY
        a, b = self.spans, other.spans
        if not b or a[-1][1] < b[0][0] or b[-1][1] < a[0][0]:
            return self
        return _wrap(_without(a, b))

    def __le__(self, other: IntervalSet) -> bool:
        return (self & other) == self

    def __len__(self) -> int:
        raise TypeError("an interval set may be too large to count with len; use `size`")

    def __iter__(self) -> Iterator[Span]:
        return iter(self.spans)

    @property
    def size(self) -> int:
        """How many members there are."""
        return sum(high - low + 1 for low, high in self.spans)

    @property
    def first(self) -> int:
        """The smallest member; the set must not be empty."""
        return self.spans[0][0]

    def __repr__(self) -> str:
        return f"IntervalSet({list(self.spans)!r})"


EMPTY = IntervalSet(())


def union(sets: Iterable[IntervalSet]) -> IntervalSet:
    """Everything that is in any of `sets`."""
    every = list(sets)
    if every and all(one is every[0] for one in every):
        return every[0]
    return IntervalSet.of(span for one in every for span in one.spans)


SHORT = 4096
"""Intersections of sets that have no more intervals together are remembered: a run asks for the same few."""


@lru_cache(maxsize=1024)
def _shared(one: IntervalSet, other: IntervalSet) -> IntervalSet:
    return _wrap(_met(one.spans, other.spans))


def _wrap(spans: list[Span]) -> IntervalSet:
    return IntervalSet(tuple(spans)) if spans else EMPTY


def _met(a: tuple[Span, ...], b: tuple[Span, ...]) -> list[Span]:
    """The intersection of two lists of like length, walked in step."""
    out: list[Span] = []
    i = j = 0
    while i < len(a) and j < len(b):
        low, high = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if low <= high:
            out.append((low, high))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return out


def _clipped(few: tuple[Span, ...], many: tuple[Span, ...]) -> list[Span]:
    """The intersection of a short list with a long one, found by bisection."""
    out: list[Span] = []
    for low, high in few:
        i = max(bisect_left(many, (low,)) - 1, 0)
        while i < len(many) and many[i][0] <= high:
            if many[i][1] >= low:
                out.append((max(low, many[i][0]), min(high, many[i][1])))
            i += 1
    return out


def _without(a: tuple[Span, ...], b: tuple[Span, ...]) -> list[Span]:
    """Members of `a` that are not in `b`."""
    out: list[Span] = []
    j = max(bisect_left(b, (a[0][0],)) - 1, 0)
    for low, high in a:
        while j < len(b) and b[j][1] < low:
            j += 1
        k = j
        while low <= high and k < len(b) and b[k][0] <= high:
            if b[k][0] > low:
                out.append((low, b[k][0] - 1))
            low = max(low, b[k][1] + 1)  # noqa: PLW2901  the rest of this interval is what is left to cut
            k += 1
        if low <= high:
            out.append((low, high))
    return out
