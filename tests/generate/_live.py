"""What live commands print of the example network, for the guides: the real commands over servers on the loopback interface."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def triage(printed: Callable[[list[str]], str]) -> str:
    """A triage of the cluster whose API server is denied, up to the next step."""
    from tests.live.kubernetes_server import serving
    from tests.live.triage import ILL, NO_AGENT, azure, cluster, dark

    there = cluster(*ILL)
    dark(NO_AGENT)(there)
    with tempfile.TemporaryDirectory() as folder, serving(there, Path(folder)) as kubeconfig:
        shown = ["triage", "--cluster", "aks-shop", "--error", "dial tcp 10.1.4.4:10250: i/o timeout"]
        with _signed_in_to(azure("konnectivity")):
            text = printed([*shown, "--kubeconfig", kubeconfig, "--quiet"])
    command = 'aks-egress triage --cluster aks-shop --error "dial tcp 10.1.4.4:10250: i/o timeout"'
    told, _, _ = text.partition("\n  seen\n")
    why, _, steps = told.partition("\n  next\n")
    first = "\n    - ".join(why.split("\n    - ")[:3])  # two reasons are enough for a guide
    return f"$ {command}\n{first}\n    ...\n\n  next\n{steps.rstrip()}\n  ..."


def refused(printed: Callable[[list[str]], str]) -> str:
    """The first finding of an audit that may not read one security group."""
    from tests.live.test_collect import GROUP, azure

    cloud = azure()
    cloud.hidden = {f"{GROUP}/Microsoft.Network/networkSecurityGroups/nsg-system".casefold()}
    cloud.refused = ["networkSecurityGroups"]
    with _signed_in_to(cloud):
        lines = printed(["audit", "--quiet"]).splitlines()
    first = next(number for number, line in enumerate(lines) if " EGR104 " in line)
    end = next(number for number, line in enumerate(lines) if number > first and not line.strip())
    return "\n".join(["$ aks-egress audit", lines[0], "  ...", *lines[first:end]])


@contextmanager
def _signed_in_to(cloud: Any) -> Iterator[None]:
    """Every command asks this server meanwhile, at the time of the example's snapshots."""
    from tests.generate.snapshots import TAKEN
    from tests.live.azure import running

    from aks_egress_scan.live import session as sessions

    connect, epoch = sessions.connect, os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = str(int(TAKEN.timestamp()))
    try:
        with running(cloud) as session:
            sessions.connect = lambda *_: session
            yield
    finally:
        sessions.connect = connect
        os.environ.pop("SOURCE_DATE_EPOCH")
        if epoch is not None:
            os.environ["SOURCE_DATE_EPOCH"] = epoch
