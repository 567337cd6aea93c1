"""`aks-egress completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from aks_egress_scan.options import Help

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_DESCRIPTION = (
    "Prints a script that completes commands, options and their values, made from the commands themselves."
)

_EXAMPLES = """\
examples:
  source <(aks-egress completion bash)                              in ~/.bashrc
  aks-egress completion zsh > "${fpath[1]}/_aks-egress"
  aks-egress completion fish > ~/.config/fish/completions/aks-egress.fish
"""


def register(subparsers: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "completion", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=Help
    )
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))
    parser.set_defaults(run=run)


def run(chosen: Namespace) -> int:
    """Print the script."""
    from aks_egress_scan.cli import present
    from aks_egress_scan.completion import SHELLS, commands
    from aks_egress_scan.output import write_text

    parsers = ArgumentParser(prog="aks-egress", add_help=False).add_subparsers(prog="aks-egress")
    helps = {}
    for name, (module, text) in present().items():
        module.register(parsers)
        helps[name] = text
    write_text(
        SHELLS[chosen.shell](commands({name: (parsers.choices[name], helps[name]) for name in helps})), "-"
    )
    return 0
