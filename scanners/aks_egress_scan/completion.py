"""Shell completion, made from the parsers of the commands, so that it cannot disagree with them."""

from __future__ import annotations

from argparse import Action, ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from aks_egress.records import record

PROGRAM: Final = "aks-egress"

#: metavars of values that are files or folders
_FILES: Final = (
    "FILE",
    "PATH",
    "DIR",
    "FOLDER",
    "BEFORE",
    "AFTER",
    "URL|FILE",
    "FILE|NAME=VALUE",
    "PATH|auto",
)


@record(frozen=True, slots=True)
class Option:
    """One option: its spellings, its values where there are few, and whether a file is asked for."""

    names: tuple[str, ...]
    help: str
    takes_value: bool
    values: tuple[str, ...] = ()
    files: bool = False


@record(frozen=True, slots=True)
class Command:
    """One command: its options, the words that may stand without a dash, and whether these may be files."""

    name: str
    help: str
    options: tuple[Option, ...]
    words: tuple[str, ...] = ()
    files: bool = False


def commands(parsers: Mapping[str, tuple[ArgumentParser, str]]) -> list[Command]:
    """What the parsers take; those of a command with commands of its own are taken together."""
    return [_command(name, *one) for name, one in parsers.items()]


def _command(name: str, parser: ArgumentParser, help_: str) -> Command:
    actions = list(_actions(parser))
    options = {one.option_strings[0]: _option(one) for one in actions if one.option_strings}
    positional = [one for one in actions if not one.option_strings]
    words = tuple(str(word) for one in positional for word in one.choices or ())
    files = any(not one.choices and _is_file(one) for one in positional)
    return Command(name, help_, tuple(options.values()), words, files)


def _actions(parser: ArgumentParser) -> Iterator[Action]:
    for action in parser._actions:
        yield action
        if isinstance(action.choices, Mapping):
            for inner in action.choices.values():
                yield from _actions(inner)


def _option(action: Action) -> Option:
    values = tuple(str(one) for one in action.choices or ())
    takes = action.nargs != 0
    return Option(
        tuple(action.option_strings), _plain(action.help or ""), takes, values, takes and _is_file(action)
    )


def _is_file(action: Action) -> bool:
    return str(action.metavar or "") in _FILES


def _plain(said: str) -> str:
    """One line without what shells would read."""
    return " ".join("".join(" " if one in "'\"`$\\[]:" else one for one in said).split())


def bash(found: Sequence[Command]) -> str:
    """For `source <(aks-egress completion bash)`."""
    names = " ".join(one.name for one in found)
    values, words = [], []
    for one in found:
        for option in one.options:
            patterns = "|".join(f'"{one.name} {name}"' for name in option.names)
            if option.values:
                values.append(f'    {patterns}) _aks_egress_words "{" ".join(option.values)}"; return;;')
            elif option.files:
                values.append(f"    {patterns}) _aks_egress_files; return;;")
            elif option.takes_value:
                values.append(f"    {patterns}) return;;")
        spelled = " ".join(name for option in one.options for name in option.names)
        words.append(
            f'    {one.name}) options="{spelled}"; words="{" ".join(one.words)}"; files={int(one.files)};;'
        )
    return f"""\
_aks_egress_words() {{ COMPREPLY=($(compgen -W "$1" -- "${{COMP_WORDS[COMP_CWORD]}}")); }}
_aks_egress_files() {{
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
_aks_egress() {{
  local options= words= files=0
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then _aks_egress_words "{names} --help --version"; return; fi
  case "${{COMP_WORDS[1]}} ${{COMP_WORDS[COMP_CWORD-1]}}" in
{chr(10).join(values)}
  esac
  case "${{COMP_WORDS[1]}}" in
{chr(10).join(words)}
    *) return;;
  esac
  case "${{COMP_WORDS[COMP_CWORD]}}" in
    -*) _aks_egress_words "$options";;
    *)
      if [ -n "$words" ] && [ "$COMP_CWORD" -eq 2 ]; then _aks_egress_words "$words"
      elif [ "$files" -eq 1 ]; then _aks_egress_files; fi;;
  esac
}}
complete -F _aks_egress {PROGRAM}
"""


def zsh(found: Sequence[Command]) -> str:
    """For a file `_aks-egress` in `$fpath`, or `source <(aks-egress completion zsh)`."""
    names = "\n".join(f"    '{one.name}:{_plain(one.help)}'" for one in found)
    cases = "\n".join(f"    {one.name}) _arguments -s {' '.join(_zsh_arguments(one))};;" for one in found)
    return f"""\
#compdef {PROGRAM}
_aks_egress() {{
  local -a commands
  commands=(
{names}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
{cases}
  esac
}}
if [ "$funcstack[1]" = _aks_egress ]; then _aks_egress "$@"; else compdef _aks_egress {PROGRAM}; fi
"""


def _zsh_arguments(command: Command) -> Iterator[str]:
    for option in command.options:
        value = (
            f":value:({' '.join(option.values)})"
            if option.values
            else ":file:_files"
            if option.files
            else ":value: "
        )
        for name in option.names:
            yield f"'*{name}[{option.help}]{value if option.takes_value else ''}'"
    if command.words:
        yield f"'*:word:({' '.join(command.words)})'"
    elif command.files:
        yield "'*:file:_files'"


def fish(found: Sequence[Command]) -> str:
    """For `aks-egress completion fish | source`."""
    lines = [f"complete -c {PROGRAM} -f"]
    for one in found:
        lines.append(f"complete -c {PROGRAM} -n __fish_use_subcommand -a {one.name} -d '{_plain(one.help)}'")
        seen = f"complete -c {PROGRAM} -n '__fish_seen_subcommand_from {one.name}'"
        if one.words:
            lines.append(f"{seen} -a '{' '.join(one.words)}'")
        elif one.files:
            lines.append(f"{seen} -F")
        lines += [f"{seen} {_fish_option(option)}" for option in one.options]
    return "\n".join(lines) + "\n"


def _fish_option(option: Option) -> str:
    names = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names]
    value = f"-x -a '{' '.join(option.values)}'" if option.values else "-r -F" if option.files else "-x"
    return " ".join([*names, *([value] if option.takes_value else []), f"-d '{option.help}'"])


SHELLS: Final[Mapping[str, Callable[[Sequence[Command]], str]]] = {"bash": bash, "zsh": zsh, "fish": fish}
