"""The cluster's HTTP proxy, and the names that go past it.

Facts: learn.microsoft.com/azure/aks/http-proxy.  AKS itself puts the API server's name on the list
of exceptions, so that path never leads through the proxy.
"""

from __future__ import annotations

from aks_egress.records import record
from aks_egress.values import Unknown, Value, flag, get, items, text


@record(frozen=True, slots=True)
class Proxy:
    """`on` says whether nodes and pods use a proxy; `hosts` are (host, port) pairs, `exceptions` as in noProxy."""

    on: bool | Unknown
    hosts: tuple[tuple[str, int], ...] = ()
    exceptions: tuple[str, ...] = ()
    gap: Unknown | None = None

    def table(self) -> list[tuple[str, str, str]]:
        """The rows of the fact table."""
        if self.on is False:
            return [("http_proxy", "no", "default")]
        if isinstance(self.on, Unknown):
            return [("http_proxy", f"not known: {self.on.why}", "properties.httpProxyConfig")]
        said = ", ".join(f"{host}:{port}" for host, port in self.hosts) or "yes"
        rows = [("http_proxy", said, "properties.httpProxyConfig")]
        past = f"not all known: {self.gap.why}" if self.gap else ", ".join(self.exceptions)
        return [*rows, ("no_proxy", past or "no exceptions", "properties.httpProxyConfig.noProxy")]

    def excepts(self, name: str) -> bool | Unknown:
        """Whether clients of `name` (a host name or a `*.` pattern) go past the proxy.

        An exception covers its name and all below it; one that covers only part of a pattern leaves
        it open, as an unread list does.
        """
        wanted = name.casefold().removeprefix("*")
        partial: Unknown | None = self.gap
        for entry in self.exceptions:
            suffix = "." + entry.strip().casefold().lstrip("*").lstrip(".")
            if entry.strip() == "*" or ("." + wanted.lstrip(".")).endswith(suffix):
                return True
            if name.startswith("*") and suffix.endswith(wanted):
                partial = partial or Unknown(f"noProxy holds `{entry}`, which is part of `{name}`")
        return partial or False


NO_PROXY = Proxy(False)


def proxy_of(config: Value) -> Proxy:
    """Read `httpProxyConfig`."""
    if isinstance(config, Unknown):
        return Proxy(config, gap=config)
    addresses = [text(get(config, key)) for key in ("httpProxy", "httpsProxy")]
    on = flag(get(config, "enabled"), default=any(one is not None for one in addresses))
    if on is False:
        return NO_PROXY
    read = (_host(one) for one in addresses if isinstance(one, str))
    hosts = dict.fromkeys(one for one in read if one is not None)
    listed = items(get(config, "noProxy"))
    gap = listed if isinstance(listed, Unknown) else None
    exceptions = []
    for one in () if isinstance(listed, Unknown) else listed:
        entry = text(one)
        if isinstance(entry, Unknown):
            gap = gap or entry
        elif entry:
            exceptions.append(entry.rpartition("@")[2])
    return Proxy(on, tuple(hosts), tuple(exceptions), gap)


def _host(url: str) -> tuple[str, int] | None:
    """`http://proxy.corp:8080/` as (proxy.corp, 8080); a URL without a port means 80, or 443 for https.

    What stands before an `@` is a user and a password, whatever it holds.  None where the port is none.
    """
    scheme, _, rest = url.rpartition("://")
    place = rest.rpartition("@")[2].split("/", 1)[0]
    host, colon, port = place.rpartition(":")
    if not colon or not port.isdecimal():
        host, port = place, "443" if scheme.casefold() == "https" else "80"
    if len(port) > 5 or int(port) > 65535:
        return None
    return host.strip("[]").casefold(), int(port)
