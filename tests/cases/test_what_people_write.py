"""What people really write, and what must not be taken for a way through: rules at the wrong place or in the wrong words.

From the robustness catalogue of public repositories: each of these looks like a permission and is none.
"""

from __future__ import annotations

import pytest
from tests import builders as b

ADDRESS = "10.9.0.4"
REGISTRY = "mcr.microsoft.com"
REGION = "AzureCloud.eastus"
ALLOW_ALL = b.collection("net", 100, "Allow", b.network_rule("all", "Any", "*", "*"))
DENY_ALL = b.rule("deny-all", 4000, "Deny")
PLAIN = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24"))


def behind(*rules: b.Row) -> tuple[b.Row, ...]:
    """Nodes behind one security group."""
    return (
        b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", nsg="nsg1")),
        b.nsg("nsg1", *rules),
        b.cluster("nodes", outbound="loadBalancer"),
    )


def hub(
    *collections: b.Row, firewall: b.Row | None = None, group: str = "policy/aks", **networks: b.Row
) -> list[b.Row]:
    """A firewall in a hub, nodes in a spoke; each part can be replaced."""
    nodes = b.subnet("nodes", "10.0.0.0/24", table="rt")
    inside = b.subnet("AzureFirewallSubnet", "10.9.0.0/26")
    return [
        networks.get("hub") or b.vnet("hub", "10.9.0.0/16", inside, peerings=[b.peering("net")]),
        networks.get("spoke") or b.vnet("net", "10.0.0.0/16", nodes, peerings=[b.peering("hub")]),
        b.table("rt", b.route("default", "0.0.0.0/0", "VirtualAppliance", ADDRESS)),
        b.policy(),
        firewall or b.firewall(),
        b.rules_of(group, 200, *collections),
        b.cluster("nodes"),
    ]


def registry(*rows: b.Row) -> str:
    return b.flow(b.judged(*rows), REGISTRY).verdict


@pytest.mark.parametrize(
    "rule",
    [
        b.rule("allow", 100, "Allow", "*", "443", direction="Inbound"),
        b.rule("allow", 100, "Allow", "*", "80,443"),
        b.rule("allow", 100, "Allow", "*", "443", protocol="Icmp"),
        b.rule("allow", 100, "Allow", "*", "443", sourcePortRange="443"),
        b.rule("allow", 100, "Allow", "*", "443", source="10.8.0.0/16"),
        b.rule("allow", 100, "Allow", "AzureKubernetesService", "443"),
        b.rule("allow", 100, "Allow", "mcr.microsoft.com", "443"),
        b.rule("allow", 4096, "Allow", "*", "443"),
        b.rule("allow", 100, "Allow", "::/0", "443"),
    ],
    ids=[
        "inbound",
        "comma",
        "icmp",
        "source-port",
        "source",
        "fqdn-tag",
        "host-name",
        "after-the-deny",
        "ipv6",
    ],
)
def test_a_security_rule_that_looks_like_a_permission(rule: b.Row) -> None:
    assert registry(*behind(rule, DENY_ALL)) == "blocked"


def test_the_same_rule_as_it_should_be() -> None:
    assert (
        registry(*behind(b.rule("allow", 100, "Allow", "Internet", ["443"], protocol="tcp"), DENY_ALL))
        == "open"
    )


@pytest.mark.parametrize(
    ("mode", "protocol", "port", "right"),
    [
        ("aks-link", "TCP", "1194", False),
        ("tunnelfront", "UDP", "9000", False),
        ("aks-link", "UDP", "1194", True),
    ],
)
def test_tunnel_ports_with_the_wrong_protocol(mode: str, protocol: str, port: str, right: bool) -> None:
    rules = [b.network_rule("api", "TCP", REGION, "443"), b.network_rule("tunnel", protocol, REGION, port)]
    report = b.judged(*hub(b.collection("net", 100, "Allow", *rules)), tunnel=mode)
    assert b.sole(report).tunnel.verdict == ("open" if right else "blocked")


@pytest.mark.parametrize(
    "rule",
    [
        b.application_rule("tag as a name", "AzureKubernetesService"),
        b.network_rule("name as an address", "TCP", REGISTRY, "443"),
        b.network_rule("fqdn tag as an address", "TCP", "AzureKubernetesService", "443"),
        b.application_rule("http", REGISTRY, ports=(("Http", 443),)),
        b.application_rule("wildcard at the end", "mcr.microsoft.*"),
        b.application_rule("typo", "*.cdn.mcr.io", "mcr.microsoft.co"),
        b.application_rule("source", REGISTRY, source="10.8.0.0/16"),
        b.network_rule("internet", "TCP", "Internet", "443"),
    ],
    ids=lambda rule: rule["name"],
)
def test_a_firewall_rule_that_looks_like_a_permission(rule: b.Row) -> None:
    assert registry(*hub(b.collection("any", 100, "Allow", rule))) == "blocked"


def test_rules_of_a_policy_that_no_firewall_uses() -> None:
    assert registry(*hub(ALLOW_ALL)) == "open"
    assert registry(*hub(ALLOW_ALL, firewall=b.firewall(policy=""))) == "blocked"
    assert registry(*hub(ALLOW_ALL, group="other/aks"), b.policy("other")) == "blocked"


def test_a_draft_of_a_rule_collection_group_changes_nothing() -> None:
    draft = {"priority": 200, "ruleCollections": [ALLOW_ALL]}
    kind = "firewallPolicies/ruleCollectionGroups/ruleCollectionGroupDrafts"
    assert (
        registry(*hub(b.collection("net", 100, "Allow")), b.resource(kind, "policy/aks/default", draft))
        == "blocked"
    )


def test_networks_that_are_not_peered() -> None:
    nodes = b.subnet("nodes", "10.0.0.0/24", table="rt")
    inside = b.subnet("AzureFirewallSubnet", "10.9.0.0/26")
    bare = {"hub": b.vnet("hub", "10.9.0.0/16", inside), "spoke": b.vnet("net", "10.0.0.0/16", nodes)}
    report = b.judged(*hub(ALLOW_ALL, **bare))
    assert b.flow(report, REGISTRY).verdict == "blocked"
    assert b.findings(report, "EGR3")
    shut = b.vnet("hub", "10.9.0.0/16", inside, peerings=[b.peering("net", allowVirtualNetworkAccess=False)])
    assert registry(*hub(ALLOW_ALL, hub=shut)) == "blocked"
    off = b.vnet("net", "10.0.0.0/16", nodes, peerings=[b.peering("hub", allowVirtualNetworkAccess=False)])
    assert registry(*hub(ALLOW_ALL, spoke=off)) == "blocked"


@pytest.mark.parametrize("address", ["10.9.0.5", "10.77.0.4"])
def test_a_next_hop_that_nobody_owns_is_not_the_firewall(address: str) -> None:
    rows = hub(ALLOW_ALL)
    rows[2] = b.table("rt", b.route("default", "0.0.0.0/0", "VirtualAppliance", address))
    report = b.judged(*rows)
    assert b.flow(report, REGISTRY).verdict == "unknown"
    assert b.sole(report).tunnel.verdict == "unknown"


def test_groups_and_tables_that_are_attached_to_nothing_decide_nothing() -> None:
    rows = (
        PLAIN,
        b.nsg("loose", DENY_ALL),
        b.table("loose", b.route("default", "0.0.0.0/0", "None")),
        b.cluster("nodes", outbound="loadBalancer"),
    )
    assert b.sole(b.judged(*rows)).verdict == "open"


def test_a_deny_on_another_subnet_does_not_count_for_the_nodes() -> None:
    rows = (
        b.vnet(
            "net",
            "10.0.0.0/16",
            b.subnet("nodes", "10.0.0.0/24"),
            b.subnet("AzureBastionSubnet", "10.0.1.0/26", nsg="bastion"),
        ),
        b.nsg("bastion", DENY_ALL),
        b.cluster("nodes", outbound="loadBalancer"),
    )
    assert b.sole(b.judged(*rows)).verdict == "open"


def test_what_is_attached_but_not_at_hand_is_not_decided() -> None:
    attached = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", nsg="elsewhere"))
    report = b.judged(attached, b.cluster("nodes", outbound="loadBalancer"))
    assert b.sole(report).verdict == "unknown"
    assert "elsewhere" in b.flow(report, REGISTRY).reason
    nowhere = b.judged(b.cluster("nodes", outbound="loadBalancer"))
    assert b.sole(nowhere).verdict == "unknown"


def test_pods_of_an_overlay_are_no_part_of_the_network() -> None:
    """Allowing VirtualNetwork and denying the rest shuts the pods off (N20)."""
    profile = {
        "networkPlugin": "azure",
        "networkPluginMode": "overlay",
        "podCidr": "10.244.0.0/16",
        "outboundType": "loadBalancer",
    }
    rules = [
        b.rule("allow-vnet", 100, "Allow", "VirtualNetwork", source="VirtualNetwork", direction="Inbound"),
        b.rule("deny-in", 4000, "Deny", direction="Inbound"),
    ]
    rows = (*behind(*rules)[:2], b.cluster("nodes", networkProfile=profile))
    report = b.judged(*rows)
    assert "EGR803" in {one.rule for one in report.findings}
    pods = b.rule(
        "allow-pods",
        110,
        "Allow",
        ["10.244.0.0/16", "10.0.0.0/24"],
        source=["10.244.0.0/16", "10.0.0.0/24"],
        direction="Inbound",
    )
    assert b.sole(b.judged(rows[0], b.nsg("nsg1", *rules, pods), rows[2])).verdict == "open"


def test_internet_does_not_mean_public_addresses_of_the_network_itself() -> None:
    """A network may use public ranges; the tag Internet leaves them out (U2)."""
    rows = (
        b.vnet("net", ["10.0.0.0/16", "20.1.0.0/16"], b.subnet("nodes", "10.0.0.0/24", nsg="nsg1")),
        b.nsg("nsg1", b.rule("allow-internet", 100, "Allow", "Internet"), DENY_ALL),
        b.cluster("nodes", outbound="loadBalancer"),
    )
    report = b.judged(*rows, asks=[b.wants("20.1.2.3"), b.wants("20.2.2.3")])
    assert b.flow(report, "20.1.2.3").verdict == "blocked"
    assert b.flow(report, "20.2.2.3").verdict == "open"
