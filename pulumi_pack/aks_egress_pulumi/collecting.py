"""What a preview tells: the inputs of every resource as they come, joined with how they depend on each other.

In a preview the provider shows every output that is absent as unknown and drops the names of parents;
the inputs, which the engine hands over resource by resource, say what will be.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from aks_egress.records import field, record
from aks_egress.values import Origin
from aks_egress_scan.readers.pulumi.registered import (
    Registered,
    child_names,
    joined,
    labels,
    name_of,
    properties,
)


@record(slots=True)
class Collected:
    """The inputs of every resource by URN; `count` grows with every one that comes."""

    inputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    count: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def take(self, urn: str, props: Any) -> None:
        """Keep the inputs of a resource; those of an earlier call are forgotten."""
        with self.lock:
            self.inputs[urn] = raw(props)
            self.count += 1


def raw(props: Any) -> Mapping[str, Any]:
    """Properties out of the proxies that end a policy when an unknown value is touched."""
    found = _bare(props)
    return found if isinstance(found, Mapping) else {}


def _bare(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, dict):
        return {key: _bare(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_bare(item) for item in value]
    try:
        inner = value["__target"]
    except (KeyError, TypeError):
        return value
    return _bare(inner)


def registered(resources: Iterable[Any], collected: Collected) -> list[Registered]:
    """The resources of a stack: what was collected, completed by what the provider showed."""
    rows = [one for one in resources if one.urn]
    named = labels(one.urn for one in rows)
    read = []
    for one in rows:
        deps = {name: tuple(r.urn for r in below) for name, below in one.property_dependencies.items()}
        given = collected.inputs.get(one.urn)
        pair = properties(
            given if given is not None else {},
            raw(one.props),
            label=named[one.urn],
            values=_place(named[one.urn]),
            depends=deps,
            otherwise=tuple(other.urn for other in one.dependencies),
        )
        read.append((one, given is not None, *pair))
    children = child_names(props for _, _, given_, shown in read for props in (given_, shown))
    found = [_registered(*row, named[row[0].urn], children) for row in read]
    return [*found, *_providers(rows)]


def _registered(
    one: Any, analyzed: bool, given: Any, shown: Any, label: str, children: frozenset[str]
) -> Registered:
    known = shown.get("id")
    return Registered(
        urn=one.urn,
        type=one.resource_type,
        name=name_of(one.urn),
        label=label,
        origin=_place(label),
        values=_place(label),
        props=joined(given, shown, children, label) if analyzed else shown,
        id=known if isinstance(known, str) else "",
        parent=one.parent.urn if one.parent is not None else "",
        provider=one.provider.urn if one.provider is not None else "",
    )


def _place(label: str) -> Origin:
    """A resource has a name and no line; the pointer leads into no document of the context either."""
    return Origin(label, pointer=(label,))


def _providers(rows: Iterable[Any]) -> list[Registered]:
    """The providers that resources name, which say the subscription and the cloud."""
    own = {one.urn for one in rows}
    found: dict[str, Registered] = {}
    for one in rows:
        provider = one.provider
        if provider is None or not provider.urn or provider.urn in own or provider.urn in found:
            continue
        origin = _place(provider.urn)
        _, shown = properties({}, raw(provider.props), label=provider.urn, values=origin, depends={})
        found[provider.urn] = Registered(
            provider.urn, provider.resource_type, provider.name, provider.urn, origin, origin, shown
        )
    return list(found.values())
