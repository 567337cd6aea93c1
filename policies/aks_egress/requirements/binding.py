"""The catalogue bound to one cluster: placeholders filled in, alternatives made one requirement."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from aks_egress.packets.tags import azure_cloud_tag
from aks_egress.records import replace
from aks_egress.requirements.catalogue import Catalogue, Destination, Entry, load
from aks_egress.requirements.conditions import concerned, every, holds, needed
from aks_egress.requirements.facts import Facts
from aks_egress.requirements.known import same
from aks_egress.requirements.requirement import Ports, Requirement
from aks_egress.requirements.tunnel import TunnelMode, tunnel_mode
from aks_egress.values import Unknown

__all__ = ["Requirement", "TunnelMode", "requirements"]

_DERIVED = "no Microsoft page states this; it follows from how the parts work together"
_BASIS = {
    "derived": _DERIVED,
    "reference": "a Microsoft reference implementation asks for this, the list of required endpoints does not",
    "field-report": "reported from running clusters, not documented",
}


OLDER = ("aks-link", "tunnelfront")

_NAMELESS = ("custom-dns", "proxy", "git", "api-server-ip", "service-tag")
"""Kinds of destinations that are no name of the API server's."""


def requirements(facts: Facts, tunnel: TunnelMode) -> list[Requirement]:
    """What the cluster needs, in the order of the catalogue, without what it certainly does not need."""
    if tunnel.mode != tunnel_mode(facts, facts.tunnel).mode:
        facts = replace(facts, tunnel=tunnel.mode)
    found = [_with_own_name(one, at, facts) if at else one for one, at in _alike(_Shape(facts))]
    return [_beside_the_tunnel(one) for one in found] if tunnel.mode in OLDER else found


class _Shape:
    """Facts as the key of what they need: the API server's own names aside, which no two clusters share."""

    __slots__ = ("facts", "said")

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        own = ("known", "api_name", "private_name", "features")
        rest = (getattr(facts, name) for name in facts.__record_fields__ if name not in own)  # type: ignore[attr-defined]
        self.said = (*rest, *facts.known.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shape) and self.said == other.said

    def __hash__(self) -> int:
        return hash(self.said)


@lru_cache(maxsize=64)
def _alike(shape: _Shape) -> tuple[tuple[Requirement, Destination | None], ...]:
    """What clusters of one shape need; beside each requirement to the API server's name its destination."""
    facts, catalogue = shape.facts, load()
    found: list[tuple[Requirement, Destination | None]] = []
    for scope in catalogue.judged():
        answer = needed(scope, facts)
        if answer is not False:
            found.extend(_bound(catalogue, catalogue.entry(scope.id), facts, answer))
    return tuple(found)


def _beside_the_tunnel(one: Requirement) -> Requirement:
    """The older tunnels have ports of their own: TCP 443 to the API server is then the kubelets' alone."""
    return replace(one, role="core") if one.role == "tunnel" and one.mutual_tls and not one.towards else one


def _bound(
    catalogue: Catalogue, entry: Entry, facts: Facts, answer: bool | Unknown
) -> Iterator[tuple[Requirement, Destination | None]]:
    for destination in _destinations(catalogue, entry):
        here = not destination.clouds or facts.cloud in destination.clouds
        wanted = every((here, answer, holds(destination.when, facts)))
        if wanted is False:
            continue
        protocols = (destination.protocol,) if destination.protocol else entry.protocols
        for protocol in protocols:
            general = _general(entry, facts, wanted, destination, protocol)
            if entry.in_fqdn_tag is None and catalogue.in_fqdn_tag(facts.cloud, destination.value):
                general = replace(general, in_fqdn_tag=True)
            by_name = destination.kind not in _NAMELESS and entry.mutual_tls
            for one in _specific(general, destination, facts):
                yield one, destination if by_name else None


def _destinations(catalogue: Catalogue, entry: Entry) -> Iterator[Destination]:
    for destination in entry.destinations:
        if destination.kind == "entry":
            other = catalogue.entry(destination.value)
            yield from (replace(one, clouds=one.clouds or other.clouds) for one in other.destinations)
        else:
            yield destination


def _general(
    entry: Entry, facts: Facts, wanted: bool | Unknown, destination: Destination, protocol: str
) -> Requirement:
    """Everything but the destination's own address and name."""
    necessity, open_ = _necessity(entry, facts)
    basis = (_BASIS[entry.basis],) if entry.basis in _BASIS else ()
    return Requirement(
        id=entry.id,
        title=entry.title,
        role=entry.role,
        necessity=necessity,
        needed=wanted,
        kind=destination.kind,
        value=destination.value,
        protocol=protocol,
        ports=destination.ports or entry.ports,
        sources=entry.start,
        towards=destination.towards,
        agents_only=entry.agents_only,
        pools=concerned(entry.condition, facts),
        layer7=entry.layer7,
        in_fqdn_tag=entry.in_fqdn_tag,
        mutual_tls=entry.mutual_tls,
        addresses=destination.addresses,
        platform_tag=destination.platform_tag,
        breaks=entry.breaks,
        errors=entry.errors,
        doubts=(*entry.doubts, *basis, *open_),
        source=entry.url,
    )


def _necessity(entry: Entry, facts: Facts) -> tuple[str, tuple[str, ...]]:
    """How much the entry weighs here, and what to say where that hangs on an open value."""
    if not entry.raised:
        return entry.necessity, ()
    weighs_more = holds(entry.raised[0], facts)
    if isinstance(weighs_more, Unknown):
        return entry.necessity, (f"it may be {entry.raised[1]}: {weighs_more.why}",)
    return entry.raised[1] if weighs_more else entry.necessity, ()


def _specific(general: Requirement, destination: Destination, facts: Facts) -> Iterator[Requirement]:
    """The requirement with its destination filled in; one for each server of a list of servers."""
    match destination.kind:
        case "custom-dns":
            yield from _dns_servers(general, facts)
        case "proxy":
            yield from _proxies(general, facts)
        case "git":
            yield from _git_hosts(general, facts)
        case "api-server-ip" | "service-tag":
            yield _tagged(general, destination, facts)
        case _:
            yield _named(general, destination, facts)


def _tagged(general: Requirement, destination: Destination, facts: Facts) -> Requirement:
    value, missing = _filled(destination.value, facts)
    address = facts.api_server_address if destination.kind == "api-server-ip" else ""
    return replace(
        general,
        kind="service-tag",
        value=value,
        lies_in=(_widest(value),),
        addresses=(address,) if address else (),
        assumptions=(*general.assumptions, *missing),
    )


def _named(general: Requirement, destination: Destination, facts: Facts) -> Requirement:
    value, missing = _filled(destination.value, facts)
    # A subnet or an address that stands for a host says so by a value that is a host name.
    is_name = destination.kind == "fqdn" or (general.layer7 == "https" and "." in value)
    requirement = replace(
        general,
        value=value,
        name=_pattern(value) if is_name else "",
        lies_in=tuple(_widest(_filled(tag, facts)[0]) for tag in destination.tags),
        assumptions=(*general.assumptions, *missing),
    )
    return _proxied(requirement, facts)


def _widest(tag: str) -> str:
    """The tag, or the tag above it where its region is not known."""
    return tag.partition(".{")[0]


def _with_own_name(requirement: Requirement, destination: Destination, facts: Facts) -> Requirement:
    """The API server's own name and public address, where they are known."""
    if destination.towards == "api-server":
        return requirement
    if destination.towards != "private-endpoint":
        known = (facts.api_server_address,) if facts.api_server_address else ()
        return replace(requirement, name=facts.api_name or requirement.name, addresses=known)
    if same(facts.fact("private_dns_zone"), "none") is not True:
        return replace(requirement, name=facts.private_name or requirement.name)
    public, _ = _filled(destination.alternatives[0], facts)
    assumed = "privateDNSZone is none, so nodes use the public name, which resolves to the private address"
    return replace(
        requirement,
        name=facts.api_name or _pattern(public),
        assumptions=(*requirement.assumptions, assumed),
    )


def _proxied(requirement: Requirement, facts: Facts) -> Requirement:
    """Whether the clients go through the HTTP proxy: by name over HTTP, and never to the API server."""
    if not requirement.layer7 or requirement.mutual_tls or facts.proxy.on is False:
        return requirement
    past = facts.proxy.excepts(requirement.name)
    if past is True:
        return requirement
    doubts = [
        f"whether this goes through the HTTP proxy is not known: {one.why}"
        for one in (past, facts.proxy.on)
        if isinstance(one, Unknown)
    ]
    return replace(requirement, via_proxy=True, doubts=(*requirement.doubts, *dict.fromkeys(doubts)))


def _dns_servers(general: Requirement, facts: Facts) -> Iterator[Requirement]:
    if isinstance(facts.dns_servers, Unknown):
        yield replace(general, kind="ip", assumptions=(*general.assumptions, facts.dns_servers.why))
        return
    for server in facts.dns_servers:
        yield replace(general, kind="ip", value=server, addresses=(server,))


def _proxies(general: Requirement, facts: Facts) -> Iterator[Requirement]:
    if not facts.proxy.hosts:
        yield replace(
            general, kind="ip", assumptions=(*general.assumptions, "the proxy's address is not known")
        )
    for host, port in facts.proxy.hosts:
        ports: Ports = ((port, port),)
        literal = host.replace(":", "").replace(".", "").isdecimal() or ":" in host
        if literal:
            yield replace(general, kind="ip", value=host, ports=ports, addresses=(host,))
        else:
            assumed = "the proxy is named by a host name, its address is not in the definition"
            yield replace(general, kind="ip", value=host, ports=ports, name=host, assumptions=(assumed,))


def _git_hosts(general: Requirement, facts: Facts) -> Iterator[Requirement]:
    for host in facts.git_hosts:
        yield _proxied(replace(general, kind="fqdn", value=host, name=host), facts)
    if not facts.git_hosts:
        why = Unknown("the definition does not say which host Flux takes its sources from")
        yield replace(general, kind="fqdn", needed=why, assumptions=(*general.assumptions, why.why))


def _filled(text: str, facts: Facts) -> tuple[str, tuple[str, ...]]:
    """The text with its placeholders filled in, and what to say of those that nothing fills."""
    missing = []
    if "{region}" in text:
        if isinstance(facts.region, Unknown):
            missing.append(f"the region is not known: {facts.region.why}")
        elif text.startswith("AzureCloud."):
            text = azure_cloud_tag(facts.region)
        else:
            text = text.replace("{region}", facts.region)
    if facts.registry:
        text = text.replace("{bootstrap_registry}", facts.registry)
    for start in [place for place, char in enumerate(text) if char == "{"]:
        placeholder = text[start : text.index("}", start) + 1]
        if placeholder != "{region}":
            missing.append(f"nothing in the definition fills `{placeholder}`")
    return text, tuple(missing)


def _pattern(value: str) -> str:
    """The name, or where a placeholder is left the narrowest `*.` pattern that certainly holds it."""
    labels = value.split(".")
    open_ = [place for place, label in enumerate(labels) if "{" in label]
    return ".".join(["*", *labels[open_[-1] + 1 :]]) if open_ else value
