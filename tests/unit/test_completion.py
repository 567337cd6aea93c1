"""Completion scripts know every command and option, and complete in a real shell."""

from __future__ import annotations

import re
import shutil
import subprocess
from argparse import ArgumentParser
from pathlib import Path

import pytest

from aks_egress_scan.__main__ import main
from aks_egress_scan.cli import present
from aks_egress_scan.completion import SHELLS


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command prints."""
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_option_is_known(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As the parsers have them."""
    said = script(shell, capsys)
    for name, (module, _) in present().items():
        parsers = ArgumentParser().add_subparsers()
        module.register(parsers)
        assert re.search(rf"\b{name}\b", said)
        options = {one for action in parsers.choices[name]._actions for one in action.option_strings}
        for option in options:
            spelled = f"-l {option[2:]}" if shell == "fish" and option.startswith("--") else option
            spelled = f"-s {option[1:]}" if shell == "fish" and not option.startswith("--") else spelled
            assert spelled in said, f"{name} {option}"


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_itself_accepts_the_script(
    shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Read without running it."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    file = tmp_path / "script"
    file.write_text(script(shell, capsys), "utf-8")
    done = subprocess.run([program, "-n", str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["sc"], "scan"),
        (["scan", "--form"], "--format"),
        (["scan", "--format", "s"], "sarif"),
        (["scan", "--tunnel", ""], "auto konnectivity aks-link tunnelfront"),
        (["scan", "mai"], "main.json main.tf"),
        (["scan", "--context", "main.t"], "main.tf"),
        (["scan", "--cluster", ""], ""),
        (["tags", "s"], "show"),
        (["completion", "f"], "fish"),
        (["nothing", "x"], ""),
    ],
)
def test_bash_completes(
    words: list[str], wanted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands, options, values and files."""
    program = shutil.which("bash")
    if program is None:
        pytest.skip("bash is not installed")
    (tmp_path / "script").write_text(script("bash", capsys), "utf-8")
    for name in ("main.json", "main.tf", "other.tf"):
        (tmp_path / name).touch()
    typed = " ".join(f"'{one}'" for one in words)
    asked = f"source ./script; COMP_WORDS=(aks-egress {typed}); COMP_CWORD={len(words)}; _aks_egress"
    done = subprocess.run(
        [program, "--norc", "-c", f'{asked}; printf "%s\\n" "${{COMPREPLY[@]}}"'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) == set(wanted.split())


def test_fish_completes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A value of an option, as fish itself answers."""
    program = shutil.which("fish")
    if program is None:
        pytest.skip("fish is not installed")
    (tmp_path / "script").write_text(script("fish", capsys), "utf-8")
    asked = "source ./script; complete -C 'aks-egress scan --format s'"
    done = subprocess.run(
        [program, "--no-config", "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["sarif"]
