"""Previews, exports and programs as files: what is left out of them, what is broken, and the classic provider."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from tests.unit.pulumi_stacks import UNKNOWN, classic, export, group, only, preview, read, subnet, urn

from aks_egress.values import Unknown
from aks_egress_scan.__main__ import main
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.pulumi_preview import READER as PREVIEW
from aks_egress_scan.readers.pulumi_stack import READER as STACK

GROUPS = "Microsoft.Network/networkSecurityGroups"
SUBNETS = "Microsoft.Network/virtualNetworks/subnets"


def test_unchanged_resources_that_are_left_out_are_missed() -> None:
    """Without `--show-sames` a preview shows a part of the stack only: what is not there may be there."""
    document = read(preview(group(), summary={"create": 1, "same": 3}))
    assert "3 resources" in document.unread["*"].why
    assert "--show-sames" in document.unread["*"].settle
    shown = preview(group(), op="same", summary={"same": 1})
    assert "*" not in read(shown).unread


def test_a_preview_without_a_summary_may_have_ended_early() -> None:
    data = json.loads(preview(group()))
    del data["changeSummary"]
    assert "*" in read(json.dumps(data).encode()).unread


def test_what_will_be_deleted_is_gone_and_what_is_replaced_is_not() -> None:
    gone, kept = group("gone"), group("kept")
    steps = [
        {"op": "delete", "urn": gone["urn"], "oldState": gone},
        {"op": "create-replacement", "urn": kept["urn"], "oldState": kept, "newState": {**kept, "inputs": {**kept["inputs"], "location": "west"}}},
        {"op": "replace", "urn": kept["urn"], "oldState": kept, "newState": {**kept, "inputs": {**kept["inputs"], "location": "west"}}},
        {"op": "delete-replaced", "urn": kept["urn"], "oldState": kept},
    ]  # fmt: skip
    document = read(preview(steps=steps))
    assert [one.name for one in document.deleted] == ["gone"]
    assert only(document, GROUPS).get("location") == "west"


def test_a_preview_of_changes_only_shows_no_whole() -> None:
    """An update whose old state shows no outputs was cut down to what changes."""
    old = {**group(), "id": "x", "outputs": {}}
    new = {**group(), "inputs": {"tags": {"a": "b"}, "networkSecurityGroupName": "nsg"}}
    steps = [{"op": "update", "urn": old["urn"], "oldState": old, "newState": new}]
    found = only(read(preview(steps=steps)), GROUPS)
    assert isinstance(found.prop("securityRules"), Unknown)


def test_a_checkpoint_is_a_stack_too() -> None:
    data = json.loads(export(group()))
    checkpoint = {"version": 3, "checkpoint": {"stack": "dev", "latest": data["deployment"]}}
    assert only(read(json.dumps(checkpoint).encode(), "pulumi_stack"), GROUPS).name == "nsg"


def test_an_unfinished_update_is_spoken_of() -> None:
    document = read(export(group(), pending_operations=[{"type": "creating"}]), "pulumi_stack")
    assert any("pending" in one for one in document.remarks)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: one.pop("type"), "without `type`"),
        (lambda one: one.pop("urn"), "without `urn`"),
        (lambda one: one.update(inputs=[]), "`inputs` of a resource is no object"),
        (lambda one: one.update(propertyDependencies={"a": "b"}), "no list of URNs"),
    ],
)
def test_broken_states_are_refused_with_their_line(change: Any, said: str) -> None:
    one = group()
    change(one)
    if "urn" in one:
        with pytest.raises(MalformedError, match=said) as refused:
            read(preview(one), "pulumi_preview")
        assert refused.value.line
    data = json.loads(export(group()))
    change(data["deployment"]["resources"][0])
    with pytest.raises(MalformedError, match=said) as refused:
        STACK.read(Source("s.json", json.dumps(data, indent=1).encode()), Parameters())
    assert refused.value.line


def test_other_versions_are_refused() -> None:
    data = export(group()).replace(b'"version": 3', b'"version": 9')
    with pytest.raises(MalformedError, match="version 9"):
        STACK.read(Source("s.json", data), Parameters())


def test_damaged_files_raise_nothing_else() -> None:
    """Cut, swapped and overwritten bytes end in a document or in a MalformedError."""
    chance = random.Random(5)
    for reader, data in ((STACK, export(group(), subnet({}))), (PREVIEW, preview(group(), subnet({})))):
        for _ in range(150):
            damaged = bytearray(data)
            for _ in range(chance.randint(1, 3)):
                damaged[chance.randrange(len(damaged))] = chance.choice(b'{}[]":,0a')
            try:
                for document in reader.read(Source("x.json", bytes(damaged)), Parameters()):
                    for one in document.resources:
                        one.get("properties")
            except MalformedError:
                continue


def test_mutated_values_raise_nothing_at_all() -> None:
    """A value of another kind in any place is an odd value, never an error of ours."""
    chance = random.Random(7)
    odd: list[Any] = [None, 3, "", [], {}, True, [[]], UNKNOWN, {"id": 3}]
    for _ in range(200):
        one, two = (
            group(securityRules=[{"name": "a", "priority": 1}]),
            subnet({}, networkSecurityGroup={"id": "x"}),
        )
        for state in (one, two):
            inputs = state["inputs"]
            inputs[chance.choice(list(inputs))] = chance.choice(odd)
        for resource in read(preview(one, two)).resources:
            resource.get("properties")


def classic_stack() -> bytes:
    """A network of the classic provider before it is made."""
    nodes = urn("azure:network/subnet:Subnet", "nodes")
    nsg = classic(
        "network/networkSecurityGroup:NetworkSecurityGroup",
        "nsg",
        {
            "name": "nsg",
            "resourceGroupName": UNKNOWN,
            "location": "eastus",
            "securityRules": [
                {"name": "d", "priority": 100, "direction": "Outbound", "access": "Deny", "protocol": "*",
                 "destinationAddressPrefixes": ["1.2.3.0/24"], "sourceAddressPrefix": "*"}
            ],
        },
        depends={"resourceGroupName": [urn("azure:core/resourceGroup:ResourceGroup", "rg")]},
    )  # fmt: skip
    rg = classic("core/resourceGroup:ResourceGroup", "rg", {"name": "rg-shop", "location": "eastus"})
    sub = classic(
        "network/subnet:Subnet",
        "nodes",
        {
            "name": "nodes",
            "resourceGroupName": "rg-shop",
            "virtualNetworkName": "net",
            "addressPrefixes": ["10.0.0.0/24"],
        },
    )
    joined = classic(
        "network/subnetNetworkSecurityGroupAssociation:SubnetNetworkSecurityGroupAssociation",
        "a",
        {"subnetId": UNKNOWN, "networkSecurityGroupId": UNKNOWN},
        depends={"subnetId": [nodes], "networkSecurityGroupId": [nsg["urn"]]},
    )
    return preview(rg, nsg, sub, joined)


def test_the_classic_provider_is_read_as_azurerm() -> None:
    document = read(classic_stack())
    rule = only(document, GROUPS).prop("securityRules", 0)
    assert rule["properties"]["destinationAddressPrefixes"] == ["1.2.3.0/24"]
    assert "/resourceGroups/rg-shop/" in str(only(document, GROUPS).id)
    attached = only(document, SUBNETS).prop("networkSecurityGroup", "id")
    assert [ref.id.rsplit("/", 1)[-1] for ref in attached.refers_to] == ["nsg"]


def test_both_providers_meet_in_one_stack() -> None:
    """A subnet of the one with a security group of the other."""
    mixed = subnet({"networkSecurityGroup": [classic_urn()]}, networkSecurityGroup={"id": UNKNOWN})
    data = json.loads(classic_stack())
    states = [step["newState"] for step in data["steps"] if "subnet" not in step["newState"]["type"].lower()]
    found = only(read(preview(*states, mixed)), SUBNETS).prop("networkSecurityGroup", "id")
    assert [ref.id.rsplit("/", 1)[-1] for ref in found.refers_to] == ["nsg"]


def classic_urn() -> str:
    return urn("azure:network/networkSecurityGroup:NetworkSecurityGroup", "nsg")


def test_a_project_of_another_language_says_what_to_name(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "Pulumi.yaml"
    file.write_text("name: shop\nruntime: python\n")
    assert main(["scan", str(file)]) == 2
    assert "pulumi preview --json" in capsys.readouterr().err
