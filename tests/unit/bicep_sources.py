"""Bicep sources for the tests of their reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from aks_egress.arm.resources import Document, Resource
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.bicep import READER


def source(files: Mapping[str, str], path: str) -> Source:
    """A file among others in one folder."""

    def sibling(name: str) -> Source | None:
        plain = name.removeprefix("./")
        return source(files, plain) if plain in files else None

    return Source(path, files[path].encode(), sibling)


def read(main: str, others: Mapping[str, str] | None = None, **values: str) -> Document:
    files = {"main.bicep": main, **(others or {})}
    (document,) = READER.read(source(files, "main.bicep"), Parameters(values=tuple(values.items())))
    return document


def one(main: str, others: Mapping[str, str] | None = None, **values: str) -> Resource:
    (resource,) = read(main, others, **values).resources
    return resource


def evaluated(expression: str, before: str = "") -> Any:
    """The value of an expression in the body of a resource."""
    text = f"{before}\nresource r 'Microsoft.X/y@2024-01-01' = {{\n  name: 'r'\n  properties: {{\n    v: {expression}\n  }}\n}}\n"
    return next(one for one in read(text).resources if one.name == "r").prop("v")


def refused(main: str, others: Mapping[str, str] | None = None) -> MalformedError:
    with pytest.raises(MalformedError) as caught:
        read(main, others)
    return caught.value
