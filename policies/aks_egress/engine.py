"""Documents and settings in, report out: the one place where the stages are joined."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aks_egress import __version__
from aks_egress.arm.resources import Document, Role
from aks_egress.checks.base import Context
from aks_egress.checks.running import run
from aks_egress.evaluation.appliances import Appliances
from aks_egress.evaluation.demands import starts
from aks_egress.evaluation.flows import JudgedCluster, JudgedFlow, judge_flow, judge_flows
from aks_egress.evaluation.hops import Hops
from aks_egress.evaluation.walk import Walk
from aks_egress.findings.assemble import report_cluster, report_flow
from aks_egress.findings.places import Places
from aks_egress.findings.report import Flow, Input, Problem, Report, Tool
from aks_egress.packets.addresses import spell
from aks_egress.packets.tags import ServiceTags
from aks_egress.requirements.binding import requirements
from aks_egress.requirements.catalogue import load
from aks_egress.requirements.facts import facts_of
from aks_egress.requirements.own import own_requirements
from aks_egress.requirements.requirement import Requirement
from aks_egress.requirements.subnets import declared_clusters
from aks_egress.requirements.tunnel import tunnel_mode
from aks_egress.settings import NodeSubnet, OwnRequirement, Settings
from aks_egress.topology.asked import admin_rules_asked
from aks_egress.topology.clusters import Cluster
from aks_egress.topology.model import Topology
from aks_egress.topology.networks import Subnet
from aks_egress.topology.security import ADMIN_RULES
from aks_egress.values import Unknown, items, text


def judge(documents: Sequence[Document], settings: Settings, tags: ServiceTags) -> Report:
    """Judge every cluster of the documents that are subjects, and say what must be acted on.

    Raises DeclarationError and UnknownFeatureError for settings that fit nothing.
    """
    documents = sorted(documents, key=lambda one: (one.role is Role.CONTEXT, one.path))
    walk, clusters = walked(documents, settings, tags)
    topology = walk.hops.topology
    places = Places(documents)
    context = Context(
        documents=tuple(documents),
        topology=topology,
        hops=walk.hops,
        clusters=clusters,
        settings=settings,
        places=places,
    )
    findings = tuple(run(context, settings.severities))
    if not findings:
        places = Places(documents, written=False)
    return Report(
        tool=_tool(tags),
        inputs=tuple(_input(document, places) for document in documents),
        clusters=tuple(report_cluster(one, places) for one in clusters),
        findings=findings,
        notes=(
            *(f"`{one.path}`: {remark}" for one in documents for remark in one.remarks),
            *_notes(topology, clusters, tags),
        ),
    )


def walked(
    documents: Sequence[Document], settings: Settings, tags: ServiceTags
) -> tuple[Walk, tuple[JudgedCluster, ...]]:
    """Every cluster with its flows, judged; and the walk, which knows the topology."""
    declared = declared_clusters(documents, settings.node_subnets)
    topology = Topology([*documents, declared] if declared is not None else documents, tags)
    walk = Walk(Hops(topology), Appliances(settings.appliances, tags))
    found = [cluster for cluster in topology.clusters() if _wanted(cluster, settings)]
    flows = _flows_of(walk, settings, len(found))
    return walk, tuple(_judged(walk, cluster, settings, flows) for cluster in found)


FLEET = 8
"""From so many clusters on, those that are alike are judged once."""
Flows = Callable[[Cluster, Sequence[Requirement]], tuple[JudgedFlow, ...]]


def _flows_of(walk: Walk, settings: Settings, clusters: int) -> Flows:
    """How the flows of a cluster are judged: one by one, or like those of another."""

    def alone(cluster: Cluster, needed: Sequence[Requirement]) -> tuple[JudgedFlow, ...]:
        return judge_flows(walk, cluster, needed, settings.api_server_addresses)

    if clusters < FLEET or settings.api_server_addresses:
        return alone
    from aks_egress.evaluation.retelling import Retelling  # noqa: PLC0415  a single cluster has nobody to be like

    retelling = Retelling(walk)

    def alike(cluster: Cluster, needed: Sequence[Requirement]) -> tuple[JudgedFlow, ...]:
        flows = retelling.flows(cluster, needed)
        return alone(cluster, needed) if flows is None else flows

    return alike


def ask(
    documents: Sequence[Document], settings: Settings, tags: ServiceTags, subnet: str, wanted: OwnRequirement
) -> list[Flow]:
    """One flow from one subnet, or one for each pool whose nodes tell it apart there.

    `subnet` is a resource id, `network/subnet` or a name that only one subnet has; raises
    DeclarationError for one that nobody has.
    """
    declared = declared_clusters(documents, [NodeSubnet(subnet=subnet)])
    assert declared is not None  # noqa: S101  one subnet was declared
    topology = Topology([*documents, declared], tags)
    walk = Walk(Hops(topology), Appliances(settings.appliances, tags))
    own = next(one for one in topology.clusters() if one.document is declared)
    home = own.pools[0].subnet
    clusters = [
        one for one in topology.clusters() if one.document is not declared and home in one.subnets()
    ] or [own]
    places = Places(documents)
    requirement = own_requirements([wanted], "")[0]
    return [
        report_flow(flow, places)
        for cluster in clusters
        for start in starts(cluster, requirement)
        if start.subnet is home and (flow := judge_flow(walk, requirement, start)) is not None
    ]


def _wanted(cluster: Cluster, settings: Settings) -> bool:
    name = cluster.resource.name.casefold()
    return not settings.clusters or name in {one.casefold() for one in settings.clusters}


def _judged(walk: Walk, cluster: Cluster, settings: Settings, flows_of: Flows) -> JudgedCluster:
    facts = facts_of(
        cluster,
        cloud=settings.cloud or cluster.document.cloud,
        features=settings.features,
        dns_servers=_dns_servers(cluster, walk),
        tunnel=settings.tunnel,
    )
    mode = tunnel_mode(facts, settings.tunnel)
    needed = [*requirements(facts, mode), *own_requirements(settings.requirements, cluster.resource.name)]
    flows = flows_of(cluster, needed)
    walk.forget(cluster.subnets())
    return JudgedCluster(cluster=cluster, subnet=None, facts=facts, mode=mode, flows=flows)


def _dns_servers(cluster: Cluster, walk: Walk) -> tuple[str, ...] | Unknown:
    """The servers that the nodes' network names; empty for Azure's own, also in a network that AKS makes."""
    first = cluster.pools[0].subnet if cluster.pools else None
    if first is None or first.managed:
        return ()
    rows = items(first.network.dns_servers)
    if isinstance(rows, Unknown):
        return rows
    found: list[str] = []
    for row in rows:
        spelled = text(row)
        known = _firewall_address(spelled, first, walk) if isinstance(spelled, Unknown) else spelled
        if isinstance(known, Unknown):
            return known
        if known:
            found.append(known)
    return tuple(found)


def _firewall_address(promised: Unknown, subnet: Subnet, walk: Walk) -> str | Unknown:
    """A DNS server that will be a firewall's private address: the first that its subnet gives out (F26)."""
    network = subnet.network.resource
    near = walk.hops.topology.graph.home(network) if network is not None else None
    behind = walk.hops.owners(promised, near) if near is not None else []
    if (
        len(behind) == 1
        and behind[0].is_firewall
        and behind[0].subnet is not None
        and behind[0].subnet.prefixes.sure
    ):
        return spell(behind[0].subnet.prefixes.sure.first + 4)
    return promised


def _notes(topology: Topology, clusters: Sequence[JudgedCluster], tags: ServiceTags) -> tuple[str, ...]:
    """What the whole report rests on."""
    notes: list[str] = []
    asked = (_looked_up(one, topology) for one in clusters)
    if not topology.graph.of_kind(ADMIN_RULES) and not all(asked):
        notes.append(
            "no Virtual Network Manager admin rules are among the inputs; a Deny there, set by another team, would win over all of this"
        )
    if clusters and not tags:
        notes.append(
            "no service-tag data is at hand, so tags were reasoned about by name; `--service-tags FILE` decides what that leaves open"
        )
    return tuple(notes)


def _looked_up(judged: JudgedCluster, topology: Topology) -> bool:
    """Whether somebody asked Azure for the admin rules in effect over the cluster's networks."""
    return judged.cluster is not None and admin_rules_asked(topology.graph, judged.cluster)


def _tool(tags: ServiceTags) -> Tool:
    catalogue = load()
    return Tool(
        version=__version__,
        catalogue_date=catalogue.date,
        catalogue_digest=catalogue.digest,
        tags_source=tags.source,
        tags_change_number=tags.change_number,
    )


def _input(document: Document, places: Places) -> Input:
    problems = []
    for notice in document.notices:
        place = places.of(notice.origin)
        problems.append(
            Problem(
                message=notice.message,
                line=place.line if place else None,
                code=notice.code,
                path=notice.origin.path,
                malformed=notice.malformed,
            )
        )
    return Input(
        path=document.path,
        kind=str(document.kind),
        role=str(document.role),
        resources=len(document.resources),
        problems=tuple(problems),
    )
