"""`regex`, `regexall` and `replace`: Go's regular expressions, translated for Python's engine."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from aks_egress.values import Unknown
from aks_egress_scan.readers.hcl.functions.function import Function
from aks_egress_scan.readers.hcl.terms import ExhaustedError, ListTerm, ProblemError, Term

MAX_SUBJECT: Final = 20_000
MAX_PATTERN: Final = 2_000

_CLASSES: Final = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7F",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1F\x7F",
    "digit": "0-9",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_PIECES: Final = re.compile(
    r"\\(?P<escape>.)|\[:(?P<class>\w+):\]|(?P<open>\[\^?\]?)|(?P<close>\])|(?P<end>\$)|\(\?(?P<flags>[a-zA-Z]+)\)|.",
    re.DOTALL,
)
_REPEATED: Final = re.compile(r"(?<!\\)[*+]|\{\d+,\}")


def _translated(pattern: str) -> str:
    """Go's spelling in Python's: `\\z`, POSIX classes, and `$` for the very end."""
    out: list[str] = []
    inside = False
    for found in _PIECES.finditer(pattern):
        piece = found[0]
        if found["escape"] == "z" and not inside:
            piece = r"\Z"
        elif found["class"] and inside:
            if found["class"] not in _CLASSES:
                raise ProblemError(f"`{piece}` is no class of a regular expression")
            piece = _CLASSES[found["class"]]
        elif found["open"] and not inside:
            inside = True
        elif found["open"]:
            piece = piece.replace("[", r"\[", 1)
            inside = not piece.endswith("]")
        elif found["close"]:
            inside = False
        elif found["end"] and not inside and "(?m" not in pattern:
            piece = r"\Z"
        out.append(piece)
    return "".join(out)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    if len(pattern) > MAX_PATTERN:
        raise ProblemError("the regular expression is too long")
    try:
        compiled = re.compile(_translated(pattern), re.ASCII)
    except (re.error, RecursionError, OverflowError):
        raise ProblemError("the regular expression is broken") from None
    if re.search(r"\\[1-9]|\(\?<?[=!]|\(\?>|\(\?P=|[*+?}]\+", pattern):
        raise ProblemError("the regular expression uses what Terraform does not know")
    return compiled


_COSTLY: Final = Unknown("a regular expression would take too long to try", settle="a plan")


def _affordable(pattern: str, text: str) -> bool:
    """Whether a pattern can be tried on a text without the risk of taking for ever.

    Repeats within repeats may take exponential time, several repeats in a row a power of the length.
    """
    if len(text) > 30 and re.search(r"[*+}][^()\[\]]{0,40}\)[*+{]", pattern):
        return False
    repeats = min(len(_REPEATED.findall(pattern)), 4)
    return len(text) <= MAX_SUBJECT and len(text) ** max(repeats - 1, 0) <= 10**9


def _shaped(found: re.Match[str]) -> Any:
    if found.re.groupindex:
        if len(found.re.groupindex) != found.re.groups:
            raise ProblemError("the regular expression mixes groups with and without a name")
        return {name: found[name] for name in found.re.groupindex}
    return list(found.groups()) if found.re.groups else found[0]


def _regex(pattern: str, text: str) -> Term:
    compiled = _compiled(pattern)
    if not _affordable(pattern, text):
        return _COSTLY
    found = compiled.search(text)
    if found is None:
        raise ProblemError("the regular expression does not match")
    shaped: Term = _shaped(found)
    return shaped


def _regexall(pattern: str, text: str) -> Term:
    compiled = _compiled(pattern)
    if not _affordable(pattern, text):
        return _COSTLY
    return ListTerm(_shaped(found) for found in compiled.finditer(text))


def _replace(text: str, old: str, new: str) -> Term:
    if len(old) > 1 and old.startswith("/") and old.endswith("/"):
        compiled = _compiled(old[1:-1])
        if not _affordable(old[1:-1], text):
            return _COSTLY
        return compiled.sub(lambda found: _expanded(new, found), text)
    if len(text) * max(1, len(new)) > 1 << 24:
        raise ExhaustedError("a text grows beyond every bound")
    return text.replace(old, new)


def _expanded(template: str, found: re.Match[str]) -> str:
    def group(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name == "$":
            return "$"
        if name.isdecimal():
            return found[int(name)] or "" if int(name) <= found.re.groups else ""
        return found[name] or "" if name in found.re.groupindex else ""

    return re.sub(r"\$(?:\{(\w+)\}|(\w+|\$))", group, template)


FUNCTIONS: Final = (
    Function("regex", _regex, ("string", "string")),
    Function("regexall", _regexall, ("string", "string")),
    Function("replace", _replace, ("string", "string", "string")),
)
