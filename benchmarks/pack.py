"""The policy pack on a stack of 300 resources: what it adds to a preview, through its real server and protocol.

Goals: less than a second for the whole stack, less than 3 ms for each resource's Analyze.  The machine's own
speed is shown beside, as the time that the same server takes to answer a call that asks nothing.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.pack.server import Server

COUNT = 300


def main() -> int:
    """Print the medians of five runs; 1 where a goal is missed."""
    try:
        from tests.pack.conftest import stack
        from tests.pack.server import Server
        from tests.pack.stacks import crowd
    except ImportError as error:
        print(f"pack: skipped, install the extra `pulumi` ({error.name} is missing)")
        return 0
    every = stack("konnectivity")
    every += crowd(COUNT - len(every))
    with Server() as server:
        ours = [one for one in every if one.custom]
        analyze = _seconds(server, lambda: [server.analyze(one) for one in ours])
        judged = _seconds(server, lambda: server.analyze_stack(every))
        nothing = _seconds(server, lambda: [server.info_again() for _ in ours])
    print(f"{'':<34}{'waited':>12}{'computed':>12}")
    print(_row("a call that asks nothing, each", nothing, len(ours), ""))
    print(_row("Analyze, each", analyze, len(ours), "goal 3 ms"))
    print(_row(f"AnalyzeStack, {len(every)} resources", judged, 1, "goal 1000 ms"))
    return int(min(analyze) / len(ours) > 0.003 or min(judged) > 1)


def _row(label: str, seconds: tuple[float, float], count: int, goal: str) -> str:
    waited, computed = (one / count * 1e3 for one in seconds)
    return f"{label:<34}{waited:>9.2f} ms{computed:>9.2f} ms   {goal}"


def _seconds(server: Server, run: Callable[[], object]) -> tuple[float, float]:
    """Medians of five runs: seconds that one waits, and seconds of processor time of the server.

    On a machine that is busy with other things the second is what the pack itself takes.
    """
    waited, computed = [], []
    for _ in range(5):
        before, started = server.cpu(), time.perf_counter()
        run()
        waited.append(time.perf_counter() - started)
        after = server.cpu()
        computed.append(after - before if before is not None and after is not None else waited[-1])
    return statistics.median(waited), statistics.median(computed)


if __name__ == "__main__":
    sys.exit(main())
