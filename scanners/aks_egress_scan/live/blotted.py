"""Texts from logs and servers without what signs somebody in: tokens, passwords, keys and signatures."""

from __future__ import annotations

import re

BLOT = "[blotted out]"

_SECRETS = (
    # a JSON web token, wherever it stands
    re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?"),
    re.compile(r"(?<=\bBearer )\s*[\w.~+/=-]{8,}", re.IGNORECASE),
    re.compile(r"(?<=\bBasic )\s*[\w+/=-]{8,}", re.IGNORECASE),
    # what follows such a name: `sig=…`, `"password": "…"`, `AccountKey=…`
    re.compile(
        r"(?P<name>\b(?:[\w-]*(?:password|passwd|secret|token|api[_-]?key|accountkey|sharedaccesskey)|sig|pwd)"
        r"[\"']?\s*[=:]\s*[\"']?)(?!\[blotted)[^\s\"'&,;}]{4,}",
        re.IGNORECASE,
    ),
    # a login in an address
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL),
)


def blotted(text: str) -> str:
    """The text with `[blotted out]` in place of every secret that is known by its shape or its name."""
    for pattern in _SECRETS:
        text = pattern.sub(_blot, text)
    return text


def _blot(match: re.Match[str]) -> str:
    return (match.groupdict().get("name") or "") + BLOT
