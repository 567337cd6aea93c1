"""Which addresses lie in a network or in one that is peered with it, and whether a peering carries."""

from __future__ import annotations

from aks_egress.packets.addresses import NEVER_INTERNET
from aks_egress.packets.extents import NOTHING, Extent, joined
from aks_egress.packets.intervals import IntervalSet
from aks_egress.packets.names import Match
from aks_egress.topology.networks import Peering, VirtualNetwork, address_extent, each_prefix
from aks_egress.values import Unknown


def remote_network(network: VirtualNetwork, peering: Peering) -> VirtualNetwork:
    """The network at the far end of a peering."""
    return network.networks.of(peering.remote.sole, peering.remote_id)


def carries(network: VirtualNetwork, peering: Peering) -> tuple[Match, str]:
    """Whether a peering lets traffic through, and why not or why nobody can say.

    Both sides must exist and allow access (R26); a live `peeringState` of Connected proves that both exist.
    """
    known = network.carried.get(id(peering))
    if known is None:
        known = network.carried[id(peering)] = _carries(network, peering)
    return known


def _carries(network: VirtualNetwork, peering: Peering) -> tuple[Match, str]:
    if peering.allow_access is False:
        return Match.NO, f"peering `{peering.name}` has allowVirtualNetworkAccess false"
    if isinstance(peering.state, str):
        connected = peering.state.casefold() == "connected"
        if not connected:
            return Match.NO, f"peering `{peering.name}` is {peering.state}, not Connected"
    back = _way_back(network, peering)
    if back is None and not isinstance(peering.state, str):
        return Match.MAYBE, f"the way back of peering `{peering.name}` is not among the inputs"
    if back is not None and back[0] is not Match.YES:
        return back
    if peering.uncertain is not None:
        return (
            Match.MAYBE,
            f"whether there is a peering `{peering.name}` is not known: {peering.uncertain.why}",
        )
    if isinstance(peering.allow_access, Unknown):
        return Match.MAYBE, f"whether peering `{peering.name}` allows access is not known"
    return Match.YES, ""


def _way_back(network: VirtualNetwork, peering: Peering) -> tuple[Match, str] | None:
    """Whether the remote network peers back, and why not or why nobody can say; None where nothing shows it."""
    back = f"the way back of peering `{peering.name}`"
    remote = remote_network(network, peering)
    if remote.resource is None:
        return None
    for peer in remote.peerings_to(network):
        if peer.allow_access is False:
            return Match.NO, f"{back} has allowVirtualNetworkAccess false"
        if isinstance(peer.state, str) and peer.state.casefold() == "disconnected":
            return Match.NO, f"{back} is disconnected"
        if isinstance(peer.allow_access, Unknown):
            return Match.MAYBE, f"whether {back} allows access is not known"
        if peer.uncertain is not None:
            return Match.MAYBE, f"whether there is {back} is not known: {peer.uncertain.why}"
        return Match.YES, ""
    return None


def peer_space(network: VirtualNetwork, peering: Peering) -> Extent:
    """The addresses that a peering adds: the remote space, as it is or as the peering declares it."""
    remote = remote_network(network, peering)
    if remote.resource is not None:
        space = remote.space
    elif peering.declared_space.given:
        space = address_extent(peering.declared_space)
    else:
        space = Extent.within(NEVER_INTERNET)
    answer, _ = carries(network, peering)
    if answer is Match.NO:
        return NOTHING if peering.allow_access is False else Extent.within(space.possible)
    sure = answer is Match.YES and peering.complete
    return space if sure else Extent.within(space.possible)


def remote_prefixes(network: VirtualNetwork, peering: Peering) -> tuple[IntervalSet, ...]:
    """The prefixes behind a peering, each by itself."""
    remote = remote_network(network, peering)
    return remote.prefixes if remote.resource is not None else each_prefix(peering.declared_space)


def network_space(network: VirtualNetwork) -> Extent:
    """The network's own space and that of its peers, worked out once."""
    if network.full_space is None:
        network.full_space = _full_space(network)
    return network.full_space


def _full_space(network: VirtualNetwork) -> Extent:
    parts = [network.space, *(peer_space(network, peering) for peering in network.peerings)]
    if network.peerings_gap is not None:
        parts.append(Extent.within(NEVER_INTERNET))
    return joined(parts)


def reachable(network: VirtualNetwork, other: VirtualNetwork) -> tuple[Match, str]:
    """Whether an address of another network can be a next hop: the same network, or one directly peered (R8)."""
    if other is network or network.is_(other.id):
        return Match.YES, ""
    if other.id is None or network.id is None:
        return Match.MAYBE, "which virtual network it lies in is not known"
    answer, why = Match.NO, f"`{other.name}` is not peered with `{network.name}`"
    for peering in network.peerings:
        if peering.remote.sole is not None:
            named = peering.remote.sole.id
        elif peering.remote_id is not None:
            named = peering.remote_id
        else:
            answer, why = Match.MAYBE, f"where peering `{peering.name}` leads is not known"
            continue
        if other.is_(named):
            carried = carries(network, peering)
            if carried[0] is Match.YES and not peering.complete:
                why = f"peering `{peering.name}` joins some subnets only, and whether the next hop's is one of them is not known"
                return Match.MAYBE, why
            return carried
    if answer is Match.NO and (network.peerings_gap is not None or network.resource is None):
        return Match.MAYBE, f"the peerings of `{network.name}` are not among the inputs"
    return answer, why
