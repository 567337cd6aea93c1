"""`aks-egress diff`: which flows a change opens and closes."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aks_egress.records import replace
from aks_egress_scan.options import Choices, Help, add_cluster_choices, add_inputs, add_verdict_choices

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from aks_egress.findings.report import Finding, Flow
    from aks_egress_scan.changes import Change

_DESCRIPTION = """\
Judges the definitions before and after a change, and shows the flows whose verdict differs.  Only
findings that the change brings count for the exit status.
"""

_EXAMPLES = """\
examples:
  aks-egress diff main/ branch/
  aks-egress diff plan-before.json plan-after.json --context hub.json --format markdown
  git worktree add ../before main && aks-egress diff ../before/infra infra

exit status: 0 nothing is closed, 1 findings that were not there before, 2 wrong usage or broken input,
             3 nothing to judge, 4 a required flow was decided and no longer is
"""


def register(subparsers: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("diff", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=Help)
    parser.add_argument("before", metavar="BEFORE", help="a file or a folder")
    parser.add_argument("after", metavar="AFTER", help="a file or a folder")
    add_inputs(parser)
    add_cluster_choices(parser)
    add_verdict_choices(parser)
    parser.add_argument(
        "--format",
        choices=("text", "json", "markdown"),
        dest="style",
        default="text",
        help="text for people (default), json for programs, markdown for a pull request",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", dest="file", default="-", help="default: standard output"
    )
    parser.set_defaults(run=run)


def run(chosen: Namespace) -> int:
    """Judge both sides and show what differs."""
    from aks_egress_scan import evaluate
    from aks_egress_scan.changes import changes, new_findings
    from aks_egress_scan.exit_status import Exit, status_of
    from aks_egress_scan.output import write_text

    settled = evaluate.prepare(Choices(chosen))
    sides = []
    for path in (chosen.before, chosen.after):
        loaded = evaluate.load_inputs(settled, [path])
        sides.append((loaded, evaluate.judge(settled, loaded)))
    (old_input, before), (new_input, after) = sides
    broken = evaluate.broken(old_input) or evaluate.broken(new_input)
    found, brought = changes(before, after), new_findings(before, after)
    write_text(_WRITERS[chosen.style](found, brought), chosen.file)
    status = status_of(
        replace(after, findings=brought), fail_on=settled.fail_on, unknown="pass", broken_input=broken
    )
    if status is Exit.SOUND and settled.unknown == "fail" and any(_unsettled(one) for one in found):
        return int(Exit.UNDECIDED)
    return int(status)


def _unsettled(change: Change) -> bool:
    flow = change.after
    return flow is not None and flow.verdict == "unknown" and flow.necessity == "required"


def _line(change: Change) -> str:
    from aks_egress_scan.reporters import wording

    before = str(change.before.verdict) if change.before else "not there"
    after = str(change.after.verdict) if change.after else "not there"
    flow = change.flow
    return f"{change.effect}: {wording.destination(flow)} from {flow.source.subnet}: {before} -> {after}{_why(flow)}"


def _why(flow: Flow) -> str:
    return f": {flow.reason}" if flow.reason and flow.verdict != "open" else ""


def _text(found: Sequence[Change], brought: Sequence[Finding]) -> str:
    from aks_egress_scan.reporters import wording
    from aks_egress_scan.reporters.escaping import visible

    lines = [visible(f"{change.cluster}  {_line(change)}") for change in found]
    lines += [
        visible(f"new finding {one.rule} {one.name} at {one.location}: {one.message}") for one in brought
    ]
    lines.append(
        f"{wording.counted(len(found), 'flow')} changed, {wording.counted(len(brought), 'new finding')}"
    )
    return "\n".join(lines) + "\n"


def _markdown(found: Sequence[Change], brought: Sequence[Finding]) -> str:
    from aks_egress_scan.reporters import wording
    from aks_egress_scan.reporters.escaping import markdown, markdown_code

    lines = [
        f"### aks-egress: {wording.counted(len(found), 'flow')} changed, {wording.counted(len(brought), 'new finding')}",
        "",
    ]
    lines += [f"- {markdown_code(change.cluster)} {markdown(_line(change))}" for change in found]
    lines += [
        f"- **{one.rule}** at {markdown_code(str(one.location))}: {markdown(one.message)}" for one in brought
    ]
    return "\n".join(lines).rstrip() + "\n"


def _json(found: Sequence[Change], brought: Sequence[Finding]) -> str:
    from aks_egress.findings.document import finding_json, flow_json
    from aks_egress_scan.changes import SCHEMA
    from aks_egress_scan.reporters.escaping import json_text

    rows = [
        {
            "cluster": one.cluster,
            "effect": one.effect,
            "before": flow_json(one.before) if one.before else None,
            "after": flow_json(one.after) if one.after else None,
        }
        for one in found
    ]
    data = {"schema": SCHEMA, "changes": rows, "newFindings": [finding_json(one) for one in brought]}
    return json_text(data)


_WRITERS = {"text": _text, "json": _json, "markdown": _markdown}
