"""JSON that remembers its lines: the text is parsed once, and places are looked up when somebody asks.

Strict where a parser would guess: a key that occurs twice, NaN, numbers beyond all range, half of a
surrogate pair and absurd nesting are refused, because what one tool reads there another reads otherwise.
"""

from __future__ import annotations

import codecs
import gc
import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn, cast

from aks_egress.values import Step, Value
from aks_egress_scan.readers.base import MalformedError, Source

MAX_DEPTH: Final = 200
"""Nesting beyond this is refused; the deepest compiled templates known stay under 60."""

_CHUNK: Final = 1 << 12
_SPACE: Final = re.compile(r"[ \t\n\r]*+")
_STRING: Final = r'"(?:[^"\\]++|\\.)*+"?'
_KEYS: Final = re.compile(rf"({_STRING})(\s*+:)?|[{{}}\[\]]", re.DOTALL)
_CONSTANTS: Final = re.compile(rf"{_STRING}|(-?Infinity|NaN)", re.DOTALL)
_NUMBERS: Final = re.compile(rf"{_STRING}|(-?\d[\d.eE+-]*+)", re.DOTALL)
_COMMENTS: Final = re.compile(rf"{_STRING}|(//[^\n\r]*+|/\*.*?(?:\*/|\Z))", re.DOTALL)
_TRAILING: Final = re.compile(rf"{_STRING}|(,)(?=\s*+[}}\]])", re.DOTALL)
_HALVES: Final = re.compile(r"\\u[dD][89a-fA-F]")
_STRAY: Final = re.compile("[\ud800-\udfff]")

_SAID: Final = {
    "Expecting property name enclosed in double quotes": "a property name in double quotes is expected",
    "Expecting ':' delimiter": "a colon is expected",
    "Expecting ',' delimiter": "a comma or a closing bracket is expected",
    "Expecting value": "a value is expected",
    "Extra data": "there is more after the end of the JSON value",
    "Invalid control character at": "a line break or control character stands inside a string",
    "Unterminated string starting at": "a string is not closed",
}


class _RefusedError(Exception):
    """Something that the parser would accept and we do not; carries the kind, for finding its place."""


class JsonText:
    """A JSON document: its value, and the line of any part of it.

    `value` is plain Python data.  Raises MalformedError with line and column where the text is no JSON.
    UTF-8 with or without a byte order mark and UTF-16 (as PowerShell redirects) are read.
    """

    __slots__ = ("_breaks", "_line_sums", "_members", "_text", "path", "value")

    def __init__(self, path: str, data: bytes, *, comments: bool = False) -> None:
        self.path = path
        self._text = _decoded(path, data)
        if comments:
            self._text = _blanked(path, self._text)
        self.value: Value = _parsed(path, self._text, strict=not comments)
        self._line_sums: list[int] | None = None
        self._breaks: list[int] | None = None
        self._members: dict[int, _Members] = {}
        half = _half_character(self.value) if _HALVES.search(self._text) else None
        if half is not None:
            message = "broken JSON: half of a character pair (`\\ud800` to `\\udfff`)"
            raise MalformedError(message, path, self.line_of(half))

    def line_of(self, pointer: tuple[Step, ...]) -> int | None:
        """The line (from 1) where the part at `pointer` stands.

        Names match without case where they do not match with it.  Where only the beginning of the pointer
        leads somewhere, the line of the deepest part there is; None where its first step leads nowhere.
        """
        start = _after_space(self._text, 0)
        shown: int | None = start if not pointer else None
        for step in pointer:
            found = self._at(start).find(step)
            if found is None:
                break
            shown, start = found
        return None if shown is None else self._line(shown)

    def breaks(self) -> list[int]:
        """Where each line ends: the places of the line breaks."""
        if self._breaks is None:
            self._breaks = [found.start() for found in re.finditer("\n", self._text)]
        return self._breaks

    def holds(self, wanted: str, start: int, end: int) -> bool:
        """Whether a part of the text has a string in it."""
        return self._text.find(wanted, start, end) >= 0

    def _at(self, start: int) -> _Members:
        """The members of the container that begins at `start`, scanned only as far as was asked."""
        members = self._members.get(start)
        if members is None:
            members = self._members[start] = _Members(self._text, start)
        return members

    def _line(self, offset: int) -> int:
        if self._line_sums is None:
            sums, total = [0], 0
            for begin in range(0, len(self._text), _CHUNK):
                total += self._text.count("\n", begin, begin + _CHUNK)
                sums.append(total)
            self._line_sums = sums
        chunk = offset // _CHUNK
        return self._line_sums[chunk] + self._text.count("\n", chunk * _CHUNK, offset) + 1


def load(source: Source, comments: bool = False) -> JsonText:
    """The JSON text of a source.

    With `comments` it is ARM's dialect: comments and trailing commas are taken out without moving
    anything, and strings may run over several lines.
    """
    return JsonText(source.path, source.data, comments=comments)


class _Members:
    """Where the members of one object or array begin, found by parsing past those before."""

    __slots__ = ("_found", "_index", "_is_object", "_next", "_text")

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._found: dict[Step, tuple[int, int]] = {}
        self._is_object = text[start : start + 1] == "{"
        self._next = start + 1 if text[start : start + 1] in ("{", "[") else -1
        self._index = 0

    def find(self, step: Step) -> tuple[int, int] | None:
        """Offsets of a member (its key, or the item) and of its value."""
        if isinstance(step, str) is not self._is_object:
            return None
        while step not in self._found and self._next >= 0:
            self._read_one()
        if step in self._found or not isinstance(step, str):
            return self._found.get(step)
        wanted = step.casefold()
        return next((place for key, place in self._found.items() if str(key).casefold() == wanted), None)

    def _read_one(self) -> None:
        """Take the next member in; skip the value of the one before it first."""
        text, at = self._text, self._next
        if self._found:
            at = _after_space(text, _end_of(text, next(reversed(self._found.values()))[1]))
            if text[at] != ",":
                self._next = -1
                return
            at += 1
        at = _after_space(text, at)
        if text[at] in "}]":
            self._next = -1
            return
        key: Step = self._index
        shown = at
        if self._is_object:
            key, at = _string_at(text, at)
            at = _after_space(text, _after_space(text, at) + 1)
        self._index += 1
        self._found[key] = (shown, at)
        self._next = at


_SKIP: Final = json.JSONDecoder(strict=False)


def _string_at(text: str, start: int) -> tuple[str, int]:
    """The string that begins at `start`, and where it ends."""
    return cast("tuple[str, int]", _SKIP.raw_decode(text, start))


def _end_of(text: str, start: int) -> int:
    return _SKIP.raw_decode(text, start)[1]


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _decoded(path: str, data: bytes) -> str:
    encoding = json.detect_encoding(data)
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode("utf-8" if encoding == "utf-8-sig" else encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise MalformedError("this is not text in UTF-8", path, line) from None


def _parsed(path: str, text: str, *, strict: bool) -> Value:
    if not text.strip():
        raise MalformedError("the file is empty where JSON is expected", path, 1, 1)
    try:
        with without_collection():
            value = json.loads(
                text,
                strict=strict,
                object_pairs_hook=_object,
                parse_constant=_constant,
                parse_float=_float,
            )
    except json.JSONDecodeError as error:
        raise _broken(path, text, error) from None
    except _RefusedError as error:
        _refuse(path, text, str(error))
    except RecursionError:
        raise _too_deep(path) from None
    except ValueError:
        _refuse(path, text, "number")
    if _deeper_than(text, value, MAX_DEPTH):
        raise _too_deep(path)
    return cast("Value", value)


@contextmanager
def without_collection() -> Iterator[None]:
    """Suspend the search for cycles.

    Parsing makes none, and with millions of new objects the search takes most of the time.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _object(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise _RefusedError("key")
    return out


def _constant(name: str) -> NoReturn:  # noqa: ARG001 - the parser passes it
    raise _RefusedError("constant")


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _RefusedError("number")
    return value


def _broken(path: str, text: str, error: json.JSONDecodeError) -> MalformedError:
    said = _SAID.get(error.msg, error.msg[:1].lower() + error.msg[1:])
    cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
    hint = "; the file seems to be cut off" if cut else ""
    return MalformedError(f"broken JSON: {said}{hint}", path, error.lineno, error.colno)


def _too_deep(path: str) -> MalformedError:
    return MalformedError(f"the JSON is nested deeper than {MAX_DEPTH} levels", path)


def _refuse(path: str, text: str, kind: str) -> NoReturn:
    """Raise for what was refused, with its place found by a second look."""
    match kind:
        case "key":
            at, said = _repeated_key(text)
        case "constant":
            at, said = _first(_CONSTANTS, text), "NaN and Infinity are not JSON"
        case _:
            at, said = _first_huge(text), "a number is beyond all range"
    line, column = _place(text, at)
    raise MalformedError(f"broken JSON: {said}", path, line, column)


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _first(pattern: re.Pattern[str], text: str) -> int:
    return next((found.start(1) for found in pattern.finditer(text) if found[1]), 0)


def _first_huge(text: str) -> int:
    for found in _NUMBERS.finditer(text):
        digits = found[1]
        if digits and (len(digits) > 4000 or ("e" in digits.casefold() and math.isinf(float(digits)))):
            return found.start(1)
    return 0


def _repeated_key(text: str) -> tuple[int, str]:
    stack: list[set[str]] = []
    for found in _KEYS.finditer(text):
        if found[1] is None:
            if found[0] in "{[":
                stack.append(set())
            elif stack:
                stack.pop()
        elif found[2] and stack:
            key, _ = _string_at(text, found.start())
            if key in stack[-1]:
                return found.start(), f"the property `{key}` occurs twice in one object"
            stack[-1].add(key)
    return 0, "a property occurs twice in one object"


def _deeper_than(text: str, value: object, limit: int) -> bool:
    """Whether the nesting exceeds `limit`.

    Quick first: take empty pairs of brackets out of the text's skeleton until nothing is left.  Brackets
    within strings can only make that fail, and then the value itself is measured.
    """
    skeleton = text.encode("utf-8", "surrogatepass").translate(None, _NO_BRACKETS)
    for _ in range(limit // 2):  # a turn takes out two levels at most
        shorter = skeleton.replace(b"{}", b"").replace(b"[]", b"")
        if not shorter:
            return False
        if len(shorter) == len(skeleton):
            break
        skeleton = shorter
    level = [value]
    for _ in range(limit):
        level = [child for one in level for child in _children(one)]
        if not level:
            return False
    return True


_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"{}[]"))


def _children(value: object) -> list[object]:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for one in inside if isinstance(one, dict | list)]


def _half_character(value: Value) -> tuple[Step, ...] | None:
    """Where a text holds half of a surrogate pair, which nothing can print."""
    waiting: list[tuple[tuple[Step, ...], Value]] = [((), value)]
    while waiting:
        path, one = waiting.pop()
        if isinstance(one, str) and _STRAY.search(one):
            return path
        if isinstance(one, dict):
            stray = next((key for key in one if _STRAY.search(key)), None)
            if stray is not None:
                return path
            waiting.extend(((*path, key), item) for key, item in one.items())
        elif isinstance(one, list):
            waiting.extend(((*path, i), item) for i, item in enumerate(one))
    return None


def _blanked(path: str, text: str) -> str:
    """Comments and trailing commas replaced by spaces, so that every offset stays."""
    if "//" in text or "/*" in text:
        for found in _COMMENTS.finditer(text):
            if found[1] and found[1].startswith("/*") and (len(found[1]) < 4 or not found[1].endswith("*/")):
                line, column = _place(text, found.start())
                raise MalformedError("a comment is not closed", path, line, column)
        text = _COMMENTS.sub(_spaces, text)
    return _TRAILING.sub(_spaces, text)


def _spaces(found: re.Match[str]) -> str:
    return re.sub(r"[^\n\r]", " ", found[1]) if found[1] else found[0]
