"""What a template's parameters take, and what Azure refuses."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.arm_templates import NSG, deployment, line, only, read, resource, template

from aks_egress.arm.resources import Document
from aks_egress.values import Unknown

TAGGED = resource(NSG, "n", tags={"v": "[parameters('p')]"})


def given(declared: dict[str, Any], value: Any) -> Document:
    """A template with one parameter and a file that gives its value."""
    return read(template(TAGGED, parameters={"p": declared}), param={"p": {"value": value}})


@pytest.mark.parametrize(
    ("declared", "value", "said"),
    [
        ({"type": "string", "allowedValues": ["a", "b"]}, "c", "it is not one of `a`, `b`"),
        (
            {"type": "string", "allowedValues": list("abcdefg")},
            "x",
            "it is not one of `a`, `b`, `c`, `d`, `e`, `f`, …",
        ),
        ({"type": "int", "allowedValues": [1, 2]}, 3, "it is not one of `1`, `2`"),
        ({"type": "array", "allowedValues": ["a"]}, ["a", "b"], "it is not one of `a`"),
        ({"type": "int", "minValue": 1, "maxValue": 5}, 0, "it is less than 1"),
        ({"type": "int", "minValue": 1, "maxValue": 5}, 6, "it is more than 5"),
        ({"type": "string", "minLength": 2}, "a", "it has less than 2 characters"),
        ({"type": "array", "maxLength": 1}, ["a", "b"], "it has more than 1 parts"),
        ({"$ref": "#/definitions/letter"}, "c", "it is not one of `a`"),
        ({"type": "int"}, "1", "it is not of the type `int`"),
        ({"type": "int"}, True, "it is not of the type `int`"),
        ({"type": "string"}, 1, "it is not of the type `string`"),
        ({"type": "bool"}, "true", "it is not of the type `bool`"),
        ({"type": "array"}, {}, "it is not of the type `array`"),
    ],
)
def test_what_azure_refuses_is_said_and_leaves_the_value_unknown(
    declared: Any, value: Any, said: str
) -> None:
    data = template(
        TAGGED, parameters={"p": declared}, definitions={"letter": {"type": "string", "allowedValues": ["a"]}}
    )
    document = read(data, param={"p": {"value": value}})
    found = only(document).get("tags", "v")

    assert isinstance(found, Unknown)
    assert found.why == f"Azure refuses the value given for parameter `p`: {said}"
    assert [one.message for one in document.notices] == [found.why]
    assert line(document, document.notices[0].origin) == 5


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ({"type": "string", "allowedValues": ["West Europe"]}, "west europe"),
        ({"type": "array", "allowedValues": ["a", "b"]}, ["b"]),
        ({"type": "array", "allowedValues": [["a"], ["b"]]}, ["b"]),
        ({"type": "int", "minValue": 1, "maxValue": 1}, 1),
        ({"type": "object"}, {"a": 1}),
        ({"type": "String", "minLength": 1, "maxLength": 1}, "a"),
    ],
)
def test_what_azure_takes_is_taken(declared: Any, value: Any) -> None:
    document = given(declared, value)

    assert only(document).get("tags", "v") == value
    assert not document.notices


def test_a_refused_secret_stays_secret() -> None:
    document = given({"type": "securestring", "minLength": 12}, "hunter2")

    assert "hunter2" not in str(document)
    assert [one.code for one in document.notices] == ["parameter-refused"]


def test_a_module_refuses_what_it_is_handed() -> None:
    inner = template(TAGGED, parameters={"p": {"type": "string", "allowedValues": ["a"]}})
    document = read(template(deployment("d", inner, parameters={"p": "b"})))

    assert [one.code for one in document.notices] == ["parameter-refused"]
    assert isinstance(only(document).get("tags", "v"), Unknown)
