"""The shape of the mapping tables: how an azurerm type becomes an ARM type, and how its id is composed."""

from __future__ import annotations

from typing import Final

from aks_egress.records import record
from aks_egress_scan.readers.mapping.fields import Field, Ref, Refs

NETWORK: Final = "Microsoft.Network/"
VNETS: Final = NETWORK + "virtualNetworks"
SUBNETS: Final = VNETS + "/subnets"
GROUPS: Final = NETWORK + "networkSecurityGroups"
TABLES: Final = NETWORK + "routeTables"
NATS: Final = NETWORK + "natGateways"
NICS: Final = NETWORK + "networkInterfaces"
BALANCERS: Final = NETWORK + "loadBalancers"
FIREWALLS: Final = NETWORK + "azureFirewalls"
POLICIES: Final = NETWORK + "firewallPolicies"
IP_GROUPS: Final = NETWORK + "ipGroups"
HUBS: Final = NETWORK + "virtualHubs"
MANAGERS: Final = NETWORK + "networkManagers"
ZONES: Final = NETWORK + "privateDnsZones"
CLUSTERS: Final = "Microsoft.ContainerService/managedClusters"


@record(frozen=True, slots=True)
class ByName:
    """The parent is named by an attribute, and lies in the resource group of the child."""

    attribute: str


@record(frozen=True, slots=True)
class ById:
    """The parent (or, for an extension, what it extends) is given by its id."""

    attribute: str


Above = ByName | ById


@record(frozen=True, slots=True)
class Type:
    """One azurerm type: its ARM type and the table of its attributes.

    `above` are the ways to find the parent of a child type, in the order of their trying; none for a
    type of a resource group.  `extension` resources hang below any other resource.  `name` is the
    attribute that names it, or a fixed name after `=`.  `data` types may be read by a data source that says
    all the table knows; `silent` are ARM properties that a data source leaves open.
    """

    arm: str
    fields: tuple[Field, ...]
    above: tuple[Above, ...] = ()
    extension: bool = False
    name: str = "name"
    data: bool = False
    silent: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The ARM type in lower case."""
        return self.arm.casefold()


@record(frozen=True, slots=True)
class Fold:
    """An azurerm type that ARM does not have: it says something about another resource.

    `owner` leads to that resource, of the ARM type `arm`; `fields` are written into its body (below `each` row of a
    list, where given: `=attribute` picks the row of that name).  With `same_id` its own id is its owner's.
    """

    arm: str
    owner: Above
    fields: tuple[Field, ...]
    each: str = ""
    row: str = ""
    same_id: bool = False

    @property
    def kind(self) -> str:
        """The ARM type of the owner in lower case."""
        return self.arm.casefold()


def ref(*arm: str) -> Ref:
    """`{"id": …}` of a resource of one of these types."""
    return Ref(frozenset(one.casefold() for one in arm))


def bare(*arm: str) -> Ref:
    """The id itself."""
    return Ref(frozenset(one.casefold() for one in arm), wrapped=False)


def refs(*arm: str) -> Refs:
    """A list of `{"id": …}`."""
    return Refs(frozenset(one.casefold() for one in arm))


def bare_refs(*arm: str) -> Refs:
    """A list of ids."""
    return Refs(frozenset(one.casefold() for one in arm), name="")
