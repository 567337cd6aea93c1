"""The ARM ids of Pulumi's resources: taken where known, composed where not, and what unknown ids will be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from aks_egress.arm.ids import BadResourceIdError, ResourceId, parse_id
from aks_egress.records import replace
from aks_egress.values import Reference, Step, Unknown
from aks_egress_scan.readers.mapping.azure_native import EXTENSIONS, Native, native_type
from aks_egress_scan.readers.pulumi.classic import Classic
from aks_egress_scan.readers.pulumi.registered import CHILD_LISTS, Registered
from aks_egress_scan.readers.pulumi.scopes import Scopes, clean
from aks_egress_scan.readers.terraform.identity import WIDE

#: packages whose resources never give out the id or the address of a network's parts
HARMLESS: Final = frozenset(
    {
        "azure-native",
        "azure",
        "azurerm",
        "azuread",
        "random",
        "time",
        "tls",
        "null",
        "kubernetes",
        "docker",
        "pulumi",
    }
)
_OPEN: Final = frozenset({"pulumi:pulumi:StackReference"})
_ADDRESS_STEPS: Final = ("ipConfigurations", "privateIPAddress", "frontendIPConfigurations", "hubIPAddresses")


class Identities:
    """The ids of all resources of a stack, azure-native's and the classic provider's."""

    def __init__(self, every: Mapping[str, Registered], scopes: Scopes) -> None:
        self._every = every
        self._scopes = scopes
        self._known: dict[str, ResourceId | None] = {}
        self._busy: set[str] = set()
        self._below: dict[str, list[str]] = {}
        for one in every.values():
            self._below.setdefault(one.parent, []).append(one.urn)
        self.classic = Classic(every, scopes, self.of)

    def of(self, urn: str) -> ResourceId | None:
        """The id of a resource; None where it is none of Azure's, or its parent is not known."""
        if urn not in self._known:
            one = self._every.get(urn)
            if one is None or urn in self._busy:
                return None
            self._busy.add(urn)
            native = native_type(one.type)
            self._known[urn] = self._native(one, native) if native is not None else self.classic.id_of(urn)
            self._busy.discard(urn)
        return self._known[urn]

    def _native(self, one: Registered, native: Native) -> ResourceId | None:
        for text in (one.id, one.props.get("id")):
            known = parse_id(text)
            if known is not None and known.kind == native.kind:
                return known
        if native.kind in EXTENSIONS:
            above = self._extended(one)
            return _child(f"{above}/providers/{native.arm}", self._name(one, native)) if above else None
        return self._composed(one, native.arm, native.names, self._name(one, native))

    def _composed(self, one: Registered, arm: str, names: tuple[str, ...], name: str) -> ResourceId | None:
        if len(names) == 1:
            return _of(self._scopes.of(one, one.props.get("resourceGroupName")), arm, name)
        above, segment = arm.rpartition("/")[0], arm.rpartition("/")[2]
        parent = self._parent(one, above, names[:-1])
        return parse_id(f"{parent}/{segment}/{name}") if parent is not None else None

    def _parent(self, one: Registered, arm: str, names: tuple[str, ...]) -> ResourceId | None:
        """The resource that `names` name, which come to an id of the type `arm`."""
        value = one.props.get(names[-1])
        if isinstance(value, str) and value.strip():
            return self._composed(one, arm, names, clean(value))
        if isinstance(value, Unknown):
            found = self._named(value, arm.casefold())
            return found[0] if len(found) == 1 else None
        return None

    def _named(self, value: Unknown, kind: str) -> list[ResourceId]:
        """The resources of a kind that an unknown name may be the name of."""
        ids = (self.of(urn) for ref in value.refers_to for urn in self._spread(ref.id))
        return list(dict.fromkeys(one for one in ids if one is not None and one.kind == kind))

    def _extended(self, one: Registered) -> ResourceId | None:
        """The resource that an extension hangs below."""
        provider, kind, name = (
            one.props.get(key) for key in ("clusterRp", "clusterResourceName", "clusterName")
        )
        if not isinstance(provider, str) or not isinstance(kind, str):
            return None
        if isinstance(name, Unknown):
            found = self._named(name, f"{provider}/{kind}".casefold())
            return found[0] if len(found) == 1 else None
        scope = self._scopes.of(one, one.props.get("resourceGroupName"))
        return _of(scope, f"{provider}/{kind}", clean(name)) if isinstance(name, str) else None

    def _name(self, one: Registered, native: Native) -> str:
        """The name, or a placeholder that nothing else can equal."""
        value = one.props.get(native.names[-1]) or one.props.get("name")
        return clean(value) if isinstance(value, str) and value.strip() else clean(f"{{{one.label}}}")

    def link(self, value: Unknown, kinds: frozenset[str], address: bool) -> Unknown:
        """The unknown, referring to ARM ids in place of URNs: of resources of these kinds only.

        Where it may as well be something that nobody can see, it refers to nothing.
        """
        found: list[Reference] = []
        for ref in value.refers_to:
            for urn in self._spread(ref.id):
                targets = self._targets(urn, ref.path, kinds, address)
                if targets is None:
                    return replace(value, refers_to=())
                found += targets
        return replace(value, refers_to=tuple(dict.fromkeys(found)))

    def _spread(self, urn: str) -> Iterator[str]:
        """The resource, or what lies in it where it is a component."""
        one = self._every.get(urn)
        if one is None or ":" not in one.type or one.type.partition(":")[0] in HARMLESS:
            yield urn
            return
        inside = list(self._inside(urn))
        yield from inside or [urn]

    def _inside(self, urn: str) -> Iterator[str]:
        todo, seen = [urn], {urn}
        while todo:
            for child in self._below.get(todo.pop(), ()):
                if child not in seen:
                    seen.add(child)
                    todo.append(child)
                    yield child

    def _targets(
        self, urn: str, path: tuple[Step, ...], kinds: frozenset[str], address: bool
    ) -> list[Reference] | None:
        """What a value that comes from a resource may refer to; None where nobody can say."""
        one = self._every.get(urn)
        if one is None or one.type in _OPEN or one.type.partition(":")[0] not in HARMLESS:
            return None
        known = self.of(urn)
        if known is None:
            return []
        if address:
            fits = known.kind in kinds and (path[:1] in ((), (WIDE,)) or path[0] in _ADDRESS_STEPS)
            return [Reference(str(known), ("properties", "privateIPAddress"))] if fits else []
        if path[:1] == ("id",) and len(path) == 2:
            child = parse_id(f"{known}{path[1]}")
            return [Reference(str(child))] if child is not None and child.kind in kinds else None
        if known.kind in kinds:
            return [Reference(str(known))]
        return [Reference(str(child)) for child in self._children(one, known, path, kinds)]

    def _children(
        self, one: Registered, known: ResourceId, path: tuple[Step, ...], kinds: frozenset[str]
    ) -> Iterable[ResourceId]:
        """What lies below a resource whose outputs lead to it: written in it, and registered apart."""
        for name in CHILD_LISTS:
            rows = one.props.get(name)
            if f"{known.kind}/{name.casefold()}" not in kinds or not isinstance(rows, list):
                continue
            picked = path[1] if path[:1] == (name,) and len(path) > 1 else None
            for i, row in enumerate(rows):
                spelled = row.get("name") if isinstance(row, dict) else None
                if isinstance(spelled, str) and spelled.strip() and picked in (None, i):
                    yield known.child(name, clean(spelled))
        if path[:1] == (WIDE,) and any(kind.startswith(f"{known.kind}/") for kind in kinds):
            for urn, other in self._every.items():
                below = self.of(urn) if native_type(other.type) is not None else None
                if below is not None and below.kind in kinds and below.key.startswith(f"{known.key}/"):
                    yield below


def _of(scope: str, arm: str, *names: str) -> ResourceId | None:
    try:
        return ResourceId.of(scope, arm, *names)
    except (BadResourceIdError, ValueError):
        return None


def _child(above: str, name: str) -> ResourceId | None:
    return parse_id(f"{above}/{name}")
