"""Addresses as numbers in one space: what is read, what is refused, and the ranges with a meaning of their own."""

from __future__ import annotations

import ipaddress

import pytest

from aks_egress.packets import addresses
from aks_egress.packets.addresses import (
    ALL_V4,
    ALL_V6,
    EVERYWHERE,
    NEVER_INTERNET,
    BadAddressError,
    cidrs,
    length_of,
    parse,
    prefix,
    prefixes,
    spell,
)


@pytest.mark.parametrize(
    "text", ["10.0.0.4", "10.0.0.0/22", "0.0.0.0/0", "255.255.255.255/32", "2001:db8::/32", "::/0", "::1"]
)
def test_prefixes_are_read_as_the_standard_library_reads_them(text: str) -> None:
    """First and last address, and the length back."""
    found = ipaddress.ip_network(text)
    one = parse(text)
    assert [spell(end) for end in one.spans[0]] == [str(found[0]), str(found[-1])]
    assert length_of(one.spans[0]) == found.prefixlen


def test_ranges_are_read_where_they_may_stand() -> None:
    """Firewalls and IP groups take `a-b`; a prefix is asked for elsewhere."""
    assert parse("10.0.0.1-10.0.0.9").size == 9
    with pytest.raises(BadAddressError, match="range"):
        prefix("10.0.0.1-10.0.0.9")
    assert prefix("10.0.0.0/24") == parse("10.0.0.0/24")


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.9-10.0.0.1",
        "10.0.0.1-::1",
        "10.0.0",
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "256.1.1.1",
        "010.0.0.1",
        "a.b.c.d",
        "",
        "1.2.3.4/8/9",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """With the text in the message."""
    with pytest.raises(BadAddressError, match="`"):
        parse(text)


def test_host_bits_are_refused_with_the_prefix_that_was_meant() -> None:
    """Azure refuses them too; the published service tags may have them."""
    with pytest.raises(BadAddressError, match=r"50\.206\.209\.64/27"):
        parse("50.206.209.68/27")
    assert parse("50.206.209.68/27", host_bits=True) == parse("50.206.209.64/27")


def test_the_families_never_meet() -> None:
    """`0.0.0.0/0` is IPv4 alone, `::/0` IPv6 alone, and together they are everything (U6)."""
    assert parse("0.0.0.0/0") == ALL_V4
    assert parse("::/0") == ALL_V6
    assert not ALL_V4 & ALL_V6
    assert ALL_V4 | ALL_V6 == EVERYWHERE
    assert parse("::10.0.0.1") & parse("10.0.0.1") == parse("::1") - parse("::1")


def test_rfc_1918_is_three_ranges_of_its_own_sizes() -> None:
    """`172.16.0.0/12`, not `/20`."""
    assert addresses.RFC1918.size == 2**24 + 2**20 + 2**16
    assert parse("172.31.255.255") <= addresses.RFC1918
    assert not parse("172.32.0.0") <= addresses.RFC1918


@pytest.mark.parametrize(
    "text",
    ["10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "224.0.0.1", "255.255.255.255", "0.1.2.3"],
)
def test_what_is_never_on_the_internet(text: str) -> None:
    """The tag `Internet` leaves these out (U2)."""
    assert parse(text) <= NEVER_INTERNET
    assert not parse(text) & addresses.PUBLIC_V4


def test_the_platform_address_is_public_by_number_and_not_on_the_internet() -> None:
    """168.63.129.16 is never decided by the tag `Internet`."""
    assert not addresses.PLATFORM_VIP & NEVER_INTERNET
    assert not addresses.PLATFORM_VIP & addresses.PUBLIC_V4


def test_prefixes_are_shown_short() -> None:
    """At most so many, and how many more."""
    assert prefixes(parse("10.0.0.0/22")) == ["10.0.0.0/22"]
    assert prefixes(parse("10.0.0.1-10.0.0.9")) == ["10.0.0.1-10.0.0.9"]
    many = addresses.union(parse(f"20.{i}.0.0/24") for i in range(9))
    assert prefixes(many, limit=2) == ["20.0.0.0/24", "20.1.0.0/24", "and 7 more ranges"]
    assert prefixes(parse("2001:db8::/32")) == ["2001:db8::/32"]


def test_a_set_over_both_families_is_shown_by_its_ipv4_half() -> None:
    """`*` is shown as people think of it."""
    assert prefixes(EVERYWHERE) == ["0.0.0.0/0"]


@pytest.mark.parametrize("text", ["10.0.0.1-10.0.0.6", "0.0.0.0/0", "10.0.0.0/22", "2001:db8::/32"])
def test_cidrs_make_up_the_set_and_nothing_more(text: str) -> None:
    """As a definition can hold them; both families apart."""
    wanted = parse(text)
    for one in (wanted, wanted | parse("192.0.2.7"), EVERYWHERE):
        found = [parse(part) for part in cidrs(one)]
        assert addresses.union(found) == one
        assert all(ipaddress.ip_network(part) for part in cidrs(one))
