"""Pulumi YAML programs evaluated: configuration, variables, interpolation, functions.

What is known before an update is settled; the rest is an unknown that refers to the resource it comes from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from aks_egress.records import field, record
from aks_egress.values import Origin, Reference, Step, Unknown, Value
from aks_egress.values import at as part
from aks_egress_scan.readers.pulumi.values import UPDATED
from aks_egress_scan.readers.terraform.identity import WIDE

_PART: Final = re.compile(r"\$\$\{|\$\{([^}]*)\}")
_STEP: Final = re.compile(r"\.?([^.\[\]\s]+)|\[(\d+)\]|\[\"([^\"]*)\"\]")
_DEEPEST: Final = 50


@record(slots=True)
class Program:
    """The parts of a program, and what they come to.

    `properties` gives the properties of a resource by its logical name, None where there is none;
    `urns` has the URN of each.
    """

    path: str
    settings: Mapping[str, Value]
    variables: Mapping[str, Value]
    constants: Mapping[str, Value]
    urns: Mapping[str, str]
    properties: Callable[[str], Mapping[str, Value] | None]
    busy: list[str] = field(default_factory=list)
    known: dict[str, Value] = field(default_factory=dict)

    def settled(self, value: Value, at: tuple[Step, ...]) -> Value:
        """A value with everything that is known put in."""
        if isinstance(value, str):
            return self._text(value, at) if "$" in value else value
        if isinstance(value, list):
            return [self.settled(item, (*at, i)) for i, item in enumerate(value)]
        if isinstance(value, dict):
            function = next((key for key in value if key.casefold().startswith("fn::")), None)
            if function is not None and len(value) == 1:
                return self._call(function[4:].casefold(), value[function], at)
            return {key: self.settled(item, (*at, key)) for key, item in value.items()}
        return value

    def _text(self, text: str, at: tuple[Step, ...]) -> Value:
        found = list(_PART.finditer(text))
        if len(found) == 1 and found[0][1] is not None and found[0][0] == text:
            return self._expression(found[0][1], at)
        parts: list[Value] = []
        end = 0
        for match in found:
            parts += [text[end : match.start()]]
            parts.append("${" if match[1] is None else self._expression(match[1], at))
            end = match.end()
        return self._joined([*parts, text[end:]], at)

    def _joined(self, parts: list[Value], at: tuple[Step, ...]) -> Value:
        """Text made of parts; an id with text behind it is the id of what lies below."""
        parts = [one for one in parts if one != ""]
        open_ = [one for one in parts if isinstance(one, Unknown)]
        if not open_ and all(isinstance(one, str | int | float | bool) for one in parts):
            return "".join(str(one).lower() if isinstance(one, bool) else str(one) for one in parts)
        first, rest = parts[0], parts[1:]
        if isinstance(first, Unknown) and all(isinstance(one, str) for one in rest):
            tail = "".join(str(one) for one in rest)
            refs = first.refers_to
            if len(refs) == 1 and refs[0].path == ("id",) and tail.startswith("/"):
                return self._unknown("is put together", at, (Reference(refs[0].id, ("id", tail)),))
        wide = tuple(dict.fromkeys(Reference(ref.id, (WIDE,)) for one in open_ for ref in one.refers_to))
        return self._unknown("is put together from what is not known", at, wide)

    def _expression(self, text: str, at: tuple[Step, ...]) -> Value:
        steps: list[Step] = [
            int(one[2]) if one[2] else one[1] or one[3] or "" for one in _STEP.finditer(text.strip())
        ]
        if not steps:
            return self._unknown("is no expression", at)
        head, rest = str(steps[0]), tuple(steps[1:])
        if head in self.urns:
            return self._output(head, rest, at)
        if head == "pulumi":
            return self.constants.get(str(rest[0]) if rest else "") or self._unknown(
                "depends on the stack", at
            )
        for scope in (self.settings, self.variables):
            if head in scope:
                return _inside(self._named(head, scope, at), rest, lambda: self._unknown("is not there", at))
        return self._unknown(f"refers to `{head}`, which is nowhere", at)

    def _named(self, name: str, scope: Mapping[str, Value], at: tuple[Step, ...]) -> Value:
        """A variable, settled once."""
        if scope is self.settings:
            return scope[name]
        if name not in self.known:
            if name in self.busy or len(self.busy) > _DEEPEST:
                return self._unknown("refers to itself", at)
            self.busy.append(name)
            self.known[name] = self.settled(scope[name], ("variables", name))
            self.busy.pop()
        return self.known[name]

    def _output(self, name: str, path: tuple[Step, ...], at: tuple[Step, ...]) -> Value:
        """An output of a resource: an input of the same name, where that is known, else a promise."""
        promise = self._unknown(f"comes from `{name}`", at, (Reference(self.urns[name], path or ("id",)),))
        if path in ((), ("id",), ("urn",)) or name in self.busy or len(self.busy) > _DEEPEST:
            return promise
        self.busy.append(name)
        props = self.properties(name)
        self.busy.pop()
        value = _inside(dict(props), path, lambda: None) if props is not None else None
        return promise if value is None else value

    def _call(self, name: str, given: Value, at: tuple[Step, ...]) -> Value:
        if name == "secret":
            return self._unknown("is a secret, so it is not looked at", at)
        value = self.settled(given, at)
        known = _FUNCTIONS.get(name)
        if known is None:
            return self._unknown(f"is what `fn::{name}` answers, which is not asked here", at)
        if isinstance(value, Unknown):
            return value
        if name == "join" and isinstance(value, list) and len(value) == 2 and isinstance(value[1], list):
            parts = [part for i, one in enumerate(value[1]) for part in ((value[0], one) if i else (one,))]
            return self._joined(parts, at)
        made = known(value)
        return self._unknown(f"is a `fn::{name}` of what is not known", at) if made is None else made

    def _unknown(self, what: str, at: tuple[Step, ...], refs: tuple[Reference, ...] = ()) -> Unknown:
        name = ".".join(str(step) for step in at[-2:])
        return Unknown(f"`{name}` {what}", Origin(self.path, pointer=at), refs, UPDATED if refs else "")


def _inside(value: Value, path: tuple[Step, ...], missing: Callable[[], Value]) -> Value:
    for step in path:
        if isinstance(value, Unknown):
            return value
        there = isinstance(value, list | dict) and (
            step in value if isinstance(value, dict) else isinstance(step, int) and step < len(value)
        )
        if not there:
            return missing()
        value = part(value, step)
    return value


def _join(value: Value) -> Value:
    return None if value else ""


def _split(value: Value) -> Value:
    match value:
        case [str() as by, str() as text] if by:
            return list(text.split(by))
    return None


def _select(value: Value) -> Value:
    match value:
        case [int() as index, list() as rows] if 0 <= index < len(rows):
            return list[Value](rows)[index]
    return None


def _to_json(value: Value) -> Value:
    try:
        return json.dumps(value)
    except TypeError:
        return None


def _from_json(value: Value) -> Value:
    try:
        made: Value = json.loads(value) if isinstance(value, str) else None
    except (ValueError, RecursionError):
        return None
    return made


_FUNCTIONS: Final[Mapping[str, Callable[[Value], Value]]] = {
    "join": _join,
    "split": _split,
    "select": _select,
    "tojson": _to_json,
    "fromjson": _from_json,
}
