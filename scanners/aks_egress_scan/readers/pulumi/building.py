"""From the registered resources of a stack to resources in ARM's shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Loose, Notice, Resource
from aks_egress.records import field, record
from aks_egress.values import Unknown
from aks_egress_scan.readers.mapping.azure_classic import classic_type, is_carrier
from aks_egress_scan.readers.mapping.azure_native import CARRIERS, module_and_name, native_type
from aks_egress_scan.readers.pulumi.identity import Identities
from aks_egress_scan.readers.pulumi.native import native_resource
from aks_egress_scan.readers.pulumi.registered import Registered
from aks_egress_scan.readers.pulumi.scopes import Scopes
from aks_egress_scan.readers.pulumi.values import UPDATED


@record(slots=True)
class Stack:
    """What a stack comes to; `urns` has the URN of every id (its `key`), `deleted` what will be gone.

    `deleted_groups` are the ids of resource groups that go with all that lies in them.
    """

    resources: list[Resource] = field(default_factory=list)
    unread: dict[str, Unknown] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    loose: list[Loose] = field(default_factory=list)
    urns: dict[str, str] = field(default_factory=dict)
    deleted: frozenset[ResourceId] = frozenset()
    deleted_groups: frozenset[str] = frozenset()
    cloud: str = ""


def built(registered: Sequence[Registered], gone: Iterable[Registered] = ()) -> Stack:
    """The resources of a stack in ARM's shape; `gone` will be deleted."""
    every = {one.urn: one for one in registered}
    scopes = Scopes(every)
    identities = Identities(every, scopes)
    lost = list(gone)
    before = Identities({one.urn: one for one in [*registered, *lost]}, scopes) if lost else identities
    deleted = _deleted(registered, identities, lost, before)
    taken = [found for one in lost if (found := before.classic.instance(one.urn)) is not None]
    classic = identities.classic.built(deleted, taken)
    out = Stack(classic.resources, classic.unread, classic.notices, loose=classic.loose, cloud=scopes.cloud)
    out.deleted, out.deleted_groups = deleted, _groups(registered, lost)
    for one in registered:
        native = native_type(one.type)
        known = identities.of(one.urn)
        if known is not None:
            out.urns.setdefault(known.key, one.urn)
        if native is not None and known is not None:
            out.resources.append(native_resource(one, native, known, identities))
        elif native is not None:
            _lost(out, one, native.kind)
        elif module_and_name(one.type) in CARRIERS or is_carrier(classic_type(one.type)):
            _carrier(out, one)
    return out


def _deleted(
    registered: Sequence[Registered], identities: Identities, lost: Sequence[Registered], before: Identities
) -> frozenset[ResourceId]:
    """The ids of what will be gone, without those that something will bear again."""
    found = {known for one in lost if (known := before.of(one.urn)) is not None and not known.open_names}
    coming: dict[tuple[str, str], list[ResourceId]] = {}
    for one in registered if found else ():
        known = None if one.external else identities.of(one.urn)
        if known is not None:
            coming.setdefault((known.kind, known.name.casefold()), []).append(known)
    return frozenset(
        one
        for one in found
        if not any(other.could_be(one) for other in coming.get((one.kind, one.name.casefold()), ()))
    )


def _groups(registered: Sequence[Registered], lost: Sequence[Registered]) -> frozenset[str]:
    """The ids of resource groups that will be deleted, with all that lies in them."""
    stay = {one.id.casefold() for one in registered if not one.anew}
    return frozenset(
        one.id
        for one in lost
        if one.type.endswith(":ResourceGroup") and one.id.startswith("/") and one.id.casefold() not in stay
    )


def _lost(out: Stack, one: Registered, kind: str) -> None:
    """A child whose parent nobody can name: any parent may have it."""
    why = f"which parent `{one.label}` belongs to is not known, so every one may have it"
    out.unread[kind] = Unknown(why, one.origin, settle=UPDATED)
    out.loose.append(Loose(kind, out.unread[kind]))
    out.notices.append(Notice("unplaced-resource", f"`{one.label}` cannot be placed: {why}", one.origin))


def _carrier(out: Stack, one: Registered) -> None:
    why = f"`{one.label}` deploys resources that are not looked into"
    out.unread.setdefault(
        "*", Unknown(why, one.origin, settle="its template as an input of its own, or a snapshot")
    )
