"""What tags cover as seen from one subnet: `VirtualNetwork`, `Internet` and the rest.

Facts N27 to N33, U1, U2 (Microsoft: service-tags-overview; reports azure-docs#22178, #38326,
#81801, #124192): `VirtualNetwork` holds the address space, peered networks, what gateways
learn, 168.63.129.16 and the prefixes of user routes that lead to an appliance.
"""

from __future__ import annotations

from aks_egress.packets.addresses import EVERYWHERE, IMDS, NEVER_INTERNET, PLATFORM_VIP
from aks_egress.packets.extents import NOTHING, Extent, joined
from aks_egress.packets.intervals import EMPTY
from aks_egress.packets.tags import PUBLIC, TOPOLOGY_TAGS, ServiceTags, looks_like_tag
from aks_egress.records import field, record
from aks_egress.topology.networks import Subnet
from aks_egress.topology.routing import RouteTable, UserRoute
from aks_egress.topology.spaces import network_space

TAG_EXPANSION = (
    "U1: which user routes add their prefix to the tag VirtualNetwork is reported for appliance next hops and "
    "not documented for others"
)
INTERNET_READING = "U2: the tag Internet is taken to cover public ranges that a peered network or an on-premises network uses"


@record(slots=True)
class TagScope:
    """The tags of one subnet; `expansion` off leaves the prefixes of user routes out of VirtualNetwork."""

    subnet: Subnet
    tables: tuple[RouteTable | None, ...]
    tables_unknown: bool
    tags: ServiceTags
    learns_routes: bool
    expansion: bool = True
    _known: dict[tuple[str, bool, str], tuple[Extent, tuple[str, ...]]] = field(default_factory=dict)
    _inside: Extent | None = None

    def extent(self, tag: str, *, denies: bool, lies_in: str = "") -> tuple[Extent, tuple[str, ...]]:
        """What a rule that names `tag` covers, and the readings that rests on."""
        key = tag, denies, lies_in
        if key not in self._known:
            self._known[key] = self._extent(tag, denies=denies, lies_in=lies_in)
        return self._known[key]

    def _extent(self, tag: str, *, denies: bool, lies_in: str) -> tuple[Extent, tuple[str, ...]]:
        match _folded(tag):
            case "virtualnetwork":
                return self._virtual_network(denies=denies)
            case "internet":
                return self._internet(denies=denies), ()
            case "azureloadbalancer":
                return Extent.exactly(PLATFORM_VIP), ()
            case "azureplatformdns":
                return Extent.exactly(PLATFORM_VIP), ()
            case "azureplatformimds":
                return Extent.exactly(IMDS), ()
            case "azureplatformlkm":
                return NOTHING, ()
        return (self.tags.extent(tag, lies_in) if looks_like_tag(tag) else NOTHING), ()

    def _internet(self, *, denies: bool) -> Extent:
        if denies:
            return Extent.exactly(PUBLIC)
        space = network_space(self.subnet.network)
        return Extent(PUBLIC - space.possible, PUBLIC - space.sure)

    def _virtual_network(self, *, denies: bool) -> tuple[Extent, tuple[str, ...]]:
        space = self._space()
        if not self.expansion:
            return space, ()
        added = self._from_routes(denies=denies)
        beyond = added.possible - space.sure
        return space | added, (TAG_EXPANSION,) if beyond else ()

    def _space(self) -> Extent:
        """What VirtualNetwork covers whatever routes add."""
        if self._inside is None:
            inside = network_space(self.subnet.network) | Extent.exactly(PLATFORM_VIP)
            self._inside = inside | Extent.within(NEVER_INTERNET) if self.learns_routes else inside
        return self._inside

    def _from_routes(self, *, denies: bool) -> Extent:
        per_table = [self._from_table(table, denies=denies) for table in self.tables]
        if self.tables_unknown:
            per_table.append(Extent.within(EVERYWHERE))
        if len(per_table) == 1:
            return per_table[0]
        # one of several tables: sure is what all add, possible what any adds
        sure = per_table[0].sure if per_table else EMPTY
        for one in per_table[1:]:
            sure = sure & one.sure
        return Extent(sure, joined(per_table).possible)

    def _from_table(self, table: RouteTable | None, *, denies: bool) -> Extent:
        if table is None:
            return NOTHING
        added = [self._from_route(route, denies=denies) for route in table.routes]
        if table.gap is not None:
            added.append(Extent.within(EVERYWHERE))
        return joined(added) if added else NOTHING

    def _from_route(self, route: UserRoute, *, denies: bool) -> Extent:
        if route.own_address:
            return NOTHING
        if route.unknown is not None:
            return Extent.within(EVERYWHERE)
        covered = Extent.exactly(route.prefix) if route.prefix is not None else NOTHING
        if route.tag:
            covered = self.tags.extent(route.tag)
        certain = isinstance(route.hop, str) and (route.hop.startswith("VirtualAppliance") or denies)
        if certain and route.uncertain is None:
            return covered
        return Extent.within(covered.possible)


def of_topology(tag: str) -> bool:
    """Whether a tag covers what the networks make it cover, whatever a demand lies in."""
    return _folded(tag) in TOPOLOGY_TAGS


def _folded(tag: str) -> str:
    return tag.strip().casefold().replace("_", "")
