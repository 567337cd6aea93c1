"""Mending: off, then only what was named, only what is proved, and nothing else changed."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format
from tests.pack.conftest import stack, told
from tests.pack.engine import SECRET, SIGNATURE
from tests.pack.server import Server
from tests.pack.stacks import named

GROUPS = {"nsg-sys*": "10.1.0.0/22", "nsg-user": "10.1.4.0/22"}
ON = {"aks-open-tunnel": {"enforcementLevel": "remediate", "securityGroups": GROUPS}}


def answer(
    server: Server, config: dict[str, Any], variant: str = "konnectivity", name: str = "nsg-system"
) -> Any:
    server.configure(config)
    found = server.remediate(named(stack(variant), name)).remediations
    return json_format.MessageToDict(found[0].properties) if found else None


def test_nothing_is_mended_until_it_is_turned_on_and_told_where(server: Server) -> None:
    assert answer(server, {}) is None
    assert answer(server, {"aks-open-tunnel": {"enforcementLevel": "remediate"}}) is None
    elsewhere = {
        "aks-open-tunnel": {"enforcementLevel": "remediate", "securityGroups": {"other-*": "10.1.0.0/22"}}
    }
    assert answer(server, elsewhere) is None


def test_one_rule_more_opens_the_tunnel(server: Server) -> None:
    """The mended group, judged with the rest of the stack, lets the tunnel out."""
    before = named(stack("konnectivity"), "nsg-system").inputs
    after = answer(server, ON)
    assert {key: after[key] for key in before if key != "securityRules"} == {
        key: before[key] for key in before if key != "securityRules"
    }
    assert after["securityRules"][:-1] == before["securityRules"]
    added = after["securityRules"][-1]
    assert (added["destinationAddressPrefix"], added["destinationPortRange"]) == ("AzureCloud.eastus", "443")
    every = stack("konnectivity")
    named(every, "nsg-system").inputs = after
    assert not any(policy == "aks-tunnel" for policy, _, _ in told(server.preview(every)))


def test_what_does_not_cut_the_tunnel_is_left_alone(server: Server) -> None:
    assert answer(server, ON, "sound") is None
    assert answer(server, ON, "konnectivity", "nsg-user") is None
    assert answer(server, ON, "konnectivity", "rt-spoke") is None


def test_secrets_survive_mending(server: Server) -> None:
    every = stack("konnectivity")
    group = named(every, "nsg-system")
    group.inputs["tags"] = {SIGNATURE: SECRET, "value": {"owner": "s3cr3t"}}
    server.configure(ON)
    found = json_format.MessageToDict(server.remediate(group).remediations[0].properties)
    assert found["tags"] == {SIGNATURE: SECRET, "value": {"owner": "s3cr3t"}}
