"""Networks in ARM's shape, short enough to read in a test.

Every builder returns a resource as an ARM template writes it (ids as plain text, no expressions).
`judged` puts such resources before the engine as one document; `template` makes the template of them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Document, Kind, Resource, Role
from aks_egress.engine import judge
from aks_egress.findings.report import Cluster, Finding, Flow, Hop, Report
from aks_egress.packets.tags import ServiceTags
from aks_egress.settings import OwnRequirement, Settings
from aks_egress.values import Origin

Row = dict[str, Any]
Words = str | Sequence[str]

SCOPE = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/net"
NETWORK = "Microsoft.Network"
NO_TAGS = ServiceTags()


def rid(kind: str, *names: str) -> str:
    """The id of a resource: `rid("virtualNetworks/subnets", "net", "nodes")`."""
    return str(ResourceId.of(SCOPE, kind if kind.startswith("Microsoft.") else f"{NETWORK}/{kind}", *names))


def resource(kind: str, name: str, properties: Row, /, **members: Any) -> Row:
    """A resource; `name` of a child is `parent/child`."""
    kind = kind if kind.startswith("Microsoft.") else f"{NETWORK}/{kind}"
    return {
        "type": kind,
        "apiVersion": "2024-05-01",
        "name": name,
        "location": "eastus",
        "properties": properties,
    } | members


# networks


def vnet(
    name: str, prefixes: Words, *subnets: Row, peerings: Sequence[Row] = (), dns: Sequence[str] = ()
) -> Row:
    """A virtual network with its subnets and its side of peerings."""
    spaces = [prefixes] if isinstance(prefixes, str) else list(prefixes)
    properties: Row = {"addressSpace": {"addressPrefixes": spaces}, "subnets": list(subnets)}
    properties["virtualNetworkPeerings"] = list(peerings)
    if dns:
        properties["dhcpOptions"] = {"dnsServers": list(dns)}
    return resource("virtualNetworks", name, properties)


def subnet(
    name: str,
    prefix: str,
    *,
    nsg: str = "",
    table: str = "",
    nat: str = "",
    services: Sequence[str] = (),
    **properties: Any,
) -> Row:
    """A subnet; groups, tables and NAT gateways by name."""
    found: Row = {"addressPrefix": prefix, **properties}
    if nsg:
        found["networkSecurityGroup"] = {"id": rid("networkSecurityGroups", nsg)}
    if table:
        found["routeTable"] = {"id": rid("routeTables", table)}
    if nat:
        found["natGateway"] = {"id": rid("natGateways", nat)}
    if services:
        found["serviceEndpoints"] = [{"service": one} for one in services]
    return {"name": name, "properties": found}


def peering(remote: str, **properties: Any) -> Row:
    """One side of a peering, to a network by name."""
    given = {
        "remoteVirtualNetwork": {"id": rid("virtualNetworks", remote)},
        "allowVirtualNetworkAccess": True,
        "allowForwardedTraffic": True,
    }
    return {"name": f"to-{remote}", "properties": given | properties}


def subnet_id(network: str, name: str) -> str:
    """The id of a subnet."""
    return rid("virtualNetworks/subnets", network, name)


# security groups


def nsg(name: str, *rules: Row) -> Row:
    """A network security group."""
    return resource("networkSecurityGroups", name, {"securityRules": list(rules)})


def rule(
    name: str,
    priority: int,
    access: str,
    to: Words = "*",
    port: Words = "*",
    *,
    protocol: str = "*",
    source: Words = "*",
    direction: str = "Outbound",
    **properties: Any,
) -> Row:
    """A security rule; lists go into the plural members."""
    given: Row = {
        "priority": priority,
        "access": access,
        "direction": direction,
        "protocol": protocol,
        "sourcePortRange": "*",
    }
    given |= _either("sourceAddressPrefix", "sourceAddressPrefixes", source)
    given |= _either("destinationAddressPrefix", "destinationAddressPrefixes", to)
    given |= _either("destinationPortRange", "destinationPortRanges", port)
    return {"name": name, "properties": given | properties}


def _either(singular: str, plural: str, value: Words) -> Row:
    return {singular: value} if isinstance(value, str) else {plural: list(value)}


def groups(*names: str) -> list[Row]:
    """References to application security groups."""
    return [{"id": rid("applicationSecurityGroups", name)} for name in names]


# routes


def table(name: str, *routes: Row, **properties: Any) -> Row:
    """A route table; gateway routes are not propagated unless said otherwise."""
    return resource(
        "routeTables", name, {"disableBgpRoutePropagation": True, "routes": list(routes)} | properties
    )


def route(name: str, prefix: str, hop: str, address: str | None = None) -> Row:
    """A route."""
    given: Row = {"addressPrefix": prefix, "nextHopType": hop}
    if address is not None:
        given["nextHopIpAddress"] = address
    return {"name": name, "properties": given}


# firewalls


def firewall(
    name: str = "fw",
    *,
    network: str = "hub",
    policy: str = "policy",
    address: str = "10.9.0.4",
    **properties: Any,
) -> Row:
    """An Azure Firewall in the AzureFirewallSubnet of a network."""
    configuration = {
        "subnet": {"id": subnet_id(network, "AzureFirewallSubnet")},
        "publicIPAddress": {"id": rid("publicIPAddresses", "pip")},
        "privateIPAddress": address,
    }
    given: Row = {
        "sku": {"name": "AZFW_VNet", "tier": "Standard"},
        "ipConfigurations": [{"name": "default", "properties": configuration}],
    }
    if policy:
        given["firewallPolicy"] = {"id": rid("firewallPolicies", policy)}
    return resource("azureFirewalls", name, given | properties)


def policy(name: str = "policy", *, proxy: bool = False, **properties: Any) -> Row:
    """A firewall policy."""
    given: Row = {"sku": {"tier": "Standard"}, "dnsSettings": {"enableProxy": proxy}}
    return resource("firewallPolicies", name, given | properties)


def rules_of(name: str, priority: int, *collections: Row) -> Row:
    """A rule collection group: `name` is `policy/group`."""
    given = {"priority": priority, "ruleCollections": list(collections)}
    return resource("firewallPolicies/ruleCollectionGroups", name, given)


def collection(name: str, priority: int, action: str, *rules: Row) -> Row:
    """A filter rule collection."""
    return {
        "ruleCollectionType": "FirewallPolicyFilterRuleCollection",
        "name": name,
        "priority": priority,
        "action": {"type": action},
        "rules": list(rules),
    }


def network_rule(
    name: str, protocol: str, to: Words, port: Words, *, source: Words = "*", names: Sequence[str] = ()
) -> Row:
    """A network rule; `names` are FQDNs in place of addresses."""
    given: Row = {
        "ruleType": "NetworkRule",
        "name": name,
        "ipProtocols": [protocol],
        "sourceAddresses": _listed(source),
        "destinationPorts": _listed(port),
    }
    return given | ({"destinationFqdns": list(names)} if names else {"destinationAddresses": _listed(to)})


def application_rule(
    name: str,
    *names: str,
    source: Words = "*",
    ports: Sequence[tuple[str, int]] = (("Https", 443),),
    **members: Any,
) -> Row:
    """An application rule."""
    given: Row = {
        "ruleType": "ApplicationRule",
        "name": name,
        "sourceAddresses": _listed(source),
        "protocols": [{"protocolType": kind, "port": port} for kind, port in ports],
    }
    return given | ({"targetFqdns": list(names)} if names else {}) | members


def _listed(value: Words) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


# clusters


def cluster(
    *subnets: str,
    name: str = "aks",
    network: str = "net",
    outbound: str = "userDefinedRouting",
    location: str = "eastus",
    **properties: Any,
) -> Row:
    """A cluster with a system pool in the first subnet and a user pool in every other."""
    pools = [pool(f"pool{i}", network, one, mode="User" if i else "System") for i, one in enumerate(subnets)]
    given: Row = {
        "dnsPrefix": name,
        "agentPoolProfiles": pools,
        "networkProfile": {"networkPlugin": "azure", "outboundType": outbound},
    }
    return resource("Microsoft.ContainerService/managedClusters", name, given | properties, location=location)


def pool(name: str, network: str, subnet_name: str, **properties: Any) -> Row:
    """A node pool."""
    return {
        "name": name,
        "mode": "System",
        "osType": "Linux",
        "vnetSubnetID": subnet_id(network, subnet_name),
    } | properties


def scale_set(pool_name: str, group: str) -> Row:
    """The scale set of a pool, as a snapshot shows it, with a security group on its NICs."""
    card = {
        "name": "nic",
        "properties": {"networkSecurityGroup": {"id": rid("networkSecurityGroups", group)}},
    }
    profile = {"networkProfile": {"networkInterfaceConfigurations": [card]}}
    tags = {"aks-managed-poolName": pool_name}
    return resource(
        "Microsoft.Compute/virtualMachineScaleSets",
        f"aks-{pool_name}",
        {"virtualMachineProfile": profile},
        tags=tags,
    )


# judging


def document(*rows: Row, path: str = "network.json", role: Role = Role.SUBJECT) -> Document:
    """The resources as one document."""
    return Document(
        path, Kind.ARM_TEMPLATE, tuple(_made(row, path, i) for i, row in enumerate(rows)), role=role
    )


def _made(row: Row, path: str, index: int) -> Resource:
    identity = ResourceId.of(SCOPE, row["type"], *row["name"].split("/"))
    body = {name: value for name, value in row.items() if name not in ("type", "name", "apiVersion")}
    return Resource(identity, Origin(path, pointer=("resources", index)), body, api_version=row["apiVersion"])


def template(*rows: Row, **members: Any) -> str:
    """The resources as the text of an ARM template."""
    head = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
    }
    return json.dumps(head | members | {"resources": list(rows)}, indent=2)


def wants(value: str, port: int = 443, protocol: str = "TCP", **members: Any) -> OwnRequirement:
    """An endpoint of one's own, asked of the nodes: an address, a CIDR prefix, a tag or a name."""
    kind = (
        "ip"
        if value[0].isdigit()
        else "fqdn"
        if ("." in value and value[0].islower()) or value.startswith("*")
        else "service-tag"
    )
    given: dict[str, Any] = {"kind": kind, "protocol": protocol, "ports": ((port, port),), "start": ("node",)}
    return OwnRequirement(id=f"own-{value}-{port}", value=value, **(given | members))


def judged(
    *rows: Row, asks: Sequence[OwnRequirement] = (), tags: ServiceTags = NO_TAGS, **settings: Any
) -> Report:
    """The engine's report on the resources as one document."""
    return judge([document(*rows)], Settings(requirements=tuple(asks), **settings), tags)


def flows(
    report: Report, value: str, protocol: str = "TCP", ports: str = "443", subnet: str = ""
) -> list[Flow]:
    """The flows to a destination, from every subnet or from one (by the last part of its name)."""
    return [
        one
        for cluster_report in report.clusters
        for one in cluster_report.flows
        if (one.destination.value, one.destination.protocol, one.destination.ports)
        == (value, protocol, ports)
        and (not subnet or one.source.subnet.split("/")[-1] == subnet)
    ]


def flow(report: Report, value: str, protocol: str = "TCP", ports: str = "443", subnet: str = "") -> Flow:
    """The one flow to a destination."""
    found = flows(report, value, protocol, ports, subnet)
    every = sorted(
        {
            f"{one.destination.value} {one.destination.protocol} {one.destination.ports}"
            for c in report.clusters
            for one in c.flows
        }
    )
    assert len(found) == 1, f"{len(found)} flows to {value} {protocol} {ports}; there are {every}"
    return found[0]


def sole(report: Report) -> Cluster:
    """The only cluster of a report."""
    assert len(report.clusters) == 1, [one.name for one in report.clusters]
    return report.clusters[0]


def hops(found: Flow, *kinds: str) -> list[Hop]:
    """The decisions of some kinds on a flow's path."""
    return [hop for hop in found.path if hop.hop in kinds]


def deciders(found: Flow, *kinds: str) -> list[tuple[str, str]]:
    """Rule and decision of each hop of some kinds."""
    return [(hop.rule, hop.decision) for hop in hops(found, *kinds)]


def blockers(found: Flow) -> list[tuple[str, str]]:
    """Hop and rule of everything on the path that denies or drops."""
    return [(hop.hop, hop.rule) for hop in found.path if hop.decision in ("deny", "drop")]


def findings(report: Report, family: str) -> list[Finding]:
    """The findings of a family (`EGR3`) or of one rule (`EGR301`)."""
    return [one for one in report.findings if one.rule.startswith(family)]
