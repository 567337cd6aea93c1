"""What an interrupted collection leaves behind, and what is done with a file that is not as it should be."""

from __future__ import annotations

import os
import time
from pathlib import Path

from aks_egress_scan.live.journal import YOUNG, Journal

FOUND = {"resources": []}


def test_a_finished_piece_is_there_for_the_next_run(tmp_path: Path) -> None:
    file = str(tmp_path / "x.partial")
    Journal(file, "key").keep("one", FOUND)
    assert Journal(file, "key").get("one") == FOUND
    assert Path(file).stat().st_mode & 0o077 == 0


def test_half_a_line_loses_no_other(tmp_path: Path) -> None:
    """The run was killed while it wrote; what the next one adds stands on a line of its own."""
    file = tmp_path / "x.partial"
    Journal(str(file), "key").keep("one", FOUND)
    file.write_bytes(file.read_bytes() + b'{"piece": "two", "fou')
    second = Journal(str(file), "key")
    assert ("one" in second, "two" in second) == (True, False)
    second.keep("three", FOUND)
    third = Journal(str(file), "key")
    assert ("one" in third, "two" in third, "three" in third) == (True, False, True)


def test_a_file_of_something_else_is_begun_anew(tmp_path: Path) -> None:
    for data in (
        b"",
        b"\xff\xfe\x00",
        b"[]\n{}\n",
        b'{"collecting": "key"}\n{"piece": "one", "found": "x"}\n',
    ):
        file = tmp_path / "x.partial"
        file.write_bytes(data)
        assert len(Journal(str(file), "key")) == 0


def test_what_was_collected_an_hour_ago_is_too_old(tmp_path: Path) -> None:
    file = tmp_path / "x.partial"
    Journal(str(file), "key").keep("one", FOUND)
    then = time.time() - YOUNG - 1
    os.utime(file, (then, then))
    assert len(Journal(str(file), "key")) == 0


def test_a_disk_that_takes_no_more_ends_no_collection(tmp_path: Path) -> None:
    file = tmp_path / "gone" / "x.partial"
    journal = Journal(str(file), "key")
    file.unlink()
    file.parent.rmdir()
    journal.keep("one", FOUND)
    assert journal.get("one") == FOUND
    journal.done()
