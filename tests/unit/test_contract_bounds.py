"""Small inputs that ask for enormous values end soon, refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from aks_egress_scan.__main__ import main

pytest.importorskip("tree_sitter_hcl")

LISTS = "".join(f"  v{n} = [local.v{n + 1}, local.v{n + 1}]\n" for n in range(60))
OBJECTS = "".join(f"  o{n} = {{ a = local.o{n + 1}, b = local.o{n + 1} }}\n" for n in range(60))


@pytest.mark.parametrize(
    "expression",
    [
        "local.v0",
        "jsonencode(local.v0)",
        "local.v0 == local.v1",
        "length(flatten(local.v0))",
        "tolist(local.o0)[0]",
        "can(local.o0)",
        "true ? local.v0 : local.v1",
        "[for one in local.v3 : [one, one]]",
        "zipmap([for one in local.v58 : one[0]], local.v9)",
    ],
)
def test_values_that_double_with_each_line_are_refused(
    expression: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sixty lines spell 2 to the power of 60 parts."""
    (tmp_path / "main.tf").write_text(
        f'locals {{\n{LISTS}  v60 = "a"\n{OBJECTS}  o60 = "a"\n}}\n'
        f'resource "azurerm_route_table" "a" {{\n  name = {expression}\n}}\n'
    )
    monkeypatch.chdir(tmp_path)
    assert main(["scan", "main.tf"]) == 2
    assert "a value holds more than 500,000 parts" in capsys.readouterr().err


def test_a_large_list_that_is_meant_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Far more parts than any network has."""
    (tmp_path / "main.tf").write_text(
        'resource "azurerm_ip_group" "a" {\n  name = "a"\n  location = "x"\n  resource_group_name = "r"\n'
        '  cidrs = [for n in range(60000) : cidrhost("10.0.0.0/8", n)]\n}\n'
    )
    monkeypatch.chdir(tmp_path)
    assert main(["scan", "main.tf"]) == 3
    assert "nothing to judge" in capsys.readouterr().err
