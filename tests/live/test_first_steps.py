"""What somebody meets who runs live commands for the first time: options from the environment, nothing there, a missing extra."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("azure.mgmt.resourcegraph")
pytest.importorskip("azure.mgmt.network")
pytest.importorskip("azure.mgmt.containerservice")

from tests.generate.snapshots import SUBSCRIPTION
from tests.live.azure import Azure, running
from tests.live.test_collect import EXAMPLE, azure

from aks_egress_scan.cli import run
from aks_egress_scan.live import session as sessions


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AKS_EGRESS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Clouds, credentials and tenants that sessions are made with."""
    return []


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, asked_for: list[tuple[str, ...]]) -> Iterator[Azure]:
    """The hub and its spoke, running."""
    there = azure()
    with running(there) as session:
        monkeypatch.setattr(sessions, "connect", lambda *how: asked_for.append(how) or session)
        yield there


#: options of live commands -> a value, as the environment gives it
GIVEN = {
    "SUBSCRIPTION": SUBSCRIPTION,
    "RESOURCE_GROUP": "rg-spoke",
    "CREDENTIAL": "cli",
    "TENANT": "contoso",
    "WORKERS": "2",
    "EFFECTIVE": "false",
    "FRESH": "true",
    "QUIET": "true",
}


def test_the_environment_gives_the_options_of_live_commands_without_a_word(
    cloud: Azure,
    asked_for: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """They were followed, and called options that change nothing."""
    for name, value in GIVEN.items():
        monkeypatch.setenv(f"AKS_EGRESS_{name}", value)
    assert run(["audit"]) == 0
    assert capsys.readouterr().err == ""
    assert asked_for == [("", "cli", "contoso")]
    assert cloud.bodies[0]["subscriptions"] == [SUBSCRIPTION]
    assert "rg-spoke" in cloud.bodies[0]["query"]


def test_a_management_group_may_come_from_the_environment(
    cloud: Azure, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AKS_EGRESS_MANAGEMENT_GROUP", "platform")
    assert run(["audit", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert cloud.bodies[0]["managementGroups"] == ["platform"]


def test_a_snapshot_goes_by_the_configuration_as_an_audit_does(
    cloud: Azure, asked_for: list[tuple[str, ...]], tmp_path: Path
) -> None:
    """`cloud` was followed by one of them and overlooked by the other."""
    (tmp_path / "aks-egress.toml").write_text('cloud = "china"\n', encoding="utf-8")
    other = tmp_path / "other.toml"
    other.write_text('cloud = "usgov"\n', encoding="utf-8")
    assert run(["snapshot", "--quiet", "-o", "a.json"]) == 0
    assert run(["snapshot", "--quiet", "-o", "b.json", "--config", str(other)]) == 0
    assert run(["snapshot", "--quiet", "-o", "c.json", "--cloud", "public"]) == 0
    assert [how[0] for how in asked_for] == ["china", "usgov", "public"]


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ('subscription = ["1b2c"]', "subscription"),
        ('management_groups = ["platform"]', "management-group"),
        ('credential = "cli"', "credential"),
        ("workers = 64", "workers"),
    ],
)
def test_a_repository_does_not_choose_what_is_asked_and_as_whom(
    line: str, option: str, cloud: Azure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "aks-egress.toml").write_text(f"{line}\n", encoding="utf-8")
    for command in ("audit", "snapshot"):
        assert run([command, "--quiet"]) == 2
        said = capsys.readouterr().err
        variable = f"AKS_EGRESS_{option.replace('-', '_').upper()}"
        assert f"aks-egress.toml:1: `{line.split(maxsplit=1)[0]}` is said by who runs the command" in said
        assert f"`--{option}`, or `{variable}` in the environment" in said
    assert cloud.asked == []


def test_a_snapshot_says_which_variables_it_does_not_know(
    cloud: Azure, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AKS_EGRESS_SUBSCRIPTON", "a slip")
    assert run(["snapshot", "--quiet", "-o", "a.json"]) == 0
    assert "`AKS_EGRESS_SUBSCRIPTON` is no option" in capsys.readouterr().err


def test_an_audit_that_sees_no_cluster_says_how_that_may_be(
    cloud: Azure, capsys: pytest.CaptureFixture[str]
) -> None:
    """Azure does not tell what is not there from what may not be read."""
    cloud.resources.clear()
    assert run(["audit", "--quiet"]) == 3
    said = capsys.readouterr().err
    assert "whoever is signed in" in said
    assert "`az account show`" in said


def test_a_cluster_that_cannot_be_seen_is_not_called_the_only_one_missing(
    cloud: Azure, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only clusters of that name were asked for, so nobody knows whether there are others."""
    assert run(["audit", "--quiet", "--cluster", "nope"]) == 3
    said = capsys.readouterr().err
    assert "`nope`" in said
    assert "there are none" not in said


def test_the_context_of_an_audit_is_read_as_that_of_a_scan(
    cloud: Azure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the options that its help lists, and a word on what is laid over what runs."""
    hub = EXAMPLE.folder / "arm" / "hub.json"
    big = tmp_path / "big.json"
    big.write_text(hub.read_text(encoding="utf-8") + " " * 2_000_000, encoding="utf-8")
    assert run(["audit", "--quiet", "--context", str(big), "--max-size", "1"]) == 2
    assert "big.json" in capsys.readouterr().err
    parameters = ["--param", EXAMPLE.parameters("arm", "sound")[0]]
    run(["audit", "--quiet", "--context", str(hub), *parameters])
    assert "is laid over it" in " ".join(capsys.readouterr().out.split())


def test_what_runs_is_no_context_of_itself(cloud: Azure, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--quiet", "--context", "live"]) == 2
    assert "`--context live` is for `scan`" in capsys.readouterr().err
    assert not cloud.asked


def absent(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """Packages that are not installed."""
    from importlib import util

    real = util.find_spec

    def find(name: str, *rest: Any) -> Any:
        return None if name.split(".", maxsplit=1)[0] in packages else real(name, *rest)

    monkeypatch.setattr(util, "find_spec", find)


@pytest.mark.parametrize(
    ("packages", "extras", "options"),
    [
        (("azure", "kubernetes"), "live,kubernetes", ()),
        (("kubernetes",), "kubernetes", ()),
        (("azure",), "live", ()),
        (("azure", "kubernetes"), "live", ("--no-kubernetes",)),
        (("azure", "kubernetes"), "kubernetes", ("--snapshot", "fleet.json")),
    ],
)
def test_a_triage_names_everything_that_is_not_installed_at_once(
    packages: tuple[str, ...],
    extras: str,
    options: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One sentence, one command; nobody installs twice at night."""
    absent(monkeypatch, *packages)
    assert run(["triage", "--cluster", "aks-shop", *options]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert f"run `pip install 'aks-egress[{extras}]'`" in said
    assert ("`--no-kubernetes`" in said) == ("kubernetes" in extras)


def test_a_triage_of_a_snapshot_without_kubernetes_needs_no_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    absent(monkeypatch, "azure", "kubernetes")
    monkeypatch.setitem(sys.modules, "azure", None)
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    taken = str(EXAMPLE.folder / "snapshot" / "konnectivity.json")
    assert run(["triage", "--cluster", "aks-shop", "--snapshot", taken, "--no-kubernetes"]) == 1
    assert "the network is at fault" in capsys.readouterr().out
