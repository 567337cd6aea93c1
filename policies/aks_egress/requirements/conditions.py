"""Whether a cluster needs an entry: yes, no, or unknown where its definition leaves that open.

A condition is data: names of facts, each with the values that are wanted (one of them is enough).
All facts must hold.  Facts about pools (`os`, `os_sku`, `gpu_pool`, `artifact_streaming`) must hold
for one and the same pool.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aks_egress.requirements.catalogue import Condition, Entry, Scope
from aks_egress.requirements.facts import Facts
from aks_egress.requirements.known import Fact
from aks_egress.requirements.pools import POOL_KEYS, PoolFacts
from aks_egress.requirements.tunnel import agents_present, tunnel_mode
from aks_egress.values import Unknown

Answer = bool | Unknown


def needed(entry: Entry | Scope, facts: Facts) -> Answer:
    """Whether the cluster needs the entry; Unknown names what the definition leaves open."""
    return facts.cloud in entry.clouds and holds(entry.condition, facts)


def holds(condition: Condition, facts: Facts) -> Answer:
    """Whether every fact of a condition holds."""
    alone = {key: wanted for key, wanted in condition.items() if key not in POOL_KEYS}
    of_pools = {key: wanted for key, wanted in condition.items() if key in POOL_KEYS}
    answers = [_is(value_of(key, facts), wanted) for key, wanted in alone.items()]
    if of_pools:
        answers.append(_some_pool(of_pools, facts))
    return every(answers)


def concerned(condition: Condition, facts: Facts) -> tuple[str, ...] | None:
    """The names of the only pools that a condition speaks of; None where it is all of them."""
    of_pools = {key: wanted for key, wanted in condition.items() if key in POOL_KEYS}
    if not of_pools or _by_feature(of_pools, facts) or not all(pool.name for pool in facts.pools):
        return None
    chosen = [pool.name for pool in facts.pools if _pool_holds(of_pools, pool) is not False]
    return None if len(chosen) == len(facts.pools) else tuple(chosen)


def value_of(key: str, facts: Facts) -> bool | str | Unknown:
    """The value of a fact that conditions name; KeyError for a name that does not exist."""
    match key:
        case "tunnel_mode":
            return tunnel_mode(facts, facts.tunnel).mode
        case "konnectivity_present":
            return agents_present(facts)
        case "vnet_dns":
            servers = facts.dns_servers
            return servers if isinstance(servers, Unknown) else "custom" if servers else "default"
        case "http_proxy":
            return facts.proxy.on
        case _:
            return facts.fact(key).value


def every(answers: Iterable[Answer]) -> Answer:
    """False where one is false, else Unknown where one is open."""
    open_: Unknown | None = None
    for answer in answers:
        if answer is False:
            return False
        if isinstance(answer, Unknown):
            open_ = open_ or answer
    return open_ or True


def _is(value: bool | str | Unknown, wanted: Any) -> Answer:
    if isinstance(value, Unknown):
        return value
    if isinstance(wanted, bool):
        return value is wanted
    return str(value).casefold() in [one.casefold() for one in wanted]


def _some_pool(condition: Mapping[str, Any], facts: Facts) -> Answer:
    if _by_feature(condition, facts):
        return True
    answers = [_pool_holds(condition, pool) for pool in facts.pools]
    if True in answers:
        return True
    return next((one for one in answers if isinstance(one, Unknown)), facts.pools_gap) or False


def _pool_holds(condition: Mapping[str, Any], pool: PoolFacts) -> Answer:
    return every(_is(pool.said(key), wanted) for key, wanted in condition.items())


def _by_feature(condition: Mapping[str, Any], facts: Facts) -> bool:
    """Whether `--feature` says that there are such pools, whatever the definition shows."""
    return all(
        facts.known.get("windows" if wanted == ["windows"] else key, _ABSENT).value is True
        for key, wanted in condition.items()
    )


_ABSENT = Fact(False, "")
