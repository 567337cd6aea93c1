"""Authorized IP ranges of a public API server, which the nodes' own way out must lie in (T4, S25)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aks_egress.arm.graph import Graph
from aks_egress.arm.resources import Resource
from aks_egress.checks.base import Context, check, rule
from aks_egress.checks.scope import default_route, firewalls, node_subnets, tables
from aks_egress.evaluation.flows import JudgedCluster
from aks_egress.findings.report import Finding, Severity
from aks_egress.packets.addresses import BadAddressError, parse
from aks_egress.topology.firewalls import Firewall
from aks_egress.topology.networks import Subnet
from aks_egress.values import Origin, Unknown, Value, at, items, text

RANGES = rule(
    "EGR702",
    "authorized-ranges-miss-egress",
    Severity.WARNING,
    "Authorized IP ranges that may lock the nodes out",
)
PLACE = ("apiServerAccessProfile", "authorizedIPRanges")
EVERYBODY = "0.0.0.0/0"
BREAKS = ("node registration (K8SAPIServerConnFail)", "kubectl logs", "kubectl exec")

Exit = Resource | str | Unknown
"""A public address or prefix by which nodes leave: a resource, the address itself, or why it is not known."""


@check(RANGES)
def authorized_ranges(context: Context) -> Iterator[Finding]:
    """A public API server that admits only listed addresses must admit the nodes' own."""
    for judged in context.clusters:
        if judged.cluster is None or judged.facts.fact("api_access").value != "public":
            continue
        given = items(judged.cluster.resource.prop(*PLACE))
        if isinstance(given, Unknown):
            given = [given]
        for label, address in _exits(context, judged) if given else ():
            held = _held(context, judged, given, address)
            if held is not True:
                yield _finding(context, judged, given, label, held)


def _finding(
    context: Context, judged: JudgedCluster, given: Sequence[Value], label: str, held: bool | Unknown
) -> Finding:
    """That nobody knows a range that holds the nodes' way out, or that nobody can say whether one does."""
    assert judged.cluster is not None  # noqa: S101  the caller has looked
    message = (
        f"authorizedIPRanges lists {len(given)} ranges, and none is known to hold the nodes' own way out, {label}: "
        "then the nodes themselves cannot reach the API server"
    )
    fix = f"add the public address of {label} to the authorized ranges"
    if isinstance(held, Unknown):
        message = (
            f"whether authorizedIPRanges holds the nodes' own way out, {label}, is not decided: {held.why}"
        )
        fix = f"see that the public address of {label} is among the authorized ranges"
    return context.finding(
        RANGES,
        message,
        resource=judged.cluster.resource,
        origin=judged.cluster.resource.place("properties", *PLACE),
        cluster=judged.name,
        judged=judged,
        severity=Severity.NOTE if isinstance(held, Unknown) else None,
        breaks=BREAKS,
        fix=fix,
        key=(label,),
    )


def _exits(context: Context, judged: JudgedCluster) -> Iterator[tuple[str, Exit]]:
    """The public addresses by which nodes leave; AKS itself lists that of its own load balancer."""
    graph = context.topology.graph
    through = firewalls(context, judged)
    for firewall in through:
        yield from _of_firewall(graph, firewall)
    if through:
        return
    for subnet in node_subnets(judged):
        beyond = _beyond(context, subnet)
        if beyond is not None:
            yield beyond
        elif subnet.nat_gateway.sole is not None:
            yield from _of_gateway(graph, subnet.nat_gateway.sole)


def _of_firewall(graph: Graph, firewall: Firewall) -> Iterator[tuple[str, Exit]]:
    named = f"firewall `{firewall.label}`"
    rows = firewall.ip_configurations
    if firewall.in_hub:
        rows = items(firewall.resource.prop("hubIPAddresses", "publicIPs", "addresses"))
        spelled = [text(at(row, "address")) for row in rows] if isinstance(rows, list) else []
        known = [one for one in spelled if isinstance(one, str)]
        yield from ((f"{one} of {named}", one) for one in known)
        if not known:
            yield named, _unnamed(named, firewall.resource.origin)
        return
    references = (
        rows if isinstance(rows, Unknown) else [at(row, "properties", "publicIPAddress") for row in rows]
    )
    yield from _of_references(graph, firewall.resource, named, references)


def _of_gateway(graph: Graph, gateway: Resource) -> Iterator[tuple[str, Exit]]:
    named = f"NAT gateway `{gateway.label}`"
    for member in ("publicIpAddresses", "publicIpPrefixes"):
        rows = items(gateway.prop(member))
        if isinstance(rows, Unknown) or rows:
            yield from _of_references(graph, gateway, named, rows)


def _of_references(
    graph: Graph, holder: Resource, named: str, references: list[Value] | Unknown
) -> Iterator[tuple[str, Exit]]:
    """What a firewall or a NAT gateway refers to as its public addresses."""
    if isinstance(references, Unknown):
        yield named, references
        return
    given = [one for one in references if one is not None]
    for one in given:
        link = graph.link(one, graph.home(holder), holder.origin)
        if link.sole is not None:
            yield f"`{link.sole.label}` of {named}", link.sole
        else:
            yield named, link.unknown or _unnamed(named, holder.origin)
    if not given:
        yield named, _unnamed(named, holder.origin)


def _unnamed(named: str, origin: Origin) -> Unknown:
    return Unknown(f"{named} names no public address", origin)


def _beyond(context: Context, subnet: Subnet) -> tuple[str, Unknown] | None:
    """What a default route leads to that is no firewall of Azure's: its public address is known to nobody here."""
    for table in tables(context, subnet):
        route = default_route(table)
        if route is not None and route.hop not in ("Internet", "None"):
            label = f"what lies behind route `{route.name}` of subnet `{subnet.label}`"
            return label, Unknown("its public address is not among the inputs", route.origin)
    return None


def _held(context: Context, judged: JudgedCluster, given: Sequence[Value], address: Exit) -> bool | Unknown:
    """Whether an authorized range holds an address; why that is not known."""
    if any(str(one).strip() == EVERYBODY or _is(context, judged, one, address) for one in given):
        return True
    lost = next((one for one in given if isinstance(one, Unknown) and not one.refers_to), None)
    if lost is not None:
        return lost
    return address if isinstance(address, Unknown) else False


def _is(context: Context, judged: JudgedCluster, given: Value, address: Exit) -> bool:
    """Whether one range holds an address, by number or by reference."""
    if isinstance(given, Unknown):
        graph, home = context.topology.graph, judged.cluster.document if judged.cluster else None
        return home is not None and any(graph.link(one.id, home).sole is address for one in given.refers_to)
    spelled = _number(address)
    try:
        wide = parse(str(given), host_bits=True)
        return parse(spelled) <= wide if spelled else False
    except BadAddressError:
        return False


def _number(address: Exit) -> str:
    """A public address or prefix as it is written; empty where it is not known."""
    if isinstance(address, Resource):
        found = text(address.prop("ipAddress")) or text(address.prop("ipPrefix"))
        return found if isinstance(found, str) else ""
    return address if isinstance(address, str) else ""
