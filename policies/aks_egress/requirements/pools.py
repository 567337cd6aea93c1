"""What the node pools say about the endpoints they need: system, distribution, graphics cards."""

from __future__ import annotations

import re
from collections.abc import Iterable

from aks_egress.records import record
from aks_egress.values import Unknown, Value, at, flag, get, items, text

_GPU = r"standard_n[cdv]\d"
#: sizes with cards of another maker, which need no driver from NVIDIA
_OTHER_CARDS = r"standard_nv\d+a?s_v4|standard_nd.*mi300x|standard_ng"
#: what stands in every value of osSKU that is the distribution Ubuntu
_UBUNTU = "ubuntu"


@record(frozen=True, slots=True, kw_only=True)
class PoolFacts:
    """One pool: `os` is linux or windows, `os_sku` the distribution, `gpu` whether AKS installs NVIDIA drivers."""

    name: str
    os: str | Unknown = "linux"
    os_sku: str | Unknown = "Ubuntu"
    gpu: bool | Unknown = False
    streaming: bool | Unknown = False
    dns_over_tcp: bool | Unknown = False
    pod_subnet: bool | Unknown = False

    def said(self, key: str) -> bool | str | Unknown:
        """The value that a condition's key asks for: os, os_sku, gpu_pool or artifact_streaming."""
        match key:
            case "os":
                return self.os
            case "os_sku":
                return self.os_sku
            case "gpu_pool":
                return self.gpu
            case _:
                return self.streaming


#: keys of conditions that each pool answers for itself
POOL_KEYS = frozenset(("os", "os_sku", "gpu_pool", "artifact_streaming"))


def pool_facts(name: str, body: Value, linux_default: str = "Ubuntu") -> PoolFacts:
    """Read the properties of an agent pool; silence is Linux with AKS's usual distribution."""
    kind = text(get(body, "osType"))
    system = kind if isinstance(kind, Unknown) else (kind or "Linux").casefold()
    return PoolFacts(
        name=name,
        os=system,
        os_sku=_distribution(body, system, linux_default),
        gpu=_gpu(body),
        streaming=flag(at(body, "artifactStreamingProfile", "enabled"), False),
        dns_over_tcp=_forced_tcp(get(body, "localDNSProfile")),
        pod_subnet=_given(get(body, "podSubnetID")),
    )


def _given(value: Value) -> bool | Unknown:
    if isinstance(value, Unknown) and value.refers_to:
        return True
    return value if isinstance(value, Unknown) else bool(value)


def _distribution(body: Value, system: str | Unknown, linux_default: str) -> str | Unknown:
    given = text(get(body, "osSKU"))
    if given is not None:
        return given if isinstance(given, Unknown) else "Ubuntu" if _UBUNTU in given.casefold() else given
    if isinstance(system, Unknown):
        return system
    return "Windows" if system == "windows" else linux_default


def _gpu(body: Value) -> bool | Unknown:
    driver = text(at(body, "gpuProfile", "driver"))
    if isinstance(driver, str) and driver.casefold() == "none":
        return False
    found: bool | Unknown = False
    for size in _sizes(body):
        if isinstance(size, Unknown):
            found = found or size
        elif size and _has_card(size.casefold()):
            found = driver if isinstance(driver, Unknown) else True
    return found


def _has_card(size: str) -> bool:
    return size.startswith("standard_n") and bool(re.match(_GPU, size)) and not re.match(_OTHER_CARDS, size)


def _sizes(body: Value) -> Iterable[str | Unknown | None]:
    yield text(get(body, "vmSize"))
    manual = items(at(body, "virtualMachinesProfile", "scale", "manual"))
    for row in (manual,) if isinstance(manual, Unknown) else manual:
        yield text(row if isinstance(row, Unknown) else get(row, "size"))


def _forced_tcp(local: Value) -> bool | Unknown:
    """Whether LocalDNS is on and told to ask over TCP."""
    mode = text(get(local, "mode"))
    if local is None or (isinstance(mode, str) and mode.casefold() == "disabled"):
        return False
    found: bool | Unknown = mode if isinstance(mode, Unknown) else False
    for group in ("vnetDNSOverrides", "kubeDNSOverrides"):
        zones = get(local, group)
        for zone in zones.values() if isinstance(zones, dict) else (zones,):
            protocol = text(get(zone, "protocol"))
            if isinstance(protocol, Unknown):
                found = found or protocol
            elif protocol and protocol.casefold() == "forcetcp":
                return mode if isinstance(mode, Unknown) else True
    return found
