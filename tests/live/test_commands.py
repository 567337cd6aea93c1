"""`aks-egress snapshot` and `aks-egress audit`, from their arguments to their bytes and exit status."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")
pytest.importorskip("azure.identity")

from examples.expectations import verdicts
from tests.live.azure import Azure, running
from tests.live.test_collect import CLUSTER, EXAMPLE, GROUP, azure

from aks_egress_scan.cli import run
from aks_egress_scan.live import session as sessions


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AKS_EGRESS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1781784000")


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    """The hub and its spoke, running."""
    there = azure()
    with running(there) as session:
        monkeypatch.setattr(sessions, "connect", lambda *_: session)
        yield there


def test_a_snapshot_is_judged_as_the_audit_judges(
    cloud: Azure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "fleet.json"
    assert run(["snapshot", "-o", str(file), "--quiet"]) == 0
    assert run(["audit", "--quiet", "--format", "json"]) == 0
    audited = json.loads(capsys.readouterr().out)
    assert run(["scan", str(file), "--format", "json"]) == 0
    scanned = json.loads(capsys.readouterr().out)
    assert verdicts(audited) == verdicts(scanned)
    assert audited["inputs"][0]["kind"] == "live"
    assert scanned["inputs"][0]["kind"] == "snapshot"


def test_an_audit_keeps_its_evidence(
    cloud: Azure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = tmp_path / "a.json", tmp_path / "b.json"
    assert run(["audit", "--quiet", "--snapshot-out", str(one)]) == 0
    assert run(["snapshot", "--quiet", "-o", str(two)]) == 0
    assert one.read_bytes() == two.read_bytes()
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("variant", ["sound", "konnectivity", "a group that may not be read"])
def test_the_evidence_judged_again_offline_gives_the_same_report(
    variant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All but the word that says where the input came from, in JSON and in text, with the same exit status."""
    there = azure(variant if variant in EXAMPLE.variants else "sound")
    if variant not in EXAMPLE.variants:
        there.hidden = {f"{GROUP}/Microsoft.Network/networkSecurityGroups/nsg-system".casefold()}
        there.refused = ["networkSecurityGroups"]
    file = str(tmp_path / "evidence.json")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(time.time())))
    with running(there) as session:
        monkeypatch.setattr(sessions, "connect", lambda *_: session)
        for form in ("json", "text", "sarif"):
            audited = run(["audit", "--quiet", "--snapshot-out", file, "--format", form])
            first = capsys.readouterr().out
            assert run(["scan", file, "--format", form]) == audited
            second = capsys.readouterr().out
            assert "aks-shop" in first or audited == 0
            assert second.replace('"kind": "snapshot"', '"kind": "live"') == first


def test_what_a_tag_accepts_is_accepted_in_an_audit_and_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tag is kept in the picture, and no other tag is."""
    there, file = azure("konnectivity"), tmp_path / "fleet.json"
    group = next(one for key, one in there.resources.items() if key.endswith("/nsg-system"))
    group["tags"] = {"AKS-egress": "ignore EGR1,EGR2,EGR8, the tunnel is being moved", "owner": "somebody"}
    with running(there) as session:
        monkeypatch.setattr(sessions, "connect", lambda *_: session)
        run(["audit", "--quiet", "--snapshot-out", str(file), "--format", "json"])
    audited = json.loads(capsys.readouterr().out)
    run(["scan", str(file), "--format", "json"])
    assert json.loads(capsys.readouterr().out)["suppressed"] == audited["suppressed"]
    assert {one["rule"] for one in audited["suppressed"]} >= {"EGR101"}
    assert "somebody" not in file.read_text(encoding="utf-8")


def test_a_broken_network_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(azure("konnectivity")) as session:
        monkeypatch.setattr(sessions, "connect", lambda *_: session)
        assert run(["audit", "--quiet", "-o", str(tmp_path / "report.txt")]) == 1
    assert "tunnel is blocked" in (tmp_path / "report.txt").read_text(encoding="utf-8")


def test_a_refusal_is_undecided_and_said(cloud: Azure, capsys: pytest.CaptureFixture[str]) -> None:
    group = f"{GROUP}/Microsoft.Network/networkSecurityGroups/nsg-system"
    cloud.hidden, cloud.refused = {group.casefold()}, ["networkSecurityGroups"]
    assert run(["audit", "--quiet"]) == 4
    shown = " ".join(capsys.readouterr().out.split())
    assert "Microsoft.Network/networkSecurityGroups/read" in shown
    assert "az role assignment create" in shown


def test_a_snapshot_with_gaps_says_so(
    cloud: Azure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.refused = ["outboundNetworkDependenciesEndpoints"]
    assert run(["snapshot", "--quiet", "-o", str(tmp_path / "x.json")]) == 4
    assert "outboundNetworkDependenciesEndpoints/read" in capsys.readouterr().err


def test_nothing_in_the_scope(cloud: Azure, tmp_path: Path) -> None:
    cloud.resources.clear()
    assert run(["snapshot", "--quiet", "-o", str(tmp_path / "x.json")]) == 3
    assert run(["audit", "--quiet"]) == 3


def test_a_plan_over_what_runs_now(cloud: Azure, capsys: pytest.CaptureFixture[str]) -> None:
    """`--context live`: the spoke's template, with the hub that runs."""
    spoke = str(EXAMPLE.folder / "arm" / "spoke.json")
    parameters = [part for file in EXAMPLE.parameters("arm", "sound")[1:] for part in ("--param", file)]
    assert run(["scan", spoke, *parameters, "--context", "live", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [(one["kind"], one["role"]) for one in report["inputs"]] == [
        ("arm-template", "subject"),
        ("live", "context"),
    ]


def test_progress_goes_to_standard_error(cloud: Azure, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit"]) == 0
    said = capsys.readouterr()
    assert "clusters: 1" in said.err
    assert "clusters: 1" not in said.out


def test_two_scopes_at_once_are_refused(cloud: Azure, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--subscription", "a", "--management-group", "b"]) == 2
    assert "--management-group" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0", "65"])
def test_workers_are_a_sensible_number(cloud: Azure, number: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--workers", number]) == 2
    assert "`--workers` is a whole number from 1 to" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["audit", "snapshot"])
def test_a_missing_extra_is_one_sentence(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from importlib import util

    def absent(name: str, *rest: Any) -> Any:
        return None if name.startswith("azure") else real(name, *rest)

    real = util.find_spec
    monkeypatch.setattr(util, "find_spec", absent)
    assert run([command]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "aks-egress: reading live state needs Azure's SDKs, which are not installed: run `pip install 'aks-egress[live]'`"
    ]


def test_nobody_signed_in_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The real credential of azure-identity, in an environment that names nobody."""
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    assert run(["audit", "--credential", "environment"]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("aks-egress: nobody is signed in to Azure")


def test_the_collection_keeps_to_the_clusters_that_were_named(cloud: Azure, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    assert run(["snapshot", "--cluster", "aks-shop", "--quiet", "-o", str(file)]) == 0
    taken = json.loads(file.read_bytes())
    assert taken["collected"]["scope"] == {"clusters": ["aks-shop"]}
    assert CLUSTER in {one["id"] for one in taken["resources"]}


@pytest.mark.parametrize("command", ["audit", "snapshot"])
def test_help_needs_no_sdk(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "azure", None)
    assert run([command, "--help"]) == 0
    assert "az login" in capsys.readouterr().out


def test_service_tags_come_from_azure_when_asked_for(
    cloud: Azure, capsys: pytest.CaptureFixture[str]
) -> None:
    properties = {"region": "eastus", "systemService": "", "addressPrefixes": ["20.42.0.0/16"]}
    cloud.service_tags = {
        "changeNumber": "77",
        "cloud": "Public",
        "values": [{"name": "AzureCloud.eastus", "id": "AzureCloud.eastus", "properties": properties}],
    }
    run(["audit", "--quiet", "--live-service-tags", "--format", "json"])
    tags = json.loads(capsys.readouterr().out)["tool"]["serviceTags"]
    assert (tags["source"], tags["changeNumber"]) == ("cache", 77)


def test_service_tags_that_azure_refuses_are_done_without(
    cloud: Azure, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.refused = ["serviceTags"]
    assert run(["audit", "--quiet", "--live-service-tags"]) == 0
    assert "Microsoft.Network/locations/serviceTags/read" in capsys.readouterr().err
