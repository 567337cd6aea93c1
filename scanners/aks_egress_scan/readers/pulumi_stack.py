"""Pulumi stacks as `pulumi stack export` writes them, and the state files of self-managed backends.

An export is a picture of what was deployed when it was written; every value in it is known or secret.
"""

from __future__ import annotations

from typing import Final

from aks_egress.arm.resources import Document, Kind
from aks_egress.values import Step, Value
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.json_text import JsonText, load
from aks_egress_scan.readers.pulumi.building import built
from aks_egress_scan.readers.pulumi.states import State, registered

_HEAD: Final = 65536
_VERSIONS: Final = (3, 4)
_SECTIONS: Final = (("deployment",), ("checkpoint", "latest"))


class PulumiStack:
    """Reads exports and checkpoints."""

    def claims(self, source: Source) -> bool:
        """A `deployment` or a `checkpoint` of a Pulumi stack, whatever is in it."""
        head = source.data[:_HEAD]
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            head = head.replace(b"\0", b"")
        if b'"steps"' in head and b'"changeSummary"' in head:
            return False
        sections = b'"deployment"' in head or b'"checkpoint"' in head
        return sections and (b'"urn:pulumi:' in head or b'"manifest"' in head)

    def read(self, source: Source, parameters: Parameters) -> list[Document]:  # noqa: ARG002 - exports take none
        """The one document of an export."""
        text = load(source)
        section, pointer = _section(text)
        states = [
            State(_object(text, row, (*pointer, "resources", i)), (*pointer, "resources", i))
            for i, row in enumerate(_list(text, section.get("resources"), (*pointer, "resources")))
        ]
        stack = built(registered(text, [one for one in states if one.body.get("delete") is not True]))
        return [
            Document(
                text.path,
                Kind.PULUMI_STACK,
                tuple(stack.resources),
                tuple(stack.notices),
                unread=stack.unread,
                cloud=stack.cloud,
                deployed=True,
                made=_taken(section),
                remarks=_remarks(section),
                locate=lambda origin: origin.line or text.line_of(origin.pointer),
            )
        ]


READER: Final = PulumiStack()


def _section(text: JsonText) -> tuple[dict[str, Value], tuple[Step, ...]]:
    """What holds the resources, and where it stands."""
    whole = _object(text, text.value, ())
    version = whole.get("version")
    if version not in _VERSIONS:
        said = f"a stack of version {version} is not read, only versions 3 and 4; export it with a current Pulumi"
        raise MalformedError(said, text.path, text.line_of(("version",)))
    for path in _SECTIONS:
        value: Value = whole
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if value is not None:
            return _object(text, value, path), path
    if "checkpoint" in whole:
        return {}, ("checkpoint",)  # a stack that was never updated
    raise MalformedError("this is not a stack that Pulumi exported", text.path, 1)


def _remarks(section: dict[str, Value]) -> tuple[str, ...]:
    taken = _taken(section)
    pending = section.get("pending_operations") or section.get("pendingOperations")
    found = [f"it shows what Pulumi deployed until {taken}"] if taken else []
    if pending:
        found.append("operations were still pending when it was written, so it may not show what runs")
    return tuple(found)


def _taken(section: dict[str, Value]) -> str:
    """When the stack was last updated, as it says."""
    manifest = section.get("manifest")
    taken = manifest.get("time") if isinstance(manifest, dict) else None
    return taken if isinstance(taken, str) else ""


def _object(text: JsonText, value: Value, pointer: tuple[Step, ...]) -> dict[str, Value]:
    if not isinstance(value, dict):
        said = f"`{'.'.join(str(step) for step in pointer) or 'the document'}` is no object"
        raise MalformedError(said, text.path, text.line_of(pointer))
    return value


def _list(text: JsonText, value: Value, pointer: tuple[Step, ...]) -> list[Value]:
    if value is None:
        return []
    if not isinstance(value, list):
        said = f"`{'.'.join(str(step) for step in pointer)}` is no list"
        raise MalformedError(said, text.path, text.line_of(pointer))
    return value
