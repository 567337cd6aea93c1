"""Who owns the address that a route names as its next hop."""

from __future__ import annotations

from tests import builders as b

from aks_egress.arm.resources import Document
from aks_egress.packets.tags import ServiceTags
from aks_egress.topology.model import Topology
from aks_egress.topology.owners import Owner, owners
from aks_egress.values import Reference, Unknown, Value

LOST = Unknown("known only after deployment")
HUB = b.vnet(
    "hub", "10.9.0.0/16", b.subnet("AzureFirewallSubnet", "10.9.0.0/26"), b.subnet("nva", "10.9.1.0/24")
)


def _owners(value: Value, *documents: Document) -> list[Owner]:
    topology = Topology(documents, ServiceTags())
    return owners(topology.graph, topology.subnets, value, documents[0])


def _nic(name: str, address: object, **properties: object) -> b.Row:
    row = {
        "name": "c",
        "properties": {"privateIPAddress": address, "subnet": {"id": b.subnet_id("hub", "nva")}},
    }
    return b.resource("networkInterfaces", name, {"ipConfigurations": [row], **properties})


def test_a_firewall_owns_its_private_address() -> None:
    """With its network and its subnet."""
    found = _owners("10.9.0.4", b.document(HUB, b.firewall()))
    assert [one.is_firewall for one in found] == [True]
    assert found[0].network is not None
    assert found[0].network.name == "hub"
    assert found[0].assumed == ""


def test_an_address_known_after_apply_is_followed_to_the_firewall() -> None:
    """Through what the dialect says it will be."""
    promised = Unknown(
        "", refers_to=(Reference(b.rid("azureFirewalls", "fw"), ("properties", "ipConfigurations")),)
    )
    found = _owners(promised, b.document(HUB, b.firewall()))
    assert [one.is_firewall for one in found] == [True]
    assert _owners(promised, b.document(HUB))[0].unknown is not None
    assert _owners(LOST, b.document(HUB))[0].unknown is LOST


def test_a_literal_inside_the_firewall_s_subnet_is_taken_to_be_its_own() -> None:
    """U16: only where the firewall's address is not known, and the reading is named."""
    fresh = b.firewall()
    del fresh["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
    found = _owners("10.9.0.4", b.document(HUB, fresh))
    assert found[0].is_firewall
    assert "U16" in found[0].assumed
    assert _owners("10.9.0.5", b.document(HUB, b.firewall()))[0].unknown is not None
    assert _owners("10.9.1.4", b.document(HUB, fresh))[0].unknown is not None


def test_a_nic_forwards_only_where_it_says_so() -> None:
    """R8; unknown stays unknown."""
    for given, expected in ((True, True), (None, False), (LOST, LOST)):
        found = _owners("10.9.1.4", b.document(HUB, _nic("nva", "10.9.1.4", enableIPForwarding=given)))
        assert found[0].forwards is expected


def test_a_load_balancer_owns_its_frontend() -> None:
    """In front of appliances."""
    row = {
        "name": "f",
        "properties": {"privateIPAddress": "10.9.1.9", "subnet": {"id": b.subnet_id("hub", "nva")}},
    }
    balancer = b.resource("loadBalancers", "lb", {"frontendIPConfigurations": [row]})
    found = _owners("10.9.1.9", b.document(HUB, balancer))
    assert found[0].resource is not None
    assert found[0].subnet is not None
    assert found[0].subnet.name == "nva"


def test_a_firewall_in_a_hub_owns_the_hub_s_address() -> None:
    """`hubIPAddresses`."""
    row = b.firewall(
        sku={"name": "AZFW_Hub"}, ipConfigurations=None, hubIPAddresses={"privateIPAddress": "10.50.0.4"}
    )
    assert _owners("10.50.0.4", b.document(row))[0].is_firewall


def test_the_own_document_s_owner_comes_first() -> None:
    """The same address in another network elsewhere is another machine."""
    near, far = b.document(HUB, b.firewall("near")), b.document(HUB, b.firewall("far"))
    assert [one.resource.name for one in _owners("10.9.0.4", near, far) if one.resource] == ["near"]
    spoke = b.document(b.vnet("net", "10.0.0.0/16"))
    assert len(_owners("10.9.0.4", spoke, near, far)) == 2


def test_an_address_of_nobody_is_unknown_and_says_what_to_give() -> None:
    """And one that is no address says so."""
    lost = _owners("10.9.0.77", b.document(HUB))[0]
    assert lost.unknown is not None
    assert lost.unknown.settle
    broken = _owners("10.9.0.300", b.document(HUB))[0]
    assert broken.unknown is not None
    assert "malformed" in broken.unknown.why
