"""The catalogue as a page for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from aks_egress.requirements.catalogue import Catalogue, Condition, Destination, Entry, load

TARGET = "docs/catalogue.md"

SECTIONS = {
    "tunnel": (
        "The tunnel",
        "What the control plane needs to reach nodes and pods: `kubectl logs`, `exec` and their like.",
    ),
    "core": ("Every cluster", "What nodes need to start, to stay up and to be updated."),
    "platform": (
        "Addresses of the platform",
        "They are reached past routes, and security rules stop them only by name.",
    ),
    "east-west": ("Inside the network", "What nodes and pods need of each other."),
    "feature": ("Features", "Needed once a cluster uses them."),
}

CLOUDS = {"public": "public", "china": "21Vianet", "usgov": "US Government"}

#: a condition's key -> how to say it; `{}` is the wanted word
PHRASES = {
    "api_access": {
        "public": "public API server",
        "private_link": "private API server",
        "vnet_integration": "VNet integration",
    },
    "tunnel_mode": "tunnel {}",
    "konnectivity_present": {False: "no konnectivity agents"},
    "os": {"linux": "Linux nodes", "windows": "Windows nodes"},
    "os_sku": "{} nodes",
    "node_os_upgrade_channel": "node OS channel {}",
    "vnet_dns": {"custom": "DNS servers of the network's own"},
    "bootstrap_artifact_source": {
        "Direct": "artifacts from Microsoft's registry",
        "Cache": "artifacts from a private registry",
    },
    "network_plugin": "network plugin {}",
    "pod_network": {"overlay": "CNI Overlay", "kubenet": "kubenet", "pod-subnet": "subnets for pods"},
    "gpu_pool": {True: "GPU nodes"},
    "node_image_before_2021_03": {True: "node images from before March 2021"},
    "workloads_call_api_server": {True: "pods call the API server"},
    "pods_annotated_set_kube_service_host_fqdn": {False: "without the annotation for its name"},
    "http_proxy": {True: "an HTTP proxy"},
    "dns_over_tcp": {True: "LocalDNS over TCP"},
    "istio_key_vault": {True: "Istio with Key Vault"},
    "app_routing_key_vault": {True: "application routing with Key Vault"},
    "keyvault_private_endpoint": {False: "vaults with public endpoints"},
    "ingestion_private_link": {False: "no private link scope"},
    "acr_data_endpoints": {True: "dedicated data endpoints", False: "no dedicated data endpoints"},
}


def render() -> str:
    """The page as Markdown."""
    return "\n".join([*_page(load()), ""])


def _page(catalogue: Catalogue) -> Iterator[str]:
    yield "# The catalogue\n"
    yield (
        f"What AKS needs from the network, as of {catalogue.date}: {len(catalogue.entries)} entries, each with its source. "
        "`aks-egress endpoints` binds them to one cluster. This page is generated from "
        "`policies/aks_egress/requirements/catalogue.json`.\n"
    )
    for role, (title, says) in SECTIONS.items():
        yield f"## {title}\n"
        yield f"{says}\n"
        yield "| entry | to | over | needed | what breaks without it |"
        yield "| --- | --- | --- | --- | --- |"
        yield from (_row(one) for one in catalogue.entries if one.role == role)
        yield ""
    yield from _notes(catalogue)
    yield from _errors(catalogue)
    yield from _sources(catalogue)


def _row(entry: Entry) -> str:
    name = f"`{entry.id}`<br>{entry.title}"
    to = "<br>".join(_destination(one) for one in entry.destinations)
    breaks = "; ".join(entry.breaks)
    return "| " + " | ".join(map(_cell, (name, to, _over(entry), _needed(entry), breaks))) + " |"


def _destination(one: Destination) -> str:
    said = f"as `{one.value}`" if one.kind == "entry" else f"`{one.value}`"
    if one.clouds:
        said += f" ({_clouds(one.clouds)})"
    return said + (f" ({_when(one.when)})" if one.when else "")


def _over(entry: Entry) -> str:
    ports = ", ".join("any port" if one == (0, 65535) else str(one[0]) for one in entry.ports)
    return f"{'/'.join(entry.protocols)} {ports}".replace("ANY any port", "everything")


def _needed(entry: Entry) -> str:
    parts = [entry.necessity]
    if len(entry.clouds) < len(CLOUDS):
        parts.append(_clouds(entry.clouds))
    if entry.condition:
        parts.append(_when(entry.condition))
    if entry.raised:
        parts.append(f"{entry.raised[1]} with {_when(entry.raised[0])}")
    if entry.not_judged:
        parts.append(f"not judged: {entry.not_judged}")
    if entry.counted_in:
        parts.append("judged with " + ", ".join(f"`{one}`" for one in entry.counted_in))
    return "; ".join(parts)


def _clouds(clouds: Iterable[str]) -> str:
    return ", ".join(CLOUDS[one] for one in clouds)


def _when(condition: Condition) -> str:
    return ", ".join(_phrase(key, wanted) for key, wanted in condition.items())


def _phrase(key: str, wanted: Any) -> str:
    phrase = PHRASES.get(key)
    words = wanted if isinstance(wanted, list) else [wanted]
    if isinstance(phrase, dict):
        return " or ".join(phrase[one] for one in words)
    if phrase:
        return phrase.format(" or ".join(words))
    return key.replace("_", " ")


def _notes(catalogue: Catalogue) -> Iterator[str]:
    yield "## Notes on the entries\n"
    for entry in catalogue.entries:
        basis = "" if entry.basis == "documented" else f" Basis: {entry.basis.replace('-', ' ')}."
        links = ", ".join(
            f"[{catalogue.sources[key].title}]({catalogue.sources[key].url})" for key in entry.sources
        )
        notes = f" {entry.notes}" if entry.notes else ""
        yield f"- **`{entry.id}`** {entry.purpose}{notes}{basis} {links} ({entry.date})."
    yield ""


def _errors(catalogue: Catalogue) -> Iterator[str]:
    yield "## Errors that people see\n"
    yield "`aks-egress explain` takes such a text.\n"
    yield "| text or code | what it means | what to check first |"
    yield "| --- | --- | --- |"
    for row in catalogue.errors:
        texts = [f"`{one}`" for one in row["seen"]] + [f"exit status {one}" for one in row.get("exits", ())]
        yield (
            "| "
            + " | ".join(map(_cell, ("<br>".join(texts), row["meaning"], "<br>".join(row["check"]))))
            + " |"
        )
    yield ""


def _sources(catalogue: Catalogue) -> Iterator[str]:
    yield "## Sources\n"
    for source in sorted(catalogue.sources.values(), key=lambda one: one.url):
        yield f"- [{source.title}]({source.url}), {source.date}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
