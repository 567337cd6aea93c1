"""Terraform states: what `terraform show -json` prints without a plan, and `terraform.tfstate` itself.

A state is a picture of what was deployed when it was written; every value in it is known or sensitive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aks_egress.arm.resources import Document, Kind
from aks_egress.values import Origin, Step, Value
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.json_text import JsonText, load
from aks_egress_scan.readers.terraform.addresses import module_path
from aks_egress_scan.readers.terraform.building import build
from aks_egress_scan.readers.terraform.configuration import Table, rows, table
from aks_egress_scan.readers.terraform.instances import Instance
from aks_egress_scan.readers.terraform.planned import Planned
from aks_egress_scan.readers.terraform.sections import Shown, list_at, object_at, shown, spelled_address

_HEAD: Final = 16384
_SHOWN: Final = re.compile(rb'"values"\s*:\s*\{\s*("root_module"|"outputs"|\})')
_RAW: Final = re.compile(rb'"version"\s*:\s*[1-9]\d?\s*[,}]')
_VERSION: Final = 4


class TerraformState:
    """Reads states in both of their forms."""

    def claims(self, source: Source) -> bool:
        """A state as JSON, shown or raw."""
        head = source.data[:_HEAD]
        if source.data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            head = head.replace(b"\0", b"")
        if b'"planned_values"' in head or b'"resource_changes"' in head:
            return False
        if b'"format_version"' in head and (_SHOWN.search(head) or b'"terraform_version"' not in head):
            return _is_show(head)
        return (
            bool(_RAW.search(head))
            and b'"terraform_version"' in head
            and (b'"serial"' in head or b'"lineage"' in head)
        )

    def read(self, source: Source, parameters: Parameters) -> list[Document]:  # noqa: ARG002 - states take none
        """The one document of a state."""
        text = load(source)
        value = text.value
        if not isinstance(value, dict):
            raise MalformedError("this is not a Terraform state", text.path, 1)
        instances: list[Instance] = []
        instances.extend(
            _raw(text, value) if "version" in value and "format_version" not in value else _show(text, value)
        )
        built = build(instances)
        return [
            Document(
                text.path,
                Kind.SNAPSHOT,
                tuple(built.resources),
                tuple(built.notices),
                unread=built.unread,
                locate=lambda origin: origin.line or text.line_of(origin.pointer),
            )
        ]


READER: Final = TerraformState()


def _is_show(head: bytes) -> bool:
    """Whether nothing but a shown state looks like this: a `values` section, or no content at all."""
    return bool(_SHOWN.search(head)) or len(head.strip()) < 64


def _show(text: JsonText, value: Table) -> Iterator[Planned]:
    """The instances of a state as `terraform show -json` prints it."""
    if "planned_values" in value or "resource_changes" in value:
        raise MalformedError("this is a Terraform plan, not a state", text.path, 1)
    values = object_at(text, value.get("values"), ("values",))
    for one in shown(text, values.get("root_module"), ("values", "root_module")):
        raw = object_at(text, one.body.get("values"), (*one.pointer, "values"))
        yield _instance(text, one, raw, one.body.get("sensitive_values"), "values")


def _raw(text: JsonText, value: Table) -> Iterator[Planned]:
    """The instances of a `terraform.tfstate` of version 4."""
    if value.get("version") != _VERSION:
        message = f"a state of version {value.get('version')} is not read, only version {_VERSION}; run `terraform refresh` to renew it"
        raise MalformedError(message, text.path, text.line_of(("version",)))
    for i, row in enumerate(list_at(text, value.get("resources"), ("resources",))):
        body = object_at(text, row, ("resources", i))
        place = ("resources", i, "instances")
        for j, item in enumerate(list_at(text, body.get("instances"), place)):
            instance = object_at(text, item, (*place, j))
            if instance.get("deposed") is None:
                yield _raw_instance(text, body, instance, (*place, j))


def _raw_instance(text: JsonText, body: Table, instance: Table, pointer: tuple[Step, ...]) -> Planned:
    module = module_path(str(body.get("module") or ""))
    kind, name = str(body.get("type")), str(body.get("name"))
    index = instance.get("index_key")
    key = index if isinstance(index, str | int) else None
    data = body.get("mode") == "data"
    one = Shown(
        spelled_address(module, data, kind, name, key), module, data, kind, name, key, instance, pointer
    )
    raw = object_at(text, instance.get("attributes"), (*pointer, "attributes"))
    return _instance(text, one, raw, _hidden(instance.get("sensitive_attributes")), "attributes")


def _hidden(paths: Value) -> Value:
    """The sensitive attributes of a raw state as a mask: whole attributes, which is more than needed and never less."""
    mask: Table = {}
    for path in rows(paths):
        steps = rows(path)
        first = table(steps[0]) if steps else {}
        name = first.get("value")
        if isinstance(name, str):
            mask[name] = True
    return mask


def _instance(text: JsonText, one: Shown, raw: Table, sensitive: Value, member: str) -> Planned:
    origin = Origin(text.path, pointer=one.pointer)
    instance = Planned(
        address=one.address,
        type=one.type,
        origin=origin,
        values=origin.child(member),
        attribute=lambda name: None,  # noqa: ARG005 - replaced at once
        data=one.data,
        module=one.module,
        name=one.name,
        key=one.key,
        raw=raw,
        sensitive=sensitive,
    )
    instance.attribute = instance.value
    return instance
