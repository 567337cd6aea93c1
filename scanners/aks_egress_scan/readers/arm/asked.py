"""The functions that a template answers: its own parameters and variables, where it is deployed, references.

Microsoft: "Deployment functions", "Resource functions" and "Scope functions for ARM templates".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from aks_egress.values import Unknown, Value
from aks_egress_scan.readers.arm.nested import TEMPLATE_LINK
from aks_egress_scan.readers.arm.references import find, referenced, resource_id, symbolic
from aks_egress_scan.readers.arm.target import OPEN_MANAGEMENT_GROUP, Target, open_part, part
from aks_egress_scan.readers.arm.template import Template
from aks_egress_scan.readers.arm.world import RefusedError
from aks_egress_scan.readers.expressions.evaluate import Asked, Context
from aks_egress_scan.readers.expressions.signatures import FunctionProblemError
from aks_egress_scan.readers.expressions.unsettled import (
    OPEN_TENANT,
    OpenText,
    Unsettled,
    opened,
    spelled,
    unsettled,
)

Values = Sequence[Value]


def asked(name: str) -> Asked | None:
    """The function of that lower-case name, as a template answers it."""
    if "." in name:
        return Asked(0, None, lambda context, values: _template(context).function(name, values))
    if name.startswith("list") and name not in _TABLE:
        return Asked(1, 3, lambda _, values: _runtime_only(name, values))
    return _TABLE.get(name)


def _template(context: Context) -> Template:
    return cast("Template", context.scope)


def _text(name: str, value: Value) -> str:
    if not isinstance(value, str):
        raise FunctionProblemError(f"`{name}` takes the name as text")
    return value


def _parameters(context: Context, values: Values) -> Value:
    if isinstance(values[0], Unknown):
        return unsettled("parameters", values)
    name = _text("parameters", values[0])
    if context.arguments is not None:
        if name.casefold() in context.arguments:
            return context.arguments[name.casefold()]
        raise RefusedError(f"the function has no parameter `{name}`")
    return _template(context).parameter(name)


def _variables(context: Context, values: Values) -> Value:
    if isinstance(values[0], Unknown):
        return unsettled("variables", values)
    return _template(context).variable(_text("variables", values[0]))


def _copy_index(context: Context, values: Values) -> Value:
    rows = list(values)
    name = rows.pop(0) if rows and isinstance(rows[0], str) else ""
    offset = rows[0] if rows else 0
    if not isinstance(offset, int) or isinstance(offset, bool):
        raise FunctionProblemError("`copyIndex` takes the name of a loop and a whole number")
    found = context.copies.get(str(name).casefold())
    if found is None and not name and context.copies:
        found = list(context.copies.values())[-1]
    if found is None:
        raise FunctionProblemError(f"`copyIndex` stands in no loop{f' called `{name}`' if name else ''}")
    return found + offset


def _resource_id(context: Context, values: Values) -> Value:
    """`[subscription, [resource group,]] type, name…` in the scope of the deployment."""
    target = _template(context).target
    cut = _type_at("resourceId", values, 2)
    if cut == 2:
        scope = Target(part(values[0]), part(values[1])).scope
    elif cut == 1:
        scope = Target(target.subscription or Target().subscription, part(values[0])).scope
    else:
        scope = target.scope
    return resource_id("resourceId", scope, values[cut], values[cut + 1 :], values)


def _type_at(name: str, values: Values, most: int) -> int:
    """Which argument is the resource type: the first with a slash."""
    for i, value in enumerate(values[: most + 1]):
        if "/" in spelled(value):
            return i
    if any(isinstance(value, Unknown) for value in values):
        return max(0, min(most, len(values) - 2))
    raise FunctionProblemError(f"`{name}` is given no resource type")


def _subscription_resource_id(context: Context, values: Values) -> Value:
    cut = _type_at("subscriptionResourceId", values, 1)
    target = _template(context).target
    scope = Target(part(values[0]), "").scope if cut else target.subscription_scope
    return resource_id("subscriptionResourceId", scope, values[cut], values[cut + 1 :], values)


def _tenant_resource_id(context: Context, values: Values) -> Value:  # noqa: ARG001 - the shape of every answer
    return resource_id("tenantResourceId", "", values[0], values[1:], values)


def _management_group_resource_id(context: Context, values: Values) -> Value:
    cut = _type_at("managementGroupResourceId", values, 1)
    own = _template(context).target.management_group or OPEN_MANAGEMENT_GROUP
    scope = Target("", "", part(values[0]) if cut else own).scope
    return resource_id("managementGroupResourceId", scope, values[cut], values[cut + 1 :], values)


def _extension_resource_id(context: Context, values: Values) -> Value:  # noqa: ARG001 - the shape of every answer
    if isinstance(values[0], Unknown) and not spelled(values[0]).startswith("/"):
        return unsettled("extensionResourceId", values)
    return resource_id("extensionResourceId", spelled(values[0]), values[1], values[2:], values)


def _reference(context: Context, values: Values) -> Value:
    full = len(values) > 2 and isinstance(values[2], str) and values[2].casefold() == "full"
    return referenced(_template(context), values[0], full=full)


def _references(context: Context, values: Values) -> Value:
    template = _template(context)
    full = len(values) > 2 and isinstance(values[2], str) and values[2].casefold() == "full"
    rows = symbolic(template, spelled(values[0]))
    return [referenced(template, one.reference, full=full) for one in rows]


def _resource_info(context: Context, values: Values) -> Value:
    instance, _ = find(_template(context), values[0])
    if instance is None:
        return unsettled("resourceInfo", (_later(f"`{spelled(values[0])}` is not in this template"),))
    return {
        "id": instance.reference,
        "name": _name(instance.id.name),
        "type": instance.id.type,
        "apiVersion": instance.api_version,
    }


def _name(text: str) -> Value:
    return Unsettled("the name is not known", spelling=text) if "{" in text else text


def _later(why: str, spelling: str = "") -> Unsettled:
    return Unsettled(why, spelling=spelling)


def _subscription(context: Context, values: Values) -> Value:  # noqa: ARG001 - the shape of every answer
    template = _template(context)
    own = template.target.subscription_scope.rpartition("/")[2]
    settle = "give it with `--param 'subscription().subscriptionId=ID'`"
    scope = template.target.subscription_scope
    tenant = _option(template, "subscription().tenantId", OPEN_TENANT, "the tenant is not in the template")
    return {
        "id": OpenText(scope) if "{" in scope else scope,
        "subscriptionId": open_part(own, "the subscription is not in the template", settle),
        "tenantId": tenant,
        "displayName": _later("the subscription's name is not in the template", "{subscription name}"),
    }


def _option(template: Template, name: str, spelling: str, why: str) -> Value:
    found = template.world.option(name)
    return (
        found
        if found is not None
        else Unsettled(why, settle=f"give it with `--param '{name}=…'`", spelling=spelling)
    )


def _resource_group(context: Context, values: Values) -> Value:  # noqa: ARG001 - the shape of every answer
    template = _template(context)
    scope = template.target.group_scope
    settle = "give it with `--param 'resourceGroup().name=NAME'`"
    return {
        "id": OpenText(scope) if "{" in scope else scope,
        "name": open_part(scope.rpartition("/")[2], "the resource group is not in the template", settle),
        "type": "Microsoft.Resources/resourceGroups",
        "location": _group_location(template),
        "tags": _later("the resource group's tags are not in the template", "{resource group tags}"),
        "managedBy": _later("the resource group is not in the template", "{resource group manager}"),
        "properties": {"provisioningState": "Succeeded"},
    }


def _group_location(template: Template) -> Value:
    """The location of the resource group: of its declaration in a template around, else as an option says."""
    wanted = (
        template.target.subscription_scope
        + "/providers/Microsoft.Resources/resourceGroups/"
        + template.target.group
    )
    declared = template.world.instances.get(wanted.casefold())
    if declared is not None and not declared.existing:
        return declared.declared(("location",))
    root = template
    while root.parent is not None:
        root = root.parent
    name = "resourceGroup().location"
    if template.target == root.target:
        return _option(
            template,
            name,
            "{resource-group location}",
            "the resource group's location is not in the template",
        )
    return _later(
        "the location of the resource group is not in the template",
        f"{{location of {template.target.group}}}",
    )


def _deployment(context: Context, values: Values) -> Value:  # noqa: ARG001 - the shape of every answer
    template = _template(context)
    location = _option(
        template,
        "deployment().location",
        "{deployment location}",
        "the deployment's location is not in the template",
    )
    link = Unsettled("where the template will be read from is not in it", spelling=TEMPLATE_LINK)
    return {
        "name": template.name,
        "location": location,
        "properties": {
            "templateLink": {"uri": link, "id": _later("the template spec is not known", "{template spec}")},
            "template": {
                "contentVersion": template.data.get("contentVersion"),
                "metadata": template.data.get("metadata"),
            },
            "parameters": _later("the parameters of the deployment are not known", "{deployment parameters}"),
        },
    }


def _tenant(context: Context, values: Values) -> Value:  # noqa: ARG001 - the shape of every answer
    found = _option(
        _template(context), "subscription().tenantId", OPEN_TENANT, "the tenant is not in the template"
    )
    return {
        "tenantId": found,
        "id": "/",
        "displayName": _later("the tenant is not in the template", "{tenant name}"),
    }


def _management_group(context: Context, values: Values) -> Value:  # noqa: ARG001 - the shape of every answer
    name = _template(context).target.management_group or OPEN_MANAGEMENT_GROUP
    scope = Target("", "", name).scope
    return {
        "id": OpenText(scope) if "{" in scope else scope,
        "name": open_part(name, "the management group is not in the template", ""),
        "type": "Microsoft.Management/managementGroups",
        "properties": _later("the management group is not in the template", "{management group}"),
    }


def _runtime_only(name: str, values: Values) -> Value:
    return Unsettled(f"`{name}` is answered by Azure at deployment only", spelling=opened(name, values))


def _only_at_deployment(name: str) -> Asked:
    return Asked(0, None, lambda context, _: _fresh(name, _template(context)))


def _fresh(name: str, template: Template) -> Value:
    """What is another value each time it is asked for."""
    why = f"`{name}` is answered by Azure at deployment only"
    return Unsettled(why, spelling=f"{{{name} {template.world.serial()}}}")


def _fail(context: Context, values: Values) -> Value:  # noqa: ARG001 - the shape of every answer
    raise FunctionProblemError(f"the template stops itself: {spelled(values[0])[:200]}")


def _environment(context: Context, values: Values) -> Value:  # noqa: ARG001 - the shape of every answer
    from aks_egress_scan.readers.arm.environments import environment

    return environment(_template(context))


_TABLE: Final[dict[str, Asked]] = {
    "parameters": Asked(1, 1, _parameters),
    "variables": Asked(1, 1, _variables),
    "copyindex": Asked(0, 2, _copy_index),
    "resourceid": Asked(2, None, _resource_id),
    "subscriptionresourceid": Asked(2, None, _subscription_resource_id),
    "tenantresourceid": Asked(2, None, _tenant_resource_id),
    "managementgroupresourceid": Asked(2, None, _management_group_resource_id),
    "extensionresourceid": Asked(3, None, _extension_resource_id),
    "reference": Asked(1, 3, _reference),
    "references": Asked(1, 3, _references),
    "resourceinfo": Asked(1, 1, _resource_info),
    "subscription": Asked(0, 0, _subscription),
    "resourcegroup": Asked(0, 0, _resource_group),
    "deployment": Asked(0, 0, _deployment),
    "tenant": Asked(0, 0, _tenant),
    "managementgroup": Asked(0, 0, _management_group),
    "environment": Asked(0, 0, _environment),
    "fail": Asked(1, 1, _fail),
} | {
    name.casefold(): _only_at_deployment(name)
    for name in (
        "newGuid", "utcNow", "deployer", "providers", "pickZones", "externalInput", "toLogicalZone",
        "toLogicalZones", "toPhysicalZone", "toPhysicalZones", "getSecret", "roleDefinitions", "stack",
    )
}  # fmt: skip
