"""The cached service tags, laid out so that a scan reads only the tags it asks for.

The first line is JSON: what the data is, and where each tag's prefixes stand behind it; each further
line is a JSON list of prefixes.  Reading the published file whole takes longer than a small scan.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from aks_egress.packets.tags import ServiceTags

SCHEMA = "aks-egress/service-tags/v1"


class Members(Mapping[str, list[str]]):
    """Tags by canonical name, each read from the text when it is first asked for."""

    def __init__(self, data: bytes, start: int, places: Mapping[str, list[int]]) -> None:
        self._data, self._start, self._places = data, start, places
        self._read: dict[str, list[str]] = {}

    def __getitem__(self, tag: str) -> list[str]:
        if tag not in self._read:
            first, length = self._places[tag]
            self._read[tag] = json.loads(self._data[self._start + first : self._start + first + length])
        return self._read[tag]

    def __contains__(self, tag: object) -> bool:
        return tag in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def stored(tags: ServiceTags) -> bytes:
    """Tags as the cache keeps them."""
    places: dict[str, list[int]] = {}
    rows: list[bytes] = []
    at = 0
    for tag in sorted(tags.members):
        row = json.dumps(tags.members[tag], separators=(",", ":")).encode()
        places[tag] = [at, len(row)]
        at += len(row) + 1
        rows.append(row + b"\n")
    head = {
        "schema": SCHEMA,
        "changeNumber": tags.change_number,
        "cloud": tags.cloud,
        "date": tags.date,
        "size": at,
        "tags": places,
    }
    return json.dumps(head, separators=(",", ":")).encode() + b"\n" + b"".join(rows)


def restored(data: bytes) -> ServiceTags:
    """Tags as the cache has them; raises ValueError where it is damaged."""
    line, _, rest = data.partition(b"\n")
    head: Any = json.loads(line)
    if not isinstance(head, dict) or head.get("schema") != SCHEMA or head.get("size") != len(rest):
        raise ValueError("the cache is cut off or of another version")
    return ServiceTags(
        members=Members(data, len(line) + 1, head["tags"]),
        source="cache",
        change_number=head["changeNumber"],
        cloud=head["cloud"],
        date=head["date"],
    )
