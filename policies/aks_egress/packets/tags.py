"""Service tags: their members where the published data is at hand, else what their names say.

Without data nothing is assumed about members: `relation` says whether one tag covers another,
by the containments that Microsoft documents and that were measured on the published file (change
number 398): `X.region` lies in `X`; the regional `AzureCloud` tags are pairwise disjoint; the tags
in `_IN_AZURE_CLOUD` lie wholly in `AzureCloud`; `AzureFrontDoor.FirstParty` shares nothing with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from aks_egress.packets.addresses import (
    PLATFORM_VIP,
    PUBLIC_V4,
    PUBLIC_V6,
    BadAddressError,
    length_of,
    parse,
)
from aks_egress.packets.extents import Extent
from aks_egress.packets.intervals import EMPTY, IntervalSet, Span, union
from aks_egress.packets.names import Match
from aks_egress.records import field, record

#: AzureCloud's own suffix for a region -> the suffix that every other tag uses, lower case
REGION_ALIASES: Mapping[str, str] = {
    "centralfrance": "francecentral",
    "southfrance": "francesouth",
    "germanywc": "germanywestcentral",
    "germanyn": "germanynorth",
    "norwaye": "norwayeast",
    "norwayw": "norwaywest",
    "switzerlandn": "switzerlandnorth",
    "switzerlandw": "switzerlandwest",
    "brazilse": "brazilsoutheast",
    "chilec": "chilecentral",
    "usstagee": "eastusstg",
    "usstagec": "southcentralusstg",
}
_AZURE_CLOUD_SUFFIX = {region: suffix for suffix, region in REGION_ALIASES.items()}

_IN_AZURE_CLOUD = frozenset(
    [
        "azurecontainerregistry",
        "microsoftcontainerregistry",
        "azureresourcemanager",
        "azuremonitor",
        "azurekeyvault",
        "eventhub",
        "sql",
        "servicebus",
    ]
)
_REGIONAL_IN_AZURE_CLOUD = _IN_AZURE_CLOUD | {"storage"}
_OUTSIDE_AZURE_CLOUD = frozenset({"azurefrontdoor.firstparty", "azurefrontdoor.microsoftsecurity"})

#: tags that stand for parts of the network or the platform, not for published addresses
TOPOLOGY_TAGS = frozenset(
    [
        "virtualnetwork",
        "internet",
        "azureloadbalancer",
        "azureplatformdns",
        "azureplatformimds",
        "azureplatformlkm",
    ]
)

#: names people write that are no service tag anywhere
NOT_TAGS: Mapping[str, str] = {
    "azurekubernetesservice": "it is an FQDN tag for firewall application rules, there is no service tag of that name",
}

PUBLIC = PUBLIC_V4 | PUBLIC_V6


class Spelling(Enum):
    """What is to be said of a tag's name."""

    FINE = "fine"
    ALIAS = "alias"
    IMPOSSIBLE = "impossible"


def region_of(location: str) -> str:
    """`West Europe` as `westeurope`."""
    return "".join(location.split()).casefold()


def azure_cloud_tag(location: str) -> str:
    """The regional AzureCloud tag of a location: `AzureCloud.norwaye` for `norwayeast`."""
    region = region_of(location)
    return f"AzureCloud.{_AZURE_CLOUD_SUFFIX.get(region, region)}"


def looks_like_tag(token: str) -> bool:
    """Whether a token can be meant as a tag's name: a letter first, no address, no host name."""
    head = token.strip()
    return head[:1].isalpha() and ":" not in head and "/" not in head


def spelling(tag: str) -> tuple[Spelling, str]:
    """Whether the name can be a tag, and what to say of it."""
    base, dot, suffix = tag.strip().partition(".")
    folded = base.casefold()
    if folded in NOT_TAGS:
        return Spelling.IMPOSSIBLE, f"`{tag}` is no service tag: {NOT_TAGS[folded]}"
    if dot and not suffix.replace(".", "").isalnum():
        return (
            Spelling.IMPOSSIBLE,
            f"`{tag}` is no service tag: nothing that can be a region stands after the dot",
        )
    if folded == "azurecloud" and suffix.casefold() in _AZURE_CLOUD_SUFFIX:
        proper = f"AzureCloud.{_AZURE_CLOUD_SUFFIX[suffix.casefold()]}"
        return Spelling.ALIAS, f"Azure publishes this tag as `{proper}`; `{tag}` may be refused"
    if tag.count(".") > 1 or (suffix.casefold() in ("com", "net", "io", "org") and dot):
        return Spelling.IMPOSSIBLE, f"`{tag}` is a host name where an address or a service tag is expected"
    return Spelling.FINE, ""


def canonical(tag: str) -> str:
    """The tag in lower case with the region's one name, so that aliases compare equal."""
    base, dot, suffix = tag.strip().casefold().partition(".")
    return f"{base}.{REGION_ALIASES.get(suffix, suffix)}" if dot else base


def relation(rule: str, demand: str) -> Match:
    """Whether the tag `rule` covers every address of the tag `demand`: yes, none of them, or maybe."""
    rule, demand = canonical(rule), canonical(demand)
    if rule == demand or demand.startswith(rule + "."):
        return Match.YES
    if {rule, demand} & _OUTSIDE_AZURE_CLOUD:
        inside, other = (demand, rule) if rule in _OUTSIDE_AZURE_CLOUD else (rule, demand)
        return Match.NO if _lies_in_azure_cloud(inside) or other == inside else Match.MAYBE
    rule_base, _, rule_region = rule.partition(".")
    base, _, region = demand.partition(".")
    if rule_base == "azurecloud":
        return _azure_cloud_covers(rule_region, base, region)
    if rule_region and region and rule_region != region and _region_bound(rule_base) and _region_bound(base):
        return Match.NO
    return Match.MAYBE


def _azure_cloud_covers(rule_region: str, base: str, region: str) -> Match:
    """What `AzureCloud` or `AzureCloud.<rule_region>` covers of `<base>.<region>`."""
    if not rule_region:
        return Match.YES if base in _IN_AZURE_CLOUD or (region and _region_bound(base)) else Match.MAYBE
    if not region or not _region_bound(base):
        return Match.MAYBE
    return Match.YES if rule_region == region else Match.NO


def _region_bound(base: str) -> bool:
    return base == "azurecloud" or base in _REGIONAL_IN_AZURE_CLOUD


def _lies_in_azure_cloud(tag: str) -> bool:
    base, _, region = tag.partition(".")
    return base in _IN_AZURE_CLOUD or base == "azurecloud" or (bool(region) and _region_bound(base))


@record(slots=True)
class ServiceTags:
    """The service tags at hand; empty without data, when tags are reasoned about by name.

    `members` maps a canonical tag to its prefixes as published.  `source` and `change_number` are
    what the report says of them.
    """

    members: Mapping[str, list[str]] = field(default_factory=dict)
    source: str = "none"
    change_number: int | None = None
    cloud: str = ""
    date: str = ""
    _sets: dict[str, IntervalSet] = field(default_factory=dict)
    _extents: dict[tuple[str, str], Extent] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: object, source: str = "file") -> ServiceTags:
        """Read the weekly file, or the answer of the ARM operation; raises ValueError that says what is off."""
        if not isinstance(data, Mapping) or not isinstance(data.get("values"), list):
            raise ValueError("no service-tag file: it has no list `values`")
        members: dict[str, list[str]] = {}
        for entry in data["values"]:
            try:
                name, prefixes = entry["name"], entry["properties"]["addressPrefixes"]
            except (KeyError, TypeError):
                name = prefixes = None
            if not isinstance(name, str) or not isinstance(prefixes, list):
                raise ValueError("no service-tag file: an entry lacks `name` or `properties.addressPrefixes`")
            members[canonical(name)] = prefixes
        number = str(data.get("changeNumber"))
        return cls(
            members=members,
            source=source,
            change_number=int(number) if number.isdecimal() else None,
            cloud=str(data.get("cloud", "")),
        )

    def __bool__(self) -> bool:
        return bool(self.members)

    def prefixes(self, tag: str) -> IntervalSet | None:
        """The members of a tag; None where the data does not have it, or has it damaged."""
        key = canonical(tag)
        if key not in self.members:
            return None
        if key not in self._sets:
            try:
                self._sets[key] = union(parse(text, host_bits=True) for text in self.members[key])
            except (BadAddressError, AttributeError):
                return None
        return self._sets[key]

    def by_length(self, tag: str) -> list[tuple[int, IntervalSet]] | None:
        """The members of a tag by prefix length, longest first; None where the data does not have it."""
        if self.prefixes(tag) is None:
            return None
        groups: dict[int, list[Span]] = {}
        for text in self.members[canonical(tag)]:
            span = parse(text, host_bits=True).spans[0]
            groups.setdefault(length_of(span), []).append(span)
        return [(length, IntervalSet.of(spans)) for length, spans in sorted(groups.items(), reverse=True)]

    def extent(self, tag: str, lies_in: str = "") -> Extent:
        """What a rule that names `tag` covers.

        With data: its prefixes.  Without, for packets that are known to go somewhere into the tag
        `lies_in`: all public space or nothing, as the names say, else maybe all of it.
        """
        key = canonical(tag), lies_in
        found = self._extents.get(key)
        if found is None:
            found = self._extents[key] = self._extent(tag, lies_in)
        return found

    def _extent(self, tag: str, lies_in: str) -> Extent:
        members = self.prefixes(tag)
        if members is not None and (not lies_in or self.prefixes(lies_in) is not None):
            return Extent.exactly(members)
        if lies_in:
            answer = relation(tag, lies_in)
            if answer is not Match.MAYBE:
                return Extent.exactly(PUBLIC if answer is Match.YES else EMPTY)
        return Extent.within(PUBLIC) if members is None else Extent.exactly(members)


AZURE_LOAD_BALANCER = PLATFORM_VIP


def route_rank(tag: str) -> float:
    """Among equal prefixes: explicit, then a regional tag, then a global one, then AzureCloud (R13)."""
    base, _, region = canonical(tag).partition(".")
    if base == "azurecloud":
        return 0.3 if region else 0.4
    return 0.1 if region else 0.2
