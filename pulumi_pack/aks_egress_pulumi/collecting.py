"""What a preview tells: the inputs of every resource as they come, joined with how they depend on each other.

In a preview the provider shows every output that is absent as unknown and drops the names of parents;
the inputs, which the engine hands over resource by resource, say what will be.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aks_egress.records import field, record
from aks_egress.values import Origin
from aks_egress_scan.readers.pulumi.registered import (
    Properties,
    Registered,
    child_names,
    joined,
    labels,
    name_of,
    properties,
)
from aks_egress_scan.readers.pulumi.values import without_unknowns

Raw = Mapping[str, Any]
"""Properties as the protocol carries them: sentinels for unknowns, secrets with their mark, all numbers floats."""


@record(frozen=True, slots=True, kw_only=True)
class Provider:
    """The provider of a resource, which says the subscription and the cloud."""

    urn: str
    type: str
    props: Raw


@record(frozen=True, slots=True, kw_only=True)
class Row:
    """One resource of a stack, with the outputs that its provider showed."""

    urn: str
    type: str
    outputs: Raw
    parent: str = ""
    depends: tuple[str, ...] = ()
    properties_depend: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    provider: Provider | None = None


@record(slots=True)
class Collected:
    """The inputs of every resource by URN, and the last stack; `count` grows with everything that comes.

    `failure` is why something of it was lost: then nothing can be judged.
    """

    inputs: dict[str, Raw] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    count: int = 0
    failure: Exception | None = None
    lock: Any = field(default_factory=threading.Lock)

    def listen(self, take: Callable[[], None]) -> None:
        """Take something in; what cannot be taken in is kept as the failure, for an exception would end the preview."""
        try:
            take()
        except Exception as error:  # noqa: BLE001
            self.failure = error

    def take(self, urn: str, inputs: Raw) -> None:
        """Keep the inputs of a resource; those of an earlier call are forgotten."""
        with self.lock:
            self.inputs[urn] = inputs
            self.count += 1

    def take_stack(self, rows: Iterable[Row]) -> None:
        """Keep the whole stack; an earlier one is forgotten."""
        with self.lock:
            self.rows = tuple(rows)
            self.count += 1


def registered(collected: Collected) -> list[Registered]:
    """The resources of the stack: what was collected, completed by what the providers showed."""
    rows = [one for one in collected.rows if one.urn]
    named = labels(one.urn for one in rows)
    read = [_read(one, collected, named[one.urn]) for one in rows]
    children = child_names(props for pair in read for props in pair)
    found = [
        _registered(one, one.urn in collected.inputs, pair, named[one.urn], children)
        for one, pair in zip(rows, read, strict=True)
    ]
    return [*found, *_providers(rows)]


def _read(one: Row, collected: Collected, label: str) -> tuple[Properties, Properties]:
    given = collected.inputs.get(one.urn)
    shown = one.outputs if given is None else without_unknowns(one.outputs)
    return properties(
        given or {},
        shown if isinstance(shown, dict) else {},
        label=label,
        values=_place(label),
        depends=one.properties_depend,
        otherwise=one.depends,
    )


def _registered(
    one: Row, analyzed: bool, pair: tuple[Properties, Properties], label: str, children: frozenset[str]
) -> Registered:
    given, shown = pair
    known = shown.get("id")
    return Registered(
        urn=one.urn,
        type=one.type,
        name=name_of(one.urn),
        label=label,
        origin=_place(label),
        values=_place(label),
        props=joined(given, shown, children, label) if analyzed else shown,
        id=known if isinstance(known, str) else "",
        parent=one.parent,
        provider=one.provider.urn if one.provider is not None else "",
    )


def _place(label: str) -> Origin:
    """A resource has a name and no line; the pointer leads into no document of the context either."""
    return Origin(label, pointer=(label,))


def _providers(rows: Iterable[Row]) -> list[Registered]:
    """The providers that resources name, where they are no resources of the stack themselves."""
    own = {one.urn for one in rows}
    found: dict[str, Registered] = {}
    for one in rows:
        provider = one.provider
        if provider is None or not provider.urn or provider.urn in own or provider.urn in found:
            continue
        place = _place(provider.urn)
        _, shown = properties({}, provider.props, label=provider.urn, values=place, depends={})
        found[provider.urn] = Registered(
            provider.urn, provider.type, name_of(provider.urn), provider.urn, place, place, shown
        )
    return list(found.values())
