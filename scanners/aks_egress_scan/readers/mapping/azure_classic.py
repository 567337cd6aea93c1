"""Pulumi's classic azure provider, and azurerm through Pulumi's bridge, in azurerm's words.

The bridge spells azurerm's names in camel case and blocks that repeat in the plural.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from aks_egress.values import Value
from aks_egress_scan.readers.mapping.azurerm import FOLDS, TYPES
from aks_egress_scan.readers.mapping.fields import Field, One, Rows

_TOKEN: Final = re.compile(r"^(azure|azurerm):(?:(\w+)(?:/\w+)?:)?(\w+)$")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

#: module -> what azurerm puts before the name
_PREFIX: Final = {
    "lb": ("lb_",),
    "privatedns": ("private_dns_",),
    "privatelink": ("private_",),
    "containerservice": ("", "kubernetes_"),
}
_ODD: Final = {
    "azure:lb:LoadBalancer": "azurerm_lb",
    "azure:containerservice:FluxConfiguration": "azurerm_kubernetes_flux_configuration",
    "azure:network:IPGroup": "azurerm_ip_group",
    "azure:network:IPGroupCIDR": "azurerm_ip_group_cidr",
}
RESOURCE_GROUP: Final = "azurerm_resource_group"
_CARRIERS: Final = ("template_deployment",)


def classic_type(token: str) -> str:
    """azurerm's name of a type token; empty for tokens of other providers."""
    found = _TOKEN.match(token)
    if not found:
        return ""
    package, module, name = found[1], found[2] or "", found[3]
    odd = _ODD.get(f"{package}:{module}:{name}")
    if odd:
        return odd
    known = [f"azurerm_{prefix}{snake(name)}" for prefix in _PREFIX.get(module, ("",))]
    return next((one for one in known if one in TYPES or one in FOLDS), known[0])


def is_carrier(kind: str) -> bool:
    """Whether an azurerm type deploys what nobody can see from outside."""
    return kind.endswith(_CARRIERS)


def snake(name: str) -> str:
    """A camel-case name in azurerm's spelling."""
    return _HUMP.sub("_", name).lower()


def renamed(value: Value) -> Value:
    """Properties with azurerm's names in place of the bridge's, at every depth."""
    if isinstance(value, dict):
        return {_name(key): renamed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [renamed(item) for item in value]
    return value


@cache
def _name(key: str) -> str:
    spelled = snake(key)
    known = _known()
    if spelled in known:
        return spelled
    return next((one for one in _singular(spelled) if one in known), spelled)


def _singular(name: str) -> Iterator[str]:
    if name.endswith("ies"):
        yield name[:-3] + "y"
    if name.endswith("es"):
        yield name[:-2]
    if name.endswith("s"):
        yield name[:-1]


@cache
def _known() -> frozenset[str]:
    """Every attribute that the tables speak of."""
    tables: list[Iterable[Field]] = [one.fields for one in TYPES.values()]
    tables += [one.fields for one in FOLDS.values()]
    return frozenset(name for fields in tables for name in _sources(fields))


def _sources(fields: Iterable[Field]) -> Iterator[str]:
    for one in fields:
        yield from one.source.split("/")
        if isinstance(one.convert, One | Rows):
            yield from _sources(one.convert.fields)
