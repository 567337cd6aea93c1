"""The functions of ARM template expressions, one module for each family.

The families that most templates do without are imported when one of their functions is first called.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from aks_egress_scan.readers.expressions.functions import arrays, logic, numbers, strings  # noqa: F401 - each enters its functions
from aks_egress_scan.readers.expressions.signatures import TABLE, Function

_FAMILIES: Final = {
    "dates": "dateTimeAdd dateTimeFromEpoch dateTimeToEpoch",
    "encodings": "base64 base64ToJson base64ToString buildUri dataUri dataUriToString parseUri uri uriComponent "
    "uriComponentToString",
    "lambdas": "filter groupBy map mapValues reduce sort toObject",
    "networks": "cidrHost cidrSubnet parseCidr",
}
_FAMILY_OF: Final = {name.casefold(): family for family, names in _FAMILIES.items() for name in names.split()}


def function(name: str) -> Function | None:
    """The function of that lower-case name, None where the table has none."""
    if name not in TABLE and name in _FAMILY_OF:
        import_module(f"{__name__}.{_FAMILY_OF[name]}")
    return TABLE.get(name)


def names() -> frozenset[str]:
    """Every name in the table, lower case."""
    return frozenset(TABLE) | frozenset(_FAMILY_OF)
