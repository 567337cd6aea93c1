"""Resources as Pulumi's JSON writes them: in a stack's export, and in the steps of a preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NoReturn

from aks_egress.records import record
from aks_egress.values import Origin, Step, Unknown, Value
from aks_egress_scan.readers.base import MalformedError
from aks_egress_scan.readers.json_text import JsonText
from aks_egress_scan.readers.pulumi.registered import (
    Properties,
    Registered,
    child_names,
    joined,
    labels,
    name_of,
    properties,
)

Table = dict[str, Value]
_PARTIAL: Final = "shows only what changes, so what it is stays open"


@record(frozen=True, slots=True)
class State:
    """One resource's JSON and where it stands; `partial` where it shows no more than what changes.

    With `anew` it will be created.
    """

    body: Table
    pointer: tuple[Step, ...]
    partial: bool = False
    anew: bool = False


def registered(text: JsonText, states: Sequence[State]) -> list[Registered]:
    """The resources of some states.  Raises MalformedError for what no engine writes."""
    named = labels([word(text, one, "urn") for one in states])
    read = [_properties(text, one, named[word(text, one, "urn")]) for one in states]
    children = child_names(given for given, _ in read)
    return [
        _registered(text, one, named[word(text, one, "urn")], *pair, children)
        for one, pair in zip(states, read, strict=True)
    ]


def _properties(text: JsonText, one: State, label: str) -> tuple[Properties, Properties]:
    deps = {name: urns(text, one, item) for name, item in table(text, one, "propertyDependencies").items()}
    return properties(
        table(text, one, "inputs"),
        table(text, one, "outputs"),
        label=label,
        values=Origin(text.path, pointer=(*one.pointer, "inputs")),
        depends=deps,
        otherwise=urns(text, one, one.body.get("dependencies")),
    )


def _registered(
    text: JsonText, one: State, label: str, given: Properties, shown: Properties, children: frozenset[str]
) -> Registered:
    urn = word(text, one, "urn")
    origin = Origin(text.path, pointer=one.pointer)
    external = one.body.get("external") is True
    member = "inputs" if given or not external else "outputs"
    known = one.body.get("id")
    return Registered(
        urn=urn,
        type=word(text, one, "type"),
        name=name_of(urn),
        label=label,
        origin=origin,
        values=origin.child(member),
        props=_partial(given, label, origin)
        if one.partial
        else _whole(given, shown, external, children, label),
        id=known if isinstance(known, str) else "",
        parent=str(one.body.get("parent") or ""),
        provider=str(one.body.get("provider") or "").rpartition("::")[0],
        external=external,
        depends=urns(text, one, one.body.get("dependencies")),
        anew=one.anew,
    )


def _whole(
    given: Properties, shown: Properties, external: bool, children: frozenset[str], label: str
) -> Properties:
    return {**shown, **given} if external else joined(given, shown, children, label)


def _partial(given: Properties, label: str, origin: Origin) -> Properties:
    """What is named stays what it is; all else that the type may have is unknown."""
    why = Unknown(f"`{label}` {_PARTIAL}", origin, settle="a preview without `--changes-only`")
    return {**dict.fromkeys(EVERYTHING, why), **given}


#: what a network's parts and clusters are judged by
EVERYTHING: Final = [
    "securityRules",
    "routes",
    "subnets",
    "virtualNetworkPeerings",
    "addressSpace",
    "addressPrefix",
    "addressPrefixes",
    "dhcpOptions",
    "networkSecurityGroup",
    "routeTable",
    "natGateway",
    "ipConfigurations",
    "firewallPolicy",
    "ruleCollections",
    "priority",
    "networkRuleCollections",
    "applicationRuleCollections",
    "natRuleCollections",
    "access",
    "direction",
    "protocol",
    "nextHopType",
    "nextHopIpAddress",
    "agentPoolProfiles",
    "networkProfile",
    "apiServerAccessProfile",
    "location",
    "vnetSubnetID",
    "podSubnetID",
    "ipAddresses",
    "sku",
    "disableBgpRoutePropagation",
    "remoteVirtualNetwork",
    "dnsSettings",
]


def word(text: JsonText, one: State, name: str) -> str:
    """A text that every resource has."""
    value = one.body.get(name)
    if not isinstance(value, str) or not value:
        _refuse(text, one, f"a resource without `{name}`")
    return value


def table(text: JsonText, one: State, name: str) -> Mapping[str, Value]:
    """An object of a resource, empty where it is not there."""
    value = one.body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        _refuse(text, one, f"`{name}` of a resource is no object")
    return value


def urns(text: JsonText, one: State, value: Value) -> tuple[str, ...]:
    """A list of URNs."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        _refuse(text, one, "dependencies of a resource are no list of URNs")
    return tuple(str(item) for item in value)


def _refuse(text: JsonText, one: State, what: str) -> NoReturn:
    raise MalformedError(f"{what}: this is not what Pulumi writes", text.path, text.line_of(one.pointer))
