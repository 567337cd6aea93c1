"""Pictures of what runs, short enough to read in a test: resources as a snapshot shows them, read by its reader."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests import builders as b

from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Document, Role
from aks_egress.engine import judge
from aks_egress.findings.report import Report
from aks_egress.settings import Settings
from aks_egress_scan.live.snapshot import Snapshot, Unread, kind_of, render
from aks_egress_scan.readers.base import Parameters, Source
from aks_egress_scan.readers.snapshot import READER

NODES = b.SCOPE.replace("/net", "/MC_net_aks")
"""The node resource group of `cluster`."""
TAKEN = datetime(2026, 6, 18, 12, 0, tzinfo=UTC)


def cluster(*subnets: str, **members: Any) -> b.Row:
    """A cluster that runs."""
    return b.cluster(*subnets, nodeResourceGroup="MC_net_aks", **members)


def kept_by_aks(kind: str, name: str, properties: b.Row, /, **members: Any) -> b.Row:
    """A resource in the node resource group; `name` of a child is `parent/child`."""
    made = b.resource(kind, name, properties, **members)
    return made | {"id": node_id(kind, *name.split("/"))}


def node_id(kind: str, *names: str) -> str:
    """The id of a resource in the node resource group."""
    return str(ResourceId.of(NODES, kind if kind.startswith("Microsoft.") else f"{b.NETWORK}/{kind}", *names))


def shown(*rows: b.Row, unread: Sequence[Unread] = (), path: str = "fleet.json") -> Document:
    """The snapshot of some resources, as it is read from its file."""
    picture = Snapshot(unread=list(unread))
    for row in rows:
        whole = {"id": b.rid(row["type"], *row["name"].split("/"))} | row
        picture.add(whole, kind_of(whole["id"]))
    (document,) = READER.read(Source(path, render(picture, "0.1.0", TAKEN)), Parameters())
    return document


def judged(
    *rows: b.Row,
    unread: Sequence[Unread] = (),
    asks: Sequence[Any] = (),
    planned: Sequence[b.Row] = (),
    **settings: Any,
) -> Report:
    """The report on a snapshot, or on a template that is laid over it."""
    documents = [shown(*rows, unread=unread)]
    if planned:
        documents[0].role = Role.CONTEXT
        documents.append(b.document(*planned))
    return judge(documents, Settings(requirements=tuple(asks), **settings), b.NO_TAGS)
