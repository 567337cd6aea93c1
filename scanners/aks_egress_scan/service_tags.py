"""The service-tag data in use: a file somebody named, else the cached one, else none.

The cache is `service-tags-<cloud>.json` in the user's cache folder (`AKS_EGRESS_CACHE_DIR` names another).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from aks_egress.packets.tags import ServiceTags
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.files import MIB, reason

#: the published file is 4 MiB today
MAX_SIZE = 64 * MIB


def load(named: str, cloud: str = "", say: Callable[[str], None] | None = None) -> ServiceTags:
    """The data of the named file, else the cached data of the cloud, else empty data.

    Raises UsageFailure for a named file that cannot be read; a damaged cache is only spoken of.
    """
    if named:
        return _read(named, "file")
    path = cache_file(cloud)
    if not os.path.isfile(path):
        return ServiceTags()
    try:
        return _read(path, "cache")
    except UsageFailure:
        (say or str)(
            "the cached service tags are damaged and left out: renew them with `aks-egress tags update`"
        )
        return ServiceTags()


def _read(path: str, source: str) -> ServiceTags:
    try:
        with open(path, "rb") as stream:
            data = stream.read(MAX_SIZE + 1)
    except OSError as error:
        raise UsageFailure(f"cannot read the service tags `{path}`: {reason(error)}") from None
    return parsed(data, path, source)


def parsed(data: bytes, path: str, source: str) -> ServiceTags:
    """The tags in the bytes of a published file.  Raises UsageFailure that says what is off."""
    import json

    if len(data) > MAX_SIZE:
        raise UsageFailure(f"`{path}` is larger than {MAX_SIZE // MIB} MiB: that is no service-tag file")
    try:
        return ServiceTags.from_json(json.loads(data), source)
    except (ValueError, RecursionError) as error:
        said = (
            "no JSON"
            if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError)
            else str(error)
        )
        raise UsageFailure(f"`{path}` is no service-tag file: {said}") from None


def cache_folder() -> str:
    """Where this user's cached data lies."""
    named = os.environ.get("AKS_EGRESS_CACHE_DIR", "")
    if named:
        return named
    home = os.path.expanduser("~")
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Caches", "aks-egress")
    if os.name == "nt":
        return os.path.join(
            os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local"), "aks-egress", "Cache"
        )
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), "aks-egress")


def cache_file(cloud: str = "") -> str:
    """The cached file of a cloud."""
    return os.path.join(cache_folder(), f"service-tags-{cloud or 'public'}.json")
