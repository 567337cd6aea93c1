"""Collecting: everything that the walks of some clusters need, by few questions.

First the clusters in scope; then their networks, subscription by subscription as references lead there;
then, one by one and side by side, what Azure Resource Graph lacks.  What was found stays found when the
run is interrupted (`Journal`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

from aks_egress.records import record
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.live import details, queries
from aks_egress_scan.live.admin import settle_admin_rules
from aks_egress_scan.live.graph_query import ResourceGraph
from aks_egress_scan.live.journal import Journal
from aks_egress_scan.live.kept import kept, kept_types
from aks_egress_scan.live.needed import CLUSTERS, SCALE_SETS, missing, node_networks, subscription_of
from aks_egress_scan.live.nodes import unseen_hubs, unseen_scale_sets
from aks_egress_scan.live.progress import Progress
from aks_egress_scan.live.refusals import grant, said, signed_out
from aks_egress_scan.live.session import Session
from aks_egress_scan.live.snapshot import Snapshot, Unread, kind_of

Json = dict[str, Any]
WORKERS = 8
"""How many questions are asked side by side."""
ROUNDS = 6
"""How often references may lead to subscriptions and resources that were not known before."""


@record(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which clusters are meant; empty is all that can be seen.  Their networks come along wherever they are."""

    subscriptions: tuple[str, ...] = ()
    management_groups: tuple[str, ...] = ()
    resource_groups: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()

    def as_json(self) -> Json:
        """What was asked for, as the snapshot says it."""
        said = {
            "subscriptions": self.subscriptions,
            "managementGroups": self.management_groups,
            "resourceGroups": self.resource_groups,
            "clusters": self.clusters,
        }
        return {name: sorted(value) for name, value in said.items() if value}

    @property
    def everything(self) -> bool:
        """Whether nothing narrows it."""
        return not self.as_json()


def collect(
    session: Session,
    scope: Scope,
    *,
    journal: Journal | None = None,
    progress: Progress | None = None,
    workers: int = WORKERS,
    effective: bool = False,
) -> Snapshot:
    """The picture.  Raises UsageFailure where not even the clusters can be listed."""
    kept_so_far = Journal() if journal is None else journal
    run = _Collection(session, scope, kept_so_far, progress or Progress(quiet=True), workers)
    run.clusters()
    run.networks()
    run.one_by_one()
    if effective:
        from aks_egress_scan.live.effective import add_effective

        add_effective(session, run.snapshot, run.ask)
    return run.snapshot


Ask = Callable[[str, list[details.Piece]], None]
"""Asks for some pieces side by side and takes them in; the text says to people what they are."""


class _Collection:
    """One run of collecting."""

    def __init__(
        self, session: Session, scope: Scope, journal: Journal, progress: Progress, workers: int
    ) -> None:
        self.session, self.scope, self.journal, self.progress = session, scope, journal, progress
        self.workers = workers
        self.snapshot = Snapshot(cloud=session.cloud.name, scope=scope.as_json())
        self.graph = ResourceGraph(session.graph(), progress.step)
        self._asked: set[str] = set()

    def clusters(self) -> None:
        """The clusters in scope."""
        scope = self.scope
        query = queries.clusters(scope.resource_groups, scope.clusters)
        self.progress.begin("clusters")
        failed = self._take("clusters", query, scope.subscriptions, scope.management_groups)
        if failed is not None:
            raise UsageFailure(f"the clusters cannot be listed: {said(failed)}")
        found = self.snapshot.of(CLUSTERS)
        self.progress.end(f"clusters: {len(found)}")
        self._know_every_subscription()
        _know_every_cluster(scope.clusters, [str(one["id"]).rsplit("/", 1)[-1] for one in found])

    def _know_every_subscription(self) -> None:
        """Refuse a subscription that Resource Graph leaves out without a word: its clusters would go unjudged."""
        named = sorted({one.casefold() for one in self.scope.subscriptions})
        if not named:
            return
        failed = self._take("subscriptions", queries.subscriptions(), named)
        if failed is not None:
            raise UsageFailure(f"the subscriptions cannot be listed: {said(failed)}")
        seen = {subscription_of(row["id"]) for _, row in self.journal.get("subscriptions")["resources"]}
        lost = [one for one in named if one not in seen]
        if lost:
            names = ", ".join(f"`{one}`" for one in lost)
            how = grant(f"/subscriptions/{lost[0]}")
            raise UsageFailure(
                f"--subscription: {names} is not among the subscriptions that you may read, so its clusters would go unjudged: correct the id, or {how}"
            )

    def networks(self) -> None:
        """Networks, firewalls and what decides in them, in every subscription that references lead to.

        Whole subscriptions and management groups are taken also where no cluster is: a hub is a context.
        """
        scope = self.scope
        if scope.everything:
            self._round("everything", ())
            return
        narrow = bool(scope.resource_groups or scope.clusters)
        if scope.management_groups and not narrow:
            self._round("groups", (), scope.management_groups)
            self._asked |= {subscription_of(one) for one in self.snapshot.resources}
        first = () if narrow else [one.casefold() for one in scope.subscriptions]
        for number in range(ROUNDS):
            found = [subscription_of(one) for one in (*self._cluster_ids(), *missing(self.snapshot))]
            wanted = sorted({*first, *found} - self._asked - {""})
            if not wanted:
                return
            self._asked |= set(wanted)
            self._round(f"round {number}", wanted)

    def _cluster_ids(self) -> list[str]:
        return [str(one["id"]) for one in self.snapshot.of(CLUSTERS)]

    def _round(self, name: str, subscriptions: Sequence[str], groups: Sequence[str] = ()) -> None:
        for what, query, kinds in (
            ("networks", queries.networks(), (*queries.WHOLE, *queries.SOME)),
            (
                "rules",
                queries.rules(),
                (queries.IN_EFFECT,),
            ),  # rules that are missing are asked for one by one
            ("extensions", queries.extensions(), queries.EXTENSIONS),
        ):
            self.progress.begin(what)
            failed = self._take(f"{name} {what} {','.join(subscriptions)}", query, subscriptions, groups)
            if failed is not None:
                self._failed(failed, kinds)
            self.progress.end(f"{what}: {len(self.snapshot.resources)} resources so far")

    def _take(
        self, piece: str, query: str, subscriptions: Sequence[str], groups: Sequence[str] = ()
    ) -> Exception | None:
        """Take the rows of a query in; the error where there is no answer."""
        from azure.core.exceptions import AzureError

        if piece not in self.journal:
            try:
                rows = self._whole(query, subscriptions, groups)
            except (AzureError, ValueError) as error:
                if signed_out(error):
                    raise
                return error
            self.journal.keep(piece, {"resources": rows})
        self._absorb(self.journal.get(piece))
        return None

    def _whole(self, query: str, subscriptions: Sequence[str], groups: Sequence[str]) -> list[list[Any]]:
        """Every row; once more from the start where an answer was cut short, or its count does not fit."""
        from azure.core.exceptions import DecodeError

        try:
            return list(self._rows(query, subscriptions, groups))
        except (DecodeError, ValueError):
            return list(self._rows(query, subscriptions, groups))

    def _rows(self, query: str, subscriptions: Sequence[str], groups: Sequence[str]) -> Iterator[list[Any]]:
        types = kept_types()
        for row in self.graph.rows(query, subscriptions, groups):
            kind = str(row.get("type", "")).casefold()
            if kind in types:
                yield [kind, kept(row, kind)]
            elif kind == queries.SUBSCRIPTIONS:
                yield [kind, {"id": row["id"]}]

    def _failed(self, error: Exception, kinds: Iterable[str]) -> None:
        why = f"Azure Resource Graph gave no answer: {said(error)}"
        self.snapshot.unread += [
            Unread(kind=kind, id="/", why=why, permission=f"{kind}/read", everything=True) for kind in kinds
        ]

    def one_by_one(self) -> None:
        """What Resource Graph lacks or left out."""
        for _ in range(ROUNDS):
            pieces = [details.resource(self.session, one) for one in missing(self.snapshot)]
            known = [one for one in pieces if one is not None and one.key not in self._asked]
            if not known:
                break
            self._asked |= {one.key for one in known}
            self.ask("resources by themselves", known)
        self.ask("details", list(self._rest()))
        settle_admin_rules(self.snapshot)
        if not any(one.everything and one.kind == SCALE_SETS for one in self.snapshot.unread):
            self.snapshot.unread += unseen_scale_sets(self.snapshot)
        self.snapshot.unread += unseen_hubs(self.snapshot)

    def _rest(self) -> Iterator[details.Piece]:
        for network in node_networks(self.snapshot):
            yield details.admin_rules(self.session, network)
        for hub in self.snapshot.of("microsoft.network/virtualhubs"):
            yield from details.hub(self.session, str(hub["id"]))
        for cluster in self._cluster_ids():
            yield details.dependencies(self.session, cluster)

    def ask(self, what: str, pieces: list[details.Piece]) -> None:
        """Ask for all pieces, a bounded number at a time, and take them in in their order."""
        todo = [one for one in pieces if one.key not in self.journal]
        self.progress.begin(what, len(pieces) - len(todo))
        pool = ThreadPoolExecutor(self.workers)
        try:
            self._run(pool, todo, len(pieces))
        finally:
            # who interrupts does not wait for answers that are on their way
            pool.shutdown(wait=False, cancel_futures=True)
        for one in pieces:
            self._absorb(self.journal.get(one.key))
        if pieces:
            self.progress.end(f"{what}: {len(pieces)}")

    def _run(self, pool: ThreadPoolExecutor, todo: list[details.Piece], total: int) -> None:
        done = total - len(todo)
        waiting = iter(todo)
        running = {pool.submit(_asked, one): one for one in _first(waiting, self.workers * 2)}
        while running:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                piece = running.pop(future)
                found = future.result()
                self.journal.keep(piece.key, found, lasting="unread" not in found)
                done += 1
                self.progress.step(done, total)
                for following in _first(waiting, 1):
                    running[pool.submit(_asked, following)] = following

    def _absorb(self, piece: Json) -> None:
        """Take a finished piece in."""
        for kind, row in piece.get("resources") or ():
            if kind != queries.SUBSCRIPTIONS:
                self._absorb_resource(kind, row)
        self.snapshot.dependencies |= piece.get("dependencies") or {}
        self.snapshot.effective |= piece.get("effective") or {}
        self.snapshot.unread += [details.unread_of(row) for row in piece.get("unread") or ()]

    def _absorb_resource(self, kind: str, row: Json) -> None:
        """Take a resource in; one whose id says another type would be overlooked, so it is a gap."""
        if kind_of(row["id"]) != kind:
            why = f"its id is not one of a resource of type {kind}"
            self.snapshot.unread.append(Unread(kind=kind, id=row["id"], why=why, everything=True))
            return
        known = self.snapshot.resources.get(row["id"].casefold())
        if kind == details.RULE_COLLECTIONS and known is not None:
            # each network that it is in effect over names its own group
            groups = [*known["properties"]["appliesToGroups"], *row["properties"]["appliesToGroups"]]
            row["properties"]["appliesToGroups"] = sorted(
                {one["networkGroupId"]: one for one in groups}.values(), key=str
            )
        self.snapshot.add(row, kind)


def _know_every_cluster(named: Sequence[str], found: Sequence[str]) -> None:
    """Refuse a name that no cluster has beside one that some cluster has: that cluster would go unjudged."""
    there = {one.casefold() for one in found}
    lost = [f"`{one}`" for one in named if one.casefold() not in there]
    if lost and there:
        raise UsageFailure(f"--cluster: no cluster in the scope is named {', '.join(lost)}")


def _asked(piece: details.Piece) -> Json:
    """The answer, reduced to what is kept before it gets anywhere."""
    found = piece.ask()
    if "resources" in found:
        types = kept_types()
        found["resources"] = [
            [kind, kept(row, kind)]
            for kind, row in found["resources"]
            if kind in types and isinstance(row.get("id"), str)
        ]
    return found


def _first(pieces: Iterator[details.Piece], count: int) -> Iterator[details.Piece]:
    for _ in range(count):
        one = next(pieces, None)
        if one is None:
            return
        yield one
