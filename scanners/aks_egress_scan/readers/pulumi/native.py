"""azure-native's resources in ARM's shape: `properties` put back, references led to ids."""

from __future__ import annotations

from typing import Final

from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Resource
from aks_egress.values import Origin, Step, Unknown, Value
from aks_egress_scan.readers.mapping.azure_native import ADDRESSES, BARE, ENVELOPE, LINKS, ROWS, Native
from aks_egress_scan.readers.pulumi.identity import Identities
from aks_egress_scan.readers.pulumi.registered import Registered

_ROW_ENVELOPE: Final = frozenset({"name", "id", "etag", "zones"})
_NO_KINDS: Final[frozenset[str]] = frozenset()


def native_resource(
    one: Registered, native: Native, resource_id: ResourceId, identities: Identities
) -> Resource:
    """A resource of azure-native in ARM's shape."""
    return Resource(
        resource_id,
        one.origin,
        lambda: _body(one, native, identities),
        _places(one),
        address=one.label,
        existing=one.external,
        uncertain=one.uncertain,
        anew=one.anew,
    )


def _body(one: Registered, native: Native, identities: Identities) -> dict[str, Value]:
    shape = _Shape(identities, native.kind.startswith("microsoft.network/"))
    properties: dict[str, Value] = {}
    body: dict[str, Value] = {}
    for name, value in one.props.items():
        if value is None or name in native.names:
            continue
        if name in native.inside or (name not in BARE and name not in ENVELOPE):
            properties[name] = shape.of(value, name)
        elif name in ENVELOPE:
            body[name] = shape.of(value, name)
    body["properties"] = properties
    return body


def _places(one: Registered) -> dict[tuple[Step, ...], Origin]:
    places: dict[tuple[Step, ...], Origin] = {
        (name,): one.values.child(name) for name in ENVELOPE if name in one.props
    }
    places["properties",] = one.values
    return places


class _Shape:
    """Puts values into ARM's shape; `rows` is whether the type's rows have `properties` of their own."""

    def __init__(self, identities: Identities, rows: bool) -> None:
        self._identities, self._rows = identities, rows

    def of(self, value: Value, name: str) -> Value:
        """The value of a property of that name."""
        if isinstance(value, Unknown):
            return self._promised(value, name)
        if isinstance(value, list):
            return [self.of(item, name) for item in value]
        if not isinstance(value, dict):
            return value
        if self._rows and name in ROWS:
            return self._row(value)
        return {key: self.of(item, name if key == "id" else key) for key, item in value.items()}

    def _row(self, row: dict[str, Value]) -> dict[str, Value]:
        shaped: dict[str, Value] = {
            key: item for key, item in row.items() if key in _ROW_ENVELOPE and item is not None
        }
        rest: dict[str, Value] = {
            key: self.of(item, key)
            for key, item in row.items()
            if key not in _ROW_ENVELOPE and key != "type" and item is not None
        }
        if rest:
            shaped["properties"] = rest
        return shaped

    def _promised(self, value: Unknown, name: str) -> Unknown:
        """An unknown that leads to what the property may hold, and to nothing else."""
        if name in ADDRESSES:
            return self._identities.link(value, ADDRESSES[name], True)
        return self._identities.link(value, LINKS.get(name, _NO_KINDS), False)
