"""What Resource Graph lacks, asked for one by one: each function answers pieces of a picture.

A piece is plain JSON, so that it can be kept between two runs: `resources` (with their type), and whatever
else was found.  Every refusal becomes an `Unread`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aks_egress_scan.live.refusals import ODD, NoAnswerError, signed_out, unread
from aks_egress_scan.live.session import AGAIN, Session
from aks_egress_scan.live.snapshot import Unread, kind_of

Json = dict[str, Any]
_NETWORK = "microsoft.network"
RULE_COLLECTIONS = f"{_NETWORK}/networkmanagers/securityadminconfigurations/rulecollections"
ADMIN_RULES = f"{RULE_COLLECTIONS}/rules"
CONNECTIONS = f"{_NETWORK}/virtualhubs/hubvirtualnetworkconnections"
INTENTS = f"{_NETWORK}/virtualhubs/routingintent"
_ADMIN_PERMISSION = "Microsoft.Network/virtualNetworks/listNetworkManagerEffectiveSecurityAdminRules/action"
_DEPENDENCIES_PERMISSION = (
    "Microsoft.ContainerService/managedClusters/outboundNetworkDependenciesEndpoints/read"
)

#: type -> the operations of the network client that read one of it
_GETTERS: Mapping[str, str] = {
    f"{_NETWORK}/applicationsecuritygroups": "application_security_groups",
    f"{_NETWORK}/azurefirewalls": "azure_firewalls",
    f"{_NETWORK}/firewallpolicies": "firewall_policies",
    f"{_NETWORK}/firewallpolicies/rulecollectiongroups": "firewall_policy_rule_collection_groups",
    f"{_NETWORK}/ipgroups": "ip_groups",
    f"{_NETWORK}/natgateways": "nat_gateways",
    f"{_NETWORK}/networksecuritygroups": "network_security_groups",
    f"{_NETWORK}/routetables": "route_tables",
    f"{_NETWORK}/virtualnetworks": "virtual_networks",
}


class Piece:
    """One thing to ask for: its key between runs, and how to ask."""

    __slots__ = ("ask", "key")

    def __init__(self, key: str, ask: Callable[[], Json]) -> None:
        self.key, self.ask = key, ask


def names_of(resource_id: str) -> tuple[str, str, list[str]]:
    """Subscription, resource group and names of an id."""
    parts = resource_id.strip("/").split("/")
    return parts[1], parts[3], parts[7::2]


def resource(session: Session, resource_id: str) -> Piece | None:
    """One resource by its id; None for a type that nobody reads one by one."""
    kind = kind_of(resource_id)
    if kind not in _GETTERS or resource_id.casefold().count("/providers/") != 1:
        return None

    def ask() -> Json:
        subscription, group, names = names_of(resource_id)
        operations = getattr(session.network(subscription), _GETTERS[kind])
        found: Json = operations.get(group, *names).as_dict()
        return {"resources": [[kind, {**found, "id": resource_id}]]}

    return Piece(f"resource {resource_id.casefold()}", guarded(ask, resource_id))


def dependencies(session: Session, cluster: str) -> Piece:
    """The endpoints that a cluster itself says it needs."""

    def ask() -> Json:
        subscription, group, names = names_of(cluster)
        clusters = session.containers(subscription).managed_clusters
        rows = every(clusters.list_outbound_network_dependencies_endpoints(group, names[0]))
        return {"dependencies": {cluster: [_endpoint(row) for row in rows]}}

    kind = "microsoft.containerservice/managedclusters/outboundnetworkdependenciesendpoints"
    return Piece(f"dependencies {cluster.casefold()}", guarded(ask, cluster, _DEPENDENCIES_PERMISSION, kind))


def every(paged: Any) -> list[Json]:
    """The rows of all pages; raises NoAnswerError for pages that lead back to one that was read."""
    rows: list[Json] = []
    tokens: set[str] = set()
    pages = paged.by_page()
    for page in pages:
        rows += [one.as_dict() for one in page]
        if pages.continuation_token in tokens:
            raise NoAnswerError("its pages lead round in a circle")
        tokens.add(pages.continuation_token)
    return rows


def _endpoint(row: Json) -> Json:
    """What is kept: category, names, ports."""
    endpoints = [
        {
            "domainName": one.get("domainName"),
            "endpointDetails": [
                {name: detail[name] for name in ("port", "protocol", "ipAddress") if detail.get(name)}
                for detail in one.get("endpointDetails") or ()
            ],
        }
        for one in row.get("endpoints") or ()
    ]
    return {"category": row.get("category", ""), "endpoints": endpoints}


def admin_rules(session: Session, network: str) -> Piece:
    """The Virtual Network Manager rules that are in effect over a network."""

    def ask() -> Json:
        from azure.mgmt.network.models import QueryRequestOptions

        subscription, group, names = names_of(network)
        client = session.network(subscription)
        token: str | None = None
        tokens: set[str] = set()
        rules: list[Json] = []
        while True:
            answer = client.list_network_manager_effective_security_admin_rules(
                group, names[0], QueryRequestOptions(skip_token=token), **AGAIN
            )
            if answer.value is None:
                raise NoAnswerError(ODD)
            rules += [one.as_dict() for one in answer.value]
            token = answer.skip_token
            if not token:
                return {"resources": [row for rule in rules for row in _in_effect(rule, network)]}
            if token in tokens:
                raise NoAnswerError("its pages lead round in a circle")
            tokens.add(token)

    return Piece(f"admin rules {network.casefold()}", guarded(ask, network, _ADMIN_PERMISSION, ADMIN_RULES))


def _in_effect(rule: Json, network: str) -> Iterator[list[Any]]:
    """A rule, its collection, and a group of our own that applies the collection to this network and to no other.

    Which of its groups the network is in, Azure does not say; that the rule is in effect over it, it does.
    """
    rule_id = rule.get("id")
    if not isinstance(rule_id, str) or kind_of(rule_id) != ADMIN_RULES:
        raise NoAnswerError(ODD)
    collection, configuration = rule_id.rsplit("/", 2)[0], rule_id.rsplit("/", 4)[0]
    manager = configuration.rsplit("/", 2)[0]
    subscription, resource_group, names = names_of(network)
    parts = [one.rsplit("/", 1)[-1] for one in (configuration, collection)]
    group = f"{manager}/networkGroups/{'~'.join([*parts, subscription, resource_group, names[0]])}"
    member = f"{group}/staticMembers/{names[0]}"
    yield [ADMIN_RULES, {"id": rule_id, "kind": rule.get("kind"), "properties": rule.get("properties") or {}}]
    yield [
        RULE_COLLECTIONS,
        {"id": collection, "properties": {"appliesToGroups": [{"networkGroupId": group}]}},
    ]
    yield [kind_of(group), {"id": group, "properties": {}}]
    yield [kind_of(member), {"id": member, "properties": {"resourceId": network}}]


def hub(session: Session, hub_id: str) -> Iterator[Piece]:
    """The networks that a Virtual WAN hub connects, and where it sends their traffic."""
    subscription, group, names = names_of(hub_id)
    for kind, word, permission in (
        (CONNECTIONS, "hub_virtual_network_connections", "hubVirtualNetworkConnections"),
        (INTENTS, "routing_intent", "routingIntent"),
    ):

        def ask(kind: str = kind, word: str = word, child: str = permission) -> Json:
            rows = every(getattr(session.network(subscription), word).list(group, names[0]))
            found = [{**row, "id": f"{hub_id}/{child}/{row['id'].rsplit('/', 1)[-1]}"} for row in rows]
            return {"resources": [[kind, row] for row in found]}

        action = f"Microsoft.Network/virtualHubs/{permission}/read"
        yield Piece(f"{word} {hub_id.casefold()}", guarded(ask, hub_id, action, kind, everything=True))


def guarded(
    ask: Callable[[], Json],
    resource_id: str,
    permission: str = "",
    kind: str = "",
    *,
    everything: bool = False,
) -> Callable[[], Json]:
    """The question, with an error as an answer."""

    def answered() -> Json:
        from azure.core.exceptions import AzureError

        try:
            return ask()
        except (AzureError, AttributeError, LookupError, TypeError, ValueError) as error:
            # an answer of another shape than Azure documents is no answer
            if signed_out(error):
                raise
            found = unread(error, resource_id, permission, kind).as_json()
            return {"unread": [found | ({"everything": True} if everything else {})]}

    return answered


def unread_of(row: Json) -> Unread:
    """The row of a piece or of a file as an object."""
    return Unread(
        kind=row["type"],
        id=row["id"],
        why=row["why"],
        permission=row.get("permission", ""),
        grant=row.get("grant", ""),
        everything=row.get("everything", False),
    )
