"""A stand-in for the Pulumi engine: runs a real program and notes what it registers, without the CLI.

What it notes can be turned into the calls that the engine makes to a policy server, into what
`pulumi preview --json` prints and into what `pulumi stack export` writes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc
from tests.pack import shapes

SIGNATURE = "4dabf18193072939515e22adb298388d"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  the mark of a secret, not one
RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
LIMIT = [("grpc.max_receive_message_length", 400 << 20), ("grpc.max_send_message_length", 400 << 20)]


@dataclass
class Noted:
    """One registration as the engine sees it."""

    urn: str
    type: str
    name: str
    custom: bool
    parent: str
    provider: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    id: str = ""
    external: bool = False
    dependencies: list[str] = field(default_factory=list)
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)


def engine_view(value: Any) -> Any:
    """A value as the engine hands it on: outputs unwrapped, unknown ones as the sentinel, secrets kept."""
    if isinstance(value, list):
        return [engine_view(item) for item in value]
    if not isinstance(value, dict):
        return value
    signature = value.get(SIGNATURE)
    if signature == OUTPUT:
        inner = engine_view(value["value"]) if "value" in value else shapes.UNKNOWN
        return {SIGNATURE: SECRET, "value": inner} if value.get("secret") else inner
    if signature == RESOURCE:
        return value.get("id") or (shapes.UNKNOWN if "id" in value else value["urn"])
    return {key: engine_view(item) for key, item in value.items()}


def plain(value: Any) -> Any:
    """A value without marks of secrets, as a provider sees it."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return (
            plain(value["value"])
            if value.get(SIGNATURE) == SECRET
            else {k: plain(v) for k, v in value.items()}
        )
    return value


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Registers what a program asks for, and answers as azure-native does."""

    def __init__(self, project: str, stack: str, dry_run: bool) -> None:
        self.project, self.stack, self.dry_run = project, stack, dry_run
        self.noted: list[Noted] = []
        self.lock = threading.Lock()

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return resource_pb2.DeploymentInfo(
            project=self.project,
            stack=self.stack,
            organization="organization",
            dryRun=self.dry_run,
            parallel=16,
            supportedFeatures=[0, 1, 2, 3, 5, 7, 9],
        )

    def SupportsFeature(self, request: Any, context: Any) -> Any:  # noqa: N802
        return resource_pb2.SupportsFeatureResponse(hasSupport=True)

    def RegisterPackage(self, request: Any, context: Any) -> Any:  # noqa: N802
        return resource_pb2.RegisterPackageResponse(ref="package")

    def _urn(self, parent: str, kind: str, name: str) -> str:
        if parent and not parent.split("::")[2].endswith("pulumi:pulumi:Stack"):
            kind = parent.split("::")[2] + "$" + kind
        return f"urn:pulumi:{self.stack}::{self.project}::{kind}::{name}"

    def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        urn = self._urn(request.parent, request.type, request.name)
        inputs = engine_view(json_format.MessageToDict(request.object))
        known, outputs = "", plain(inputs)
        ours = request.type in shapes.TOKENS
        if ours and self.dry_run:
            outputs = shapes.previewed(request.type, plain(inputs))
        elif ours:
            known, outputs = shapes.deployed(request.type, plain(inputs))
        package = request.type.partition(":")[0]
        provider = f"urn:pulumi:{self.stack}::{self.project}::pulumi:providers:{package}::default"
        noted = Noted(
            urn,
            request.type,
            request.name,
            request.custom,
            request.parent,
            f"{provider}::{shapes.UNKNOWN}" if ours else "",
            inputs,
            outputs,
            known,
            False,
            sorted(request.dependencies),
            {key: sorted(one.urns) for key, one in sorted(request.propertyDependencies.items())},
        )
        with self.lock:
            self.noted.append(noted)
        answer = struct_pb2.Struct()
        json_format.ParseDict(outputs, answer)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=known, object=answer)

    def ReadResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        urn = self._urn(request.parent, request.type, request.name)
        return resource_pb2.ReadResourceResponse(urn=urn, properties=request.properties)

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        return resource_pb2.ResourceInvokeResponse(**{"return": struct_pb2.Struct()})

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()


class Engine(engine_pb2_grpc.EngineServicer):
    """Takes a program's log."""

    def __init__(self) -> None:
        self.logs: list[str] = []
        self.root = ""

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.logs.append(request.message)
        return empty_pb2.Empty()

    def GetRootResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        return engine_pb2.GetRootResourceResponse(urn=self.root)

    def SetRootResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.root = request.urn
        return engine_pb2.SetRootResourceResponse()


def capture(
    program: Path,
    config: dict[str, str],
    *,
    project: str = "hub-and-spoke",
    stack: str = "dev",
    dry_run: bool = True,
) -> list[Noted]:
    """What a program registers, by the order of its URNs' first appearance sorted for good measure."""
    server = grpc.server(futures.ThreadPoolExecutor(16), options=LIMIT)
    monitor, engine = Monitor(project, stack, dry_run), Engine()
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    environment = {**os.environ, "PULUMI_CONFIG": json.dumps(config)}
    driver = str(Path(__file__).with_name("driver.py"))
    command = [
        sys.executable,
        driver,
        f"127.0.0.1:{port}",
        str(program),
        project,
        stack,
        str(dry_run).lower(),
    ]
    try:
        done = subprocess.run(
            command, cwd=program, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
    finally:
        server.stop(0)
    assert done.returncode == 0, done.stderr[-2000:] + "\n".join(engine.logs)
    return sorted(monitor.noted, key=lambda one: (one.type != "pulumi:pulumi:Stack", one.urn))


def stack_config(file: Path) -> dict[str, str]:
    """A stack's configuration as the engine hands it to programs: structured values as JSON text."""
    import yaml

    values = yaml.safe_load(file.read_text(encoding="utf-8"))["config"]
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def _state(one: Noted, *, deployed: bool) -> dict[str, Any]:
    """A resource as Pulumi writes it into JSON."""
    state: dict[str, Any] = {"urn": one.urn, "custom": one.custom}
    if deployed and one.id:
        state["id"] = one.id
    state |= {"type": one.type, "inputs": one.inputs}
    if deployed:
        state["outputs"] = one.outputs
    optional = {
        "parent": one.parent,
        "external": one.external,
        "dependencies": one.dependencies,
        "provider": one.provider,
        "propertyDependencies": one.property_dependencies,
    }
    return state | {key: value for key, value in optional.items() if value}


def from_preview(digest: dict[str, Any]) -> list[Noted]:
    """The registrations that a preview shows, with the outputs that azure-native answers in one."""
    found = []
    for step in digest["steps"]:
        state = step["newState"]
        inputs = state["inputs"]
        ours = state["type"] in shapes.TOKENS
        found.append(
            Noted(
                state["urn"],
                state["type"],
                state["urn"].rpartition("::")[2],
                state["custom"],
                state.get("parent", ""),
                state.get("provider", ""),
                inputs,
                shapes.previewed(state["type"], plain(inputs)) if ours else plain(inputs),
                dependencies=state.get("dependencies", []),
                property_dependencies=state.get("propertyDependencies", {}),
            )
        )
    return found


def preview_json(noted: list[Noted]) -> dict[str, Any]:
    """What `pulumi preview --json` prints for a stack that does not exist yet."""
    steps = [
        {"op": "create", "urn": one.urn, "newState": _state(one, deployed=False)}
        | ({"provider": one.provider} if one.provider else {})
        for one in noted
    ]
    return {"config": {}, "steps": steps, "duration": 0, "changeSummary": {"create": len(steps)}}


def stack_export(noted: list[Noted], stack: str, project: str = "hub-and-spoke") -> dict[str, Any]:
    """What `pulumi stack export` writes after an update."""
    provider = f"urn:pulumi:{stack}::{project}::pulumi:providers:azure-native::default"
    rows = [_state(one, deployed=True) for one in noted]
    rows.insert(
        1,
        {
            "urn": provider,
            "custom": True,
            "id": shapes.SUBSCRIPTION,
            "type": "pulumi:providers:azure-native",
            "inputs": {"location": "eastus", "version": "3.29.0"},
            "outputs": {"location": "eastus", "version": "3.29.0"},
        },
    )
    manifest = {"time": "2026-01-01T00:00:00Z", "magic": "", "version": "v3.272.0"}
    return {"version": 3, "deployment": {"manifest": manifest, "resources": rows}}
