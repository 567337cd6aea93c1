"""`aks-egress snapshot`: live state into a file."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.live.choices import add_scope, add_sign_in
from aks_egress_scan.options import CLOUDS, Choices, Help

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_DESCRIPTION = """\
Writes what decides over the egress of your clusters into one file: clusters, networks, security groups,
routes, firewalls and their rules, as they run now.  `scan` judges the file later, offline; with --context
it completes the picture of a plan.

It reads and changes nothing; Reader rights are enough (docs/permissions.md has a smaller role).  The file
holds no secrets: only the properties that decide over packets.
"""

_EXAMPLES = """\
examples:
  az login && aks-egress snapshot -o fleet.json
  aks-egress snapshot --subscription 1b2c... -o team.json && aks-egress scan team.json
  aks-egress snapshot --cluster aks-shop -o shop.json
  aks-egress scan plan.json --context fleet.json          a spoke's plan, with the hub that runs

exit status: 0 written, 2 wrong usage or nobody signed in, 3 written, but nothing in the scope can be seen,
             4 written, but some of it could not be read: the file says what, and judging it gives `unknown` there
"""


def register(subparsers: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "snapshot", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=Help
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default="-",
        help="where the snapshot goes; default: standard output",
    )
    add_scope(parser)
    parser.add_argument(
        "--cluster",
        action="append",
        metavar="NAME",
        help="only these clusters, and the networks that they need; repeatable",
    )
    parser.add_argument("--cloud", choices=CLOUDS, help="which of Azure's clouds to ask; default public")
    add_sign_in(parser)
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="for `cloud` and `clusters`; default aks-egress.toml, then [tool.aks-egress] in pyproject.toml",
    )
    parser.set_defaults(run=run)


def run(chosen: Namespace) -> int:
    """Collect and write; the exit status."""
    from aks_egress_scan.evaluate import configured, say
    from aks_egress_scan.live import choices as live
    from aks_egress_scan.live.session import connect

    choices = Choices(chosen)
    configured(choices)
    live.scope_of(choices)
    session = connect(choices.one("cloud"), choices.one("credential", "default"), choices.one("tenant"))
    file = chosen.output
    snapshot = live.picture(choices, session, beside="" if file == "-" else file)
    keep(live.data_of(snapshot), file)
    clusters = len(snapshot.of("microsoft.containerservice/managedclusters"))
    said = [_counted(clusters, "cluster"), _counted(len(snapshot.resources), "resource")]
    say(f"{', '.join(said)}, {len(snapshot.unread)} that could not be read")
    for one in snapshot.unread[:MOST]:
        say(f"{one.id}: {one.why}" + (f"; grant `{one.permission}`: {one.grant}" if one.grant else ""))
    if not snapshot.resources:
        return 3
    return 4 if snapshot.unread else 0


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


MOST = 10
"""How many refusals are said; the file has them all."""


def keep(data: bytes, file: str) -> None:
    """Write a snapshot's bytes."""
    import sys

    from aks_egress_scan.files import reason
    from aks_egress_scan.live.snapshot import write

    if file == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        write(file, data)
    except OSError as error:
        raise UsageFailure(f"cannot write `{file}`: {reason(error)}") from None
