"""`azapi_resource`: Terraform that speaks ARM already."""

from __future__ import annotations

import json

from aks_egress.records import replace
from aks_egress.values import Unknown, Value
from aks_egress_scan.readers.terraform.identity import Identities
from aks_egress_scan.readers.terraform.instances import Instance


def azapi_body(instance: Instance, identities: Identities) -> dict[str, Value]:
    """The body of an azapi instance; empty for a data source, which shows only what it was asked for."""
    if instance.data:
        return {}
    body = _given(instance)
    out: dict[str, Value] = {}
    if isinstance(body, dict):
        out = {name: _linked(item, identities) for name, item in body.items()}
    else:
        # the references of the whole body say nothing about any part of it
        out["properties"] = replace(body, refers_to=()) if isinstance(body, Unknown) else {}
    for name in ("location", "tags"):
        value = instance.get(name)
        if name not in out and value not in (None, "", {}):
            out[name] = value
    return out


def _given(instance: Instance) -> Value:
    """The body as an object: azapi 1 keeps it as JSON text, azapi 2 as it is."""
    body = instance.get("body")
    if not isinstance(body, str):
        return body
    try:
        parsed: Value = json.loads(body)
    except (ValueError, RecursionError):
        return Unknown(f"the body of `{instance.address}` is not JSON", instance.origin)
    return parsed


def _linked(value: Value, identities: Identities) -> Value:
    """Unknown parts refer to ARM ids in place of Terraform addresses."""
    if isinstance(value, Unknown):
        return identities.link(value, frozenset(), False) if value.refers_to else value
    if isinstance(value, list):
        return [_linked(item, identities) for item in value]
    if isinstance(value, dict):
        return {name: _linked(item, identities) for name, item in value.items()}
    return value
