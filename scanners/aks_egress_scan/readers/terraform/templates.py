"""ARM templates that Terraform deploys as they are: what they hold may add to what is written beside them.

Source: azurerm's documentation of `azurerm_resource_group_template_deployment` and its siblings.
"""

from __future__ import annotations

import re
from typing import Final

from aks_egress.values import Unknown
from aks_egress_scan.readers.terraform.instances import Instance

TEMPLATES: Final = frozenset(
    {
        "azurerm_resource_group_template_deployment",
        "azurerm_subscription_template_deployment",
        "azurerm_management_group_template_deployment",
        "azurerm_tenant_template_deployment",
        "azurerm_template_deployment",
    }
)

_TYPE: Final = re.compile(r'"type"\s*:\s*"([A-Za-z.]+/[A-Za-z/]+)"', re.IGNORECASE)
_NESTED: Final = "microsoft.resources/deployments"
_CONCERNED: Final = ("microsoft.network/", "microsoft.containerservice/", _NESTED)
_SETTLE: Final = "judge the template itself as well, or a snapshot of what is deployed"


def hidden(instance: Instance) -> dict[str, Unknown]:
    """The types (lower case; `*`: any) of which the template of a deployment may hold resources, and why nobody can say."""
    if instance.data:
        return {}
    content = instance.get("template_content") or instance.get("template_body")
    if not isinstance(content, str):
        why = f"`{instance.address}` deploys a template whose content is not known"
        return {"*": Unknown(why, instance.origin, settle=_SETTLE)}
    why = f"`{instance.address}` deploys a template, and what it adds is not followed"
    unknown = Unknown(why, instance.origin, settle=_SETTLE)
    kinds = sorted({kind.casefold() for kind in _TYPE.findall(content)})
    return {"*" if kind == _NESTED else kind: unknown for kind in kinds if kind.startswith(_CONCERNED)}
