"""`aks-egress baseline`: the findings of today, so that only new ones count."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from aks_egress_scan.options import Choices, Help, add_cluster_choices, add_inputs

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_DESCRIPTION = """\
Writes the findings of today.  With `scan --baseline FILE` they are counted as suppressed and only new
ones make the run fail.  They are known by rule, cluster, resource and the rules that decide, so a
reformatted file or a moved line changes nothing.
"""

_EXAMPLES = """\
examples:
  aks-egress baseline infra/ -o aks-egress.baseline.json
  aks-egress scan infra/ --baseline aks-egress.baseline.json
"""


def register(subparsers: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "baseline", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=Help
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders; - is standard input")
    add_inputs(parser)
    add_cluster_choices(parser)
    parser.add_argument(
        "-o", "--output", metavar="FILE", default="-", dest="file", help="default: standard output"
    )
    parser.set_defaults(run=run)


def run(chosen: Namespace) -> int:
    """Write the baseline; 2 where an input is broken, since a baseline of half the input hides the rest."""
    from aks_egress_scan import evaluate
    from aks_egress_scan.baseline_file import text_of
    from aks_egress_scan.exit_status import status_of
    from aks_egress_scan.output import write_text

    settled = evaluate.prepare(Choices(chosen), baseline=False)
    loaded = evaluate.load_inputs(settled, chosen.paths)
    report = evaluate.judge(settled, loaded)
    status = status_of(report, fail_on="never", unknown="pass", broken_input=evaluate.broken(loaded))
    if status:
        evaluate.say("no baseline was written")
        return int(status)
    write_text(text_of(report), chosen.file)
    evaluate.say(f"{len(report.findings)} findings are in the baseline")
    return 0
