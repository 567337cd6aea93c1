"""All rules, for whoever lists or explains them; `running` asks the ones that concern a run."""

from __future__ import annotations

from aks_egress.checks import (  # noqa: F401  importing registers the rules
    api_server,
    authorized_ranges,
    cluster_settings,
    endpoints,
    firewalls,
    names_and_proxies,
    near_misses,
    next_hops,
    outdated,
    routing,
    security_rules,
)
from aks_egress.checks.base import RULES, Rule

__all__ = ["RULES", "Rule"]
