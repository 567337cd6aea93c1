"""IPv4 and IPv6 addresses as numbers in one space, and the ranges that have a meaning of their own.

An IPv4 address is its number; an IPv6 address is its number plus 2**32.  The families never meet,
so one dimension of a packet serves both, and `0.0.0.0/0` is IPv4 alone (docs/decisions, U6).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from aks_egress.packets.intervals import IntervalSet, Span, union

if TYPE_CHECKING:
    import ipaddress

_V6 = 1 << 32

ALL_V4 = IntervalSet.single(0, _V6 - 1)
ALL_V6 = IntervalSet.single(_V6, _V6 + (1 << 128) - 1)
EVERYWHERE = IntervalSet.single(0, _V6 + (1 << 128) - 1)


class BadAddressError(ValueError):
    """The text is no address, prefix or range; the message says in what way."""


@lru_cache(maxsize=65536)
def parse(text: str, *, host_bits: bool = False) -> IntervalSet:
    """The addresses of an IP, a CIDR prefix or a range `a-b`.

    Raises BadAddressError, also for a prefix with host bits set (Azure refuses it) unless
    `host_bits` allows them.
    """
    text = text.strip()
    quick = _quick_v4(text)
    if quick is not None:
        return quick
    return _parsed(text, host_bits=host_bits)


def _parsed(text: str, *, host_bits: bool) -> IntervalSet:
    """Everything but the common case, by the standard library."""
    import ipaddress  # noqa: PLC0415  most inputs hold IPv4 prefixes alone

    low, dash, high = text.partition("-")
    try:
        if dash:
            first, last = ipaddress.ip_address(low.strip()), ipaddress.ip_address(high.strip())
            if first.version != last.version or int(first) > int(last):
                raise BadAddressError(f"`{text}` is not a range from a lower to a higher address")
            return IntervalSet.single(number(first), number(last))
        network = ipaddress.ip_network(text, strict=not host_bits)
    except ValueError as error:
        raise BadAddressError(_complaint(text, error)) from None
    return IntervalSet.single(number(network[0]), number(network[-1]))


def prefix(text: str) -> IntervalSet:
    """The addresses of an IP or a CIDR prefix; raises BadAddressError, also for a range."""
    if "-" in text:
        raise BadAddressError(f"`{text}` is a range, where only an IP address or a prefix can stand")
    return parse(text)


def _quick_v4(text: str) -> IntervalSet | None:
    """The common case without the standard library's objects: a well-formed IPv4 prefix."""
    head, slash, tail = text.partition("/")
    if head.count(".") != 3 or not text.isascii() or not (tail.isdecimal() if slash else True):
        return None
    base = 0
    for part in head.split("."):
        if not part.isdecimal() or len(part) > 3 or (part[0] == "0" and part != "0") or int(part) > 255:
            return None
        base = base << 8 | int(part)
    length = int(tail) if slash else 32
    span = (1 << (32 - length)) - 1 if length <= 32 else -1
    if span < 0 or base & span:
        return None
    return IntervalSet.single(base, base + span)


def _complaint(text: str, error: ValueError) -> str:
    if isinstance(error, BadAddressError):
        return str(error)
    if "host bits" in str(error):
        import ipaddress  # noqa: PLC0415

        return f"`{text}` has host bits set; the prefix would be `{ipaddress.ip_network(text, strict=False)}`"
    return f"`{text}` is not an IP address, a prefix or a range"


def number(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    """The address as a member of the one space."""
    return int(address) + (_V6 if address.version == 6 else 0)


def length_of(span: Span) -> int:
    """The prefix length of an interval that is one prefix."""
    width = 128 if span[0] >= _V6 else 32
    return width - (span[1] - span[0] + 1).bit_length() + 1


def spell(value: int) -> str:
    """The address of a number."""
    if value < _V6:
        return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
    import ipaddress  # noqa: PLC0415

    return str(ipaddress.IPv6Address(value - _V6))


def prefixes(addresses: IntervalSet, limit: int = 6) -> list[str]:
    """The set as CIDR prefixes for people, at most `limit` of them, then how many more there are."""
    out: list[str] = []
    left = 0
    for low, high in addresses.spans:
        if len(out) >= limit:
            left += 1
            continue
        # a set over both families is shown by its IPv4 half
        last = min(high, _V6 - 1) if low < _V6 else high
        nets = list(islice(_nets(low, last), 3))
        if len(nets) > 2:
            out.append(f"{spell(low)}-{spell(last)}")
        else:
            out.extend(f"{spell(start)}/{length_of((start, start + size - 1))}" for start, size in nets)
    return [*out, f"and {left} more ranges"] if left else out


def cidrs(addresses: IntervalSet) -> tuple[str, ...]:
    """The set as CIDR prefixes for a definition: all of them, and nothing but prefixes."""
    return tuple(
        f"{spell(start)}/{length_of((start, start + size - 1))}"
        for low, high in addresses.spans
        for part in ((low, min(high, _V6 - 1)), (max(low, _V6), high))
        for start, size in _nets(*part)
    )


def _nets(low: int, high: int) -> Iterator[tuple[int, int]]:
    """The prefixes that make up a span, as first address and size."""
    base = 0 if low < _V6 else _V6
    while low <= high:
        size = (low - base) & -(low - base) or 1 << 128
        while size > high - low + 1:
            size >>= 1
        yield low, size
        low += size


def _v4(*texts: str) -> IntervalSet:
    return union(parse(text) for text in texts)


RFC1918 = _v4("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
SHARED = _v4("100.64.0.0/10")
"""Carrier-grade NAT space, RFC 6598, which Azure treats like private space."""

PLATFORM_VIP = _v4("168.63.129.16")
"""Azure DNS, health probes, wireserver."""

IMDS = _v4("169.254.169.254")

NEVER_INTERNET = RFC1918 | SHARED | _v4("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")
"""What the tag `Internet` never covers (docs/decisions, U2)."""

PUBLIC_V4 = ALL_V4 - NEVER_INTERNET - PLATFORM_VIP
"""Where a public endpoint of Azure or of anybody else can be."""

PUBLIC_V6 = IntervalSet.single(_V6 + (1 << 125), _V6 + (1 << 126) - 1)
