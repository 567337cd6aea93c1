"""Where resources lie: the subscription of their provider, the resource group that they name, the cloud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aks_egress.arm.ids import OPEN_RESOURCE_GROUP, OPEN_SUBSCRIPTION
from aks_egress.values import Unknown, Value
from aks_egress_scan.readers.mapping import azure_classic, azure_native
from aks_egress_scan.readers.pulumi.registered import Registered

_CLOUDS: Final = {
    "public": "public",
    "china": "china",
    "chinacloud": "china",
    "azurechinacloud": "china",
    "usgovernment": "usgov",
    "usgov": "usgov",
    "azureusgovernment": "usgov",
    "azureusgovernmentcloud": "usgov",
}


class Scopes:
    """The scopes of the resources of one stack."""

    def __init__(self, every: Mapping[str, Registered]) -> None:
        self._every = every

    def of(self, one: Registered, group: Value) -> str:
        """The scope of a resource that names its resource group so; open where nobody says."""
        return f"/subscriptions/{self.subscription(one)}/resourceGroups/{self.group(group)}"

    def subscription(self, one: Registered) -> str:
        """The subscription that a resource's provider is set up for."""
        provider = self._every.get(one.provider)
        value = provider.props.get("subscriptionId") if provider is not None else None
        return value.strip() if isinstance(value, str) and value.strip() else OPEN_SUBSCRIPTION

    def group(self, value: Value) -> str:
        """The name of a resource group, also where it comes from one that is made by the stack."""
        if isinstance(value, str) and value.strip():
            return clean(value)
        if isinstance(value, Unknown):
            found = {self._group_name(ref.id) for ref in value.refers_to} - {None}
            name = found.pop() if len(found) == 1 else None
            if isinstance(name, str) and name.strip():
                return clean(name)
        return OPEN_RESOURCE_GROUP

    def _group_name(self, urn: str) -> str | None:
        """The name of a resource group, empty where it is not known; None for other resources."""
        one = self._every.get(urn)
        if one is None:
            return None
        if azure_native.module_and_name(one.type) == azure_native.RESOURCE_GROUP:
            value = one.props.get("resourceGroupName")
        elif azure_classic.classic_type(one.type) == azure_classic.RESOURCE_GROUP:
            value = one.props.get("name")
        else:
            return None
        return value if isinstance(value, str) else ""

    @property
    def cloud(self) -> str:
        """The cloud that all Azure providers of the stack agree upon; empty where none says."""
        named = {
            value.casefold()
            for one in self._every.values()
            if one.type in ("pulumi:providers:azure-native", "pulumi:providers:azure")
            and isinstance(value := one.props.get("environment"), str)
        }
        found = {_CLOUDS.get(one, "") for one in named if one}
        return found.pop() if len(found) == 1 else ""


def clean(name: str) -> str:
    """A name as one part of an id."""
    return name.strip().replace("/", "_")
