"""Functions on CIDR ranges.

Microsoft: "CIDR functions for Bicep": `cidrHost` counts from the first address after the network's own.
"""

from __future__ import annotations

import ipaddress

from aks_egress.values import Value
from aks_egress_scan.readers.expressions.signatures import FunctionProblemError, define

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(text: str) -> Network:
    if "/" not in text:
        raise FunctionProblemError(f"`{text[:60]}` is no CIDR range")
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise FunctionProblemError(f"`{text[:60]}` is no CIDR range") from None


@define("parseCidr", "string")
def _parse_cidr(text: str) -> Value:
    network = _network(text)
    found: dict[str, Value] = {"network": str(network.network_address), "netmask": str(network.netmask)}
    if isinstance(network, ipaddress.IPv6Network):
        return found | _usable(network[0], network[-1], network.prefixlen)
    if network.prefixlen >= 31:
        return found | {"broadcast": str(network[-1])} | _usable(network[0], network[-1], network.prefixlen)
    return found | {"broadcast": str(network[-1])} | _usable(network[1], network[-2], network.prefixlen)


def _usable(first: object, last: object, length: int) -> dict[str, Value]:
    return {"firstUsable": str(first), "lastUsable": str(last), "cidr": length}


@define("cidrSubnet", "string, int, int")
def _cidr_subnet(text: str, length: int, index: int) -> Value:
    network = _network(text)
    if not network.prefixlen <= length <= network.max_prefixlen:
        raise FunctionProblemError(f"`cidrSubnet` cannot cut /{length} out of `{text}`")
    if not 0 <= index < 1 << (length - network.prefixlen):
        raise FunctionProblemError(f"`{text}` has no /{length} with the index {index}")
    address = network.network_address + (index << (network.max_prefixlen - length))
    return f"{address}/{length}"


@define("cidrHost", "string, int")
def _cidr_host(text: str, index: int) -> Value:
    network = _network(text)
    offset = index if network.prefixlen >= network.max_prefixlen - 1 else index + 1
    if index < 0 or offset >= network.num_addresses:
        raise FunctionProblemError(f"`{text}` has no host with the index {index}")
    return str(network.network_address + offset)
