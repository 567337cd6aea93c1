"""Snapshots of live state, as `aks-egress snapshot` writes them (schema `aks-egress/snapshot/v1`).

What was refused or vanished while the picture was taken stays in it: such a resource is there with
properties that are Unknown, and the reason names the permission that is missing.
"""

from __future__ import annotations

import json
from typing import Final

from aks_egress.arm.ids import ResourceId, parse_id
from aks_egress.arm.resources import Document, Kind, Notice, Resource
from aks_egress.topology.model import HUB_CONNECTIONS
from aks_egress.topology.nics import POOL_TAGS, SCALE_SETS
from aks_egress.topology.security import ADMIN_RULES
from aks_egress.values import Origin, Unknown, Value, at
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.json_text import JsonText, load

SCHEMA: Final = "aks-egress/snapshot/v1"
CLOUDS: Final = ("public", "china", "usgov")
_HEAD: Final = 4096
_ADMIN: Final = ADMIN_RULES.casefold()
_NETWORKS: Final = "microsoft.network/virtualnetworks"

Table = dict[str, Value]


class SnapshotReader:
    """Reads snapshots."""

    def claims(self, source: Source) -> bool:
        """The schema's name stands at the beginning."""
        head = source.data[:_HEAD]
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            head = head.replace(b"\0", b"")
        return b'"aks-egress/snapshot/' in head

    def read(self, source: Source, parameters: Parameters) -> list[Document]:  # noqa: ARG002 - snapshots take none
        """The one document of a snapshot."""
        text = load(source)
        found = document_of(text, Kind.SNAPSHOT)
        _know_it_is_whole(text, source.data)
        return [found]


def _know_it_is_whole(text: JsonText, data: bytes) -> None:
    """Refuse a snapshot that was changed since it was taken: it is the evidence of a verdict."""
    from aks_egress_scan.live.snapshot import is_intact

    whole = _object(text, text.value, ())
    if not is_intact(data, whole, at(whole, "collected", "digest")):
        said = "the snapshot was changed after it was taken, `collected.digest` does not fit what it holds: take it anew"
        raise MalformedError(said, text.path, text.line_of(("collected", "digest")))


READER: Final = SnapshotReader()


def document_of(text: JsonText, kind: Kind) -> Document:
    """The document of a snapshot's text; raises MalformedError where it is not what the schema says."""
    whole = _object(text, text.value, ())
    schema = whole.get("schema")
    if schema != SCHEMA:
        said = f"the snapshot says `{schema}`, this version reads `{SCHEMA}`: take it anew"
        raise MalformedError(said, text.path, text.line_of(("schema",)))
    about = _object(text, whole.get("collected"), ("collected",))
    taken, cloud = about.get("at"), about.get("cloud")
    if not isinstance(taken, str) or cloud not in CLOUDS:
        raise MalformedError(
            f"`collected` must say when (`at`) and in which cloud (`cloud`: {', '.join(CLOUDS)})",
            text.path,
            text.line_of(("collected",)),
        )
    found = [_resource(text, row, i) for i, row in enumerate(_list(text, whole, "resources"))]
    gaps = _Gaps(text)
    for i, row in enumerate(_list(text, whole, "unread")):
        gaps.take(_object(text, row, ("unread", i)), i)
    notices = gaps.notices()
    return Document(
        text.path,
        kind,
        (*found, *gaps.resources),
        tuple(notices),
        unread=gaps.unread,
        cloud=str(cloud),
        deployed=True,
        made=taken,
        remarks=(
            f"it shows what ran at {taken}, {_scope(about)}",
            *_remarks(text, whole, str(cloud)),
        ),
        locate=_Lines(text, found).line_of,
    )


class _Lines:
    """Where resources stand: a snapshot has one a line, in their order; of thousands each is found by its number."""

    def __init__(self, text: JsonText, resources: list[Resource]) -> None:
        self._text, self._resources = text, resources
        self._first: int | None = None
        self._known: dict[int, int | None] = {}

    def line_of(self, origin: Origin) -> int | None:
        """The line of a part, from 1; None for a place that the snapshot does not have."""
        if origin.line:
            return origin.line
        row = origin.pointer[1] if origin.pointer[:1] == ("resources",) and len(origin.pointer) > 1 else None
        if not isinstance(row, int) or row >= len(self._resources):
            return self._text.line_of(origin.pointer)
        if row not in self._known:
            self._known[row] = self._by_number(row)
        return self._known[row] or self._text.line_of(origin.pointer)

    def _by_number(self, row: int) -> int | None:
        """The line that the row has in a file as we write it; None where its id does not stand there."""
        if self._first is None:
            self._first = self._text.line_of(("resources", 0)) or 0
        ends, line = self._text.breaks(), self._first + row
        if not self._first or not 1 < line <= len(ends):
            return None
        written = json.dumps(str(self._resources[row].id), ensure_ascii=False)
        return line if self._text.holds(written, ends[line - 2], ends[line - 1]) else None


def _resource(text: JsonText, row: Value, i: int) -> Resource:
    body = _object(text, row, ("resources", i))
    wanted = parse_id(body.get("id"))
    if wanted is None:
        raise MalformedError(
            f"resource {i} has no resource id", text.path, text.line_of(("resources", i, "id"))
        )
    if not isinstance(body.get("properties"), dict):
        raise MalformedError(
            f"resource {i} has no properties", text.path, text.line_of(("resources", i, "properties"))
        )
    return Resource(wanted, Origin(text.path, pointer=("resources", i)), body)


class _Gaps:
    """What the snapshot says that it could not read, as unknowns."""

    def __init__(self, text: JsonText) -> None:
        self.text = text
        self.resources: list[Resource] = []
        self._told: dict[tuple[str, ...], list[tuple[str, Unknown]]] = {}
        self.unread: dict[str, Unknown] = {}

    def take(self, row: Table, i: int) -> None:
        """One row of `unread`."""
        origin = Origin(self.text.path, pointer=("unread", i))
        kind, said, why = (row.get(name) for name in ("type", "id", "why"))
        if not (isinstance(kind, str) and isinstance(said, str) and isinstance(why, str)):
            message = f"row {i} of `unread` needs `type`, `id` and `why` as text"
            raise MalformedError(message, self.text.path, self.text.line_of(origin.pointer))
        permission, grant = row.get("permission"), row.get("grant")
        settle = f"grant `{permission}`: {grant}" if permission and grant else "take the snapshot anew"
        unknown = Unknown(f"{_shown(said)}: {why}", origin, settle=settle)
        self._told.setdefault((kind, why, settle), []).append((_shown(said), unknown))
        wanted = parse_id(said)
        if row.get("everything"):
            self.unread.setdefault(kind.casefold(), unknown)
        elif wanted is None:
            return  # about a scope: nothing hangs on it
        elif kind.casefold() == _ADMIN:
            self.resources += _admin_rules(wanted, unknown)
        elif kind.casefold() == HUB_CONNECTIONS.casefold() and wanted.kind == _NETWORKS:
            self.resources.append(_connection(wanted, unknown))
        elif kind.casefold() == SCALE_SETS.casefold() == wanted.kind:
            self.resources.append(_scale_set(wanted, unknown))
        elif kind.casefold() == wanted.kind and wanted.parent is not None:
            self.resources.append(Resource(wanted, origin, {"properties": unknown}))
        elif kind.casefold() == wanted.kind:
            self.unread[wanted.key] = unknown

    def notices(self) -> list[Notice]:
        """What people must hear of: one sentence for all that failed for one reason."""
        said = []
        for (_, why, settle), several in self._told.items():
            names = ", ".join(name for name, _ in several[:MOST])
            more = f" and {len(several) - MOST} more" if len(several) > MOST else ""
            said.append(Notice("not-collected", f"{names}{more}: {why}; {settle}", several[0][1].origin))
        return said


MOST: Final = 3
"""How many resources of one trouble are named."""


def _admin_rules(network: ResourceId, why: Unknown) -> list[Resource]:
    """Admin rules over one network that nobody could read: a rule of which nothing is known but where it applies."""
    manager = f"{network}/providers/Microsoft.Network/networkManagers/not-read"
    group = ResourceId.parse(f"{manager}/networkGroups/of-{network.name}")
    collection = ResourceId.parse(
        f"{manager}/securityAdminConfigurations/not-read/ruleCollections/{network.name}"
    )
    bodies: list[tuple[ResourceId, Value]] = [
        (group, {}),
        (group.child("staticMembers", network.name), {"resourceId": str(network)}),
        (collection, {"appliesToGroups": [{"networkGroupId": str(group)}]}),
        (collection.child("rules", "rules-that-were-not-read"), why),
    ]
    return [Resource(one, why.origin, {"properties": properties}) for one, properties in bodies]


def _connection(network: ResourceId, why: Unknown) -> Resource:
    """The connection of a network to a hub that nobody showed: whether its Internet traffic goes there is not known."""
    hub = ResourceId.parse(f"{network.scope}/providers/Microsoft.Network/virtualHubs/not-read-{network.name}")
    properties: Value = {"remoteVirtualNetwork": {"id": str(network)}, "enableInternetSecurity": why}
    body = {"properties": properties}
    return Resource(hub.child("hubVirtualNetworkConnections", network.name), why.origin, body)


def _scale_set(pool: ResourceId, why: Unknown) -> Resource:
    """The scale set of a pool that nobody could see: which security group its network interfaces have is not known."""
    card: Value = {"properties": {"networkSecurityGroup": {"id": why}}}
    profile: Value = {"networkProfile": {"networkInterfaceConfigurations": [card]}}
    body: dict[str, Value] = {
        "tags": {POOL_TAGS[0]: pool.name},
        "properties": {"virtualMachineProfile": profile},
    }
    return Resource(pool, why.origin, body)


def _shown(resource_id: str) -> str:
    wanted = parse_id(resource_id)
    return f"`{'/'.join(wanted.names)}` ({wanted.type})" if wanted else f"`{resource_id}`"


_SCOPES: Final = {
    "clusters": "cluster",
    "resourceGroups": "resource group",
    "subscriptions": "subscription",
    "managementGroups": "management group",
}


def _scope(about: Table) -> str:
    """What was asked for when it was taken; who asked may not have seen more."""
    scope = about.get("scope")
    said = []
    for member, word in _SCOPES.items():
        named = scope.get(member) if isinstance(scope, dict) else None
        if isinstance(named, list) and named:
            more = f" and {len(named) - MOST} more" if len(named) > MOST else ""
            plural = "s" if len(named) > 1 else ""
            said.append(f"{word}{plural} {', '.join(f'`{one}`' for one in named[:MOST])}{more}")
    return f"collected for {' of '.join(said)}" if said else "collected from all that could be seen"


def _remarks(text: JsonText, whole: Table, cloud: str) -> list[str]:
    try:
        return _differences(text, whole, cloud)
    except (AttributeError, KeyError, TypeError):
        said = "`dependencies` or `effective` do not have the shape that `aks-egress snapshot` writes"
        raise MalformedError(said, text.path, text.line_of(("dependencies",))) from None


def _differences(text: JsonText, whole: Table, cloud: str) -> list[str]:
    """Where two pictures of the same thing differ: clusters' own lists of endpoints, Azure's effective rules."""
    said: list[str] = []
    found = _by_id(text, whole, "dependencies")
    if found:
        from aks_egress_scan.live.dependencies import differences

        said += differences(found, cloud, _isolated(_list(text, whole, "resources")))
    found = _by_id(text, whole, "effective")
    if found:
        from aks_egress_scan.live.compared import effective_differences

        rows = [row for row in _list(text, whole, "resources") if isinstance(row, dict)]
        said += effective_differences(found, {str(row.get("id")).casefold(): row for row in rows})
    return said


def _by_id(text: JsonText, whole: Table, name: str) -> dict[str, Value]:
    rows = [_object(text, row, (name, i)) for i, row in enumerate(_list(text, whole, name))]
    return {str(row.get("id")): row.get("found") for row in rows}


def _object(text: JsonText, value: Value, place: tuple[str | int, ...]) -> Table:
    if isinstance(value, dict):
        return value
    named = f"`{'.'.join(map(str, place))}`" if place else "the snapshot"
    raise MalformedError(f"{named} must be an object", text.path, text.line_of(place) or 1)


def _list(text: JsonText, whole: Table, name: str) -> list[Value]:
    value = whole.get(name, [])
    if isinstance(value, list) and (name in whole or name != "resources"):
        return value
    raise MalformedError(f"`{name}` must be a list", text.path, text.line_of((name,)) or 1)


def _isolated(rows: list[Value]) -> set[str]:
    """The clusters that take what nodes need from a registry of their own."""
    found = set()
    for row in rows:
        if isinstance(row, dict) and at(row, "properties", "bootstrapProfile") is not None:
            source = str(at(row, "properties", "bootstrapProfile", "artifactSource"))
            found |= {str(row.get("id")).casefold()} if source.casefold() == "cache" else set()
    return found
