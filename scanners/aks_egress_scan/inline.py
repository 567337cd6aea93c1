"""Suppressions beside what they accept: comments, and tags where a dialect has no comments.

A comment reads `aks-egress: ignore EGR201 until 2027-01-31, the proxy does it`; the day may be missing,
the reason may not.  On a line of its own it covers the block that follows, at the end of a line the
block that the line opens, else the block around it.  A tag named `aks-egress` with the text from
`ignore` on covers its resource.  One that cannot be read covers nothing, and is spoken of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

from aks_egress.arm.resources import Document, Kind
from aks_egress.settings import Suppression
from aks_egress.values import Origin, get
from aks_egress_scan.files import MARK

TAG = "aks-egress"

_COMMENT = re.compile(r"(?:#|//|/\*)[ \t]*aks-egress:(?P<said>[^\n]*)")
_SAID = re.compile(
    r"ignore\s+(?P<rules>EGR\d{1,3}(?:\s*,\s*EGR\d{1,3})*)(?:\s+until\s+(?P<until>\S+?))?\s*[,:]\s*(?P<reason>\S.*)"
)
_TOKENS = re.compile(
    r"/\*.*?(?:\*/|\Z)|'''.*?(?:'''|\Z)|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|(?://|#)[^\n]*|[{}\[\]()]",
    re.DOTALL,
)
#: what a comment stands in, by the end of the file's name
_COMMENTED = (".tf", ".bicep", ".json", ".jsonc", ".yaml", ".yml")

#: no comment stands further into a line: definitions on a single line are JSON that a program wrote
_FURTHEST = 10_000
_STRINGS = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")

Say = Callable[[str], None]


def suppressions_in(texts: Mapping[str, bytes], documents: Sequence[Document], say: Say) -> list[Suppression]:
    """The suppressions in comments of the files and in tags of the resources, in their order.

    A picture of what runs holds no comments, and most of its resources no tags.
    """
    pictures = {one.path for one in documents if one.kind in _PICTURES}
    marked = {path: data for path, data in texts.items() if path not in pictures and MARK in data}
    found = [one for path in sorted(marked) for one in _comments(path, marked[path], say)]
    tagged = [one for one in documents if marked or one.kind in _PICTURES]
    return [*found, *_tags(tagged, say)]


_PICTURES = (Kind.SNAPSHOT, Kind.LIVE)


def _comments(path: str, data: bytes, say: Say) -> Iterator[Suppression]:
    if MARK not in data or not path.casefold().endswith(_COMMENTED):
        return
    text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    rows: list[str] = []
    blocks: list[tuple[int, int]] = []
    for found in _COMMENT.finditer(text):
        start = found.start()
        before = text.rfind("\n", max(0, start - _FURTHEST), start)
        lead = text[before + 1 : start]
        if (before < 0 and start > _FURTHEST) or _inside_string(lead):
            continue
        origin = Origin(path, text.count("\n", 0, start) + 1)
        read = _read(found["said"].strip().removesuffix("*/").strip(), origin, say)
        if read is not None:
            rows, blocks = rows or text.split("\n"), blocks or _blocks(text)
            lines = _covered(blocks, origin.line or 1, alone=not lead.strip(), rows=rows)
            yield Suppression(
                rules=read[0],
                until=read[1],
                reason=read[2],
                path=path,
                lines=lines,
                inline=True,
                source=origin,
            )


def _inside_string(lead: str) -> bool:
    """Whether the text before a comment's sign leaves a string open, so that it is none."""
    rest = _STRINGS.sub("", lead)
    return '"' in rest or "'" in rest


def _read(said: str, origin: Origin, say: Say) -> tuple[tuple[str, ...], date | None, str] | None:
    """Rules, last day and reason; None, and a sentence, where one of them cannot be read."""
    place = f"{origin.path}:{origin.line}" if origin.line else origin.path
    found = _SAID.fullmatch(said)
    if found is None:
        say(f"{place}: this accepts nothing: write `aks-egress: ignore EGR201 until 2027-01-31, reason`")
        return None
    until = None
    if found["until"]:
        try:
            until = date.fromisoformat(found["until"])
        except ValueError:
            say(f"{place}: this accepts nothing: `{found['until']}` is no day of the calendar")
            return None
    return tuple(re.findall(r"EGR\d{1,3}", found["rules"])), until, found["reason"]


def _blocks(text: str) -> list[tuple[int, int]]:
    """The first and the last line of every bracketed part, outermost first."""
    open_: list[int] = []
    found: list[tuple[int, int]] = []
    line, end = 1, 0
    for token in _TOKENS.finditer(text):
        line += text.count("\n", end, token.start())
        end = token.start()
        if token[0] in "{[(":
            open_.append(line)
        elif token[0] in "}])" and open_:
            found.append((open_.pop(), line))
    return sorted(found, key=lambda one: (one[0], -one[1]))


def _covered(
    blocks: Sequence[tuple[int, int]], line: int, *, alone: bool, rows: Sequence[str]
) -> tuple[int, int]:
    """The lines that a comment on `line` is about."""
    start = line
    if alone:
        start = next((n for n in range(line + 1, len(rows) + 1) if not _is_comment(rows[n - 1])), line)
    opened = [one for one in blocks if one[0] == start and one[1] > start]
    if opened:
        return opened[0]
    around = [one for one in blocks if one[0] < line <= one[1]]
    return around[-1] if around else (start, start)


def _is_comment(row: str) -> bool:
    return row.strip() == "" or row.lstrip().startswith(("#", "//", "/*", "*"))


def _tags(documents: Sequence[Document], say: Say) -> Iterator[Suppression]:
    for document in documents:
        for resource in document.resources:
            if (
                document.kind in _PICTURES
                and isinstance(resource.body, Mapping)
                and "tags" not in resource.body
            ):
                continue  # a fleet has a hundred thousand of them
            said = get(resource.get("tags"), TAG)
            if not isinstance(said, str):
                continue
            place = resource.place("tags", TAG)
            origin = Origin(place.path or document.path, document.locate(place))
            read = _read(said.strip(), origin, say)
            if read is not None:
                rules, until, reason = read
                yield Suppression(
                    rules=rules,
                    until=until,
                    reason=reason,
                    resource=str(resource.id),
                    inline=True,
                    source=origin,
                )
