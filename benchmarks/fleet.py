"""A fleet, live: 1,000 clusters in 100 subscriptions behind 50 hubs, collected from a server on the loopback interface.

Collecting goes through the real SDK clients over HTTP; what is printed is how many requests it took, of which kind,
and how long.  The snapshot that comes out is then read and judged, as `aks-egress scan fleet.json` does; seconds
and the process's peak memory.  `--clusters 10000 --no-collect` judges a larger fleet without collecting it first.

Each cluster has a spoke of its own (network, two security groups, route table) and the scale sets, NIC group, load
balancer and address that AKS makes beside it.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from benchmarks.fleet_rows import HUBS_OF, fleet

from aks_egress.engine import judge
from aks_egress.packets.tags import ServiceTags
from aks_egress.settings import Settings
from aks_egress_scan.live.snapshot import Snapshot, render
from aks_egress_scan.readers.base import Parameters, Source
from aks_egress_scan.readers.snapshot import READER

Row = dict[str, Any]
TAKEN = datetime(2026, 6, 18, tzinfo=UTC)


def main() -> int:
    """Make the fleet, collect it, judge it, and print what that took."""
    options = _options()
    rows = list(fleet(options.clusters))
    hubs = max(1, options.clusters // HUBS_OF)
    print(f"{options.clusters} clusters behind {hubs} hubs: {len(rows)} resources")
    data = render(snapshot_of(rows), "0") if options.no_collect else collected(rows, options.latency)
    del rows
    print(f"snapshot         {len(data) / 1e6:8.1f} MB")
    judged(data, options.sample)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clusters", type=int, default=1000)
    parser.add_argument("--no-collect", action="store_true", help="judge only")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that every answer takes")
    parser.add_argument("--sample", type=int, default=0, help="judge only so many of the clusters")
    return parser.parse_args()


def collected(rows: list[Row], latency: float) -> bytes:
    """The snapshot's bytes, through the SDKs."""
    from tests.live.azure import Azure, running

    from aks_egress_scan.live.collect import Scope, collect
    from aks_egress_scan.live.progress import Progress

    azure = Azure(rows)
    azure.dependencies = [
        {
            "category": "images",
            "endpoints": [{"domainName": "mcr.microsoft.com", "endpointDetails": [{"port": 443}]}],
        }
    ]
    if latency:
        azure.slow = {"/": latency}
    with running(azure) as session, _timed("collected"):
        snapshot = collect(session, Scope(), progress=Progress())
    kinds = Counter(azure.kinds)
    print(f"requests         {sum(kinds.values()):8}")
    for kind, count in kinds.most_common():
        print(f"  {count:8}  {kind}")
    print(f"not read         {len(snapshot.unread):8}")
    return render(snapshot, "0", TAKEN)


def judged(data: bytes, sample: int) -> None:
    """Read and judge the snapshot."""
    with _timed("read"):
        (document,) = READER.read(Source("fleet.json", data), Parameters())
    wanted = tuple(f"aks-{i}" for i in range(sample))
    with _timed("judged"):
        report = judge([document], Settings(clusters=wanted), ServiceTags())
    said = Counter(str(one.verdict) for one in report.clusters)
    flows = sum(len(one.flows) for one in report.clusters)
    print(f"verdicts         {dict(said)}, {flows} flows, {len(report.findings)} findings")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory      {peak:8.0f} MB")


@contextmanager
def _timed(what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    print(f"{what:<16} {time.perf_counter() - began:8.2f} s")


def snapshot_of(rows: list[Row]) -> Snapshot:
    """What collecting would find."""
    snapshot = Snapshot()
    for one in rows:
        snapshot.add(one, one["type"].casefold())
    return snapshot


if __name__ == "__main__":
    sys.exit(main())
