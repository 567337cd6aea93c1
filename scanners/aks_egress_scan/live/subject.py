"""The cluster that a triage is about: as its definition has it, judged, and told apart from others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aks_egress.records import record, replace
from aks_egress.values import text
from aks_egress_scan.failures import NothingToJudge, UsageFailure
from aks_egress_scan.live.picture import Way, address_of, in_node_subnets

if TYPE_CHECKING:
    from aks_egress.findings.report import Cluster, Flow, Report
    from aks_egress_scan.evaluate import Run
    from aks_egress_scan.live.seen import Seen
    from aks_egress_scan.sources import Loaded


@record(frozen=True, slots=True, kw_only=True)
class Subject:
    """The cluster's id and name, the hosts of its API server, the group of its nodes, and settings that bear on a triage."""

    id: str
    name: str
    hosts: frozenset[str] = frozenset()
    node_group: str = ""
    engine: str = ""
    authorized: bool = False
    power: str = ""
    private: bool = False


def subject_of(loaded: Loaded, name: str) -> Subject:
    """The cluster of that name; there must be one."""
    from aks_egress.topology.clusters import CLUSTERS

    found = {
        str(one.id).casefold(): one
        for document in loaded.documents
        for one in document.resources
        if one.kind == CLUSTERS.casefold() and one.name.casefold() == name.casefold()
    }
    if not found:
        raise NothingToJudge(f"there is no cluster `{name}` among what can be seen")
    if len(found) > 1:
        places = ", ".join(f"`{one.id}`" for _, one in sorted(found.items()))
        raise UsageFailure(f"several clusters are called `{name}` ({places}): add `--resource-group`")
    return _described(next(iter(found.values())))


def _described(cluster: Any) -> Subject:
    def word(*path: str) -> str:
        value = text(cluster.prop(*path))
        return value if isinstance(value, str) else ""

    hosts = (word(one).casefold() for one in ("fqdn", "privateFQDN", "azurePortalFQDN"))
    profile = cluster.prop("networkProfile")
    return Subject(
        id=str(cluster.id),
        name=cluster.name,
        hosts=frozenset(one for one in hosts if one),
        node_group=word("nodeResourceGroup"),
        # silence is no policy engine, where the definition says anything of the network
        engine=word("networkProfile", "networkPolicy").casefold() or ("none" if profile else ""),
        authorized=bool(cluster.prop("apiServerAccessProfile", "authorizedIPRanges")),
        power=word("powerState", "code"),
        private=any(
            cluster.prop("apiServerAccessProfile", one) is True
            for one in ("enablePrivateCluster", "enableVnetIntegration")
        ),
    )


_OF_AKS = (".azmk8s.io", ".azk8s.cn", ".cx.aks.containerservice.azure.us")


def same_cluster(subject: Subject, seen: Seen) -> None:
    """Raise UsageFailure where the kubeconfig leads to another cluster: its pods say nothing of this one."""
    host = (urlsplit(seen.host).hostname or "").casefold()
    if subject.hosts and host.endswith(_OF_AKS) and host not in subject.hosts:
        raise UsageFailure(_other(subject, f"to `{host}`, and its API server is `{min(subject.hosts)}`"))
    groups = {one.group.casefold() for one in seen.nodes if one.group}
    if subject.node_group and groups and not any(_named(subject.node_group, one) for one in groups):
        raise UsageFailure(
            _other(subject, f"to nodes of `{min(groups)}`, and its nodes are in `{subject.node_group}`")
        )


def _named(group: str, label: str) -> bool:
    """Labels end after 63 characters."""
    return group.casefold()[:63] == label


def _other(subject: Subject, why: str) -> str:
    return f"the kubeconfig does not lead to `{subject.name}` but {why}: name its context with `--kube-context`, or give `--aks-credentials`"


def judged(settled: Run, loaded: Loaded, seen: Seen, subject: Subject) -> tuple[Report, tuple[Cluster, ...]]:
    """The report, with what was seen settling the tunnel and the API server's address; the cluster judged for further tunnels."""
    settings = settled.settings
    running = seen.tunnels if settings.tunnel == "auto" else []
    addresses = [one for one in seen.api_addresses if _fits(one, subject)]
    if len(addresses) == 1:
        known = {subject.name: addresses[0], **settings.api_server_addresses}
        settings = replace(settings, api_server_addresses=known)
    settled = replace(settled, settings=settings)
    first, *others = [_judged(settled, loaded, subject, mode) for mode in (running or [settings.tunnel])]
    if running:
        first = _with_evidence(first, seen, running[0])
    return first, tuple(one.clusters[0] for one in others)


def _judged(settled: Run, loaded: Loaded, subject: Subject, tunnel: str) -> Report:
    from aks_egress_scan.evaluate import judge

    report = judge(replace(settled, settings=replace(settled.settings, tunnel=tunnel)), loaded)
    if not report.clusters:
        raise NothingToJudge(f"cluster `{subject.name}` could not be judged")
    return report


def _with_evidence(report: Report, seen: Seen, mode: str) -> Report:
    first, *rest = report.clusters
    pods = seen.of(mode)
    said = f"its pods are there, {sum(one.ready for one in pods)} of {len(pods)} ready"
    tunnel = replace(first.tunnel, evidence=said)
    return replace(report, clusters=(replace(first, tunnel=tunnel), *rest))


def _fits(address: str, subject: Subject) -> bool:
    """Whether nodes reach the API server there: inside the network where it is private, outside where it is not."""
    found = address_of(address)
    return (
        found is not None
        and found.is_global is not subject.private
        and (found.version == 4 or found.is_global)
    )


def ways(settled: Run, loaded: Loaded, seen: Seen, cluster: Cluster, nodes: Iterable[str]) -> Iterator[Way]:
    """The walk asked about single addresses: nodes that the error names."""
    for name in nodes:
        node = seen.node(name)
        address = next((one for one in node.addresses if ":" not in one), "") if node else name
        if address_of(address) is not None and (node or not seen.nodes):
            what = "the node of the error" + (f", {node.name}" if node else "")
            yield _to_node(settled, loaded, cluster, address, what)


def _to_node(settled: Run, loaded: Loaded, cluster: Cluster, address: str, what: str) -> Way:
    """From where the tunnel's agents, or the API server itself, call kubelets."""
    found = address_of(address)
    if ":" in address or found is None:
        return Way(
            address=address, what=what, why_not=f"{address} is an IPv6 address, and only IPv4 is walked"
        )
    if in_node_subnets(cluster, found) is False:
        return Way(address=address, what=what, why_not=f"{address} is in no node subnet of the cluster")
    starts = _starts(cluster, "tunnel-agent-to-kubelet") or _starts(cluster, "apiserver-subnet-to-kubelet")
    if not starts:
        return Way(
            address=address, what=what, why_not="the definitions do not say where calls to kubelets start"
        )
    return _way(settled, loaded, starts, address, 10250, what)


def _starts(cluster: Cluster, requirement: str) -> list[str]:
    return sorted({one.source.subnet for one in cluster.flows if one.requirement == requirement})


def _way(settled: Run, loaded: Loaded, starts: Iterable[str], address: str, port: int, what: str) -> Way:
    from aks_egress.settings import DeclarationError

    flows: list[Flow] = []
    for start in starts:
        try:
            flows += _asked(settled, loaded, start, address, port)
        except DeclarationError as error:
            return Way(address=address, what=what, why_not=str(error))
    return Way(address=address, what=what, flows=tuple(flows))


def _asked(settled: Run, loaded: Loaded, start: str, address: str, port: int) -> list[Flow]:
    from aks_egress.engine import ask
    from aks_egress.settings import OwnRequirement

    wanted = OwnRequirement(
        id="triage", kind="ip", value=address, ports=((port, port),), start=("node", "pod"), title=address
    )
    flows = ask(loaded.documents, settled.settings, settled.tags, start, wanted)
    return [one for one in flows if one.source.subnet == start]
