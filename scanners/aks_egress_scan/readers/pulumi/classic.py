"""Resources of the classic azure provider, as the instances that the azurerm tables read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from aks_egress.arm.ids import ResourceId
from aks_egress.records import replace
from aks_egress.values import Reference, Unknown, Value
from aks_egress_scan.readers.mapping.azure_classic import classic_type, renamed
from aks_egress_scan.readers.mapping.azure_native import native_type
from aks_egress_scan.readers.pulumi.registered import Registered
from aks_egress_scan.readers.pulumi.scopes import Scopes
from aks_egress_scan.readers.terraform.building import Built, build
from aks_egress_scan.readers.terraform.identity import Identities
from aks_egress_scan.readers.terraform.instances import Instance

_STAND_IN: Final = "azapi_resource"


class Classic:
    """The classic resources of a stack; others stand beside them by their ids, so that references reach those.

    `others` gives the id of any resource by its URN.
    """

    def __init__(
        self,
        every: Mapping[str, Registered],
        scopes: Scopes,
        others: Callable[[str], ResourceId | None],
    ) -> None:
        self._every, self._scopes, self._others = every, scopes, others
        self._instances = {urn: self._instance(one) for urn, one in every.items() if classic_type(one.type)}
        beside = (one for one in every.values() if self._instances and native_type(one.type) is not None)
        self._stand_ins = [self._stand_in(one) for one in beside]
        self._identities = Identities(self._all())

    def _all(self) -> Sequence[Instance]:
        return [*self._instances.values(), *self._stand_ins]

    def id_of(self, urn: str) -> ResourceId | None:
        """The id of a classic resource; None for others."""
        instance = self._instances.get(urn)
        return self._identities.of(instance) if instance is not None else None

    def instance(self, urn: str) -> Instance | None:
        """The instance of a classic resource; None for others."""
        return self._instances.get(urn)

    def built(self, removed: Collection[ResourceId], taken: Sequence[Instance]) -> Built:
        """The classic resources in ARM's shape; `taken` will be deleted, `removed` are the ids that go."""
        if not self._instances and not taken:
            return Built()
        built = build(self._all(), removed, taken)
        beside = {one.address for one in self._stand_ins}
        built.resources = [one for one in built.resources if one.address not in beside]
        return built

    def _instance(self, one: Registered) -> Instance:
        props: dict[str, Value] = {}

        def attribute(name: str) -> Value:
            if not props:
                whole = renamed(_addressed(one.props, self._every))
                props.update(whole if isinstance(whole, dict) else {})
                props["id"] = one.id or props.get("id")
                self._name_group(props)
            return dict(props) if name == "" else props.get(name)

        return Instance(
            address=one.label,
            type=classic_type(one.type),
            origin=one.origin,
            values=one.values,
            attribute=attribute,
            data=one.external,
            name=one.name,
            subscription=self._scopes.subscription(one),
            uncertain=one.uncertain,
            anew=one.anew,
        )

    def _name_group(self, props: dict[str, Value]) -> None:
        """The resource group by name, where it is one of the stack's."""
        value = props.get("resource_group_name")
        if isinstance(value, Unknown):
            urns = {one.label: urn for urn, one in self._every.items()}
            refs = tuple(Reference(urns[ref.id], ref.path) for ref in value.refers_to if ref.id in urns)
            name = self._scopes.group(replace(value, refers_to=refs))
            if not name.startswith("{"):
                props["resource_group_name"] = name

    def _stand_in(self, one: Registered) -> Instance:
        native = native_type(one.type)

        def attribute(name: str) -> Value:
            if name == "id":
                known = self._others(one.urn)
                return str(known) if known is not None else None
            if name == "type" and native is not None:
                return f"{native.arm}@"
            return one.name if name == "name" else None

        return Instance(one.label, _STAND_IN, one.origin, one.values, attribute, name=one.name)


def _addressed(value: Value, every: Mapping[str, Registered]) -> Value:
    """The value with references to labels, which are the addresses here, in place of URNs."""
    if isinstance(value, Unknown) and value.refers_to:
        refs = tuple(
            Reference(every[ref.id].label if ref.id in every else ref.id, ref.path) for ref in value.refers_to
        )
        return replace(value, refers_to=refs)
    if isinstance(value, dict):
        return {key: _addressed(item, every) for key, item in value.items()}
    if isinstance(value, list):
        return [_addressed(item, every) for item in value]
    return value
