"""Deployments within deployments: scopes, parameters, outputs, targets, and templates beside this one."""

from __future__ import annotations

import pytest
from tests.unit.arm_templates import (
    GROUP,
    NSG,
    TABLE,
    VNET,
    deployment,
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
from aks_egress_scan.readers.base import MalformedError, Parameters

FIREWALL = "Microsoft.Network/azureFirewalls"
TEXT = {"type": "string"}


def linked(name: str, link: dict[str, object], **members: object) -> dict[str, object]:
    properties = {"mode": "Incremental", "templateLink": link, **members}
    return resource("Microsoft.Resources/deployments", name, properties=properties)


def test_inner_scope_sees_its_own_parameters_and_variables() -> None:
    inner = template(
        resource(NSG, "[concat(parameters('p'), variables('v'))]"),
        parameters={"p": TEXT},
        variables={"v": "inner"},
    )
    data = template(deployment("d", inner, parameters={"p": "[variables('v')]"}), variables={"v": "outer-"})

    assert names(read(data)) == ["outer-inner"]


def test_outer_scope_sees_those_around_it_and_its_loop() -> None:
    inner = template(resource(NSG, "[concat(variables('v'), copyIndex())]"), variables={"v": "inner"})
    data = template(
        deployment("[concat('d', copyIndex())]", inner, evaluation="outer", copy={"name": "c", "count": 2}),
        variables={"v": "outer"},
    )

    assert names(read(data)) == ["outer0", "outer1"]


def test_a_template_may_come_from_a_variable() -> None:
    inner = template(resource(NSG, "[[parameters('p')]"), parameters={"p": TEXT})
    data = template(deployment("d", inner, evaluation="outer", parameters={"p": "x"}), variables={"t": inner})
    data["resources"][0]["properties"]["template"] = "[variables('t')]"

    assert names(read(data)) == ["x"]


def test_outputs_feed_siblings_in_any_order() -> None:
    network = template(
        resource(VNET, "v"), outputs={"id": {"type": "string", "value": f"[resourceId('{VNET}', 'v')]"}}
    )
    user = template(resource(NSG, "n", tags={"vnet": "[parameters('id')]"}), parameters={"id": TEXT})
    data = template(
        deployment("user", user, parameters={"id": "[reference('network').outputs.id.value]"}),
        deployment("network", network),
    )
    nsg, vnet = read(data).resources

    assert nsg.get("tags", "vnet") == str(vnet.id)


def test_outputs_are_found_by_the_id_of_a_deployment_in_another_group() -> None:
    network = template(
        outputs={"names": {"type": "array", "copy": {"count": 2, "input": "[concat('s', copyIndex())]"}}}
    )
    wanted = "reference(extensionResourceId(format('/subscriptions/{0}/resourceGroups/{1}', subscription().subscriptionId, 'hub'), 'Microsoft.Resources/deployments', 'network'), '2022-09-01')"
    data = template(
        deployment("network", network, resourceGroup="hub"),
        resource(NSG, f"[{wanted}.outputs.names.value[1]]"),
    )
    data["resources"][1] = resource(NSG, "n", tags={"s": f"[{wanted}.outputs.names.value[1]]"})

    assert only(read(data)).get("tags", "s") == "s1"


def test_a_deployment_names_where_its_resources_go() -> None:
    inner = template(resource(NSG, "n"))
    data = template(
        deployment("a", inner),
        deployment("b", inner, resourceGroup="rg-b"),
        deployment("c", inner, resourceGroup="rg-c", subscriptionId="sub-c"),
        deployment("d", inner, subscriptionId="sub-d"),
        deployment("e", inner, scope="[format('Microsoft.Management/managementGroups/{0}', 'mg')]"),
    )
    scopes = [str(one.id).partition(f"/providers/{NSG}")[0] for one in read(data).resources]

    assert scopes == [
        GROUP,
        "/subscriptions/{subscription}/resourceGroups/rg-b",
        "/subscriptions/sub-c/resourceGroups/rg-c",
        "/subscriptions/sub-d",
        "/providers/Microsoft.Management/managementGroups/mg",
    ]


def test_a_group_made_by_the_template_tells_its_location() -> None:
    data = template(
        resource("Microsoft.Resources/resourceGroups", "rg", location="westeurope"),
        deployment(
            "d", template(resource(NSG, "n", location="[resourceGroup().location]")), resourceGroup="rg"
        ),
    )
    data["$schema"] = data["$schema"].replace("deploymentTemplate", "subscriptionDeploymentTemplate")

    assert read(data).resources[1].get("location") == "westeurope"


def test_the_condition_of_a_deployment_is_that_of_its_resources() -> None:
    inner = template(resource(NSG, "n"))
    data = template(
        deployment("no", inner, condition=False),
        deployment("maybe", inner, condition="[parameters('flag')]"),
        parameters={"flag": {"type": "bool"}},
    )

    assert only(read(data)).uncertain is not None


def test_what_a_resource_declares_is_what_reference_answers() -> None:
    data = template(
        resource(
            VNET,
            "v",
            properties={"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"name": "s"}]},
        ),
        resource(
            NSG,
            "n",
            tags={
                "space": "[reference('v').addressSpace.addressPrefixes]",
                "subnet": f"[reference(resourceId('{VNET}', 'v'), '2023-11-01').subnets[0].id]",
            },
        ),
    )
    vnet, nsg = read(data).resources

    assert nsg.get("tags") == {"space": ["10.0.0.0/16"], "subnet": f"{vnet.id}/subnets/s"}


@pytest.mark.parametrize(
    "hop",
    [
        "reference('fw').ipConfigurations[0].properties.privateIPAddress",
        "reference(resourceId('Microsoft.Network/azureFirewalls', 'fw'), '2023-11-01', 'Full').properties.ipConfigurations[0].properties.privateIPAddress",
        "if(contains(reference('fw'), 'ipConfigurations'), reference('fw').ipConfigurations[0].properties.privateIPAddress, '')",
    ],
)
def test_what_azure_will_tell_refers_to_its_resource(hop: str) -> None:
    data = template(
        resource(FIREWALL, "fw", properties={"ipConfigurations": [{"name": "c"}]}),
        resource(TABLE, "rt", properties={"hop": f"[{hop}]"}),
    )
    firewall, table = read(data).resources
    found = table.prop("hop")

    assert isinstance(found, Unknown)
    path = ("properties", "ipConfigurations", 0, "properties", "privateIPAddress")
    assert found.refers_to == (Reference(str(firewall.id), path),)


def test_resources_that_refer_to_each_other_end() -> None:
    data = template(
        resource(NSG, "a", tags={"v": "[reference('b', '2023-11-01', 'Full').tags.v]"}),
        resource(NSG, "b", tags={"v": "[reference('a', '2023-11-01', 'Full').tags.v]"}),
    )

    assert all(isinstance(one.get("tags", "v"), Unknown) for one in read(data).resources)


def test_a_template_beside_this_one_is_read_with_its_own_lines() -> None:
    inner = template(resource(NSG, "[parameters('p')]"), parameters={"p": TEXT})
    data = template(linked("d", {"relativePath": "inner.json"}, parameters={"p": {"value": "x"}}))
    document = read(data, files={"inner.json": inner})
    found = only(document)

    assert found.name == "x"
    assert found.origin.path == "inner.json"
    assert line(document, found.place("name")) is not None


def test_a_template_relative_to_the_address_of_the_root_is_read() -> None:
    inner = template(resource(NSG, "n"))
    data = template(
        linked("d", {"uri": "[uri(parameters('base'), concat('nested/inner.json', parameters('token')))]"}),
        parameters={
            "base": TEXT | {"defaultValue": "[deployment().properties.templateLink.uri]"},
            "token": {"type": "securestring"},
        },
    )

    assert names(read(data, files={"nested/inner.json": inner})) == ["n"]


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ({"relativePath": "gone.json"}, "template `gone.json` is not on disk"),
        ({"uri": "https://example.com/t.json"}, "template `https://example.com/t.json` is not on disk"),
        (
            {"id": "[resourceId('Microsoft.Resources/templateSpecs/versions', 'spec', '1.0')]"},
            "template spec",
        ),
    ],
)
def test_what_is_linked_and_not_on_disk_may_hold_anything(link: dict[str, object], said: str) -> None:
    data = template(
        linked("d", link),
        resource(NSG, "n", tags={"o": "[reference('d').outputs.x.value]"}),
    )
    document = read(data)
    output = only(document).get("tags", "o")

    assert said in document.unread["*"].why
    assert isinstance(output, Unknown)
    assert "could not be read" in output.why
    missing = Graph([document]).link(f"{GROUP}/providers/{VNET}/v", document)
    assert missing.unknown is document.unread["*"]


def test_an_address_whose_folder_is_this_one_is_read_from_disk_and_said() -> None:
    inner = template(resource(NSG, "n"))
    data = template(linked("d", {"uri": "https://example.com/main/scenario/nested/inner.json?token"}))
    (document,) = READER.read(
        source(data, "here/scenario/main.json", {"nested/inner.json": inner}), Parameters()
    )
    (elsewhere,) = READER.read(
        source(data, "here/other/main.json", {"nested/inner.json": inner}), Parameters()
    )

    assert names(document) == ["n"]
    assert [one.code for one in document.notices] == ["linked-on-disk"]
    assert names(elsewhere) == []


def test_templates_that_link_each_other_without_end_are_refused() -> None:
    data = template(linked("d", {"relativePath": "main.json"}))

    with pytest.raises(MalformedError, match="nested deeper than"):
        read(data, files={"main.json": data})


def test_a_key_vault_parameter_of_a_nested_deployment_is_a_secret() -> None:
    inner = template(resource(NSG, "n", tags={"s": "[parameters('s')]"}), parameters={"s": TEXT})
    row = deployment("d", inner)
    row["properties"]["parameters"] = {"s": {"reference": {"keyVault": {"id": "/x"}, "secretName": "y"}}}

    assert isinstance(only(read(template(row))).get("tags", "s"), Unknown)


SYMBOLIC = {"languageVersion": "2.0"}


def symbolic(resources: dict[str, object], **sections: object) -> dict[str, object]:
    """A template in the form with symbolic names."""
    return {**template(**sections), **SYMBOLIC, "resources": resources}  # type: ignore[arg-type]


def test_what_is_only_referred_to_says_in_which_group_it_is() -> None:
    data = symbolic(
        {
            "hub": resource(VNET, "hub", existing=True, resourceGroup="rg-hub", subscriptionId="sub-hub"),
            "group": resource(
                "Microsoft.Resources/resourceGroups", "rg-x", existing=True, subscriptionId="sub-x"
            ),
            "n": resource(NSG, "n", tags={"hub": "[reference('hub').subnets[0].id]"}),
        }
    )
    document = read(data)

    assert [str(one.id) for one in document.resources] == [
        f"/subscriptions/sub-hub/resourceGroups/rg-hub/providers/{VNET}/hub",
        "/subscriptions/sub-x/providers/Microsoft.Resources/resourceGroups/rg-x",
        f"{GROUP}/providers/{NSG}/n",
    ]
    asked = document.resources[2].get("tags", "hub")
    assert isinstance(asked, Unknown)
    assert asked.refers_to[0].id == str(document.resources[0].id)


def test_what_is_deployed_answers_for_what_is_only_referred_to() -> None:
    network = template(resource(VNET, "v", properties={"dhcpOptions": {"dnsServers": ["10.0.0.4"]}}))
    data = symbolic(
        {
            "network": deployment("network", network, resourceGroup="rg-hub"),
            "v": resource(VNET, "v", existing=True, resourceGroup="rg-hub"),
            "n": resource(NSG, "n", tags={"dns": "[reference('v').dhcpOptions.dnsServers[0]]"}),
        }
    )

    assert read(data).resources[1].get("tags", "dns") == "10.0.0.4"


def test_what_is_only_referred_to_may_be_named_by_an_output() -> None:
    network = template(outputs={"name": {"type": "string", "value": "v"}})
    data = symbolic(
        {
            "v": resource(VNET, "[reference('network').outputs.name.value]", existing=True),
            "n": resource(NSG, "n", tags={"vnet": "[resourceInfo('v').name]"}),
            "network": deployment("network", network),
        }
    )

    assert names(read(data)) == ["v", "n"]
    assert read(data).resources[1].get("tags", "vnet") == "v"


def test_a_name_that_needs_itself_is_refused() -> None:
    data = symbolic({"v": resource(VNET, "[reference('v').name]", existing=True)})

    with pytest.raises(MalformedError, match="resource `v` depends on itself"):
        read(data)


def test_children_may_have_symbolic_names() -> None:
    child = resource("subnets", "s", properties={"addressPrefix": "10.0.0.0/24"})
    data = symbolic({"v": resource(VNET, "v", resources={"s": child})})

    assert names(read(data)) == ["v", "v/s"]


def test_what_is_escaped_in_outer_scope_is_the_nested_template_s_own() -> None:
    inner = template(
        resource(
            NSG, "[concat(variables('v'), '-n')]", tags={"p": "[[parameters('p')]", "v": "[[variables('w')]"}
        ),
        parameters={"p": TEXT},
        variables={"v": "inner", "w": "[variables('v')]"},
    )
    data = template(
        deployment("d", inner, evaluation="outer", parameters={"p": "x"}), variables={"v": "outer"}
    )
    found = only(read(data))

    assert (found.name, found.get("tags")) == ("outer-n", {"p": "x", "v": "outer"})


def test_each_level_of_outer_scope_takes_one_bracket() -> None:
    inmost = template(
        resource(
            NSG, "n", tags={"1": "[variables('v')]", "2": "[[variables('v')]", "3": "[[[variables('v')]"}
        ),
        variables={"v": "inmost"},
    )
    middle = template(deployment("e", inmost, evaluation="outer"), variables={"v": "middle"})
    data = template(deployment("d", middle, evaluation="outer"), variables={"v": "root"})

    assert only(read(data)).get("tags") == {"1": "root", "2": "middle", "3": "inmost"}


def test_text_of_one_value_keeps_what_it_refers_to() -> None:
    address = "reference(resourceId('Microsoft.Network/publicIPAddresses', 'ip')).ipAddress"
    data = template(
        resource(NSG, "n", tags={"a": f"[format('{{0}}', {address})]", "b": f"[concat({address})]"})
    )
    tags = only(read(data)).get("tags")

    assert isinstance(tags, dict)
    for value in tags.values():
        assert isinstance(value, Unknown)
        assert [one.path for one in value.refers_to] == [("properties", "ipAddress")]
