"""Starts the policy server: finds the engine beside the pack, keeps standard output clean, veils secrets."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NAME = "aks-egress"


def serve() -> None:
    """Serve the policies; never returns.

    The first line on standard output must be the server's port, so whatever importing may print goes to
    standard error.
    """
    with redirect_stdout(sys.stderr):
        _find_engine()
        from pulumi_policy import EnforcementLevel, PolicyPack

        from aks_egress_pulumi.policies import policies

        veil()
        made = policies()
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


def veil() -> None:
    """Have the policy server hand over secrets as such.

    For policies that only look, it takes the mark off every secret and hands over the plain value, which
    would end up in a message.  Properties are handed over as they came, with secrets blinded.
    Raises RuntimeError where this version of the server cannot be told.
    """
    import pulumi_policy.policy as server

    plain: Callable[..., Any] | None = getattr(server, "deserialize_properties", None)
    if plain is None:
        raise RuntimeError(
            "this version of pulumi-policy is not known to keep secrets: install `pulumi-policy>=1.21,<2`"
        )

    def blinding(props: dict[str, Any], proxy_secrets: bool = False) -> Any:
        return plain(props, proxy_secrets) if proxy_secrets else blinded(props)

    vars(server)["deserialize_properties"] = blinding


def blinded(value: Any) -> Any:
    """The value with every secret replaced by a word; the same object where there is none."""
    from aks_egress_scan.readers.pulumi.values import BLINDED, SECRET, SIGNATURE

    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            return BLINDED
        changed = {key: new for key, item in value.items() if (new := blinded(item)) is not item}
        return {**value, **changed} if changed else value
    if isinstance(value, list):
        items = [blinded(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value
