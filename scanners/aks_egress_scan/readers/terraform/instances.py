"""Resource instances as every Terraform reader hands them over."""

from __future__ import annotations

from collections.abc import Callable

from aks_egress.arm.ids import OPEN_SUBSCRIPTION
from aks_egress.records import field, record
from aks_egress.values import Origin, Unknown, Value
from aks_egress_scan.readers.terraform.addresses import ROOT, Key, ModulePath


@record(slots=True, eq=False)
class Instance:
    """One instance of a resource or data source.

    `attribute` gives one attribute as it will be, null where it is not there; `attribute("")` gives all
    of them as an object.  An unknown value refers to what it is made of by Terraform addresses
    (`Reference("module.a.azurerm_subnet.x[0]", ("id",))`); `mapping.fields.UNSET` stands for what nobody
    configured.  With `anew` it will be created, whether or not another one stands there now.  `origin` is where the resource stands, `values` where its attributes do.
    """

    address: str
    type: str
    origin: Origin
    values: Origin
    attribute: Callable[[str], Value]
    data: bool = False
    module: ModulePath = ROOT
    name: str = ""
    key: Key = None
    subscription: str = OPEN_SUBSCRIPTION
    uncertain: Unknown | None = None
    anew: bool = False
    cache: dict[str, Value] = field(default_factory=dict)

    def get(self, name: str) -> Value:
        """An attribute, read once."""
        if name not in self.cache:
            self.cache[name] = self.attribute(name)
        return self.cache[name]
