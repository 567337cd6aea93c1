"""Worked examples TA1 to TA4: Virtual Network Manager's admin rules come before security groups.

Source: Microsoft, virtual-network-manager/concept-security-admins.
"""

from __future__ import annotations

from tests import builders as b

from aks_egress.findings.report import Flow

CONFIGURATION = "networkManagers/securityAdminConfigurations"
WEB = "20.1.2.3"


def manager(*rules: b.Row) -> tuple[b.Row, ...]:
    """One manager whose rules apply to the network `net`."""
    group = b.rid("networkManagers/networkGroups", "manager", "all")
    return (
        b.resource("networkManagers", "manager", {}),
        b.resource("networkManagers/networkGroups", "manager/all", {}),
        b.resource(
            "networkManagers/networkGroups/staticMembers",
            "manager/all/net",
            {"resourceId": b.rid("virtualNetworks", "net")},
        ),
        b.resource(CONFIGURATION, "manager/config", {}),
        b.resource(
            f"{CONFIGURATION}/ruleCollections",
            "manager/config/first",
            {"appliesToGroups": [{"networkGroupId": group}]},
        ),
        *rules,
    )


def admin(name: str, priority: int, access: str, tag: str) -> b.Row:
    """An outbound admin rule on TCP 443 to a service tag."""
    properties = {
        "priority": priority,
        "access": access,
        "direction": "Outbound",
        "protocol": "Tcp",
        "sources": [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}],
        "destinations": [{"addressPrefix": tag, "addressPrefixType": "ServiceTag"}],
        "sourcePortRanges": ["0-65535"],
        "destinationPortRanges": ["443"],
    }
    return b.resource(
        f"{CONFIGURATION}/ruleCollections/rules", f"manager/config/first/{name}", properties, kind="Custom"
    )


def judged(group_rule: b.Row, *rules: b.Row) -> Flow:
    rows = (
        b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", nsg="nsg1")),
        b.nsg("nsg1", group_rule),
        b.cluster("nodes", outbound="loadBalancer"),
        *manager(*rules),
    )
    return b.flow(b.judged(*rows, asks=[b.wants(WEB)]), WEB)


ALLOW = b.rule("allow-https", 100, "Allow", "*", "443", protocol="Tcp")
DENY = b.rule("deny-all", 100, "Deny")


def test_ta1_an_admin_deny_ends_it_whatever_the_group_allows() -> None:
    found = judged(ALLOW, admin("no-internet", 10, "Deny", "Internet"))
    assert found.verdict == "blocked"
    assert b.blockers(found) == [("admin-rule", "no-internet")]


def test_ta2_always_allow_skips_the_groups() -> None:
    found = judged(DENY, admin("always-internet", 10, "AlwaysAllow", "Internet"))
    assert found.verdict == "open"
    assert b.hops(found, "subnet-nsg") == []


def test_ta3_an_admin_allow_leaves_the_decision_to_the_group() -> None:
    found = judged(DENY, admin("allow-internet", 10, "Allow", "Internet"))
    assert found.verdict == "blocked"
    assert b.blockers(found) == [("subnet-nsg", "deny-all")]


def test_ta4_the_lower_number_is_asked_first() -> None:
    rules = (
        admin("always-internet", 20, "AlwaysAllow", "Internet"),
        admin("no-internet", 10, "Deny", "Internet"),
    )
    found = judged(ALLOW, *rules)
    assert found.verdict == "blocked"
    assert b.blockers(found) == [("admin-rule", "no-internet")]
