"""Templates made to exhaust a machine end soon, with a clear error."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.unit.arm_templates import NSG, deployment, only, read, resource, template

from aks_egress_scan.readers.base import MalformedError


def chain(first: object, step: str, length: int) -> dict[str, Any]:
    """Variables of which each is made of the one before it; `step` says how, with `{}` for its name."""
    return {"v0": first} | {
        f"v{i}": "[" + step.format(f"variables('v{i - 1}')") + "]" for i in range(1, length)
    }


def uses(variables: dict[str, Any]) -> dict[str, Any]:
    return template(resource(NSG, "n", tags=f"[variables('{list(variables)[-1]}')]"), variables=variables)


def of_many(step: str) -> dict[str, Any]:
    return template(resource(NSG, "n", tags={"v": f"[{step}]"}))


def loops(depth: int) -> dict[str, Any]:
    inner = template(resource(NSG, "n"))
    for i in range(depth):
        inner = template(
            deployment(f"[concat('d{i}-', copyIndex())]", inner, copy={"name": "c", "count": 800})
        )
    return inner


ENDLESS = {
    "lists doubled": uses(chain([1, 2], "createArray({0}, {0})", 40)),
    "objects doubled": uses(chain({"a": 1}, "createObject('a', {0}, 'b', {0})", 40)),
    "text doubled": uses(chain("0123456789", "concat({0}, {0})", 40)),
    "text doubled in patterns": uses(chain("0123456789", "format('{{0}}{{0}}{{0}}{{0}}', {0})", 40)),
    "text replaced by more": uses(chain("aaaaaaaaaa", "replace({0}, 'a', 'aaaaaaaaaa')", 40)),
    "quotes escaped": uses(chain('""""""""', "string(createArray({0}, {0}))", 60)),
    "a long chain": uses(chain("a", "toLower({0})", 500)),
    "lists within lists": of_many("map(range(0, 9999), lambda('x', range(0, 9999)))"),
    "three loops": of_many(
        "map(range(0, 9999), lambda('x', length(filter(range(0, 9999), lambda('y', equals(lambdaVariables('x'), 1))))))"
    ),
    "deployments by the thousand": loops(4),
    "properties by the thousand": template(
        resource(
            NSG,
            "n",
            copy={"name": "c", "count": 800},
            properties={
                "copy": [
                    {"name": "r", "count": 800, "input": {"copy": [{"name": "s", "count": 800, "input": 1}]}}
                ]
            },
        )
    ),
}


@pytest.mark.parametrize("case", list(ENDLESS))
def test_a_template_without_end_is_refused_soon(case: str) -> None:
    started = time.perf_counter()

    with pytest.raises(MalformedError) as caught:
        read(ENDLESS[case])

    assert any(word in caught.value.message for word in ("more than", "beyond", "deeper", "deeply"))
    assert time.perf_counter() - started < 60


def test_deep_objects_are_refused() -> None:
    deep: Any = 1
    for _ in range(190):
        deep = {"a": deep}

    with pytest.raises(MalformedError, match="deep"):
        read(template(resource(NSG, "n", properties=deep)))


def test_what_real_templates_ask_for_is_within_bounds() -> None:
    rules = {
        "copy": [
            {
                "name": "securityRules",
                "count": 800,
                "input": {"name": "[concat('r', copyIndex('securityRules'))]"},
            }
        ]
    }
    found = only(read(template(resource(NSG, "n", properties=rules)))).prop("securityRules")

    assert isinstance(found, list)
    assert found[799] == {"name": "r799"}
