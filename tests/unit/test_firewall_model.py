"""Firewalls as written and as they filter: order, names, tags, groups, and what is not known of them."""

from __future__ import annotations

from typing import Any

import pytest
from tests import builders as b

from aks_egress.evaluation.demand import Action, Demand
from aks_egress.evaluation.firewall import FirewallFilter, translates
from aks_egress.packets.addresses import parse
from aks_egress.packets.boxes import EPHEMERAL, ICMP, TCP, UDP, Box
from aks_egress.packets.intervals import IntervalSet
from aks_egress.packets.names import Match
from aks_egress.packets.tags import ServiceTags
from aks_egress.topology.firewalls import Firewall
from aks_egress.topology.model import Topology
from aks_egress.values import Unknown

LOST = Unknown("known only after deployment")
PUBLIC = "20.1.2.3"
API = "abc.hcp.eastus.azmk8s.io"


def _read(*rows: b.Row) -> Firewall:
    topology = Topology([b.document(*rows)], ServiceTags())
    return topology.firewall(topology.graph.of_kind("Microsoft.Network/azureFirewalls")[0])


def _with(*collections: b.Row, proxy: bool = False, **members: Any) -> Firewall:
    return _read(b.firewall(**members), b.policy(proxy=proxy), b.rules_of("policy/group", 200, *collections))


def _said(
    firewall: Firewall, port: int = 443, protocol: int = TCP, uses: Match = Match.YES, **demand: Any
) -> set[Action]:
    box = Box(
        parse("10.0.0.0/24"), parse(PUBLIC), IntervalSet.single(protocol), EPHEMERAL, IntervalSet.single(port)
    )
    pieces = FirewallFilter(firewall, ServiceTags(), uses).decide(Demand(boxes=(box,), **demand), [box])
    return {one.action for piece in pieces for one in piece.deciders}


def _https(name: str = API, **members: Any) -> dict[str, Any]:
    return {"name": name, "layer7": "https", **members}


def test_nothing_allowed_is_everything_denied() -> None:
    """A firewall without rules, with a policy or without one."""
    assert _said(_with()) == {Action.DENY}
    assert _said(_read(b.firewall(policy=""))) == {Action.DENY}


def test_a_parent_is_asked_before_its_child_whatever_the_numbers() -> None:
    """TF8: and its network rules before anybody's application rules."""
    deny = b.collection("deny", 60000, "Deny", b.network_rule("all", "TCP", "*", "443"))
    allow = b.collection("allow", 100, "Allow", b.network_rule("all", "TCP", "*", "443"))
    rows = [
        b.firewall(),
        b.policy(basePolicy={"id": b.rid("firewallPolicies", "parent")}),
        b.policy("parent"),
        b.rules_of("policy/first", 100, allow),
        b.rules_of("parent/last", 65000, deny),
    ]
    assert _said(_read(*rows)) == {Action.DENY}
    assert len(_read(*rows).policies) == 2


def test_policies_in_a_circle_are_a_gap() -> None:
    """They are not followed for ever."""
    parent = {"basePolicy": {"id": b.rid("firewallPolicies", "policy")}}
    found = _read(
        b.firewall(),
        b.policy(basePolicy={"id": b.rid("firewallPolicies", "parent")}),
        b.policy("parent", **parent),
    )
    assert found.gaps
    assert _said(found) == {Action.UNKNOWN, Action.DENY}


@pytest.mark.parametrize("lost", [LOST, {"id": b.rid("firewallPolicies", "elsewhere")}, {"id": LOST}])
def test_a_policy_that_is_not_among_the_inputs_is_unknown(lost: object) -> None:
    """Neither open nor shut."""
    assert Action.UNKNOWN in _said(_read(b.firewall(firewallPolicy=lost)))


def test_network_rules_decide_before_application_rules() -> None:
    """TF3: a network Deny shuts what an application rule of a smaller number allows."""
    application = b.collection("names", 100, "Allow", b.application_rule("api", "*.azmk8s.io"))
    network = b.collection("addresses", 60000, "Deny", b.network_rule("https", "TCP", "*", "443"))
    assert _said(_with(application, network), **_https()) == {Action.DENY}
    assert _said(_with(application), **_https()) == {Action.ALLOW}


def test_application_rules_see_only_names() -> None:
    """TF6, TF10, TF11: no name, another port or another protocol, and they see nothing."""
    found = _with(
        b.collection(
            "names",
            100,
            "Allow",
            b.application_rule("api", "*.azmk8s.io", fqdnTags=["AzureKubernetesService"]),
        )
    )
    assert _said(found, port=9000) == {Action.DENY}
    assert _said(found, **_https("")) == {Action.DENY}
    assert _said(found, port=8443, **_https()) == {Action.DENY}
    assert _said(found, protocol=UDP, **_https()) == {Action.DENY}
    assert _said(found, port=443, name=API, layer7="http") == {Action.DENY}


@pytest.mark.parametrize(
    ("holds", "expected"),
    [(True, {Action.ALLOW}), (False, {Action.DENY}), (None, {Action.ALLOW, Action.DENY})],
)
def test_the_fqdn_tag_covers_what_is_documented_to_be_in_it(
    holds: bool | None, expected: set[Action]
) -> None:
    """U18: where that is not documented, it is open."""
    rule = b.application_rule("aks", fqdnTags=["azureKUBERNETESservice"])
    assert _said(_with(b.collection("tag", 100, "Allow", rule)), **_https(in_fqdn_tag=holds)) == expected


def _classic(rule: b.Row) -> Firewall:
    rows = {"priority": 100, "action": {"type": "Allow"}, "rules": [rule]}
    collections = [{"name": "names", "properties": rows}]
    return _read(b.firewall(policy="", applicationRuleCollections=collections))


def test_fqdn_tags_without_protocols_on_the_firewall_itself_are_https_and_perhaps_http() -> None:
    """U18: azurerm's `azurerm_firewall_application_rule_collection` takes no `protocol` beside `fqdn_tags`."""
    found = _classic(b.application_rule("aks", fqdnTags=["AzureKubernetesService"], ports=()))
    assert _said(found, **_https(in_fqdn_tag=True)) == {Action.ALLOW}
    http = _said(found, port=80, name="security.ubuntu.com", layer7="http", in_fqdn_tag=True)
    assert http == {Action.ALLOW, Action.DENY}
    assert _said(found, port=9000) == {Action.DENY}
    named = _classic(b.application_rule("some", "mcr.microsoft.com", ports=()))
    assert _said(named, **_https("mcr.microsoft.com")) == {Action.DENY}


def test_rules_of_its_own_say_that_a_firewall_has_no_policy_where_that_is_open() -> None:
    """A data source; with a policy that is known to be there Azure refuses them (EGR409)."""
    rule = b.network_rule("all", "TCP", "*", "443")
    rows = {"priority": 100, "action": {"type": "Allow"}, "rules": [rule]}
    own = [{"name": "own", "properties": rows}]
    found = _read(b.firewall(policy="", firewallPolicy={"id": LOST}, networkRuleCollections=own))
    assert (len(found.rules), found.classic_beside_policy) == (1, False)
    assert _said(found) == {Action.ALLOW, Action.UNKNOWN}
    assert _said(found, port=80) == {Action.DENY, Action.UNKNOWN}
    both = _read(b.firewall(networkRuleCollections=own), b.policy())
    assert (both.rules, both.classic_beside_policy) == ([], True)


def test_fqdn_tags_without_protocols_in_a_policy_are_refused_and_open_nothing() -> None:
    rule = b.application_rule("aks", fqdnTags=["AzureKubernetesService"], ports=())
    found = _with(b.collection("tag", 100, "Allow", rule))
    assert _said(found, **_https(in_fqdn_tag=True)) == {Action.DENY}


@pytest.mark.parametrize(
    "members", [{"webCategories": ["liability"]}, {"targetUrls": ["*.azmk8s.io/x"]}, {"targetFqdns": [LOST]}]
)
def test_contents_that_nobody_publishes_leave_it_open(members: dict[str, Any]) -> None:
    """A Deny by category may cover the name, an Allow by category may not (U12)."""
    for action in ("Allow", "Deny"):
        found = _with(
            b.collection("first", 100, action, b.application_rule("some", **members)),
            b.collection(
                "second", 200, "Allow" if action == "Deny" else "Deny", b.application_rule("all", "*")
            ),
        )
        assert _said(found, **_https()) == {Action.ALLOW, Action.DENY}


@pytest.mark.parametrize(
    ("proxy", "uses", "expected"),
    [
        (True, Match.YES, {Action.ALLOW}),
        (True, Match.MAYBE, {Action.ALLOW, Action.DENY}),
        (False, Match.YES, {Action.DENY}),
    ],
)
def test_names_in_network_rules_need_the_dns_proxy(proxy: bool, uses: Match, expected: set[Action]) -> None:
    """F16: and clients that ask it."""
    rule = b.network_rule("ntp", "UDP", "", "123", names=["ntp.ubuntu.com"])
    found = _with(b.collection("time", 100, "Allow", rule), proxy=proxy)
    assert _said(found, 123, UDP, uses, name="ntp.ubuntu.com") == expected


def test_any_with_ports_is_tcp_and_udp() -> None:
    """F8: without ports it is every protocol."""
    with_ports = _with(b.collection("c", 100, "Allow", b.network_rule("r", "Any", "*", "443")))
    without = _with(b.collection("c", 100, "Allow", b.network_rule("r", "Any", "*", "*")))
    assert _said(with_ports, protocol=UDP) == {Action.ALLOW}
    assert _said(with_ports, protocol=ICMP) == {Action.DENY}
    assert _said(without, protocol=ICMP) == {Action.ALLOW}


def test_an_empty_ip_group_skips_its_rule_and_an_unknown_one_leaves_it_open() -> None:
    """TF13."""
    rule = b.network_rule("r", "TCP", "*", "443")
    del rule["destinationAddresses"]
    rule["destinationIpGroups"] = [b.rid("ipGroups", "group")]
    collection = b.collection("c", 100, "Allow", rule)
    rows = [b.firewall(), b.policy(), b.rules_of("policy/g", 100, collection)]
    for members, expected in (
        ([], {Action.DENY}),
        ([PUBLIC], {Action.ALLOW}),
        (["20.1.0.0-20.1.9.9"], {Action.ALLOW}),
        (LOST, {Action.ALLOW, Action.DENY}),
        (["nonsense"], {Action.ALLOW, Action.DENY}),
    ):
        assert _said(_read(*rows, b.resource("ipGroups", "group", {"ipAddresses": members}))) == expected, (
            members
        )
    assert _said(_read(*rows)) == {Action.ALLOW, Action.DENY}


@pytest.mark.parametrize(
    "change",
    [
        {"destinationPorts": []},
        {"destinationPorts": ["80,443"]},
        {"ipProtocols": []},
        {"ipProtocols": ["SCTP"]},
        {"destinationAddresses": []},
        {"destinationAddresses": ["mcr.microsoft.com"]},
        {"sourceAddresses": []},
        {"sourceAddresses": ["10.0.0.1/8"]},
    ],
)
def test_a_rule_that_azure_refuses_opens_nothing_and_may_close(change: dict[str, Any]) -> None:
    """An Allow of it never counts, a Deny may."""
    for action, other in (("Allow", "Deny"), ("Deny", "Allow")):
        rule = b.network_rule("refused", "TCP", PUBLIC, "443") | change
        after = b.collection("after", 200, other, b.network_rule("all", "TCP", "*", "443"))
        said = _said(_with(b.collection("c", 100, action, rule), after))
        assert said != {Action.ALLOW}, action


@pytest.mark.parametrize(
    "change",
    [
        {"priority": LOST},
        {"action": {"type": LOST}},
        {"action": LOST},
        {"rules": LOST},
        {"rules": [LOST]},
        {"ruleCollectionType": LOST},
    ],
)
def test_a_collection_of_which_something_is_not_known_decides_nothing_for_sure(
    change: dict[str, Any],
) -> None:
    """Its Deny is a maybe, and it never vanishes."""
    deny = b.collection("deny", 100, "Deny", b.network_rule("all", "TCP", "*", "443")) | change
    allow = b.collection("allow", 200, "Allow", b.network_rule("all", "TCP", "*", "443"))
    said = _said(_with(deny, allow))
    assert said == {Action.UNKNOWN} or len(said) > 1


def test_a_rule_whose_type_is_not_known_is_a_gap() -> None:
    """Nobody can say in which pass it is asked."""
    rule = b.network_rule("all", "TCP", "*", "443") | {"ruleType": LOST}
    assert _with(b.collection("c", 100, "Deny", rule)).gaps == [LOST]


def test_collections_of_one_number_that_disagree_leave_it_open() -> None:
    """U10: and those that agree do not."""
    rule = b.network_rule("all", "TCP", "*", "443")
    tied = [b.collection("a", 100, "Allow", rule), b.collection("b", 100, "Deny", rule)]
    assert _said(_with(*tied)) == {Action.ALLOW, Action.DENY}
    assert _said(_with(tied[0], b.collection("b", 100, "Allow", rule))) == {Action.ALLOW}


def test_a_rule_that_ends_tls_never_opens_what_needs_client_certificates() -> None:
    """F20: elsewhere it is open whether the nodes trust the firewall."""
    found = _with(b.collection("c", 100, "Allow", b.application_rule("tls", "*", terminateTLS=True)))
    assert _said(found, **_https(mutual_tls=True)) == {Action.DENY}
    assert _said(found, **_https()) == {Action.UNKNOWN}
    unsure = _with(b.collection("c", 100, "Allow", b.application_rule("tls", "*", terminateTLS=LOST)))
    assert _said(unsure, **_https(mutual_tls=True)) == {Action.UNKNOWN}


def test_nat_collections_are_no_filters() -> None:
    """They are noted and left alone."""
    nat = {
        "ruleCollectionType": "FirewallPolicyNatRuleCollection",
        "name": "nat",
        "priority": 100,
        "rules": [],
    }
    found = _with(nat)
    assert found.has_nat
    assert found.rules == []


def test_rules_beside_a_policy_do_not_count() -> None:
    """F1: and that they are there is known."""
    rules = [
        {
            "name": "r",
            "protocols": ["TCP"],
            "sourceAddresses": ["*"],
            "destinationAddresses": ["*"],
            "destinationPorts": ["*"],
        }
    ]
    classic = [{"name": "c", "properties": {"priority": 100, "action": {"type": "Allow"}, "rules": rules}}]
    found = _read(b.firewall(networkRuleCollections=classic), b.policy())
    assert found.classic_beside_policy
    assert _said(found) == {Action.DENY}
    assert _said(_read(b.firewall(policy="", networkRuleCollections=classic))) == {Action.ALLOW}


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        (None, Match.YES),
        (["10.0.0.0/8"], Match.YES),
        (["0.0.0.0/0"], Match.NO),
        (["0.0.0.0/1", "128.0.0.0/1"], Match.NO),
        (["255.255.255.255/32"], Match.YES),
        (LOST, Match.MAYBE),
    ],
)
def test_whether_the_firewall_leaves_with_an_address_of_its_own(ranges: object, expected: Match) -> None:
    """TF14."""
    found = _read(b.firewall(), b.policy(snat={"privateRanges": ranges}))
    assert translates(found)[0] is expected


def test_a_stopped_firewall_has_no_ip_configuration() -> None:
    """F25: unless it lives in a hub, or nobody knows."""
    assert _read(b.firewall(ipConfigurations=[])).stopped
    assert not _read(b.firewall()).stopped
    assert not _read(b.firewall(ipConfigurations=LOST)).stopped
    assert not _read(b.firewall(ipConfigurations=[], sku={"name": "AZFW_Hub"})).stopped


def test_settings_of_a_parent_hold_until_the_child_says_otherwise() -> None:
    """DNS settings, for one."""
    parent = b.policy("parent", dnsSettings={"enableProxy": True})
    child = b.policy(basePolicy={"id": b.rid("firewallPolicies", "parent")}, dnsSettings=None)
    assert _read(b.firewall(), child, parent).dns_proxy is True
    own = b.policy(basePolicy={"id": b.rid("firewallPolicies", "parent")}, dnsSettings={"enableProxy": False})
    assert _read(b.firewall(), own, parent).dns_proxy is False
