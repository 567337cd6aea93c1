"""The README says what the program does."""

from __future__ import annotations

import re
import tomllib

import pytest
from tests.generate import readme

from aks_egress_scan import config
from aks_egress_scan.cli import COMMANDS

TEXT = (readme.ROOT / "README.md").read_text(encoding="utf-8")


def test_what_the_readme_shows_is_what_is_printed() -> None:
    """`make generate` would change nothing."""
    assert readme.render() == TEXT
    assert "EGR101 tunnel-blocked" in TEXT


def test_the_configuration_in_the_readme_is_accepted(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Word for word."""
    block = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)[0]
    file = tmp_path_factory.mktemp("readme") / "aks-egress.toml"
    file.write_text(block, encoding="utf-8")
    found = config.read(str(file))
    assert found.settings.appliances[0].allows[1].names == ("mcr.microsoft.com", "*.data.mcr.microsoft.com")
    assert tomllib.loads(block)


def test_every_command_in_the_readme_exists() -> None:
    """A newcomer types what stands there."""
    assert set(re.findall(r"^aks-egress ([a-z]+)", TEXT, re.MULTILINE)) <= set(COMMANDS)


def test_every_file_that_the_readme_links_exists() -> None:
    """No dead ends."""
    for link in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (readme.ROOT / link).exists(), link
