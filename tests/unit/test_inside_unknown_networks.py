"""Within a network whose range is not known, a default route takes nothing: the network's own is longer."""

from __future__ import annotations

from typing import Any

from tests import builders as b

from aks_egress.evaluation.verdicts import Verdict


def network(*routes: b.Row) -> Any:
    """A cluster in a subnet without a known prefix, and a firewall behind a default route."""
    nodes = b.subnet("nodes", "", table="t")
    del nodes["properties"]["addressPrefix"]
    spoke = b.vnet("net", [], nodes, peerings=[b.peering("hub")])
    del spoke["properties"]["addressSpace"]
    hub = b.vnet(
        "hub", "10.9.0.0/16", b.subnet("AzureFirewallSubnet", "10.9.0.0/26"), peerings=[b.peering("net")]
    )
    default = b.route("default", "0.0.0.0/0", "VirtualAppliance", "10.9.0.4")
    return b.judged(hub, spoke, b.table("t", default, *routes), b.firewall(), b.policy(), b.cluster("nodes"))


def kubelet(report: Any) -> Verdict:
    return next(one.verdict for one in b.sole(report).flows if one.destination.ports == "10250")


def test_a_default_route_does_not_take_traffic_between_nodes() -> None:
    assert kubelet(network()) is Verdict.OPEN


def test_a_longer_route_might() -> None:
    assert kubelet(network(b.route("private", "10.0.0.0/8", "None"))) is Verdict.UNKNOWN
