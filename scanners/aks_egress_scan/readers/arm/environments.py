"""`environment()`: addresses of the Azure cloud that is deployed to.

Microsoft: "environment" in "Deployment functions for ARM templates"; the endpoints as `az cloud show` lists them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aks_egress.values import Value
from aks_egress_scan.readers.expressions.unsettled import Unsettled

if TYPE_CHECKING:
    from aks_egress_scan.readers.arm.template import Template

#: cloud -> name, resource manager, portal, login, graph, management, SQL, storage, vault, key vault DNS, registry
_ROWS: Final = {
    "public": (
        "AzureCloud", "management.azure.com", "portal.azure.com", "login.microsoftonline.com", "graph.windows.net",
        "management.core.windows.net", "database.windows.net", "core.windows.net", "vault.azure.net", "azurecr.io",
    ),
    "china": (
        "AzureChinaCloud", "management.chinacloudapi.cn", "portal.azure.cn", "login.chinacloudapi.cn",
        "graph.chinacloudapi.cn", "management.core.chinacloudapi.cn", "database.chinacloudapi.cn",
        "core.chinacloudapi.cn", "vault.azure.cn", "azurecr.cn",
    ),
    "usgov": (
        "AzureUSGovernment", "management.usgovcloudapi.net", "portal.azure.us", "login.microsoftonline.us",
        "graph.windows.net", "management.core.usgovcloudapi.net", "database.usgovcloudapi.net",
        "core.usgovcloudapi.net", "vault.usgovcloudapi.net", "azurecr.us",
    ),
}  # fmt: skip


def environment(template: Template) -> Value:
    """The environment by the option `environment().name`; without it the cloud is told by locations that are known."""
    chosen = template.world.option("environment().name")
    cloud = _cloud_named(chosen) if isinstance(chosen, str) else _cloud_of_locations(template)
    if cloud is None:
        why = f"the cloud `{chosen}` is not one that is known"
        return Unsettled(why, spelling="{environment}")
    return _members(_ROWS[cloud])


def _cloud_named(name: str) -> str | None:
    wanted = name.casefold()
    return next((cloud for cloud, row in _ROWS.items() if wanted in (cloud, row[0].casefold())), None)


def _cloud_of_locations(template: Template) -> str:
    """The cloud of the locations given; Azure's public cloud where none says otherwise, as for the whole run."""
    names = [
        template.world.option("resourceGroup().location"),
        template.world.option("deployment().location"),
    ]
    names += [value() for name, value in template.given.items() if "location" in name or "region" in name]
    for value in names:
        folded = value.casefold().replace(" ", "") if isinstance(value, str) else ""
        if folded.startswith("china"):
            return "china"
        if folded.startswith(("usgov", "usdod")):
            return "usgov"
    return "public"


def _members(row: tuple[str, ...]) -> Value:
    name, manager, portal, login, graph, management, sql, storage, vault, registry = row
    return {
        "name": name,
        "resourceManager": f"https://{manager}/",
        "portal": f"https://{portal}",
        "gallery": "https://gallery.azure.com/",
        "graph": f"https://{graph}/",
        "graphAudience": f"https://{graph}/",
        "authentication": {
            "loginEndpoint": f"https://{login}/",
            "audiences": [f"https://{management}/", f"https://{manager}/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "sqlManagementEndpoint": f"https://{management}:8443/",
        "suffixes": {
            "azureDatalakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
            "azureDatalakeStoreFileSystem": "azuredatalakestore.net",
            "azureFrontDoorEndpointSuffix": f"azurefd.{'us' if name == 'AzureUSGovernment' else 'net'}",
            "acrLoginServer": f".{registry}",
            "keyvaultDns": f".{vault}",
            "sqlServerHostname": f".{sql}",
            "storage": storage,
        },
        "batch": f"https://batch.{storage}/",
        "media": f"https://rest.media.{manager.split('.', 1)[1]}",
        "vmImageAliasDoc": Unsettled(
            "the address of the image aliases is not kept here", spelling="{image aliases}"
        ),
    }
