"""Where a template is deployed to: subscription, resource group, or above; what is not said stays open."""

from __future__ import annotations

from typing import Final

from aks_egress.arm.ids import OPEN_RESOURCE_GROUP, OPEN_SUBSCRIPTION
from aks_egress.records import record, replace
from aks_egress.values import Value
from aks_egress_scan.readers.expressions.unsettled import Unsettled, spelled

OPEN_MANAGEMENT_GROUP: Final = "{management-group}"


@record(frozen=True, slots=True)
class Target:
    """The scope of a deployment; `group` is empty for a subscription, `subscription` too for what is above."""

    subscription: str = OPEN_SUBSCRIPTION
    group: str = OPEN_RESOURCE_GROUP
    management_group: str = ""

    @property
    def scope(self) -> str:
        """The beginning of every id in it."""
        if self.management_group:
            return f"/providers/Microsoft.Management/managementGroups/{self.management_group}"
        if not self.subscription:
            return ""
        return self.subscription_scope + (f"/resourceGroups/{self.group}" if self.group else "")

    @property
    def subscription_scope(self) -> str:
        """The beginning of ids in the subscription."""
        return f"/subscriptions/{self.subscription or OPEN_SUBSCRIPTION}"

    @property
    def group_scope(self) -> str:
        """The beginning of ids in the resource group."""
        return f"{self.subscription_scope}/resourceGroups/{self.group or OPEN_RESOURCE_GROUP}"

    def nested(self, subscription: Value, group: Value, scope: Value) -> Target:
        """The target of a deployment within this one, by the properties of the same names."""
        if scope is not None:
            return _of_scope(spelled(scope), self)
        if group is not None and spelled(group):
            chosen = (
                part(subscription) if subscription is not None else self.subscription or OPEN_SUBSCRIPTION
            )
            return Target(chosen, part(group))
        if subscription is not None and spelled(subscription):
            return Target(part(subscription), "")
        return self


def _of_scope(text: str, parent: Target) -> Target:
    parts = [one for one in text.split("/") if one]
    folded = [one.casefold() for one in parts]
    if "managementgroups" in folded:
        named = parts[folded.index("managementgroups") + 1 :]
        return Target("", "", named[0] if named else OPEN_MANAGEMENT_GROUP)
    if folded[:1] == ["subscriptions"] and len(parts) > 1:
        return Target(parts[1], parts[3] if len(parts) > 3 and folded[2] == "resourcegroups" else "")
    return replace(parent, subscription="", group="", management_group="") if not parts else parent


def of_schema(schema: str) -> Target:
    """The target that a root template's `$schema` is written for."""
    folded = schema.casefold()
    if "subscriptiondeploymenttemplate" in folded:
        return Target(group="")
    if "managementgroupdeploymenttemplate" in folded:
        return Target("", "", OPEN_MANAGEMENT_GROUP)
    if "tenantdeploymenttemplate" in folded:
        return Target("", "")
    return Target()


def part(value: Value) -> str:
    """A value as one segment of a scope: text, or its open part in braces."""
    text = spelled(value).replace("/", "|") or "{}"
    return text if "{" not in text or text[0] == "{" else f"{{{text}}}"


def open_part(text: str, why: str, settle: str) -> Value:
    """A segment of a scope as a value: text, unless it is open."""
    return Unsettled(why, settle=settle, spelling=text) if text[:1] == "{" else text
