"""From Terraform instances to resources in ARM's shape.

Ids are taken where they are known and composed where they are not; associations and rule collections
that ARM keeps inside another resource are written into it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial

from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Kept, Loose, Notice, Resource
from aks_egress.records import field, record
from aks_egress.values import Unknown, Value
from aks_egress_scan.readers.mapping.azurerm import TYPES
from aks_egress_scan.readers.mapping.fields import Path, Spot, Writer, fill
from aks_egress_scan.readers.mapping.kinds import VNETS, Type
from aks_egress_scan.readers.terraform.azapi import azapi_body
from aks_egress_scan.readers.terraform.folding import Folding, stand_ins
from aks_egress_scan.readers.terraform.identity import AZAPI, Identities
from aks_egress_scan.readers.terraform.instances import Instance
from aks_egress_scan.readers.terraform.templates import TEMPLATES, hidden
from aks_egress_scan.readers.terraform.updates import UPDATE, updated

DEPLOYMENT = "azurerm_network_manager_deployment"
ADMIN_RULE = "azurerm_network_manager_admin_rule"


@record(slots=True)
class Built:
    """The resources of one document, and what nobody can say about it."""

    resources: list[Resource] = field(default_factory=list)
    unread: dict[str, Unknown] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    loose: list[Loose] = field(default_factory=list)


def build(
    instances: Sequence[Instance], removed: Collection[ResourceId] = (), taken: Sequence[Instance] = ()
) -> Built:
    """The resources that the instances are.

    `removed` are ids of what will be gone: rows that a parent still shows for them are left out.  `taken`
    are the instances that will be deleted, associations among them.
    """
    identities = Identities(instances)
    folding = Folding(instances, identities, taken)
    gone = _gone(removed)
    out = Built()
    undeployed = _undeployed(instances)
    # data sources first, so that what is managed is found before what is merely looked up
    for instance in sorted(instances, key=lambda one: not one.data):
        if instance.type in AZAPI:
            if instance.type != UPDATE:
                _add_azapi(out, instance, identities)
            continue
        if instance.type in TEMPLATES:
            _hidden(out, instance)
        kind = TYPES.get(instance.type)
        if kind is None:
            continue
        resource_id = identities.of(instance)
        if resource_id is None:
            _lost(out, instance, kind)
            continue
        out.resources.append(_resource(instance, kind, resource_id, identities, folding, gone))
        if instance.type == ADMIN_RULE and undeployed is not None:
            out.resources[-1].uncertain = undeployed
    out.loose += folding.loose()
    out.resources += stand_ins(folding, identities, out.resources, list(removed))
    for instance in instances:
        if instance.type == UPDATE:
            updated(out.resources, instance, identities)
    return out


def _hidden(out: Built, instance: Instance) -> None:
    """An ARM template that is deployed beside the resources: what it may hold is not read."""
    found = hidden(instance)
    for kind, why in found.items():
        out.unread.setdefault(kind, why)
    for why in list(found.values())[:1]:
        out.notices.append(Notice("unread-template", why.why, instance.origin))


def _lost(out: Built, instance: Instance, kind: Type) -> None:
    """A child whose parent nobody can name: any parent may have it."""
    if instance.data:
        return
    why = f"which parent `{instance.address}` belongs to is not known, so every one may have it"
    unknown = Unknown(why, instance.origin, settle="a state or a plan made after it was applied")
    out.unread[kind.kind] = unknown
    out.loose.append(Loose(kind.kind, unknown))
    out.notices.append(
        Notice("unplaced-resource", f"`{instance.address}` cannot be placed: {why}", instance.origin)
    )


def _undeployed(instances: Sequence[Instance]) -> Unknown | None:
    """Why admin rules may be without effect: nothing among the instances deploys them."""
    for one in instances:
        if one.type == DEPLOYMENT and str(one.get("scope_access")).casefold() != "connectivity":
            return None
    why = "no `azurerm_network_manager_deployment` deploys the security admin configuration"
    return Unknown(why, settle="a snapshot of the live rules, or the definition of the deployment")


def _resource(
    instance: Instance,
    kind: Type,
    resource_id: ResourceId,
    identities: Identities,
    folding: Folding,
    gone: dict[str, frozenset[str]],
) -> Resource:
    writer = Writer(identities.link, instance.values, instance.address)
    kept: list[Kept] = []

    def body() -> dict[str, Value]:
        written: dict[str, Value] = {}
        if instance.data and not kind.data:
            return written
        fill(written, kind.fields, instance.get, Spot(writer, (), ()))
        folding.into(resource_id, written, writer)
        properties = written.setdefault("properties", {})
        if isinstance(properties, dict):
            _leave_out(properties, gone.get(resource_id.key, frozenset()), writer)
            kept[:] = [
                *folding.kept(resource_id, partial(_stated, instance, kind)),
                *_unlisted(instance, kind),
            ]
            if instance.data:
                kept.extend(_silent(properties, kind, instance))
        return written

    return Resource(
        resource_id,
        instance.origin,
        body,
        writer.places,
        address=instance.address,
        existing=instance.data and not folding.has(resource_id),
        uncertain=instance.uncertain,
        kept=kept,
        anew=instance.anew,
    )


def _stated(instance: Instance, kind: Type, path: Path) -> bool:
    """Whether a resource says a part itself that associations may give it."""
    return any(instance.get(one.source) is not None for one in kind.fields if one.target == path)


#: what subnets have that azurerm's networks do not list before version 4
_OF_SUBNETS = {"route_table_id": "routeTable", "nat_gateway_id": "natGateway"}


def _unlisted(instance: Instance, kind: Type) -> list[Kept]:
    """What a network that lists its subnets leaves out about them, and leaves alone."""
    rows = instance.get("subnet") if kind.arm == VNETS else None
    return [
        Kept(("properties", "subnets", i, "properties", name))
        for i, row in enumerate(rows if isinstance(rows, list) else ())
        for attribute, name in _OF_SUBNETS.items()
        if isinstance(row, dict) and attribute not in row
    ]


def _silent(properties: dict[str, Value], kind: Type, instance: Instance) -> Iterator[Kept]:
    """Say of what a data source does not show that it is not known, unless others say it."""
    for name in kind.silent:
        if name not in properties and not (
            name.endswith("RuleCollections") and "firewallPolicy" in properties
        ):
            why = f"a data source does not show `{name}` (`{instance.address}`)"
            properties[name] = Unknown(
                why, instance.origin, settle="the definition itself, with --context, or a snapshot"
            )
            yield Kept(("properties", name))


#: where a parent that exists already shows its children
_SHOWN = ("securityRules", "routes", "subnets")


def _gone(removed: Iterable[ResourceId]) -> dict[str, frozenset[str]]:
    """Names of removed children, by the id of their parent."""
    found: dict[str, set[str]] = {}
    for one in removed:
        if one.parent is not None and one.type.rsplit("/", 1)[-1].casefold() in {
            name.casefold() for name in _SHOWN
        }:
            found.setdefault(one.parent.key, set()).add(one.name.casefold())
    return {key: frozenset(names) for key, names in found.items()}


def _leave_out(properties: dict[str, Value], names: frozenset[str], writer: Writer) -> None:
    for member in _SHOWN if names else ():
        rows = properties.get(member)
        if isinstance(rows, list):
            kept = [
                i
                for i, row in enumerate(rows)
                if not (isinstance(row, dict) and str(row.get("name")).casefold() in names)
            ]
            places = {i: writer.places.get(("properties", member, i)) for i in kept}
            properties[member] = [rows[i] for i in kept]
            for new, old in enumerate(kept):
                place = places[old]
                if place is not None:
                    writer.places["properties", member, new] = place


def _add_azapi(out: Built, instance: Instance, identities: Identities) -> None:
    resource_id = identities.of(instance)
    if resource_id is None:
        spelled = instance.get("type")
        kind = spelled.partition("@")[0].casefold() if isinstance(spelled, str) else "*"
        if not instance.data:
            why = f"to which resource `{instance.address}` belongs is not known"
            out.unread[kind] = Unknown(why, instance.origin, settle="a plan made after it was applied")
        return
    out.resources.append(
        Resource(
            resource_id,
            instance.origin,
            lambda: azapi_body(instance, identities),
            address=instance.address,
            existing=instance.data,
            uncertain=instance.uncertain,
            anew=instance.anew,
        )
    )
