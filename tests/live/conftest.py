"""What the tests of live work share: a cache of their own, and the sound example as it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AKS_EGRESS_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The sound example, answered by a server on loopback."""
    from tests.live.azure import running
    from tests.live.test_collect import azure

    from aks_egress_scan.live import session as sessions

    there = azure()
    with running(there) as session:
        monkeypatch.setattr(sessions, "connect", lambda *_: session)
        yield there
