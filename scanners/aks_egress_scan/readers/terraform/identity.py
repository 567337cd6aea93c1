"""The ARM ids of Terraform instances: taken where known, composed where not, and what references lead to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from aks_egress.arm.ids import OPEN_RESOURCE_GROUP, BadResourceIdError, ResourceId, parse_id
from aks_egress.records import replace
from aks_egress.values import Reference, Step, Unknown, Value
from aks_egress_scan.readers.mapping.azurerm import FOLDS, TYPES
from aks_egress_scan.readers.mapping.kinds import NICS, SUBNETS, VNETS, Above, ById, ByName, Type
from aks_egress_scan.readers.mapping.networks import PREFIXES, PUBLIC_IPS
from aks_egress_scan.readers.terraform.instances import Instance

AZAPI: Final = frozenset({"azapi_resource", "azapi_update_resource", "azapi_data_plane_resource"})
WIDE: Final = "*"
"""First step of a reference that may name more than is meant; what does not fit is passed over."""

_MACHINES: Final = frozenset(
    {"azurerm_linux_virtual_machine", "azurerm_windows_virtual_machine", "azurerm_virtual_machine"}
)
_ADDRESS_OF: Final = {PUBLIC_IPS.casefold(): "ipAddress", PREFIXES.casefold(): "ipPrefix"}
_ADDRESS_STEPS: Final = frozenset(
    {
        "ip_address",
        "ip_prefix",
        "private_ip_address",
        "private_ip_addresses",
        "ip_configuration",
        "frontend_ip_configuration",
        "virtual_hub",
    }
)
_GROUP: Final = "azurerm_resource_group"


#: providers whose values are never an id or an address of the network, except where the types below say so
_HARMLESS: Final = frozenset(
    {"azurerm", "azuread", "azapi", "random", "time", "tls", "null", "local", "helm", "kubernetes", "kubectl"}
)
_CARRIERS: Final = frozenset(
    {
        "azapi_data_plane_resource",
        "azapi_resource_action",
        "azurerm_resource_group_template_deployment",
        "azurerm_subscription_template_deployment",
        "azurerm_template_deployment",
        "local_file",
    }
)


#: so many things that something may be are no help to anybody
_MANY: Final = 8


def may_hold_anything(kind: str) -> bool:
    """Whether a resource of this type may give out any text, an id or an address among others."""
    return kind in _CARRIERS or kind.split("_", 1)[0] not in _HARMLESS


class Identities:
    """The ids of all instances of a document."""

    def __init__(self, instances: Sequence[Instance]) -> None:
        self._by_address = {one.address: one for one in instances}
        self._known: dict[int, ResourceId | None] = {}
        self._busy: set[int] = set()
        self._families: dict[frozenset[str], list[ResourceId]] = {}

    def of(self, instance: Instance) -> ResourceId | None:
        """The id of an instance; None where it is no ARM resource or its parent is not known."""
        key = id(instance)
        if key not in self._known:
            if key in self._busy:
                return None
            self._busy.add(key)
            self._known[key] = self._azapi(instance) if instance.type in AZAPI else self._azurerm(instance)
            self._busy.discard(key)
        return self._known[key]

    def _azurerm(self, instance: Instance) -> ResourceId | None:
        kind = TYPES.get(instance.type)
        if kind is None:
            return None
        known = parse_id(instance.get("id"))
        if known is not None and known.kind == kind.kind:
            return known
        return self._composed(instance, kind)

    def _composed(self, instance: Instance, kind: Type) -> ResourceId | None:
        name = _name(instance)
        if not kind.above:
            return _of(_scope(instance), kind.arm, name)
        for way in kind.above:
            for above in self.owners(instance, way, "" if kind.extension else _parent_kind(kind.arm)):
                tail = f"providers/{kind.arm}" if kind.extension else kind.arm.rsplit("/", 1)[-1]
                return parse_id(f"{above}/{tail}/{name}")
        return None

    def owners(self, instance: Instance, way: Above, arm: str) -> list[ResourceId]:
        """The one resource of type `arm` that an attribute leads to; empty where nobody knows which."""
        found = self.candidates(instance, way, arm)
        return found if len(found) == 1 else []

    def candidates(self, instance: Instance, way: Above, arm: str) -> list[ResourceId]:
        """The resources of type `arm` (empty: any) that an attribute may lead to."""
        value = instance.get(way.attribute)
        match way:
            case ById():
                if isinstance(value, Unknown):
                    linked = self.link(value, frozenset({arm.casefold()}) if arm else frozenset(), False)
                    return [one for ref in linked.refers_to if (one := parse_id(ref.id)) is not None]
                known = parse_id(value)
                return [known] if known is not None and (not arm or known.kind == arm.casefold()) else []
            case ByName():
                if isinstance(value, Unknown):
                    return self._named(value, arm)
                if not isinstance(value, str) or not value.strip():
                    return []
                known = _of(_scope(instance), arm, _clean(value))
                return [known] if known is not None else []

    def _named(self, value: Unknown, arm: str) -> list[ResourceId]:
        """The resources whose names an unknown name may be."""
        found: list[ResourceId] = []
        for ref in value.refers_to:
            wide, path = _path(ref)
            target = self._by_address.get(ref.id)
            known = self.of(target) if target is not None else None
            fits = known is not None and known.kind == arm.casefold() and path in ((), ("name",))
            if known is not None and target is not None and fits:
                # what is merely in sight can give its name only if that is not known either
                if not wide or isinstance(target.get("name"), Unknown):
                    found.append(known)
            elif not wide:
                return []
        return list(dict.fromkeys(found))

    def link(self, value: Unknown, kinds: frozenset[str], address: bool) -> Unknown:
        """The unknown with references to ARM ids in place of Terraform addresses.

        Only where every reference leads to a resource of one of the kinds; else it refers to nothing.
        """
        found: list[Reference] = []
        guessed = False
        for ref in value.refers_to:
            wide, path = _path(ref)
            guessed = guessed or wide
            targets = self._targets(ref.id, path, kinds, address)
            if targets is not None:
                found += targets
            elif wide:
                found += self._below(ref.id, kinds)
            else:
                return replace(value, refers_to=())
        found = list(dict.fromkeys(found))
        return replace(value, refers_to=() if guessed and len(found) > _MANY else tuple(found))

    def _below(self, address: str, kinds: frozenset[str]) -> list[Reference]:
        """Resources whose ids may be put together from the id of one above them."""
        target = self._by_address.get(address)
        above = self.of(target) if target is not None else None
        if above is None or not any(kind.startswith(f"{above.kind}/") for kind in kinds):
            return []
        if kinds not in self._families:
            ids = [self.of(one) for one in self._by_address.values() if _kind_of(one) in kinds]
            self._families[kinds] = [one for one in ids if one is not None]
        return [Reference(str(one)) for one in self._families[kinds] if one.key.startswith(f"{above.key}/")]

    def _targets(
        self, address: str, path: tuple[Step, ...], kinds: frozenset[str], wants_address: bool
    ) -> list[Reference] | None:
        target = self._by_address.get(address)
        if target is None:
            return None
        through = self._through(target, path, kinds, wants_address)
        if through is not None:
            return through
        known = self.of(target)
        if known is None:
            return None
        if wants_address:
            fits = known.kind in kinds and (not path or path[0] in _ADDRESS_STEPS)
            name = _ADDRESS_OF.get(known.kind, "privateIPAddress")
            return [Reference(str(known), ("properties", name))] if fits else None
        if path in ((), ("id",)) and (not kinds or known.kind in kinds):
            return [Reference(str(known))]
        if len(path) == 2 and path[0] == "id" and str(path[1]).startswith("/"):
            child = parse_id(f"{known}{path[1]}")  # text behind an id: the id of a child
            return (
                [Reference(str(child))] if child is not None and (not kinds or child.kind in kinds) else None
            )
        if path[:1] == ("subnet",) and known.kind == VNETS.casefold() and SUBNETS.casefold() in kinds:
            return _inline_subnets(known, target, path)
        return None

    def _through(
        self, target: Instance, path: tuple[Step, ...], kinds: frozenset[str], wants_address: bool
    ) -> list[Reference] | None:
        """What stands behind an association that shares its owner's id, or behind a machine's address."""
        fold = FOLDS.get(target.type)
        if fold is not None and fold.same_id and path in ((), ("id",)) and not wants_address:
            if id(target) in self._busy or fold.kind not in kinds:
                return None
            self._busy.add(id(target))
            owners = self.candidates(target, fold.owner, fold.arm)
            self._busy.discard(id(target))
            return [Reference(str(one)) for one in owners] or None
        if target.type in _MACHINES and wants_address and path and str(path[0]).startswith("private_ip"):
            return self._nics(target.get("network_interface_ids"), kinds)
        return None

    def _nics(self, value: Value, kinds: frozenset[str]) -> list[Reference] | None:
        if NICS.casefold() not in kinds:
            return None
        found: list[Reference] = []
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Unknown):
                linked = self.link(item, frozenset({NICS.casefold()}), False).refers_to
                if not linked:
                    return None
                found += linked
            elif (known := parse_id(item)) is not None:
                found.append(Reference(str(known)))
        return found or None

    def instance_at(self, address: str) -> Instance | None:
        """The instance of an address."""
        return self._by_address.get(address)

    def _azapi(self, instance: Instance) -> ResourceId | None:
        known = parse_id(instance.get("id"))
        spelled = instance.get("type")
        if known is not None or not isinstance(spelled, str):
            return known
        arm = spelled.partition("@")[0]
        if instance.type == "azapi_update_resource":
            owners = self.owners(instance, ById("resource_id"), arm)
            if owners:
                return owners[0]
        if arm.count("/") > 1:
            for above in self.owners(instance, ById("parent_id"), _parent_kind(arm)):
                return parse_id(f"{above}/{arm.rsplit('/', 1)[-1]}/{_name(instance)}")
            return None
        return _of(self._azapi_scope(instance), arm, _name(instance))

    def _azapi_scope(self, instance: Instance) -> str:
        """The scope that `parent_id` names: an id, or a resource group of the same document."""
        value = instance.get("parent_id")
        if isinstance(value, str) and value.strip():
            return value.strip()
        groups = [
            one
            for ref in (value.refers_to if isinstance(value, Unknown) else ())
            if (one := self._by_address.get(ref.id)) is not None and one.type == _GROUP
        ]
        name = groups[0].get("name") if len(groups) == 1 else None
        group = _clean(name) if isinstance(name, str) and name.strip() else OPEN_RESOURCE_GROUP
        return f"/subscriptions/{instance.subscription}/resourceGroups/{group}"


def _inline_subnets(network: ResourceId, target: Instance, path: tuple[Step, ...]) -> list[Reference] | None:
    """The subnets written inside a network that a path may mean: the one of its index, else any."""
    rows = target.get("subnet")
    if isinstance(rows, list) and len(path) > 1 and isinstance(path[1], int):
        rows = rows[path[1] : path[1] + 1]
    found: list[Reference] = []
    for row in rows if isinstance(rows, list) else ():
        name = row.get("name") if isinstance(row, dict) else None
        if not isinstance(name, str) or not name.strip():
            return None
        found.append(Reference(str(network.child("subnets", _clean(name)))))
    return found or None


def _kind_of(instance: Instance) -> str:
    """The ARM type of an instance, lower case; empty where it is none."""
    kind = TYPES.get(instance.type)
    spelled = instance.get("type") if instance.type in AZAPI else ""
    return kind.kind if kind is not None else str(spelled).partition("@")[0].casefold()


def _path(ref: Reference) -> tuple[bool, tuple[Step, ...]]:
    return (True, ref.path[1:]) if ref.path[:1] == (WIDE,) else (False, ref.path)


def _parent_kind(arm: str) -> str:
    return arm.rsplit("/", 1)[0]


def _name(instance: Instance) -> str:
    """The name, or a placeholder that nothing else can equal."""
    value = instance.get("name")
    return _clean(value) if isinstance(value, str) and value.strip() else _clean(f"{{{instance.address}}}")


def _clean(name: str) -> str:
    return name.strip().replace("/", "_")


def _scope(instance: Instance) -> str:
    group = instance.get("resource_group_name")
    known = _clean(group) if isinstance(group, str) and group.strip() else OPEN_RESOURCE_GROUP
    return f"/subscriptions/{instance.subscription}/resourceGroups/{known}"


def _of(scope: str, arm: str, *names: str) -> ResourceId | None:
    try:
        return ResourceId.of(scope, arm, *names)
    except (BadResourceIdError, ValueError):
        return None


def distinct(ids: Iterable[ResourceId]) -> list[ResourceId]:
    """Each id once, in order."""
    return list({one.key: one for one in ids}.values())
