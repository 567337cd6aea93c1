"""The role of docs/permissions.md holds what collecting asks for, and changes nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.live.test_collect import azure, picture

from aks_egress_scan.live import queries
from aks_egress_scan.live.refusals import ROLE

PAGE = (Path(__file__).parents[2] / "docs/permissions.md").read_text(encoding="utf-8")
FENCE = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
assert FENCE is not None
DEFINITION = json.loads(FENCE[1])
ACTIONS = {one.casefold() for one in DEFINITION["Actions"]}


def test_it_is_the_role_that_grants_name() -> None:
    assert DEFINITION["Name"] == ROLE


@pytest.mark.parametrize(
    "kind",
    [
        *queries.WHOLE,
        *queries.SOME,
        *queries.EXTENSIONS,
        queries.CLUSTERS,
        queries.RULE_GROUPS,
        queries.IN_EFFECT,
    ],
)
def test_every_type_that_is_listed_may_be_read(kind: str) -> None:
    assert f"{kind}/read" in ACTIONS


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
