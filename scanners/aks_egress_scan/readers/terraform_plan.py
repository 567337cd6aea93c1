"""Terraform plans: what `terraform show -json PLANFILE` prints.

Judged is what will be: planned values, joined through the references of the configuration where a value
comes only with the apply; what the plan does not touch is taken from its prior state.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NoReturn

from aks_egress.arm.ids import OPEN_SUBSCRIPTION, ResourceId, parse_id
from aks_egress.arm.resources import Document, Kind, Notice
from aks_egress.records import record
from aks_egress.values import Origin, Step, Unknown, Value
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.json_text import JsonText, load, without_collection
from aks_egress_scan.readers.mapping.azurerm import FOLDS, TYPES
from aks_egress_scan.readers.terraform.addresses import module_path
from aks_egress_scan.readers.terraform.beside import SourceBeside
from aks_egress_scan.readers.terraform.building import build
from aks_egress_scan.readers.terraform.configuration import Configuration, Declared, Table, rows, table
from aks_egress_scan.readers.terraform.identity import AZAPI, Identities
from aks_egress_scan.readers.terraform.planned import Planned
from aks_egress_scan.readers.terraform.providers import Providers
from aks_egress_scan.readers.terraform.references import Resolver
from aks_egress_scan.readers.terraform.sections import Shown, list_at, object_at, shown, spelled_address
from aks_egress_scan.readers.terraform.templates import TEMPLATES

HOW: Final = "make one with `terraform show -json PLANFILE`"

_HEAD: Final = 16384
_TELLING: Final = (b'"planned_values"', b'"resource_changes"', b'"provider_config"', b'"applyable"')
_LOG: Final = re.compile(rb'\A\s*\{"@level":')
_STATE: Final = re.compile(rb'"values"\s*:\s*\{\s*("root_module"|"outputs")')


class TerraformPlan:
    """Reads plans as JSON; refuses binary plans and plan logs by name."""

    def claims(self, source: Source) -> bool:
        """A plan, or what people take for one: the log of `terraform plan -json`, a binary plan file."""
        head = (
            source.data[:_HEAD].replace(b"\0", b"")
            if source.data[:2] in (b"\xff\xfe", b"\xfe\xff")
            else source.data[:_HEAD]
        )
        if _LOG.match(head) or _is_binary(source.data):
            return True
        if not head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"{"):
            return False
        if any(word in head for word in _TELLING):
            return True
        versions = b'"format_version"' in head and b'"terraform_version"' in head
        return versions and not _STATE.search(head)

    def read(self, source: Source, parameters: Parameters) -> list[Document]:  # noqa: ARG002 - plans take none
        """The one document of a plan."""
        if _is_binary(source.data):
            raise MalformedError(f"this is a binary plan file; {HOW}", source.path)
        if _LOG.match(source.data[:_HEAD]):
            raise MalformedError(
                f"this is the log of `terraform plan -json`, not a plan; {HOW}", source.path, 1
            )
        with without_collection():
            text = load(source)
            document = _Plan(text).document()
            document.written = SourceBeside(text, source, document).place
            return [document]


READER: Final = TerraformPlan()


def _is_binary(data: bytes) -> bool:
    return data.startswith(b"PK\x03\x04") and b"tfplan" in data[:200]


@record(slots=True)
class _Change:
    """One entry of `resource_changes`."""

    body: Table
    pointer: tuple[Step, ...]

    @property
    def change(self) -> Table:
        return table(self.body.get("change"))

    @property
    def actions(self) -> list[Value]:
        return rows(self.change.get("actions"))


class _Plan:
    """One plan in the reading."""

    def __init__(self, text: JsonText) -> None:
        self.text = text
        self.value = _checked(text)
        self.configuration = Configuration(self.value.get("configuration"))
        self.providers = Providers(self.configuration, table(self.value.get("variables")))
        self.every_change = list(self._changes())
        self.changes = {
            address: change for address, change in self.every_change if change.body.get("deposed") is None
        }
        self.notices: list[Notice] = []
        self.unread: dict[str, Unknown] = {}

    def document(self) -> Document:
        """The plan as one document."""
        everything = self._instances()
        resolver = Resolver(self.configuration, everything)
        instances = [one for one in everything if _concerns(one.type) or one.type in _HELPERS]
        for one in instances:
            one.follow = resolver.references
        gone = list(self._gone())
        self._subscriptions(instances)
        removed = _ids(instances, gone)
        built = build(instances, removed, gone)
        self._incomplete()
        text = self.text
        return Document(
            text.path,
            Kind.TERRAFORM_PLAN,
            tuple(built.resources),
            (*self.notices, *built.notices),
            unread={**built.unread, **self.unread},
            loose=tuple(built.loose),
            deleted=removed,
            deleted_groups=self._groups(everything),
            cloud=self.providers.cloud,
            made=str(self.value.get("timestamp") or ""),
            locate=lambda origin: origin.line or text.line_of(origin.pointer),
        )

    def _changes(self) -> Iterator[tuple[str, _Change]]:
        listed = list_at(self.text, self.value.get("resource_changes"), ("resource_changes",))
        for i, row in enumerate(listed):
            pointer = ("resource_changes", i)
            body = object_at(self.text, row, pointer)
            address = body.get("address")
            if isinstance(address, str):
                yield address, _Change(body, pointer)

    def _instances(self) -> list[Planned]:
        """Everything there will be: planned, forgotten but left standing, untouched, and left out of the plan."""
        found: dict[str, Planned] = {}
        planned = table(self.value.get("planned_values")).get("root_module")
        for one in shown(self.text, planned, ("planned_values", "root_module")):
            found[one.address] = self._planned(one)
        prior = table(table(self.value.get("prior_state")).get("values")).get("root_module")
        for one in shown(self.text, prior, ("prior_state", "values", "root_module")):
            if one.address not in found and (one.data or one.address not in self.changes):
                found[one.address] = self._prior(one)
        for address, change in self.changes.items():
            if address not in found and change.actions == ["forget"]:
                found[address] = self._before(change)
        for deferred in self._deferred():
            found.setdefault(deferred.address, deferred)
        if self.value.get("complete") is not True:
            for left_out in list(self._left_out(found)):
                found[left_out.address] = left_out
        return list(found.values())

    def _planned(self, one: Shown) -> Planned:
        change = self.changes.get(one.address)
        about = change.change if change is not None else {}
        instance = self._instance(one, about.get("after_unknown"), about.get("after_sensitive"))
        instance.masked = change is not None
        instance.creating = change is None or "create" in change.actions
        instance.anew = change is not None and instance.creating
        return instance

    def _prior(self, one: Shown) -> Planned:
        return self._instance(one, None, None)

    def _instance(self, one: Shown, unknown: Value, sensitive: Value) -> Planned:
        origin = Origin(self.text.path, pointer=one.pointer)
        raw = object_at(self.text, one.body.get("values"), (*one.pointer, "values"))
        mode = "data" if one.data else "managed"
        names = tuple(step for step, _ in one.module)
        declared = self.configuration.resource(names, mode, one.type, one.name)
        hidden = one.body.get("sensitive_values")
        return planned_instance(one, origin, raw, unknown, hidden or sensitive, declared)

    def _before(self, change: _Change) -> Planned:
        """What a changed resource is before the change."""
        body = change.body
        index = body.get("index")
        one = Shown(
            address=str(body.get("address")),
            module=module_path(str(body.get("address"))),
            data=body.get("mode") == "data",
            type=str(body.get("type")),
            name=str(body.get("name")),
            key=index if isinstance(index, str | int) else None,
            body={
                "values": table(change.change.get("before")),
                "sensitive_values": change.change.get("before_sensitive"),
            },
            pointer=change.pointer,
        )
        instance = self._instance(one, None, None)
        instance.values = instance.origin.child("change", "before")
        return instance

    def _gone(self) -> Iterator[Planned]:
        """What the plan deletes, replaced and left-over objects among it: they may have borne another id."""
        for _, change in self.every_change:
            kind = str(change.body.get("type"))
            deleted = "delete" in change.actions and change.body.get("mode") != "data"
            if deleted and _concerns(kind) and kind not in _LEFT_BEHIND:
                yield self._before(change)

    def _groups(self, everything: list[Planned]) -> frozenset[str]:
        """The ids of resource groups that the plan deletes, with all that lies in them."""
        named = {
            str(one.raw.get("id")).casefold() for one in everything if one.type == _GROUP and not one.anew
        }
        found = {
            str(table(change.change.get("before")).get("id"))
            for _, change in self.every_change
            if "delete" in change.actions and change.body.get("type") == _GROUP
        }
        return frozenset(one for one in found if one.casefold() not in named and one.startswith("/"))

    def _deferred(self) -> Iterator[Planned]:
        """Changes that Terraform puts off: they will be, and how is not known yet."""
        for i, row in enumerate(
            list_at(self.text, self.value.get("deferred_changes"), ("deferred_changes",))
        ):
            body = table(table(row).get("resource_change"))
            change = _Change(body, ("deferred_changes", i, "resource_change"))
            instance = self._before(change)
            if not _concerns(instance.type):
                continue
            instance.raw = table(change.change.get("after"))
            instance.unknown = change.change.get("after_unknown")
            why = f"the plan puts `{instance.address}` off to a later one"
            instance.uncertain = Unknown(why, instance.origin, settle="the plan that follows this one")
            yield instance

    def _left_out(self, found: dict[str, Planned]) -> Iterator[Planned]:
        """Resources that are written and neither planned nor there: the plan was limited to some targets."""
        present = {
            (tuple(step for step, _ in one.module), one.data, one.type, one.name) for one in found.values()
        }
        for one in self.configuration.declared():
            there = (one.module, False, one.type, one.name) in present or self._was_named(one)
            alone = one.single or self.value.get("complete") is False
            if alone and one.mode == "managed" and _concerns(one.type) and not there:
                yield self._absent(one)

    def _was_named(self, one: Declared) -> bool:
        module = tuple((name, None) for name in one.module)
        return spelled_address(module, False, one.type, one.name, None) in self.changes

    def _absent(self, one: Declared) -> Planned:
        module = tuple((name, None) for name in one.module)
        address = spelled_address(module, False, one.type, one.name, None)
        origin = Origin(self.text.path, pointer=("configuration",))
        place = Shown(address, module, False, one.type, one.name, None, {}, ("configuration",))
        instance = planned_instance(place, origin, {}, None, None, one.body)
        instance.masked = False
        why = f"`{address}` is written and not part of this plan, which may be limited to some targets"
        instance.uncertain = Unknown(why, origin, settle="a plan without -target")
        self.notices.append(Notice("partial-plan", why, origin))
        return instance

    def _subscriptions(self, instances: list[Planned]) -> None:
        """The subscription of each provider configuration: as written, else as its known ids have it."""
        seen: dict[str, set[str]] = {}
        for one in instances:
            known = parse_id(one.raw.get("id"))
            part = (
                known.scope.split("/")[1:2]
                if known is not None and known.scope.startswith("subscriptions/")
                else []
            )
            if part and one.type.startswith("azurerm_"):
                seen.setdefault(self.providers.key(one), set()).add(part[0])
        for one in instances:
            key = self.providers.key(one)
            ids = seen.get(key, set())
            one.subscription = self.providers.subscription(key) or (
                next(iter(ids)) if len(ids) == 1 else OPEN_SUBSCRIPTION
            )

    def _incomplete(self) -> None:
        if self.value.get("complete") is False:
            why = "the plan says that it is not complete: more remains to be planned after it"
            self.unread["*"] = Unknown(
                why, Origin(self.text.path, pointer=("complete",)), settle="the plan that follows it"
            )


#: not resources of the walk, yet references and ids lead through them
_HELPERS: Final = frozenset(
    {
        "azurerm_resource_group",
        "azurerm_linux_virtual_machine",
        "azurerm_windows_virtual_machine",
        "azurerm_virtual_machine",
        "azurerm_network_manager_deployment",
    }
)


_GROUP: Final = "azurerm_resource_group"

#: deleting them changes nothing in Azure: they only changed something that stays
_LEFT_BEHIND: Final = frozenset({"azapi_update_resource", "azapi_data_plane_resource"})


def _concerns(kind: str) -> bool:
    return kind in TYPES or kind in FOLDS or kind in AZAPI or kind in TEMPLATES


def planned_instance(
    one: Shown, origin: Origin, raw: Table, unknown: Value, sensitive: Value, declared: Table | None
) -> Planned:
    """An instance made of what is shown and how it is masked."""
    instance = Planned(
        address=one.address,
        type=one.type,
        origin=origin,
        values=origin.child("values"),
        attribute=_unbound,
        data=one.data,
        module=one.module,
        name=one.name,
        key=one.key,
        raw=raw,
        unknown=unknown,
        sensitive=sensitive,
        declared=declared,
    )
    instance.attribute = instance.value
    return instance


def _unbound(name: str) -> NoReturn:
    raise LookupError(name)


def _ids(instances: list[Planned], gone: list[Planned]) -> frozenset[ResourceId]:
    """The ids of what will be gone, without those that something will bear again."""
    identities = Identities([*gone, *instances])
    found = {known for one in gone if (known := identities.of(one)) is not None and not known.open_names}
    coming: dict[tuple[str, str], list[ResourceId]] = {}
    for one in instances if found else ():
        known = None if one.data else identities.of(one)
        if known is not None:
            coming.setdefault((known.kind, known.name.casefold()), []).append(known)
    return frozenset(
        one
        for one in found
        if not any(other.could_be(one) for other in coming.get((one.kind, one.name.casefold()), ()))
    )


def _checked(text: JsonText) -> Table:
    """The plan as an object; what is no plan, or a broken one, is refused."""
    value = text.value
    if not isinstance(value, dict):
        raise MalformedError(f"this is not a Terraform plan; {HOW}", text.path, 1)
    if value.get("errored") is True:
        message = "Terraform stopped with an error while it made this plan, so it is not whole"
        raise MalformedError(message, text.path, text.line_of(("errored",)))
    if "planned_values" not in value:
        if "values" in value:
            raise MalformedError(
                f"this is a Terraform state, not a plan; {HOW}", text.path, text.line_of(("values",))
            )
        raise MalformedError(f"the plan has no `planned_values`; {HOW}", text.path, 1)
    object_at(text, value["planned_values"], ("planned_values",))
    if value["planned_values"] is None:
        raise MalformedError(
            f"the plan has no `planned_values`; {HOW}", text.path, text.line_of(("planned_values",))
        )
    return value
