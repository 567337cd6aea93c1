"""Small Pulumi stacks and previews for tests, in the JSON that Pulumi writes."""

from __future__ import annotations

import json
from typing import Any

from aks_egress.arm.resources import Document
from aks_egress_scan.readers.base import Parameters, Source

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "AAAB"}
SCOPE = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers"

Json = dict[str, Any]


def urn(token: str, name: str, parent: str = "") -> str:
    """The URN of a resource, inside a component where one is given."""
    return f"urn:pulumi:dev::shop::{parent + '$' if parent else ''}{token}::{name}"


def native(token: str, name: str, inputs: Json, **more: Any) -> Json:
    """A resource of azure-native as a state shows it; `depends` by property."""
    token = f"azure-native:{token}"
    state: Json = {"urn": urn(token, name), "custom": True, "type": token, "inputs": inputs}
    depends = more.pop("depends", None)
    if depends is not None:
        state["propertyDependencies"] = depends
    return {**state, **more}


def classic(token: str, name: str, inputs: Json, **more: Any) -> Json:
    """A resource of the classic provider: `network/subnet:Subnet`."""
    return {
        **native(token, name, inputs, **more),
        "type": f"azure:{token}",
        "urn": urn(f"azure:{token}", name),
    }


def export(*states: Json, **more: Any) -> bytes:
    """What `pulumi stack export` writes."""
    deployment = {"manifest": {"time": "2026-01-01T00:00:00Z"}, "resources": list(states), **more}
    return json.dumps({"version": 3, "deployment": deployment}, indent=1).encode()


def preview(*states: Json, op: str = "create", summary: Json | None = None, steps: Any = ()) -> bytes:
    """What `pulumi preview --json` prints."""
    rows = [{"op": op, "urn": one["urn"], "newState": one} for one in states]
    counted = {op: len(rows)} if summary is None else summary
    return json.dumps({"steps": [*rows, *steps], "changeSummary": counted}, indent=1).encode()


def read(data: bytes, module: str = "pulumi_preview", path: str = "stack.json", **given: Any) -> Document:
    """The document that a reader makes of some bytes."""
    from importlib import import_module

    reader = import_module(f"aks_egress_scan.readers.{module}").READER
    source = Source(path, data)
    assert reader.claims(source)
    (document,) = reader.read(source, Parameters(**given))
    assert isinstance(document, Document)
    return document


def only(document: Document, kind: str) -> Any:
    """The one resource of a type."""
    (found,) = (one for one in document.resources if one.kind == kind.casefold())
    return found


NSG = "azure-native:network:NetworkSecurityGroup"


def group(name: str = "nsg", **inputs: Any) -> Json:
    """A security group."""
    return native(
        "network:NetworkSecurityGroup",
        name,
        {"networkSecurityGroupName": name, "resourceGroupName": "rg", "location": "eastus", **inputs},
    )


def subnet(depends: Json, **inputs: Any) -> Json:
    """A subnet of the network `net`."""
    given = {"subnetName": "nodes", "virtualNetworkName": "net", "resourceGroupName": "rg", **inputs}
    return native("network:Subnet", "nodes", given, depends=depends)
