"""How the rules of an Azure Firewall read a host name: patterns, FQDN tags, and what they look at.

Facts F16, U18 (Microsoft: firewall/fqdn-tags, FAQ, "How do wildcards work in target FQDNs").
"""

from __future__ import annotations

from collections.abc import Iterable

from aks_egress.evaluation.demand import Demand
from aks_egress.packets.names import Match, covers
from aks_egress.topology.firewalls import FirewallRule

AKS_TAG = "azurekubernetesservice"
TLS_DEFAULT_PORTS = {"https": 443, "http": 80, "mssql": 1433}


def tag_only(rule: FirewallRule, demand: Demand) -> bool:
    """Whether a rule covers the name by FQDN tags alone."""
    return bool(rule.fqdn_tags.known) and not any(
        covers(one, demand.name) is Match.YES for one in rule.fqdns.known
    )


def fqdn_tag(tag: str, demand: Demand) -> Match:
    """Whether an FQDN tag holds the name."""
    if tag.casefold() == AKS_TAG:
        return {True: Match.YES, False: Match.NO, None: Match.MAYBE}[demand.in_fqdn_tag]
    return Match.MAYBE if _may_hold(tag, demand.name) else Match.NO


def _may_hold(tag: str, name: str) -> bool:
    """Whether another FQDN tag could hold a name; their content is Microsoft's and not published."""
    if tag.casefold() in ("windowsupdate", "windowsdiagnostics"):
        return any(part in name.casefold() for part in _OF_WINDOWS)
    return True


def domain(name: str, patterns: Iterable[str]) -> str:
    """The name without its first label, where no rule looks at that: clusters' own names differ in nothing else."""
    folded = name.strip().rstrip(".").casefold()
    label, dot, rest = folded.partition(".")
    tail = f".{rest}"
    if (
        not dot
        or not label
        or set(label) & _SPECIAL
        or any(one in folded and one not in tail for one in _OF_WINDOWS)
    ):
        return name
    return name if any(_looks_at(tail, one) for one in patterns) else f"?{tail}"


_OF_WINDOWS = ("windowsupdate", "microsoft.com", "msftconnecttest", "msedge")
_SPECIAL = frozenset("*{}? ")


def _looks_at(tail: str, pattern: str) -> bool:
    """Whether a pattern's answer for a name that ends in `tail` hangs on what stands before it."""
    if not pattern.startswith("*"):
        return pattern.endswith(tail)
    fixed = pattern[1:]
    return fixed.endswith(tail) and fixed != tail
