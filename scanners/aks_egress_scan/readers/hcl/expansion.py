"""`count` and `for_each`: how many instances a block has, and what their keys are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from aks_egress.records import record
from aks_egress.values import Origin, Unknown
from aks_egress_scan.readers.base import MalformedError
from aks_egress_scan.readers.hcl.evaluator import Scope, settled
from aks_egress_scan.readers.hcl.syntax import Block, Setting
from aks_egress_scan.readers.hcl.terms import ProblemError, SetTerm, Term, first_unknown, kind_of
from aks_egress_scan.readers.hcl.types import NUMBER, convert

Key = None | int | str
"""The key of an instance: none, a number of `count`, a key of `for_each`."""

MAX_INSTANCES: Final = 5_000

#: settings of a block that are Terraform's own, not the provider's
META: Final = frozenset({"count", "for_each", "provider", "depends_on", "providers", "source", "version"})


@record(slots=True)
class Expansion:
    """The instances of a block: for each key, what `count` or `each` stand for there.

    `uncertain` is why nobody can say which instances there will be; one instance then stands for all.
    """

    by: str
    names: dict[Key, Mapping[str, Term]]
    uncertain: Unknown | None = None

    def shaped(self, make: Callable[[Key], Term]) -> Term:
        """What a reference to the block stands for: one value, a list, an object by key, or many."""
        if self.uncertain is not None:
            (key,) = self.names
            return Many(self.by, make(key), self.uncertain)
        if self.by == "count":
            return [make(key) for key in self.names]
        if self.by == "for_each":
            return {str(key): make(key) for key in self.names}
        return make(None)


@record(slots=True, eq=False)
class Many:
    """Instances of which nobody can say how many there will be; `one` stands for each of them."""

    by: str
    one: Term
    uncertain: Unknown

    def member(self, name: str) -> Term:
        """The instance of that key: if it is there, it is like the one."""
        if self.by == "count" and not name.isdecimal():
            raise ProblemError("an instance of several is wanted: `[0]` is missing")
        return self.one

    def settled(self) -> Term:
        """Unknown."""
        return self.uncertain


_SINGLE: Final[dict[Key, Mapping[str, Term]]] = {None: {}}


def expand(block: Block, scope: Scope) -> Expansion:
    """The instances of a block."""
    settings = block.body.settings
    if "count" in settings:
        return _counted(settings["count"], scope.at(settings["count"].path))
    if "for_each" in settings:
        return _each(settings["for_each"], scope.at(settings["for_each"].path))
    return Expansion("", _SINGLE)


def _counted(setting: Setting, scope: Scope) -> Expansion:
    value = settled(setting.expression, scope)
    origin = Origin(setting.path, setting.line)
    number = _number(value, origin)
    if isinstance(number, Unknown):
        unknown = Unknown(f"`count` is not known: {number.why}", number.origin, settle=number.settle)
        return Expansion("count", {0: {"count": {"index": unknown}}}, unknown)
    if number > MAX_INSTANCES:
        raise MalformedError(f"`count` is beyond {MAX_INSTANCES}", setting.path, setting.line)
    return Expansion("count", {i: {"count": {"index": i}} for i in range(number)})


def _number(value: Term, origin: Origin) -> int | Unknown:
    try:
        found = int(value) if isinstance(value, bool) else convert(value, NUMBER)
    except ProblemError as problem:
        return Unknown(f"{problem}", origin, settle="mend the expression")
    if isinstance(found, Unknown):
        return found
    if not isinstance(found, int) or found < 0:
        return Unknown(f"{kind_of(value)} is no count", origin, settle="mend the expression")
    return found


def _each(setting: Setting, scope: Scope) -> Expansion:
    value = settled(setting.expression, scope)
    origin = Origin(setting.path, setting.line)
    if value is not None and not isinstance(value, bool | int | Decimal | str | list | dict | Unknown):
        value = value.settled()
    if isinstance(value, dict):
        rows: dict[Key, Mapping[str, Term]] = {
            key: {"each": {"key": key, "value": value[key]}} for key in sorted(value)
        }
        return _bounded(rows, setting)
    if isinstance(value, list) and (isinstance(value, SetTerm) or not value):
        lost = first_unknown(value)
        if lost is None and all(isinstance(one, str) for one in value):
            return _bounded({one: {"each": {"key": one, "value": one}} for one in value}, setting)
        if lost is not None:
            return _unknown_keys(lost)
    if isinstance(value, Unknown):
        return _unknown_keys(value)
    why = f"{kind_of(value)} stands where a map or a set of text is expected"
    return _unknown_keys(Unknown(why, origin, settle="mend the expression"))


def _unknown_keys(value: Unknown) -> Expansion:
    unknown = Unknown(f"`for_each` is not known: {value.why}", value.origin, settle=value.settle)
    return Expansion("for_each", {"?": {"each": {"key": unknown, "value": unknown}}}, unknown)


def _bounded(rows: dict[Key, Mapping[str, Term]], setting: Setting) -> Expansion:
    if len(rows) > MAX_INSTANCES:
        raise MalformedError(f"`for_each` has more than {MAX_INSTANCES} elements", setting.path, setting.line)
    return Expansion("for_each", rows)


def spelled(key: Key) -> str:
    """A key as it stands in an address."""
    if key is None:
        return ""
    return f"[{key}]" if isinstance(key, int) else f"[{json.dumps(key, ensure_ascii=False)}]"
