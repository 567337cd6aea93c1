"""Functions of address prefixes."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from aks_egress_scan.readers.hcl.functions.function import Function
from aks_egress_scan.readers.hcl.terms import ListTerm, ProblemError

Network = IPv4Network | IPv6Network


def _network(prefix: str) -> Network:
    if "/" not in prefix:
        raise ProblemError("the text is no address prefix")
    try:
        return ip_network(prefix, strict=False)
    except ValueError:
        raise ProblemError("the text is no address prefix") from None


def _whole(*numbers: object) -> list[int]:
    if not all(isinstance(one, int) for one in numbers):
        raise ProblemError("a whole number is expected")
    return [one for one in numbers if isinstance(one, int)]


def cidrhost(prefix: str, number: int) -> str:
    """The address of that number in the prefix; negative numbers count from its end."""
    network = _network(prefix)
    (at,) = _whole(number)
    if not -network.num_addresses <= at < network.num_addresses:
        raise ProblemError("the prefix has no address of that number")
    return str(network[at])


def cidrnetmask(prefix: str) -> str:
    """The mask of an IPv4 prefix."""
    network = _network(prefix)
    if isinstance(network, IPv6Network):
        raise ProblemError("`cidrnetmask` takes IPv4 prefixes only")
    return str(network.netmask)


def cidrsubnet(prefix: str, bits: int, number: int) -> str:
    """The subnet of that number, `bits` longer than the prefix."""
    network = _network(prefix)
    more, at = _whole(bits, number)
    length = network.prefixlen + more
    if more < 0 or length > network.max_prefixlen or not 0 <= at < 1 << more:
        raise ProblemError("the prefix has no subnet of that length and number")
    start = int(network.network_address) + (at << (network.max_prefixlen - length))
    return str(type(network)((start, length)))


def cidrsubnets(prefix: str, *bits: int) -> ListTerm:
    """Consecutive subnets, each so many bits longer than the prefix."""
    network = _network(prefix)
    out: list[str] = []
    at = int(network.network_address)
    for more in _whole(*bits):
        length = network.prefixlen + more
        if more < 1 or length > network.max_prefixlen:
            raise ProblemError("the prefix has no subnet of that length")
        size = 1 << (network.max_prefixlen - length)
        at = (at + size - 1) // size * size
        if at + size > int(network.network_address) + network.num_addresses:
            raise ProblemError("the prefix has no room for all the subnets")
        out.append(str(type(network)((at, length))))
        at += size
    return ListTerm(out)


FUNCTIONS: Final = (
    Function("cidrhost", cidrhost, ("string", "number")),
    Function("cidrnetmask", cidrnetmask, ("string",)),
    Function("cidrsubnet", cidrsubnet, ("string", "number", "number")),
    Function("cidrsubnets", cidrsubnets, ("string", "number...")),
)
