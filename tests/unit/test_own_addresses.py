"""A route for one's own public address beside the default route takes nothing from any endpoint (R18)."""

from __future__ import annotations

import json

from tests import builders as b

from aks_egress.engine import judge
from aks_egress.evaluation.verdicts import Verdict
from aks_egress.settings import Settings
from aks_egress_scan.readers.arm_template import READER
from aks_egress_scan.readers.base import Parameters, Source


def network(*routes: b.Row, pip: dict[str, str] | None = None) -> tuple[b.Row, ...]:
    everything = b.collection("all", 100, "Allow", b.network_rule("any", "Any", "*", "*"))
    return (
        b.vnet(
            "hub", "10.9.0.0/16", b.subnet("AzureFirewallSubnet", "10.9.0.0/26"), peerings=[b.peering("net")]
        ),
        b.vnet(
            "net", "10.1.0.0/16", b.subnet("nodes", "10.1.0.0/22", table="t"), peerings=[b.peering("hub")]
        ),
        b.table("t", b.route("default", "0.0.0.0/0", "VirtualAppliance", "10.9.0.4"), *routes),
        b.resource("publicIPAddresses", "pip", pip or {}),
        b.firewall(),
        b.policy(),
        b.rules_of("policy/aks", 200, everything),
        b.cluster("nodes"),
    )


OWN = b.route("own", "20.50.1.1/32", "Internet")


def test_the_address_of_a_public_ip_among_the_inputs_is_left_out_for_certain() -> None:
    found = b.flow(b.judged(*network(OWN, pip={"ipAddress": "20.50.1.1"})), "mcr.microsoft.com")
    assert (found.verdict, found.assumptions) == (Verdict.OPEN, ())


def test_an_address_that_nobody_holds_is_taken_to_be_ones_own_and_that_is_said() -> None:
    found = b.flow(b.judged(*network(OWN)), "mcr.microsoft.com")
    assert found.verdict is Verdict.OPEN
    assert any("20.50.1.1" in one for one in found.assumptions)


def test_a_whole_range_led_to_the_internet_is_no_address_of_ones_own() -> None:
    found = b.flow(b.judged(*network(b.route("wide", "20.50.0.0/16", "Internet"))), "mcr.microsoft.com")
    assert found.verdict is not Verdict.OPEN


def test_an_address_that_is_not_given_yet_leaves_nothing_undecided() -> None:
    """The prefix is put together from what `reference()` will say of the public IP."""
    address = "[concat(reference(resourceId('Microsoft.Network/publicIPAddresses', 'pip')).ipAddress, '/32')]"
    text = b.template(*network(b.route("own", address, "Internet")))
    assert (
        "reference("
        in json.loads(text)["resources"][2]["properties"]["routes"][1]["properties"]["addressPrefix"]
    )
    report = judge(READER.read(Source("t.json", text.encode()), Parameters()), Settings(), b.NO_TAGS)
    assert b.flow(report, "mcr.microsoft.com").verdict is Verdict.OPEN
    assert b.sole(report).verdict is Verdict.OPEN
