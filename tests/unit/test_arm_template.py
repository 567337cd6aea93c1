"""Reading ARM templates: parameters, variables, loops, conditions, children, and where each part stands."""

from __future__ import annotations

import json

import pytest
from tests.unit.arm_templates import (
    GROUP,
    NSG,
    SCHEMA,
    TABLE,
    VNET,
    line,
    names,
    only,
    read,
    resource,
    source,
    template,
)

from aks_egress.arm.graph import Graph
from aks_egress.values import Reference, Unknown
from aks_egress_scan.readers.arm_template import READER
from aks_egress_scan.readers.base import MalformedError, Source

TEXT = {"type": "string"}


def test_templates_of_every_scope_and_parameter_files_are_ours() -> None:
    for name in (
        "deploymentTemplate",
        "subscriptionDeploymentTemplate",
        "tenantDeploymentTemplate",
        "deploymentParameters",
    ):
        text = json.dumps({"$schema": f"https://schema.management.azure.com/schemas/2019-04-01/{name}.json#"})
        assert READER.claims(Source("x.json", text.encode()))


def test_a_policy_that_holds_a_template_is_no_template() -> None:
    text = json.dumps({"properties": {"template": {"$schema": SCHEMA}}})

    assert not READER.claims(Source("policy.json", text.encode()))


def test_a_template_cut_off_in_the_middle_is_ours_and_broken() -> None:
    text = json.dumps(template(resource(NSG, "nsg")))[:-20]

    assert READER.claims(Source("x.json", text.encode()))
    with pytest.raises(MalformedError, match="cut off"):
        read(text)


def test_comments_trailing_commas_a_byte_order_mark_and_broken_lines_are_read() -> None:
    text = (
        '\ufeff// hub\n{"$schema": "' + SCHEMA + '", /* no\nvalues */ "contentVersion": "1.0.0.0",\n'
        '"variables": {"name": "[concat(\'a\',\n  \'b\')]",},\n'
        '"resources": [{"type": "'
        + NSG
        + '", "apiVersion": "2023-11-01", "name": "[variables(\'name\')]",},]}'
    )

    assert READER.claims(Source("x.json", text.encode()))
    assert names(read(text)) == ["ab"]


def test_a_parameter_file_alone_holds_no_resources_and_says_so() -> None:
    document = read({"$schema": SCHEMA.replace("Template", "Parameters"), "parameters": {"a": {"value": 1}}})

    assert document.resources == ()
    assert [one.code for one in document.notices] == ["parameter-file"]


def test_values_win_over_files_and_files_over_defaults() -> None:
    data = template(
        resource(NSG, "[format('{0}-{1}-{2}', parameters('a'), parameters('B'), parameters('c'))]"),
        parameters={name: {"type": "string", "defaultValue": "default"} for name in "abc"},
    )
    file = {"parameters": {"a": {"value": "file"}, "b": {"value": "file"}}}

    assert names(read(data, ("A", "option"), param=file)) == ["option-file-default"]


def test_a_parameter_file_may_be_without_its_frame() -> None:
    data = template(resource(NSG, "[parameters('a')]"), parameters={"a": TEXT})

    assert names(read(data, param={"a": {"value": "plain"}})) == ["plain"]


def test_the_parameter_file_of_the_same_name_is_taken_where_none_is_given() -> None:
    data = template(resource(NSG, "[parameters('a')]"), parameters={"a": TEXT})
    document = read(data, files={"main.parameters.json": {"a": {"value": "beside"}}})

    assert names(document) == ["beside"]
    assert "main.parameters.json" in document.notices[0].message


def test_values_of_the_command_line_have_the_type_of_their_parameter() -> None:
    kinds = {"n": "int", "b": "bool", "l": "array", "o": "object", "s": "string"}
    data = template(
        resource(NSG, "x", tags={key: f"[parameters('{key}')]" for key in kinds}),
        parameters={key: {"type": kind} for key, kind in kinds.items()},
    )
    given = (("n", "5"), ("b", "True"), ("l", "[1]"), ("o", '{"a": 1}'), ("s", "7"))

    assert only(read(data, *given)).get("tags") == {"n": 5, "b": True, "l": [1], "o": {"a": 1}, "s": "7"}
    with pytest.raises(MalformedError, match="`int`"):
        read(data, ("n", "five"))


def test_null_asks_for_the_default_and_a_nullable_parameter_may_do_without() -> None:
    data = template(
        resource(NSG, "x", tags={"a": "[parameters('a')]", "b": "[parameters('b')]"}),
        parameters={"a": {"type": "string", "defaultValue": "d"}, "b": {"$ref": "#/definitions/maybe"}},
        definitions={"maybe": {"type": "string", "nullable": True}},
    )

    assert only(read(data, param={"a": {"value": None}})).get("tags") == {"a": "d", "b": None}


def test_secrets_are_never_known() -> None:
    data = template(
        resource(
            NSG,
            "x",
            tags={"a": "[parameters('a')]", "b": "[concat('x', parameters('b'))]", "e": "[parameters('e')]"},
        ),
        parameters={
            "a": {"type": "securestring"},
            "b": {"type": "string"},
            "e": {"type": "secureString", "defaultValue": ""},
        },
    )
    vault = {"keyVault": {"id": "/x"}, "secretName": "s"}
    tags = only(read(data, ("a", "hush"), param={"b": {"reference": vault}})).get("tags")

    assert isinstance(tags, dict)
    assert isinstance(tags["a"], Unknown)
    assert isinstance(tags["b"], Unknown)
    assert tags["e"] == ""
    assert "hush" not in repr(tags)


def test_loops_make_resources_properties_and_variables() -> None:
    data = template(
        resource(
            TABLE,
            "[concat('rt', copyIndex(1))]",
            copy={"name": "tables", "count": 2, "mode": "serial", "batchSize": 1},
            properties={
                "copy": [
                    {
                        "name": "routes",
                        "count": "[length(variables('hops'))]",
                        "input": {
                            "name": "[concat(copyIndex(), '-', copyIndex('routes'))]",
                            "properties": "[variables('hops')[copyIndex('routes')]]",
                        },
                    }
                ]
            },
        ),
        variables={
            "copy": [
                {"name": "hops", "count": 2, "input": {"nextHopType": "[format('t{0}', copyIndex('hops'))]"}}
            ]
        },
    )
    first, second = read(data).resources

    assert (first.name, second.name) == ("rt1", "rt2")
    assert second.prop("routes") == [
        {"name": "1-0", "properties": {"nextHopType": "t0"}},
        {"name": "1-1", "properties": {"nextHopType": "t1"}},
    ]


def test_loops_in_variables_may_stand_within_objects() -> None:
    data = template(
        resource(NSG, "x", tags="[variables('o')]"),
        variables={"o": {"copy": [{"name": "list", "count": 2, "input": "[copyIndex('list')]"}], "other": 1}},
    )

    assert only(read(data)).get("tags") == {"list": [0, 1], "other": 1}


def test_a_property_that_is_called_copy_is_no_loop() -> None:
    assert only(read(template(resource(NSG, "x", properties={"copy": ["a"]})))).prop("copy") == ["a"]


def test_a_condition_that_is_false_leaves_a_resource_out_and_an_open_one_makes_it_uncertain() -> None:
    data = template(
        resource(NSG, "no", condition="[equals(1, 2)]"),
        resource(NSG, "maybe", condition="[parameters('deploy')]"),
        resource(NSG, "yes", condition=True),
        parameters={"deploy": {"type": "bool"}},
    )
    maybe, yes = read(data).resources

    assert maybe.uncertain is not None
    assert "`deploy` has no value" in maybe.uncertain.why
    assert yes.uncertain is None


def test_children_have_ids_below_their_parents_however_they_are_written() -> None:
    data = template(
        resource(
            VNET,
            "vnet",
            resources=[
                resource("subnets", "short"),
                resource(f"{VNET}/subnets", "vnet/long"),
            ],
        ),
        resource(f"{VNET}/subnets", "vnet/apart"),
        resource(f"{VNET}/providers/locks", "vnet/Microsoft.Authorization/lock"),
        resource(
            "Microsoft.Authorization/locks",
            "other",
            scope="[format('Microsoft.Network/virtualNetworks/{0}', 'vnet')]",
        ),
    )
    ids = [str(one.id).removeprefix(f"{GROUP}/providers/{VNET}/vnet") for one in read(data).resources]

    assert ids == [
        "",
        "/subnets/short",
        "/subnets/long",
        "/subnets/apart",
        "/providers/Microsoft.Authorization/locks/lock",
        "/providers/Microsoft.Authorization/locks/other",
    ]


def test_resources_may_be_an_object_with_symbolic_names_and_existing_ones() -> None:
    data = template(languageVersion="2.0")
    data["resources"] = {
        "hub": resource(VNET, "hub", existing=True),
        "nsg": resource(
            NSG, "nsg", tags={"hub": "[reference('hub').addressSpace]", "id": "[resourceInfo('nsg').id]"}
        ),
        "pod": {"import": "kubernetes", "type": "core/Pod@v1", "properties": {}},
    }
    hub, nsg = read(data).resources

    assert hub.existing
    assert nsg.get("tags", "id") == str(nsg.id)
    assert nsg.get("tags", "hub") == Unknown(
        "`hub` tells this only once it is deployed",
        hub.origin,
        (Reference(str(hub.id), ("properties", "addressSpace")),),
    )


def test_every_part_leads_to_its_line() -> None:
    text = """{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "variables": {
    "rules": [{"name": "v"}]
  },
  "resources": [
    {
      "type": "Microsoft.Network/networkSecurityGroups",
      "apiVersion": "2023-11-01",
      "name": "nsg",
      "properties": {
        "copy": [{
          "name": "securityRules", "count": 2, "input": {
            "name": "[concat('r', copyIndex('securityRules'))]",
            "properties": {
              "access": "Deny"
            }
          }
        }],
        "others": "[variables('rules')]"
      }
    }
  ]
}"""
    document = read(text)
    nsg = only(document)

    assert line(document, nsg.origin) == 8
    assert line(document, nsg.place("properties", "securityRules", 1, "properties", "access")) == 17
    assert line(document, nsg.place("properties", "securityRules", 1, "name")) == 15
    assert line(document, nsg.place("properties", "others", 0, "name")) == 21


def test_property_names_may_be_expressions() -> None:
    data = template(resource(NSG, "x", tags={"[concat('a', 'b')]": 1}))

    assert only(read(data)).get("tags") == {"ab": 1}


def test_user_functions_see_their_own_parameters_and_each_other() -> None:
    space = {
        "namespace": "my",
        "members": {
            "twice": {
                "parameters": [{"name": "x", "type": "string"}],
                "output": {"type": "string", "value": "[concat(parameters('x'), parameters('X'))]"},
            },
            "four": {
                "parameters": [{"name": "x", "type": "string"}],
                "output": {"type": "string", "value": "[my.twice(my.twice(parameters('x')))]"},
            },
        },
    }

    assert names(read(template(resource(NSG, "[my.four('a')]"), functions=[space]))) == ["aaaa"]


def test_what_the_command_line_says_of_the_deployment_is_known() -> None:
    data = template(
        resource(
            NSG,
            "nsg",
            location="[resourceGroup().location]",
            tags={"cloud": "[environment().name]", "rg": "[resourceGroup().name]"},
        )
    )
    found = only(
        read(
            data,
            ("resourceGroup().location", "chinaeast2"),
            ("resourceGroup().name", "rg"),
            ("subscription().subscriptionId", "s"),
        )
    )

    assert found.get("location") == "chinaeast2"
    assert found.get("tags") == {"cloud": "AzureChinaCloud", "rg": "rg"}
    assert found.id.scope == "subscriptions/s/resourcegroups/rg"


def test_two_templates_join_where_a_parameter_gives_the_group() -> None:
    hub = template(resource(VNET, "hub"))
    spoke = template(
        resource(
            TABLE,
            "rt",
            tags={
                "hub": "[resourceId(parameters('sub'), parameters('rg'), 'Microsoft.Network/virtualNetworks', 'hub')]"
            },
        ),
        parameters={"sub": TEXT, "rg": TEXT},
    )
    there = read(hub, ("subscription().subscriptionId", "s1"), ("resourceGroup().name", "rg-hub"))
    here = read(spoke, ("sub", "s1"), ("rg", "rg-hub"), ("resourceGroup().name", "rg-spoke"))
    elsewhere = read(spoke, ("sub", "s2"), ("rg", "rg-hub"))
    tag = only(here).get("tags", "hub")

    assert Graph([here, there]).link(tag, here).sole is only(there)
    assert Graph([elsewhere, there]).link(only(elsewhere).get("tags", "hub"), elsewhere).sole is None


REFUSED = {
    "a list": ("[]", "a template is an object"),
    "resources as text": ({"$schema": SCHEMA, "resources": "x"}, "`resources` of a template"),
    "a resource as text": (template("x"), "a resource is an object"),  # type: ignore[arg-type]
    "no type": (template({"name": "x"}), "no `type`"),
    "an undeclared parameter": (
        template(resource(NSG, "[parameters('p')]")),
        "parameter `p` is not declared",
    ),
    "an undeclared variable": (template(resource(NSG, "[variables('v')]")), "variable `v` is not declared"),
    "variables in a circle": (
        template(
            resource(NSG, "[variables('a')]"), variables={"a": "[variables('b')]", "b": "[variables('a')]"}
        ),
        "variable `a` depends on itself",
    ),
    "a parameter that is its own default": (
        template(
            resource(NSG, "[parameters('a')]"),
            parameters={"a": {"type": "string", "defaultValue": "[parameters('a')]"}},
        ),
        "parameter `a` depends on itself",
    ),
    "a name that needs the resources": (template(resource(NSG, "[reference('x').y]")), "depends on itself"),
    "too many copies": (template(resource(NSG, "x", copy={"name": "c", "count": 801})), "801 copies"),
    "copies by text": (template(resource(NSG, "x", copy={"name": "c", "count": "two"})), "whole number"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_azure_refuses_is_malformed_with_its_place(case: str) -> None:
    data, said = REFUSED[case]

    with pytest.raises(MalformedError) as caught:
        read(data)

    assert said in caught.value.message
    assert caught.value.path == "main.json"
    assert caught.value.line is not None


def test_a_broken_expression_is_malformed_at_its_line() -> None:
    data = template(resource(NSG, "[concat('a]"))

    with pytest.raises(MalformedError, match=r"character 9\)") as caught:
        read(data)
    assert '"name"' in source(data).data.decode().splitlines()[(caught.value.line or 0) - 1]


def test_a_file_that_is_no_parameter_file_is_refused() -> None:
    data = template(resource(NSG, "x"))

    with pytest.raises(MalformedError, match="parameter file"):
        read(data, param={"location": {"nested": 1}})
