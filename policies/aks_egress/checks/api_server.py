"""The API server's own subnet, with VNet integration: its shape, and the probes that must get in."""

from __future__ import annotations

from collections.abc import Iterator

from aks_egress.arm.resources import Resource
from aks_egress.checks.base import Context, check, rule
from aks_egress.checks.endpoints import API_SUBNET as SHUT
from aks_egress.evaluation.flows import JudgedCluster
from aks_egress.findings.report import Finding, Severity
from aks_egress.packets.addresses import PLATFORM_VIP
from aks_egress.packets.boxes import TCP
from aks_egress.packets.tags import canonical
from aks_egress.topology.networks import Subnet
from aks_egress.topology.security import INBOUND, SecurityRule, Side
from aks_egress.values import Unknown, get, items, text

API_SUBNET = rule(
    "EGR705",
    "api-server-subnet-misfit",
    Severity.ERROR,
    "The API server's subnet is not fit for VNet integration",
)

PROBE_PORT = 9988
"""Where Azure's load balancer asks for the API server's health (learn.microsoft.com/azure/aks/api-server-vnet-integration)."""


@check(API_SUBNET)
def api_server_subnet(context: Context) -> Iterator[Finding]:
    """The subnet of API server VNet integration: its own, delegated, /28 or more."""
    for judged in context.clusters:
        subnet = judged.cluster.api_subnet if judged.cluster is not None else None
        if subnet is None or subnet.resource is None:
            continue
        for what, fix in _misfits(judged, subnet):
            yield context.finding(
                API_SUBNET,
                f"API server subnet `{subnet.label}` {what}",
                resource=subnet.resource,
                cluster=judged.name,
                breaks=("creating the cluster",),
                fix=fix,
                key=(what,),
            )


def _misfits(judged: JudgedCluster, subnet: Subnet) -> Iterator[tuple[str, str]]:
    rows = items(subnet.prop("delegations"))
    if not isinstance(rows, Unknown):
        names = [text(get(get(row, "properties"), "serviceName")) for row in rows]
        if not any(
            isinstance(name, Unknown) or str(name).casefold() == "microsoft.containerservice/managedclusters"
            for name in names
        ):
            yield "is not delegated to Microsoft.ContainerService/managedClusters", "delegate the subnet"
    known = subnet.prefixes.sure
    if known and subnet.prefixes_unknown is None and known.size < 16:
        yield f"has {known.size} addresses; AKS wants a /28 at least", "enlarge the subnet"
    nodes = judged.cluster.subnets() if judged.cluster is not None else []
    if any(subnet is other for other in nodes):
        yield (
            "holds nodes as well; it must be the API server's alone",
            "give the API server a subnet of its own",
        )


@check(SHUT)
def probes(context: Context) -> Iterator[Finding]:
    """Health probes of the load balancer before the API server: inbound, so no flow of the nodes shows them."""
    for judged in context.clusters:
        subnet = judged.cluster.api_subnet if judged.cluster is not None else None
        group = subnet.nsg.sole if subnet is not None else None
        if subnet is None or group is None:
            continue
        denied = _decider(context, group, subnet)
        if denied is None or denied.access != "deny":
            continue
        yield context.finding(
            SHUT,
            f"rule `{denied.name}` of `{group.label}` denies TCP {PROBE_PORT} from AzureLoadBalancer to API server subnet `{subnet.label}`: "
            "the load balancer takes the API server for dead",
            resource=group,
            origin=denied.origin,
            cluster=judged.name,
            requirements=("azlb-to-apiserver-subnet",),
            breaks=("everything that asks the API server, kubectl included",),
            fix=f"add an inbound Allow rule with a priority below {denied.priority} to `{group.label}` for TCP {PROBE_PORT} from `AzureLoadBalancer`",
            key=(denied.name,),
        )


def _decider(context: Context, group: Resource, subnet: Subnet) -> SecurityRule | None:
    """The rule that certainly decides over a probe; None where a default rule lets it in, or nobody can say."""
    known = context.topology.rules(group)
    if known.gap is not None:
        return None
    for one in known.facing(INBOUND):
        source, target = _holds_probe(one.source), _holds_subnet(one.destination, subnet)
        if (
            False in (source, target)
            or TCP not in one.protocol.possible
            or PROBE_PORT not in one.port.possible
        ):
            continue
        sure = TCP in one.protocol.sure and PROBE_PORT in one.port.sure and one.direction is not None
        certain = (
            source and target and sure and not one.unknowns and one.uncertain is None and not one.problems
        )
        return one if certain else None
    return None


def _holds_probe(side: Side) -> bool | None:
    """Whether a source holds the load balancer's probes; None where nobody can say."""
    tags = {canonical(tag) for tag in side.tags}
    if side.literal >= PLATFORM_VIP or tags & {"azureloadbalancer", "virtualnetwork"}:
        return True
    return None if side.open is not None else False


def _holds_subnet(side: Side, subnet: Subnet) -> bool | None:
    """Whether a destination holds the subnet."""
    inside = subnet.prefixes.sure
    if "virtualnetwork" in {canonical(tag) for tag in side.tags} or (inside and inside <= side.literal):
        return True
    return None if side.open is not None or not inside or side.literal & inside else False
