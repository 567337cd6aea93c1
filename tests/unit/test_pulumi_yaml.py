"""Pulumi YAML programs: interpolation, configuration, functions, lines, and what stays open."""

from __future__ import annotations

import pytest
from tests.unit.pulumi_stacks import only, read

from aks_egress.values import Unknown
from aks_egress_scan.readers.base import MalformedError, Source

GROUPS = "Microsoft.Network/networkSecurityGroups"
SUBNETS = "Microsoft.Network/virtualNetworks/subnets"
TABLES = "Microsoft.Network/routeTables"

HEAD = "name: shop\nruntime: yaml\n"
GROUP = """
  nsg:
    type: azure-native:network:NetworkSecurityGroup
    properties:
      networkSecurityGroupName: nsg
      resourceGroupName: rg
      location: {location}
"""


def program(resources: str, rest: str = "") -> bytes:
    return f"{HEAD}{rest}resources:{resources}".encode()


def text(data: bytes, **given: object) -> object:
    return read(data, "pulumi_yaml", "Pulumi.yaml", **given)


def location(expression: str, rest: str = "", **given: object) -> object:
    """What an expression comes to, as the location of a group."""
    document = read(program(GROUP.format(location=expression), rest), "pulumi_yaml", "Pulumi.yaml", **given)
    return only(document, GROUPS).get("location")


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("eastus", "eastus"),
        ("${where}", "westus"),
        ("a-${where}-${count}", "a-westus-3"),
        ("${rows[1].name}", "second"),
        ('${rows[0]["name"]}', "first"),
        ("$${where}", "${where}"),
        ("${pulumi.project}", "shop"),
        ("{fn::join: ['-', [a, '${where}']]}", "a-westus"),
        ("{fn::select: [1, [a, b]]}", "b"),
        ("{fn::select: [0, {fn::split: [',', 'x,y']}]}", "x"),
        ("{fn::fromJSON: '\"z\"'}", "z"),
        ("${chained}", "westus!"),
    ],
)
def test_expressions(expression: str, wanted: str) -> None:
    variables = (
        "variables:\n  where: westus\n  count: 3\n  chained: ${where}!\n"
        "  rows:\n    - name: first\n    - name: second\n"
    )
    assert location(expression, variables) == wanted


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("${nowhere}", "refers to `nowhere`"),
        ("${a}", "refers to itself"),
        ("{fn::secret: hidden}", "secret"),
        ("{fn::invoke: {function: azure-native:network:getSubnet}}", "fn::invoke"),
        ("${open}", "has no value"),
        ("${hidden}", "secret"),
        ("${rows[7]}", "is not there"),
    ],
)
def test_what_is_not_known_says_why(expression: str, said: str) -> None:
    rest = (
        "variables:\n  a: ${b}\n  b: ${a}\n  rows: [1]\n"
        "config:\n  open:\n    type: string\n  hidden:\n    type: string\n    secret: true\n    default: s3cr3t\n"
    )
    found = location(expression, rest)
    assert isinstance(found, Unknown)
    assert said in found.why
    assert "s3cr3t" not in found.why


def test_configuration_comes_from_defaults_files_and_values() -> None:
    rest = "config:\n  where:\n    default: eastus\n"
    file = Source("Pulumi.dev.yaml", b"config:\n  shop:where: westus\n")
    hidden = Source("Pulumi.dev.yaml", b"config:\n  shop:where:\n    secure: AAAB\n")
    assert location("${where}", rest) == "eastus"
    assert location("${where}", rest, files=(file,)) == "westus"
    assert location("${where}", rest, files=(file,), values=(("where", "northeurope"),)) == "northeurope"
    assert isinstance(location("${where}", rest, files=(hidden,)), Unknown)
    assert location("${pulumi.stack}", rest, files=(file,)) == "dev"


RESOURCES = (
    GROUP.format(location="eastus")
    + """
  net:
    type: azure-native:network:VirtualNetwork
    properties: {virtualNetworkName: net, resourceGroupName: rg}
  nodes:
    type: azure-native:network:Subnet
    properties:
      subnetName: nodes
      virtualNetworkName: ${net.name}
      resourceGroupName: rg
      addressPrefix: 10.0.0.0/24
      networkSecurityGroup: {id: "${nsg.id}"}
  other:
    type: azure-native:network:Subnet
    properties:
      subnetName: other
      virtualNetworkName: net
      resourceGroupName: rg
      addressPrefix: ${nodes.addressPrefix}
"""
)


def test_references_between_resources_are_exact() -> None:
    """An id leads to its resource, an input to its value, a name to a parent."""
    document = read(program(RESOURCES), "pulumi_yaml", "Pulumi.yaml")
    nodes, other = (one for one in document.resources if one.kind == SUBNETS.casefold())
    assert str(nodes.id).endswith("/virtualNetworks/net/subnets/nodes")
    attached = nodes.prop("networkSecurityGroup", "id")
    assert [ref.id.rsplit("/", 1)[-1] for ref in attached.refers_to] == ["nsg"]
    assert other.prop("addressPrefix") == "10.0.0.0/24"


def test_an_id_with_text_behind_it_is_a_childs() -> None:
    resources = (
        RESOURCES
        + """
  aks:
    type: azure-native:containerservice:ManagedCluster
    properties:
      resourceName: aks
      resourceGroupName: rg
      agentPoolProfiles:
        - {name: a, vnetSubnetID: "${net.id}/subnets/nodes"}
"""
    )
    found = only(
        read(program(resources), "pulumi_yaml", "Pulumi.yaml"), "Microsoft.ContainerService/managedClusters"
    )
    refs = found.prop("agentPoolProfiles", 0, "vnetSubnetID").refers_to
    assert [ref.id.split("/virtualNetworks/")[1] for ref in refs] == ["net/subnets/nodes"]


def test_lines_are_those_of_the_file() -> None:
    data = program(RESOURCES)
    document = read(data, "pulumi_yaml", "Pulumi.yaml")
    nodes = next(one for one in document.resources if one.name == "nodes")
    line = document.locate(nodes.place("properties", "networkSecurityGroup"))
    assert data.decode().splitlines()[line - 1].strip().startswith("networkSecurityGroup:")


def test_a_component_may_make_anything() -> None:
    component = "\n  c:\n    type: my:own:Network\n    properties: {}\n"
    assert "*" in read(program(RESOURCES + component), "pulumi_yaml", "Pulumi.yaml").unread
    assert read(program(RESOURCES), "pulumi_yaml", "Pulumi.yaml").unread == {}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"name: x\nruntime: yaml\nresources: [a]\n", "`resources` is no mapping"),
        (b"name: x\nruntime: yaml\nresources:\n  a: {properties: {}}\n", "no `type`"),
        (b"name: x\nruntime: yaml\nresources:\n  a: {type: b, type: c}\n", "occurs twice"),
        (b"name: x\nruntime: yaml\nresources:\n  a: {type: b\n", "broken YAML"),
        (b"name: x\nruntime: yaml\nresources:\n  a: &x {type: b, properties: {y: *z}}\n", "broken YAML"),
    ],
)
def test_broken_programs_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        read(data, "pulumi_yaml", "Pulumi.yaml")


def test_a_bomb_of_aliases_is_refused() -> None:
    rows = "\n".join(f"  v{i}: &v{i} [{', '.join([f'*v{i - 1}'] * 10)}]" for i in range(1, 9))
    data = f"{HEAD}variables:\n  v0: &v0 [x]\n{rows}\nresources: {{}}\n".encode()
    with pytest.raises(MalformedError, match="too large"):
        read(data, "pulumi_yaml", "Pulumi.yaml")


def test_a_loop_of_aliases_is_refused() -> None:
    data = f"{HEAD}variables:\n  a: &a [*a]\nresources: {{}}\n".encode()
    with pytest.raises(MalformedError):
        read(data, "pulumi_yaml", "Pulumi.yaml")
