"""The parts of the README that the program prints: `make generate` writes them anew."""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.generate import _live

ROOT = Path(__file__).resolve().parents[2]
TARGET = "README.md"
_ARM = "examples/hub-and-spoke/arm"
_DEMO = [
    "scan",
    f"{_ARM}/hub.json",
    f"{_ARM}/spoke.json",
    "--param",
    f"{_ARM}/parameters/konnectivity/hub.parameters.json",
    "--param",
    f"{_ARM}/parameters/konnectivity/spoke.parameters.json",
]


def render() -> str:
    """The README with what the program prints today."""
    text = (ROOT / TARGET).read_text(encoding="utf-8")
    made = {
        "demo": _demo(),
        "help": f"$ aks-egress --help\n{printed(['--help'])}",
        "triage": _live.triage(printed),
        "pack": _pack(),
    }
    return filled(text, made)


def filled(text: str, made: Mapping[str, str]) -> str:
    """A page with these texts in the places of their names; what could not be made stays as it was."""
    for name, body in made.items():
        if body:
            pattern = re.compile(rf"(<!-- made: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
            block = f"\n```text\n{body.rstrip()}\n```\n\n"
            text = pattern.sub(lambda found, block=block: f"{found[1]}{block}{found[2]}", text)  # type: ignore[misc]
    return text


def _demo() -> str:
    """The report on the broken example up to its first finding."""
    lines = printed(_DEMO).splitlines()
    first = next(number for number, line in enumerate(lines) if line.lstrip().startswith("error "))
    end = next(number for number, line in enumerate(lines) if number > first and not line.strip())
    return "\n".join([*lines[:end], "  ..."])


def _pack() -> str:
    """What the policy pack says of the broken example; empty where its server cannot be run."""
    try:
        from tests.pack.conftest import stack
        from tests.pack.server import Server
    except ImportError:
        return ""
    with Server() as server:
        found = [one for one in server.preview(stack("konnectivity")) if one.policyName == "aks-tunnel"]
    return "\n".join(f"{one.policyName} (mandatory)  {one.urn}\n{one.message}" for one in found)


def printed(arguments: list[str]) -> str:
    """What the command prints, run at the top of the repository with nothing around it."""
    from aks_egress_scan.__main__ import main

    before = Path.cwd()
    cache = os.environ.get("AKS_EGRESS_CACHE_DIR")
    os.chdir(ROOT)
    try:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as said:
            os.environ["AKS_EGRESS_CACHE_DIR"] = folder
            main(arguments)
    finally:
        os.chdir(before)
        os.environ.pop("AKS_EGRESS_CACHE_DIR")
        if cache is not None:
            os.environ["AKS_EGRESS_CACHE_DIR"] = cache
    return said.getvalue()
