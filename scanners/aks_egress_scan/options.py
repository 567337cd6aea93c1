"""The options that every evaluating command shares, and where each value comes from.

An option's value is the one on the command line, else `AKS_EGRESS_<OPTION>` in the environment, else
the configuration file's, else the default.  `Choices` answers for all four.
"""

from __future__ import annotations

import os
from argparse import Action, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from aks_egress.records import record
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.reporters.escaping import visible

FORMATS = ("text", "json", "sarif", "junit", "markdown", "github", "html")
CLOUDS = ("public", "china", "usgov")
TUNNELS = ("auto", "konnectivity", "aks-link", "tunnelfront")
FAIL_ON = ("error", "warning", "never")
UNKNOWN = ("fail", "warn", "pass")
COLORS = ("auto", "always", "never")

#: option -> what it may be, for values that the environment or the configuration gives
_VOCABULARY: Mapping[str, Sequence[str]] = {
    "format": FORMATS,
    "cloud": CLOUDS,
    "tunnel": TUNNELS,
    "fail-on": FAIL_ON,
    "unknown": UNKNOWN,
    "color": COLORS,
}


@record(frozen=True, slots=True)
class Output:
    """One report to write: its format, and the file (`-` for standard output)."""

    format: str
    file: str = "-"


class Help(RawDescriptionHelpFormatter):
    """Help as wide as the terminal, found out without the imports that the standard way costs."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=_columns())


def _columns() -> int:
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and len(said) < 6:
        return max(60, int(said) - 2)
    try:
        return max(60, min(120, os.get_terminal_size().columns - 2))
    except OSError:
        return 98


class Parser(ArgumentParser):
    """A parser whose errors quote arguments harmlessly: they may be names of files that somebody else gave."""

    def error(self, message: str) -> NoReturn:
        """End the run with exit 2."""
        super().error(visible(message))


class _Format(Action):
    """`--format F`: one more report; the `-o` that follows says where it goes."""

    def __call__(
        self, _parser: ArgumentParser, namespace: Namespace, values: Any, _option: str | None = None
    ) -> None:
        namespace.outputs = [*(namespace.outputs or ()), Output(values)]


class _File(Action):
    """`-o FILE`: where the format before it goes."""

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: Any, option: str | None = None
    ) -> None:
        outputs = list(namespace.outputs or [Output("")])
        if outputs[-1].file != "-":
            parser.error(f"`{option} {values}` has no `--format` of its own before it")
        namespace.outputs = [*outputs[:-1], Output(outputs[-1].format, values)]


def add_outputs(parser: ArgumentParser) -> None:
    """`--format` and `-o`."""
    group = parser.add_argument_group("report")
    group.add_argument(
        "--format",
        action=_Format,
        dest="outputs",
        choices=FORMATS,
        help="repeatable, each with the -o that follows it; default text",
    )
    group.add_argument(
        "-o",
        "--output",
        action=_File,
        dest="outputs",
        metavar="FILE",
        help="where the format before it goes; - is standard output",
    )
    group.add_argument(
        "--show-suppressed",
        action="store_true",
        default=None,
        help="list suppressed findings in the text report",
    )
    group.add_argument("--color", choices=COLORS, help="colour in the text report; NO_COLOR is honoured")


def add_inputs(parser: ArgumentParser) -> None:
    """What is judged, and what completes the picture."""
    group = parser.add_argument_group("inputs")
    group.add_argument(
        "--context",
        action="append",
        metavar="PATH",
        help="definitions that complete the picture (a hub, a snapshot) without being judged; repeatable",
    )
    group.add_argument(
        "--param",
        action="append",
        metavar="FILE|NAME=VALUE",
        help="template parameters or Terraform variables; repeatable",
    )
    group.add_argument(
        "--service-tags",
        metavar="FILE",
        help="the service-tag JSON that Microsoft publishes; default: the cached one",
    )
    group.add_argument(
        "--config", metavar="FILE", help="default aks-egress.toml, then [tool.aks-egress] in pyproject.toml"
    )
    group.add_argument(
        "--bicep-cli",
        metavar="PATH|auto",
        help="compile Bicep with this CLI, auto: the one that is installed; default: Bicep is read without any",
    )
    group.add_argument("--max-size", type=int, metavar="MIB", help="refuse larger files; default 256")


def add_cluster_choices(parser: ArgumentParser) -> None:
    """What is assumed of the clusters."""
    group = parser.add_argument_group("clusters")
    group.add_argument(
        "--cluster", action="append", metavar="NAME", help="judge only these clusters; repeatable"
    )
    group.add_argument(
        "--cloud", choices=CLOUDS, help="default: from the definitions, else public; `audit` asks public"
    )
    group.add_argument(
        "--tunnel", choices=TUNNELS, help="default auto: konnectivity where nothing speaks against it"
    )
    group.add_argument(
        "--feature",
        action="append",
        metavar="NAME",
        help="a feature whose endpoints are needed (gpu, windows, defender, ...); repeatable",
    )


def add_verdict_choices(parser: ArgumentParser) -> None:
    """What makes the run fail."""
    group = parser.add_argument_group("exit status")
    group.add_argument("--baseline", metavar="FILE", help="findings already known; only new ones count")
    group.add_argument(
        "--no-suppressions",
        action="store_true",
        default=None,
        help="count findings although somebody accepted them",
    )
    group.add_argument(
        "--fail-on", choices=FAIL_ON, help="findings that make the exit status 1; default error"
    )
    group.add_argument(
        "--unknown", choices=UNKNOWN, help="fail (default): an undecided required flow exits 4"
    )


def add_shared(parser: ArgumentParser) -> None:
    """Every option that evaluating commands share."""
    add_inputs(parser)
    add_cluster_choices(parser)
    add_outputs(parser)
    add_verdict_choices(parser)


class Choices:
    """The value of every option: command line, then environment, then configuration, then default."""

    def __init__(
        self,
        chosen: Namespace,
        configured: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._chosen, self._environment = chosen, environment
        self._configured = configured or {}

    def configure(self, configured: Mapping[str, Any]) -> None:
        """Take the configuration's values into account from now on."""
        self._configured = configured

    def one(self, option: str, default: str = "") -> str:
        """The value of an option that is given once."""
        chosen = getattr(self._chosen, option.replace("-", "_"), None)
        if chosen is not None:
            return str(chosen)
        variable = variable_of(option)
        if self._environment.get(variable, "").strip():
            return _checked(option, self._environment[variable].strip(), f"environment variable `{variable}`")
        return str(self._configured.get(option, default))

    def many(self, option: str) -> tuple[str, ...]:
        """The values of a repeatable option; the environment gives one a line (names also with commas)."""
        chosen = getattr(self._chosen, option.replace("-", "_"), None)
        if chosen is not None:
            return tuple(chosen)
        given = self._environment.get(variable_of(option), "")
        if option in ("cluster", "feature"):
            given = given.replace(",", "\n")
        if given.strip():
            return tuple(line.strip() for line in given.splitlines() if line.strip())
        return tuple(str(one) for one in self._configured.get(option, ()))

    def flag(self, option: str) -> bool:
        """Whether an option without a value is on."""
        chosen = getattr(self._chosen, option.replace("-", "_"), None)
        if chosen is not None:
            return bool(chosen)
        variable = variable_of(option)
        said = self._environment.get(variable, "").strip().casefold()
        if said in ("1", "true", "yes", "on"):
            return True
        if said in ("0", "false", "no", "off"):
            return False
        if said:
            raise UsageFailure(f"environment variable `{variable}`: `{said}` is neither true nor false")
        return bool(self._configured.get(option, False))

    def number(self, option: str, default: int) -> int:
        """The value of an option that is a whole number from 1."""
        said = self.one(option, str(default))
        if not (said.isascii() and said.isdecimal() and len(said) <= 6 and int(said)):
            raise UsageFailure(f"`--{option}` is a whole number from 1 to 999999, not `{said[:20]}`")
        return int(said)

    def outputs(self) -> tuple[Output, ...]:
        """The reports to write; at most one of them to standard output."""
        chosen = getattr(self._chosen, "outputs", None)
        if chosen is None:
            file = self._environment.get(variable_of("output"), "").strip() or str(
                self._configured.get("output", "-")
            )
            chosen = [Output("", file)]
        default = self._environment.get(variable_of("format"), "").strip()
        if default:
            _checked("format", default, f"environment variable `{variable_of('format')}`")
        default = default or str(self._configured.get("format", "text"))
        found = tuple(Output(one.format or default, one.file) for one in chosen)
        if sum(one.file == "-" for one in found) > 1:
            raise UsageFailure(
                "two reports cannot share standard output: give all but one a file of its own with `-o FILE`"
            )
        files = [one.file if one.file == "-" else os.path.realpath(one.file) for one in found]
        if len(set(files)) < len(files):
            raise UsageFailure("two reports would be written to the same file")
        return found


#: every option that the environment can give
OPTIONS = [
    "baseline",
    "bicep-cli",
    "cache-dir",
    "changed",
    "cloud",
    "cluster",
    "color",
    "config",
    "context",
    "credential",
    "effective",
    "fail-on",
    "feature",
    "format",
    "fresh",
    "inputs",
    "management-group",
    "max-size",
    "no-suppressions",
    "output",
    "param",
    "quiet",
    "resource-group",
    "service-tags",
    "show-suppressed",
    "subscription",
    "tenant",
    "tunnel",
    "unknown",
    "workers",
]


def stray_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Variables that look like options of ours and are none: most likely misspelt, and without effect."""
    known = {variable_of(option) for option in OPTIONS}
    return sorted(name for name in environment if name.startswith("AKS_EGRESS_") and name not in known)


def variable_of(option: str) -> str:
    """The environment variable of an option."""
    return f"AKS_EGRESS_{option.replace('-', '_').upper()}"


def _checked(option: str, value: str, where: str) -> str:
    known = _VOCABULARY.get(option)
    if known is None or value in known:
        return value
    raise UsageFailure(f"{where}: `{value}` is none of {', '.join(known)}")
