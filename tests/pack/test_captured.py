"""The example's real program, run anew: by the stand-in for the engine, and by Pulumi itself where it is installed."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc
from tests.pack import shapes
from tests.pack.conftest import PROGRAM
from tests.pack.engine import capture, preview_json, stack_config, stack_export
from tests.pack.server import PACK, TOP

STUB = Path(__file__).with_name("stub_provider.py")
WRITTEN = pytest.mark.skipif(
    importlib.util.find_spec("pulumi_azure_native") is None,
    reason="the example's program was not run: pulumi-azure-native is missing (`pip install '.[pulumi-example]'`)",
)


@WRITTEN
@pytest.mark.parametrize("dry_run", [True, False], ids=["preview", "update"])
def test_the_program_still_registers_what_the_files_hold(dry_run: bool) -> None:
    """One variant stands for all: the files are made by `make generate` from the same calls."""
    noted = capture(
        PROGRAM, stack_config(PROGRAM / "config" / "Pulumi.kubelet.yaml"), stack="kubelet", dry_run=dry_run
    )
    made = preview_json(noted) if dry_run else stack_export(noted, "kubelet")
    kept = PROGRAM / ("previews" if dry_run else "exports") / "kubelet.json"
    assert made == json.loads(kept.read_text(encoding="utf-8"))


@WRITTEN
def test_the_shapes_are_those_of_the_sdk() -> None:
    from tests.pack.sdk_shapes import declared

    assert declared() == shapes.shapes()


@pytest.fixture
def provider() -> Iterator[provider_pb2_grpc.ResourceProviderStub]:
    process = subprocess.Popen([sys.executable, str(STUB), "127.0.0.1:1"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
            yield provider_pb2_grpc.ResourceProviderStub(channel)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_stand_in_for_the_provider_answers_as_previews_do(
    provider: provider_pb2_grpc.ResourceProviderStub,
) -> None:
    urn = "urn:pulumi:dev::shop::azure-native:network:NetworkSecurityGroup::nsg"
    inputs = json_format.ParseDict({"location": "eastus"}, struct_pb2.Struct())
    assert provider.Check(provider_pb2.CheckRequest(urn=urn, news=inputs)).inputs == inputs
    answer = provider.Create(provider_pb2.CreateRequest(urn=urn, properties=inputs, preview=True))
    outputs = json_format.MessageToDict(answer.properties)
    assert outputs["location"] == "eastus"
    assert outputs["securityRules"] == shapes.UNKNOWN


@WRITTEN
@pytest.mark.skipif(
    shutil.which("pulumi") is None,
    reason="the true `pulumi preview` was not run: no `pulumi` command is on the PATH",
)
@pytest.mark.parametrize(("stack", "refused"), [("sound", False), ("konnectivity", True)])
def test_a_true_preview(tmp_path: Path, stack: str, refused: bool) -> None:
    """The command itself, a local backend, the real pack; only the provider is a stand-in."""
    project = tmp_path / "project"
    shutil.copytree(TOP / "examples", project / "examples")
    settings = (
        (TOP / "Pulumi.yaml")
        .read_text(encoding="utf-8")
        .replace("virtualenv: .venv", f"virtualenv: {sys.prefix}")
    )
    (project / "Pulumi.yaml").write_text(settings, encoding="utf-8")
    plugin = tmp_path / "bin" / "pulumi-resource-azure-native"
    plugin.parent.mkdir()
    plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STUB}" "$@"\n', encoding="utf-8")
    plugin.chmod(0o755)
    (tmp_path / "state").mkdir()
    environment = {
        **os.environ,
        "PATH": f"{plugin.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }

    def pulumi(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["pulumi", *arguments, "--non-interactive"]
        return subprocess.run(
            command, cwd=project, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    assert pulumi("stack", "init", stack).returncode == 0
    done = pulumi("preview", "--stack", stack, "--policy-pack", str(PACK))
    said = done.stdout + done.stderr
    assert (done.returncode != 0) is refused, said
    assert ("EGR101" in said) is refused, said
