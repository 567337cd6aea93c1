"""Small templates for the tests of their reader."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aks_egress.arm.resources import Document, Resource
from aks_egress.values import Origin
from aks_egress_scan.readers.arm_template import READER
from aks_egress_scan.readers.base import Parameters, Source

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
GROUP = "/subscriptions/{subscription}/resourceGroups/{resource-group}"
NSG = "Microsoft.Network/networkSecurityGroups"
VNET = "Microsoft.Network/virtualNetworks"
TABLE = "Microsoft.Network/routeTables"

Json = dict[str, Any]


def template(*resources: Json, **sections: Any) -> Json:
    """A template with the sections given."""
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", **sections, "resources": list(resources)}


def resource(kind: str, name: str, **members: Any) -> Json:
    """A resource as a template declares it."""
    return {"type": kind, "apiVersion": "2023-11-01", "name": name, **members}


def deployment(name: str, inner: Json, /, **members: Any) -> Json:
    """A nested deployment in inner scope; `parameters` and whatever else stands beside the template."""
    parameters = {key: {"value": value} for key, value in members.pop("parameters", {}).items()}
    properties = {
        "mode": "Incremental",
        "expressionEvaluationOptions": {"scope": members.pop("evaluation", "inner")},
        "parameters": parameters,
        "template": inner,
    }
    return resource("Microsoft.Resources/deployments", name, properties=properties, **members)


def source(
    data: Json | str, path: str = "main.json", files: Mapping[str, Json | str] | None = None
) -> Source:
    """A template as a file, with other files beside it."""
    known = files or {}

    def sibling(name: str) -> Source | None:
        return source(known[name], name, known) if name in known else None

    text = data if isinstance(data, str) else json.dumps(data, indent=2)
    return Source(path, text.encode(), sibling)


def read(
    data: Json | str,
    *given: tuple[str, str],
    files: Mapping[str, Json | str] | None = None,
    param: Json | None = None,
) -> Document:
    """The document of a template with values (`--param`) and a parameter file."""
    beside = (source(param, "values.json"),) if param is not None else ()
    (document,) = READER.read(source(data, files=files), Parameters(beside, given))
    return document


def only(document: Document) -> Resource:
    """The one resource of a document."""
    (found,) = document.resources
    return found


def names(document: Document) -> list[str]:
    """The names of the resources in their order."""
    return ["/".join(one.id.names) for one in document.resources]


def line(document: Document, origin: Origin) -> int | None:
    """The line of a place."""
    return document.locate(origin)
