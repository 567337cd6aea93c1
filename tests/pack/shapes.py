"""What azure-native answers: outputs in the shape of its own SDK's types.

In a preview every output that no input gives is unknown, at every depth; after an update the fake
knows the id, the name and a firewall's private address.
"""

from __future__ import annotations

import collections.abc
import typing
from typing import Any

from pulumi import _types

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"

#: token without version -> ARM type, the properties that name its segments
IDS = {
    "azure-native:network:VirtualNetwork": ("Microsoft.Network/virtualNetworks", ["virtualNetworkName"]),
    "azure-native:network:Subnet": (
        "Microsoft.Network/virtualNetworks/subnets",
        ["virtualNetworkName", "subnetName"],
    ),
    "azure-native:network:VirtualNetworkPeering": (
        "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
        ["virtualNetworkName", "virtualNetworkPeeringName"],
    ),
    "azure-native:network:NetworkSecurityGroup": (
        "Microsoft.Network/networkSecurityGroups",
        ["networkSecurityGroupName"],
    ),
    "azure-native:network:RouteTable": ("Microsoft.Network/routeTables", ["routeTableName"]),
    "azure-native:network:PublicIPAddress": ("Microsoft.Network/publicIPAddresses", ["publicIpAddressName"]),
    "azure-native:network:IpGroup": ("Microsoft.Network/ipGroups", ["ipGroupsName"]),
    "azure-native:network:FirewallPolicy": ("Microsoft.Network/firewallPolicies", ["firewallPolicyName"]),
    "azure-native:network:FirewallPolicyRuleCollectionGroup": (
        "Microsoft.Network/firewallPolicies/ruleCollectionGroups",
        ["firewallPolicyName", "ruleCollectionGroupName"],
    ),
    "azure-native:network:AzureFirewall": ("Microsoft.Network/azureFirewalls", ["azureFirewallName"]),
    "azure-native:managedidentity:UserAssignedIdentity": (
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        ["resourceName"],
    ),
    "azure-native:containerservice:ManagedCluster": (
        "Microsoft.ContainerService/managedClusters",
        ["resourceName"],
    ),
    "azure-native:containerservice:AgentPool": (
        "Microsoft.ContainerService/managedClusters/agentPools",
        ["resourceName", "agentPoolName"],
    ),
}
GROUP = "azure-native:resources:ResourceGroup"


def previewed(kind: type, inputs: dict[str, Any]) -> dict[str, Any]:
    """The outputs of a resource class in a preview of its creation."""
    return {
        name: _value(inputs[name], hint) if name in inputs else UNKNOWN
        for name, hint in _outputs(kind).items()
    }


def _outputs(kind: type) -> dict[str, Any]:
    names = _types.resource_py_to_pulumi_names(kind)
    return {names.get(name, name): hint for name, hint in _types.resource_types(kind).items()}


def _value(value: Any, hint: Any) -> Any:
    hint = _unwrapped(hint)
    origin = typing.get_origin(hint)
    if origin in (list, collections.abc.Sequence) and isinstance(value, list):
        return [_value(item, typing.get_args(hint)[0]) for item in value]
    if isinstance(hint, type) and _types.is_output_type(hint) and isinstance(value, dict):
        hints = _types.output_type_types(hint)
        names = _types._py_to_pulumi_names_from_py_properties(hint)
        parts = {names.get(name, name): inner for name, inner in hints.items()}
        return {
            name: _value(value[name], inner) if name in value else UNKNOWN for name, inner in parts.items()
        }
    if origin in (dict, collections.abc.Mapping) and isinstance(value, list):
        return UNKNOWN  # identities go in as a list and come out as a map
    return value


def _unwrapped(hint: Any) -> Any:
    if typing.get_origin(hint) is typing.Union:
        return next(one for one in typing.get_args(hint) if one is not type(None))
    return hint


def resource_class(token: str) -> type | None:
    """The SDK's class of a type token."""
    import importlib

    package, module, name = token.split(":")
    if package != "azure-native":
        return None
    return getattr(importlib.import_module(f"pulumi_azure_native.{module.partition('/')[0]}"), name, None)


def identity(token: str, inputs: dict[str, Any]) -> tuple[str, str]:
    """The ARM id and the name that a resource gets."""
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{inputs.get('resourceGroupName', '')}"
    if token == GROUP:
        return scope, inputs["resourceGroupName"]
    arm, properties = IDS[token]
    namespace, *segments = arm.split("/")
    names = [inputs[one] for one in properties]
    pairs = "/".join(f"{segment}/{name}" for segment, name in zip(segments, names, strict=True))
    return f"{scope}/providers/{namespace}/{pairs}", names[-1]


def deployed(token: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The id and the outputs of a resource that was created."""
    known, name = identity(token, inputs)
    naming = {*IDS.get(token, ("", []))[1], "resourceGroupName"}
    outputs = {key: value for key, value in inputs.items() if key not in naming}
    if isinstance(outputs.get("identity"), dict):
        assigned = outputs["identity"].get("userAssignedIdentities", [])
        outputs["identity"] = outputs["identity"] | {"userAssignedIdentities": {one: {} for one in assigned}}
    outputs |= {"name": name, "provisioningState": "Succeeded", "azureApiVersion": "2024-05-01"}
    if token.endswith(":AzureFirewall"):
        rows = [{**row, "privateIPAddress": "10.0.0.4"} for row in outputs["ipConfigurations"]]
        outputs["ipConfigurations"] = rows
    return known, outputs
