"""How far collecting is, for people who wait."""

from __future__ import annotations

import pytest

from aks_egress_scan.live.progress import EVERY, Progress


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_says_how_many_of_how_many_how_fast_and_how_long(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    progress = Progress(clock=clock)
    progress.begin("details")
    clock.now += EVERY
    progress.step(1000, 3000)
    assert capsys.readouterr().err == "aks-egress: details: 1000 of 3000, 200 a second, 10 s left\n"


def test_what_an_interrupted_run_found_does_not_make_it_look_faster(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    progress = Progress(clock=clock)
    progress.begin("details", 900)
    clock.now += EVERY
    progress.step(1000, 1200)
    assert "1000 of 1200, 20 a second, 10 s left" in capsys.readouterr().err


def test_a_log_gets_a_line_every_few_seconds_only(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    progress = Progress(clock=clock)
    progress.begin("details")
    for done in range(100):
        clock.now += EVERY / 40
        progress.step(done, 100)
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    progress = Progress(quiet=True, clock=clock)
    progress.begin("details")
    clock.now += EVERY * 2
    progress.step(1, 2)
    progress.end("details: 2")
    assert capsys.readouterr() == ("", "")
