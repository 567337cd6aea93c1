"""How nodes leave where a picture shows what AKS made for it: load balancers and NAT gateways.

Microsoft: aks/egress, load-balancer/outbound-rules, nat-gateway/manage-nat-gateway-v2, aks/nat-gateway.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests import builders as b
from tests import pictures as p

from aks_egress.findings.report import Flow
from aks_egress_scan.live.snapshot import Unread

ASKED = b.wants("20.42.0.9")
NETWORK = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24"))
LOAD_BALANCERS = "microsoft.network/loadbalancers"


def frontend(name: str = "out", **reference: Any) -> b.Row:
    public = reference or {"publicIPAddress": {"id": p.node_id("publicIPAddresses", "pip")}}
    return {"name": name, "properties": public}


def rule(name: str = "aksOutboundRule", *frontends: str, protocol: str = "All") -> b.Row:
    named = [
        {"id": p.node_id("loadBalancers/frontendIPConfigurations", "kubernetes", one)}
        for one in frontends or ("out",)
    ]
    return {"name": name, "properties": {"protocol": protocol, "frontendIPConfigurations": named}}


def balancer(
    *rules: b.Row,
    frontends: tuple[b.Row, ...] = (frontend(),),
    name: str = "kubernetes",
    sku: str = "Standard",
    **more: Any,
) -> b.Row:
    properties = {"frontendIPConfigurations": list(frontends), "outboundRules": list(rules)}
    return p.kept_by_aks("loadBalancers", name, properties | more, sku={"name": sku})


def public_address(name: str = "pip", version: str = "IPv4") -> b.Row:
    return p.kept_by_aks("publicIPAddresses", name, {"publicIPAddressVersion": version})


def leaving(*rows: b.Row, cluster: b.Row | None = None, **more: Any) -> Flow:
    """The flow from the nodes to a public address."""
    chosen = p.cluster("nodes", outbound="loadBalancer") if cluster is None else cluster
    return b.flow(p.judged(NETWORK, chosen, *rows, asks=[ASKED], **more), ASKED.value)


def outbound(found: Flow) -> list[tuple[str, str]]:
    return [(hop.resource, hop.decision) for hop in b.hops(found, "outbound")]


def test_nodes_leave_by_the_outbound_rule_of_their_load_balancer() -> None:
    found = leaving(balancer(rule()), public_address())
    assert found.verdict == "open"
    assert outbound(found) == [("kubernetes", "allow")]
    assert "outbound rules of load balancer `kubernetes`" in b.hops(found, "outbound")[0].reason


def test_a_prefix_of_public_addresses_is_one() -> None:
    prefix = frontend(publicIPPrefix={"id": p.node_id("publicIPPrefixes", "range")})
    assert leaving(balancer(rule(), frontends=(prefix,))).verdict == "open"


def test_without_any_outbound_rule_and_public_frontend_nobody_leaves() -> None:
    found = leaving(balancer(frontends=()))
    assert found.verdict == "blocked"
    assert "has no outbound rule" in found.reason


def test_an_outbound_rule_that_somebody_removed_leaves_nobody_certain_to_get_out() -> None:
    """The frontend stays behind; whether a service's load-balancing rule translates is not shown."""
    found = leaving(balancer(), public_address())
    assert found.verdict == "unknown"
    assert "az aks update" in found.settle


def service(name: str, **members: Any) -> b.Row:
    """The load-balancing rule of a service."""
    return {"name": name, "properties": {"protocol": "Tcp"} | members}


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        ([], "blocked"),
        ([service("web", disableOutboundSnat=True)], "blocked"),
        ([service("web", disableOutboundSnat=True), service("own", disableOutboundSnat=False)], "unknown"),
        ([service("own")], "unknown"),
    ],
)
def test_in_place_of_an_outbound_rule_only_a_service_whose_rule_translates_may_help(
    rules: list[b.Row], verdict: str
) -> None:
    found = leaving(balancer(loadBalancingRules=rules), public_address())
    assert found.verdict == verdict
    assert ("`own` does not turn it off (disableOutboundSnat)" in found.reason) is (verdict == "unknown")


def test_an_outbound_rule_makes_rules_of_services_matter_no_more() -> None:
    balancer_ = balancer(rule(), loadBalancingRules=[service("web", disableOutboundSnat=True)])
    assert leaving(balancer_, public_address()).verdict == "open"


def test_an_outbound_rule_of_private_frontends_is_none() -> None:
    private = frontend(subnet={"id": b.subnet_id("net", "nodes")}, privateIPAddress="10.0.0.200")
    assert leaving(balancer(rule(), frontends=(private,))).verdict == "blocked"


def test_an_outbound_rule_of_ipv6_is_none_for_ipv4() -> None:
    found = leaving(balancer(rule()), public_address(version="IPv6"))
    assert found.verdict == "unknown"
    assert "public IPv4 address" in found.reason


@pytest.mark.parametrize(("families", "verdict"), [(["IPv4"], "open"), (["IPv4", "IPv6"], "unknown")])
def test_a_public_address_that_is_not_shown_is_one_of_ipv4_unless_the_cluster_speaks_ipv6(
    families: list[str], verdict: str
) -> None:
    profile = {"outboundType": "loadBalancer", "networkPlugin": "azure", "ipFamilies": families}
    found = leaving(balancer(rule()), cluster=p.cluster("nodes", networkProfile=profile))
    assert found.verdict == verdict


def test_outbound_rules_for_each_protocol_are_as_good_as_one_for_all() -> None:
    both = balancer(rule("tcp", protocol="Tcp"), rule("udp", protocol="Udp"))
    assert leaving(both).verdict == "open"
    assert leaving(balancer(rule(protocol="Udp"))).verdict == "unknown"


def test_a_rule_that_names_another_frontend_gives_nothing_of_this_one() -> None:
    assert leaving(balancer(rule("r", "gone"))).verdict == "unknown"
    internal = frontend("inside", subnet={"id": b.subnet_id("net", "nodes")})
    assert leaving(balancer(rule("r", "inside"), frontends=(frontend(), internal))).verdict == "unknown"


def test_an_internal_load_balancer_does_not_matter() -> None:
    internal = balancer(name="kubernetes-internal", frontends=())
    assert leaving(balancer(rule()), internal).verdict == "open"
    assert leaving(internal).verdict == "open"


def test_no_load_balancer_matters_to_another_outbound_type() -> None:
    routed = p.cluster("nodes", outbound="userDefinedRouting")
    assert "default outbound access" in leaving(balancer(frontends=()), cluster=routed).reason


def test_a_load_balancer_of_another_cluster_does_not_matter() -> None:
    other = balancer(frontends=())
    elsewhere = other | {"id": other["id"].replace("MC_net_aks", "MC_other")}
    assert leaving(elsewhere).verdict == "open"


def test_a_load_balancer_that_was_not_collected_is_taken_to_have_its_rule_and_that_is_said() -> None:
    found = leaving()
    assert found.verdict == "open"
    assert any("load balancer is not among the inputs" in one for one in found.assumptions)


def test_definitions_say_nothing_of_a_load_balancer_that_aks_will_make() -> None:
    report = b.judged(NETWORK, b.cluster("nodes", outbound="loadBalancer"), asks=[ASKED])
    found = b.flow(report, ASKED.value)
    assert found.verdict == "open"
    assert not any("load balancer" in one for one in found.assumptions)


def test_a_load_balancer_that_was_refused_is_undecided() -> None:
    refused = Unread(kind=LOAD_BALANCERS, id="/", why="no answer", everything=True)
    found = leaving(unread=(refused,))
    assert found.verdict == "unknown"
    assert "no answer" in found.reason


def test_a_basic_load_balancer_has_no_outbound_rules() -> None:
    assert leaving(balancer(sku="Basic")).verdict == "unknown"


def test_a_load_balancer_whose_rules_are_not_shown_is_undecided() -> None:
    assert leaving(balancer(outboundRules=None)).verdict == "unknown"


def test_the_network_that_aks_made_leaves_by_the_same_load_balancer() -> None:
    managed = p.cluster(outbound="loadBalancer", agentPoolProfiles=[{"name": "system", "mode": "System"}])
    assert leaving(balancer(rule()), cluster=managed).verdict == "open"
    assert leaving(balancer(frontends=()), cluster=managed).verdict == "blocked"


def test_a_nat_gateway_on_the_subnet_wins_over_the_load_balancer() -> None:
    gateway = b.resource(
        "natGateways", "nat", {"publicIpAddresses": [{"id": b.rid("publicIPAddresses", "a")}]}
    )
    network = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", nat="nat"))
    chosen = p.cluster("nodes", outbound="loadBalancer")
    report = p.judged(network, gateway, chosen, balancer(frontends=()), asks=[ASKED])
    assert outbound(b.flow(report, ASKED.value)) == [("nat", "allow")]


def test_a_nat_gateway_that_is_not_shown_is_in_doubt_where_the_load_balancer_gives_nothing() -> None:
    network = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", nat="nat"))
    chosen = p.cluster("nodes", outbound="loadBalancer")
    for rows, verdict in (((balancer(frontends=()),), "unknown"), ((balancer(rule()),), "open")):
        assert b.flow(p.judged(network, chosen, *rows, asks=[ASKED]), ASKED.value).verdict == verdict


def test_a_definition_that_leaves_the_outbound_type_alone_leaves_by_what_runs() -> None:
    rows = (NETWORK, p.cluster("nodes", outbound="loadBalancer"), balancer(frontends=()))
    report = p.judged(*rows, planned=[b.cluster("nodes", outbound="loadBalancer")], asks=[ASKED])
    assert b.flow(report, ASKED.value).verdict == "blocked"


def test_a_definition_that_changes_to_the_load_balancer_has_aks_make_its_rules() -> None:
    rows = (NETWORK, p.cluster("nodes", outbound="userDefinedRouting"), balancer(frontends=()))
    report = p.judged(*rows, planned=[b.cluster("nodes", outbound="loadBalancer")], asks=[ASKED])
    assert b.flow(report, ASKED.value).verdict == "open"


def test_clusters_that_share_a_subnet_leave_each_by_its_own_way() -> None:
    """Their pools may have one name as well."""
    rows = [
        NETWORK,
        b.cluster("nodes", outbound="loadBalancer"),
        b.cluster("nodes", name="other", outbound="none"),
    ]
    found = b.flows(b.judged(*rows, asks=[ASKED]), ASKED.value)
    assert [one.verdict for one in found] == ["open", "unknown"]


# NAT gateways


def gateway(name: str = "nat", **members: Any) -> b.Row:
    held = {"publicIpAddresses": [{"id": b.rid("publicIPAddresses", "pip")}]}
    return b.resource("natGateways", name, held | members, sku={"name": "StandardV2"})


SERVES = {"sourceVirtualNetwork": {"id": b.rid("virtualNetworks", "net")}}


def by_gateway(*rows: b.Row, network: b.Row = NETWORK, outbound: str = "userAssignedNATGateway") -> Flow:
    report = p.judged(network, p.cluster("nodes", outbound=outbound), *rows, asks=[ASKED])
    return b.flow(report, ASKED.value)


def test_a_nat_gateway_serves_every_subnet_of_the_network_it_is_attached_to() -> None:
    found = by_gateway(gateway(**SERVES))
    assert (found.verdict, outbound(found)) == ("open", [("nat", "allow")])
    assert "of the whole network" in b.hops(found, "outbound")[0].reason
    assert by_gateway(gateway()).verdict == "blocked"


def test_templates_attach_nat_gateways_to_networks_too() -> None:
    rows = [NETWORK, gateway(**SERVES), b.cluster("nodes", outbound="userDefinedRouting")]
    assert b.flow(b.judged(*rows, asks=[ASKED]), ASKED.value).verdict == "open"


def test_a_network_that_names_its_nat_gateway_is_served_by_it() -> None:
    network = NETWORK | {
        "properties": NETWORK["properties"] | {"defaultPublicNatGateway": {"id": b.rid("natGateways", "nat")}}
    }
    assert by_gateway(gateway(), network=network).verdict == "open"
    assert by_gateway(network=network).verdict == "unknown"


def test_a_subnet_leaves_by_its_own_nat_gateway() -> None:
    network = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", nat="own"))
    found = by_gateway(gateway(**SERVES), gateway("own"), network=network)
    assert outbound(found) == [("own", "allow")]


def test_a_nat_gateway_of_another_network_serves_nobody_here() -> None:
    other = {"sourceVirtualNetwork": {"id": b.rid("virtualNetworks", "other")}}
    assert by_gateway(gateway(**other)).verdict == "blocked"


def test_a_nat_gateway_of_a_network_without_addresses_lets_nobody_out() -> None:
    assert by_gateway(gateway(publicIpAddresses=[], **SERVES)).verdict == "blocked"


@pytest.mark.parametrize(("access", "verdict"), [(None, "unknown"), (False, "blocked")])
def test_the_nat_gateway_that_aks_attached_and_somebody_removed(access: bool | None, verdict: str) -> None:
    given = {} if access is None else {"defaultOutboundAccess": access}
    network = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", **given))
    found = by_gateway(network=network, outbound="managedNATGateway")
    assert found.verdict == verdict
    assert "no NAT gateway is attached to subnet `nodes`" in found.reason


def made_by_aks(nat: str = "", **members: Any) -> b.Row:
    properties: b.Row = {"addressPrefix": "10.224.0.0/16"} | members
    if nat:
        properties["natGateway"] = {"id": p.node_id("natGateways", nat)}
    subnet = {"name": "aks-subnet", "properties": properties}
    return p.kept_by_aks(
        "virtualNetworks",
        "aks-vnet-1",
        {"addressSpace": {"addressPrefixes": ["10.224.0.0/12"]}, "subnets": [subnet]},
    )


def test_the_network_that_aks_made_leaves_by_the_nat_gateway_on_its_subnet() -> None:
    managed = p.cluster(
        outbound="managedNATGateway", agentPoolProfiles=[{"name": "system", "mode": "System"}]
    )
    held = {"publicIpAddresses": [{"id": p.node_id("publicIPAddresses", "pip")}]}
    attached = p.kept_by_aks("natGateways", "aks-nat", held)
    found = leaving(made_by_aks("aks-nat"), attached, cluster=managed)
    assert (found.verdict, outbound(found)) == ("open", [("aks-nat", "allow")])
    assert leaving(made_by_aks(), cluster=managed).verdict == "unknown"
    assert leaving(made_by_aks(defaultOutboundAccess=False), cluster=managed).verdict == "blocked"
    assert leaving(cluster=managed).verdict == "open"


@pytest.mark.parametrize(
    ("rows", "mends"),
    [
        (
            (balancer(frontends=()),),
            "run `az aks update` on the cluster, which puts AKS's outbound rule back",
        ),
        ((b.resource("natGateways", "nat", {}),), "give NAT gateway `nat` a public IPv4 address or prefix"),
    ],
)
def test_the_fix_is_what_the_way_out_lacks(rows: Sequence[b.Row], mends: str) -> None:
    network = b.vnet(
        "net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24", nat="nat" if "NAT" in mends else "")
    )
    report = p.judged(p.cluster("nodes", outbound="loadBalancer"), network, *rows)
    (tunnel,) = b.findings(report, "EGR1")
    assert tunnel.fix == mends
