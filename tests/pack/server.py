"""Starts the policy pack as Pulumi's language host does and speaks the engine's side of the protocol to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from tests.pack.engine import LIMIT, Noted

TOP = Path(__file__).resolve().parents[2]
PACK = TOP / "pulumi_pack"


class RefusedError(Exception):
    """The pack did not start; the message is what it printed."""


class Server:
    """A running policy pack: a context manager that ends it."""

    def __init__(
        self,
        pack: Path = PACK,
        config: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        settled = {
            **os.environ,
            "PULUMI_ORGANIZATION": "organization",
            "PULUMI_PROJECT": "hub-and-spoke",
            "PULUMI_STACK": "dev",
            "PULUMI_DRY_RUN": "true",
            "PULUMI_CONFIG": json.dumps({"hub-and-spoke:secret": "hunter2"}),
            **(environment or {}),
        }
        self._errors = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(pack)],
            cwd=pack,
            env=settled,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        if not first.strip().isdigit():
            self._end()
            raise RefusedError(first + self.errors())
        self._channel = grpc.insecure_channel(f"127.0.0.1:{int(first)}", options=LIMIT)
        self._stub = analyzer_pb2_grpc.AnalyzerStub(self._channel)
        self._greet(pack)
        self.configure(config or {})

    def _greet(self, pack: Path) -> None:
        """The calls that come before everything else."""
        try:
            self._stub.Handshake(
                analyzer_pb2.AnalyzerHandshakeRequest(
                    engine_address="127.0.0.1:1", root_directory=str(pack), program_directory=str(pack)
                )
            )
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.UNIMPLEMENTED  # noqa: PT017
        self._stub.ConfigureStack(
            analyzer_pb2.AnalyzerStackConfigureRequest(
                stack="dev", project="hub-and-spoke", organization="organization", dry_run=True
            )
        )
        self._stub.GetPluginInfo(empty_pb2.Empty())
        self.info = self._stub.GetAnalyzerInfo(empty_pb2.Empty())

    def configure(self, config: Mapping[str, Any]) -> None:
        """Set policies as the engine does: `{policy: {"enforcementLevel": …, property: …}}`."""
        levels = {one.name: one.enforcementLevel for one in self.info.policies}
        given = {}
        for name, default in levels.items():
            own = dict(config.get(name, {}))
            level = own.pop("enforcementLevel", None)
            number = analyzer_pb2.EnforcementLevel.Value(level.upper()) if level else default
            given[name] = analyzer_pb2.PolicyConfig(enforcementLevel=number, properties=_struct(own))
        self._stub.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=given))

    def analyze(self, noted: Noted) -> list[Any]:
        """Hand over the inputs of one resource, as they are after the provider's check."""
        request = _analyze_request(noted)
        return list(self._stub.Analyze(request).diagnostics)

    def remediate(self, noted: Noted) -> Any:
        """Offer one resource for mending."""
        return self._stub.Remediate(_analyze_request(noted))

    def analyze_stack(self, every: Iterable[Noted]) -> list[Any]:
        """Hand over the whole stack, with the outputs that the provider showed."""
        rows = [
            analyzer_pb2.AnalyzerResource(
                type=one.type,
                urn=one.urn,
                name=one.name,
                properties=_struct(one.outputs),
                parent=one.parent,
                dependencies=one.dependencies,
                propertyDependencies={
                    key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
                    for key, urns in one.property_dependencies.items()
                },
                provider=_provider(one),
            )
            for one in every
        ]
        return list(self._stub.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=rows)).diagnostics)

    def preview(self, every: list[Noted]) -> list[Any]:
        """Everything that the engine asks in a preview; the diagnostics in their order."""
        found = []
        for one in every:
            if one.custom and not one.external:
                found += self.analyze(one)
        return found + self.analyze_stack(every)

    def cpu(self) -> float | None:
        """Seconds of processor time that the pack has used; None where the system does not say."""
        try:
            fields = (
                Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            )
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def info_again(self) -> Any:
        """A call that asks for nothing in particular."""
        return self._stub.GetPluginInfo(empty_pb2.Empty())

    def errors(self) -> str:
        """What the pack wrote to standard error."""
        self._errors.seek(0)
        return self._errors.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()
        self._end()
        self._errors.close()

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def _analyze_request(noted: Noted) -> Any:
    return analyzer_pb2.AnalyzeRequest(
        type=noted.type,
        urn=noted.urn,
        name=noted.name,
        properties=_struct(noted.inputs),
        options=analyzer_pb2.AnalyzerResourceOptions(parent=noted.parent),
        provider=_provider(noted),
    )


def _provider(noted: Noted) -> Any:
    if not noted.provider:
        return None
    urn = noted.provider.rpartition("::")[0]
    return analyzer_pb2.AnalyzerProviderResource(
        type=urn.split("::")[2], urn=urn, name="default", properties=_struct({"version": "3.29.0"})
    )


def _struct(value: Mapping[str, Any]) -> Any:
    return json_format.ParseDict(dict(value), struct_pb2.Struct())
