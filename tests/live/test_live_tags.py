"""`--live-service-tags`: what Azure tells gets into the cache where it is whole and newer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")

from tests.live.azure import Odd, running
from tests.live.test_collect import NETWORK, azure

from aks_egress.packets.tags import ServiceTags
from aks_egress_scan.live.tags import renew
from aks_egress_scan.service_tags import load

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AKS_EGRESS_CACHE_DIR", str(tmp_path))


def answer(number: int, **members: Any) -> Json:
    properties = {"region": "eastus", "systemService": "", "addressPrefixes": ["20.42.0.0/16"]}
    values = [{"name": "AzureCloud.eastus", "id": "AzureCloud.eastus", "properties": properties}]
    return {"changeNumber": str(number), "cloud": "Public", "values": values} | members


def asked(odd: Odd) -> tuple[ServiceTags | None, list[str]]:
    """The tags, and what is said about them."""
    said: list[str] = []
    cloud = azure()
    cloud.odd = lambda path, body: odd if path.endswith("/servicetags") else None
    with running(cloud) as session:
        return renew(session, NETWORK, "eastus", said.append), said


def test_what_azure_tells_is_used_and_kept() -> None:
    tags, said = asked(Odd(200, answer(77)))
    assert tags is not None
    assert (tags.change_number, load("").change_number, said) == (77, 77, [])
    assert tags.prefixes("AzureCloud.eastus")


def test_newer_tags_in_the_cache_stay() -> None:
    """The API may be weeks behind the published file."""
    asked(Odd(200, answer(80)))
    tags, (said,) = asked(Odd(200, answer(79)))
    assert tags is not None
    assert (tags.change_number, load("").change_number) == (80, 80)
    assert "(change number 80) are newer than those that Azure tells (79)" in said


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (Odd(200, answer(78, nextLink="https://example.com/more")), "another shape"),
        (Odd(200, answer(78, values="odd")), "another shape"),
        (Odd(200, []), "another shape"),
        (Odd(200, b'{"values": ['), "only a part of it came"),
        (Odd(200, answer(78, cloud="AzureChinaCloud")), "has the tags of the cloud AzureChinaCloud"),
        (Odd(403, {"error": {"code": "AuthorizationFailed", "message": "no"}}), "serviceTags/read`: az role"),
        (Odd(500, {"error": {"code": "Oops", "message": "no"}}), "(Oops)"),
    ],
    ids=["a page of several", "no list", "a list", "half", "another cloud", "refused", "an error"],
)
def test_what_cannot_be_used_leaves_the_cache_as_it_is(odd: Odd, why: str) -> None:
    asked(Odd(200, answer(77)))
    tags, (said,) = asked(odd)
    assert tags is None
    assert why in said
    assert load("").change_number == 77
