"""The command as a process of its own, against a server on the loopback interface: interrupted, gone on with, quiet."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")

from tests.live.azure import Azure, Odd, running
from tests.live.test_collect import azure

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from tests.live.azure import session_with
from aks_egress_scan.live import session
endpoint, who, *arguments = sys.argv[1:]
session.connect = lambda *_: session_with(endpoint, who=who)
sys.argv = ["aks-egress", *arguments]
from aks_egress_scan.__main__ import entry
entry()
"""


class Command:
    """`aks-egress`, signed in to a server."""

    def __init__(self, cloud: Azure, endpoint: str, cache: Path) -> None:
        self.cloud, self.endpoint = cloud, endpoint
        self.environment = {
            **os.environ,
            "AKS_EGRESS_CACHE_DIR": str(cache),
            "PYTHONPATH": str(ROOT),
            "SOURCE_DATE_EPOCH": "1781784000",
        }

    def start(self, *arguments: str, who: str = "me") -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT, self.endpoint, who, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, who: str = "me") -> tuple[int, str]:
        """The exit status and what it says on standard error."""
        process = self.start(*arguments, who=who)
        _, said = process.communicate(timeout=60)
        return process.returncode, said

    def interrupted(self, at: str, *arguments: str, who: str = "me") -> tuple[int, str]:
        """The same, with Ctrl-C pressed as soon as the server is asked for `at`; it must end at once."""
        asked = threading.Event()
        self.cloud.on_request = lambda path: asked.set() if at.casefold() in path else None
        process = self.start(*arguments, who=who)
        assert asked.wait(30)
        time.sleep(0.2)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert time.monotonic() - began < 5
        self.cloud.on_request = lambda path: None
        return process.returncode, said


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    cloud = azure()
    with running(cloud) as session:
        yield Command(cloud, session.endpoint, tmp_path / "cache")


def asked_since(cloud: Azure, count: int) -> list[str]:
    return sorted(path.rsplit("/", 1)[-1] for _, path in cloud.asked[count:])


def test_ctrl_c_ends_it_at_once_and_the_same_command_goes_on(command: Command, tmp_path: Path) -> None:
    """Interrupted while one answer is on its way: only what was not there is asked for again."""
    file, cloud = tmp_path / "fleet.json", command.cloud
    cloud.slow = {"outboundNetworkDependenciesEndpoints": 20}
    status, said = command.interrupted(
        "outboundNetworkDependenciesEndpoints", "snapshot", "-o", str(file), "--quiet"
    )
    assert status == 130
    assert "the same command goes on where this one stopped" in said
    assert "Traceback" not in said
    assert not file.exists()
    assert Path(f"{file}.partial").stat().st_mode & 0o077 == 0
    cloud.slow, before = {}, len(cloud.asked)
    status, said = command.run("snapshot", "-o", str(file))
    assert status == 0
    assert "going on with an interrupted collection" in said
    assert asked_since(cloud, before) == ["outboundnetworkdependenciesendpoints"]
    assert sorted(one.name for one in tmp_path.iterdir() if one.is_file()) == ["fleet.json"]
    whole = tmp_path / "whole.json"
    assert command.run("snapshot", "-o", str(whole), "--quiet")[0] == 0
    assert file.read_bytes() == whole.read_bytes()


def test_ctrl_c_during_a_query_keeps_the_queries_before(command: Command) -> None:
    """An audit that writes no snapshot keeps what it has in the cache."""
    cloud = command.cloud
    seen: list[str] = []

    def third_waits(path: str, _: bytes) -> Odd | None:
        seen.append(path)
        if len(seen) == 3:
            time.sleep(20)
        return None

    cloud.odd = third_waits
    process = command.start("audit", "--quiet")
    while len(seen) < 3:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130
    cloud.odd, before = lambda path, body: None, cloud.counts["graph"]
    assert command.run("audit", "--quiet")[0] == 0
    assert cloud.counts["graph"] - before == 2


def test_ctrl_c_while_a_quota_is_waited_for(command: Command) -> None:
    command.cloud.odd = lambda path, body: Odd(429, {}, Retry_After="60")
    status, said = command.interrupted("resourcegraph", "audit", "--quiet")
    assert status == 130
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("who", "arguments"),
    [
        ("somebody else", ()),
        ("me", ("--cluster", "aks-shop")),
        ("me", ("--resource-group", "rg-spoke")),
        ("me", ("--fresh",)),
    ],
    ids=["another person", "another cluster", "another group", "anew"],
)
def test_what_another_collection_found_is_not_taken_over(
    command: Command, tmp_path: Path, who: str, arguments: tuple[str, ...]
) -> None:
    file, cloud = str(tmp_path / "fleet.json"), command.cloud
    cloud.slow = {"outboundNetworkDependenciesEndpoints": 20}
    command.interrupted("outboundNetworkDependenciesEndpoints", "snapshot", "-o", file, "--quiet")
    cloud.slow, before = {}, cloud.counts["graph"]
    assert command.run("snapshot", "-o", file, "--quiet", *arguments, who=who)[0] == 0
    assert cloud.counts["graph"] - before == 4


def test_a_token_that_ran_out_is_one_sentence_and_nothing_is_lost(command: Command, tmp_path: Path) -> None:
    file, cloud = str(tmp_path / "fleet.json"), command.cloud
    error = {"error": {"code": "ExpiredAuthenticationToken", "message": "The token expired."}}
    cloud.odd = lambda path, body: Odd(401, error) if "outboundnetwork" in path else None
    status, said = command.run("audit", "--quiet", "--snapshot-out", file)
    assert status == 2
    (line,) = said.splitlines()
    assert line.startswith("aks-egress: nobody is signed in to Azure any more: ")
    assert "goes on where this one stopped" in line
    cloud.odd, before = lambda path, body: None, cloud.counts["graph"]
    assert command.run("audit", "--quiet", "--snapshot-out", file)[0] == 0
    assert cloud.counts["graph"] == before


def test_the_libraries_say_nothing_on_standard_error(command: Command) -> None:
    """They log tracebacks of answers that they could not read."""
    command.cloud.odd = lambda path, body: None if "resourcegraph" in path else Odd(204)
    assert command.run("audit", "--quiet") == (4, "")
    command.cloud.odd = lambda path, body: None if "resourcegraph" in path else Odd(200, b" " * 99, cut=9)
    assert command.run("audit", "--quiet", "--fresh") == (4, "")


def test_progress_says_rate_and_remaining_and_stays_off_standard_output(command: Command) -> None:
    process = command.start("audit", "--format", "json")
    out, said = process.communicate(timeout=60)
    assert json.loads(out)["inputs"][0]["kind"] == "live"
    assert [line for line in said.splitlines() if not line.startswith("aks-egress: ")] == []
    assert "aks-egress: clusters: 1\n" in said
