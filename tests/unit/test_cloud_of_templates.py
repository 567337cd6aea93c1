"""`--cloud` answers `environment()`, and `--param` answers it before `--cloud` does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.arm_templates import NSG, resource, template

from aks_egress_scan.cli import run
from aks_egress_scan.sources import load

DATA = template(resource(NSG, "n", tags={"login": "[environment().authentication.loginEndpoint]"}))


@pytest.mark.parametrize(
    ("arguments", "host"),
    [
        ([], "login.microsoftonline.com"),
        (["--cloud", "china"], "login.chinacloudapi.cn"),
        (["--cloud", "china", "--param", "environment().name=AzureUSGovernment"], "login.microsoftonline.us"),
    ],
)
def test_the_cloud_reaches_the_templates(
    arguments: list[str], host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "main.json"
    path.write_text(json.dumps(DATA), "utf-8")
    seen = []

    def watched(*given: object) -> object:
        seen.append(load(*given))  # type: ignore[arg-type]
        return seen[-1]

    monkeypatch.setattr("aks_egress_scan.evaluate.load", watched)
    run(["scan", str(path), *arguments])
    (document,) = seen[0].documents

    assert document.resources[0].get("tags", "login") == f"https://{host}/"
