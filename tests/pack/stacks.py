"""Stacks for the tests: the example's, and many resources beside it."""

from __future__ import annotations

import copy

from tests.pack.conftest import stack
from tests.pack.engine import Noted


def named(every: list[Noted], name: str) -> Noted:
    """The resource of a logical name."""
    return next(one for one in every if one.name == name)


def crowd(count: int) -> list[Noted]:
    """Security groups that nothing refers to, of the shape that the example's have."""
    model = named(stack("sound"), "nsg-user")
    found = []
    for number in range(count):
        one = copy.deepcopy(model)
        one.name = f"nsg-{number}"
        one.urn = one.urn.replace("::nsg-user", f"::{one.name}")
        one.inputs["networkSecurityGroupName"] = one.name
        found.append(one)
    return found
