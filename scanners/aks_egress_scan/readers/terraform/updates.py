"""`azapi_update_resource`: it changes parts of a resource that something else defines."""

from __future__ import annotations

from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Kept, Resource
from aks_egress.values import Unknown, Value, at, get
from aks_egress_scan.readers.mapping.azurerm import TYPES
from aks_egress_scan.readers.terraform.azapi import azapi_body
from aks_egress_scan.readers.terraform.identity import Identities
from aks_egress_scan.readers.terraform.instances import Instance

UPDATE = "azapi_update_resource"


def updated(resources: list[Resource], instance: Instance, identities: Identities) -> None:
    """Lay the update over the resource it changes; where that is not among these, all else of it is unknown."""
    resource_id = identities.of(instance)
    if resource_id is None:
        return
    target = next((one for one in resources if one.id.key == resource_id.key), None) or next(
        (one for one in resources if one.id.could_be(resource_id)), None
    )
    if target is None:
        resources.append(_alone(resource_id, instance, identities))
        return
    before = target.body

    def body() -> dict[str, Value]:
        known = dict(before() if callable(before) else before)
        changed = _over(known, azapi_body(instance, identities), instance.uncertain)
        return changed if isinstance(changed, dict) else {"properties": changed}

    target.body = body


def _over(value: Value, change: Value, uncertain: Unknown | None) -> Value:
    """The value with a change laid over it: objects part by part, everything else as a whole."""
    if isinstance(value, Unknown) and isinstance(change, dict) and change.keys() != {"id"}:
        return value
    if isinstance(value, dict) and isinstance(change, dict):
        out = dict(value)
        for name, part in change.items():
            held = next((key for key in out if key.casefold() == name.casefold()), name)
            out[held] = _over(out.get(held), part, uncertain)
        return out
    if uncertain is not None and value != change:
        return uncertain
    return change


def _alone(resource_id: ResourceId, instance: Instance, identities: Identities) -> Resource:
    label = "/".join(resource_id.names)
    why = f"only `{instance.address}` speaks of `{label}` here; its definition is elsewhere"
    kept: list[Kept] = []

    def body() -> dict[str, Value]:
        unknown = Unknown(why, instance.origin, settle="its definition, with --context")
        kind = next((one for one in TYPES.values() if one.kind == resource_id.kind), None)
        names = {one.target[1] for one in kind.fields if one.target[0] == "properties"} if kind else set()
        rest: dict[str, Value] = dict.fromkeys(sorted(names | set(kind.silent if kind else ())), unknown)
        changed = _over({"properties": rest}, azapi_body(instance, identities), instance.uncertain)
        touched = at(azapi_body(instance, identities), "properties")
        if isinstance(touched, dict):
            kept[:] = [Kept(("properties", name)) for name in rest if get(touched, name) is None]
        return changed if isinstance(changed, dict) else {"properties": changed}

    return Resource(resource_id, instance.origin, body, address=instance.address, kept=kept, stands_in=True)
