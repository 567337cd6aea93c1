"""azure-native in ARM's shape: names, nesting, references, what is unknown and what is secret."""

from __future__ import annotations

import pytest
from tests.unit.pulumi_stacks import (
    SCOPE,
    SECRET,
    UNKNOWN,
    export,
    group,
    native,
    only,
    preview,
    read,
    subnet,
    urn,
)

from aks_egress.values import Unknown
from aks_egress_scan.readers.mapping.azure_native import native_type

SUBNETS = "Microsoft.Network/virtualNetworks/subnets"
GROUPS = "Microsoft.Network/networkSecurityGroups"
NSG = urn("azure-native:network:NetworkSecurityGroup", "nsg")


@pytest.mark.parametrize(
    "token",
    [
        "azure-native:network:Subnet",
        "azure-native:network/v20240501:Subnet",
        "azure-native:network/v20240101preview:Subnet",
        "azure-native_network_v20240301:network:Subnet",
    ],
)
def test_every_spelling_of_a_token_is_known(token: str) -> None:
    found = native_type(token)
    assert found is not None
    assert found.arm == SUBNETS


@pytest.mark.parametrize(
    "token", ["azure:network:Subnet", "aws:ec2/subnet:Subnet", "azure-native:sql:Server", "x"]
)
def test_other_tokens_are_not(token: str) -> None:
    assert native_type(token) is None


def test_rows_get_their_properties_back() -> None:
    rule = {"name": "deny", "priority": 100.0, "access": "Deny", "destinationAddressPrefix": "Internet"}
    found = only(read(preview(group(securityRules=[rule]))), GROUPS)
    assert found.get("location") == "eastus"
    assert found.prop("securityRules", 0) == {
        "name": "deny",
        "properties": {"priority": 100, "access": "Deny", "destinationAddressPrefix": "Internet"},
    }


def test_a_skus_place_depends_on_the_type() -> None:
    names = {"resourceGroupName": "rg", "sku": {"name": "Standard"}}
    document = read(
        preview(
            native("network:PublicIPAddress", "ip", {"publicIpAddressName": "ip", **names}),
            native("network:AzureFirewall", "fw", {"azureFirewallName": "fw", **names}),
        )
    )
    assert only(document, "Microsoft.Network/publicIPAddresses").get("sku", "name") == "Standard"
    assert only(document, "Microsoft.Network/azureFirewalls").prop("sku", "name") == "Standard"


def test_a_finding_has_the_line_of_its_rule() -> None:
    data = preview(group(securityRules=[{"name": "a"}, {"name": "b", "priority": 100}]))
    document = read(data)
    place = only(document, GROUPS).place("properties", "securityRules", 1)
    assert document.locate(place) == data.decode().split('"name": "b"')[0].count("\n")


def test_an_unknown_id_leads_to_what_the_property_depends_on() -> None:
    """Of everything that it depends on, what fits."""
    table = native("network:RouteTable", "rt", {"routeTableName": "rt", "resourceGroupName": "rg"})
    depends = {"networkSecurityGroup": [NSG, table["urn"]], "routeTable": [table["urn"]]}
    one = subnet(depends, networkSecurityGroup={"id": UNKNOWN}, routeTable=UNKNOWN)
    found = only(read(preview(group(), table, one)), SUBNETS)
    attached = found.prop("networkSecurityGroup", "id")
    assert isinstance(attached, Unknown)
    assert [ref.id.rsplit("/", 1)[-1] for ref in attached.refers_to] == ["nsg"]
    assert [ref.id.rsplit("/", 1)[-1] for ref in found.prop("routeTable").refers_to] == ["rt"]


def test_two_that_fit_are_any_of_them() -> None:
    other = urn("azure-native:network:NetworkSecurityGroup", "other")
    one = subnet({"networkSecurityGroup": [NSG, other]}, networkSecurityGroup={"id": UNKNOWN})
    found = only(read(preview(group(), group("other"), one)), SUBNETS)
    assert len(found.prop("networkSecurityGroup", "id").refers_to) == 2


@pytest.mark.parametrize("token", ["pulumi:pulumi:StackReference", "command:local:Command", "my:own:Thing"])
def test_what_may_come_from_elsewhere_leads_nowhere(token: str) -> None:
    """A value that depends on something nobody can see is not taken for the resource beside it."""
    elsewhere = {"urn": urn(token, "x"), "custom": True, "type": token, "inputs": {}}
    one = subnet({"networkSecurityGroup": [NSG, elsewhere["urn"]]}, networkSecurityGroup={"id": UNKNOWN})
    found = only(read(preview(group(), elsewhere, one)), SUBNETS)
    assert found.prop("networkSecurityGroup", "id").refers_to == ()


def test_a_component_stands_for_what_is_in_it() -> None:
    component = {"urn": urn("my:own:Network", "c"), "custom": False, "type": "my:own:Network"}
    inside = {**group(), "parent": component["urn"]}
    one = subnet({"networkSecurityGroup": [component["urn"]]}, networkSecurityGroup={"id": UNKNOWN})
    found = only(read(preview(component, inside, one)), SUBNETS)
    assert [ref.id.rsplit("/", 1)[-1] for ref in found.prop("networkSecurityGroup", "id").refers_to] == [
        "nsg"
    ]


def test_names_of_parents_and_groups_come_through_dependencies() -> None:
    """In a preview they are unknown; the resources they come from are not."""
    rg = native("resources:ResourceGroup", "rg", {"resourceGroupName": "rg-hub"})
    net = native(
        "network:VirtualNetwork",
        "net",
        {"virtualNetworkName": "vnet", "resourceGroupName": UNKNOWN},
        depends={"resourceGroupName": [rg["urn"]]},
    )
    one = native(
        "network:Subnet",
        "nodes",
        {"subnetName": "nodes", "virtualNetworkName": UNKNOWN, "resourceGroupName": UNKNOWN},
        depends={"virtualNetworkName": [net["urn"]], "resourceGroupName": [rg["urn"]]},
    )
    found = only(read(preview(rg, net, one)), SUBNETS)
    assert str(found.id).endswith(
        "/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/vnet/subnets/nodes"
    )


def test_a_child_of_nobody_may_be_anybodys() -> None:
    """A rule whose group is not known leaves every group's rules open."""
    rule = native(
        "network:SecurityRule",
        "r",
        {"securityRuleName": "r", "networkSecurityGroupName": UNKNOWN, "access": "Deny"},
    )
    document = read(preview(group(), rule))
    assert "microsoft.network/networksecuritygroups/securityrules" in document.unread
    assert [one.code for one in document.notices] == ["unplaced-resource"]


@pytest.mark.parametrize("hidden", [SECRET, "[secret]"])
def test_a_secret_is_unknown_and_says_so(hidden: object) -> None:
    found = only(read(preview(group(securityRules=hidden))), GROUPS).prop("securityRules")
    assert isinstance(found, Unknown)
    assert "secret" in found.why
    assert "AAAB" not in found.why


def test_an_export_shows_what_the_provider_added() -> None:
    known = f"{SCOPE}/Microsoft.Network/azureFirewalls/fw"
    firewall = native(
        "network:AzureFirewall",
        "fw",
        {"azureFirewallName": "fw", "resourceGroupName": "rg", "ipConfigurations": [{"name": "c"}]},
        id=known,
        outputs={"ipConfigurations": [{"name": "c", "privateIPAddress": "10.0.0.4"}], "name": "fw"},
    )
    document = read(export(firewall), "pulumi_stack")
    found = only(document, "Microsoft.Network/azureFirewalls")
    assert str(found.id) == known
    assert found.prop("ipConfigurations", 0, "properties", "privateIPAddress") == "10.0.0.4"
    assert document.deployed
    assert any("2026-01-01" in one for one in document.remarks)


def test_rows_that_only_the_provider_shows_are_the_stacks_own_or_open() -> None:
    """A rule that is a resource of its own shows up in its group; one that nobody manages is in doubt."""
    rule = native(
        "network:SecurityRule",
        "r",
        {"securityRuleName": "own", "networkSecurityGroupName": "nsg", "resourceGroupName": "rg"},
    )
    shown = {**group(), "outputs": {"securityRules": [{"name": "own"}]}}
    assert only(read(export(shown, rule), "pulumi_stack"), GROUPS).prop("securityRules") is None
    strange = {**group(), "outputs": {"securityRules": [{"name": "own"}, {"name": "by-hand"}]}}
    found = only(read(export(strange, rule), "pulumi_stack"), GROUPS).prop("securityRules")
    assert isinstance(found, Unknown)
    assert "by-hand" in found.why


def test_what_is_read_and_not_managed_exists_already() -> None:
    outputs = {"addressPrefix": "10.0.0.0/24", "name": "nodes"}
    known = f"{SCOPE}/Microsoft.Network/virtualNetworks/net/subnets/nodes"
    one = native("network:Subnet", "nodes", {}, id=known, external=True, outputs=outputs)
    found = only(read(export(one), "pulumi_stack"), SUBNETS)
    assert found.existing
    assert found.prop("addressPrefix") == "10.0.0.0/24"


def test_the_provider_says_subscription_and_cloud() -> None:
    provider = {
        "urn": urn("pulumi:providers:azure-native", "gov"),
        "type": "pulumi:providers:azure-native",
        "custom": True,
        "id": "x",
        "inputs": {"subscriptionId": "0f0f", "environment": "usgovernment"},
    }
    document = read(preview(provider, {**group(), "provider": f"{provider['urn']}::x"}))
    assert "/subscriptions/0f0f/" in str(only(document, GROUPS).id)
    assert document.cloud == "usgov"


def test_a_template_inside_a_stack_may_hold_anything() -> None:
    one = native("resources:Deployment", "d", {"properties": {"template": {}}})
    assert "*" in read(preview(one)).unread
