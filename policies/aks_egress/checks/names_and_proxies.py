"""Name resolution of private API servers, and the cluster's HTTP proxy."""

from __future__ import annotations

from collections.abc import Iterator

from aks_egress.arm.graph import Graph
from aks_egress.arm.ids import parse_id
from aks_egress.arm.resources import Resource
from aks_egress.checks.base import Context, check, rule
from aks_egress.evaluation.flows import JudgedCluster
from aks_egress.findings.report import Finding, Severity
from aks_egress.packets.addresses import BadAddressError, parse
from aks_egress.topology.clusters import Cluster
from aks_egress.topology.networks import VirtualNetwork
from aks_egress.values import Unknown, Value, flag, get, items, text

ZONE = rule(
    "EGR601",
    "private-zone-not-linked",
    Severity.WARNING,
    "The nodes' DNS servers may not see the private API server's zone",
)
NO_NAME = rule(
    "EGR602",
    "private-api-server-without-name",
    Severity.ERROR,
    "A private API server with neither a private zone nor a public name",
)
NO_PROXY = rule(
    "EGR603", "no-proxy-wildcard", Severity.WARNING, "An exception from the HTTP proxy that has no effect"
)
PROXY = rule("EGR604", "http-proxy-refused", Severity.ERROR, "An HTTP proxy that AKS does not support")

LINKS = "Microsoft.Network/privateDnsZones/virtualNetworkLinks"
ACCESS = "apiServerAccessProfile"


def _private(context: Context) -> Iterator[tuple[JudgedCluster, Cluster, str]]:
    """Clusters with a private endpoint for the API server, and their `privateDNSZone`: system, none, or an id."""
    for judged in context.clusters:
        if judged.cluster is None or judged.facts.fact("api_access").value != "private_link":
            continue
        zone = text(judged.cluster.resource.prop(ACCESS, "privateDNSZone"))
        if not isinstance(zone, Unknown):
            yield judged, judged.cluster, zone or "system"
        elif zone.refers_to:
            yield judged, judged.cluster, zone.refers_to[0].id


@check(NO_NAME)
def unnamed(context: Context) -> Iterator[Finding]:
    """`privateDNSZone` none needs the public name (private-clusters: none with disabled public FQDN is not supported)."""
    for judged, cluster, zone in _private(context):
        public = flag(cluster.resource.prop(ACCESS, "enablePrivateClusterPublicFQDN"), True)
        if zone.casefold() == "none" and public is False:
            yield context.finding(
                NO_NAME,
                "privateDNSZone is none and enablePrivateClusterPublicFQDN is false: no name leads to the API server",
                resource=cluster.resource,
                origin=cluster.resource.place("properties", ACCESS, "privateDNSZone"),
                cluster=judged.name,
                breaks=("creating the cluster", "node registration (K8SAPIServerDNSLookupFail)"),
                fix="set enablePrivateClusterPublicFQDN to true, or use a private zone",
            )


@check(ZONE)
def zones(context: Context) -> Iterator[Finding]:
    """DNS servers in another network than the nodes', which AKS does not link to the private zone."""
    for judged, cluster, zone in _private(context):
        servers = judged.facts.dns_servers
        if zone.casefold() == "none" or isinstance(servers, Unknown) or not cluster.pools:
            continue
        home = cluster.pools[0].subnet.network
        for server in servers:
            where = _network(context, home, server)
            if where is home or (where is not None and _linked(context.topology.graph, zone, where)):
                continue
            yield _unlinked(context, judged, cluster, server, where)


def _network(context: Context, home: VirtualNetwork, server: str) -> VirtualNetwork | None:
    """The network, the nodes' own or a peer, that holds a DNS server; None where none of the inputs does."""
    try:
        return context.topology.network_of_address(home, parse(server).first)
    except BadAddressError:
        return None


def _linked(graph: Graph, zone: str, network: VirtualNetwork) -> bool:
    """Whether a link among the inputs may join the zone to a network."""
    wanted = parse_id(zone)
    for link in graph.of_kind(LINKS):
        above = link.id.parent
        if wanted is not None and above is not None and not above.could_be(wanted):
            continue
        if _leads(graph, link, network):
            return True
    return False


def _leads(graph: Graph, link: Resource, network: VirtualNetwork) -> bool:
    remote = graph.link(link.prop("virtualNetwork"), graph.home(link), link.origin)
    if remote.sole is not None:
        return network.is_(remote.sole.id)
    named = parse_id(link.prop("virtualNetwork", "id"))
    return named is None or network.is_(named)


def _unlinked(
    context: Context, judged: JudgedCluster, cluster: Cluster, server: str, where: VirtualNetwork | None
) -> Finding:
    if where is not None:
        what = f"lies in `{where.name}`, to which no link among the inputs joins the zone; AKS links the nodes' network only"
        fix = f"link the private zone to `{where.name}`, and have the server forward to 168.63.129.16"
    else:
        what = "lies in no network among the inputs, so whether it resolves the zone is not known"
        fix = "have it forward the zone to a resolver in a network that the zone is linked to"
    return context.finding(
        ZONE,
        f"the API server is private, and DNS server {server} {what}",
        resource=cluster.resource,
        origin=cluster.resource.place("properties", ACCESS, "privateDNSZone"),
        cluster=judged.name,
        severity=None if where is not None else Severity.NOTE,
        breaks=("node registration (K8SAPIServerDNSLookupFail, exit 52)",),
        fix=fix,
        key=(server,),
    )


@check(NO_PROXY, PROXY)
def proxies(context: Context) -> Iterator[Finding]:
    """`httpProxyConfig` against the limits that Microsoft lists (aks/http-proxy)."""
    for judged in context.clusters:
        if judged.cluster is None or judged.facts.proxy.on is not True:
            continue
        cluster = judged.cluster
        config = cluster.resource.prop("httpProxyConfig")
        for entry in judged.facts.proxy.exceptions:
            if entry.startswith("*") and entry != "*":
                yield context.finding(
                    NO_PROXY,
                    f"noProxy holds `{entry}`: AKS takes no `*` in front of a domain, so these hosts are asked for through the proxy, "
                    "or the cluster is refused",
                    resource=cluster.resource,
                    origin=cluster.resource.place("properties", "httpProxyConfig", "noProxy"),
                    cluster=judged.name,
                    fix=f"write `{entry.lstrip('*')}`",
                    key=(entry,),
                )
        for what, fix in (*_urls(config), *_windows(cluster)):
            yield context.finding(
                PROXY,
                f"{what}; AKS does not support that",
                resource=cluster.resource,
                origin=cluster.resource.place("properties", "httpProxyConfig"),
                cluster=judged.name,
                breaks=("creating or updating the cluster (HTTPProxyWrongUrlError)",),
                fix=fix,
                key=(what,),
            )


def _urls(config: Value) -> Iterator[tuple[str, str]]:
    for member in ("httpProxy", "httpsProxy"):
        url = text(get(config, member))
        if not isinstance(url, str):
            continue
        scheme, separator, rest = url.partition("://")
        if "@" in rest.split("/", 1)[0]:
            yield f"{member} holds a user and a password", "use a proxy that asks for neither"
        if not separator:
            yield f"{member} is no URL", "begin it with http://"
        elif member == "httpProxy" and scheme.casefold() != "http":
            yield f"httpProxy begins with {scheme}://", "reach the proxy itself over http://"


def _windows(cluster: Cluster) -> Iterator[tuple[str, str]]:
    for pool in cluster.pools:
        rows = items(get(pool.body, "osType"))
        if isinstance(rows, list) and any(str(one).casefold() == "windows" for one in rows):
            yield (
                f"pool `{pool.name}` runs Windows, and the cluster has an HTTP proxy",
                "leave the proxy out, or the pool",
            )
