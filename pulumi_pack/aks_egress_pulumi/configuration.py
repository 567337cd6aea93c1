"""The configuration of the policies: its schema, and what it comes to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from aks_egress.arm.resources import Document
from aks_egress.packets.tags import ServiceTags
from aks_egress.records import field, record, replace
from aks_egress.settings import Settings


class ConfigurationError(Exception):
    """What somebody configured is wrong; the message says what."""


SHARED: Mapping[str, dict[str, Any]] = {
    "cloud": {
        "type": "string",
        "enum": ["public", "china", "usgov"],
        "description": "Azure cloud of the clusters. Default: told by the provider, else public.",
    },
    "tunnel": {
        "type": "string",
        "enum": ["auto", "konnectivity", "aks-link", "tunnelfront"],
        "description": "The control-plane tunnel to judge for. Default: auto.",
    },
    "features": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Features whose endpoints are needed beside those that the definitions show.",
    },
    "clusters": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Names of the clusters to judge. Default: all.",
    },
    "appliances": {
        "type": "array",
        "items": {"type": "object"},
        "description": "Firewalls that no definition describes, as `[[appliance]]` of aks-egress.toml: address, name, allow.",
    },
    "severities": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "Severity of single rules by code: error, warning, note or off.",
    },
    "apiServerAddresses": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "Address of the API server by cluster as nodes reach it, where it is known.",
    },
    "context": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Files that complete the picture: a snapshot, template, plan or stack export of the hub.",
    },
    "serviceTags": {
        "type": "string",
        "description": "The service-tag file that Microsoft publishes. Default: the cached one, if any.",
    },
    "configFile": {
        "type": "string",
        "description": "An aks-egress.toml; what is set here wins over it.",
    },
    "unknown": {
        "type": "string",
        "enum": ["fail", "warn", "pass"],
        "description": "Undecided required flows: `fail` has the policies for the tunnel and the endpoints report them, `warn` (the default) the policy for undecided flows alone, `pass` none.",
    },
}
"""Settings that every policy takes; where one has no value of its own, that of `aks-settings` holds."""


@record(frozen=True, slots=True, kw_only=True)
class Configured:
    """What a configuration comes to."""

    settings: Settings = field(default_factory=Settings)
    tags: ServiceTags = field(default_factory=ServiceTags)
    context: tuple[Document, ...] = ()
    unknown: str = "warn"


def whole(value: Any) -> Any:
    """A configuration as the engine sends it, with whole numbers as such."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): whole(item) for key, item in value.items()}
    return [whole(item) for item in value] if isinstance(value, list | tuple) else value


def merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of one policy: its own before the shared ones."""
    both = {**shared, **own}
    return {key: both[key] for key in sorted(both) if key in SHARED and both[key] not in (None, "")}


def configured(given: Mapping[str, Any], pack: Path) -> Configured:
    """What the settings come to; relative paths are seen from the folder that holds the pack.

    Raises ConfigurationError.
    """
    from aks_egress_scan import config, service_tags
    from aks_egress_scan.failures import UsageFailure

    try:
        file = (
            config.read(_path(given["configFile"], pack)) if "configFile" in given else config.Configuration()
        )
        settings = _settings(given, file)
        cloud = str(given.get("cloud") or file.options.get("cloud", ""))
        named = (
            _path(given["serviceTags"], pack)
            if "serviceTags" in given
            else file.options.get("service-tags", "")
        )
        context = [_path(one, pack) for one in given.get("context", ())]
        return Configured(
            settings=settings,
            tags=service_tags.load(str(named), cloud),
            context=_documents([*context, *file.options.get("context", ())]),
            unknown=str(given.get("unknown") or file.options.get("unknown", "warn")),
        )
    except UsageFailure as error:
        raise ConfigurationError(str(error)) from None


def _settings(given: Mapping[str, Any], file: Any) -> Settings:
    options = file.options
    own = _declared(given)
    base: Settings = file.settings
    return replace(
        base,
        clusters=tuple(given.get("clusters", options.get("cluster", ()))),
        cloud=str(given.get("cloud", options.get("cloud", ""))),
        tunnel=str(given.get("tunnel", options.get("tunnel", "auto"))),
        features=tuple(given.get("features", options.get("feature", ()))),
        appliances=(*own.appliances, *base.appliances),
        severities={**base.severities, **own.severities},
        api_server_addresses={**base.api_server_addresses, **own.api_server_addresses},
    )


#: property -> its key in aks-egress.toml, whose schema it follows
_AS_IN_FILE = {
    "appliances": "appliance",
    "severities": "severities",
    "apiServerAddresses": "api-server-addresses",
    "cloud": "cloud",
    "tunnel": "tunnel",
    "features": "features",
    "clusters": "clusters",
    "unknown": "unknown",
}


def _declared(given: Mapping[str, Any]) -> Settings:
    """What is declared in the form of the configuration file, checked against its schema."""
    from aks_egress_scan.config_check import complaints
    from aks_egress_scan.declared import Places, settings_from

    table = {key: given[name] for name, key in _AS_IN_FILE.items() if name in given}
    schema = json.loads(files("aks_egress_scan").joinpath("config.schema.json").read_text("utf-8"))
    wrong = [one.message for one in complaints(table, schema)]
    if wrong:
        raise ConfigurationError("; ".join(wrong))
    return settings_from(table, Places("policy configuration", ""))


def _documents(paths: list[str]) -> tuple[Document, ...]:
    if not paths:
        return ()
    from aks_egress_scan.sources import load

    loaded = load((), context=paths)
    if loaded.failures:
        first = loaded.failures[0]
        place = f"{first.path}:{first.line}" if first.line else first.path
        raise ConfigurationError(f"{place}: {first.message}")
    return tuple(loaded.documents)


def _path(named: Any, pack: Path) -> str:
    return str(named) if Path(str(named)).is_absolute() else str(pack.parent / str(named))
