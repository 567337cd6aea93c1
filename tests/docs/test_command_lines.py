"""What the guides and `--help` tell people to type is what the commands take."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from argparse import SUPPRESS, Action, ArgumentParser
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from aks_egress_scan.cli import COMMANDS, _parsed, present
from aks_egress_scan.options import OPTIONS, Parser, variable_of

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/live.md", "docs/permissions.md")
LIVE = ("audit", "snapshot", "triage")
_FENCE = re.compile(r"^ *```(?!json)\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
#: options of other programs that the pages name
_OF_OTHERS = {"--role", "--assignee", "--scope", "--role-definition", "--service-principal", "--identity"}


@cache
def parsers() -> Mapping[str, ArgumentParser]:
    """The parser of every command."""
    made = Parser(prog="aks-egress", add_help=False).add_subparsers(prog="aks-egress")
    for module, _ in present().values():
        module.register(made)
    return dict(made.choices)


def actions(parser: ArgumentParser) -> Iterator[Action]:
    """Its options and words, and those of the commands below it."""
    for action in parser._actions:
        yield action
        if isinstance(action.choices, Mapping):
            for below in action.choices.values():
                yield from actions(below)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def typed(text: str) -> Iterator[list[str]]:
    """The words after `aks-egress` in every command line of a text; what is explained beside it is left out."""
    for line in text.replace("\\\n", " ").splitlines():
        whole = re.split(r"\s+#\s", re.sub(r"<[^<>|]*>", "x", line), maxsplit=1)[0].replace("...", "")
        for part in re.split(r"\s*(?:&&|\|(?=\s)|;|\$\()\s*", whole):
            found = re.search(r"(?:^|\s)aks-egress (.*)", part)
            if found and not found[1].lstrip().startswith(("COMMAND", "--")):
                yield words(found[1])


def words(text: str) -> list[str]:
    """One command's arguments, up to a redirection, a bracket that closes, or the gap before an explanation."""
    command = re.split(r"\s{2,}|\s[0-9]?>|\)\"?(?:\s|$)", text.strip(), maxsplit=1)[0]
    return shlex.split(command)


def lines_of(page: str) -> list[list[str]]:
    text = text_of(page)
    blocks = [line for block in _FENCE.findall(text) for line in typed(block)]
    spans = [line for code in _CODE.findall(_FENCE.sub("", text)) for line in typed(code)]
    return [*blocks, *spans]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_line_of_a_guide_is_taken_by_the_parser(page: str) -> None:
    for line in lines_of(page):
        accepted(line)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_example_in_help_is_taken_by_the_parser(command: str) -> None:
    parser = parsers()[command]
    examples = list(typed("\n".join(re.findall(r"^ +.*", str(parser.epilog), re.MULTILINE))))
    for line in examples:
        accepted(line)
    assert examples


def accepted(line: list[str]) -> None:
    assert line[0] in parsers(), line
    if "--help" not in line:
        _parsed(parsers()[line[0]], line[1:])


@pytest.mark.parametrize("page", ["docs/live.md", "docs/permissions.md"])
def test_every_option_that_a_guide_names_exists(page: str) -> None:
    known = {name for one in parsers().values() for action in actions(one) for name in action.option_strings}
    named = {
        word for code in _CODE.findall(text_of(page)) for word in re.findall(r"(?:^|\s)(--[a-z-]+)", code)
    }
    assert named <= known | _OF_OTHERS
    assert named & known or page == "docs/permissions.md"


@pytest.mark.parametrize("page", PAGES)
def test_every_variable_that_a_guide_names_is_read(page: str) -> None:
    known = {variable_of(option) for option in OPTIONS}
    assert set(re.findall(r"AKS_EGRESS_[A-Z_]+", text_of(page))) <= known


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_says_what_it_does(command: str) -> None:
    """In words of its own: `repeatable` alone, or nothing, tells nobody what it is for."""
    for action in actions(parsers()[command]):
        if not action.option_strings or action.help == SUPPRESS:
            continue
        assert len(str(action.help or "").split()) >= 3, (command, action.option_strings)


@pytest.mark.parametrize("command", LIVE)
def test_the_guide_has_every_option_of_live_commands(command: str) -> None:
    """But for those that `scan` has too."""
    text = text_of("docs/live.md")
    shared = {name for action in actions(parsers()["scan"]) for name in action.option_strings}
    for action in actions(parsers()[command]):
        names = [name for name in action.option_strings if name.startswith("--")]
        assert set(names) <= shared or any(f"`{name}" in text or f" {name}" in text for name in names), names


@pytest.mark.parametrize("command", LIVE)
def test_help_of_live_commands_says_every_exit_status(command: str) -> None:
    said = str(parsers()[command].epilog).partition("exit status: ")[2]
    assert {int(one) for one in re.findall(r"\b([0-4]) ", said)} == {0, 1, 2, 3, 4} - (
        {1} if command == "snapshot" else set()
    )


HEAVY = (
    "azure",
    "jsonschema",
    "kubernetes",
    "pulumi",
    "requests",
    "ssl",
    "tree_sitter",
    "urllib3",
    "yaml",
)
SNAPSHOT = "examples/hub-and-spoke/snapshot/konnectivity.json"
LIGHT = [
    *([one, "--help"] for one in COMMANDS),
    ["scan", SNAPSHOT],
    ["scan", "examples/hub-and-spoke/arm/spoke.json", "--context", SNAPSHOT],
    ["triage", "--cluster", "aks-shop", "--snapshot", SNAPSHOT, "--no-kubernetes"],
    ["explain", "dial tcp 10.0.0.4:10250: i/o timeout"],
]


@pytest.mark.parametrize("arguments", LIGHT, ids=" ".join)
def test_what_asks_nobody_imports_no_sdk(arguments: list[str]) -> None:
    """Help and everything offline start at once, whatever is installed."""
    script = (
        "import sys\nfrom aks_egress_scan.cli import run\n"
        f"run({arguments!r})\n"
        f"print(*(one for one in {HEAVY!r} if one in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == ""
