"""Endpoints that people need beside the catalogue's, as requirements."""

from __future__ import annotations

from collections.abc import Iterable

from aks_egress.requirements.requirement import Ports, Requirement
from aks_egress.settings import OwnRequirement

_LAYER7: dict[Ports, str] = {((443, 443),): "https", ((80, 80),): "http"}


def own_requirements(declared: Iterable[OwnRequirement], cluster: str) -> list[Requirement]:
    """The declared endpoints that concern a cluster."""
    return [_requirement(one) for one in declared if not one.clusters or _named(cluster, one.clusters)]


def _named(cluster: str, names: Iterable[str]) -> bool:
    return cluster.casefold() in {name.casefold() for name in names}


def _requirement(one: OwnRequirement) -> Requirement:
    by_name = one.kind == "fqdn"
    return Requirement(
        id=one.id,
        title=one.title or one.value,
        role="feature",
        necessity=one.necessity,
        needed=True,
        kind=one.kind,
        value=one.value,
        protocol=one.protocol.upper(),
        ports=one.ports,
        sources=frozenset(one.start),
        lies_in=(one.value,) if one.kind == "service-tag" else one.lies_in,
        name=one.value if by_name else "",
        layer7=_LAYER7.get(one.ports, "") if by_name and one.protocol.upper() == "TCP" else "",
        addresses=(one.value,) if one.kind == "ip" else (),
        breaks=one.breaks,
        assumptions=("the requirement is declared in the configuration",),
    )
