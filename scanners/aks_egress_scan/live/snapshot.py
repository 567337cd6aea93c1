"""The snapshot: live state as one file, versioned, without secrets, the same bytes for the same state.

Every resource stands on a line of its own, in the order of their ids, so that two snapshots compare
line by line.  Only `collected.at` differs between two pictures of one state.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aks_egress.records import field, record
from aks_egress_scan.live.kept import kept

SCHEMA = "aks-egress/snapshot/v1"
MEMBERS = ("resources", "unread", "dependencies", "effective")
Json = dict[str, Any]


@record(frozen=True, slots=True, kw_only=True)
class Unread:
    """Something that could not be read.

    `kind` is its type, `id` the one resource, or the scope within which resources of the type may be
    missing (`everything` true).  `permission` and `grant` are what would let it be read, where that is
    what is missing.
    """

    kind: str
    id: str
    why: str
    permission: str = ""
    grant: str = ""
    everything: bool = False

    def as_json(self) -> Json:
        """Its members in the file."""
        said = {"type": self.kind, "id": self.id, "why": self.why}
        said |= {"permission": self.permission, "grant": self.grant}
        out: Json = {name: value for name, value in said.items() if value}
        return out | ({"everything": True} if self.everything else {})


@record(slots=True, kw_only=True)
class Snapshot:
    """What was found: resources as ARM answers them, what was refused, and what is known beside them.

    `dependencies` are the endpoints that each cluster itself says it needs, by its id; `effective` what
    Azure says of a node's network interface, by its id.
    """

    cloud: str = "public"
    scope: Json = field(default_factory=dict)
    resources: dict[str, Json] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)
    dependencies: dict[str, list[Json]] = field(default_factory=dict)
    effective: dict[str, Json] = field(default_factory=dict)

    def add(self, resource: Mapping[str, Any], kind: str) -> None:
        """Take a resource in, with what is kept of its type (lower case)."""
        self.resources[str(resource["id"]).casefold()] = kept(resource, kind)

    def of(self, kind: str) -> list[Json]:
        """The resources of a type, lower case."""
        return [one for key, one in self.resources.items() if kind_of(key) == kind]


def kind_of(resource_id: str) -> str:
    """The type in an id, lower case; empty where it is none."""
    parts = [part for part in resource_id.casefold().split("/") if part]
    if "providers" not in parts:
        return ""
    tail = parts[len(parts) - parts[::-1].index("providers") :]
    return "/".join([tail[0], *tail[1::2]]) if len(tail) > 2 else ""


def render(snapshot: Snapshot, version: str, at: datetime | None = None) -> bytes:
    """The file: UTF-8, sorted, one resource a line."""
    body = _body(
        {
            "resources": [snapshot.resources[key] for key in sorted(snapshot.resources)],
            "unread": sorted((one.as_json() for one in snapshot.unread), key=_text),
            "dependencies": _by_id(snapshot.dependencies),
            "effective": _by_id(snapshot.effective),
        }
    )
    about = {
        "at": _now(at).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "cloud": snapshot.cloud,
        "digest": hashlib.sha256(body).hexdigest(),
        "scope": snapshot.scope,
        "version": version,
    }
    return b'{"schema": "%s",\n"collected": %s%s}\n' % (SCHEMA.encode(), _text(about).encode(), body)


def is_intact(data: bytes, whole: Mapping[str, Any], digest: object) -> bool:
    """Whether a snapshot says what it said when it was taken; its spaces and the order of members do not matter.

    `data` are its bytes, `whole` what they mean, and `digest` what it says of itself.
    """
    start = data.find(b',\n"resources": ')
    if start > 0 and hashlib.sha256(data[start:].removesuffix(b"}\n")).hexdigest() == digest:
        return True
    return hashlib.sha256(_body(whole)).hexdigest() == digest


def _body(whole: Mapping[str, Any]) -> bytes:
    """Everything behind `collected`, which the digest covers."""
    return b"".join(b',\n"%s": %s' % (name.encode(), _lines(whole.get(name) or ())) for name in MEMBERS)


def write(file: str, data: bytes) -> None:
    """Put the bytes into a file in one step, so that no half of a snapshot is ever there."""
    new = Path(f"{file}.{os.getpid()}.part")
    new.write_bytes(data)
    new.replace(file)


def _by_id(found: Mapping[str, Any]) -> list[Json]:
    return [{"id": key, "found": found[key]} for key in sorted(found)]


def _lines(rows: Iterable[Any]) -> bytes:
    text = ",\n".join(map(_text, rows))
    return f"[\n{text}\n]".encode() if text else b"[]"


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _now(given: datetime | None) -> datetime:
    """The time of collecting; SOURCE_DATE_EPOCH sets it, for files that must come out the same."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch.isdecimal():
        return datetime.fromtimestamp(int(epoch), UTC)
    return (given or datetime.now(UTC)).astimezone(UTC)
