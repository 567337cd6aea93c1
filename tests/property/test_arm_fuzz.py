"""Random and mutated templates: reading them ends in documents of plain values or in a clear error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.property.seeds import MORE

from aks_egress.arm.resources import Document
from aks_egress.values import Unknown, Value
from aks_egress_scan.readers.arm.asked import _TABLE
from aks_egress_scan.readers.arm_template import READER
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.expressions.evaluate import _FORMS
from aks_egress_scan.readers.expressions.functions import names

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "hub-and-spoke" / "arm").glob("*.json"))
BASES = [json.loads(path.read_text("utf-8")) for path in EXAMPLES]

FUNCTIONS = sorted(names() | set(_TABLE) | set(_FORMS))
WORDS = [
    "a",
    "b",
    "v0",
    "p0",
    "securityRules",
    "Microsoft.Network/virtualNetworks",
    "10.0.0.0/16",
    "{0}-{1}",
    "/",
    "{x}",
    "P1D",
]

literals = st.one_of(
    st.sampled_from(WORDS).map(lambda word: f"'{word}'"),
    st.integers(-3, 40).map(str),
    st.sampled_from(["true", "false", "null", "parameters('p0')", "variables('v0')", "copyIndex()", "''"]),
)


def _call(arguments: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    calls = st.builds(
        lambda name, given, tail: f"{name}({', '.join(given)}){tail}",
        st.sampled_from(FUNCTIONS),
        st.lists(arguments, max_size=4),
        st.sampled_from(["", "", ".a", "[0]", ".?b", "[1].c"]),
    )
    lambdas = st.builds(lambda body: f"lambda('x', {body})", arguments)
    return st.one_of(calls, calls, lambdas, st.just("lambdaVariables('x')"))


expressions = st.recursive(literals, _call, max_leaves=12).map(lambda text: f"[{text}]")
scalars = st.one_of(
    expressions, st.text(max_size=8), st.integers(-5, 900), st.booleans(), st.none(), st.floats(-9, 9)
)
keys = st.sampled_from(
    ["name", "type", "properties", "copy", "count", "input", "template", "parameters", "value", "condition", "resources",
     "scope", "existing", "outputs", "variables", "defaultValue", "templateLink", "uri", "resourceGroup", "a", "[concat('k')]"]
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=10,
)
resources = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            [
                "Microsoft.Network/networkSecurityGroups",
                "Microsoft.Network/virtualNetworks/subnets",
                "Microsoft.Resources/deployments",
            ]
        ),
        "apiVersion": st.just("2023-11-01"),
        "name": scalars,
        "properties": values,
    },
    optional={
        "copy": st.fixed_dictionaries(
            {"name": st.just("c"), "count": st.one_of(st.integers(0, 3), expressions)}
        ),
        "condition": scalars,
        "scope": scalars,
        "dependsOn": st.lists(scalars, max_size=2),
        "resources": st.lists(values, max_size=2),
    },
)
templates = st.fixed_dictionaries(
    {
        "$schema": st.just(SCHEMA),
        "parameters": st.fixed_dictionaries(
            {
                "p0": st.fixed_dictionaries(
                    {"type": st.sampled_from(["string", "int", "array", "object", "securestring"])},
                    optional={"defaultValue": values},
                )
            }
        ),
        "variables": st.fixed_dictionaries({"v0": values, "v1": values}),
        "resources": st.one_of(
            st.lists(resources, max_size=3),
            st.dictionaries(st.sampled_from(["a", "b"]), resources, max_size=2),
        ),
        "outputs": st.dictionaries(st.sampled_from(["a", "b"]), values, max_size=2),
    }
)

quick = settings(
    max_examples=120 * MORE,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def read(data: bytes) -> list[Document]:
    """The documents, none where the template is refused with a message and a path."""
    source = Source("t.json", data)
    READER.claims(source)
    try:
        documents = READER.read(source, Parameters())
    except MalformedError as error:
        refused = error
    else:
        refused = None
    if refused is not None:
        assert refused.message
        assert refused.path in ("t.json", "--param")
        return []
    for document in documents:
        for one in document.resources:
            one.get("x")
            assert is_plain(one.body)
            document.locate(one.place("properties", "securityRules", 0))
        for notice in document.notices:
            document.locate(notice.origin)
    return documents


def is_plain(value: Any) -> bool:
    """Whether nothing of the reader's own is left in a value."""
    match value:
        case dict():
            return all(type(key) is str and is_plain(item) for key, item in value.items())
        case list():
            return all(map(is_plain, value))
    return type(value) in (str, int, float, bool, type(None), Unknown)


@given(templates)
@quick
def test_a_random_template_is_read_or_refused(template: dict[str, Value]) -> None:
    read(json.dumps(template).encode())


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, item in inside for deeper in _places(item, (*path, key)))]


def _with(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    changed = _with(value[path[0]], path[1:], new)
    if isinstance(value, dict):
        return {**value, path[0]: changed}
    return [changed if i == path[0] else item for i, item in enumerate(value)]


@given(st.sampled_from(BASES), st.data())
@quick
def test_a_template_with_parts_changed_is_read_or_refused(base: Any, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        base = _with(base, data.draw(st.sampled_from(_places(base))), data.draw(values))
    read(json.dumps(base).encode())


@given(st.sampled_from(EXAMPLES), st.data())
@quick
def test_text_that_is_damaged_is_read_or_refused(path: Path, data: st.DataObject) -> None:
    text = path.read_bytes()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    read(text[:start] + data.draw(st.binary(max_size=6)) + text[end:])
    read(text[:start])


@given(st.sampled_from(BASES), st.randoms(use_true_random=False))
@quick
def test_the_order_of_members_changes_nothing(base: Any, random: Any) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            rows = [(key, shuffled(item)) for key, item in value.items()]
            random.shuffle(rows)
            return dict(rows)
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    (one,), (other,) = read(json.dumps(base).encode()), read(json.dumps(shuffled(base)).encode())

    assert {str(a.id): values_of(a.body) for a in one.resources} == {
        str(a.id): values_of(a.body) for a in other.resources
    }


def values_of(value: Any) -> Any:
    """A body with only the reasons of its unknowns."""
    match value:
        case Unknown():
            return value.why
        case dict():
            return {key: values_of(item) for key, item in value.items()}
        case list():
            return [values_of(item) for item in value]
    return value
