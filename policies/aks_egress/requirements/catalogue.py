"""The catalogue: every endpoint that AKS asks for, as data with a source and a date."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from aks_egress.records import record

Condition = Mapping[str, Any]
"""Facts that must hold, see `conditions`; empty is always."""


@record(frozen=True, slots=True)
class Source:
    """Where a fact is written down; `url` is empty for what no source states."""

    title: str
    url: str
    date: str


@record(frozen=True, slots=True, kw_only=True)
class Destination:
    """One destination of an entry.

    `kind` is fqdn, service-tag, ip, subnet, platform, custom-dns, proxy or entry (the destinations
    of the entry `value`).  `clouds` and `when` narrow where it counts.  `tags` are the service tags
    it is documented to lie in, `alternatives` other spellings of the same destination.
    """

    kind: str
    value: str
    towards: str = ""
    clouds: tuple[str, ...] = ()
    when: Condition
    tags: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    platform_tag: str = ""
    alternatives: tuple[str, ...] = ()
    protocol: str = ""
    ports: tuple[tuple[int, int], ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class Entry:
    """One endpoint.

    `necessity` is required, recommended, conditional or legacy; `raised` is (condition, necessity)
    where something makes it weigh more.  `start` is where such flows begin: node, pod, api-server.
    `counted_in` names the entries that already hold these flows and `not_judged` says why no rule
    or route can decide them: such an entry makes no requirement.  `basis` is documented,
    reference, field-report or derived.  `sources` are keys of `Catalogue.sources`.
    """

    id: str
    title: str
    clouds: tuple[str, ...]
    role: str
    necessity: str
    feature: str
    condition: Condition
    destinations: tuple[Destination, ...]
    protocols: tuple[str, ...]
    ports: tuple[tuple[int, int], ...]
    start: frozenset[str]
    purpose: str
    layer7: str = ""
    agents_only: bool = False
    mutual_tls: bool = False
    in_fqdn_tag: bool | None = None
    raised: tuple[Condition, str] | None = None
    breaks: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    notes: str = ""
    basis: str = "documented"
    counted_in: tuple[str, ...] = ()
    not_judged: str = ""
    sources: tuple[str, ...] = ()
    date: str = ""
    url: str = ""


@record(frozen=True, slots=True)
class Scope:
    """Where an entry counts: its clouds and its condition."""

    id: str
    clouds: Sequence[str]
    condition: Condition


class Catalogue:
    """The whole of it; `date` is that of the newest page it follows, `digest` identifies the data.

    Entries are made when somebody asks for them: one cluster needs a quarter of them.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.date: str = data["date"]
        self.digest: str = data["digest"]
        self.errors: tuple[Mapping[str, Any], ...] = tuple(data["errors"])
        self.sources: Mapping[str, Source] = {
            key: Source(row["title"], row["url"], row["date"]) for key, row in data["sources"].items()
        }
        self._rows: dict[str, dict[str, Any]] = {row["id"]: row for row in data["entries"]}
        self._texts: Mapping[str, list[str]] = data["texts"]
        self._made: dict[str, Entry] = {}
        self._in_fqdn_tag: set[tuple[str, str]] | None = None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries in their order."""
        return tuple(self.entry(one) for one in self._rows)

    def entry(self, entry_id: str) -> Entry:
        """The entry of that id; KeyError where there is none."""
        if entry_id not in self._made:
            self._made[entry_id] = _entry(self._rows[entry_id], self._texts, self.sources)
        return self._made[entry_id]

    def in_fqdn_tag(self, cloud: str, name: str) -> bool:
        """Whether an entry for that cloud says that Azure Firewall's FQDN tag covers that very name."""
        if self._in_fqdn_tag is None:
            rows = [row for row in self._rows.values() if row.get("in_fqdn_tag")]
            self._in_fqdn_tag = {
                (c, one["value"]) for row in rows for c in row["clouds"] for one in row["to"]
            }
        return (cloud, name) in self._in_fqdn_tag

    def judged(self) -> Iterator[Scope]:
        """Where each entry counts that makes requirements, in their order."""
        for row in self._rows.values():
            if not row.get("not_judged") and not row.get("counted_in"):
                yield Scope(row["id"], row["clouds"], row.get("when", {}))


@lru_cache(maxsize=1)
def load() -> Catalogue:
    """Read the catalogue that ships with the package."""
    # Beside this file, by the loader of this module: importlib.resources and pathlib take longer than the rest.
    data = __spec__.loader.get_data(f"{__file__.removesuffix('.py')}.json")  # type: ignore[union-attr]
    return Catalogue(json.loads(data))


def _entry(row: dict[str, Any], texts: Mapping[str, list[str]], sources: Mapping[str, Source]) -> Entry:
    first = sources[row["sources"][0]]
    raised = row.get("raised")
    return Entry(
        id=row["id"],
        title=row["title"],
        clouds=tuple(row["clouds"]),
        role=row["role"],
        necessity=row["necessity"],
        feature=row["feature"],
        condition=row.get("when", {}),
        destinations=tuple(_destination(one) for one in row["to"]),
        protocols=tuple(row["protocols"]),
        ports=ranges(row["ports"]),
        start=frozenset(row["start"]),
        purpose=row["purpose"],
        layer7=row.get("layer7", ""),
        agents_only=row.get("agents_only", False),
        mutual_tls=row.get("mutual_tls", False),
        in_fqdn_tag=row.get("in_fqdn_tag"),
        raised=(raised["when"], raised["to"]) if raised else None,
        breaks=_told(row.get("breaks", ()), texts),
        errors=_told(row.get("errors", ()), texts),
        doubts=tuple(row.get("doubts", ())),
        notes=row.get("notes", ""),
        basis=row.get("basis", "documented"),
        counted_in=tuple(row.get("counted_in", ())),
        not_judged=row.get("not_judged", ""),
        sources=tuple(row["sources"]),
        date=first.date,
        url=first.url,
    )


def _destination(row: dict[str, Any]) -> Destination:
    return Destination(
        kind=row["kind"],
        value=row["value"],
        towards=row.get("towards", ""),
        clouds=tuple(row.get("clouds", ())),
        when=row.get("when", {}),
        tags=tuple(row.get("tags", ())),
        addresses=tuple(row.get("addresses", ())),
        platform_tag=row.get("platform_tag", ""),
        alternatives=tuple(row.get("alternatives", ())),
        protocol=row.get("protocol", ""),
        ports=ranges(row.get("ports", ())),
    )


def ranges(ports: list[int | str] | tuple[()]) -> tuple[tuple[int, int], ...]:
    """`[443, "500-510", "*"]` as inclusive ranges."""
    out = []
    for port in ports:
        first, _, last = str(port).replace("*", "0-65535").partition("-")
        out.append((int(first), int(last or first)))
    return tuple(out)


def _told(lines: list[str] | tuple[()], texts: Mapping[str, list[str]]) -> tuple[str, ...]:
    """The lines, with `@name` replaced by the shared lines of that name."""
    out: list[str] = []
    for line in lines:
        out.extend(texts[line[1:]] if line.startswith("@") else [line])
    return tuple(dict.fromkeys(out))
