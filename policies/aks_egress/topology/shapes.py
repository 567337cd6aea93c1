"""Members of a cluster that must be objects: anything else in their place is unknown, never a default.

A list or a text has no members, so whoever looks for one would find nothing given and take what AKS does by
itself.  Names as in Microsoft.ContainerService/managedClusters, lower case; `*` is any name.
"""

from __future__ import annotations

from collections.abc import Mapping

from aks_egress.arm.resources import Resource
from aks_egress.values import Step, Unknown, Value

Shape = Mapping[str, "Shape"]
_PLAIN: Shape = {}
_POOL: Shape = {
    "networkprofile": _PLAIN,
    "artifactstreamingprofile": _PLAIN,
    "gpuprofile": _PLAIN,
    "localdnsprofile": {"vnetdnsoverrides": {"*": _PLAIN}, "kubednsoverrides": {"*": _PLAIN}},
    "virtualmachinesprofile": {"scale": _PLAIN},
}
_CLUSTER: Shape = {
    "networkprofile": {
        "loadbalancerprofile": _PLAIN,
        "natgatewayprofile": _PLAIN,
        "advancednetworking": {"security": {"transitencryption": _PLAIN}},
    },
    "apiserveraccessprofile": _PLAIN,
    "httpproxyconfig": _PLAIN,
    "bootstrapprofile": _PLAIN,
    "autoupgradeprofile": _PLAIN,
    "addonprofiles": {"*": _PLAIN},
    "azuremonitorprofile": {
        "metrics": _PLAIN,
        "containerinsights": _PLAIN,
        "appmonitoring": {"autoinstrumentation": _PLAIN},
    },
    "securityprofile": {
        "defender": {"securitymonitoring": _PLAIN},
        "azuredefender": _PLAIN,
        "workloadidentity": _PLAIN,
        "azurekeyvaultkms": _PLAIN,
    },
    "oidcissuerprofile": _PLAIN,
    "metricsprofile": {"costanalysis": _PLAIN},
    "workloadautoscalerprofile": {"keda": _PLAIN, "verticalpodautoscaler": _PLAIN},
    "ingressprofile": {"webapprouting": _PLAIN},
    "aitoolchainoperatorprofile": _PLAIN,
    "servicemeshprofile": {"istio": {"certificateauthority": {"plugin": _PLAIN}, "components": _PLAIN}},
}
_POOLS = "agentpoolprofiles"


def read_cluster(cluster: Resource) -> None:
    """Have a cluster say of every misshapen member that it is not known, and why."""
    _replace(cluster, "sku", _object(cluster, cluster.get("sku"), _PLAIN, ("sku",)))
    said = _object(cluster, cluster.get("properties"), _CLUSTER, ("properties",))
    if isinstance(said, dict):
        key = next((one for one in said if one.casefold() == _POOLS), None)
        said = said if key is None else _changed(said, {key: _pools(cluster, said[key])})
    _replace(cluster, "properties", said)


def read_pool(pool: Resource) -> None:
    """The same of a pool that is a resource of its own."""
    _replace(pool, "properties", _object(pool, pool.get("properties"), _POOL, ("properties",)))


def _replace(resource: Resource, member: str, said: Value) -> None:
    body = resource.body
    if isinstance(body, Mapping) and said is not resource.get(member):
        kept = {key: value for key, value in body.items() if key.casefold() != member}
        resource.body = {**kept, member: said}


def _pools(cluster: Resource, value: Value) -> Value:
    path = ("properties", "agentPoolProfiles")
    if value is None or isinstance(value, Unknown):
        return value
    if not isinstance(value, list):
        return _misfit(cluster, value, path, "a list")
    rows = [_object(cluster, row, _POOL, (*path, i)) for i, row in enumerate(value)]
    return rows if any(new is not old for new, old in zip(rows, value, strict=True)) else value


def _object(whole: Resource, value: Value, shape: Shape, path: tuple[Step, ...]) -> Value:
    """The value with every misshapen part unknown; the same object where there is none."""
    if value is None or isinstance(value, Unknown):
        return value
    if not isinstance(value, dict):
        return _misfit(whole, value, path, "an object")
    if not shape:
        return value
    inner = ((key, shape.get(key.casefold(), shape.get("*"))) for key in value)
    found = {
        key: _object(whole, value[key], deeper, (*path, key)) for key, deeper in inner if deeper is not None
    }
    return _changed(value, found)


def _changed(value: dict[str, Value], found: dict[str, Value]) -> dict[str, Value]:
    return value if all(new is value[key] for key, new in found.items()) else {**value, **found}


def _misfit(whole: Resource, value: Value, path: tuple[Step, ...], wanted: str) -> Unknown:
    kinds = {list: "a list", dict: "an object", str: "a text", bool: "true or false"}
    said = kinds.get(type(value), "a number")
    parts = path[1:] or path
    name = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in parts).lstrip(".")
    why = f"`{name}` is {said} where {wanted} belongs"
    return Unknown(why, whole.place(*path), settle=f"write `{name}` as {wanted}")
