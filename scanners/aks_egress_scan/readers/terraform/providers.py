"""Provider configurations of a plan: which subscription and which cloud resources belong to."""

from __future__ import annotations

from typing import Final

from aks_egress.values import Value
from aks_egress_scan.readers.terraform.configuration import Configuration, Table, rows, table
from aks_egress_scan.readers.terraform.planned import Planned

_CLOUDS: Final = {"china": "china", "usgovernment": "usgov", "public": "public"}


class Providers:
    """The azurerm (and azapi) provider configurations, as far as they are constants or root variables."""

    def __init__(self, configuration: Configuration, variables: Table) -> None:
        self._providers = configuration.providers
        self._variables = variables

    def key(self, instance: Planned) -> str:
        """The provider configuration of an instance."""
        return str((instance.declared or {}).get("provider_config_key") or instance.type.split("_", 1)[0])

    def subscription(self, key: str) -> str:
        """The subscription that a provider configuration names; empty where none is known."""
        return self._setting(key, "subscription_id").casefold()

    @property
    def cloud(self) -> str:
        """The cloud that all azurerm providers agree upon; empty where none says."""
        named = {self._setting(key, "environment").casefold() for key in self._providers}
        clouds = {_CLOUDS.get(one, "") for one in named if one}
        return clouds.pop() if len(clouds) == 1 else ""

    def _setting(self, key: str, name: str) -> str:
        expression = table(table(table(self._providers.get(key)).get("expressions")).get(name))
        value: Value = expression.get("constant_value")
        references = [str(one) for one in rows(expression.get("references"))]
        if len(references) == 1 and references[0].startswith("var."):
            value = table(self._variables.get(references[0].removeprefix("var."))).get("value")
        text = value.strip() if isinstance(value, str) else ""
        return "" if "/" in text else text
