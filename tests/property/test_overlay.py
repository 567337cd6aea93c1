"""A plan laid over what runs gets the verdicts of what will run once it is applied, flow by flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests import builders as b
from tests.cases.test_overlay_terraform import (
    GROUP,
    GROUPED,
    NODES,
    TABLE,
    TABLED,
    cluster,
    hub,
    rule_id,
    security_rule,
    spoke,
    subnet,
)
from tests.overlays import PLACED, Json, plan, planned, snapshot

from aks_egress.engine import judge
from aks_egress.records import field, record
from aks_egress.settings import Settings
from aks_egress_scan.detect import claimant
from aks_egress_scan.readers.base import Parameters, Source
from aks_egress_scan.sources import Role

NAMES = ("one", "two", "three", "four")
Rules = dict[str, tuple[str, str]]


@record(frozen=True, slots=True)
class State:
    """The rules of the group and of the policy by name (access and port), and what the subnet has."""

    rules: Rules = field(default_factory=dict)
    groups: Rules = field(default_factory=dict)
    group: bool = True
    table: bool = True


RULES = st.dictionaries(
    st.sampled_from(NAMES),
    st.tuples(st.sampled_from(("Allow", "Deny")), st.sampled_from(("443", "*", "8443"))),
)
STATES = st.builds(State, RULES, RULES, st.booleans(), st.booleans())


def shown(state: State) -> bytes:
    """The snapshot of a state."""
    rules = [
        b.rule(name, 100 + 10 * NAMES.index(name), access, "Internet", port)
        for name, (access, port) in state.rules.items()
    ]
    groups = [
        b.rules_of(
            f"policy/{name}",
            200 + NAMES.index(name),
            b.collection("c", 100, access, b.network_rule("r", "TCP", "*", port)),
        )
        for name, (access, port) in state.groups.items()
    ]
    network, firewall, policy, *_ = hub()
    given_ = spoke(*rules, group="g" if state.group else "", table="t" if state.table else "")
    return snapshot(network, firewall, policy, *groups, *given_)


def rule_values(name: str, what: tuple[str, str]) -> Json:
    return security_rule(
        name,
        what[0],
        id=rule_id(name),
        priority=100 + 10 * NAMES.index(name),
        destination_port_range=what[1],
    )


def group_values(name: str, what: tuple[str, str]) -> Json:
    rule = {"name": "r", "protocols": ["TCP"], "source_addresses": ["*"], "destination_addresses": ["*"]}
    rows = [
        {"name": "c", "priority": 100, "action": what[0], "rule": [rule | {"destination_ports": [what[1]]}]}
    ]
    return {
        "id": b.rid("firewallPolicies/ruleCollectionGroups", "policy", name),
        "name": name,
        "firewall_policy_id": b.rid("firewallPolicies", "policy"),
        "priority": 200 + NAMES.index(name),
        "network_rule_collection": rows,
    }


def changes(
    kind: str, before: Rules, after: Rules, values: Callable[[str, Any], Json], mention: bool
) -> list[Json]:
    """The plan's rows for one type; a name that goes and one that comes are one resource that is replaced."""
    gone = sorted(before.keys() - after.keys())
    come = sorted(after.keys() - before.keys())
    rows = []
    for old, new in zip(gone, come, strict=False):
        was, will = PLACED | values(old, before[old]), {**values(new, after[new]), "id": None}
        rows.append(planned(f"{kind}.{old}", will, "delete", "create", before=was, unknown={"id": True}))
    rows += [
        planned(f"{kind}.{name}", {}, "delete", before=PLACED | values(name, before[name]))
        for name in gone[len(come) :]
    ]
    rows += [
        planned(f"{kind}.{name}", {**values(name, after[name]), "id": None}, "create", unknown={"id": True})
        for name in come[len(gone) :]
    ]
    for name in sorted(before.keys() & after.keys()):
        same = before[name] == after[name]
        if not same or mention:
            was, will = values(name, before[name]), values(name, after[name])
            rows.append(planned(f"{kind}.{name}", will, "no-op" if same else "update", before=was))
    return rows


def association(address: str, values: Json, before: bool, after: bool, mention: bool) -> list[Json]:
    if before and not after:
        return [planned(address, {}, "delete", before=values)]
    if after and (mention or not before):
        return [planned(address, values, "no-op" if before else "create")]
    return []


def change(before: State, after: State, mention: bool, parents: bool) -> bytes:
    """The plan from one state to another.

    With `mention` it shows what stays as well, with `parents` the group and the subnet, as the last refresh saw them.
    """
    rows = [
        *changes("azurerm_network_security_rule", before.rules, after.rules, rule_values, mention),
        *changes(
            "azurerm_firewall_policy_rule_collection_group",
            before.groups,
            after.groups,
            group_values,
            mention,
        ),
        *association(
            GROUPED,
            {"id": NODES, "subnet_id": NODES, "network_security_group_id": GROUP},
            before.group,
            after.group,
            mention,
        ),
        *association(
            TABLED,
            {"id": NODES, "subnet_id": NODES, "route_table_id": TABLE},
            before.table,
            after.table,
            mention,
        ),
    ]
    if parents:
        listed = [rule_values(name, what) for name, what in before.rules.items()]
        mine = {"id": GROUP, "name": "g", "location": "eastus", "security_rule": listed}
        rows += [
            planned("azurerm_network_security_group.g", mine, "no-op", before=mine),
            planned("azurerm_subnet.nodes", subnet(), "no-op", before=subnet()),
        ]
    return plan(cluster(), *rows)


def verdicts(*files: tuple[bytes, Role]) -> list[tuple[str, str, str]]:
    """The verdict of every flow."""
    documents = []
    for i, (data, role) in enumerate(files):
        source = Source(f"{i}.json", data)
        found = claimant(source)
        assert found is not None
        assert found[1] is not None
        for document in found[1].read(source, Parameters()):
            document.role = role
            documents.append(document)
    (judged,) = judge(documents, Settings(), b.NO_TAGS).clusters
    return [(one.requirement, one.destination.value, str(one.verdict)) for one in judged.flows]


@given(STATES, STATES, st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_plan_over_a_state_is_judged_as_the_state_after_it(
    before: State, after: State, mention: bool, parents: bool
) -> None:
    expected = verdicts((plan(cluster()), Role.SUBJECT), (shown(after), Role.CONTEXT))
    found = verdicts((change(before, after, mention, parents), Role.SUBJECT), (shown(before), Role.CONTEXT))
    assert len(expected) > 10
    assert found == expected
