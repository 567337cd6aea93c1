"""The command line: a table of commands, of which only the one that is asked for is imported."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType

TYPE_CHECKING = False  # `typing` would take a tenth of what `--version` takes
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

#: command -> (module below `commands`, one line of help)
COMMANDS: Mapping[str, tuple[str, str]] = {
    "scan": ("scan", "judge definitions on disk: templates, plans, stacks, snapshots"),
    "audit": ("audit", "judge what runs in your subscriptions"),
    "snapshot": ("snapshot", "live state into a file that scan reads later, offline"),
    "diff": ("diff", "which flows a change opens and closes"),
    "query": ("query", "one flow: from a subnet to a host, an address or a tag"),
    "explain": ("explain", "what a rule or a kubectl error means, what breaks, how to fix it"),
    "endpoints": ("endpoints", "what AKS needs from the network, as a table or JSON"),
    "fix": ("fix", "the smallest change that opens what is blocked"),
    "tags": ("tags", "the service-tag data in use: show, update"),
    "triage": ("triage", "a broken cluster, now: is it the network or the pods?"),
    "checkov-dir": ("checkov_dir", "where the checks for checkov lie, for --external-checks-dir"),
    "pulumi-pack-dir": ("pulumi_pack_dir", "where the Pulumi policy pack lies, for --policy-pack"),
    "completion": ("completion", "what bash, zsh or fish needs to complete commands and options"),
    "baseline": ("baseline", "write the findings of today, so that only new ones count"),
}

_HELP_HEAD = """\
usage: aks-egress COMMAND ...

Walks every outbound flow that AKS needs (the tunnel to the API server first) through network
security groups, routes and Azure Firewall, as planned or as it runs, and says who stops it.
"""

_HELP_TAIL = """
start here:
  aks-egress scan main.json                         an ARM template
  terraform show -json tfplan > plan.json && aks-egress scan plan.json
  aks-egress scan spoke/ --context hub/             judge the spoke, with the hub's routes and firewall
  aks-egress explain EGR101                         what a finding means and how to mend it
  aks-egress explain "dial tcp 10.0.0.4:10250: i/o timeout"
  aks-egress triage --cluster aks-shop              kubectl logs fails at this moment
  aks-egress audit                                  every cluster that you may read

exit status: 0 sound, 1 findings, 2 wrong usage or broken input, 3 nothing to judge, 4 undecided

`aks-egress COMMAND --help` explains a command.  Options that commands share can be set in the
environment: `--fail-on` as AKS_EGRESS_FAIL_ON; those of judging in `aks-egress.toml` too.
"""


def version() -> str:
    """The version of the program."""
    from aks_egress import __version__

    return __version__


def run(arguments: list[str]) -> int:
    """Run the command that the arguments name; the exit status."""
    first = arguments[0] if arguments else ""
    if first in ("--version", "-V", "version"):
        return _shown(f"aks-egress {version()}\n")
    if first in ("", "-h", "--help", "help"):
        if first:
            return _shown(_top_help())
        sys.stderr.write(_top_help())
        return 2
    module = _module(first) if first in COMMANDS else None
    if module is None:
        sys.stderr.write(f"aks-egress: {_no_command(first)}\n")
        return 2
    return _run_command(module, arguments)


def _shown(text: str) -> int:
    """Write a text to standard output; the exit status.  `output` knows more, and takes longer to import."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_left()
    except (OSError, ValueError, AttributeError):
        sys.stderr.write("aks-egress: cannot write to standard output\n")
        return 2
    return 0


def present() -> dict[str, tuple[ModuleType, str]]:
    """The commands of this installation, imported, each with its line of help."""
    found = {name: (_module(name), text) for name, (_, text) in COMMANDS.items()}
    return {name: (module, text) for name, (module, text) in found.items() if module is not None}


def _module(command: str) -> ModuleType | None:
    """The module of a command; None where this installation has none."""
    name = f"aks_egress_scan.commands.{COMMANDS[command][0]}"
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            return None
        raise


def _run_command(module: ModuleType, arguments: list[str]) -> int:
    from aks_egress_scan.failures import NothingToJudge, UsageFailure
    from aks_egress_scan.options import Help, Parser

    parser = Parser(prog="aks-egress", add_help=False, formatter_class=Help)
    commands = parser.add_subparsers(dest="command", prog="aks-egress")
    module.register(commands)
    try:
        chosen = _parsed(commands.choices[arguments[0]], arguments[1:])
        return int(chosen.run(chosen))
    except SystemExit as ended:
        return int(ended.code or 0) if isinstance(ended.code, int | None) else 2
    except NothingToJudge as said:
        return _said(said, 3)
    except UsageFailure as failure:
        return _said(failure, 2)
    except BrokenPipeError:
        return _reader_left()


def _parsed(parser: ArgumentParser, arguments: list[str]) -> Namespace:
    """The options of a command; files may stand before, between and after them.

    The common order is tried first: the other way formats the usage, which takes longer than parsing.
    """
    chosen, left = parser.parse_known_args(arguments)
    if not left:
        return chosen
    try:
        return parser.parse_intermixed_args(arguments)
    except TypeError:  # a command with commands of its own
        return parser.parse_args(arguments)


def _said(failure: Exception, status: int) -> int:
    from aks_egress_scan.reporters.escaping import visible

    for line in str(failure).splitlines():
        sys.stderr.write(f"aks-egress: {visible(line)}\n")
    return status


def _reader_left() -> int:
    """Whoever read standard output went away before the report was written."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.stderr.write("aks-egress: the report was cut short: standard output was closed\n")
    return 2


def _exists(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(f"aks_egress_scan.commands.{module}") is not None


def _top_help() -> str:
    present = {name: text for name, (module, text) in COMMANDS.items() if _exists(module)}
    width = max(map(len, present), default=0)
    rows = "\n".join(f"  {name:<{width}}  {text}" for name, text in present.items())
    return f"{_HELP_HEAD}\ncommands:\n{rows}\n{_HELP_TAIL}"


def _no_command(given: str) -> str:
    from difflib import get_close_matches
    from pathlib import Path

    from aks_egress_scan.reporters.escaping import visible

    shown = visible(given)
    if given in COMMANDS:
        return f"`{shown}` is not part of this installation"
    if given.startswith("-"):
        return (
            f"the command comes first: `aks-egress scan {shown} ...`; `aks-egress --help` lists the commands"
        )
    near = get_close_matches(given, COMMANDS, 1)
    if near:
        return f"there is no command `{shown}`: did you mean `{near[0]}`?"
    if Path(given).exists():
        return f"there is no command `{shown}`: to judge that file or folder, run `aks-egress scan {shown}`"
    return f"there is no command `{shown}`: `aks-egress --help` lists the commands"
