"""The hooks of `.pre-commit-hooks.yaml`, run by the real `pre-commit` on repositories made here.

The manifest is the project's own.  Only where the program comes from is another: from the environment of the
tests instead of one that `pre-commit` would download.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("pre_commit", reason="pre-commit is not installed: it is in the extra `test`")
if shutil.which("git") is None:
    pytest.skip("git is not installed", allow_module_level=True)

TOP = Path(__file__).resolve().parents[2]
EXAMPLE = TOP / "examples" / "hub-and-spoke"
HOOKS = ("terraform", "plan", "arm", "bicep")

BREAKS = """
  security_rule {
    name                       = "no-https-to-the-internet"
    priority                   = 115
    direction                  = "Outbound"
    access                     = "Deny"
    protocol                   = "Tcp"
    source_port_range          = "*"
    source_address_prefix      = "*"
    destination_address_prefix = "Internet"
    destination_port_range     = "443"
  }
"""


class Repository:
    """A git repository with the hooks in place."""

    def __init__(self, folder: Path, manifest: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        folder.mkdir()
        self.run("git", "init", "-q", "-b", "main")
        revision = _output(manifest, environment, "git", "rev-parse", "HEAD").strip()
        hooks = "".join(
            f"      - id: aks-egress-{one}\n        language: system\n        additional_dependencies: []\n"
            for one in HOOKS
        )
        self.write(
            ".pre-commit-config.yaml",
            f"repos:\n  - repo: {manifest}\n    rev: {revision}\n    hooks:\n{hooks}",
        )
        self.run(sys.executable, "-m", "pre_commit", "install")

    def write(self, name: str, text: str) -> None:
        """A file, its folders included."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command in the repository; everything it says is in `stdout`."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def commit(self, message: str) -> subprocess.CompletedProcess[str]:
        """Add everything and commit."""
        self.run("git", "add", "--all")
        return self.run("git", "commit", "-q", "-m", message)


def _output(folder: Path, environment: dict[str, str], *command: str) -> str:
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A repository that offers the hooks, and an environment without anybody's settings."""
    home = tmp_path_factory.mktemp("home")
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "HOME": str(home),
        "PRE_COMMIT_HOME": str(home / "pre-commit"),
        "AKS_EGRESS_CACHE_DIR": str(home / "tags"),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _NAMED.items()},
    }
    manifest = home / "hooks"
    manifest.mkdir()
    shutil.copy(TOP / ".pre-commit-hooks.yaml", manifest)
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "hooks"]):
        _output(manifest, environment, "git", *command)
    return manifest, environment


_NAMED = {"NAME": "somebody", "EMAIL": "somebody@example.com"}


@pytest.fixture
def repository(tmp_path: Path, surroundings: tuple[Path, dict[str, str]]) -> Repository:
    """A repository with nothing but the hooks in it."""
    return Repository(tmp_path / "repository", *surroundings)


def test_a_change_that_breaks_the_tunnel_is_stopped_and_mended(repository: Repository) -> None:
    """A pull request, played through: the hook names rule, file, line and what stops working."""
    for file in sorted((EXAMPLE / "terraform").glob("*.tf")):
        repository.write(f"shop/{file.name}", file.read_text("utf-8"))
    repository.write(
        "shop/terraform.tfvars", (EXAMPLE / "terraform/variants/sound.tfvars").read_text("utf-8")
    )
    first = repository.commit("the network")
    assert first.returncode == 0, first.stdout
    assert re.search(r"Terraform source.*Passed", first.stdout)

    sound = (EXAMPLE / "terraform" / "security.tf").read_text("utf-8")
    before, begin, after = sound.partition("\n  security_rule {\n")
    repository.write("shop/security.tf", before + BREAKS + begin + after)
    stopped = repository.commit("no HTTPS to the internet")
    assert stopped.returncode != 0
    line = before.count("\n") + 2
    said = " ".join(stopped.stdout.split())
    assert "EGR101 tunnel-blocked" in said
    assert f"shop/security.tf:{line}" in said
    assert "no-https-to-the-internet" in said
    assert "kubectl logs" in said
    assert "the network" in repository.run("git", "log", "-1", "--format=%s").stdout

    repository.write("shop/security.tf", sound)
    repository.write("shop/notes.tf", "# HTTPS stays open\n")
    assert repository.commit("mended").returncode == 0
    assert "mended" in repository.run("git", "log", "-1", "--format=%s").stdout


def _arm(variant: str) -> dict[str, str]:
    folder = EXAMPLE / "arm"
    return {
        "hub.json": (folder / "hub.json").read_text("utf-8"),
        "spoke.json": (folder / "spoke.json").read_text("utf-8"),
        **{
            f"{part}.parameters.json": (folder / f"parameters/{variant}/{part}.parameters.json").read_text(
                "utf-8"
            )
            for part in ("hub", "spoke")
        },
    }


def _bicep(variant: str) -> dict[str, str]:
    folder = EXAMPLE / "bicep"
    files = {str(one.relative_to(folder)): one.read_text("utf-8") for one in folder.rglob("*.bicep")}
    hub = (folder / "parameters/hub.bicepparam").read_text("utf-8").replace("'../", "'")
    spoke = (folder / f"parameters/{variant}/spoke.bicepparam").read_text("utf-8").replace("'../../", "'")
    return {**files, "hub.bicepparam": hub, "spoke.bicepparam": spoke}


def _plan(variant: str) -> dict[str, str]:
    return {"plan.json": (EXAMPLE / f"terraform/plans/{variant}.json").read_text("utf-8")}


@pytest.mark.parametrize(
    ("title", "written", "name"),
    [
        ("ARM templates", _arm, "spoke.parameters.json"),
        ("Bicep", _bicep, "spoke.bicepparam"),
        ("Terraform plans", _plan, "plan.json"),
    ],
    ids=["arm", "bicep", "plan"],
)
def test_each_dialect_has_its_hook(
    repository: Repository, title: str, written: Callable[[str], dict[str, str]], name: str
) -> None:
    """The file that changed is the one with the mistake; what it belongs to is found."""
    for file, text in written("sound").items():
        repository.write(file, text)
    first = repository.commit("sound")
    assert first.returncode == 0, first.stdout
    assert re.search(rf"{title}.*Passed", first.stdout), first.stdout
    repository.write(name, written("konnectivity")[name])
    stopped = repository.commit("broken")
    assert stopped.returncode != 0
    assert re.search(rf"{title}.*Failed", stopped.stdout), stopped.stdout
    assert "EGR101" in stopped.stdout


def test_what_is_broken_elsewhere_stops_nobody(repository: Repository) -> None:
    """A change beside a broken network is judged for itself, and one of no definition not at all."""
    for name, text in _plan("konnectivity").items():
        repository.write(f"theirs/{name}", text)
    repository.run("git", "add", "--all")
    repository.run("git", "commit", "-q", "--no-verify", "-m", "theirs")
    for name, text in _plan("sound").items():
        repository.write(f"ours/{name}", text.replace("00000000a0b0", "00000000a0b1"))
    repository.write("package.json", '{"name": "shop"}')
    assert (done := repository.commit("ours")).returncode == 0, done.stdout
    repository.write("package.json", '{"name": "shop", "private": true}')
    assert (done := repository.commit("no definition")).returncode == 0, done.stdout
