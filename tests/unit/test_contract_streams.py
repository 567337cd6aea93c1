"""Standard streams that are closed, full or strange, and options at their edges: a status of the contract, in words."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.test_cli import EXAMPLE, scan_of

from aks_egress_scan.__main__ import main

SPOKE = str(EXAMPLE / "spoke.json")


@pytest.fixture(autouse=True)
def _nothing_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration, no cache and no variables of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AKS_EGRESS_CACHE_DIR", str(tmp_path / "cache"))


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """A command line with redirections, `$A` for the program."""
    line = line.replace("$A", f"{sys.executable} -m aks_egress_scan")
    return subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "line",
    [
        "$A scan - <&-",
        "$A explain - <&-",
        "$A --version >&-",
        "$A --help >/dev/full",
        "$A explain EGR101 >/dev/full",
        "$A scan missing.json 2>&-",
        "$A scan missing.json >&- 2>&- <&-",
        "$A scan missing.json 2>/dev/full",
    ],
)
def test_streams_that_do_not_work_exit_2_in_words(line: str) -> None:
    """Never the status of findings, never a traceback or an excuse."""
    ended = shell(line)
    assert ended.returncode == 2
    assert "error of this program" not in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_an_error_text_on_standard_input_may_be_no_utf_8() -> None:
    """Terminals of all kinds are piped in."""
    ended = subprocess.run(
        [sys.executable, "-m", "aks_egress_scan", "explain", "-"],
        input=b"\xff\xfe error dialing backend: No agent available",
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, b"No agent available" in ended.stdout) == (0, True)


def test_a_closed_pipe_ends_help_quietly() -> None:
    """`aks-egress --help | head -1` is no error of the program."""
    code = "import os, sys; r, w = os.pipe(); os.close(r); os.dup2(w, 1); from aks_egress_scan.__main__ import main; sys.exit(main(['--help']))"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert "cut short" in ended.stderr


@pytest.mark.parametrize("size", ["0", "-3", "1000000", "9" * 30])
def test_a_size_beyond_reason_is_refused(size: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In words that name the option."""
    assert main(["scan", SPOKE, "--max-size", size]) == 2
    assert "max-size" in capsys.readouterr().err


def test_a_size_in_the_environment_is_held_to_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of digits are no whole number that means anything."""
    monkeypatch.setenv("AKS_EGRESS_MAX_SIZE", "9" * 5000)
    assert main(["scan", SPOKE]) == 2
    assert "`--max-size` is a whole number" in capsys.readouterr().err


def test_a_colour_in_the_environment_is_one_of_three(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on the command line."""
    monkeypatch.setenv("AKS_EGRESS_COLOR", "bright")
    assert main(["scan", SPOKE]) == 2
    assert "`AKS_EGRESS_COLOR`: `bright` is none of auto, always, never" in capsys.readouterr().err


def test_two_spellings_of_one_file_are_one_file(capsys: pytest.CaptureFixture[str]) -> None:
    """The second report would overwrite the first."""
    assert main(scan_of("sound", "--format", "json", "-o", "a", "--format", "text", "-o", "./a")) == 2
    assert "same file" in capsys.readouterr().err


def test_columns_of_any_size_are_survived(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python refuses to convert so many digits."""
    monkeypatch.setenv("COLUMNS", "9" * 5000)
    assert main(["scan", "--help"]) == 0
    assert "usage" in capsys.readouterr().out


def test_options_that_nobody_knows_are_quoted_harmlessly(capsys: pytest.CaptureFixture[str]) -> None:
    """A file's name that begins with a dash is taken for one."""
    assert main(["scan", "--\x1b[31mred"]) == 2
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert "--\\x1b[31mred" in said


def test_one_broken_parameter_file_is_spoken_of_once(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Every template it is for fails, for the same reason."""
    (tmp_path / "bad.json").write_text("{")
    assert main(["scan", SPOKE, str(EXAMPLE / "hub.json"), "--param", "bad.json"]) == 2
    assert capsys.readouterr().err.count("broken JSON") == 1


def test_standard_error_may_take_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The status stands all the same."""
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BufferedWriter(Full()), write_through=True))
    assert main(["scan", "missing.json"]) == 2


class Full(io.RawIOBase):
    """A device that is full."""

    def writable(self) -> bool:
        """It can be opened."""
        return True

    def write(self, _data: object) -> int:
        """Nothing fits."""
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("option", ["--param", "--baseline", "--config", "--service-tags", "--context"])
def test_every_file_is_bounded(option: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One that holds gigabytes is refused before it is in memory."""
    with (tmp_path / "sparse.json").open("wb") as stream:
        stream.truncate(2 << 30)
    assert main(["scan", SPOKE, "--max-size", "8", option, "sparse.json"]) == 2
    said = capsys.readouterr().err
    assert "larger than" in said
    assert "error of this program" not in said


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_a_location_on_the_command_line_acts_on_nothing(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`endpoints` puts it into names."""
    assert main(["endpoints", "--location", "a\x1b[31m\u202e##vso[x]y", "--format", form]) == 0
    said = capsys.readouterr().out
    assert not {"\x1b", "\u202e"} & set(said)
    assert "##vso[" not in said
