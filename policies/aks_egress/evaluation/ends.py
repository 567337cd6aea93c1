"""The addresses where a cluster's flows begin and end, and what rules and routes cover of them.

Beside public addresses these are its own subnets, its pods and Azure's platform.  Of each a rule covers all or
nothing: one that cuts them is the business of that cluster alone (`Singular`).
"""

from __future__ import annotations

from collections.abc import Sequence

from aks_egress.packets.addresses import ALL_V4, EVERYWHERE, IMDS, PLATFORM_VIP, PUBLIC_V4
from aks_egress.packets.extents import Extent
from aks_egress.packets.intervals import IntervalSet, union
from aks_egress.packets.tags import TOPOLOGY_TAGS, ServiceTags
from aks_egress.topology.security import OUTBOUND, SecurityRule, Side
from aks_egress.values import Unknown

Token = tuple[object, ...]
"""A part of a description; equal parts are treated alike by every hop."""

ALL: Token = ("everything",)
NOTHING: Token = ("nothing",)


class Singular(Exception):  # noqa: N818  no error: it says that a cluster is judged by itself
    """Something about a cluster that is not described."""


class Ends:
    """The ends of one cluster's flows."""

    def __init__(self, own: Sequence[IntervalSet], tags: ServiceTags) -> None:
        if not all(own) or union(own).size < sum(one.size for one in own):
            raise Singular  # nobody could tell packets from the one from packets from the other
        self._own = (*own, PLATFORM_VIP, IMDS)
        self._tags = tags
        self._public = any(one & PUBLIC_V4 for one in own)
        self._covered: dict[int, tuple[IntervalSet, Token]] = {}

    def covers(self, members: IntervalSet) -> Token:
        """What a set holds of public addresses, and which of the ends it holds."""
        if members is EVERYWHERE or members is ALL_V4:
            return ALL
        known = self._covered.get(id(members))
        if known is None:
            token = (members & PUBLIC_V4, *(holds(members, end) for end in self._own))
            known = self._covered[id(members)] = (members, token if any(token) else NOTHING)
        return known[1]

    def extent(self, extent: Extent) -> Token:
        """What it surely covers, and what it may."""
        return self.covers(extent.sure), self.covers(extent.possible)

    def rule(self, rule: SecurityRule) -> Token:
        """What a security rule says and covers; raises Singular where a part of that is not known."""
        if rule.priority is None or rule.direction is None or isinstance(rule.access, Unknown):
            raise Singular
        if rule.uncertain is not None:
            raise Singular
        asked = (rule.name, rule.rank, rule.priority, rule.direction, rule.access)
        ports = (rule.protocol, rule.source_port, rule.port)
        return (*asked, *ports, self._side(rule.source), self._side(rule.destination))

    def _side(self, side: Side) -> Token:
        if side.open is not None or side.groups:
            raise Singular
        return (self.covers(side.literal), side.tags, *map(self._data, side.tags), side.given, side.damaged)

    def _data(self, tag: str) -> Token:
        """Which of the ends lie in a tag by the published data: what it holds of others is the same for all."""
        members = self._tags.prefixes(tag)
        if members is None:
            return ()
        return tuple(members.touches(*_hull(end)) and holds(members, end) for end in self._own)

    def concerned(self, rule: SecurityRule, ports: IntervalSet) -> bool:
        """Whether a rule may decide over any flow; `ports` are those that flows to public addresses go to."""
        if rule.direction == OUTBOUND and rule.port.possible & ports:
            return True
        return rule.direction is None or self._public or self._touched(rule.destination)

    def _touched(self, side: Side) -> bool:
        """Whether a side may cover any of the ends."""
        settled = side.given and not (side.damaged or side.groups) and side.open is None
        if not settled or any(side.literal & end for end in self._own):
            return True
        tags = (one.strip().casefold().replace("_", "") for one in side.tags)
        named = any(one in TOPOLOGY_TAGS and one != "internet" for one in tags)
        return named or any(any(self._data(one)) for one in side.tags)


def _hull(members: IntervalSet) -> tuple[int, int]:
    return members.spans[0][0], members.spans[-1][1]


def holds(members: IntervalSet, end: IntervalSet) -> bool:
    """Whether a set holds all of some addresses or none; raises Singular where it cuts them."""
    both = members & end
    if both and both != end:
        raise Singular
    return bool(both)
