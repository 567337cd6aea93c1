"""Resource ids: compared without case, and with scopes that nobody knows yet."""

from __future__ import annotations

import pytest

from aks_egress.arm.ids import BadResourceIdError, ResourceId, parse_id

SUBNET = "/subscriptions/s/resourceGroups/Net/providers/Microsoft.Network/virtualNetworks/Hub/subnets/fw"


def test_ids_are_equal_without_case_and_keep_their_spelling() -> None:
    """Azure compares so."""
    one, other = ResourceId.parse(SUBNET), ResourceId.parse(SUBNET.upper())
    assert one == other
    assert hash(one) == hash(other)
    assert str(one) == SUBNET


def test_an_id_is_taken_apart() -> None:
    """Type, names, scope."""
    one = ResourceId.parse(SUBNET)
    assert one.type == "Microsoft.Network/virtualNetworks/subnets"
    assert one.names == ("Hub", "fw")
    assert one.name == "fw"
    assert one.scope == "subscriptions/s/resourcegroups/net"


def test_a_child_and_its_parent() -> None:
    """There and back."""
    one = ResourceId.parse(SUBNET)
    assert one.parent is not None
    assert one.parent.child("subnets", "fw") == one
    assert one.parent.parent is None


def test_an_extension_is_known_by_its_last_provider() -> None:
    """What it extends is its scope."""
    cluster = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c"
    one = ResourceId.parse(f"{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/flux")
    assert one.type == "Microsoft.KubernetesConfiguration/extensions"
    assert one.scope == cluster.strip("/").casefold()


def test_composing_is_the_inverse_of_parsing() -> None:
    """One name for each segment of the type."""
    one = ResourceId.parse(SUBNET)
    assert ResourceId.of("/subscriptions/s/resourceGroups/Net", one.type, *one.names) == one
    with pytest.raises(ValueError, match="argument"):
        ResourceId.of("/subscriptions/s", one.type, "only-one")


@pytest.mark.parametrize(
    "text", ["", "fw", "/subscriptions/s", "/subscriptions/s/providers/Microsoft.Network/vnets", "10.0.0.4"]
)
def test_what_is_no_id_is_refused(text: str) -> None:
    """With the text in the message."""
    with pytest.raises(BadResourceIdError, match="not an Azure resource id"):
        ResourceId.parse(text)
    assert parse_id(text) is None


@pytest.mark.parametrize("value", [None, 3, ["/x"], {"id": SUBNET}])
def test_only_text_is_read_as_an_id(value: object) -> None:
    """Everything else is none."""
    assert parse_id(value) is None


def test_open_parts_of_a_scope_could_be_any() -> None:
    """A template does not know its subscription."""
    one = ResourceId.parse(SUBNET)
    scope = "/subscriptions/{subscription}/resourceGroups/{resource-group}"
    template = ResourceId.of(scope, one.type, "hub", "FW")
    assert template.could_be(one)
    assert one.could_be(template)
    assert template != one


@pytest.mark.parametrize(
    "other",
    [
        SUBNET.replace("Hub", "spoke"),
        SUBNET.replace("/fw", "/other"),
        SUBNET.replace("Net/", "other/"),
        SUBNET.replace("virtualNetworks", "networks"),
        SUBNET.replace("/resourceGroups/Net", ""),
    ],
)
def test_what_differs_in_a_known_part_could_not_be(other: str) -> None:
    """Names, types and known scopes tell them apart."""
    assert not ResourceId.parse(SUBNET).could_be(ResourceId.parse(other))


def test_could_be_is_not_passed_on() -> None:
    """A law that does not hold: two known scopes may both be an open one and yet differ."""
    left, right = ResourceId.parse(SUBNET), ResourceId.parse(SUBNET.replace("Net/", "other/"))
    middle = ResourceId.parse(SUBNET.replace("/Net/", "/{resource-group}/"))
    assert left.could_be(middle)
    assert middle.could_be(right)
    assert not left.could_be(right)
