"""The small named converters of the mapping tables: spellings that differ between azurerm and ARM."""

from __future__ import annotations

from aks_egress.records import record
from aks_egress.values import Unknown, Value
from aks_egress_scan.readers.mapping.fields import Convert, Spot, plain


def negated(value: Value, spot: Spot) -> Value:
    """The opposite of a Boolean."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str) and value.strip().casefold() in ("true", "false"):
        return value.strip().casefold() == "false"
    return plain(value, spot) if isinstance(value, Unknown) else spot.odd("true or false")


@record(frozen=True, slots=True)
class Words:
    """A Boolean spelled as one of two words."""

    yes: str
    no: str

    def __call__(self, value: Value, spot: Spot) -> Value:
        """The word for it."""
        if isinstance(value, bool):
            return self.yes if value else self.no
        return plain(value, spot) if isinstance(value, Unknown) else spot.odd("true or false")


ENABLED = Words("Enabled", "Disabled")
DISABLED = Words("Disabled", "Enabled")
SPELLED = Words("true", "false")


@record(frozen=True, slots=True)
class Each:
    """Each item of a list as an object with one member."""

    name: str

    def __call__(self, value: Value, spot: Spot) -> Value:
        """The list of objects."""
        if isinstance(value, Unknown):
            return plain(value, spot)
        if not isinstance(value, list):
            return spot.odd("a list")
        return [{self.name: plain(item, spot.inside((), (i,)))} for i, item in enumerate(value)]


def listed(value: Value, spot: Spot) -> Value:
    """One value as a list of it."""
    return [plain(value, spot)]


def commas(value: Value, spot: Spot) -> Value:
    """A list as text with commas, as a classic firewall's additional properties hold it."""
    if isinstance(value, Unknown):
        return plain(value, spot)
    if not isinstance(value, list):
        return spot.odd("a list")
    lost = next((item for item in value if isinstance(item, Unknown)), None)
    return plain(lost, spot) if lost is not None else ",".join(str(item) for item in value)


def always(constant: Value) -> Convert:
    """A constant wherever the attribute is given, whatever it says."""

    def convert(value: Value, spot: Spot) -> Value:
        return plain(value, spot) if isinstance(value, Unknown) else constant

    return convert


def hidden(why: str) -> Convert:
    """An unknown wherever the attribute is given: it tells that there is something and not what."""

    def convert(value: Value, spot: Spot) -> Value:  # noqa: ARG001 - one signature for all converters
        return Unknown(f"{why} (`{spot.writer.label}`)", spot.writer.origin.child(*spot.source))

    return convert


def spelled_from(words: dict[str, str]) -> Convert:
    """A word replaced by ARM's word for it; others stay."""

    def convert(value: Value, spot: Spot) -> Value:
        return words.get(value.casefold(), value) if isinstance(value, str) else plain(value, spot)

    return convert
