"""What azure-native answers: outputs in the shape that its own SDK declares.

In a preview every output that no input gives is unknown, at every depth; after an update the fake
knows the id, the name and a firewall's private address.  The shapes are in `output_shapes.json`, which
`make generate` takes from the SDK, so that nothing here needs that SDK.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
FILE = Path(__file__).with_name("output_shapes.json")

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
TOKENS = (GROUP, *IDS)


@cache
def shapes() -> dict[str, dict[str, str]]:
    """Output properties by type: `Name` is an object of that type, `[Name]` a list of them, `{}` a map."""
    known: dict[str, dict[str, str]] = json.loads(FILE.read_text(encoding="utf-8"))
    return known


def previewed(token: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """The outputs of a resource in a preview of its creation."""
    return _object(inputs, token)


def _object(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {
        key: _value(value[key], shape) if key in value else UNKNOWN for key, shape in shapes()[name].items()
    }


def _value(value: Any, shape: str) -> Any:
    if shape == "{}":
        return UNKNOWN if isinstance(value, list) else value  # identities go in as a list, come out as a map
    if shape.startswith("[") and isinstance(value, list):
        return [_value(item, shape[1:-1]) for item in value]
    return _object(value, shape) if shape in shapes() and isinstance(value, dict) else value


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
