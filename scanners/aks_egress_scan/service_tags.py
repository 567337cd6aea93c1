"""The service-tag data in use: a file somebody named, else the cached one, else none.

The cache is `service-tags-<cloud>.tags` in the user's cache folder (`AKS_EGRESS_CACHE_DIR` names another).
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
        return parsed(_bytes(named), named)
    path = cache_file(cloud)
    if not os.path.isfile(path):
        return ServiceTags()
    from aks_egress_scan.tag_store import restored

    try:
        return restored(_bytes(path))
    except (UsageFailure, ValueError, KeyError, TypeError, RecursionError):
        (say or str)(
            "the cached service tags are damaged and left out: renew them with `aks-egress tags update`"
        )
        return ServiceTags()


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(MAX_SIZE + 1)
    except OSError as error:
        raise UsageFailure(f"cannot read the service tags `{path}`: {reason(error)}") from None


def parsed(data: bytes, path: str, source: str = "file") -> ServiceTags:
    """The tags in the bytes of a published file.  Raises UsageFailure that says what is off."""
    import json

    if len(data) > MAX_SIZE:
        raise UsageFailure(f"`{path}` is larger than {MAX_SIZE // MIB} MiB: that is no service-tag file")
    try:
        tags = ServiceTags.from_json(json.loads(data), source)
    except (ValueError, RecursionError) as error:
        broken = isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError)
        raise UsageFailure(f"`{path}` is no service-tag file: {'no JSON' if broken else error}") from None
    tags.date = _day(path)
    return tags


def _day(path: str) -> str:
    """The day in a published file's name, `ServiceTags_Public_20260615.json`; empty where there is none."""
    digits = os.path.basename(path).rpartition("_")[2].removesuffix(".json")
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if len(digits) == 8 and digits.isdecimal() else ""


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
    return os.path.join(cache_folder(), f"service-tags-{cloud or 'public'}.tags")
