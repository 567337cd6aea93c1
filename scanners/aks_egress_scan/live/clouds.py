"""The endpoints of Azure's clouds."""

from __future__ import annotations

from collections.abc import Mapping

from aks_egress.records import record


@record(frozen=True, slots=True, kw_only=True)
class Cloud:
    """Where a cloud answers: resource manager, sign-in, Log Analytics; and its name in the Azure CLI."""

    name: str
    manager: str
    authority: str
    logs: str
    cli: str

    @property
    def scope(self) -> str:
        """What a token for the resource manager is asked for."""
        return f"{self.manager}/.default"

    @property
    def login(self) -> str:
        """The command that signs a person in."""
        return "`az login`" if self.name == "public" else f"`az cloud set --name {self.cli}` and `az login`"


CLOUDS: Mapping[str, Cloud] = {
    one.name: one
    for one in (
        Cloud(
            name="public",
            manager="https://management.azure.com",
            authority="login.microsoftonline.com",
            logs="https://api.loganalytics.io",
            cli="AzureCloud",
        ),
        Cloud(
            name="china",
            manager="https://management.chinacloudapi.cn",
            authority="login.chinacloudapi.cn",
            logs="https://api.loganalytics.azure.cn",
            cli="AzureChinaCloud",
        ),
        Cloud(
            name="usgov",
            manager="https://management.usgovcloudapi.net",
            authority="login.microsoftonline.us",
            logs="https://api.loganalytics.us",
            cli="AzureUSGovernment",
        ),
    )
}
