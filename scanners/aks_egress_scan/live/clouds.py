"""The endpoints of Azure's clouds."""

from __future__ import annotations

from collections.abc import Mapping

from aks_egress.records import record


@record(frozen=True, slots=True, kw_only=True)
class Cloud:
    """Where a cloud answers: resource manager, sign-in, Log Analytics, and the suffix of its portal."""

    name: str
    manager: str
    authority: str
    logs: str

    @property
    def scope(self) -> str:
        """What a token for the resource manager is asked for."""
        return f"{self.manager}/.default"


CLOUDS: Mapping[str, Cloud] = {
    one.name: one
    for one in (
        Cloud(
            name="public",
            manager="https://management.azure.com",
            authority="login.microsoftonline.com",
            logs="https://api.loganalytics.io",
        ),
        Cloud(
            name="china",
            manager="https://management.chinacloudapi.cn",
            authority="login.chinacloudapi.cn",
            logs="https://api.loganalytics.azure.cn",
        ),
        Cloud(
            name="usgov",
            manager="https://management.usgovcloudapi.net",
            authority="login.microsoftonline.us",
            logs="https://api.loganalytics.us",
        ),
    )
}
