"""Which folder a `module` block leads to: beside the caller, or where `terraform init` put it."""

from __future__ import annotations

import json
import posixpath
import re
from typing import TYPE_CHECKING, Final

from aks_egress.values import Origin, Unknown
from aks_egress_scan.readers.hcl.config import Config, read_config
from aks_egress_scan.readers.hcl.disk import Disk
from aks_egress_scan.readers.hcl.syntax import Block
from aks_egress_scan.readers.mapping.azurerm import TYPES

if TYPE_CHECKING:
    from aks_egress_scan.readers.hcl.module import Module

_INDEX: Final = ".terraform/modules/modules.json"


class Loader:
    """Finds and reads the modules of a configuration, each folder once."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._configs: dict[str, Config | None] = {}
        self._installed: dict[str, str] | None = None

    def child(self, parent: Module, name: str, block: Block) -> Config | Unknown:
        """The configuration that a call leads to, or why it cannot be had.  Raises MalformedError."""
        setting = block.body.settings.get("source")
        source = parent.bare(setting.expression, setting.path) if setting is not None else None
        origin = Origin(block.path, block.line)
        spelled = source if isinstance(source, str) else "…"
        folder = self._folder(parent, name, source)
        config = None if folder is None else self._config(folder)
        if config is not None:
            return config
        why = f"the module `{parent.prefix}module.{name}` (`{spelled}`) is not on disk"
        settle = "run `terraform init` before, or give a plan"
        if isinstance(source, str) and _is_local(source):
            settle = "scan from a folder that holds it as well"
        return Unknown(why, origin, settle=settle)

    def _folder(self, parent: Module, name: str, source: object) -> str | None:
        if isinstance(source, str) and _is_local(source):
            return posixpath.normpath(posixpath.join(parent.config.folder, source))
        found = self.installed().get(".".join((*_call_names(parent.prefix), name)))
        if found is None and isinstance(source, str) and ":" not in source:
            beside = posixpath.normpath(posixpath.join(parent.config.folder, source))
            return beside if self._disk.files(beside) else None  # version 0.11 needed no `./`
        return found

    def installed(self) -> dict[str, str]:
        """Module keys (`hub.dns`) to folders, as `terraform init` noted them."""
        if self._installed is None:
            self._installed = {}
            data = self._disk.read(_INDEX)
            try:
                rows = json.loads(data)["Modules"] if data else []
                for row in rows:
                    if isinstance(row, dict) and isinstance(row.get("Dir"), str):
                        self._installed[str(row.get("Key"))] = posixpath.normpath(
                            row["Dir"].replace("\\", "/")
                        )
            except (ValueError, KeyError, TypeError, RecursionError):
                self._installed = {}
        return self._installed

    def _config(self, folder: str) -> Config | None:
        if folder not in self._configs:
            self._configs[folder] = read_config(self._disk, folder)
        return self._configs[folder]


#: registry modules that make names or look up tables, and no Azure resource
_WITHOUT_RESOURCES: Final = frozenset(
    {
        "azure/naming/azurerm",
        "azure/regions/azurerm",
        "azure/avm-utl-regions/azurerm",
        "azure/avm-utl-sku-finder/azapi",
        "claranet/regions/azurerm",
        "cloudposse/label/null",
    }
)
_ELSEWHERE: Final = frozenset({"aws", "google", "null", "random"})


_VERIFIED: Final = re.compile(r"azure/avm-res-([a-z]+)-")


def may_hold(call: Block) -> tuple[str, ...]:
    """The resource types (`*` for all) that a module that is not on disk may define of Azure's network.

    A verified module for one resource defines that of its provider, and private endpoints for it.
    """
    setting = call.body.settings.get("source")
    source = getattr(setting.expression, "value", None) if setting is not None else None
    if not isinstance(source, str) or source.startswith(("git", "http", ".")):
        return ("*",)
    parts = source.split("//")[0].casefold().split("/")
    # four parts begin with the registry's host, which three leave out
    address = "/".join(parts[1:] if len(parts) == 4 else parts)
    parts = address.split("/")
    if address in _WITHOUT_RESOURCES or (len(parts) == 3 and parts[2] in _ELSEWHERE):
        return ()
    verified = _VERIFIED.match(address)
    if verified is None:
        return ("*",)
    prefixes = (f"microsoft.{verified[1]}/", "microsoft.network/privateendpoints")
    return tuple(sorted({one.kind for one in TYPES.values() if one.kind.startswith(prefixes)}))


def _is_local(source: str) -> bool:
    return source.startswith(("./", "../", ".\\", "..\\")) or source in (".", "..")


def _call_names(prefix: str) -> list[str]:
    """`module.a["k"].module.b.` as `a`, `b`."""
    from aks_egress_scan.readers.terraform.addresses import module_path

    return [name for name, _ in module_path(prefix.rstrip("."))]
