"""Starts the policy server: finds the engine beside the pack, keeps standard output clean, listens in.

The server hands properties to policies in a form that loses what matters here: an unknown value ends the
policy and makes it advisory, marks of secrets are gone, and a stack's resources are copied anew for every
policy.  So requests are read as they come, and the server is left with what it needs to call the policies.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aks_egress_pulumi.collecting import Collected, Provider, Row

NAME = "aks-egress"


def serve() -> None:
    """Serve the policies; never returns.

    The first line on standard output must be the server's port, so whatever importing may print goes to
    standard error.
    """
    with redirect_stdout(sys.stderr):
        _find_engine()
        from pulumi_policy import EnforcementLevel, PolicyPack

        from aks_egress_pulumi.judging import Session
        from aks_egress_pulumi.policies import policies

        session = Session(Path.cwd())
        listen(session.collected)
        made = policies(session)
    PolicyPack(
        NAME,
        made,
        enforcement_level=EnforcementLevel.ADVISORY,
        display_name="AKS egress",
        description="Walks every outbound flow that AKS needs through the stack's network and says who stops it.",
        tags=["azure", "aks", "network"],
    )


def _find_engine() -> None:
    """In a checkout the engine lies beside the pack, installed or not."""
    top = Path(__file__).resolve().parents[2]
    for package, folder in (("aks_egress", "policies"), ("aks_egress_scan", "scanners")):
        if find_spec(package) is None and (top / folder / package).is_dir():
            sys.path.append(str(top / folder))


def listen(collected: Collected) -> None:
    """Have the server hand over every request before it calls the policies.

    Raises RuntimeError where this version of the server has no place to do that.
    """
    import pulumi_policy.policy as server
    from pulumi.runtime.proto import analyzer_pb2

    base: Any = getattr(server, "_PolicyAnalyzerServicer", None)
    if base is None or not (hasattr(base, "Analyze") and hasattr(base, "AnalyzeStack")):
        raise RuntimeError("this version of pulumi-policy is not known: install `pulumi-policy>=1.21,<2`")

    class Listening(base):  # type: ignore[misc]
        """Keeps what requests hold, and passes on who they are about."""

        def Analyze(self, request: Any, context: Any) -> Any:  # noqa: N802
            collected.listen(lambda: collected.take(request.urn, _plain(request.properties)))
            known = analyzer_pb2.AnalyzeRequest(type=request.type, urn=request.urn, name=request.name)
            return super().Analyze(known, context)

        def AnalyzeStack(self, request: Any, context: Any) -> Any:  # noqa: N802
            collected.listen(lambda: collected.take_stack([_row(one) for one in request.resources]))
            return super().AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(), context)

    vars(server)["_PolicyAnalyzerServicer"] = Listening


def _row(one: Any) -> Row:
    from aks_egress_pulumi.collecting import Row

    return Row(
        urn=one.urn,
        type=one.type,
        outputs=_plain(one.properties),
        parent=one.parent,
        depends=tuple(one.dependencies),
        properties_depend={key: tuple(below.urns) for key, below in one.propertyDependencies.items()},
        provider=_provider(one.provider) if one.HasField("provider") else None,
    )


def _provider(one: Any) -> Provider:
    from aks_egress_pulumi.collecting import Provider

    return Provider(urn=one.urn, type=one.type, props=_plain(one.properties))


def _plain(message: Any) -> dict[str, Any]:
    """A message's properties as plain data, marks of secrets and of unknowns included."""
    return {key: _value(item) for key, item in message.fields.items()}


def _value(message: Any) -> Any:
    kind = message.WhichOneof("kind")
    if kind == "struct_value":
        return _plain(message.struct_value)
    if kind == "list_value":
        return [_value(item) for item in message.list_value.values]
    return None if kind in (None, "null_value") else getattr(message, kind)
