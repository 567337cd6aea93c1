"""The snapshots of `examples/hub-and-spoke`: what Azure shows once the ARM templates are deployed.

`deployed` gives every resource the subscription and resource group it went to, puts children where Azure's
answers have them (peerings inside their network), and adds what only a deployment knows: that peerings
are connected, and the firewall's own address.
"""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from examples.expectations import Example

from aks_egress.arm.resources import Document, Resource
from aks_egress.packets.tags import ServiceTags
from aks_egress.topology.model import Topology
from aks_egress_scan.live.kept import kept_types
from aks_egress_scan.live.snapshot import Snapshot, render
from aks_egress_scan.sources import load

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples" / "hub-and-spoke"
TAKEN = datetime(2026, 6, 18, 12, 0, tzinfo=UTC)
VERSION = "0.1.0"

SUBSCRIPTION = "00000000-0000-0000-0000-00000000a0b0"
#: document -> the resource group that it was deployed to
GROUPS = {"hub.json": "rg-hub", "spoke.json": "rg-spoke"}
_PEERINGS = "microsoft.network/virtualnetworks/virtualnetworkpeerings"
Json = dict[str, Any]


def main() -> None:
    """Write `examples/hub-and-spoke/snapshot/<variant>.json`."""
    example = Example(FOLDER)
    for variant in example.variants:
        file = FOLDER / "snapshot" / f"{variant}.json"
        data = snapshot_of(deployed(example, variant))
        if not file.exists() or file.read_bytes() != data:
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(data)
            print(f"written: {file.relative_to(ROOT)}")


def snapshot_of(resources: list[Json]) -> bytes:
    """The snapshot that shows these resources."""
    picture = Snapshot()
    for one in resources:
        if one["type"].casefold() in kept_types():
            picture.add(one, one["type"].casefold())
    return render(picture, VERSION, TAKEN)


def deployed(example: Example, variant: str) -> list[Json]:
    """The resources of a variant as Azure Resource Manager answers them."""
    documents = load(example.paths("arm", variant), parameters=example.parameters("arm", variant)).documents
    Topology(documents, ServiceTags())  # settles what one resource says of another
    homes = {
        one.id.key: GROUPS[Path(document.path).name] for document in documents for one in document.resources
    }
    rows = [_shown(one, document, homes) for document in documents for one in document.resources]
    networks = {row["id"].casefold(): row for row in rows}
    for row in rows:
        if row["type"].casefold() == _PEERINGS:
            above = networks[row["id"].casefold().rsplit("/", 2)[0]]
            row["properties"]["peeringState"] = "Connected"
            above["properties"].setdefault("virtualNetworkPeerings", []).append(row)
        if row["type"].casefold() == "microsoft.network/azurefirewalls":
            (first,) = row["properties"]["ipConfigurations"]
            first["properties"]["privateIPAddress"] = "10.0.0.4"
            address = networks[first["properties"]["publicIPAddress"]["id"].casefold()]
            address["properties"]["ipConfiguration"] = {"id": f"{row['id']}/azureFirewallIpConfigurations/a"}
    return [row for row in rows if row["type"].casefold() != _PEERINGS]


def _shown(one: Resource, document: Document, homes: dict[str, str]) -> Json:
    body = {name: one.get(name) for name in ("location", "sku", "tags", "kind", "properties")}
    kept = {name: copy.deepcopy(value) for name, value in body.items() if value is not None}
    row = {"id": str(one.id), "name": one.name, "type": one.id.type, "properties": {}, **kept}
    placed = _placed(row, GROUPS[Path(document.path).name], homes)
    assert isinstance(placed, dict)
    return placed


def _placed(value: Any, own: str, homes: dict[str, str]) -> Any:
    """The value with every open scope filled in: that of the resource an id names, else the document's own."""
    if isinstance(value, dict):
        return {name: _placed(item, own, homes) for name, item in value.items()}
    if isinstance(value, list):
        return [_placed(item, own, homes) for item in value]
    if isinstance(value, str) and "{" in value:
        group = next((group for key, group in homes.items() if _within(value.casefold(), key)), own)
        return value.replace("{subscription}", SUBSCRIPTION).replace("{resource-group}", group)
    assert isinstance(value, str | int | float | bool | None), f"a deployment settles this: {value}"
    return value


def _within(text: str, key: str) -> bool:
    return text == key or text.startswith(f"{key}/")
