"""Terraform states, as `terraform show -json` prints them and as Terraform keeps them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.terraform_plans import HUB, everything, one, read

from aks_egress.arm.resources import Document
from aks_egress.values import Unknown
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.terraform_plan import READER as PLAN
from aks_egress_scan.readers.terraform_state import READER

FORMS = ("state.json", "terraform.tfstate")


def state(data: bytes) -> Document:
    (document,) = READER.read(Source("state", data), Parameters())
    return document


@pytest.mark.parametrize("form", FORMS)
def test_both_forms_are_claimed_here_and_not_as_plans(form: str) -> None:
    source = Source(form, (HUB / form).read_bytes())
    assert READER.claims(source)
    assert not PLAN.claims(source)


@pytest.mark.parametrize("form", FORMS)
def test_a_state_joins_by_its_ids(form: str) -> None:
    document = state((HUB / form).read_bytes())
    subnet = one(document, 'module.spoke["blue"].azurerm_subnet.spoke["nodes"]')
    assert str(subnet.prop("networkSecurityGroup", "id")).endswith("/networkSecurityGroups/nsg-blue")
    assert str(subnet.prop("routeTable", "id")).endswith("/routeTables/rt-blue")
    cluster = one(document, 'azurerm_kubernetes_cluster.aks["blue"]')
    assert cluster.prop("agentPoolProfiles", 0, "vnetSubnetID") == str(subnet.id)
    assert everything(document) == []


def test_both_forms_and_the_plan_show_the_same_resources() -> None:
    shown, raw = (state((HUB / form).read_bytes()) for form in FORMS)
    plan = read((HUB / "plan.json").read_bytes())
    ids = [sorted(row.id.key for row in document.resources) for document in (shown, raw, plan)]
    assert ids[0] == ids[1] == ids[2]
    bodies = [{row.address: row.get("properties") for row in document.resources} for document in (shown, raw)]
    assert bodies[0] == bodies[1]


def test_lines_lead_into_the_state() -> None:
    data = json.dumps(json.loads((HUB / "terraform.tfstate").read_bytes()), indent=1).encode()
    document = state(data)
    group = one(document, "azurerm_firewall_policy_rule_collection_group.aks")
    line = document.locate(group.place("properties", "ruleCollections", 0, "rules", 0))
    assert line is not None
    rule = "".join(data.decode().splitlines()[line - 1 : line + 25])
    assert rule.strip().startswith("{")
    assert rule.index("AzureCloud.westeurope") < rule.index('"udp"')


def raw(*instances: dict[str, Any], **top: Any) -> bytes:
    row = {"mode": "managed", "type": "azurerm_route_table", "name": "t", "instances": list(instances)}
    return json.dumps(
        {"version": 4, "terraform_version": "1.9.0", "serial": 1, "resources": [row], **top}
    ).encode()


def test_sensitive_attributes_are_not_looked_at() -> None:
    hidden = [[{"type": "get_attr", "value": "tags"}]]
    document = state(
        raw({"attributes": {"name": "t", "tags": {"a": "hidden"}}, "sensitive_attributes": hidden})
    )
    assert isinstance(document.resources[0].get("tags"), Unknown)


def test_deposed_instances_are_left_out() -> None:
    document = state(raw({"attributes": {"name": "t"}}, {"attributes": {"name": "u"}, "deposed": "abc"}))
    assert [row.name for row in document.resources] == ["t"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (raw(version=3), "version 3 is not read"),
        (b'{"format_version":"1.0","values":[]}', "is not an object"),
        (b'{"format_version":"1.0","planned_values":{}}', "a Terraform plan, not a state"),
        (b'{"version":4,"resources":{}}', "is not a list"),
        (b'{"version":4,"resources":[{"instances":[7]}]}', "is not an object"),
        (b"7", "not a Terraform state"),
        (b'{"version":4,', "cut off"),
    ],
)
def test_broken_states_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(MalformedError, match=words):
        READER.read(Source("in", data), Parameters())


def test_an_empty_state_is_a_document_without_resources() -> None:
    assert state(b'{"format_version":"1.0"}').resources == ()
    assert READER.claims(Source("x", b'{"format_version":"1.0"}'))
    assert not READER.claims(Source("x", b'{"version": 4, "name": "x"}'))
