"""`aks-egress audit`: live subscriptions, judged as they run."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.live.choices import add_scope, add_sign_in
from aks_egress_scan.options import Choices, Help, add_shared

NOBODY_SEES = "Azure does not tell a cluster that is not there from one that whoever is signed in may not read: `az account show` says who that is, `--subscription`, `--tenant` and `--cloud` look elsewhere, and `Reader` on the clusters' subscription is enough"

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from aks_egress.arm.resources import Document
    from aks_egress_scan.evaluate import Run
    from aks_egress_scan.live.session import Session
    from aks_egress_scan.sources import Loaded

_DESCRIPTION = """\
Judges the clusters that run in your subscriptions: the same walk as `scan`, over what Azure really has.
Hubs, firewalls and networks that the clusters need come along, wherever they are.

It reads and changes nothing; Reader rights are enough (docs/permissions.md has a smaller role).  What you
may not read is undecided, and the report says which permission is missing and how to grant it.
"""

_EXAMPLES = """\
examples:
  az login && aks-egress audit
  aks-egress audit --subscription 1b2c... --cluster aks-shop
  aks-egress audit --management-group platform --format text --format html -o fleet.html --snapshot-out fleet.json
  aks-egress audit --effective                      compare with the effective rules and routes that Azure names
  aks-egress audit --credential workload-identity --quiet --format sarif -o audit.sarif        in a pipeline

exit status: as of `scan`: 0 sound, 1 findings, 2 wrong usage or nobody signed in, 3 no cluster can be seen, 4 undecided
Options that hold for every run may stand in the environment: `--subscription` as AKS_EGRESS_SUBSCRIPTION.
"""


def register(subparsers: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("audit", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=Help)
    add_scope(parser)
    add_sign_in(parser)
    parser.add_argument(
        "--snapshot-out",
        metavar="FILE",
        help="keep what was judged in a snapshot, so that `scan FILE` gives the same report offline",
    )
    parser.add_argument(
        "--live-service-tags",
        action="store_true",
        help="ask Azure for its service tags first, and keep them in the cache: rules with tags are then judged by addresses",
    )
    add_shared(parser)
    parser.set_defaults(run=run)


def run(chosen: Namespace) -> int:
    """Collect, judge and report; the exit status."""
    from aks_egress_scan import evaluate
    from aks_egress_scan.exit_status import Exit
    from aks_egress_scan.live import choices as live
    from aks_egress_scan.live.session import connect

    choices = Choices(chosen)
    settled = evaluate.prepare(choices)
    live.scope_of(choices)
    session = connect(settled.settings.cloud, choices.one("credential", "default"), choices.one("tenant"))
    loaded = collected(settled, session, chosen.snapshot_out or "")
    if chosen.live_service_tags:
        settled = _with_tags(settled, session, loaded)
    status = evaluate.finish(settled, evaluate.judge(settled, loaded), loaded)
    if status == Exit.NOTHING_TO_JUDGE:
        evaluate.say(NOBODY_SEES)
    return status


def collected(settled: Run, session: Session, snapshot_out: str = "") -> Loaded:
    """What runs as a document, read from the very bytes that a snapshot has; the context beside it."""
    from aks_egress_scan.commands.snapshot import keep
    from aks_egress_scan.evaluate import beside
    from aks_egress_scan.live import choices as live

    if "live" in settled.choices.many("context"):
        raise UsageFailure("what runs is judged already: `--context live` is for `scan`")
    snapshot = live.picture(settled.choices, session, beside=snapshot_out)
    data = live.data_of(snapshot)
    if snapshot_out:
        keep(data, snapshot_out)
    return beside(settled, _document(data, snapshot_out or f"azure-{session.cloud.name}"))


def _with_tags(settled: Run, session: Session, loaded: Loaded) -> Run:
    """The run with the service tags that Azure tells at the place of the first cluster."""
    from aks_egress.records import replace
    from aks_egress.topology.clusters import CLUSTERS
    from aks_egress_scan.evaluate import say
    from aks_egress_scan.live.tags import renew

    clusters = (one for one in loaded.documents[0].resources if one.kind == CLUSTERS.casefold())
    first = next(((str(one.id), str(one.get("location") or "")) for one in clusters), None)
    tags = renew(session, *first, say) if first else None
    return replace(settled, tags=tags) if tags else settled


def live_context(settled: Run) -> Document:
    """Everything that runs and can be seen, as what completes the picture of definitions (`--context live`).

    `AKS_EGRESS_SUBSCRIPTION` and `AKS_EGRESS_CREDENTIAL` narrow it and say who asks.
    """
    from aks_egress.arm.resources import Role
    from aks_egress_scan.live import choices as live
    from aks_egress_scan.live.session import connect

    choices = settled.choices
    session = connect(settled.settings.cloud, choices.one("credential", "default"), choices.one("tenant"))
    snapshot = live.picture(choices, session, scope=live.scope_of(choices, clusters=False))
    document = _document(live.data_of(snapshot), "live")
    document.role = Role.CONTEXT
    return document


def _document(data: bytes, path: str) -> Document:
    from aks_egress.arm.resources import Kind
    from aks_egress_scan.readers.json_text import JsonText
    from aks_egress_scan.readers.snapshot import document_of

    return document_of(JsonText(path, data), Kind.LIVE)
