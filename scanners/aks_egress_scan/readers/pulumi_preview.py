"""What `pulumi preview --json` prints: the steps of an update that is not made yet.

Resources that do not change are left out of it unless `--show-sames` asks for them.
"""

from __future__ import annotations

from typing import Final

from aks_egress.arm.resources import Document, Kind, Notice
from aks_egress.values import Origin, Unknown, Value
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.json_text import JsonText, load
from aks_egress_scan.readers.pulumi.building import built
from aks_egress_scan.readers.pulumi.states import State, registered

_HEAD: Final = 65536
_ENDING: Final = frozenset(
    {"delete", "discard", "delete-replaced", "read-discard", "discard-replaced", "remove"}
)
#: of those, the ones that delete something; to discard is to look at it no longer
_DELETING: Final = frozenset({"delete", "delete-replaced"})
_REPLACING: Final = frozenset({"replace", "create-replacement", "import-replacement"})
_MAKING: Final = frozenset({"create", *_REPLACING})
_SAMES: Final = "a preview made with `--show-sames`"


class PulumiPreview:
    """Reads the digest of a preview."""

    def claims(self, source: Source) -> bool:
        """Steps of Pulumi's, or a summary of changes."""
        head = source.data[:_HEAD]
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            head = head.replace(b"\0", b"")
        return b'"steps"' in head and (b'"urn:pulumi:' in head or b'"changeSummary"' in head)

    def read(self, source: Source, parameters: Parameters) -> list[Document]:  # noqa: ARG002 - previews take none
        """The one document of a preview."""
        text = load(source)
        steps = _steps(text)
        coming, going = _states(text, steps)
        stack = built(registered(text, coming), registered(text, going))
        missing = _left_out(text, steps)
        if missing is not None:
            stack.unread["*"] = missing
            stack.notices.append(Notice("unchanged-left-out", missing.why, missing.origin))
        return [
            Document(
                text.path,
                Kind.PULUMI_PREVIEW,
                tuple(stack.resources),
                (*stack.notices, *_failures(text)),
                unread=stack.unread,
                loose=tuple(stack.loose),
                deleted=stack.deleted,
                deleted_groups=stack.deleted_groups,
                cloud=stack.cloud,
                locate=lambda origin: origin.line or text.line_of(origin.pointer),
            )
        ]


READER: Final = PulumiPreview()

Step_ = dict[str, Value]


def _steps(text: JsonText) -> list[Step_]:
    whole = text.value
    rows = whole.get("steps") if isinstance(whole, dict) else None
    if not isinstance(whole, dict) or (rows is None and "changeSummary" not in whole):
        raise MalformedError("this is not what `pulumi preview --json` prints", text.path, 1)
    found: list[Step_] = []
    for i, row in enumerate(rows if isinstance(rows, list) else []):
        if not isinstance(row, dict) or not isinstance(row.get("op"), str):
            raise MalformedError("a step of the preview has no `op`", text.path, text.line_of(("steps", i)))
        found.append(row)
    return found


def _states(text: JsonText, steps: list[Step_]) -> tuple[list[State], list[State]]:
    """The resources that there will be, the last step of each counting, and those that will be deleted.

    What is replaced is among both: it may have borne another id.
    """
    coming: dict[str, State] = {}
    going: dict[str, State] = {}
    for i, step in enumerate(steps):
        op, old, new = step["op"], step.get("oldState"), step.get("newState")
        if op in _DELETING | _REPLACING and isinstance(old, dict) and not _stays(old):
            going[str(old.get("urn"))] = State(old, ("steps", i, "oldState"))
        if op in _ENDING:
            continue
        if isinstance(new, dict):
            partial = op != "create" and isinstance(old, dict) and _shortened(old)
            urn = str(new.get("urn"))
            anew = op in _MAKING or (urn in coming and coming[urn].anew)
            coming[urn] = State(new, ("steps", i, "newState"), partial, anew)
        elif op != "remove-pending-replace":
            raise MalformedError(f"the step `{op}` shows no new state", text.path, text.line_of(("steps", i)))
    return list(coming.values()), list(going.values())


def _stays(old: dict[str, Value]) -> bool:
    """Whether the resource itself stays when the stack lets go of it."""
    return old.get("external") is True or old.get("retainOnDelete") is True


def _shortened(old: dict[str, Value]) -> bool:
    """Whether a state that exists shows nothing of what it is: only changes were asked for."""
    return old.get("custom") is True and bool(old.get("id")) and not old.get("outputs")


def _left_out(text: JsonText, steps: list[Step_]) -> Unknown | None:
    """Why there may be more resources than the steps show."""
    summary = text.value.get("changeSummary") if isinstance(text.value, dict) else None
    if not isinstance(summary, dict):
        why = "the preview has no summary of changes, so it may have ended before it came to everything"
        return Unknown(why, Origin(text.path, pointer=("steps",)), settle="a preview that comes to its end")
    same = summary.get("same", 0)
    left = (same if isinstance(same, int) else 0) - sum(step["op"] == "same" for step in steps)
    if left <= 0:
        return None
    why = f"the preview leaves out {left} resource{'' if left == 1 else 's'} that will not change"
    return Unknown(why, Origin(text.path, pointer=("changeSummary",)), settle=_SAMES)


def _failures(text: JsonText) -> list[Notice]:
    """Errors that the preview ended with: it may not have come to everything."""
    rows = text.value.get("diagnostics") if isinstance(text.value, dict) else None
    found = []
    for i, row in enumerate(rows if isinstance(rows, list) else []):
        if isinstance(row, dict) and row.get("severity") == "error":
            origin = Origin(text.path, pointer=("diagnostics", i))
            found.append(
                Notice(
                    "preview-failed", "the preview ended with an error, so it may not show everything", origin
                )
            )
    return found[:1]
