"""Reading the parts that rules share: address lists, port lists, protocols.

What Azure would refuse is returned as problems beside what is left; what is not known widens the
possible extent, never the sure one.
"""

from __future__ import annotations

from collections.abc import Iterable

from aks_egress.packets.addresses import EVERYWHERE, BadAddressError, parse, prefix
from aks_egress.packets.boxes import AH, ANY_PORT, ANY_PROTOCOL, ESP, ICMP, TCP, UDP
from aks_egress.packets.extents import Extent
from aks_egress.packets.intervals import EMPTY, IntervalSet, union
from aks_egress.records import record
from aks_egress.values import Unknown, Value, items, text


@record(frozen=True, slots=True)
class Tokens:
    """The entries of a singular and a plural form, taken together.

    `known` are the entries as written, `unknown` says why there may be others, `given` is whether
    anything was written at all.
    """

    known: tuple[str, ...]
    unknown: Unknown | None
    given: bool


NO_TOKENS = Tokens((), None, given=False)


def tokens(*forms: Value) -> Tokens:
    """Singular and plural forms of one field as one list; empty text and empty lists are absent."""
    known: list[str] = []
    unknown: Unknown | None = None
    for form in forms:
        rows = items(form)
        for row in [rows] if isinstance(rows, Unknown) else rows:
            spelled = text(row)
            if isinstance(spelled, Unknown):
                unknown = unknown or spelled
            elif spelled is not None:
                known.append(spelled)
    return Tokens(tuple(dict.fromkeys(known)), unknown, bool(known) or unknown is not None)


def addresses(entries: Iterable[str], *, ranges: bool = True) -> tuple[IntervalSet, list[str], list[str]]:
    """The addresses of the entries, the entries that are no address (tags, names), and the complaints.

    Ranges `a-b` are an address only where `ranges` says so: firewalls take them, security groups do not.
    """
    found: list[IntervalSet] = []
    names: list[str] = []
    complaints: list[str] = []
    for entry in entries:
        if entry == "*" or entry.casefold() == "any":
            found.append(EVERYWHERE)
        elif entry[:1].isdigit() or ":" in entry:
            try:
                found.append(parse(entry) if ranges else prefix(entry))
            except BadAddressError as error:
                complaints.append(str(error))
        else:
            names.append(entry)
    return union(found) if found else EMPTY, names, complaints


def ports(given: Tokens) -> tuple[Extent, list[str]]:
    """The ports of a port field: numbers, `a-b`, `*`; everything else is a complaint."""
    found: list[tuple[int, int]] = []
    complaints: list[str] = []
    for entry in given.known:
        span = _port_span(entry)
        if span is None:
            complaints.append(
                f"`{entry}` is not a port, a range `a-b` or `*`; several ports go into the plural form as a list"
            )
        else:
            found.append(span)
    sure = IntervalSet.of(found)
    return Extent(sure, ANY_PORT if given.unknown else sure), complaints


def _port_span(entry: str) -> tuple[int, int] | None:
    entry = entry.strip()
    if entry in ("*", "any", "Any"):
        return 0, 65535
    low, dash, high = entry.partition("-")
    low, high = low.strip(), high.strip() if dash else low.strip()
    if not (low.isdecimal() and high.isdecimal() and len(low) < 8 and len(high) < 8):
        return None
    first, last = int(low), int(high)
    return (first, last) if first <= last <= 65535 else None


_PROTOCOLS = {"tcp": TCP, "udp": UDP, "icmp": ICMP, "esp": ESP, "ah": AH, "icmpv6": 58}


def protocol(value: Value) -> tuple[Extent, str]:
    """The protocol numbers of one protocol field, and a complaint or nothing."""
    spelled = text(value)
    if isinstance(spelled, Unknown):
        return Extent.within(ANY_PROTOCOL), ""
    if spelled is None:
        return Extent.exactly(EMPTY), "the protocol is missing"
    folded = spelled.casefold()
    if folded in ("*", "any", "all"):
        return Extent.exactly(ANY_PROTOCOL), ""
    if folded in _PROTOCOLS:
        return Extent.exactly(IntervalSet.single(_PROTOCOLS[folded])), ""
    return Extent.exactly(EMPTY), f"`{spelled}` is not a protocol that Azure knows"
