"""`aks-egress scan`: definitions on disk."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.options import Choices, Help, add_shared

if TYPE_CHECKING:
    from argparse import _SubParsersAction
    from collections.abc import Sequence

    from aks_egress_scan.evaluate import Run

_DESCRIPTION = """\
Judges every cluster in the definitions you name: does each flow that AKS needs get through every
network security group, route and firewall on its way?

ARM templates, Bicep, Terraform plans and sources, Pulumi stacks and snapshots are told apart by what
they hold.  A folder is searched.  References from one document into another are followed among
everything you name here and with --context.
"""

_EXAMPLES = """\
examples:
  aks-egress scan main.json --param main.parameters.json
  aks-egress scan plan.json --context hub-plan.json       the spoke, through the hub's firewall
  aks-egress scan plan.json --context fleet.json          a plan over what runs (or --context live)
  aks-egress scan fleet.json hub-plan.json                what a plan does to the clusters that run
  aks-egress scan infra/ --fail-on warning --unknown warn
  aks-egress scan plan.json --format text --format sarif -o aks-egress.sarif
  git diff --name-only main | xargs aks-egress scan --changed       what a change is part of
  az deployment group export ... | aks-egress scan -
  aks-egress scan main.json --tunnel aks-link --feature gpu --service-tags ServiceTags_Public.json
"""


def register(subparsers: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("scan", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=Help)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders; - is standard input")
    parser.add_argument(
        "--changed",
        action="store_true",
        default=None,
        help="the PATHs are files that changed: judge what they are part of (a root module, a template), with the rest of the working directory as context",
    )
    add_shared(parser)
    parser.set_defaults(run=run)


def run(chosen: Namespace) -> int:
    """Judge what was named; the exit status."""
    from aks_egress_scan import evaluate

    settled = evaluate.prepare(Choices(chosen))
    if settled.choices.flag("changed"):
        return _changed(settled, chosen.paths)
    loaded = evaluate.load_inputs(settled, chosen.paths)
    return evaluate.finish(settled, evaluate.judge(settled, loaded), loaded)


def _changed(settled: Run, paths: Sequence[str]) -> int:
    """Judge what changed files are part of; a change that concerns no cluster is sound."""
    from aks_egress_scan import evaluate
    from aks_egress_scan.exit_status import Exit

    if not paths:
        raise UsageFailure("`--changed` needs the files that changed")
    tree = settled.choices.many("inputs") or (".",)
    loaded = evaluate.load_inputs(settled, tree, changed=paths)
    if not loaded.touched and not evaluate.broken(loaded):
        evaluate.say("nothing was judged: what changed is part of no definition")
        return int(Exit.SOUND)
    status = evaluate.finish(settled, evaluate.judge(settled, loaded), loaded)
    return int(Exit.SOUND) if status == Exit.NOTHING_TO_JUDGE else status
