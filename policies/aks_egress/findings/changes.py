"""Changes to definitions: a rule, a collection or a route that is added or put in place of another.

A change is made to the documents in memory, so that what it does can be judged before anybody writes it down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from aks_egress.arm.resources import Document, Resource
from aks_egress.records import record, replace
from aks_egress.values import Value, get, text


class What(StrEnum):
    """What is changed, by the name of the list in the owner's ARM properties that it belongs to."""

    SECURITY_RULE = "securityRules"
    RULE_GROUP = "ruleCollectionGroups"
    NETWORK_RULES = "networkRuleCollections"
    APPLICATION_RULES = "applicationRuleCollections"
    ROUTE = "routes"


@record(frozen=True, slots=True, kw_only=True)
class Change:
    """One part of a resource, added or in place of the one of the same name.

    `owner` is the resource it belongs to (a security group, a firewall policy, a firewall, a route table),
    `properties` are the part's properties in ARM's words.  `replaces` is the spelling of what stood there.
    """

    what: What
    owner: Resource
    document: Document
    name: str
    properties: Mapping[str, Value]
    replaces: str = ""

    def as_arm(self) -> dict[str, Value]:
        """The part as it stands in the owner's list in an ARM template."""
        return {"name": self.name, "properties": dict(self.properties)}


def made(documents: Sequence[Document], changes: Sequence[Change]) -> list[Document]:
    """The documents as they will be with the changes; the given ones stay as they are."""
    found = list(documents)
    for change in changes:
        for at, document in enumerate(found):
            mine = document.path == change.document.path and document.kind == change.document.kind
            if mine and any(one.id == change.owner.id for one in document.resources):
                found[at] = _changed(document, change)
    return found


def _changed(document: Document, change: Change) -> Document:
    owner = next(one for one in document.resources if one.id == change.owner.id)
    identity = owner.id.child(change.what.value, change.name)
    others = tuple(one for one in document.resources if one.id != identity)
    if len(others) == len(document.resources) and _listed(owner, change):
        others = tuple(_with_row(one, change) if one is owner else one for one in others)
        return replace(document, resources=others)
    part = Resource(identity, owner.origin, {"name": change.name, "properties": dict(change.properties)})
    return replace(document, resources=(*others, part))


def _listed(owner: Resource, change: Change) -> bool:
    """Whether the part belongs into the owner's own list: a classic firewall's always does."""
    if change.what in (What.NETWORK_RULES, What.APPLICATION_RULES):
        return True
    rows = owner.prop(change.what.value)
    return isinstance(rows, list) and any(_is_named(row, change.name) for row in rows)


def _is_named(row: Value, name: str) -> bool:
    spelled = text(get(row, "name"))
    return isinstance(spelled, str) and spelled.casefold() == name.casefold()


def _with_row(owner: Resource, change: Change) -> Resource:
    rows = owner.prop(change.what.value)
    kept = [row for row in rows if not _is_named(row, change.name)] if isinstance(rows, list) else []
    body = owner.get()
    properties = owner.get("properties")
    whole: dict[str, Value] = dict(body) if isinstance(body, dict) else {}
    parts: dict[str, Value] = dict(properties) if isinstance(properties, dict) else {}
    for key in [key for key in parts if key.casefold() == change.what.value.casefold()]:
        del parts[key]
    parts[change.what.value] = [*kept, change.as_arm()]
    for key in [key for key in whole if key.casefold() == "properties"]:
        del whole[key]
    whole["properties"] = parts
    return replace(owner, body=whole, settle=None)
