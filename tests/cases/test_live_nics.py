"""Security groups on the network interfaces of nodes that are virtual machines (N11, U21), as pictures show them."""

from __future__ import annotations

import pytest
from tests import builders as b
from tests import pictures as p

from aks_egress.findings.report import Flow
from aks_egress_scan.live.snapshot import Unread

ASKED = b.wants("20.42.0.9")
NETWORK = b.vnet("net", "10.0.0.0/16", b.subnet("nodes", "10.0.0.0/24"))
SHUT = b.rule("shut", 100, "Deny", to="Internet")
GROUPS = "microsoft.network/networksecuritygroups"


def machines(name: str = "system", **members: str) -> b.Row:
    return b.pool(name, "net", "nodes", type="VirtualMachines") | members


def group(*rules: b.Row, name: str = "aks-agentpool-1-nsg") -> b.Row:
    return p.kept_by_aks("networkSecurityGroups", name, {"securityRules": list(rules)})


def card(pool: str, named: str = "") -> b.Row:
    """The interface of a node."""
    machine = p.node_id("Microsoft.Compute/virtualMachines", f"aks-{pool}-12345678-vms0")
    given: b.Row = {"virtualMachine": {"id": machine}}
    if named:
        given["networkSecurityGroup"] = {"id": p.node_id("networkSecurityGroups", named)}
    return p.kept_by_aks("networkInterfaces", f"aks-{pool}-nic-0", given)


def leaving(*rows: b.Row, pools: tuple[b.Row, ...] = (machines(),), unread: tuple[Unread, ...] = ()) -> Flow:
    chosen = p.cluster(outbound="loadBalancer", agentPoolProfiles=list(pools))
    return b.flow(p.judged(NETWORK, chosen, *rows, asks=[ASKED], unread=unread), ASKED.value)


def test_machines_have_the_group_of_the_node_resource_group_or_none() -> None:
    assert leaving(group()).verdict == "open"
    found = leaving(group(SHUT))
    assert found.verdict == "unknown"
    assert "shut" in found.reason


def test_machines_whose_groups_nobody_shows_are_undecided() -> None:
    found = leaving()
    assert found.verdict == "unknown"
    assert "virtual machines whose network interfaces are not shown" in found.reason


def test_groups_that_were_refused_leave_machines_undecided() -> None:
    found = leaving(unread=(Unread(kind=GROUPS, id="/", why="no answer", everything=True),))
    assert found.verdict == "unknown"
    assert "no answer" in found.reason


def test_the_interface_of_a_machine_says_which_group_it_has() -> None:
    assert leaving(group(SHUT), card("system", "aks-agentpool-1-nsg")).verdict == "blocked"
    assert leaving(group(SHUT), card("system")).verdict == "open"


def test_the_interface_of_another_pool_says_nothing() -> None:
    assert leaving(group(SHUT), card("other", "aks-agentpool-1-nsg")).verdict == "unknown"


def test_availability_sets_are_machines_too() -> None:
    assert leaving(pools=(machines(type="AvailabilitySet"),)).verdict == "unknown"


@pytest.mark.parametrize("kind", ["VirtualMachineScaleSets", None])
def test_scale_sets_are_not_machines(kind: str | None) -> None:
    pool = {name: value for name, value in machines(type=kind or "").items() if value}
    assert leaving(pools=(pool,)).verdict == "open"


def test_scale_sets_and_machines_in_one_subnet_have_both_groups() -> None:
    scale_set = b.scale_set("one", "aks-agentpool-1-nsg")
    text = str(p.node_id("networkSecurityGroups", "aks-agentpool-1-nsg"))
    profile = scale_set["properties"]["virtualMachineProfile"]["networkProfile"]
    profile["networkInterfaceConfigurations"][0]["properties"]["networkSecurityGroup"]["id"] = text
    shown = scale_set | {"id": p.node_id("Microsoft.Compute/virtualMachineScaleSets", "aks-one")}
    pools = (machines("one", type="VirtualMachineScaleSets"), machines("two"))
    assert leaving(group(SHUT), shown, pools=pools).verdict == "blocked"
    assert leaving(group(), shown, pools=pools).verdict == "open"


def test_definitions_say_nothing_of_groups_that_aks_will_make() -> None:
    rows = [NETWORK, b.cluster(outbound="loadBalancer", agentPoolProfiles=[machines()])]
    assert b.flow(b.judged(*rows, asks=[ASKED]), ASKED.value).verdict == "open"


def test_a_definition_laid_over_machines_that_run_has_their_groups() -> None:
    running = p.cluster(outbound="loadBalancer", agentPoolProfiles=[machines()])
    untyped = {name: value for name, value in machines().items() if name != "type"}
    planned = b.cluster(outbound="loadBalancer", agentPoolProfiles=[untyped])
    report = p.judged(NETWORK, running, group(SHUT), planned=[planned], asks=[ASKED])
    assert b.flow(report, ASKED.value).verdict == "unknown"
