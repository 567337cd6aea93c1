"""One resource instance of a plan: its values, what of them is unknown or sensitive, and how it was written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aks_egress.records import field, record
from aks_egress.values import Reference, Step, Unknown, Value
from aks_egress_scan.readers.mapping.fields import UNSET
from aks_egress_scan.readers.terraform.configuration import NOT_SHOWN, Table, Written, table, written
from aks_egress_scan.readers.terraform.instances import Instance

APPLIED: Final = "a state or a plan made after it was applied"
WRITE_ONLY: Final = "_wo"

Follow = Callable[["Planned", tuple[Step, ...], bool], tuple[Reference, ...]]


@record(slots=True, eq=False)
class Planned(Instance):
    """An instance of a plan or a state.

    `unknown` and `sensitive` mirror the shape of `raw`, with true in the places meant.  `declared` is the
    resource in the configuration, None where that is not shown.  `creating` is whether nothing of it exists yet.
    """

    raw: Table = field(default_factory=dict)
    unknown: Value = None
    sensitive: Value = None
    declared: Table | None = None
    creating: bool = False
    masked: bool = True
    follow: Follow | None = None

    def written(self, path: tuple[Step, ...]) -> Written:
        """What the attribute at `path` was written as."""
        return written(self.declared, path, self.raw) if self.declared is not None else NOT_SHOWN

    def unknown_at(self, path: tuple[Step, ...]) -> bool:
        """Whether the value at `path`, or any part of it, is known only after apply."""
        mask = self.unknown
        for step in path:
            if mask is True:
                return True
            mask = _part(mask, step)
        return has_true(mask)

    def has(self, name: str) -> bool:
        """Whether it has an attribute of that name."""
        return name in self.raw or name in table(self.unknown) or name == "id"

    def value(self, name: str) -> Value:
        """One attribute, or with an empty name all of them, with unknowns in their places."""
        if not name:
            names = {**self.raw, **table(self.unknown)}
            return {one: self.value(one) for one in names if one}
        path = (name,)
        if self.sensitive is True or self.unknown is True:
            return self._blank(path, sensitive=self.sensitive is True)
        raw, mask = self.raw.get(name), table(self.unknown).get(name)
        if raw is None and not mask and (name.endswith(WRITE_ONLY) or not self.masked):
            return self._not_shown(name)
        return self._merged(raw, mask, table(self.sensitive).get(name), path)

    def _not_shown(self, name: str) -> Value:
        """A write-only attribute, or one of a plan without masks: what the configuration says."""
        if name in self.raw and not name.endswith(WRITE_ONLY):
            return None
        expressions = self.written((name,)).expressions
        if not expressions:
            return None
        first = expressions[0]
        if len(expressions) == 1 and "constant_value" in first and not first.get("references"):
            return first["constant_value"]
        return self._unknown((name,), known_too=True)

    def _merged(self, value: Value, mask: Value, hidden: Value, path: tuple[Step, ...]) -> Value:
        if hidden is True or mask is True:
            return self._blank(path, sensitive=hidden is True)
        if not has_true(mask) and not has_true(hidden):
            return value
        if {type(mask), type(hidden)} == {list, dict}:
            return self._blank(path, sensitive=True)
        if isinstance(mask, dict) or isinstance(hidden, dict):
            known, masks, hides = table(value), table(mask), table(hidden)
            return {
                name: self._merged(known.get(name), masks.get(name), hides.get(name), (*path, name))
                for name in {**known, **masks, **hides}
            }
        length = max(len(one) for one in (value, mask, hidden) if isinstance(one, list))
        return [
            self._merged(_part(value, i), _part(mask, i), _part(hidden, i), (*path, i)) for i in range(length)
        ]

    def _blank(self, path: tuple[Step, ...], *, sensitive: bool) -> Value:
        if sensitive:
            why = f"{self._named(path)} is sensitive, so it is not looked at"
            return Unknown(
                why, self.values.child(*path), settle="mark it as not sensitive if it is no secret"
            )
        if self.creating and not self.data:
            stands = self.written(path)
            if stands.visible and not stands.expressions:
                return UNSET
        return self._unknown(path)

    def _unknown(self, path: tuple[Step, ...], known_too: bool = False) -> Unknown:
        leads = self.follow(self, path, known_too) if self.follow is not None else ()
        why = f"{self._named(path)} is known only after apply"
        return Unknown(why, self.values.child(*path), leads, APPLIED)

    def _named(self, path: tuple[Step, ...]) -> str:
        name = ".".join(str(step) for step in path)
        return f"`{name}` of `{self.address}`"


def _part(value: Value, step: Step) -> Value:
    if isinstance(step, int):
        return value[step] if isinstance(value, list) and 0 <= step < len(value) else None
    return value.get(step) if isinstance(value, dict) else None


def has_true(mask: Value) -> bool:
    """Whether a mask marks anything."""
    if mask is True:
        return True
    if isinstance(mask, dict):
        return any(has_true(item) for item in mask.values())
    return isinstance(mask, list) and any(has_true(item) for item in mask)
