"""Parameters of Bicep files: what gives them, what Azure refuses, what stays secret."""

from __future__ import annotations

import json

import pytest
from tests.unit.bicep_sources import read, source

from aks_egress.arm.resources import Kind
from aks_egress.values import Unknown
from aks_egress_scan.readers.arm_template import READER as ARM
from aks_egress_scan.readers.base import MalformedError, Parameters
from aks_egress_scan.readers.bicep import READER


@pytest.mark.parametrize(
    ("declared", "given", "said"),
    [
        ("@allowed(['a', 'b'])\nparam p string", "c", "it is not one of `a`, `b`"),
        ("param p 'a' | 'b' | null", "c", "it is not one of `a`, `b`"),
        ("type t = 'a' | 'b'\nparam p t?", "c", "it is not one of `a`, `b`"),
        ("@minLength(3)\nparam p string", "c", "it has less than 3 characters"),
        ("@maxValue(3)\nparam p int", "4", "it is more than 3"),
        ("@minValue(5)\nparam p int", "4", "it is less than 5"),
        ("@maxLength(0)\nparam p array", "[1]", "it has more than 0 parts"),
    ],
)
def test_a_value_that_azure_refuses_is_not_taken(declared: str, given: str, said: str) -> None:
    document = read(
        f"{declared}\nresource r 'M.X/y@1' = {{\n  name: 'r'\n  properties: {{ v: p }}\n}}\n", p=given
    )
    (resource,), (notice,) = document.resources, document.notices
    assert notice.message == f"Azure refuses the value given for parameter `p`: {said}"
    assert isinstance(resource.prop("v"), Unknown)


@pytest.mark.parametrize(
    ("declared", "given"),
    [
        ("@allowed(['West Europe'])\nparam p string", "west europe"),
        ("@allowed(['a', 'b'])\nparam p array", '["b", "a"]'),
        ("@minLength(1)\n@maxLength(1)\nparam p string", "c"),
        ("param p 'a' | string", "c"),
    ],
)
def test_a_value_that_azure_takes_is_taken(declared: str, given: str) -> None:
    document = read(
        f"{declared}\nresource r 'M.X/y@1' = {{\n  name: 'r'\n  properties: {{ v: p }}\n}}\n", p=given
    )
    assert not document.notices
    assert not isinstance(document.resources[0].prop("v"), Unknown)


def test_a_parameters_file_gives_values_and_its_base_gives_the_rest() -> None:
    files = {
        "main.bicep": "param a string\nparam b int\nparam c string = 'own'\nparam d string = 'own'\n"
        "resource r 'Microsoft.X/y@1' = {\n  name: 'r'\n  properties: { a: a, b: b, c: c, d: d }\n}\n",
        "base.bicepparam": "using none\nparam a = 'base'\nparam c = 'base'\n",
        "prod.bicepparam": "using './main.bicep'\nextends 'base.bicepparam'\nvar n = 2\n"
        "param b = n + 1\nparam c = '${toUpper('x')}${n}'\nparam d = readEnvironmentVariable('D', 'x')\n",
        "other.bicepparam": "using './else.bicep'\nparam a = 'other'\n",
        "else.bicep": "param a string\n",
        "far.bicepparam": "using 'br:example.azurecr.io/a:1'\nparam a = 'far'\n",
    }
    main, prod, other, far = (
        source(files, name)
        for name in ("main.bicep", "prod.bicepparam", "other.bicepparam", "far.bicepparam")
    )
    (direct,) = READER.read(prod, Parameters())
    (given,) = READER.read(main, Parameters(files=(prod, other, far), values=(("b", "7"),)))
    for document, number in ((direct, 3), (given, 7)):
        (resource,) = document.resources
        assert [resource.prop(name) for name in "abc"] == ["base", number, "X2"]
        assert isinstance(resource.prop("d"), Unknown)


def test_the_parameters_file_of_the_same_name_is_taken_and_said_so() -> None:
    files = {
        "main.bicep": "param a string\nresource r 'Microsoft.X/y@1' = {\n  name: a\n}\n",
        "main.bicepparam": "using 'main.bicep'\nparam a = 'beside'\n",
    }
    (document,) = READER.read(source(files, "main.bicep"), Parameters())
    assert [one.name for one in document.resources] == ["beside"]
    assert [one.code for one in document.notices] == ["parameters-beside"]


def test_secrets_are_never_known() -> None:
    main = """
@secure()
param key string = 'hunter2'
resource kv 'Microsoft.KeyVault/vaults@2023-07-01' existing = { name: 'kv' }
module m 'm.bicep' = {
  name: 'm'
  params: { key: kv.getSecret('k'), list: kv.listSecrets() }
}
resource r 'Microsoft.X/y@1' = {
  name: 'r'
  properties: { key: key }
}
"""
    module = "@secure()\nparam key string\nparam list object\nresource s 'Microsoft.X/y@1' = {\n  name: 's'\n  properties: { k: key, l: list }\n}\n"
    first, second = read(main, {"m.bicep": module}).resources
    assert isinstance(first.prop("k"), Unknown)
    assert isinstance(first.prop("l"), Unknown)
    assert isinstance(second.prop("key"), Unknown)


def test_a_parameters_file_may_be_for_a_template_in_json() -> None:
    resource = {"type": "Microsoft.X/y", "apiVersion": "1", "name": "[parameters('a')]"}
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    data = {"$schema": schema, "parameters": {"a": {"type": "string"}}, "resources": [resource]}
    files = {
        "main.json": json.dumps(data),
        "main.bicepparam": "using 'main.json'\nparam a = 'given'\n",
        "other.bicepparam": "using 'other.json'\nparam a = 'other'\n",
        "other.json": "{}",
    }
    own, other, main = (source(files, name) for name in ("main.bicepparam", "other.bicepparam", "main.json"))
    (direct,) = READER.read(own, Parameters())
    (named,) = ARM.read(main, Parameters((own, other)))

    assert [one.name for one in (*direct.resources, *named.resources)] == ["given", "given"]
    assert direct.kind is Kind.ARM_TEMPLATE
    with pytest.raises(MalformedError, match=r"`other\.json`, which this file is for, is neither Bicep nor"):
        READER.read(other, Parameters())
