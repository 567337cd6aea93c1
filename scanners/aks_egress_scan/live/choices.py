"""The options that commands on live state share, and the run that they make."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any

from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.options import Choices
from aks_egress_scan.service_tags import cache_folder

if TYPE_CHECKING:
    from aks_egress_scan.live.collect import Scope
    from aks_egress_scan.live.session import Session
    from aks_egress_scan.live.snapshot import Snapshot

#: `--credential`; `session.CREDENTIALS` says what each is
CREDENTIALS = (
    "default",
    "cli",
    "developer-cli",
    "powershell",
    "environment",
    "managed-identity",
    "workload-identity",
    "device-code",
    "browser",
)


MOST_WORKERS = 64
"""More questions side by side than that Azure refuses anyway."""


def add_scope(parser: ArgumentParser) -> None:
    """Which clusters; everything that can be seen where none is given."""
    group = parser.add_argument_group("scope", "default: every cluster that you may read")
    group.add_argument(
        "--subscription",
        action="append",
        metavar="ID",
        help="clusters of this subscription, by its id; repeatable",
    )
    group.add_argument(
        "--management-group",
        action="append",
        metavar="NAME",
        help="clusters of every subscription below it; repeatable",
    )
    group.add_argument(
        "--resource-group",
        action="append",
        metavar="NAME",
        help="clusters in resource groups of this name; repeatable",
    )


def add_sign_in(parser: ArgumentParser) -> None:
    """Who asks, and how hard."""
    group = parser.add_argument_group("signing in and collecting")
    group.add_argument(
        "--credential",
        choices=CREDENTIALS,
        metavar="HOW",
        help=f"who asks: {', '.join(CREDENTIALS)}; default takes the first that works, such as `az login`",
    )
    group.add_argument("--tenant", metavar="ID", help="sign in to this tenant, where you are in several")
    group.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="how many questions are asked side by side; default 8, at most 64",
    )
    group.add_argument(
        "--effective",
        action="store_true",
        default=None,
        help="also ask Azure for the effective rules and routes of nodes' network interfaces, and compare",
    )
    group.add_argument(
        "--fresh",
        action="store_true",
        default=None,
        help="collect anew instead of going on where an interrupted run stopped",
    )
    group.add_argument(
        "--quiet", action="store_true", default=None, help="tell no progress on standard error"
    )


def scope_of(choices: Choices, *, clusters: bool = True) -> Scope:
    """The clusters that are meant; with `clusters` off, those named for judging narrow nothing."""
    from aks_egress_scan.live.collect import Scope

    scope = Scope(
        subscriptions=choices.many("subscription"),
        management_groups=choices.many("management-group"),
        resource_groups=choices.many("resource-group"),
        clusters=choices.many("cluster") if clusters else (),
    )
    if scope.subscriptions and scope.management_groups:
        raise UsageFailure("`--subscription` and `--management-group` cannot both say what is meant")
    return scope


def picture(choices: Choices, session: Session, *, beside: str = "", scope: Scope | None = None) -> Snapshot:
    """Collect what is meant; an interrupted run keeps what it has beside the file it was to write."""
    from azure.core.exceptions import ClientAuthenticationError

    from aks_egress import __version__
    from aks_egress_scan.live.collect import WORKERS, collect
    from aks_egress_scan.live.journal import Journal
    from aks_egress_scan.live.progress import Progress
    from aks_egress_scan.live.refusals import said

    scope, workers = scope or scope_of(choices), _workers(choices.number("workers", WORKERS))
    progress = Progress(quiet=choices.flag("quiet"))
    key = json.dumps([__version__, session.cloud.name, session.endpoint, session.who, scope.as_json()])
    journal = _journal(Journal, key, beside, fresh=choices.flag("fresh"))
    if len(journal):
        progress.end(f"going on with an interrupted collection ({len(journal)} pieces are there)")
    try:
        snapshot = collect(
            session,
            scope,
            journal=journal,
            progress=progress,
            workers=workers,
            effective=choices.flag("effective"),
        )
    except KeyboardInterrupt:
        without = ", without `--fresh`," if choices.flag("fresh") else ""
        sys.stderr.write(
            f"aks-egress: interrupted: the same command{without} goes on where this one stopped\n"
        )
        raise
    except ClientAuthenticationError as error:
        why = f"nobody is signed in to Azure any more: {said(error)}"
        raise UsageFailure(f"{why}; sign in, and the same command goes on where this one stopped") from None
    journal.done()
    return snapshot


def _workers(number: int) -> int:
    if number > MOST_WORKERS:
        raise UsageFailure(f"`--workers` is a whole number from 1 to {MOST_WORKERS}, not `{number}`")
    return number


def data_of(snapshot: Snapshot) -> bytes:
    """The snapshot's file."""
    from aks_egress import __version__
    from aks_egress_scan.live.snapshot import render

    return render(snapshot, __version__)


def _journal(kind: Any, key: str, beside: str, *, fresh: bool) -> Any:
    name = f"{beside}.partial"
    if not beside:
        digest = hashlib.sha256(key.encode()).hexdigest()[:16]
        name = os.path.join(cache_folder(), f"collecting-{digest}.partial")  # noqa: PTH118 - as its neighbours
    try:
        return kind(name, key, fresh=fresh)
    except OSError as error:
        sys.stderr.write(f"aks-egress: an interrupted run could not go on later: {error.strerror}\n")
        return kind()
