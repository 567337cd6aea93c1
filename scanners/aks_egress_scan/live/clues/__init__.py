"""What is read off a picture, part by part: the walk, the nodes and pods, the calls and logs."""

from __future__ import annotations

from collections.abc import Iterator

from aks_egress_scan.live.clues.calls import calls, errors, logs
from aks_egress_scan.live.clues.cluster import agents, helpers, nodes, policies
from aks_egress_scan.live.clues.walk import elsewhere, findings, other_tunnels, private_address, tunnel, ways
from aks_egress_scan.live.picture import Clue, Picture

READ = (
    tunnel,
    private_address,
    other_tunnels,
    ways,
    findings,
    nodes,
    logs,
    elsewhere,
    agents,
    policies,
    helpers,
    calls,
    errors,
)
"""In the order in which people want to hear of them."""


def clues(picture: Picture) -> Iterator[Clue]:
    """Every clue."""
    for read in READ:
        yield from read(picture)
