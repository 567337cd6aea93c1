"""Members of a cluster that have the wrong shape are not known, in every dialect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests import builders as b
from tests import pictures as p

from aks_egress.arm.ids import ResourceId
from aks_egress.arm.resources import Resource
from aks_egress.engine import judge
from aks_egress.findings.report import Report
from aks_egress.settings import Settings
from aks_egress.topology.shapes import _CLUSTER, _POOL, Shape, read_cluster, read_pool
from aks_egress.values import Origin, Unknown, Value, at
from aks_egress_scan.sources import load

MISFITS = ([], [{"a": 1}], "x", "", 7, True)
NETWORK = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24"))


def paths(shape: Shape, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name, inner in shape.items():
        path = (*above, "any" if name == "*" else name)
        found += [path, *paths(inner, path)]
    return found


def holding(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """An object that has the value at a path."""
    for name in reversed(path):
        value = {name: value}
    return dict(value)


def resource(properties: Any, **members: Any) -> Resource:
    made = ResourceId.parse(b.rid("Microsoft.ContainerService/managedClusters", "aks"))
    return Resource(made, Origin("x.json"), {"properties": properties, **members})


def said(found: Value) -> str:
    assert isinstance(found, Unknown), found
    return found.why


@pytest.mark.parametrize("path", paths(_CLUSTER), ids=".".join)
def test_each_member_that_must_be_an_object_is_unknown_where_it_is_none(path: tuple[str, ...]) -> None:
    for value in MISFITS:
        cluster = resource(holding(path, value))
        read_cluster(cluster)
        assert "where an object belongs" in said(cluster.prop(*path, "enabled"))


@pytest.mark.parametrize("path", paths(_POOL), ids=".".join)
def test_so_is_each_of_a_pool(path: tuple[str, ...]) -> None:
    for value in MISFITS:
        cluster = resource({"agentPoolProfiles": [{"name": "ok"}, holding(path, value)]})
        read_cluster(cluster)
        rows = cluster.prop("agentPoolProfiles")
        assert isinstance(rows, list)
        assert rows[0] == {"name": "ok"}
        assert "`agentPoolProfiles[1]." in said(at(rows[1], *path, "enabled"))
        pool = resource(holding(path, value))
        read_pool(pool)
        assert "where an object belongs" in said(pool.prop(*path, "enabled"))


@pytest.mark.parametrize("value", [{}, "x", 7])
def test_pools_that_are_no_list_are_unknown(value: Any) -> None:
    cluster = resource({"agentPoolProfiles": value})
    read_cluster(cluster)
    assert "where a list belongs" in said(cluster.prop("agentPoolProfiles"))


@pytest.mark.parametrize("value", MISFITS)
def test_properties_and_sku_are_objects_too(value: Any) -> None:
    cluster = resource(value, sku=value)
    read_cluster(cluster)
    assert "`properties` is" in said(cluster.prop("networkProfile"))
    assert "`sku` is" in said(cluster.get("sku", "name"))


def test_what_has_its_shape_stays_the_same_object() -> None:
    properties: dict[str, Value] = {
        "networkProfile": {"outboundType": "none"},
        "agentPoolProfiles": [{"name": "a"}],
        "other": [],
    }
    cluster = resource(properties, sku={"name": "Base"})
    read_cluster(cluster)
    assert cluster.get("properties") is properties


def test_it_says_where_it_stands() -> None:
    cluster = resource({"networkProfile": {"loadBalancerProfile": []}})
    read_cluster(cluster)
    found = cluster.prop("networkProfile", "loadBalancerProfile")
    assert isinstance(found, Unknown)
    assert found.why == "`networkProfile.loadBalancerProfile` is a list where an object belongs"
    assert found.origin.pointer == ("properties", "networkProfile", "loadBalancerProfile")


# dialects


def template(**properties: Any) -> bytes:
    return b.template(NETWORK, b.cluster("nodes", **properties)).encode()


def bicep(**properties: Any) -> bytes:
    return f"""
resource net 'Microsoft.Network/virtualNetworks@2024-05-01' = {{
  name: 'net'
  properties: {{ addressSpace: {{ addressPrefixes: ['10.0.0.0/16'] }}, subnets: [{{ name: 'nodes', properties: {{ addressPrefix: '10.0.0.0/24' }} }}] }}
}}
resource aks 'Microsoft.ContainerService/managedClusters@2024-05-01' = {{
  name: 'aks'
  location: 'eastus'
  properties: {{
    agentPoolProfiles: [{{ name: 'a', mode: 'System', vnetSubnetID: net.properties.subnets[0].id }}]
    {" ".join(f"{name}: {json.dumps(value).replace(chr(34), chr(39))}" for name, value in properties.items())}
  }}
}}
""".encode()


def pulumi(**properties: Any) -> bytes:
    network = {
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
        "virtualNetworkName": "net",
        "resourceGroupName": "net",
    }
    cluster = {"resourceName": "aks", "resourceGroupName": "net", "location": "eastus", **properties}
    rows = [
        {
            "urn": "urn:pulumi:dev::p::azure-native:network:VirtualNetwork::net",
            "type": "azure-native:network:VirtualNetwork",
            "inputs": network,
        },
        {
            "urn": "urn:pulumi:dev::p::azure-native:containerservice:ManagedCluster::aks",
            "type": "azure-native:containerservice:ManagedCluster",
            "inputs": cluster,
        },
    ]
    return json.dumps({"version": 3, "deployment": {"manifest": {}, "resources": rows}}).encode()


def report(file: Path, data: bytes) -> Report:
    file.write_bytes(data)
    loaded = load([str(file)])
    assert not loaded.failures
    return judge(loaded.documents, Settings(), b.NO_TAGS)


@pytest.mark.parametrize("value", [[], "x"])
@pytest.mark.parametrize(
    ("name", "make"),
    [("a.json", template), ("a.bicep", bicep), ("stack.json", pulumi)],
    ids=["arm", "bicep", "pulumi"],
)
def test_a_misshapen_profile_is_never_the_default(tmp_path: Path, name: str, make: Any, value: Any) -> None:
    for member in ("networkProfile", "apiServerAccessProfile"):
        found = b.sole(report(tmp_path / name, make(**{member: value})))
        assert found.verdict == "unknown"
        assert any(f"`{member}` is" in one.reason for one in found.flows), found.flows


def test_a_snapshot_keeps_the_shape_that_it_was_given() -> None:
    found = p.judged(NETWORK, p.cluster("nodes", outbound="loadBalancer", apiServerAccessProfile=[]))
    assert b.sole(found).verdict == "unknown"
