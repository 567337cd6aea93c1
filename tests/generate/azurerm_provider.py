"""A stand-in for the azurerm provider: enough of it for `terraform plan` to work without a network.

Terraform itself plans, with its own expansion of loops, modules and references; this only
answers its schema questions and says what is known after apply.  It speaks tfplugin 6 over a
socket that Terraform is told of (TF_REATTACH_PROVIDERS).  Like the real provider it spells out
defaults and writes empty text and empty lists into rules that are given as attributes.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.generate.azurerm_schema import RESOURCES, Attributes, Blocks

SOURCE = "hashicorp/azurerm"


@contextmanager
def provider() -> Iterator[dict[str, str]]:
    """Serve the provider; yields the environment that makes Terraform use it.

    Raises ImportError where the packages that speak Terraform's protocol are missing.
    """
    import grpc
    from tf.gen import grpc_controller_pb2_grpc, grpc_stdio_pb2_grpc, tfplugin_pb2_grpc

    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "provider.sock"
        server = grpc.server(futures.ThreadPoolExecutor(8))
        tfplugin_pb2_grpc.add_ProviderServicer_to_server(_provider(), server)
        grpc_controller_pb2_grpc.add_GRPCControllerServicer_to_server(_controller(), server)
        grpc_stdio_pb2_grpc.add_GRPCStdioServicer_to_server(_output(), server)
        server.add_insecure_port(f"unix://{socket}")
        server.start()
        address = {
            "Protocol": "grpc",
            "ProtocolVersion": 6,
            "Pid": os.getpid(),
            "Test": True,
            "Addr": {"Network": "unix", "String": str(socket)},
        }
        try:
            yield {"TF_REATTACH_PROVIDERS": json.dumps({SOURCE: address})}
        finally:
            server.stop(grace=None)


def _schema(attributes: Attributes, blocks: Blocks) -> Any:
    from tf.gen import tfplugin_pb2 as pb

    return pb.Schema.Block(
        attributes=[
            pb.Schema.Attribute(
                name=name,
                type=json.dumps(spec[0]).encode(),
                required="r" in spec[1],
                optional="o" in spec[1],
                computed="c" in spec[1],
                sensitive="s" in spec[1],
            )
            for name, spec in attributes.items()
        ],
        block_types=[
            pb.Schema.NestedBlock(
                type_name=name, nesting=pb.Schema.NestedBlock.NestingMode.LIST, block=_schema(*inner)
            )
            for name, inner in blocks.items()
        ],
    )


def _planned(value: dict[str, Any], attributes: Attributes, blocks: Blocks) -> dict[str, Any]:
    """The configuration with defaults filled in, and what the provider computes left unknown."""
    import msgpack

    unknown = msgpack.ExtType(0, b"\x00")
    for name, (kind, flags, *default) in attributes.items():
        if value.get(name) is None and default:
            value[name] = default[0]
        elif value.get(name) is None and "c" in flags:
            value[name] = unknown
        elif isinstance(value.get(name), list) and isinstance(kind[1], list) and kind[1][0] == "object":
            value[name] = [_spelled_out(row, kind[1][1]) for row in value[name]]
    for name, inner in blocks.items():
        for row in value.get(name) or []:
            _planned(row, *inner)
    return value


def _spelled_out(row: dict[str, Any], members: dict[str, Any]) -> dict[str, Any]:
    """A rule or route given as an attribute: what is not set becomes empty, as the real provider has it."""
    empty = {"string": ""}
    return {
        name: (empty.get(kind) if isinstance(kind, str) else []) if row.get(name) is None else row[name]
        for name, kind in members.items()
    }


def _provider() -> Any:
    import msgpack
    from tf.gen import tfplugin_pb2 as pb
    from tf.gen import tfplugin_pb2_grpc as rpc

    class Provider(rpc.ProviderServicer):
        def GetMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
            return pb.GetMetadata.Response(server_capabilities=pb.ServerCapabilities(plan_destroy=False))

        def GetProviderSchema(self, request: Any, context: Any) -> Any:  # noqa: N802
            features = pb.Schema.NestedBlock(
                type_name="features", nesting=pb.Schema.NestedBlock.NestingMode.LIST, block=pb.Schema.Block()
            )
            subscription = pb.Schema.Attribute(name="subscription_id", type=b'"string"', optional=True)
            return pb.GetProviderSchema.Response(
                provider=pb.Schema(block=pb.Schema.Block(attributes=[subscription], block_types=[features])),
                provider_meta=pb.Schema(block=pb.Schema.Block()),
                resource_schemas={kind: pb.Schema(block=_schema(*spec)) for kind, spec in RESOURCES.items()},
            )

        def ValidateProviderConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
            return pb.ValidateProviderConfig.Response()

        def ValidateResourceConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
            return pb.ValidateResourceConfig.Response()

        def ConfigureProvider(self, request: Any, context: Any) -> Any:  # noqa: N802
            return pb.ConfigureProvider.Response()

        def PlanResourceChange(self, request: Any, context: Any) -> Any:  # noqa: N802
            proposed = msgpack.unpackb(request.proposed_new_state.msgpack)
            planned = _planned(proposed, *RESOURCES[request.type_name])
            state = pb.DynamicValue(msgpack=msgpack.packb(planned))
            return pb.PlanResourceChange.Response(planned_state=state, legacy_type_system=True)

        def StopProvider(self, request: Any, context: Any) -> Any:  # noqa: N802
            return pb.StopProvider.Response()

        def GetFunctions(self, request: Any, context: Any) -> Any:  # noqa: N802
            return pb.GetFunctions.Response()

    return Provider()


def _controller() -> Any:
    from tf.gen import grpc_controller_pb2 as messages
    from tf.gen import grpc_controller_pb2_grpc as rpc

    class Controller(rpc.GRPCControllerServicer):
        def Shutdown(self, request: Any, context: Any) -> Any:  # noqa: N802
            return messages.Empty()

    return Controller()


def _output() -> Any:
    from tf.gen import grpc_stdio_pb2_grpc as rpc

    class Output(rpc.GRPCStdioServicer):
        def StreamStdio(self, request: Any, context: Any) -> Any:  # noqa: N802
            return iter(())

    return Output()
