"""The parts of the README that the program prints: `make generate` writes them anew."""

from __future__ import annotations

import contextlib
import io
import os
import re
from pathlib import Path

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
    made = {"demo": _demo(), "help": _block("aks-egress --help", _printed(["--help"]))}
    refused = _pack()
    if refused:
        made["pack"] = refused
    for name, body in made.items():
        pattern = re.compile(rf"(<!-- made: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = pattern.sub(lambda found, body=body: f"{found[1]}{body}{found[2]}", text)  # type: ignore[misc]
    return text


def _demo() -> str:
    """The report on the broken example up to its first finding."""
    lines = _printed(_DEMO).splitlines()
    first = next(number for number, line in enumerate(lines) if line.lstrip().startswith("error "))
    end = next(number for number, line in enumerate(lines) if number > first and not line.strip())
    return _block("", "\n".join([*lines[:end], "  ..."]))


def _pack() -> str:
    """What the policy pack says of the broken example; empty where its server cannot be run."""
    try:
        from tests.pack.conftest import stack
        from tests.pack.server import Server
    except ImportError:
        return ""
    with Server() as server:
        found = [one for one in server.preview(stack("konnectivity")) if one.policyName == "aks-tunnel"]
    return _block("", "\n".join(f"{one.policyName} (mandatory)  {one.urn}\n{one.message}" for one in found))


def _block(command: str, text: str) -> str:
    head = f"$ {command}\n" if command else ""
    return f"\n```text\n{head}{text.rstrip()}\n```\n\n"


def _printed(arguments: list[str]) -> str:
    """What the command prints, run at the top of the repository with nothing around it."""
    from aks_egress_scan.__main__ import main

    before = Path.cwd()
    cache = os.environ.get("AKS_EGRESS_CACHE_DIR")
    os.chdir(ROOT)
    os.environ["AKS_EGRESS_CACHE_DIR"] = os.devnull
    try:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            main(arguments)
    finally:
        os.chdir(before)
        os.environ.pop("AKS_EGRESS_CACHE_DIR")
        if cache is not None:
            os.environ["AKS_EGRESS_CACHE_DIR"] = cache
    return said.getvalue()
