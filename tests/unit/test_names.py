"""Host names as Azure Firewall's rules match them (F14), for a name and for every name of a pattern."""

from __future__ import annotations

import itertools

import pytest

from aks_egress.packets.names import Match, covers, well_formed

YES, NO, MAYBE = Match.YES, Match.NO, Match.MAYBE


@pytest.mark.parametrize(
    ("rule", "name", "expected"),
    [
        ("www.contoso.com", "www.contoso.com", YES),
        ("www.contoso.com", "sub.www.contoso.com", NO),
        ("*.contoso.com", "any.contoso.com", YES),
        ("*.contoso.com", "a.b.contoso.com", YES),
        ("*.contoso.com", "contoso.com", NO),
        ("*contoso.com", "contoso.com", YES),
        ("*contoso.com", "example.anycontoso.com", YES),
        ("*contoso.com", "th3re4lcontoso.com", YES),
        ("*", "anything.example", YES),
        ("*.DATA.mcr.microsoft.com", "eastus.data.MCR.microsoft.com.", YES),
        ("*.data.mcr.microsoft.com", "mcr.microsoft.com", NO),
    ],
)
def test_the_examples_of_the_documentation(rule: str, name: str, expected: Match) -> None:
    """`*.contoso.com` leaves out `contoso.com` itself."""
    assert covers(rule, name) is expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("*.hcp.eastus.azmk8s.io", YES),
        ("*.azmk8s.io", YES),
        ("*azmk8s.io", YES),
        ("*", YES),
        ("abc.hcp.eastus.azmk8s.io", MAYBE),
        ("*.abc.hcp.eastus.azmk8s.io", MAYBE),
        ("*c.hcp.eastus.azmk8s.io", MAYBE),
        ("hcp.eastus.azmk8s.io", NO),
        ("*.hcp.westus.azmk8s.io", NO),
        ("*.privatelink.eastus.azmk8s.io", NO),
    ],
)
def test_a_wanted_pattern_is_one_name_of_that_form(rule: str, expected: Match) -> None:
    """A rule for some of the names may be enough or not: nobody can say which is used."""
    assert covers(rule, "*.hcp.eastus.azmk8s.io") is expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("*.azmk8s.io", YES),
        ("*.hcp.eastus.azmk8s.io", MAYBE),
        ("abc.hcp.eastus.azmk8s.io", MAYBE),
        ("*.microsoft.com", NO),
    ],
)
def test_a_name_whose_region_is_not_known_is_open_in_that_part(rule: str, expected: Match) -> None:
    """`{region}` may be any; it never counts as a letter of its own."""
    assert covers(rule, "*.hcp.{region}.azmk8s.io") is expected


@pytest.mark.parametrize(
    "pattern", ["www.contoso.*", "*.contoso.*", "www.*contoso.com", "**", "", "*.", "a..b"]
)
def test_a_star_elsewhere_is_refused_and_covers_nothing(pattern: str) -> None:
    """Azure takes one `*`, at the far left."""
    assert not well_formed(pattern)
    assert covers(pattern, "www.contoso.com") is NO


def test_covers_agrees_with_every_name_of_a_small_world() -> None:
    """YES is all names of the wanted form, NO none of them, MAYBE some."""
    labels = ["a", "b", "ab"]
    every = [".".join(parts) for n in (1, 2, 3) for parts in itertools.product(labels, repeat=n)]
    rules = ["*", *every[:12], *(f"*{dot}{name}" for dot in (".", "") for name in every[:12])]
    for rule in rules:
        for tail in every[:12]:
            hits = [_plainly(rule, name) for name in _longer(labels, tail)]
            expected = YES if all(hits) else MAYBE if any(hits) else NO
            assert covers(rule, f"*.{tail}") is expected, (rule, tail)


def _longer(labels: list[str], tail: str) -> list[str]:
    heads = [
        ".".join(parts) for n in (1, 2, 3, 4) for parts in itertools.product([*labels, "ba", "bab"], repeat=n)
    ]
    return [f"{head}.{tail}" for head in heads]


def _plainly(rule: str, name: str) -> bool:
    return name.endswith(rule[1:]) if rule.startswith("*") else name == rule


def test_match_is_three_valued_and_and_or() -> None:
    """Kleene's tables."""
    for a, b in itertools.product(Match, repeat=2):
        rank = {NO: 0, MAYBE: 1, YES: 2}
        assert rank[a | b] == max(rank[a], rank[b])
        assert rank[a & b] == min(rank[a], rank[b])


def test_covering_is_not_symmetric() -> None:
    """A law that does not hold."""
    assert covers("*.microsoft.com", "*.data.mcr.microsoft.com") is YES
    assert covers("*.data.mcr.microsoft.com", "*.microsoft.com") is MAYBE


@pytest.mark.parametrize("wanted", ["{", "a{b", "{region}.x{"])
def test_a_part_that_nothing_closes_may_be_anything(wanted: str) -> None:
    assert covers("aks.example.com", wanted) is Match.MAYBE
    assert covers("*.example.com", wanted) is Match.MAYBE
    assert covers("*", wanted) is Match.YES
