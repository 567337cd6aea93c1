"""Property values as Pulumi writes them: unknowns, secrets, references and assets taken for what they are.

Unknown outputs are sentinel texts, one for each type; secrets and the rest are objects with a signature.
"""

from __future__ import annotations

from typing import Final

from aks_egress.records import record
from aks_egress.values import Origin, Reference, Step, Unknown, Value
from aks_egress_scan.readers.terraform.identity import WIDE

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  the mark of a secret, not one
RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
UNKNOWNS: Final = frozenset(
    {
        UNKNOWN_TEXT,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
    }
)
BLINDED: Final = "[secret]"
"""What `pulumi preview --json` shows in place of a secret."""

UPDATED: Final = "an export or a preview made after it was updated"


@record(frozen=True, slots=True)
class Spot:
    """The property that a value stands in: whose it is, where, and the URNs that it depends on."""

    label: str
    origin: Origin
    depends: tuple[str, ...] = ()

    def unknown(self, path: tuple[Step, ...]) -> Unknown:
        """A value that comes only with the update."""
        why = f"{self._named(path)} is known only after the update"
        refs = tuple(Reference(urn, (WIDE,)) for urn in self.depends)
        return Unknown(why, self.origin.child(*path), refs, UPDATED)

    def secret(self, path: tuple[Step, ...]) -> Unknown:
        """A value that nobody shall see."""
        why = f"{self._named(path)} is a secret, so it is not looked at"
        return Unknown(why, self.origin.child(*path), settle="take the secret mark off it if it is no secret")

    def odd(self, path: tuple[Step, ...], what: str) -> Unknown:
        """Something that has no place in a network."""
        return Unknown(f"{self._named(path)} is {what}", self.origin.child(*path))

    def _named(self, path: tuple[Step, ...]) -> str:
        return f"`{'.'.join(str(step) for step in path)}` of `{self.label}`"


def settled(value: object, spot: Spot, path: tuple[Step, ...]) -> Value:
    """The value as plain data; `path` leads to it from the properties of its resource."""
    if isinstance(value, str):
        if value in UNKNOWNS:
            return spot.unknown(path)
        return spot.secret(path) if value == BLINDED else value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        if SIGNATURE in value:
            return _signed(value, spot, path)
        return {str(key): settled(item, spot, (*path, str(key))) for key, item in value.items()}
    if isinstance(value, list):
        return [settled(item, spot, (*path, i)) for i, item in enumerate(value)]
    if value is None or isinstance(value, bool | int):
        return value
    return spot.odd(path, "of a kind that nobody expects")


def _signed(value: dict[str, object], spot: Spot, path: tuple[Step, ...]) -> Value:
    signature = value[SIGNATURE]
    if signature == SECRET or (signature == OUTPUT and value.get("secret")):
        return spot.secret(path)
    if signature == OUTPUT:
        return settled(value["value"], spot, path) if "value" in value else spot.unknown(path)
    if signature != RESOURCE:
        return spot.odd(path, "a file or an archive")
    known, urn = value.get("id"), value.get("urn")
    if isinstance(known, str) and known and known not in UNKNOWNS:
        return known
    return Spot(spot.label, spot.origin, (urn,) if isinstance(urn, str) else ()).unknown(path)


def without_unknowns(value: object) -> object:
    """Raw outputs without the properties that are unknown: beside inputs those say nothing."""
    if isinstance(value, dict):
        return {
            key: without_unknowns(item) if isinstance(item, dict | list) else item
            for key, item in value.items()
            if not (isinstance(item, str) and item in UNKNOWNS)
        }
    return [without_unknowns(item) for item in value] if isinstance(value, list) else value


def completed(given: Value, shown: Value) -> Value:
    """What was given, with what the provider showed where nothing was given or it was not known.

    Unknown parts of what is shown say nothing: in a preview every property that is absent is shown so.
    """
    if given is None or isinstance(given, Unknown):
        known = _known(shown)
        return given if known is None else known
    if isinstance(given, dict) and isinstance(shown, dict):
        return {
            name: value
            for name in {**given, **shown}
            if (value := completed(given.get(name), shown.get(name))) is not None or name in given
        }
    if isinstance(given, list) and isinstance(shown, list) and len(given) == len(shown):
        return [completed(one, other) for one, other in zip(given, shown, strict=True)]
    return given


def _known(shown: Value) -> Value:
    """The parts that are known; None where nothing is."""
    if isinstance(shown, Unknown):
        return None
    if isinstance(shown, dict):
        parts: dict[str, Value] = {}
        for name, item in shown.items():
            if (part := _known(item)) is not None:
                parts[name] = part
        return parts if parts or not shown else None
    if isinstance(shown, list):
        parts_ = [_known(item) for item in shown]
        return None if any(part is None for part in parts_) else parts_
    return shown
