"""What the extensions and Flux configurations beside a cluster say about the endpoints they need."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aks_egress.arm.resources import Resource
from aks_egress.requirements.known import DEFAULT, Fact
from aks_egress.values import Unknown, text

EXTENSIONS = "microsoft.kubernetesconfiguration/extensions"
FLUX = "microsoft.kubernetesconfiguration/fluxconfigurations"

#: fact -> the extension's type
_TYPES: Mapping[str, str] = {
    "flux": "microsoft.flux",
    "dapr": "microsoft.dapr",
    "backup": "microsoft.dataprotection.kubernetes",
}
_HOST = r"(?:[a-z+]+://)?(?:[^@/]+@)?([a-z0-9.-]+)(?::\d+)?[:/]"

Found = bool | Unknown


def extension_facts(
    extensions: Sequence[Resource], unread: Mapping[str, Unknown]
) -> tuple[dict[str, Fact], tuple[str, ...]]:
    """The facts about extensions, and the hosts that Flux takes its sources from.

    `unread` is that of the cluster's document: what could not be read may hold an extension.
    """
    gaps = {kind.casefold(): why for kind, why in unread.items()}
    gap = gaps.get(EXTENSIONS) or gaps.get("*")
    found: dict[str, Found] = dict.fromkeys(
        ("any_cluster_extension", "marketplace_extension", *_TYPES), gap or False
    )
    hosts: list[str] = []
    for one in extensions:
        there: Found = one.uncertain or True
        _add(found, "any_cluster_extension", there)
        if one.kind == FLUX:
            _add(found, "flux", there)
            hosts.extend(_hosts(one))
            continue
        if one.get("plan"):
            _add(found, "marketplace_extension", there)
        kind = text(one.prop("extensionType"))
        for name, wanted in _TYPES.items():
            if isinstance(kind, Unknown):
                _add(found, name, kind)
            elif (kind or "").casefold() == wanted:
                _add(found, name, there)
    where = "extensions of the cluster" if extensions else DEFAULT
    facts = {name: Fact(value, where if value is not False else DEFAULT) for name, value in found.items()}
    return facts, tuple(dict.fromkeys(hosts))


def _add(found: dict[str, Found], name: str, value: Found) -> None:
    if found[name] is not True:
        found[name] = value


def _hosts(configuration: Resource) -> list[str]:
    out = []
    for kind in ("gitRepository", "ociRepository", "bucket"):
        url = text(configuration.prop(kind, "url"))
        named = re.match(_HOST, url + "/", re.IGNORECASE) if isinstance(url, str) else None
        if named:
            out.append(named[1].casefold())
    return out
