"""What names mean at one place of a file."""

from __future__ import annotations

from collections.abc import Mapping

from aks_egress.records import field, record, replace
from aks_egress_scan.readers.bicep_lang.units import Deployed, Unit
from aks_egress_scan.readers.expressions.syntax import Node


@record(frozen=True, slots=True)
class Scope:
    """A file, and the names that loops, lambdas and functions add to it.

    `loops` are the copy loops around, `inside` the resource whose body it is: what is nested in it, and
    in what it is nested in, is known by its plain name.
    """

    unit: Unit
    names: Mapping[str, Node] = field(default_factory=dict)
    loops: frozenset[str] = frozenset()
    inside: Deployed | None = None

    def having(self, names: Mapping[str, Node], loop: str | None = None) -> Scope:
        """The same place within something that adds names."""
        loops = self.loops | {loop.casefold()} if loop is not None else self.loops
        return replace(self, names={**self.names, **names}, loops=loops)

    def deployed(self, name: str) -> Deployed | None:
        """The resource or module of that name, the innermost first."""
        around = self.inside
        while around is not None:
            if name in around.children:
                return around.children[name]
            around = around.within
        return self.unit.deployed.get(name)
