"""The cluster's own settings: outbound type against the network, network isolation."""

from __future__ import annotations

from collections.abc import Iterator

from aks_egress.checks.base import Context, check, rule
from aks_egress.checks.scope import default_route, node_subnets, tables
from aks_egress.evaluation.demand import Action
from aks_egress.evaluation.flows import JudgedCluster, JudgedFlow
from aks_egress.evaluation.verdicts import Verdict
from aks_egress.findings.advice import destinations
from aks_egress.findings.report import Finding, Severity
from aks_egress.topology.clusters import Cluster
from aks_egress.topology.networks import Subnet
from aks_egress.values import Unknown, get

CONFLICT = rule(
    "EGR701",
    "outbound-type-conflict",
    Severity.ERROR,
    "The outbound type and the network contradict each other",
)
ISOLATED = rule(
    "EGR703", "network-isolated-incomplete", Severity.ERROR, "No way out, and not set up as network isolated"
)
NAT_MISFIT = rule(
    "EGR704", "nat-gateway-misfit", Severity.ERROR, "userAssignedNATGateway without a usable NAT gateway"
)
DEFAULT_ACCESS = rule(
    "EGR309",
    "default-outbound-access",
    Severity.WARNING,
    "Nodes rely on default outbound access, which is retired",
)
NO_SUBNET = rule("EGR905", "cluster-without-subnet", Severity.NOTE, "AKS makes the network itself")
#: notices that say where something was read, not that it was not
SAID_BESIDE = ("parameters-beside", "linked-on-disk")
NOT_READ = rule("EGR902", "input-not-read", Severity.WARNING, "A part of an input could not be read")
OUTBOUND_MEMBERS = (
    "managedOutboundIPs",
    "outboundIPs",
    "outboundIPPrefixes",
    "allocatedOutboundPorts",
    "idleTimeoutInMinutes",
)
OUTBOUND_TYPE = ("networkProfile", "outboundType")


def _of(cluster: JudgedCluster) -> Cluster:
    assert cluster.cluster is not None  # noqa: S101  the caller has looked
    return cluster.cluster


@check(CONFLICT, NAT_MISFIT)
def outbound_types(context: Context) -> Iterator[Finding]:
    """What AKS refuses, or what silently wins over the outbound type."""
    for judged in context.clusters:
        if judged.cluster is None or isinstance(judged.cluster.outbound_type, Unknown):
            continue
        cluster, named = judged.cluster, judged.cluster.outbound_type
        folded = named.casefold()
        outbound = _outbound_members(cluster)
        if folded == "userdefinedrouting" and outbound:
            yield context.finding(
                CONFLICT,
                f"outboundType is {named} and the loadBalancerProfile sets {', '.join(outbound)}; AKS refuses the two together",
                resource=cluster.resource,
                origin=cluster.resource.place("properties", "networkProfile", "loadBalancerProfile"),
                cluster=judged.name,
                breaks=("creating the cluster (InvalidUserDefinedRoutingWithLoadBalancerProfile)",),
                fix=f"drop {', '.join(outbound)} from the loadBalancerProfile",
                key=("loadBalancerProfile",),
            )
        for subnet in node_subnets(judged):
            for what, fix in _conflicts(context, subnet, folded):
                yield context.finding(
                    NAT_MISFIT if "no NAT gateway" in what else CONFLICT,
                    f"outboundType is {named} and {what}",
                    resource=cluster.resource,
                    origin=cluster.resource.place("properties", *OUTBOUND_TYPE),
                    cluster=judged.name,
                    breaks=("creating the cluster",),
                    fix=fix,
                    key=(subnet.label, what),
                )


def _outbound_members(cluster: Cluster) -> list[str]:
    """What a load-balancer profile says of the way out.

    `backendPoolType` alone goes with userDefinedRouting: Microsoft's baselines for several regions
    deploy that, and the reports of refusals begin with the members for ports and timeouts.
    """
    profile = cluster.resource.prop("networkProfile", "loadBalancerProfile")
    given = profile if isinstance(profile, dict) else {}
    return [
        name
        for name in OUTBOUND_MEMBERS
        if (value := get(given, name)) is not None and not isinstance(value, Unknown) and value != []
    ]


def _conflicts(context: Context, subnet: Subnet, folded: str) -> Iterator[tuple[str, str]]:
    own = "use a subnet of one's own (vnetSubnetID) or another outboundType"
    if subnet.managed:
        if folded in ("userdefinedrouting", "userassignednatgateway"):
            yield (
                "no pool names a subnet: AKS would make the network itself, which that type does not allow",
                own,
            )
        return
    if folded.startswith("managednatgateway"):
        yield (
            f"subnet `{subnet.label}` is one's own; AKS allows that type only in a network it makes itself",
            "use userAssignedNATGateway",
        )
    if folded == "block":
        yield (
            f"subnet `{subnet.label}` is one's own; AKS allows that type only in a network it makes itself",
            "use none and deny egress in the security group",
        )
    if folded == "loadbalancer" and subnet.nat_gateway.sole is not None:
        yield (
            f"subnet `{subnet.label}` has NAT gateway `{subnet.nat_gateway.sole.label}`",
            "use userAssignedNATGateway",
        )
    if folded == "userassignednatgateway":
        if subnet.nat_gateway.absent:
            yield (
                f"subnet `{subnet.label}` has no NAT gateway",
                "associate a NAT gateway that has a public address with every node and pod subnet",
            )
        for table in tables(context, subnet):
            found = default_route(table)
            if found is not None and found.hop != "Internet":
                yield (
                    f"route `{found.name}` takes 0.0.0.0/0 of subnet `{subnet.label}` past the NAT gateway",
                    "use userDefinedRouting, or remove the route",
                )


@check(DEFAULT_ACCESS)
def default_outbound_access(context: Context) -> Iterator[Finding]:
    """Flows whose only way out would be Azure's default outbound access (R23)."""
    for judged in context.clusters:
        seen: set[str] = set()
        for flow in judged.flows:
            for decision in flow.judgement.path:
                decider = decision.decider
                if (
                    decider.hop != "outbound"
                    or decider.action is not Action.UNKNOWN
                    or "default outbound access" not in decider.reason
                ):
                    continue
                label = flow.start.subnet.label
                if label in seen:
                    continue
                seen.add(label)
                yield context.finding(
                    DEFAULT_ACCESS,
                    f"subnet `{label}`: {decider.reason}",
                    label=label,
                    origin=decider.origin,
                    cluster=judged.name,
                    breaks=("everything that leaves the nodes, in networks made since 2026-03-31",),
                    fix=decider.settle,
                    key=(label,),
                )


@check(ISOLATED)
def network_isolated(context: Context) -> Iterator[Finding]:
    """outboundType none or block needs a way out of one's own, or the rest of a network isolated cluster."""
    for judged in context.clusters:
        if judged.cluster is None or str(judged.facts.fact("outbound_type").value).casefold() not in (
            "none",
            "block",
        ):
            continue
        shut = [flow for flow in judged.flows if _leaves(flow) and flow.verdict is not Verdict.OPEN]
        missing = list(_not_isolated(judged))
        if not shut or not missing:
            continue
        wanted = [flow.requirement for flow in shut]
        certain = any(flow.verdict is not Verdict.UNKNOWN for flow in shut)
        where = "has no way out for" if certain else "may have no way out for"
        yield context.finding(
            ISOLATED,
            f"outboundType is {judged.cluster.outbound_type} and {'; '.join(missing)}: cluster `{judged.name}` {where} {destinations(wanted)}",
            resource=judged.cluster.resource,
            origin=judged.cluster.resource.place("properties", *OUTBOUND_TYPE),
            cluster=judged.name,
            severity=None if certain else Severity.WARNING,
            requirements=(one.id for one in wanted),
            breaks=("node provisioning (OutboundConnFail, exit 50; image pulls)",),
            fix="lead 0.0.0.0/0 of the node subnets to a firewall that lets these through, or choose an outboundType with a way out, or set "
            "bootstrapProfile.artifactSource to Cache with a private registry and make the API server private",
        )


def _leaves(flow: JudgedFlow) -> bool:
    """Whether a flow is required and leads out of the network."""
    return flow.counts and flow.requirement.kind in ("fqdn", "service-tag") and not flow.requirement.towards


def _not_isolated(judged: JudgedCluster) -> Iterator[str]:
    source = judged.facts.fact("bootstrap_artifact_source").value
    if isinstance(source, str) and source.casefold() != "cache":
        yield "bootstrapProfile.artifactSource is not Cache, so nodes fetch images and binaries from the Internet"
    if judged.facts.fact("api_access").value == "public":
        yield "the API server is public, so the nodes need the Internet to reach it"


@check(NO_SUBNET)
def managed_networks(context: Context) -> Iterator[Finding]:
    """Clusters that name no subnet: there is little that could be judged."""
    for judged in context.clusters:
        subnets = node_subnets(judged)
        if judged.cluster is not None and subnets and all(subnet.managed for subnet in subnets):
            yield context.finding(
                NO_SUBNET,
                f"cluster `{judged.name}` names no subnet, so AKS makes its network: only the outbound type was judged",
                resource=judged.cluster.resource,
                cluster=judged.name,
                fix="judge a snapshot of the live cluster as well, where that network and its changes show",
            )


@check(NOT_READ)
def not_read(context: Context) -> Iterator[Finding]:
    """Notices of the readers."""
    for document in context.documents:
        for notice in document.notices:
            if notice.code in SAID_BESIDE:
                continue
            yield context.finding(
                NOT_READ,
                notice.message,
                label=document.path,
                origin=notice.origin,
                severity=Severity.ERROR if notice.malformed else Severity.NOTE,
                key=(notice.code, notice.message),
            )
