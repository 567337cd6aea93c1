"""Security rules as written: what is read, what Azure refuses, and that damage never opens anything."""

from __future__ import annotations

from typing import Any

import pytest
from tests import builders as b

from aks_egress.arm.graph import Graph
from aks_egress.packets.addresses import EVERYWHERE, parse
from aks_egress.packets.boxes import ANY_PORT, ANY_PROTOCOL, ICMP, TCP, WITH_PORTS
from aks_egress.packets.intervals import EMPTY, IntervalSet
from aks_egress.topology.security import SecurityRule, security_rules
from aks_egress.values import Unknown

LOST = Unknown("known only after deployment")


def _read(**properties: Any) -> SecurityRule:
    row = b.rule("rule", 100, "Allow", "20.0.0.0/8", "443", protocol="Tcp")
    row["properties"] |= properties
    document = b.document(b.nsg("nsg", row))
    return security_rules(Graph([document]), document.resources[0]).rules[0]


def test_a_rule_is_read_without_regard_to_case() -> None:
    """`ALLOW`, `outBound`, `TCP`."""
    rule = _read(access="ALLOW", direction="outBound", protocol="TCP", priority="100")
    assert (rule.access, rule.direction, rule.priority) == ("allow", "outbound", 100)
    assert rule.protocol.sure == IntervalSet.single(TCP)
    assert rule.problems == ()


def test_singular_and_plural_are_one_list() -> None:
    """Also when the unused one is there and empty."""
    rule = _read(
        destinationAddressPrefix="20.0.0.0/8",
        destinationAddressPrefixes=["30.0.0.0/8"],
        destinationPortRanges=["80"],
    )
    assert rule.destination.literal == parse("20.0.0.0/8") | parse("30.0.0.0/8")
    assert rule.port.sure == IntervalSet.of([(80, 80), (443, 443)])
    assert _read(destinationAddressPrefixes=[]).destination.literal == parse("20.0.0.0/8")
    plural = _read(destinationAddressPrefix="", destinationAddressPrefixes=["30.0.0.0/8"])
    assert plural.destination.literal == parse("30.0.0.0/8")


def test_ports_are_numbers_not_text() -> None:
    """`14430` is not 443, and 443 lies in `400-500`."""
    assert 443 not in _read(destinationPortRange="14430").port.possible
    assert 443 in _read(destinationPortRange="400-500").port.sure
    assert _read(destinationPortRange=443).port.sure == IntervalSet.single(443)


@pytest.mark.parametrize("ports", ["80,443", "443-", "-443", "500-400", "65536", "https", "4 43", "443;80"])
def test_a_port_that_azure_refuses_is_a_problem_that_opens_nothing(ports: str) -> None:
    """Of an Allow nothing is left, a Deny may cover every port."""
    allow, deny = _read(destinationPortRange=ports), _read(destinationPortRange=ports, access="Deny")
    assert allow.problems
    assert deny.problems
    assert allow.port.possible == EMPTY
    assert deny.port.possible == ANY_PORT
    assert deny.port.sure == EMPTY


def test_what_is_missing_matches_nothing_in_an_allow_and_everything_in_a_deny() -> None:
    """N2: ports, sides and protocol alike."""
    empty = {"destinationPortRange": "", "destinationAddressPrefix": "", "protocol": None}
    allow, deny = _read(**empty), _read(**empty, access="Deny")
    assert allow.port.possible == allow.protocol.possible == EMPTY
    assert not allow.destination.given
    assert deny.port.sure == ANY_PORT
    assert deny.protocol.possible == ANY_PROTOCOL
    assert len(allow.problems) == 3


@pytest.mark.parametrize(
    "prefix",
    ["50.206.209.68/27", "10.0.0.300", "10.0.0.1-10.0.0.9", "AzureKubernetesService", "mcr.microsoft.com"],
)
def test_a_prefix_that_azure_refuses_damages_its_side(prefix: str) -> None:
    """Host bits, nonsense, ranges, names: nothing of it is read as an address."""
    rule = _read(destinationAddressPrefix=prefix)
    assert rule.problems
    assert rule.destination.damaged
    assert rule.destination.literal == EMPTY
    assert rule.destination.tags == ()
    assert not rule.source.damaged


def test_a_rule_with_ports_speaks_of_tcp_and_udp() -> None:
    """U5: `*` with port 443 is no ICMP; with `*` ports it is."""
    assert _read(protocol="*").protocol.possible == WITH_PORTS
    assert _read(protocol="Icmp").protocol.possible == EMPTY
    assert _read(protocol="Icmp", destinationPortRange="*").protocol.sure == IntervalSet.single(ICMP)
    assert _read(protocol="*", destinationPortRanges=["0-1023", "1024-65535"]).protocol.sure == ANY_PROTOCOL


def test_a_port_that_is_not_known_leaves_other_protocols_open() -> None:
    """It may be `*`, and then ICMP is meant as well, or a number, and then it is not."""
    rule = _read(protocol="*", destinationPortRange=LOST, destinationPortRanges=["443"])
    assert rule.port.sure == IntervalSet.single(443)
    assert rule.port.possible == ANY_PORT
    assert rule.protocol.sure == WITH_PORTS
    assert rule.protocol.possible == ANY_PROTOCOL


def test_unknown_parts_are_kept_as_unknown() -> None:
    """Priority, direction, access, sides."""
    rule = _read(priority=LOST, direction=LOST, access=LOST, destinationAddressPrefix=LOST, protocol=LOST)
    assert (rule.priority, rule.direction) == (None, None)
    assert rule.access is LOST
    assert rule.unknowns == (LOST, LOST)
    assert rule.destination.open is LOST
    assert rule.protocol.sure == EMPTY
    assert rule.problems == ()


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"priority": 99}, "not between 100 and 4096"),
        ({"priority": "first"}, "not a number"),
        ({"priority": None}, "priority is missing"),
        ({"access": "Permit"}, "neither Allow nor Deny"),
        ({"access": None}, "access is missing"),
        ({"direction": "Egress"}, "not a direction"),
        ({"protocol": "Sctp"}, "not a protocol"),
    ],
)
def test_what_azure_refuses_is_said(properties: dict[str, Any], said: str) -> None:
    """In the rule's problems."""
    assert said in " ".join(_read(**properties).problems)


def test_rules_stand_in_the_order_in_which_azure_asks_them() -> None:
    """By number, whatever the order in the file; a rule whose number is not known comes first."""
    rows = [b.rule("c", 300, "Allow"), b.rule("a", 100, "Deny"), b.rule("b", 4096, "Deny")]
    rows[2]["properties"]["priority"] = LOST
    document = b.document(b.nsg("nsg", *rows))
    found = security_rules(Graph([document]), document.resources[0])
    assert [rule.name for rule in found.rules] == ["b", "a", "c"]
    assert [rule.name for rule in found.facing("inbound")] == []


def test_application_security_groups_are_a_side() -> None:
    """And one whose id is not known is kept as such."""
    rule = _read(
        destinationAddressPrefix="", destinationApplicationSecurityGroups=[*b.groups("web"), {"id": LOST}]
    )
    assert rule.destination.given
    assert len(rule.destination.groups) == 2
    assert rule.destination.groups[1] is None


def test_the_star_is_both_families() -> None:
    """`*` and `Any`."""
    assert _read(destinationAddressPrefix="*").destination.literal == EVERYWHERE
    assert _read(destinationAddressPrefix="Any").destination.literal == EVERYWHERE
