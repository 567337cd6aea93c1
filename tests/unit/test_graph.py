"""The graph: a reference is followed in its own document first, and what is ambiguous is said to be."""

from __future__ import annotations

from typing import Any

from tests import builders as b

from aks_egress.arm.graph import Graph, Link
from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Document, Kind, Resource, Role
from aks_egress.values import Origin, Reference, Unknown

NSG, RULES = (
    "Microsoft.Network/networkSecurityGroups",
    "Microsoft.Network/networkSecurityGroups/securityRules",
)
OPEN = "/subscriptions/{subscription}/resourceGroups/{resource-group}"
LOST = Unknown("known only after deployment")


def _nsg(scope: str, name: str = "nsg", **members: Any) -> Resource:
    body = members.pop("body", {"properties": {"securityRules": []}})
    return Resource(ResourceId.of(scope, NSG, name), Origin(f"{scope}/{name}"), body, **members)


def _rule(scope: str, name: str, group: str = "nsg", **members: Any) -> Resource:
    body = {"properties": members.pop("properties", {"priority": 100})}
    return Resource(ResourceId.of(scope, RULES, group, name), Origin(name), body, **members)


def _document(*resources: Resource, **members: Any) -> Document:
    return Document("a.json", Kind.ARM_TEMPLATE, resources, **members)


def _found(link: Link) -> list[str]:
    return [one.origin.path for one in link.resources]


def _names(rows: list[Resource]) -> list[str]:
    return [row.name for row in rows]


def test_a_reference_leads_to_the_resource_of_its_id_whatever_the_case() -> None:
    """As text or as an object with an id."""
    document = b.document(b.nsg("nsg"))
    graph = Graph([document])
    for value in (
        b.rid("networkSecurityGroups", "NSG").upper(),
        {"ID": b.rid("networkSecurityGroups", "nsg")},
    ):
        assert graph.link(value, document).sole is document.resources[0]


def test_nothing_and_something_lost_are_not_the_same() -> None:
    """No reference: certainly nothing. A reference to what nobody gave: unknown."""
    document = b.document(b.nsg("nsg"))
    graph = Graph([document])
    for nothing in (None, "", {"id": None}, {}):
        assert graph.link(nothing, document).absent
    lost = graph.link({"id": b.rid("networkSecurityGroups", "other")}, document)
    assert not lost.absent
    assert lost.sole is None
    assert lost.unknown is not None
    assert "not among the inputs" in lost.unknown.why
    assert graph.link("nsg", document).unknown is not None


def test_an_unknown_id_is_followed_through_what_it_refers_to() -> None:
    """An id known after apply; one of several stays open; a property of a resource is not its id."""
    document = b.document(b.nsg("nsg"), b.nsg("other"))
    graph = Graph([document])
    ids = [b.rid("networkSecurityGroups", name) for name in ("nsg", "other")]
    assert (
        graph.link(Unknown("", refers_to=(Reference(ids[0], ("id",)),)), document).sole
        is document.resources[0]
    )
    several = graph.link(Unknown("", refers_to=tuple(Reference(one) for one in ids)), document)
    assert len(several.options) == 2
    assert several.sole is None
    assert graph.link(LOST, document).unknown is LOST
    assert graph.link(Unknown("", refers_to=(Reference(ids[0], ("name",)),)), document).unknown is not None


def test_the_own_document_comes_first() -> None:
    """Another document's resource of the same id is not asked."""
    own, other = _document(_nsg("/subscriptions/a")), _document(_nsg("/subscriptions/a"))
    assert Graph([other, own]).find(own.resources[0].id, own).sole is own.resources[0]


def test_what_several_other_documents_hold_is_one_only_where_they_agree() -> None:
    """Agreeing copies are one, differing ones are all listed, and a differing child makes the parents differ."""
    here = _document()
    wanted = ResourceId.of("/subscriptions/a", NSG, "nsg")
    same = [_document(_nsg("/subscriptions/a")), _document(_nsg("/subscriptions/a"))]
    assert Graph([here, *same]).find(wanted, here).sole is same[0].resources[0]
    differing = [same[0], _document(_nsg("/subscriptions/a", body={"properties": {"flushConnection": True}}))]
    assert len(Graph([here, *differing]).find(wanted, here).options) == 2
    with_rule = _document(_nsg("/subscriptions/a"), _rule("/subscriptions/a", "deny"))
    assert Graph([here, same[0], with_rule]).find(wanted, here).sole is None


def test_open_scopes_join_and_two_that_could_be_meant_are_both_named() -> None:
    """A template does not know its resource group; with two groups of one name nobody can say which."""
    one = _nsg("/subscriptions/s/resourceGroups/a")
    other = _nsg("/subscriptions/s/resourceGroups/b", body={"properties": {"flushConnection": True}})
    wanted = ResourceId.of(OPEN, NSG, "nsg")
    sole = _document(one)
    assert Graph([sole]).find(wanted, sole).sole is one
    both = _document(one, other)
    assert _found(Graph([both]).find(wanted, both)) == [one.origin.path, other.origin.path]


def test_a_resource_that_may_not_be_there_is_not_certain() -> None:
    """Its condition is not known; neither is it when two take turns under one id."""
    maybe = _nsg("/subscriptions/a", uncertain=LOST)
    document = _document(maybe)
    link = Graph([document]).find(maybe.id, document)
    assert link.resources == [maybe]
    assert link.unknown is LOST
    turns = _document(
        maybe, _nsg("/subscriptions/a", uncertain=LOST, body={"properties": {"flushConnection": True}})
    )
    assert len(Graph([turns]).find(maybe.id, turns).options) == 2
    here = _document()
    assert Graph([here, document]).find(maybe.id, here).sole is None


def test_a_resource_that_is_only_referred_to_is_looked_for_elsewhere() -> None:
    """`existing` in one document, defined in another; without the other it is unknown, not empty."""
    referring = _document(_nsg("/subscriptions/a", existing=True, body={}))
    defined = _document(_nsg("/subscriptions/a"), role=Role.CONTEXT)
    wanted = defined.resources[0].id
    assert Graph([referring, defined]).find(wanted, referring).sole is defined.resources[0]
    assert Graph([referring]).find(wanted, referring).unknown is not None


def test_what_could_not_be_read_may_be_anything_that_is_missing() -> None:
    """A nested deployment that was not followed; of one type, or of all."""
    wanted = ResourceId.of("/subscriptions/a", NSG, "nsg")
    for kind in (wanted.kind, "*"):
        document = _document(unread={kind: LOST})
        assert Graph([document]).find(wanted, document).unknown is LOST
    parent = _nsg("/subscriptions/a")
    for kind in (RULES.casefold(), "*"):
        document = _document(parent, unread={kind: LOST})
        assert Graph([document]).children(parent, RULES) == ([], LOST)


def test_children_are_inline_ones_and_resources_of_their_own() -> None:
    """Joined by full id, and the one of its own replaces the inline one of that name."""
    document = b.document(
        b.nsg("nsg", b.rule("a", 100, "Allow"), b.rule("b", 110, "Allow")),
        b.resource("networkSecurityGroups/securityRules", "nsg/B", {"priority": 120}),
        b.resource("networkSecurityGroups/securityRules", "other/c", {"priority": 130}),
    )
    graph = Graph([document])
    rows, gap = graph.children(document.resources[0], RULES)
    assert gap is None
    assert [(row.name, row.prop("priority")) for row in rows] == [("a", 100), ("B", 120)]


def test_two_inline_rules_of_one_name_are_both_kept() -> None:
    """Azure refuses them; until then neither may vanish."""
    document = b.document(b.nsg("nsg", b.rule("a", 100, "Deny"), b.rule("a", 110, "Allow")))
    rows, _ = Graph([document]).children(document.resources[0], RULES)
    assert [row.prop("priority") for row in rows] == [100, 110]


def test_a_child_that_may_not_be_there_does_not_replace_the_inline_one() -> None:
    """Both stay possible."""
    document = _document(
        _nsg("/subscriptions/a", body={"properties": {"securityRules": [{"name": "a", "properties": {}}]}}),
        _rule("/subscriptions/a", "a", uncertain=LOST),
    )
    rows, _ = Graph([document]).children(document.resources[0], RULES)
    assert [row.uncertain for row in rows] == [None, LOST]


def test_unknown_children_are_a_gap() -> None:
    """Of the whole list, of one entry, or because it is no list."""
    for rules in (LOST, [{"name": "a", "properties": {}}, LOST], {"a": 1}):
        parent = _nsg("/subscriptions/a", body={"properties": {"securityRules": rules}})
        _, gap = Graph([_document(parent)]).children(parent, RULES)
        assert isinstance(gap, Unknown)


def test_another_document_adds_children_to_a_parent_it_does_not_hold() -> None:
    """A rule module beside a group's; a document with a group of its own keeps its rules for that."""
    parent = _nsg(OPEN)
    home = _document(parent)
    apart = _document(_rule(OPEN, "added"))
    alternative = _document(_nsg(OPEN), _rule(OPEN, "other"))
    assert _names(Graph([home, apart]).children(parent, RULES)[0]) == ["added"]
    assert _names(Graph([home, alternative]).children(parent, RULES)[0]) == []
    referring = _document(_nsg(OPEN, existing=True, body={}), _rule(OPEN, "added"))
    assert _names(Graph([home, referring]).children(parent, RULES)[0]) == ["added"]


def test_documents_that_disagree_about_a_child_leave_it_open() -> None:
    """Nobody can say which of the two rules holds."""
    parent = _nsg(OPEN)
    home = _document(parent)
    agreeing = [_document(_rule(OPEN, "a")), _document(_rule(OPEN, "a"))]
    assert Graph([home, *agreeing]).children(parent, RULES)[1] is None
    differing = [agreeing[0], _document(_rule(OPEN, "a", properties={"priority": 200}))]
    assert Graph([home, *differing]).children(parent, RULES)[1] is not None


def test_a_rule_that_could_belong_to_two_groups_is_a_gap_in_both() -> None:
    """Its resource group is not known, and two hold a group of that name."""
    groups = [_nsg(f"/subscriptions/s/resourceGroups/{name}") for name in ("a", "b")]
    document = _document(*groups, _rule(OPEN.replace("{subscription}", "s"), "deny"))
    graph = Graph([document])
    assert all(graph.children(one, RULES)[1] is not None for one in groups)


def test_inline_children_know_where_they_stand() -> None:
    """The pointer leads to the row, a place of its own to the line."""
    parent = Resource(
        ResourceId.of("/subscriptions/a", NSG, "nsg"),
        Origin("main.tf", 3),
        {"properties": {"securityRules": [{"name": "a", "properties": {"priority": 100}}]}},
        {("properties", "securityRules", 0): Origin("main.tf", 9)},
    )
    row = Graph([_document(parent)]).children(parent, RULES)[0][0]
    assert row.origin.line == 9
    assert row.id.parent == parent.id


def test_an_inline_subnet_is_found_by_its_id() -> None:
    """Although no resource of that id was given."""
    document = b.document(b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/22")))
    found = Graph([document]).link(b.subnet_id("NET", "Nodes"), document).sole
    assert found is not None
    assert found.prop("addressPrefix") == "10.0.0.0/22"
