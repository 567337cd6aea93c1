"""What is asked of the network: the packets of one flow, and who decides about them."""

from __future__ import annotations

from enum import StrEnum

from aks_egress.arm.ids import ResourceId
from aks_egress.packets.boxes import Box
from aks_egress.records import field, record
from aks_egress.topology.networks import Subnet
from aks_egress.values import NOWHERE, Origin, Unknown


@record(frozen=True, slots=True, kw_only=True)
class Demand:
    """The packets that one requirement asks of one source, and what is known of their far end.

    `somewhere` says that the destination is one address somewhere in the boxes; else every packet
    is asked for.  `lies_in` is the service tag that address is documented to lie in.  `name` is the
    host name the client asks for (a `*.` pattern stands for one name of that form), `layer7` is
    https, http or empty.  `in_fqdn_tag` says whether the FQDN tag AzureKubernetesService covers
    the name, None where that is not documented.  `mutual_tls` marks what no TLS inspection survives.
    `target` is the subnet where the packets must arrive; `endpoint` says that a private endpoint in it
    receives them, `connection` is the state of its connection where that is known; `overlay` marks pod addresses that Azure's overlay carries past the route tables.
    `perhaps` says why the nodes at one of the ends may not be there.
    """

    boxes: tuple[Box, ...]
    somewhere: bool = False
    source_somewhere: bool = False
    lies_in: str = ""
    name: str = ""
    layer7: str = ""
    in_fqdn_tag: bool | None = False
    mutual_tls: bool = False
    platform_tag: str = ""
    source_groups: frozenset[ResourceId] | None = frozenset()
    target_groups: frozenset[ResourceId] | None = frozenset()
    target: Subnet | None = None
    endpoint: bool = False
    connection: str = ""
    overlay: bool = False
    perhaps: Unknown | None = None
    assumptions: tuple[str, ...] = ()


class Action(StrEnum):
    """What a decider does to a packet."""

    ALLOW = "allow"
    DENY = "deny"
    DROP = "drop"
    PASS_ON = "pass-on"  # noqa: S105
    """An admin rule's Allow: on to the network security groups."""
    FORWARD = "forward"
    UNKNOWN = "unknown"


@record(frozen=True, slots=True, kw_only=True, eq=False)
class Decider:
    """A rule, a route, a default, or the reason why nobody can say.

    `resource` is the label people know, `resource_id` its id.  `doubts` names the conservative
    readings (U1 to U22) that the decision rests on.  Two deciders are equal only when they are
    the same object.
    """

    hop: str
    resource: str
    name: str
    action: Action
    reason: str
    resource_id: str = ""
    origin: Origin = NOWHERE
    settle: str = ""
    doubts: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    detail: object = field(default=None, repr=False)
