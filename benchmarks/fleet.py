"""A fleet: 1,000 clusters in 100 subscriptions behind 50 hubs, collected from a server on loopback; then 10,000 judged.

Collecting goes through the real SDK clients over HTTP; what is printed is how many requests it took, of which kind,
and how long.  Judging is `aks-egress scan fleet.json` in a process of its own, beside parsing the file's JSON.

Each cluster has a spoke of its own (network, two subnets with a security group each, route table) and the scale sets,
NIC group and load balancer that AKS makes beside it.  Teams stamp clusters: the fleet has `--kinds` designs of
security groups (clusters of one design are alike), and one cluster in fifty denies what its tunnel needs.
With `--kinds` as large as the fleet no two clusters are alike, which is the worst case.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.fleet_rows import HUBS_OF, fleet
from benchmarks.processes import best, show

from aks_egress_scan.live.snapshot import Snapshot, render

Row = dict[str, Any]
TAKEN = datetime(2026, 6, 18, tzinfo=UTC)
PARSE = "import json, sys; json.loads(open(sys.argv[1], 'rb').read())"


def main() -> int:
    """Collect a fleet and judge one, and print what that took."""
    options = _options()
    if options.clusters:
        rows = list(fleet(options.clusters, options.kinds))
        print(f"{_sized(options.clusters, rows)}, collected")
        collected(rows, options.latency)
    if options.judge:
        rows = list(fleet(options.judge, options.kinds))
        print(f"{_sized(options.judge, rows)}, {options.kinds} designs, judged")
        judged(render(snapshot_of(rows), "0", TAKEN))
    return 0


def _sized(clusters: int, rows: list[Row]) -> str:
    return f"{clusters} clusters behind {max(1, clusters // HUBS_OF)} hubs, {len(rows)} resources"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clusters", type=int, default=1000, help="how many are collected; 0 for none")
    parser.add_argument("--judge", type=int, default=10_000, help="how many are judged; 0 for none")
    parser.add_argument("--kinds", type=int, default=50, help="how many designs the clusters have")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that every answer takes")
    return parser.parse_args()


def collected(rows: list[Row], latency: float) -> None:
    """Collect through the SDKs, and print what was asked for."""
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
    print(f"  requests         {sum(kinds.values()):7}")
    for kind, count in kinds.most_common():
        print(f"    {count:7}  {kind}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  not read         {len(snapshot.unread):7}")
    print(
        f"  snapshot         {len(render(snapshot, '0', TAKEN)) / 1e6:7.1f} MB, {peak:.0f} MB of memory, the server's included"
    )


def judged(data: bytes) -> None:
    """What the command takes for a snapshot, beside what parsing it takes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "fleet.json"
        file.write_bytes(data)
        print(f"  snapshot         {len(data) / 1e6:7.1f} MB")
        del data
        floor, memory = best([sys.executable, "-c", PARSE, str(file)], 1)
        show("json.loads", floor, memory, floor)
        spent, memory = best([sys.executable, "-m", "aks_egress_scan", "scan", str(file)], 1)
        show("aks-egress scan", spent, memory, floor)


@contextmanager
def _timed(what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    print(f"  {what:<16} {time.perf_counter() - began:7.2f} s")


def snapshot_of(rows: list[Row]) -> Snapshot:
    """What collecting would find."""
    snapshot = Snapshot()
    for one in rows:
        snapshot.add(one, one["type"].casefold())
    return snapshot


if __name__ == "__main__":
    sys.exit(main())
