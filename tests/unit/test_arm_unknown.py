"""What a template leaves open stays open, and what is named by it still meets."""

from __future__ import annotations

import pytest
from tests.unit.arm_templates import (
    GROUP,
    NSG,
    TABLE,
    VNET,
    deployment,
    names,
    only,
    read,
    resource,
    template,
)

from aks_egress.arm.graph import Graph
from aks_egress.values import Reference, Unknown, Value
from aks_egress_scan.readers.arm_template import READER

OPEN = {"type": "string"}
PARAMETERS = {
    "x": OPEN,
    "y": OPEN,
    "list": {"type": "array"},
    "flag": {"type": "bool"},
    "o": {"type": "object"},
}


MANY = {"name": "c", "count": "[length(parameters('list'))]"}


def value_of(expression: str) -> Value:
    """An expression over parameters without values."""
    found = only(
        read(template(resource(NSG, "n", tags={"v": f"[{expression}]"}), parameters=PARAMETERS))
    ).get("tags")
    assert isinstance(found, dict)
    return found["v"]


UNKNOWN = [
    "parameters('x')",
    "concat('a', parameters('x'))",
    "format('{0}-{1}', 'a', parameters('x'))",
    "length(parameters('list'))",
    "parameters('o').a.b[0]",
    "equals(parameters('x'), 'a')",
    "contains(parameters('list'), 'a')",
    "contains(createArray('b', parameters('x')), 'a')",
    "empty(parameters('x'))",
    "not(parameters('flag'))",
    "if(parameters('flag'), 1, 2)",
    "and(true(), parameters('flag'))",
    "or(false(), parameters('flag'))",
    "union(parameters('list'), createArray(1))",
    "map(parameters('list'), lambda('i', 1))",
    "filter(createArray(1), lambda('i', parameters('flag')))",
    "first(parameters('list'))",
    "coalesce(parameters('x'), 'a')",
    "int(parameters('x'))",
    "string(createArray(parameters('x')))",
    "json(parameters('x'))",
    "substring(resourceGroup().name, 0, 1)",
    "resourceGroup().location",
    "subscription().tenantId",
    "newGuid()",
    "listKeys(resourceId('Microsoft.Storage/storageAccounts', 'a'), '2023-01-01').keys[0].value",
    "equals(resourceGroup().name, 'rg')",
    "uniqueString(parameters('x'))",
    "reference('nothing').a.b",
    "noSuchFunction('a')",
]


@pytest.mark.parametrize("expression", UNKNOWN)
def test_an_unknown_argument_makes_the_answer_unknown_with_a_reason(expression: str) -> None:
    found = value_of(expression)

    assert type(found) is Unknown
    assert found.why


KNOWN: dict[str, Value] = {
    "and(false(), parameters('flag'))": False,
    "and(parameters('flag'), false())": False,
    "or(parameters('flag'), true())": True,
    "coalesce('a', parameters('x'))": "a",
    "if(parameters('flag'), 'same', 'same')": "same",
    "contains(createArray('a', parameters('x')), 'a')": True,
    "length(createArray(parameters('x'), parameters('y')))": 2,
    "last(createArray(parameters('x'), 'b'))": "b",
    "union(createObject('a', parameters('x'), 'b', 1), createObject('a', 2))": {"a": 2, "b": 1},
    "empty(resourceId('A.B/c', 'd'))": False,
    "last(split(resourceId('A.B/c', 'd'), '/'))": "d",
    "equals(resourceGroup().id, resourceGroup().id)": True,
    "length(uniqueString(resourceGroup().id))": 13,
}


@pytest.mark.parametrize(("expression", "expected"), KNOWN.items(), ids=list(KNOWN))
def test_a_function_that_can_do_without_the_unknown_answers(expression: str, expected: Value) -> None:
    assert value_of(expression) == expected


def test_the_reason_names_the_parameter_and_what_settles_it() -> None:
    found = value_of("toLower(concat('a', parameters('x')))")

    assert isinstance(found, Unknown)
    assert "`x`" in found.why
    assert "--param x=" in found.settle


IDS = {
    "resourceId('Microsoft.Network/virtualNetworks/subnets', 'v', 's')": f"{GROUP}/providers/{VNET}/v/subnets/s",
    "resourceId('rg', 'A.B/c', 'd')": "/subscriptions/{subscription}/resourceGroups/rg/providers/A.B/c/d",
    "resourceId('s', 'rg', 'A.B/c', 'd')": "/subscriptions/s/resourceGroups/rg/providers/A.B/c/d",
    "resourceId(parameters('x'), 'rg', 'A.B/c', 'd')": "/subscriptions/{x}/resourceGroups/rg/providers/A.B/c/d",
    "resourceId(concat('rg-', parameters('x')), 'A.B/c', 'd')": (
        "/subscriptions/{subscription}/resourceGroups/{rg-{x}}/providers/A.B/c/d"
    ),
    "subscriptionResourceId('A.B/c', 'd')": "/subscriptions/{subscription}/providers/A.B/c/d",
    "tenantResourceId('A.B/c', 'd')": "/providers/A.B/c/d",
    "extensionResourceId(resourceId('A.B/c', 'd'), 'E.F/g', 'h')": f"{GROUP}/providers/A.B/c/d/providers/E.F/g/h",
    "concat(resourceId('A.B/c', 'd'), '/e/', 'f')": f"{GROUP}/providers/A.B/c/d/e/f",
    "format('{0}/providers/A.B/c/d', resourceGroup().id)": f"{GROUP}/providers/A.B/c/d",
    "json(concat('{\"id\": \"', resourceId('A.B/c', 'd'), '\"}')).id": f"{GROUP}/providers/A.B/c/d",
    "split(resourceId('A.B/c/e', 'd', 'f'), '/e/')[0]": f"{GROUP}/providers/A.B/c/d",
}


@pytest.mark.parametrize(("expression", "expected"), IDS.items(), ids=list(IDS))
def test_an_id_in_an_open_scope_is_an_id(expression: str, expected: str) -> None:
    found = value_of(expression)

    assert type(found) is str
    assert found == expected


def test_an_id_with_an_open_name_refers_to_its_resource() -> None:
    found = value_of("resourceId('A.B/c', parameters('x'))")

    assert isinstance(found, Unknown)
    assert found.refers_to == (Reference(f"{GROUP}/providers/A.B/c/{{x}}"),)


def test_one_of_two_resources_refers_to_both() -> None:
    found = value_of("if(parameters('flag'), resourceId('A.B/c', 'd'), resourceId('A.B/c', 'e'))")

    assert isinstance(found, Unknown)
    assert [ref.id.rpartition("/")[2] for ref in found.refers_to] == ["d", "e"]


def test_one_resource_or_nothing_refers_to_nothing_for_sure() -> None:
    found = value_of("if(parameters('flag'), createObject('id', resourceId('A.B/c', 'd')), null()).id")

    assert isinstance(found, Unknown)
    assert found.refers_to == ()


@pytest.mark.parametrize(
    "name",
    ["[parameters('x')]", "[concat('nsg-', toLower(parameters('x')))]", "[substring(parameters('x'), 0, 3)]"],
)
def test_a_resource_and_a_reference_named_by_the_same_unknown_meet(name: str) -> None:
    inner = name.strip("[]")
    data = template(
        resource(NSG, name),
        resource(
            f"{VNET}/subnets",
            "v/s",
            properties={"networkSecurityGroup": {"id": f"[resourceId('{NSG}', {inner})]"}},
        ),
        parameters=PARAMETERS,
    )
    document = read(data)
    nsg, subnet = document.resources

    assert Graph([document]).link(subnet.prop("networkSecurityGroup"), document).sole is nsg


@pytest.mark.parametrize(
    "name", ["[parameters('y')]", "[parameters('xx')]", "[substring(parameters('x'), 0, 2)]", "x"]
)
def test_other_unknowns_do_not_meet(name: str) -> None:
    data = template(
        resource(NSG, name),
        resource(
            f"{VNET}/subnets",
            "v/s",
            properties={"networkSecurityGroup": {"id": f"[resourceId('{NSG}', parameters('x'))]"}},
        ),
        parameters=PARAMETERS | {"xx": OPEN},
    )
    document = read(data)
    _, subnet = document.resources

    assert Graph([document]).link(subnet.prop("networkSecurityGroup"), document).sole is None


def test_two_values_that_azure_makes_anew_do_not_meet() -> None:
    data = template(
        resource(NSG, "[parameters('a')]"),
        resource(NSG, "[parameters('b')]"),
        parameters={"a": OPEN | {"defaultValue": "[newGuid()]"}, "b": OPEN | {"defaultValue": "[newGuid()]"}},
    )
    first, second = names(read(data))

    assert first != second


def test_an_unknown_name_means_nothing_in_another_document() -> None:
    nsg = template(resource(NSG, "[parameters('x')]"), parameters=PARAMETERS)
    subnet = template(
        resource(
            f"{VNET}/subnets",
            "v/s",
            properties={"networkSecurityGroup": {"id": f"[resourceId('{NSG}', parameters('x'))]"}},
        ),
        resource(TABLE, "[parameters('x')]"),
        parameters=PARAMETERS,
    )
    route = template(
        resource(f"{TABLE}/routes", "[concat(parameters('x'), '/default')]"), parameters=PARAMETERS
    )
    here, there, other = read(subnet), read(nsg), read(route)
    graph = Graph([here, there, other])

    assert graph.link(here.resources[0].prop("networkSecurityGroup"), here).sole is None
    assert graph.children(here.resources[1], f"{TABLE}/routes")[0] == []


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (resource(NSG, "a", copy=MANY), NSG.casefold()),
        (resource(f"{VNET}/subnets", "[parameters('x')]"), f"{VNET}/subnets".casefold()),
        (
            deployment("d", template(deployment("e", template(resource(NSG, "n")))), copy=MANY),
            NSG.casefold(),
        ),
        (
            resource(
                "Microsoft.Resources/deployments",
                "d",
                copy=MANY,
                properties={"templateLink": {"relativePath": "x.json"}},
            ),
            "*",
        ),
    ],
)
def test_resources_that_nobody_can_count_or_place_may_be_there(row: dict[str, object], kind: str) -> None:
    document = read(template(row, parameters=PARAMETERS))

    assert list(document.unread) == [kind]
    assert document.resources == ()
    assert [one.code for one in document.notices] == ["unread"]


def test_a_loop_of_unknown_length_makes_an_unknown_property() -> None:
    loop = {"copy": [{"name": "securityRules", "count": "[length(parameters('list'))]", "input": {}}]}
    rules = only(read(template(resource(NSG, "n", properties=loop), parameters=PARAMETERS))).prop(
        "securityRules"
    )

    assert isinstance(rules, Unknown)


def test_what_goes_wrong_with_a_value_is_unknown_and_said_once() -> None:
    data = template(resource(NSG, "n", tags={"a": "[createArray(1)[5]]", "b": 2}))
    document = read(data)
    tags = only(document).get("tags")

    assert isinstance(tags, dict)
    assert isinstance(tags["a"], Unknown)
    assert tags["b"] == 2
    assert [one.code for one in document.notices] == ["expression"]


def test_a_resource_declared_twice_is_the_one_that_comes_last() -> None:
    first = deployment("first", template(resource(VNET, "v", tags={"n": 1})))
    second = deployment("second", template(resource(VNET, "v", tags={"n": 2})))
    ordered = read(
        template(second | {"dependsOn": ["[resourceId('Microsoft.Resources/deployments', 'first')]"]}, first)
    )
    open_order = read(template(first, second))

    assert only(ordered).get("tags") == {"n": 2}
    assert only(ordered).uncertain is None
    assert only(open_order).uncertain is not None
    assert [one.code for one in open_order.notices] == ["declared-twice"]


def test_a_resource_that_is_declared_wins_over_one_that_is_referred_to() -> None:
    inner = template(languageVersion="2.0")
    inner["resources"] = {"v": resource(VNET, "v", existing=True)}
    document = read(template(resource(VNET, "v"), deployment("d", inner)))

    assert not only(document).existing


def test_the_reader_hands_out_plain_values() -> None:
    data = template(resource(NSG, "n", tags={"id": "[resourceGroup().id]", "u": "[reference('x')]"}))
    tags = only(read(data)).get("tags")

    assert isinstance(tags, dict)
    assert [type(one) for one in tags.values()] == [str, Unknown]
    assert READER is not None
