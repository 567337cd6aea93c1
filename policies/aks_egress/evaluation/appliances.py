"""Appliances that no definition describes: what the configuration declares that they let through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aks_egress.evaluation.demand import Action, Decider, Demand
from aks_egress.evaluation.firewall import usable_tag
from aks_egress.evaluation.first_match import Clause, Piece, first_match
from aks_egress.packets.addresses import EVERYWHERE, BadAddressError, parse
from aks_egress.packets.boxes import ANY_PORT, Box
from aks_egress.packets.extents import NOTHING, Extent, joined
from aks_egress.packets.intervals import IntervalSet
from aks_egress.packets.names import Match, covers
from aks_egress.packets.tags import ServiceTags
from aks_egress.records import field, record
from aks_egress.settings import Allow, Appliance
from aks_egress.topology.reading import addresses, protocol


@record(slots=True)
class ApplianceFilter:
    """One declared appliance: what is declared passes, the rest is dropped."""

    appliance: Appliance
    tags: ServiceTags

    @property
    def label(self) -> str:
        """How people know it."""
        return self.appliance.name or self.appliance.address

    def decide(self, demand: Demand, within: Sequence[Box]) -> list[Piece[Decider]]:
        """Who decides about each packet of `within`."""
        reason = f"the configuration does not declare that appliance `{self.label}` lets it through"
        return first_match(self._clauses(demand), self._decider(Action.DENY, "not declared", reason), within)

    def _clauses(self, demand: Demand) -> Iterator[Clause[Decider]]:
        for allow in self.appliance.allows:
            target = self._destination(allow, demand)
            source, _, _ = addresses(allow.sources or ("*",))
            covered = joined([protocol(one)[0] for one in allow.protocols])
            port = IntervalSet.of(allow.ports)
            possible = Box(source, target.possible, covered.possible, ANY_PORT, port)
            if not all(possible):
                continue
            sure = Box(source, target.sure, covered.sure, ANY_PORT, port)
            yield Clause(self._allowing(demand), sure if all(sure) else None, possible)

    def _destination(self, allow: Allow, demand: Demand) -> Extent:
        literal, tags, _ = addresses(allow.destinations)
        parts = [Extent.exactly(literal)]
        parts += [self.tags.extent(tag, demand.lies_in) for tag in tags if usable_tag(tag)]
        if demand.name:
            for name in allow.names:
                answer = covers(name, demand.name)
                parts.append(
                    {Match.YES: Extent.exactly(EVERYWHERE), Match.NO: NOTHING}.get(
                        answer, Extent.within(EVERYWHERE)
                    )
                )
        return joined(parts)

    def _allowing(self, demand: Demand) -> Decider:
        if self.appliance.inspects_tls and demand.layer7 == "https":
            action = Action.DENY if demand.mutual_tls else Action.UNKNOWN
            reason = f"appliance `{self.label}` is declared to open TLS, "
            reason += (
                "which neither the client certificate nor the ALPN protocol of konnectivity survives"
                if demand.mutual_tls
                else "which works only where every node trusts its CA"
            )
            return self._decider(action, "TLS inspection", reason)
        return self._decider(
            Action.ALLOW,
            "declared",
            f"the configuration declares that appliance `{self.label}` lets it through",
        )

    def _decider(self, action: Action, name: str, reason: str) -> Decider:
        place = self.appliance.source
        where = f", {place.path}" if place.path else ""
        return Decider(
            hop="appliance",
            resource=self.label,
            name=name,
            action=action,
            reason=reason,
            origin=place,
            assumptions=(
                f"what appliance `{self.label}` lets through is as declared in the configuration{where}",
            ),
        )


@record(slots=True)
class Appliances:
    """All declared appliances, by address."""

    declared: tuple[Appliance, ...]
    tags: ServiceTags
    _made: dict[int, ApplianceFilter] = field(default_factory=dict)

    def at(self, address: IntervalSet | None) -> ApplianceFilter | None:
        """The appliance declared at an address."""
        for i, appliance in enumerate(self.declared):
            if address is not None and _address(appliance) == address:
                if i not in self._made:
                    self._made[i] = ApplianceFilter(appliance, self.tags)
                return self._made[i]
        return None


def _address(appliance: Appliance) -> IntervalSet | None:
    try:
        return parse(appliance.address)
    except BadAddressError:
        return None
