"""The networks of the cases once more as the text of ARM templates: reading them changes no verdict."""

from __future__ import annotations

from typing import Any

import pytest
from examples.expectations import differences, verdicts
from tests import builders as b

from aks_egress.engine import judge
from aks_egress.findings.document import as_json
from aks_egress.settings import Settings
from aks_egress_scan.readers.arm_template import READER
from aks_egress_scan.readers.base import Parameters, Source

ADDRESS = "10.9.0.4"
DEFAULT = b.route("default", "0.0.0.0/0", "VirtualAppliance", ADDRESS)


def hub(*collections: b.Row, spoke: b.Row | None = None) -> tuple[b.Row, ...]:
    """A firewall in a hub, nodes in a spoke."""
    nodes = b.subnet("nodes", "10.0.0.0/24", nsg="nsg1", table="rt")
    return (
        b.vnet(
            "hub", "10.9.0.0/16", b.subnet("AzureFirewallSubnet", "10.9.0.0/26"), peerings=[b.peering("net")]
        ),
        spoke or b.vnet("net", "10.0.0.0/16", nodes, peerings=[b.peering("hub")]),
        b.nsg("nsg1", b.rule("allow-all", 100, "Allow")),
        b.table("rt", DEFAULT),
        b.policy(),
        b.firewall(address=ADDRESS),
        b.rules_of("policy/aks", 200, *collections),
        b.cluster("nodes"),
    )


NETWORKS: dict[str, tuple[b.Row, ...]] = {
    "m1": hub(
        b.collection("net", 100, "Allow", b.network_rule("api", "TCP", "AzureCloud.eastus", "443")),
        b.collection("names", 200, "Allow", b.application_rule("aks", fqdnTags=["AzureKubernetesService"])),
    ),
    "m4": hub(
        b.collection(
            "net",
            100,
            "Allow",
            b.network_rule("api", "TCP", "AzureCloud.eastus", "443", source="10.9.0.0/24"),
        )
    ),
    "m10": (
        b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", nsg="nsg1")),
        b.nsg(
            "nsg1",
            b.rule("allow-web", 100, "Allow", "Internet", ["80", "443"], protocol="Tcp"),
            b.rule("deny-internet", 4000, "Deny", "Internet"),
        ),
        b.cluster("nodes", outbound="loadBalancer"),
    ),
    "m16": (
        b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", table="rt")),
        b.table("rt", b.route("other", "10.7.0.0/16", "VirtualAppliance", "10.0.9.4")),
        b.cluster("nodes"),
    ),
    "m17": (
        b.vnet(
            "net",
            "10.0.0.0/16",
            b.subnet("nodes", "10.0.0.0/24", nsg="nsg1"),
            b.subnet("more", "10.0.1.0/24"),
        ),
        b.nsg("nsg1", b.rule("deny-kubelet", 100, "Deny", port="10250", protocol="Tcp", direction="Inbound")),
        b.cluster("nodes", "more", outbound="loadBalancer"),
    ),
}


def read(rows: tuple[b.Row, ...], tunnel: str) -> dict[str, Any]:
    documents = READER.read(Source("network.json", b.template(*rows).encode()), Parameters())
    return as_json(judge(documents, Settings(tunnel=tunnel), b.NO_TAGS))


@pytest.mark.parametrize("tunnel", ["konnectivity", "tunnelfront"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_template_gets_the_verdicts_of_what_it_says(name: str, tunnel: str) -> None:
    direct = as_json(b.judged(*NETWORKS[name], tunnel=tunnel))
    through = read(NETWORKS[name], tunnel)
    assert len(verdicts(direct)) > 10
    assert differences(direct, through) == []
    assert [one["rule"] for one in direct["findings"]] == [one["rule"] for one in through["findings"]]


def test_a_finding_points_at_the_rules_line() -> None:
    text = b.template(*NETWORKS["m10"]).splitlines()
    report = read(NETWORKS["m10"], "tunnelfront")
    finding = next(one for one in report["findings"] if one["rule"] == "EGR101")
    line = finding["location"]["line"]
    assert '"name": "deny-internet"' in " ".join(text[line - 1 : line + 1])
