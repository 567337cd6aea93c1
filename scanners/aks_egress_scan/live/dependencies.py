"""What clusters say themselves that they need (`outboundNetworkDependenciesEndpoints`), beside the catalogue.

A difference means that one of the two is stale.  Azure's own list is known to be incomplete, so what
it lacks is told once, and what the catalogue lacks is told by name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from aks_egress.requirements.catalogue import load

_HOLE = re.compile(r"\{[^}]*\}|\*")
_DIRECT = {"bootstrap_artifact_source"}
"""What decides over entries that all clusters need but those that are isolated."""
MOST = 12
"""How many names one sentence lists."""

Asked = tuple[str, int]


def differences(found: Mapping[str, Any], cloud: str, isolated: Collection[str] = ()) -> list[str]:
    """One sentence for each kind of difference; `found` is the answer's `value` by cluster.

    `isolated` are the clusters (lower case) that take everything from a registry of their own, and so need nothing else.
    """
    unknown: dict[Asked, set[str]] = {}
    asked: dict[str, set[Asked]] = {
        cluster: {(host, port) for _, host, port in endpoints(rows)} for cluster, rows in found.items()
    }
    for cluster, wanted in asked.items():
        for one in wanted:
            if not _in_catalogue(*one, cloud):
                unknown.setdefault(one, set()).add(cluster)
    said = []
    if unknown:
        names = _listed(f"{host}:{port}" for host, port in sorted(unknown))
        clusters = len(set().union(*unknown.values()))
        said.append(
            f"{_clusters(clusters)} asked for endpoints that the catalogue does not know ({names}): one of the two is stale; open them as well"
        )
    missing = _not_listed([asked[one] for one in asked if one.casefold() not in isolated], cloud)
    if missing:
        said.append(
            f"the clusters' own list of endpoints lacks {_listed(missing)}, which the documentation requires: one of the two is stale; they were judged as required"
        )
    return said


def endpoints(rows: Any) -> Iterator[tuple[str, str, int]]:
    """Category, host name and port of everything that an answer lists; what has another shape is left out."""
    for row in rows if isinstance(rows, list) else ():
        for endpoint in row.get("endpoints") or () if isinstance(row, dict) else ():
            host = endpoint.get("domainName")
            for detail in endpoint.get("endpointDetails") or ():
                if isinstance(host, str) and isinstance(detail.get("port"), int):
                    yield str(row.get("category", "")), host.casefold(), detail["port"]


@cache
def _in_catalogue(host: str, port: int, cloud: str) -> bool:
    domains, tunnels = _tunnels(cloud)
    if host.endswith(domains) and _among(port, tunnels):
        return True
    return any(pattern.fullmatch(host) and _among(port, ports) for pattern, ports, _ in _patterns(cloud))


def _among(port: int, ports: Iterable[tuple[int, int]]) -> bool:
    return any(low <= port <= high for low, high in ports)


@cache
def _tunnels(cloud: str) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    """The domains of API servers, and the ports on which tunnels reach these by address instead of by name."""
    entries = [
        one for one in load().entries if one.role == "tunnel" and (not one.clouds or cloud in one.clouds)
    ]
    kinds = [(entry, one.kind, one.value) for entry in entries for one in entry.destinations]
    domains = {value.rpartition("}")[2].casefold() for _, kind, value in kinds if kind == "fqdn"}
    ports = {port for entry, kind, _ in kinds if kind == "api-server-ip" for port in entry.ports}
    return tuple(sorted(domains)), tuple(sorted(ports))


@cache
def _patterns(cloud: str) -> tuple[tuple[re.Pattern[str], tuple[tuple[int, int], ...], str], ...]:
    """Every host name of the catalogue as a pattern, with its ports and the name if it is asked of every cluster."""
    out = []
    for entry in load().entries:
        if entry.clouds and cloud not in entry.clouds:
            continue
        always = entry.role == "core" and entry.necessity == "required" and set(entry.condition) <= _DIRECT
        for one in entry.destinations:
            if one.kind != "fqdn" or (one.clouds and cloud not in one.clouds):
                continue
            name = one.value if always and not one.when and not _HOLE.search(one.value) else ""
            for spelled in (one.value, *one.alternatives):
                parts = [re.escape(part) for part in _HOLE.split(spelled.casefold())]
                out.append((re.compile(".+".join(parts)), one.ports or entry.ports, name))
    return tuple(out)


def _not_listed(asked: Iterable[set[Asked]], cloud: str) -> list[str]:
    """Names that every cluster needs by the documentation and none of these lists."""
    hosts = {host for wanted in asked for host, _ in wanted}
    needed = {name.casefold() for _, _, name in _patterns(cloud) if name}
    return sorted(needed - hosts) if hosts else []


def _listed(names: Any) -> str:
    every = [f"`{name}`" for name in names]
    more = f" and {len(every) - MOST} more" if len(every) > MOST else ""
    return ", ".join(every[:MOST]) + more


def _clusters(count: int) -> str:
    return "1 cluster" if count == 1 else f"{count} clusters"
