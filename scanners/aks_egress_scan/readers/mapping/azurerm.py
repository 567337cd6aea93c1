"""Every azurerm type that bears on the walk, in one table."""

from __future__ import annotations

from typing import Final

from aks_egress_scan.readers.mapping import clusters, firewalls, hubs, networks
from aks_egress_scan.readers.mapping.kinds import Fold, Type

TYPES: Final[dict[str, Type]] = {**networks.TYPES, **firewalls.TYPES, **hubs.TYPES, **clusters.TYPES}
"""azurerm type -> what it is in ARM."""

FOLDS: Final[dict[str, Fold]] = {**networks.FOLDS, **firewalls.FOLDS, **hubs.FOLDS}
"""azurerm type -> what it says about another resource."""
