"""Functions of text, regular expressions excepted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from aks_egress_scan.readers.hcl.functions.formats import format_text, formatlist
from aks_egress_scan.readers.hcl.functions.function import Function
from aks_egress_scan.readers.hcl.terms import ExhaustedError, ListTerm, ProblemError, Term

MAX_TEXT: Final = 4 << 20


def _bounded(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise ExhaustedError("a text grows beyond every bound")
    return text


def _join(separator: str, *lists: list[str | None]) -> str:
    words: list[str] = []
    for one in lists:
        for word in one:
            if word is None:
                raise ProblemError("`join` does not take null among its items")
            words.append(word)
    if sum(map(len, words)) + len(separator) * len(words) > MAX_TEXT:
        raise ExhaustedError("a text grows beyond every bound")
    return separator.join(words)


def _split(separator: str, text: str) -> ListTerm:
    return ListTerm(text.split(separator) if separator else list(text))


def _substr(text: str, offset: int, length: int) -> str:
    if offset < 0:
        offset = max(len(text) + offset, 0)
    return text[offset:] if length < 0 else text[offset : offset + length]


def _indent(spaces: int, text: str) -> str:
    if not 0 <= spaces <= 10_000:
        raise ProblemError("`indent` takes a small number of spaces")
    return _bounded(text.replace("\n", "\n" + " " * spaces))


def _title(text: str) -> str:
    return re.sub(r"(?<![\w])\w", lambda found: found[0].upper(), text)


def _trim_prefix(text: str, prefix: str) -> str:
    return text.removeprefix(prefix)


def _trim_suffix(text: str, suffix: str) -> str:
    return text.removesuffix(suffix)


def _sorted(words: list[str]) -> ListTerm:
    if any(word is None for word in words):
        raise ProblemError("`sort` does not take null among its items")
    return ListTerm(sorted(words, key=lambda word: word.encode("utf-8", "replace")))


def _cased(text: str, change: Callable[[str], str]) -> str:
    """Letter by letter; a letter whose other case is two letters stays."""
    if text.isascii():
        return change(text)
    return "".join(other if len(other := change(one)) == 1 else one for one in text)


def _chomp(text: str) -> str:
    return re.sub(r"(?:\r?\n)+\Z", "", text)


def _format(pattern: str, *values: Term) -> str:
    return _bounded(format_text(pattern, list(values)))


FUNCTIONS: Final = (
    Function("chomp", _chomp, ("string",)),
    Function("endswith", lambda text, suffix: text.endswith(suffix), ("string", "string")),
    Function("format", _format, ("string", "any..."), nullable=True),
    Function("formatlist", formatlist, ("string", "any..."), nullable=True),
    Function("indent", _indent, ("number", "string")),
    Function("join", _join, ("string", "strings...")),
    Function("lower", lambda text: _cased(text, str.lower), ("string",)),
    Function("sort", _sorted, ("strings",)),
    Function("split", _split, ("string", "string")),
    Function("startswith", lambda text, prefix: text.startswith(prefix), ("string", "string")),
    Function("strcontains", lambda text, inside: inside in text, ("string", "string")),
    Function("strrev", lambda text: text[::-1], ("string",)),
    Function("substr", _substr, ("string", "number", "number")),
    Function("title", _title, ("string",)),
    Function("trim", lambda text, cut: text.strip(cut) if cut else text, ("string", "string")),
    Function("trimprefix", _trim_prefix, ("string", "string")),
    Function("trimspace", lambda text: text.strip(), ("string",)),
    Function("trimsuffix", _trim_suffix, ("string", "string")),
    Function("upper", lambda text: _cased(text, str.upper), ("string",)),
)
