"""Worked examples TF1 to TF14: what an Azure Firewall lets through.

Sources: Microsoft's pages firewall/rule-processing, firewall-faq, dns-settings, ip-groups,
features-by-sku, snat-private-range; aks/limit-egress-traffic.
"""

from __future__ import annotations

from typing import Any

from tests import builders as b

from aks_egress.findings.report import Flow, Report

ADDRESS = "10.9.0.4"
API_SERVER = "*.hcp.eastus.azmk8s.io"


def hub(*groups: b.Row, **options: Any) -> tuple[b.Row, ...]:
    """A hub with a firewall and a spoke whose only way out leads to it."""
    made = {
        "policy": b.policy(**options.pop("policy", {})),
        "firewall": b.firewall(**options.pop("firewall", {})),
    }
    return (
        b.vnet(
            "hub", "10.9.0.0/16", b.subnet("AzureFirewallSubnet", "10.9.0.0/26"), peerings=[b.peering("net")]
        ),
        b.vnet(
            "net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", table="rt"), peerings=[b.peering("hub")]
        ),
        b.table("rt", b.route("default", "0.0.0.0/0", "VirtualAppliance", ADDRESS)),
        made["policy"],
        made["firewall"],
        *groups,
        b.cluster("nodes"),
    )


def group(*collections: b.Row, name: str = "policy/group", priority: int = 200) -> b.Row:
    return b.rules_of(name, priority, *collections)


def asked(
    rows: tuple[b.Row, ...], value: str, port: int = 443, protocol: str = "TCP", **settings: Any
) -> Flow:
    return b.flow(
        b.judged(*rows, asks=[b.wants(value, port, protocol)], **settings), value, protocol, str(port)
    )


def by_rule(found: Flow) -> list[tuple[str, str]]:
    return b.deciders(found, "firewall")


def test_tf1_a_network_rule_that_matches_leaves_application_rules_unasked() -> None:
    rows = hub(
        group(
            b.collection("web", 200, "Allow", b.network_rule("web", "TCP", "*", ["80", "443"])),
            b.collection("names", 100, "Deny", b.application_rule("no-google", "google.com")),
        )
    )
    found = asked(rows, "google.com")
    assert found.verdict == "open"
    assert by_rule(found) == [("web/web", "allow")]


def test_tf2_the_collection_of_lower_priority_number_decides() -> None:
    rows = hub(
        group(
            b.collection("allow-ssh", 200, "Allow", b.network_rule("ssh", "TCP", "*", "22")),
            b.collection("deny-ssh", 100, "Deny", b.network_rule("ssh", "TCP", "*", "22")),
        )
    )
    found = asked(rows, "20.1.2.3", 22)
    assert found.verdict == "blocked"
    assert by_rule(found) == [("deny-ssh/ssh", "deny")]


def test_tf3_a_late_network_deny_still_comes_before_every_application_rule() -> None:
    rows = hub(
        group(b.collection("names", 100, "Allow", b.application_rule("aks", "*.azmk8s.io")), priority=100),
        group(
            b.collection("last", 60000, "Deny", b.network_rule("https", "TCP", "*", "443")),
            name="policy/late",
            priority=60000,
        ),
    )
    report = b.judged(*rows)
    found = b.flow(report, API_SERVER)
    assert found.verdict == "blocked"
    assert by_rule(found) == [("last/https", "deny")]
    assert b.sole(report).tunnel.verdict == "blocked"


def test_tf4_a_wildcard_leaves_out_the_bare_domain() -> None:
    rows = hub(group(b.collection("names", 100, "Allow", b.application_rule("contoso", "*.contoso.com"))))
    assert asked(rows, "contoso.com").verdict == "blocked"
    assert asked(rows, "a.b.contoso.com").verdict == "open"


def test_tf5_the_registrys_data_hosts_are_not_the_registry() -> None:
    rows = hub(
        group(b.collection("names", 100, "Allow", b.application_rule("mcr", "*.data.mcr.microsoft.com")))
    )
    report = b.judged(*rows)
    assert b.flow(report, "mcr.microsoft.com").verdict == "blocked"
    assert b.flow(report, "*.data.mcr.microsoft.com").verdict == "open"


def test_tf6_the_fqdn_tag_opens_no_tunnel_port() -> None:
    tag = b.application_rule("aks", fqdnTags=["AzureKubernetesService"])
    rows = hub(group(b.collection("names", 100, "Allow", tag)))
    report = b.judged(*rows, tunnel="tunnelfront")
    found = b.flow(report, "AzureCloud.eastus", ports="9000")
    assert found.verdict == "blocked"
    assert b.sole(report).tunnel.verdict == "blocked"
    assert b.flow(report, "mcr.microsoft.com").verdict == "open"


def test_a_name_that_the_fqdn_tag_may_not_hold_is_settled_by_naming_it() -> None:
    tag = b.application_rule("aks", fqdnTags=["AzureKubernetesService"])
    rows = hub(group(b.collection("names", 100, "Allow", tag)))
    found = b.flow(b.judged(*rows, features=("defender",)), "*.cloud.defender.microsoft.com")

    assert found.verdict == "unknown"
    assert found.settle == "name the host in an application rule of the firewall"


def named_rule(**options: Any) -> tuple[b.Row, ...]:
    rule = b.network_rule("mcr", "TCP", (), "443", names=["mcr.microsoft.com"])
    return hub(group(b.collection("net", 100, "Allow", rule)), **options)


def test_tf7_a_name_in_a_network_rule_needs_the_dns_proxy() -> None:
    report = b.judged(*named_rule())
    assert b.flow(report, "mcr.microsoft.com").verdict == "blocked"
    assert b.findings(report, "EGR4"), "a name that cannot work is worth saying"


def test_tf7_with_the_proxy_it_holds_where_the_clients_ask_the_firewall() -> None:
    rows = list(named_rule(policy={"proxy": True}))
    rows[1]["properties"]["dhcpOptions"] = {"dnsServers": [ADDRESS]}
    assert b.flow(b.judged(*rows), "mcr.microsoft.com").verdict == "open"
    del rows[1]["properties"]["dhcpOptions"]
    assert b.flow(b.judged(*rows), "mcr.microsoft.com").verdict != "open"


def test_tf8_a_parents_network_rules_come_before_the_childs_application_rules() -> None:
    parent = b.policy("parent")
    rows = hub(
        parent,
        group(
            b.collection("base", 1000, "Deny", b.network_rule("https", "TCP", "*", "443")),
            name="parent/base",
            priority=1000,
        ),
        group(b.collection("names", 100, "Allow", b.application_rule("all", "*")), priority=100),
        policy={"basePolicy": {"id": b.rid("firewallPolicies", "parent")}},
    )
    found = asked(rows, "mcr-mirror.example.com")
    assert found.verdict == "blocked"
    assert by_rule(found) == [("base/https", "deny")]


def test_tf9_the_basic_tier_has_no_names_in_network_rules() -> None:
    rule = b.network_rule("time", "UDP", (), "123", names=["ntp.ubuntu.com"])
    rows = hub(
        group(b.collection("net", 100, "Allow", rule)),
        policy={"sku": {"tier": "Basic"}, "proxy": True},
        firewall={"sku": {"name": "AZFW_VNet", "tier": "Basic"}},
    )
    report: Report = b.judged(*rows, asks=[b.wants("ntp.ubuntu.com", 123, "UDP")])
    assert {one.verdict for one in b.flows(report, "ntp.ubuntu.com", "UDP", "123")} == {"blocked"}
    assert b.findings(report, "EGR4")


def test_tf10_a_client_that_sends_no_name_matches_no_application_rule() -> None:
    rows = hub(group(b.collection("names", 100, "Allow", b.application_rule("all", "*"))))
    found = asked(rows, "20.42.0.10")
    assert found.verdict == "blocked"
    assert by_rule(found) == [("implicit deny", "deny")]


def test_tf11_an_application_rule_listens_on_its_own_port_only() -> None:
    rows = hub(group(b.collection("names", 100, "Allow", b.application_rule("mcr", "mcr.microsoft.com"))))
    assert asked(rows, "mcr.microsoft.com", 8443).verdict == "blocked"
    assert b.flow(b.judged(*rows), "mcr.microsoft.com").verdict == "open"


def test_tf12_a_deny_all_for_names_also_shuts_the_built_in_rules() -> None:
    rows = hub(group(b.collection("last", 65000, "Deny", b.application_rule("all", "*"))))
    found = asked(rows, "umsa1.blob.core.windows.net")
    assert found.verdict == "blocked"
    assert by_rule(found) == [("last/all", "deny")]


def test_tf13_a_rule_for_an_empty_ip_group_is_skipped() -> None:
    empty = b.resource("ipGroups", "nobody", {"ipAddresses": []})
    rule = b.application_rule("mcr", "mcr.microsoft.com")
    rule |= {"sourceAddresses": [], "sourceIpGroups": [b.rid("ipGroups", "nobody")]}
    rows = hub(empty, group(b.collection("names", 100, "Allow", rule)))
    found = b.flow(b.judged(*rows), "mcr.microsoft.com")
    assert found.verdict == "blocked"
    assert by_rule(found) == [("implicit deny", "deny")]


def test_tf14_a_firewall_that_never_translates_gets_no_answer_from_the_internet() -> None:
    rows = hub(
        group(b.collection("web", 100, "Allow", b.network_rule("https", "TCP", "*", "443"))),
        policy={"snat": {"privateRanges": ["0.0.0.0/0"]}},
    )
    found = asked(rows, "20.1.2.3")
    assert found.verdict == "blocked"
    assert by_rule(found)[0] == ("web/https", "allow")
    assert by_rule(found)[-1] == ("source NAT", "drop")


def without_address() -> dict[str, Any]:
    """A firewall as templates declare it: its private address comes with the deployment."""
    row = b.firewall()
    del row["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
    return {"ipConfigurations": row["properties"]["ipConfigurations"]}


OPEN_ALL = group(b.collection("web", 100, "Allow", b.network_rule("https", "TCP", "*", "443")))


def test_f26_the_first_usable_address_is_taken_to_be_the_firewalls_and_said_so() -> None:
    found = asked(hub(OPEN_ALL, firewall=without_address()), "20.1.2.3")
    assert found.verdict == "open"
    assert any("U16" in one for one in (*found.doubts, *found.assumptions))


def test_f26_another_address_of_the_firewalls_subnet_is_worth_a_warning() -> None:
    rows = list(hub(OPEN_ALL, firewall=without_address()))
    rows[2] = b.table("rt", b.route("default", "0.0.0.0/0", "VirtualAppliance", "10.9.0.9"))
    assert b.findings(b.judged(*rows), "EGR3")


def test_f25_nothing_gets_through_a_stopped_firewall() -> None:
    assert asked(hub(OPEN_ALL, firewall={"ipConfigurations": []}), "20.1.2.3").verdict != "open"


def test_f25_a_stopped_firewall_is_named() -> None:
    report = b.judged(*hub(OPEN_ALL, firewall={"ipConfigurations": []}))
    assert "EGR404" in {one.rule for one in report.findings}
