"""Values that an expression cannot settle, kept so that names and references still meet.

An unknown remembers how it would be spelled (`nsg-{suffix}`): a resource and a reference that are named
by the same unknown expression are the same resource, whatever its value turns out to be.  Text in which
only the subscription or the resource group is open is good enough for an id.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Final

from aks_egress.arm.ids import ResourceId, parse_id
from aks_egress.records import field, record, replace
from aks_egress.values import Origin, Reference, Step, Unknown, Value, unknowns

OPEN_TENANT: Final = "{tenant}"


@record(frozen=True, slots=True)
class Unsettled(Unknown):
    """An unknown with its spelling: text in which each open part stands in braces."""

    spelling: str = ""


@record(frozen=True, slots=True)
class Choice(Unsettled):
    """One of several values, nobody can say which."""

    options: tuple[Value, ...] = ()


@record(frozen=True, slots=True)
class Runtime(Unsettled):
    """A part of what `reference()` will answer; `step` follows one more property or index.

    `declared` is what the template says of that part, to which Azure may add.
    """

    step: Callable[[Step], Value] = field(default=lambda _: None, repr=False, compare=False)
    declared: Value = field(default=None, repr=False, compare=False)


class OpenText(str):
    """Text with a part that depends on where the template is deployed, such as an id in a scope that is open."""

    __slots__ = ()


_SPELLING_LIMIT: Final = 160
_TEXT_LIMIT: Final = 4000
_SCOPES: Final = re.compile(r"\{(?:subscription|resource-group|tenant|management-group)\}")


def spelled(value: Value) -> str:
    """How a value reads within text: itself where it is known, its open part in braces where not."""
    if isinstance(value, str):
        return value
    if isinstance(value, Unknown):
        return _spelling(value)
    if isinstance(value, bool):
        return "True" if value else "False"
    if value is None:
        return ""
    if callable(value):
        return repr(value)
    if isinstance(value, int | float):
        return str(value)
    import json  # lists within text are rare

    return json.dumps(_plain(value), separators=(",", ":"))


def _spelling(value: Unknown) -> str:
    own = value.spelling if isinstance(value, Unsettled) else ""
    return own or f"{{{digest(value.why)}}}"


def _plain(value: Value) -> object:
    """Nested data with its unknowns spelled, for writing."""
    match value:
        case Unknown():
            return _spelling(value)
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
    return repr(value) if callable(value) else value


def digest(text: str) -> str:
    """A short stable name for long text."""
    import hashlib  # long names are rare

    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:10]


def opened(name: str, arguments: Iterable[Value]) -> str:
    """The spelling of a call that is not settled: `{substring(name, 0, 3)}`."""
    inner = ", ".join(_quoted(argument) for argument in arguments)
    text = f"{name}({inner})".replace("/", "|").replace("{", "").replace("}", "")
    return f"{{{text if len(text) <= _SPELLING_LIMIT else name + ' ' + digest(text)}}}"


def _quoted(value: Value) -> str:
    text = spelled(value)
    return f"'{text}'" if isinstance(value, str) and not isinstance(value, OpenText) else text


def unsettled(name: str, arguments: Iterable[Value], spelling: str | None = None) -> Unsettled:
    """What a function answers where an argument is not known: the reason of the first such argument.

    That the scope of the deployment is open is the reason only where there is no other.
    """
    given = list(arguments)
    reasons = [one for value in given for one in unknowns(value)]
    first = next((one for one in reasons if not scope_only(_spelling(one))), reasons[0] if reasons else None)
    text = opened(name, given) if spelling is None else spelling
    if first is None:
        return Unsettled("it depends on where the template is deployed", spelling=text)
    made_of = dict.fromkeys(ref for one in reasons for ref in (*one.refers_to, *one.made_of))
    return Unsettled(first.why, first.origin, settle=first.settle, made_of=tuple(made_of), spelling=text)


def composed(name: str, text: str, parts: Iterable[Value]) -> Value:
    """Text put together from `parts` as `text`: known, an id with an open scope, or unknown with what it refers to."""
    if not any(isinstance(part, Unknown | OpenText) or _holds_unknown(part) for part in parts):
        return text
    found = parse_id(text) if text.startswith("/") else None
    if found is None:
        if not _SCOPES.sub("", text).count("{") and not any(isinstance(part, Unknown) for part in parts):
            return OpenText(text)
        return unsettled(name, parts, _shortened(name, text))
    return promised(found, unsettled(name, parts, str(found)))


def _holds_unknown(part: Value) -> bool:
    return isinstance(part, list | dict) and next(unknowns(part), None) is not None


def _shortened(name: str, text: str) -> str:
    return text if len(text) <= _TEXT_LIMIT else f"{{{name} {digest(text)}}}"


def promised(found: ResourceId, reason: Unsettled) -> Value:
    """An id whose scope may be open; where a name is not known, an unknown that refers to it."""
    tidy = _with_open_scopes(found)
    if not any("{" in name for name in tidy.names):
        return OpenText(str(tidy)) if "{" in tidy.spelling else str(tidy)
    return Unsettled(
        reason.why, reason.origin, (Reference(str(tidy)),), settle=reason.settle, spelling=str(tidy)
    )


def _with_open_scopes(found: ResourceId) -> ResourceId:
    """The id with each scope segment that is open in part (`rg-{x}`) open as a whole."""
    parts = found.spelling.strip("/").split("/")
    head = len(found.scope.split("/")) if found.scope.strip("/") else 0
    segments = [
        f"{{{one}}}" if "{" in one and one[0] != "{" and i < head else one for i, one in enumerate(parts)
    ]
    return parse_id("/" + "/".join(segments)) or found


def scope_only(text: str) -> bool:
    """Whether nothing but the scope of the deployment is open in this text."""
    return "{" not in _SCOPES.sub("", text)


def segments(text: str) -> list[str]:
    """The parts of a name between slashes; a slash within braces parts nothing."""
    return [part.replace("/", "|") for part in cut(text, "/") if part]


def cut(text: str, mark: str) -> list[str]:
    """Text split at a mark; within braces the mark splits nothing."""
    found: list[str] = []
    depth = start = at = 0
    while at < len(text):
        depth = max(0, depth + (text[at] == "{") - (text[at] == "}"))
        if not depth and text.startswith(mark, at):
            found.append(text[start:at])
            start = at = at + len(mark)
        else:
            at += 1
    return [*found, text[start:]]


def settled(value: Value) -> bool:
    """Whether nothing within the value is unknown or open."""
    match value:
        case Unknown() | OpenText():
            return False
        case dict():
            return all(settled(item) for item in value.values())
        case list():
            return all(settled(item) for item in value)
    return True


def placed(value: Unknown, origin: Origin) -> Unknown:
    """The same unknown, standing somewhere."""
    return replace(value, origin=origin)


def plain(value: Value) -> Value:
    """The value as everybody else knows values: without spellings, open text as text."""
    match value:
        case Unsettled():
            return Unknown(value.why, value.origin, value.refers_to, value.settle, value.made_of)
        case OpenText():
            return str(value)
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
    return value


def targets(value: Value) -> tuple[Reference, ...]:
    """The resources that a value names: an id as text, or what an unknown refers to."""
    if isinstance(value, Unknown):
        return value.refers_to
    found = parse_id(value)
    return (Reference(str(found)),) if found else ()


def choice(condition: Value, *options: Value) -> Value:
    """One of the options, by a condition that is not known."""
    if all(settled(one) and one == options[0] and type(one) is type(options[0]) for one in options):
        return options[0]
    named = [targets(one) for one in options]
    refers = tuple(dict.fromkeys(ref for refs in named for ref in refs)) if all(named) else ()
    reason = unsettled("if", (condition, *options))
    return Choice(
        reason.why, reason.origin, refers, settle=reason.settle, spelling=reason.spelling, options=options
    )
