"""`aks-egress checkov-dir`: where the checks for checkov lie."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from aks_egress_scan.options import Help

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_DESCRIPTION = """\
Prints the folder of checks for checkov.  They judge everything that checkov was asked to scan once, as
`aks-egress scan` does with the configuration of the working directory and the environment, and report each
cluster, security group, route table or firewall at fault.
"""

_EXAMPLES = """\
examples:
  checkov -d infra --external-checks-dir "$(aks-egress checkov-dir)"
  checkov -f plan.json --external-checks-dir "$(aks-egress checkov-dir)" --check AKS_EGRESS_1

checkov needs Python 3.11 or newer; it uses the aks-egress of its own environment where that has one, else this one.
"""


def register(subparsers: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "checkov-dir", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=Help
    )
    parser.set_defaults(run=run)


def run(chosen: Namespace) -> int:  # noqa: ARG001 - it has no options
    """Print the folder."""
    from aks_egress_scan.output import write_text

    here = os.path.dirname(os.path.abspath(__file__))
    write_text(f"{os.path.join(os.path.dirname(here), 'checkov_checks')}\n", "-")
    return 0
