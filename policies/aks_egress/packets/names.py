"""Host names as Azure Firewall's application rules match them.

`*` stands only at the far left: `*.contoso.com` is every name ending in `.contoso.com` and not
`contoso.com` itself, `*contoso.com` every name ending in `contoso.com`, `*` every name.  Names
ignore case.  Source: Azure Firewall FAQ, "How do wildcards work in target FQDNs".
"""

from __future__ import annotations

from enum import Enum


class Match(Enum):
    """Whether something is covered, given what is known."""

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"

    def __or__(self, other: Match) -> Match:
        """Covered by either of two."""
        if Match.YES in (self, other):
            return Match.YES
        return Match.MAYBE if Match.MAYBE in (self, other) else Match.NO

    def __and__(self, other: Match) -> Match:
        """Covered by both."""
        if Match.NO in (self, other):
            return Match.NO
        return Match.MAYBE if Match.MAYBE in (self, other) else Match.YES


def well_formed(pattern: str) -> bool:
    """Whether Azure Firewall takes the pattern: one `*` at most, at the far left."""
    rest = pattern.strip().removeprefix("*")
    return pattern.strip() == "*" or (bool(rest.strip(".")) and "*" not in rest and ".." not in rest)


def covers(rule: str, wanted: str) -> Match:
    """Whether a rule's pattern covers the wanted name, or all names of a wanted `*.` pattern.

    MAYBE where the rule covers some names of a wanted pattern and not others: AKS uses one of
    them, and nobody can say which.  A part written in braces (`{region}`) is not known.
    """
    if not well_formed(rule):
        return Match.NO
    rule, wanted = _folded(rule), _folded(wanted)
    if "{" in wanted:
        return _covers_open(rule, wanted)
    if not wanted.startswith("*"):
        return Match.YES if _matches(rule, wanted) else Match.NO
    tail = wanted[1:]
    if rule.startswith("*"):
        if tail.endswith(rule[1:]):
            return Match.YES
        return Match.MAYBE if rule[1:].endswith(tail) else Match.NO
    return Match.MAYBE if rule.endswith(tail) and len(rule) > len(tail) else Match.NO


def _covers_open(rule: str, wanted: str) -> Match:
    """The same for a name of which a part, written `{region}`, is not known: that part may be anything."""
    tail = wanted[wanted.rfind("}") + 1 :]
    tail = "" if "{" in tail else tail  # a part that nothing closes goes on to the end
    if not rule.startswith("*"):
        return Match.MAYBE if rule.endswith(tail) else Match.NO
    if tail.endswith(rule[1:]):
        return Match.YES
    return Match.MAYBE if rule[1:].endswith(tail) else Match.NO


def _matches(rule: str, name: str) -> bool:
    return name.endswith(rule[1:]) if rule.startswith("*") else rule == name


def _folded(name: str) -> str:
    return name.strip().rstrip(".").casefold()
