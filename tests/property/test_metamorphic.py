"""Changes of spelling that mean nothing: case, splitting, singular or plural, inline or child, order, names."""

from __future__ import annotations

import copy
import ipaddress
from collections.abc import Callable
from random import Random

import pytest
from tests import builders as b
from tests.property.judging import Judge
from tests.property.seeds import seeds
from tests.property.worlds import Estate, Row, network, packets, security_group, service_tags
from tests.spec.world import Packet

Change = Callable[[Random, list[Row]], list[Row]]


def _rules(rows: list[Row]) -> list[Row]:
    found = [one["properties"] for row in rows for one in row["properties"].get("securityRules", [])]
    return found + [row["properties"] for row in rows if row["type"].endswith("/securityRules")]


def other_case(rng: Random, rows: list[Row]) -> list[Row]:
    """Property names, enums, tags and ids in another case; names of resources stay what they are."""

    def spell(word: str) -> str:
        return rng.choice((word, word.upper(), word.lower(), word.swapcase()))

    def changed(value: object, key: str = "") -> object:
        if isinstance(value, dict):
            return {
                (inner if inner in ("name", "type", "properties", "apiVersion") else spell(inner)): changed(
                    item, inner
                )
                for inner, item in value.items()
            }
        if isinstance(value, list):
            return [changed(item, key) for item in value]
        return spell(value) if isinstance(value, str) and key not in ("name", "type", "apiVersion") else value

    return [changed(row) for row in rows]  # type: ignore[misc]


def split_prefixes(rng: Random, rows: list[Row]) -> list[Row]:
    """A prefix of a rule as its two halves."""
    for rule in _rules(rows):
        for end in ("source", "destination"):
            single = rule.pop(f"{end}AddressPrefix", None)
            given = ([single] if single else []) + (rule.pop(f"{end}AddressPrefixes", None) or [])
            rule[f"{end}AddressPrefixes"] = [half for one in given for half in _halves(rng, one)]
    return rows


def _halves(rng: Random, text: str) -> list[str]:
    try:
        found = ipaddress.ip_network(text)
    except ValueError:
        return [text]
    if found.prefixlen == found.max_prefixlen or rng.random() < 0.3:
        return [text]
    return [str(half) for half in found.subnets()]


def split_ports(rng: Random, rows: list[Row]) -> list[Row]:
    """A range of ports as two."""
    for rule in _rules(rows):
        for end in ("source", "destination"):
            single = rule.pop(f"{end}PortRange", None)
            given = ([single] if single else []) + (rule.pop(f"{end}PortRanges", None) or [])
            rule[f"{end}PortRanges"] = [half for one in given for half in _port_halves(rng, one)]
    return rows


def _port_halves(rng: Random, text: str) -> list[str]:
    low, _, high = text.replace("*", "0-65535").partition("-")
    if not high:
        return [rng.choice((text, f"{low}-{low}"))]
    middle = rng.randint(int(low), int(high) - 1)
    return [f"{low}-{middle}", f"{middle + 1}-{high}"]


def singular_and_plural(rng: Random, rows: list[Row]) -> list[Row]:
    """One value in the other form, beside an empty form of the first kind."""
    for rule in _rules(rows):
        for stem in (
            "sourceAddressPrefix",
            "destinationAddressPrefix",
            "sourcePortRange",
            "destinationPortRange",
        ):
            plural = f"{stem}es" if stem.endswith("Prefix") else f"{stem}s"
            one, many = rule.get(stem), rule.get(plural)
            if one and not many:
                rule[plural], rule[stem] = [one], rng.choice(("", None))
            elif many and len(many) == 1 and not one:
                rule[stem], rule[plural] = many[0], []
    return rows


def inline_and_children(rng: Random, rows: list[Row]) -> list[Row]:
    """Rules, routes, subnets and peerings inside their parent, or as resources of their own."""
    out = []
    for row in rows:
        for member in ("securityRules", "routes", "subnets", "virtualNetworkPeerings"):
            kept = []
            for child in row["properties"].get(member, []):
                if rng.random() < 0.5:
                    kept.append(child)
                    continue
                head = {
                    "type": f"{row['type']}/{member}",
                    "apiVersion": "x",
                    "name": f"{row['name']}/{child['name']}",
                }
                out.append(head | {"properties": child["properties"]})
            if member in row["properties"]:
                row["properties"][member] = kept
        out.append(row)
    return out


def reordered(rng: Random, rows: list[Row]) -> list[Row]:
    """Rows, rules, routes, prefixes and members in another order."""

    def shuffled(value: object) -> object:
        if isinstance(value, dict):
            entries = [(key, shuffled(item)) for key, item in value.items()]
            rng.shuffle(entries)
            return dict(entries)
        if isinstance(value, list):
            found = [shuffled(item) for item in value]
            rng.shuffle(found)
            return found
        return value

    return shuffled(rows)  # type: ignore[return-value]


def renamed(rng: Random, rows: list[Row]) -> list[Row]:
    """Rules under other names; what decides is their priority."""
    for row in rows:
        for i, rule in enumerate(row["properties"].get("securityRules", [])):
            rule["name"] = f"{rng.choice('zyxabc')}{i}"
    return rows


CHANGES = (
    other_case,
    split_prefixes,
    split_ports,
    singular_and_plural,
    inline_and_children,
    reordered,
    renamed,
)


def _estate(seed: int) -> Estate:
    rng = Random(seed)
    estate = network(
        rng, group=True, table=rng.random() < 0.8, services=rng.choice(((), ("Microsoft.Storage",)))
    )
    security_group(rng, estate, most=6)
    return estate


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("seed", seeds(12))
def test_what_means_the_same_is_judged_the_same(seed: int, change: Change) -> None:
    """Filter and route of every packet stay, whichever of the spellings is used."""
    estate = _estate(seed)
    changed = Judge.of(change(estate.rng, copy.deepcopy(estate.rows)), service_tags())
    judge = Judge.of(estate.rows, service_tags())
    for packet in packets(estate, 30):
        for direction in ("outbound", "inbound"):
            assert changed.filtered(packet, direction) == judge.filtered(packet, direction), packet
        assert changed.routed(packet) == judge.routed(packet), packet


@pytest.mark.parametrize("seed", seeds(30, start=300))
def test_all_changes_at_once(seed: int) -> None:
    """The spellings do not interfere."""
    estate = _estate(seed)
    rows = copy.deepcopy(estate.rows)
    for change in estate.rng.sample(CHANGES[1:], 4):
        rows = change(estate.rng, rows)
    changed = Judge.of(other_case(estate.rng, rows), service_tags())
    judge = Judge.of(estate.rows, service_tags())
    for packet in packets(estate, 20):
        assert changed.filtered(packet) == judge.filtered(packet), packet
        assert changed.routed(packet) == judge.routed(packet), packet


def _to(address: str) -> Packet:
    return Packet(ipaddress.ip_address("10.0.0.4"), ipaddress.ip_address(address), 6, 50000, 443)


def _judge(*rows: Row) -> Judge:
    return Judge.of(rows, service_tags())


def test_splitting_the_default_route_is_not_the_same_network() -> None:
    """A law that does not hold (R4): only a route for 0.0.0.0/0 itself takes away the system's None routes."""
    net = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/22", table="table"))
    whole = _judge(net, b.table("table", b.route("all", "0.0.0.0/0", "VirtualAppliance", "10.0.9.4")))
    halves = _judge(
        net,
        b.table(
            "table",
            b.route("low", "0.0.0.0/1", "VirtualAppliance", "10.0.9.4"),
            b.route("high", "128.0.0.0/1", "VirtualAppliance", "10.0.9.4"),
        ),
    )
    assert whole.routed(_to("192.168.5.5")) == {"VirtualAppliance/all/('10.0.9.4',)"}
    assert halves.routed(_to("192.168.5.5")) == {"None/system"}
    assert halves.routed(_to("20.1.2.3")) == {"VirtualAppliance/low/('10.0.9.4',)"}


def test_the_star_is_more_than_every_ipv4_address() -> None:
    """A law that does not hold (U6): `*` covers IPv6, `0.0.0.0/0` does not."""
    net = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/22", nsg="nsg"))
    said = [
        _judge(net, b.nsg("nsg", b.rule("deny", 100, "Deny", to=everything))).filtered(_to("2603:1000::1"))
        for everything in ("*", "0.0.0.0/0")
    ]
    assert said == [{"deny"}, {"allow"}]


def test_virtual_network_and_internet_do_not_share_out_the_address_space() -> None:
    """A law that does not hold (TN2): a private address of nobody is in neither tag, so the last rule denies it."""
    net = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/22", nsg="nsg"))
    assert _judge(net, b.nsg("nsg")).filtered(_to("172.31.0.100")) == {"deny"}
    allowed = b.nsg(
        "nsg", b.rule("a", 100, "Allow", to="VirtualNetwork"), b.rule("b", 110, "Allow", to="Internet")
    )
    assert _judge(net, allowed).filtered(_to("172.31.0.100")) == {"deny"}


def test_a_group_is_judged_for_its_subnet() -> None:
    """A law that does not hold (N28): one group over two subnets need not answer alike."""
    net = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/22", nsg="nsg"))
    routed = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/22", nsg="nsg", table="table"))
    table = b.table("table", b.route("all", "0.0.0.0/0", "VirtualAppliance", "10.0.9.4"))
    group = b.nsg("nsg", b.rule("deny", 100, "Deny", to="VirtualNetwork", source="VirtualNetwork"))
    assert _judge(net, group).filtered(_to("20.1.2.3")) == {"allow"}
    assert _judge(routed, table, group).filtered(_to("20.1.2.3")) == {"deny"}
