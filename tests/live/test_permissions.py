"""The role of docs/permissions.md holds what collecting asks for, no more, and changes nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")

from tests.live.azure import Azure, running
from tests.live.test_collect import GROUP, SUBSCRIPTION, azure, picture
from tests.live.test_effective import with_interfaces
from tests.live.test_what_is_read import WEB, secured

from aks_egress_scan.live import details, kept, queries
from aks_egress_scan.live.collect import Scope, collect
from aks_egress_scan.live.refusals import ROLE
from aks_egress_scan.live.tags import renew

PAGE = (Path(__file__).parents[2] / "docs/permissions.md").read_text(encoding="utf-8")
FENCE = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
assert FENCE is not None
DEFINITION = json.loads(FENCE[1])
ACTIONS = {one.casefold() for one in DEFINITION["Actions"]}
ASKED_OF_GRAPH = {
    *queries.WHOLE,
    *queries.SOME,
    *queries.EXTENSIONS,
    queries.CLUSTERS,
    queries.RULE_GROUPS,
    queries.IN_EFFECT,
    queries.SUBSCRIPTIONS,
}


def action(method: str, path: str) -> str:
    """The permission that a request takes: its type, and what is done with it."""
    parts = path.strip("/").split("/")
    tail = parts[len(parts) - parts[::-1].index("providers") :]
    kinds = "/".join([tail[0], *tail[1::2]])
    if method == "GET":
        return f"{kinds}/read"
    if tail[0] == "microsoft.resourcegraph":
        return "microsoft.resourcegraph/resources/read"
    # a POST names what is asked of a resource after the resource
    return "/".join([tail[0], *tail[1:-1:2], tail[-1]]) + "/action"


def everything_that_is_asked() -> set[str]:
    """The permissions of every kind of request that the commands make, in networks that lead to each."""
    clouds: list[Azure] = [secured(WEB), with_interfaces("node-0")]
    for cloud in clouds:
        with running(cloud) as session:
            collect(
                session,
                Scope(subscriptions=(SUBSCRIPTION,)) if not cloud.children else Scope(),
                effective=True,
            )
            renew(session, f"/subscriptions/{SUBSCRIPTION}/x", "eastus", lambda sentence: None)
    hidden = azure()
    hidden.hidden = {key for key in hidden.resources if "managedclusters" not in key}
    picture(hidden)
    clouds.append(hidden)
    direct = azure()
    clouds.append(direct)
    with running(direct) as session:
        for kind in details._GETTERS:
            provider, *kinds = kind.split("/")
            inner = "/".join(f"{one}/x" for one in kinds)
            piece = details.resource(session, f"{GROUP}/{provider}/{inner}")
            assert piece is not None
            piece.ask()
    asked = {one for cloud in clouds for one in cloud.asked if "/providers/" in one[1]}
    return {action(method, path) for method, path in asked}


def test_the_role_holds_what_is_asked_for_and_no_more() -> None:
    listed = {f"{kind}/read" for kind in ASKED_OF_GRAPH}
    assert everything_that_is_asked() | listed == ACTIONS


def test_it_is_the_role_that_grants_name() -> None:
    assert DEFINITION["Name"] == ROLE


def test_every_type_that_is_kept_may_be_read() -> None:
    """Rows of these types come out of requests that are asked of another type."""
    out_of_others = {
        "microsoft.network/networkmanagers/networkgroups",
        "microsoft.network/networkmanagers/networkgroups/staticmembers",
        "microsoft.network/networkmanagers/securityadminconfigurations/rulecollections",
        "microsoft.network/networkmanagers/securityadminconfigurations/rulecollections/rules",
        "microsoft.network/virtualnetworks/subnets",
        "microsoft.network/virtualnetworks/virtualnetworkpeerings",
    }
    assert {f"{kind}/read" for kind in kept.kept_types().keys() - out_of_others} <= ACTIONS


@pytest.mark.parametrize(
    "refused", ["listNetworkManagerEffectiveSecurityAdminRules", "outboundNetworkDependenciesEndpoints"]
)
def test_what_a_refusal_names_is_in_the_role(refused: str) -> None:
    cloud = azure()
    cloud.refused = [refused]
    (one,) = picture(cloud).unread
    assert one.permission.casefold() in ACTIONS
    assert ROLE in one.grant


def test_it_changes_nothing() -> None:
    asked_with_post = {
        "effectivenetworksecuritygroups/action",
        "effectiveroutetable/action",
        "listnetworkmanagereffectivesecurityadminrules/action",
    }
    others = {one for one in ACTIONS if not one.endswith("/read")}
    assert {one.split("/", 2)[2] for one in others} == asked_with_post


def test_nothing_but_questions_is_sent() -> None:
    """GET, and the POSTs that Azure takes questions by."""
    cloud = with_interfaces("node-0")
    picture(cloud, effective=True)
    posts = {path.rsplit("/", 1)[-1] for method, path in cloud.asked if method != "GET"}
    assert posts == {
        "resources",
        "effectivenetworksecuritygroups",
        "effectiveroutetable",
        "listnetworkmanagereffectivesecurityadminrules",
    }
    assert {method for method, _ in cloud.asked} == {"GET", "POST"}
