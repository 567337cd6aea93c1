"""`aks-egress fix`: what to change so that blocked flows get through."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from aks_egress_scan.options import Choices, Help, add_cluster_choices, add_inputs

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from aks_egress.findings.changes import Change
    from aks_egress.findings.fixes import Repair
    from aks_egress.findings.report import Report

_DESCRIPTION = """\
Proposes the smallest changes that open what is blocked: a security rule with a free priority before the one
that denies, a firewall rule in a collection that is asked first, another next hop of a route.

Every proposal is proved: it is made to the definitions in memory, these are judged again, and it is shown only
where the flows that it is for come out open and no other flow comes out worse.  Nothing is written.
"""

_EXAMPLES = """\
examples:
  aks-egress fix plan.json --context hub-plan.json
  aks-egress fix main.json --param main.parameters.json --snippet both
  aks-egress fix infra/ --cluster aks-shop

exit status: 0 nothing required stays blocked once it is done, 1 something does, 2 wrong usage or broken input, 3 nothing to judge, 4 something required stays undecided
"""


def register(subparsers: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("fix", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=Help)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders; - is standard input")
    parser.add_argument(
        "--snippet",
        choices=("auto", "arm", "terraform", "both", "none"),
        default="auto",
        help="the form that changes are shown in; auto (the default): the one they will be written in",
    )
    add_inputs(parser)
    add_cluster_choices(parser)
    parser.set_defaults(run=run)


def run(chosen: Namespace) -> int:
    """Propose; the exit status."""
    from aks_egress.mending import mend
    from aks_egress.requirements.facts import UnknownFeatureError
    from aks_egress.settings import DeclarationError
    from aks_egress_scan import evaluate
    from aks_egress_scan.exit_status import Exit, status_of
    from aks_egress_scan.failures import UsageFailure
    from aks_egress_scan.output import write_text

    settled = evaluate.prepare(Choices(chosen), baseline=False)
    loaded = evaluate.load_inputs(settled, chosen.paths)
    try:
        found, after = mend(loaded.documents, settled.settings, settled.tags)
    except (UnknownFeatureError, DeclarationError) as error:
        raise UsageFailure(str(error)) from None
    if after.clusters:
        write_text("".join(f"{line}\n" for line in _lines(found, after, chosen.snippet)), "-")
    elif loaded.documents:
        evaluate.say(evaluate.nothing(settled, loaded))
    if evaluate.broken(loaded):
        return int(Exit.BROKEN_INPUT)
    if any(not one.changes for one in found):
        return int(Exit.FINDINGS)
    return int(status_of(after, fail_on="never", unknown="fail"))


def _lines(found: Sequence[Repair], after: Report, snippet: str) -> Iterator[str]:
    from aks_egress_scan.reporters.escaping import visible

    if not found:
        yield "nothing that is required is blocked"
    for number, repair in enumerate(found, 1):
        yield f"{number}. cluster {visible(repair.cluster)}: {visible(repair.opens)}"
        yield f"   stopped by {visible(repair.stopped_by)}"
        if not repair.changes:
            yield f"   no change could be proved; {visible(repair.advice)}"
        for change in repair.changes:
            yield f"   {_said(change)}" if snippet == "none" else f"   {_said(change)}:"
            yield from _shown(change, snippet)
        yield ""
    if any(one.changes for one in found):
        verdicts = ", ".join(f"{visible(one.name)} {one.verdict}" for one in after.clusters)
        yield f"judged again with all of these changes: {verdicts}; no other flow is worse"


def _said(change: Change) -> str:
    from aks_egress.findings.changes import What
    from aks_egress_scan.reporters.escaping import visible

    owner, name = f"`{visible(change.owner.label)}`", f"`{visible(change.name)}`"
    place = f" ({visible(change.document.path)})"
    match change.what:
        case What.SECURITY_RULE:
            return f"add security rule {name} with priority {change.properties['priority']} to {owner}{place}"
        case What.ROUTE:
            return f"lead route {name} of {owner} elsewhere than to {visible(change.replaces)}{place}"
        case What.RULE_GROUP:
            return f"add rule collection group {name} with priority {change.properties['priority']} to {owner}{place}"
    return f"add rule collection {name} with priority {change.properties['priority']} to {owner}{place}"


def _shown(change: Change, snippet: str) -> Iterator[str]:
    from aks_egress_scan.snippets import as_arm, as_terraform, is_terraform

    forms = {"arm": (as_arm,), "terraform": (as_terraform,), "both": (as_arm, as_terraform), "none": ()}
    forms["auto"] = (as_terraform,) if is_terraform(change) else (as_arm,)
    for form in forms[snippet]:
        yield ""
        yield from (f"     {line}".rstrip() for line in form(change).splitlines())
        yield ""
