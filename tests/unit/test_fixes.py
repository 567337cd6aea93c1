"""What `aks-egress fix` proposes opens what is blocked, also when it is written down and scanned again."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from aks_egress_scan.__main__ import main

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "hub-and-spoke"
NETWORK = "Microsoft.Network"
Template = dict[str, Any]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory without anybody's settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AKS_EGRESS_CACHE_DIR", str(tmp_path / "cache"))


def resource(kind: str, name: str, properties: dict[str, Any]) -> dict[str, Any]:
    """A resource of a template."""
    return {
        "type": kind,
        "apiVersion": "2024-05-01",
        "name": name,
        "location": "eastus",
        "properties": properties,
    }


def identity(kind: str, *names: str) -> dict[str, str]:
    """A reference to a resource of the template."""
    return {"id": f"[resourceId('{kind}', {', '.join(repr(one) for one in names)})]"}


def rule(name: str, priority: int, access: str, **other: str) -> dict[str, Any]:
    """An outbound rule for everything, or what is said otherwise."""
    properties = {
        "priority": priority,
        "direction": "Outbound",
        "access": access,
        "protocol": "*",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "*",
        **other,
    }
    return {"name": name, "properties": properties}


def template(rules: list[Any] = [], routes: list[Any] = [], more: list[Any] = []) -> Template:  # noqa: B006
    """A cluster in a subnet with a security group and a route table."""
    subnet = {
        "name": "nodes",
        "properties": {
            "addressPrefix": "10.0.0.0/24",
            "networkSecurityGroup": identity(f"{NETWORK}/networkSecurityGroups", "nsg"),
            "routeTable": identity(f"{NETWORK}/routeTables", "rt"),
        },
    }
    firewalls = {"name": "AzureFirewallSubnet", "properties": {"addressPrefix": "10.0.1.0/24"}}
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet, firewalls]}
    pool = {
        "name": "system",
        "mode": "System",
        "vnetSubnetID": identity(f"{NETWORK}/virtualNetworks/subnets", "vnet", "nodes")["id"],
    }
    cluster = {"dnsPrefix": "aks", "agentPoolProfiles": [pool]}
    if routes:
        cluster["networkProfile"] = {"outboundType": "userDefinedRouting"}
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [
            resource(f"{NETWORK}/networkSecurityGroups", "nsg", {"securityRules": rules}),
            resource(f"{NETWORK}/routeTables", "rt", {"routes": routes}),
            resource(f"{NETWORK}/virtualNetworks", "vnet", space),
            resource("Microsoft.ContainerService/managedClusters", "aks", cluster),
            *more,
        ],
    }


def firewall(**collections: list[Any]) -> list[dict[str, Any]]:
    """A classic firewall at 10.0.1.4, and its public address."""
    configuration = {
        "name": "ip",
        "properties": {
            "privateIPAddress": "10.0.1.4",
            "subnet": identity(f"{NETWORK}/virtualNetworks/subnets", "vnet", "AzureFirewallSubnet"),
            "publicIPAddress": identity(f"{NETWORK}/publicIPAddresses", "pip"),
        },
    }
    properties = {
        "sku": {"name": "AZFW_VNet", "tier": "Standard"},
        "ipConfigurations": [configuration],
        **collections,
    }
    return [
        resource(f"{NETWORK}/azureFirewalls", "fw", properties),
        resource(f"{NETWORK}/publicIPAddresses", "pip", {"publicIPAllocationMethod": "Static"}),
    ]


def collection(name: str, action: str, **rule_: Any) -> dict[str, Any]:
    """A classic collection of one rule at priority 300."""
    properties = {
        "priority": 300,
        "action": {"type": action},
        "rules": [{"name": "r", "sourceAddresses": ["*"], **rule_}],
    }
    return {"name": name, "properties": properties}


def fixed(given: Template, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    """Exit status and text for a template."""
    Path("main.json").write_text(json.dumps(given), "utf-8")
    before = Path("main.json").read_bytes()
    capsys.readouterr()
    status = main(["fix", "main.json", *options])
    assert Path("main.json").read_bytes() == before
    return status, capsys.readouterr().out


def snippets(said: str) -> list[dict[str, Any]]:
    """The JSON parts that were proposed."""
    found = re.findall(r"^     \{\n.*?^     \}", said, re.MULTILINE | re.DOTALL)
    return [json.loads(one) for one in found]


def verdict(given: Template, capsys: pytest.CaptureFixture[str]) -> str:
    """What a scan says of the cluster."""
    Path("after.json").write_text(json.dumps(given), "utf-8")
    capsys.readouterr()
    main(["scan", "after.json", "--format", "json"])
    found: str = json.loads(capsys.readouterr().out)["clusters"][0]["verdict"]
    return found


def test_a_security_rule_stands_before_the_one_that_denies(capsys: pytest.CaptureFixture[str]) -> None:
    """At a priority that nobody has; written down, it opens the cluster."""
    given = template([rule("a", 198, "Allow", destinationPortRange="53"), rule("deny", 200, "Deny")])
    given["resources"][0]["properties"]["securityRules"].insert(
        0, rule("b", 199, "Allow", destinationPortRange="54")
    )
    assert verdict(given, capsys) == "blocked"
    status, said = fixed(given, capsys)
    parts = snippets(said)
    assert status == 0
    assert {one["properties"]["priority"] for one in parts} & {198, 199} == set()
    assert all(100 <= one["properties"]["priority"] < 200 for one in parts)
    mended = copy.deepcopy(given)
    mended["resources"][0]["properties"]["securityRules"] += parts
    assert verdict(mended, capsys) == "open"
    for part in parts:  # and none of them is more than is needed
        fewer = copy.deepcopy(mended)
        fewer["resources"][0]["properties"]["securityRules"].remove(part)
        assert verdict(fewer, capsys) != "open"


def test_without_a_free_priority_people_are_told_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """A Deny at 100 has nothing before it."""
    status, said = fixed(template([rule("deny", 100, "Deny")]), capsys)
    assert status == 1
    assert "no change could be proved; add an outbound Allow rule" in said
    assert snippets(said) == []


def test_a_route_into_nowhere_is_led_to_the_firewall(capsys: pytest.CaptureFixture[str]) -> None:
    """Its address is known; without one nothing can be proved, for nodes have no public address."""
    route = {"name": "default", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "None"}}
    status, said = fixed(template(routes=[route]), capsys)
    assert (status, snippets(said)) == (1, [])
    assert "no change could be proved; lead route `default` to a next hop" in said
    everything = collection(
        "all", "Allow", protocols=["Any"], destinationAddresses=["*"], destinationPorts=["*"]
    )
    given = template(routes=[route], more=firewall(networkRuleCollections=[everything]))
    status, said = fixed(given, capsys)
    assert status == 0
    assert "lead route `default` of `rt` elsewhere than to None" in said
    mended = copy.deepcopy(given)
    mended["resources"][1]["properties"]["routes"] = snippets(said)
    assert verdict(mended, capsys) == "open"


def test_a_network_without_faults_needs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """And one without a cluster has nothing to judge."""
    assert fixed(template(), capsys) == (0, "nothing that is required is blocked\n")
    empty = template()
    empty["resources"] = empty["resources"][:3]
    assert fixed(empty, capsys) == (3, "")


@pytest.mark.parametrize(
    ("variant", "tunnel", "file"),
    [
        ("konnectivity", "konnectivity", "security.tf"),
        ("kubelet", "konnectivity", "security.tf"),
        ("aks-link", "aks-link", "firewall.tf"),
        ("tunnelfront", "tunnelfront", "firewall.tf"),
    ],
)
def test_what_is_proposed_for_terraform_mends_the_source(
    variant: str, tunnel: str, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The snippet, put into the source, makes the scan of it sound."""
    for one in (EXAMPLE / "terraform").glob("*.tf"):
        Path(one.name).write_text(one.read_text("utf-8"), "utf-8")
    values = (EXAMPLE / f"terraform/variants/{variant}.tfvars").read_text("utf-8")
    Path("terraform.tfvars").write_text(values, "utf-8")
    assert main(["scan", ".", "--tunnel", tunnel]) == 1
    capsys.readouterr()
    assert main(["fix", ".", "--tunnel", tunnel]) == 0
    said = capsys.readouterr().out
    assert "aks-shop open" in said
    blocks = re.findall(r"^     (?:security_rule|resource) .*?^     \}$", said, re.MULTILINE | re.DOTALL)
    assert blocks
    text = Path(file).read_text("utf-8").rstrip()
    inside = blocks[0].lstrip().startswith("security_rule")
    joined = "\n".join(blocks)
    Path(file).write_text(f"{text[:-1]}{joined}\n}}\n" if inside else f"{text}\n{joined}\n", "utf-8")
    assert main(["scan", ".", "--tunnel", tunnel]) == 0, capsys.readouterr().out


def test_a_classic_firewall_gets_a_collection_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """By name for what it reads, by address for the rest; it is asked before what there is."""
    deny = collection("old", "Deny", protocols=[{"protocolType": "Https", "port": 443}], targetFqdns=["*"])
    way = {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.1.4"}
    given = template(
        routes=[{"name": "default", "properties": way}], more=firewall(applicationRuleCollections=[deny])
    )
    assert verdict(given, capsys) == "blocked"
    status, said = fixed(given, capsys)
    assert status == 0, said
    mended = copy.deepcopy(given)
    properties = mended["resources"][4]["properties"]
    for part in snippets(said):
        named = "targetFqdns" in part["properties"]["rules"][0]
        properties.setdefault("applicationRuleCollections" if named else "networkRuleCollections", []).append(
            part
        )
        assert part["properties"]["priority"] < 300
    assert verdict(mended, capsys) == "open"
    status, said = fixed(given, capsys, "--snippet", "terraform")
    assert 'resource "azurerm_firewall_application_rule_collection"' in said
