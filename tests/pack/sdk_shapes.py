"""The shapes of outputs as the SDK of azure-native declares them in its types."""

from __future__ import annotations

import collections.abc
import importlib
import typing
from typing import Any

from pulumi import _types
from tests.pack.shapes import TOKENS

#: how deep shapes are followed; the example gives nothing deeper
_DEPTH = 3


def declared() -> dict[str, dict[str, str]]:
    """Output properties of the example's types, and of the types in them.  Needs pulumi-azure-native."""
    out: dict[str, dict[str, str]] = {}
    for token in TOKENS:
        _, module, name = token.split(":")
        kind = getattr(importlib.import_module(f"pulumi_azure_native.{module}"), name)
        names = _types.resource_py_to_pulumi_names(kind)
        hints = {names.get(key, key): hint for key, hint in _types.resource_types(kind).items()}
        out[token] = {key: _shape(hint, out, _DEPTH) for key, hint in sorted(hints.items())}
    return dict(sorted(out.items()))


def _shape(hint: Any, out: dict[str, dict[str, str]], depth: int) -> str:
    hint = _unwrapped(hint)
    origin = typing.get_origin(hint)
    if origin in (list, collections.abc.Sequence):
        inner = _shape(typing.get_args(hint)[0], out, depth)
        return f"[{inner}]" if inner else ""
    if origin in (dict, collections.abc.Mapping):
        return "{}"
    if depth == 0 or not (isinstance(hint, type) and _types.is_output_type(hint)):
        return ""
    if hint.__name__ not in out:
        out[hint.__name__] = {}
        names = _types._py_to_pulumi_names_from_py_properties(hint)
        hints = {names.get(key, key): one for key, one in _types.output_type_types(hint).items()}
        out[hint.__name__] = {key: _shape(one, out, depth - 1) for key, one in sorted(hints.items())}
    return hint.__name__


def _unwrapped(hint: Any) -> Any:
    if typing.get_origin(hint) is typing.Union:
        return next(one for one in typing.get_args(hint) if one is not type(None))
    return hint
