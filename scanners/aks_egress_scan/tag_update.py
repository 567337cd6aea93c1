"""Renewing the cached service tags: from Microsoft's download page, another URL, or a file.

Nothing is kept that is not a service-tag file; the cache is replaced in one step.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from aks_egress.packets.tags import ServiceTags
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.files import reason
from aks_egress_scan.service_tags import MAX_SIZE, cache_file, parsed
from aks_egress_scan.tag_store import stored

#: cloud -> the page that links to the file of the week
PAGES = {
    "public": "https://www.microsoft.com/en-us/download/details.aspx?id=56519",
    "usgov": "https://www.microsoft.com/en-us/download/details.aspx?id=57063",
    "china": "https://www.microsoft.com/en-us/download/details.aspx?id=57062",
}
_LINK = re.compile(
    rb'https://download\.microsoft\.com/download/[^"\'<>\s\\]+/ServiceTags_[A-Za-z]+_[0-9]+\.json'
)
TIMEOUT = 60
"""Seconds that one request may be silent."""

_BY_HAND = "download the file with a browser and give it: `aks-egress tags update FILE`"


def update(source: str, cloud: str, say: Callable[[str], None]) -> ServiceTags:
    """Put this week's data into the cache and answer it.  Raises UsageFailure with what to do instead."""
    if source and not _is_url(source):
        data = _file(source)
    else:
        where = source or _linked(_fetched(PAGES[cloud], say), cloud)
        data = _fetched(where, say)
        source = where
    tags = parsed(data, source, "cache")
    if not tags:
        raise UsageFailure(f"`{source}` is a service-tag file without tags: the cache stays as it is")
    if tags.cloud and _cloud_of(tags.cloud) != cloud:
        raise UsageFailure(
            f"`{source}` has the tags of the cloud {tags.cloud}: name it with `--cloud {_cloud_of(tags.cloud)}`"
        )
    _keep(stored(tags), cache_file(cloud))
    return tags


def _cloud_of(published: str) -> str:
    """The cloud as the published file spells it: Public, AzureGovernment, China."""
    word = published.casefold()
    return "china" if "china" in word else "usgov" if "gov" in word else "public"


def _is_url(source: str) -> bool:
    return "://" in source


def _file(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(MAX_SIZE + 1)
    except OSError as error:
        raise UsageFailure(f"cannot read `{path}`: {reason(error)}") from None


def _linked(page: bytes, cloud: str) -> str:
    found = _LINK.search(page)
    if found is None:
        raise UsageFailure(
            f"the download page of the cloud {cloud} has no link to a service-tag file any more: {_BY_HAND}"
        )
    return found[0].decode("ascii")


def _fetched(url: str, say: Callable[[str], None]) -> bytes:
    _over_https(url)
    say(f"downloading {url}")
    request = Request(url, headers={"User-Agent": "aks-egress"})  # noqa: S310 - the scheme was checked
    try:
        with urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - the scheme was checked
            _over_https(answer.geturl())
            data: bytes = answer.read(MAX_SIZE + 1)
            return data
    except (URLError, OSError, ValueError) as error:
        said = getattr(error, "reason", None) or error
        raise UsageFailure(f"cannot download {url}: {said}: {_BY_HAND}") from None


def _over_https(url: str) -> None:
    """Addresses decide verdicts, so they come over https; a server on this machine may do without."""
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme != "https" and not local:
        raise UsageFailure(
            f"`{url}` is no https address: service tags decide verdicts, so they come over https alone"
        )


def _keep(data: bytes, path: str) -> None:
    """Replace the cached file in one step."""
    new = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(new, "wb") as stream:
            stream.write(data)
        os.replace(new, path)
    except OSError as error:
        raise UsageFailure(f"cannot write the cache `{path}`: {reason(error)}") from None
