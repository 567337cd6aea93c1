"""Functions on text.  Searching (`startsWith`, `indexOf`) ignores case as ARM does; `contains`, `equals` and
`replace` do not.

Microsoft: "String functions for ARM templates".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aks_egress.arm.ids import parse_id
from aks_egress.values import Unknown, Value
from aks_egress_scan.readers.expressions.functions.formats import formatted
from aks_egress_scan.readers.expressions.functions.json_forms import parsed
from aks_egress_scan.readers.expressions.limits import TEXT_LENGTH, BoundsError
from aks_egress_scan.readers.expressions.signatures import FunctionProblemError, define
from aks_egress_scan.readers.expressions.unsettled import (
    OpenText,
    Runtime,
    Unsettled,
    composed,
    cut,
    scope_only,
    settled,
    spelled,
    unsettled,
)

if TYPE_CHECKING:
    from uuid import UUID

_GUID_NAMESPACE: Final = "11fb06fb-712d-4ddd-98c7-e71bbd588830"
_PAD_LIMIT: Final = 10_000


@define("concat", "string|int|bool...", "array...", partial=True, costly=True)
def _concat(*parts: Value) -> Value:
    if any(isinstance(part, list) for part in parts):
        return unsettled("concat", parts) if _any_unknown(parts) else [one for part in parts for one in part]  # type: ignore[union-attr]
    said = [part for part in parts if part != ""]
    if len(said) == 1 and isinstance(said[0], Unknown):
        return said[0]
    return composed("concat", "".join(map(spelled, parts)), parts)


def _any_unknown(parts: tuple[Value, ...]) -> bool:
    return any(isinstance(part, Unknown) for part in parts)


@define("format", "string, any...", "string", partial=True, costly=True)
def _format(pattern: Value, *arguments: Value) -> Value:
    if isinstance(pattern, Unknown):
        return unsettled("format", (pattern, *arguments))
    if pattern == "{0}" and len(arguments) == 1:  # what it says and what it refers to stay the same
        return _string(arguments[0])
    return composed("format", formatted(str(pattern), arguments), arguments)


@define("string", "any", partial=True, costly=True)
def _string(value: Value) -> Value:
    if isinstance(value, str | Unknown):
        return value
    return as_text(value) if settled(value) else unsettled("string", (value,))


def as_text(value: Value) -> str:
    """A settled value as text: JSON without spaces for lists and objects."""
    return spelled(value)


@define("toLower", "string", partial=True)
def _to_lower(value: Value) -> Value:
    return _recased("toLower", value, spelled(value).lower())


@define("toUpper", "string", partial=True)
def _to_upper(value: Value) -> Value:
    return _recased("toUpper", value, spelled(value).upper())


def _recased(name: str, value: Value, text: str) -> Value:
    """ARM compares names without case, so an open name stays the same name."""
    return (
        value
        if isinstance(value, Unknown | OpenText)
        else text
        if isinstance(value, str)
        else unsettled(name, (value,))
    )


@define("trim", "string", partial=True)
def _trim(value: Value) -> Value:
    return value if isinstance(value, Unknown | OpenText) else str(value).strip()


@define("length", "string|array|object")
def _length(value: str | list[Value] | dict[str, Value]) -> Value:
    return len(value)


@define("empty", "string|array|object|null", partial=True)
def _empty(value: Value) -> Value:
    if isinstance(value, Runtime) and value.declared:
        return False
    return unsettled("empty", (value,)) if isinstance(value, Unknown) else not value


@define("startsWith", "string, string")
def _starts_with(text: str, start: str) -> Value:
    return text.casefold().startswith(start.casefold())


@define("endsWith", "string, string")
def _ends_with(text: str, end: str) -> Value:
    return text.casefold().endswith(end.casefold())


@define("indexOf", "string, string")
def _index_of(text: str, wanted: str) -> Value:
    return text.lower().find(wanted.lower())


@define("lastIndexOf", "string, string")
def _last_index_of(text: str, wanted: str) -> Value:
    return text.lower().rfind(wanted.lower())


@define("like", "string, string")
def _like(text: str, pattern: str) -> Value:
    """Whether text fits a pattern in which `*` stands for anything, without case."""
    parts = pattern.casefold().split("*")
    rest = text.casefold()
    if len(parts) == 1:
        return rest == parts[0]
    if (
        not rest.startswith(parts[0])
        or not rest.endswith(parts[-1])
        or len(rest) < len(parts[0]) + len(parts[-1])
    ):
        return False
    rest = rest[len(parts[0]) : len(rest) - len(parts[-1])]
    for part in parts[1:-1]:
        at = rest.find(part)
        if at < 0:
            return False
        rest = rest[at + len(part) :]
    return True


@define("substring", "string, int, int?")
def _substring(text: str, start: int, length: int | None = None) -> Value:
    end = len(text) if length is None else start + length
    if not 0 <= start <= end <= len(text):
        raise FunctionProblemError(f"`substring` reaches beyond text of {len(text)} characters")
    return text[start:end]


@define("replace", "string, string, string", partial=True)
def _replace(text: Value, old: Value, new: Value) -> Value:
    if any(isinstance(one, Unknown | OpenText) for one in (text, old, new)):
        return unsettled("replace", (text, old, new))
    if not old:
        raise FunctionProblemError("`replace` looks for empty text")
    if str(text).count(str(old)) * len(str(new)) > TEXT_LENGTH:
        raise BoundsError(f"`replace` makes more than {TEXT_LENGTH:,} characters")
    return str(text).replace(str(old), str(new))


@define("split", "string, string|array", partial=True)
def _split(text: Value, delimiter: Value) -> Value:
    if isinstance(text, Unknown | OpenText) or not settled(delimiter):
        return _split_open(text, delimiter)
    marks = [
        one
        for one in (delimiter if isinstance(delimiter, list) else [delimiter])
        if isinstance(one, str) and one
    ]
    parts = [str(text)]
    for mark in marks:
        parts = [piece for part in parts for piece in part.split(mark)]
    return list(parts)


def _split_open(text: Value, delimiter: Value) -> Value:
    """The parts of an id of which some names or its scope are not known; no name holds a slash, so a mark
    that does can be found.  Other text stays whole and unknown.
    """
    reason = unsettled("split", (text, delimiter))
    is_id = isinstance(text, OpenText) or (isinstance(text, Unknown) and parse_id(spelled(text)) is not None)
    if not is_id or not isinstance(delimiter, str) or "/" not in delimiter or "{" in delimiter:
        return reason
    return [_piece(part, text, reason) for part in cut(spelled(text), delimiter)]


def _piece(part: str, text: Value, reason: Unsettled) -> Value:
    if "{" not in part:
        return part
    return (
        composed("split", part, (text,))
        if "/" in part
        else Unsettled(reason.why, reason.origin, settle=reason.settle, spelling=part)
    )


@define("join", "array, string", partial=True, costly=True)
def _join(parts: Value, delimiter: Value) -> Value:
    if not isinstance(parts, list) or isinstance(delimiter, Unknown):
        return unsettled("join", (parts, delimiter))
    return composed("join", str(delimiter).join(map(spelled, parts)), parts)


@define("padLeft", "string|int, int, string?")
def _pad_left(value: str | int, width: int, fill: str = " ") -> Value:
    if not 0 <= width <= _PAD_LIMIT or len(fill) != 1:
        raise FunctionProblemError(f"`padLeft` takes a width of 0 to {_PAD_LIMIT} and one character")
    return str(value).rjust(width, fill)


@define("json", "string|array|object|null", partial=True)
def _json(text: Value) -> Value:
    if not isinstance(text, str | Unknown):
        return text
    try:
        found = parsed("json", spelled(text))
    except FunctionProblemError:
        if not isinstance(text, Unknown):
            raise
        return unsettled("json", (text,))
    return _opened_again(found, text) if isinstance(text, Unknown | OpenText) else found


def _opened_again(found: Value, text: Value) -> Value:
    """Each text within is open where the whole was; what is not within a text stays unknown as a whole."""
    match found:
        case str():
            return composed("json", found, (text,)) if "{" in found else found
        case dict() if not any("{" in key for key in found):
            return {key: _opened_again(item, text) for key, item in found.items()}
        case list():
            return [_opened_again(item, text) for item in found]
        case dict():
            return unsettled("json", (text,))
    return found


@define("uniqueString", "string...", partial=True)
def _unique_string(*parts: Value) -> Value:
    """A stable stand-in of the right form: 13 characters that depend on the arguments alone."""
    text = "-".join(map(spelled, parts))
    if not scope_only(text):
        return unsettled("uniqueString", parts)
    number = _named_uuid(text).int
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    return "".join(letters[number >> 5 * i & 31] for i in range(13))


@define("guid", "string...", partial=True)
def _guid(*parts: Value) -> Value:
    """The name-based UUID that ARM makes of the arguments."""
    text = "-".join(map(spelled, parts))
    return str(_named_uuid(text)) if scope_only(text) else unsettled("guid", parts)


def _named_uuid(text: str) -> UUID:
    from uuid import UUID, uuid5  # few templates need it

    return uuid5(UUID(_GUID_NAMESPACE), text)
